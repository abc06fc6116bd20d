"""minigrad, compiled: the same loop with ``@mg.compile`` above its step, everything else as it comes."""

from __future__ import annotations

import minigrad as mg
from minigrad.bench.peers import Program, Task
from minigrad.bench.peers.minigrad_peer import eager


def build(task: Task) -> Program:
    """See ``minigrad.bench.peers``."""
    place, step = eager(task)
    return Program(place, mg.compile(step))
