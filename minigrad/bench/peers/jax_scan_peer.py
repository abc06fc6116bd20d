"""JAX, a whole epoch at a time: ``lax.scan`` carries parameters and state through all batches of one jitted call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from minigrad.bench.peers import Program, Task
from minigrad.bench.peers.jax_peer import device, labels, one_step, start


def build(task: Task) -> Program:
    """See ``minigrad.bench.peers``."""
    carried = start(task)
    whole = one_step(task)
    scanned = jax.jit(lambda carried, batches: jax.lax.scan(whole, carried, batches), donate_argnums=0)

    def over(batches: Any) -> Callable[[], Any]:
        stacked = jax.device_put(tuple(np.stack(part) for part in zip(*batches, strict=True)), device(task))
        jax.block_until_ready(stacked)

        def epoch() -> Any:
            nonlocal carried
            carried, losses = scanned(carried, stacked)
            return np.asarray(losses)

        return epoch

    return Program(lambda x, y: (x, labels(y)), lambda x, y: over([(x, y)])()[0], over)
