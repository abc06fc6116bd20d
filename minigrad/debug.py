"""Debug mode: the checks that cost too much for every step, in one ``with`` block."""

from __future__ import annotations

import gc
import sys
import weakref
from contextlib import ExitStack
from typing import Any

import numpy as np

from minigrad import backend, modes
from minigrad.errors import NonFiniteError, warn
from minigrad.records import Record
from minigrad.symptoms import WeightMatrices
from minigrad.tensor import Tensor

KEPT_GRAPHS = 100
"""So many graphs of single numbers alive at once are a list of losses that somebody forgot to turn to floats."""


class _Debug(modes.Mode):
    def __init__(self) -> None:
        self.blocks: list[tuple[WeightMatrices, ExitStack]] = []

    def fresh(self) -> _Debug:
        return _Debug()

    def __enter__(self) -> None:
        weights, switches = WeightMatrices(), ExitStack()
        switches.enter_context(modes.hooks(forward=_check_finite))
        switches.enter_context(modes.hooks(forward=weights.used, accumulate_grad=weights.arrived))
        switches.enter_context(modes.hooks(forward=_KeptGraphs()))
        switches.enter_context(modes.switched(modes.checksumming, True))
        self.blocks.append((weights, switches))

    def __exit__(self, *error: Any) -> None:
        weights, switches = self.blocks.pop()
        switches.close()
        if error[0] is None:
            weights.check()


@modes.with_or_without_parentheses
def debug() -> modes.Mode:
    """Check every operation in the block, at several times its cost.

    The first NaN or infinity raises MG-403 where it appears. A change of a saved value is found even where it
    was made behind the Tensor's back, in the bare array (MG-205). A pile of kept graphs is warned of (MG-504). At the
    end of a block with a backward pass in it, so are units that are all alike (MG-406), or else a gradient that
    vanishes on its way to the first layer (MG-407). Also a decorator, ``@mg.debug()``.
    """
    return _Debug()


def _check_finite(record: Record, output: Tensor) -> None:
    value = backend.to_numpy(output.data)
    if np.isfinite(value).all():
        return
    found = "NaN" if np.isnan(value).any() else "infinity"
    inputs = "; ".join(
        f"{_label(x, i)}: {_range(a)}"
        for i, (x, a) in enumerate(zip(record.inputs, record.arrays, strict=True))
        if getattr(a, "size", 0)
    )
    raise NonFiniteError(
        "MG-403",
        f"first non-finite value: {found} in the result of {record.operation.name} ({record.location}). "
        f"{inputs}. Look at that input: a logarithm or a division of 0, or numbers grown too large?",
    )


def _label(x: Any, i: int) -> str:
    return f"input {x.label}" if isinstance(x, Tensor) else f"input {i}"


def _range(array: Any) -> str:
    values = backend.to_numpy(array)
    if not np.isfinite(values).all():
        return f"min = {values.min():.6g}, max = {values.max():.6g}, not finite before this operation"
    return f"min = {values.min():.6g}, max = {values.max():.6g}"


class _KeptGraphs:
    """Counts the single numbers whose graphs are alive, and names the list that holds them."""

    def __init__(self) -> None:
        self.alive: weakref.WeakSet[Tensor] = weakref.WeakSet()

    def __call__(self, record: Record, output: Tensor) -> None:
        if output.size != 1:
            return
        self.alive.add(output)
        if len(self.alive) % KEPT_GRAPHS:
            return
        kept = [t for t in self.alive if t.record is not None and t.record.consumed is None]
        if len(kept) < KEPT_GRAPHS:
            return
        lists = (c for c in gc.get_referrers(kept[0]) if isinstance(c, list) and c is not kept)
        held = next(lists, None)
        if held is None:
            return
        megabytes = sum(t.record.value.nbytes for t in kept if t.record is not None) / 1e6
        warn(
            "MG-504",
            f"{_name_of(held)} holds {len(kept)} graphs ({megabytes:.1f} MB in their last records alone). A tensor "
            "keeps everything it was computed from alive. Append loss.item() instead.",
        )


def _name_of(held: list[Any]) -> str:
    frame = sys._getframe()
    while frame.f_back is not None:
        frame = frame.f_back
        for name, value in frame.f_locals.items():
            if value is held and frame.f_code.co_filename != __file__:
                return f"'{name}'"
    return "a list"
