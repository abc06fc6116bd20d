"""Entries of reductions, of the softmax family and of cross-entropy."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.ops.reduce import several
from minigrad.viz.entries import Case, Index, Pair
from minigrad.viz.numbers import show
from minigrad.viz.trace import Backward


def forward(case: Case, index: Index) -> Pair | None:
    """Return how the result's entry is made, None where the operation is another kind."""
    made = _FORWARD.get(case.node.operation or "")
    return None if made is None else made(case, index)


def backward(case: Case, event: Backward, index: Index) -> Pair | None:
    """Return the contribution to the input's entry, None where the operation is another kind."""
    made = _BACKWARD.get(case.node.operation or "")
    return None if made is None else made(case, event, index)


# -- reductions ---------------------------------------------------------------------------------------------


def _axes(case: Case) -> tuple[int, ...]:
    """The axes of the input that are reduced."""
    return several(case.arrays[0].shape, case.node.params["axis"])


def _spread(case: Case, index: Index) -> tuple[Index, dict[str, int]]:
    """The input's index with letters on the reduced axes, and how far each letter runs."""
    axes, shape = _axes(case), case.arrays[0].shape
    names = dict(zip(axes, "nkijlmpq", strict=False))
    kept = iter(index)
    if case.node.params.get("keepdims") or case.node.operation in ("softmax", "log_softmax"):
        full = [names.get(axis, i) for axis, i in enumerate(index)]
    else:
        full = [names[axis] if axis in names else next(kept) for axis in range(len(shape))]
    return tuple(full), {names[axis]: shape[axis] for axis in axes}


def _count(case: Case) -> int:
    return int(np.prod([case.arrays[0].shape[axis] for axis in _axes(case)]))


def _double(case: Case, name: str, at: Index) -> Any:
    return np.asarray(case.operands[name].value(at), np.float64)


def _powers(case: Case, index: Index, sizes: dict[str, int]) -> Pair:
    """Σ e^a."""
    return case.total("e^({a})", index, sizes, lambda at: np.exp(_double(case, "a", at)))


def _gradients(case: Case, template: str, index: Index, sizes: dict[str, int], *also: str) -> Pair:
    """Σ g, or of g times something."""
    names = ("g", *also)
    return case.total(template, index, sizes, lambda at: math.prod(_double(case, name, at) for name in names))


def _sum(case: Case, index: Index) -> Pair:
    if case.arrays[0].ndim == 0:
        return case.pair("{a}", ())
    return case.total("{a}", *_spread(case, index), lambda at: _double(case, "a", at))


def _mean(case: Case, index: Index) -> Pair:
    total = _sum(case, index).enclosed()
    return Pair(f"{total.symbols} / {_count(case)}", f"{total.numbers} / {_count(case)}")


def _logsumexp(case: Case, index: Index) -> Pair:
    total = _powers(case, *_spread(case, index)) if case.arrays[0].ndim else case.pair("e^({a})", ())
    return Pair(f"ln({total.symbols})", f"ln({total.numbers})")


def _softmax(case: Case, index: Index) -> Pair:
    total = _powers(case, *_spread(case, index)).enclosed()
    power = case.pair("e^({a})", index)
    return Pair(f"{power.symbols} / {total.symbols}", f"{power.numbers} / {total.numbers}")


def _log_softmax(case: Case, index: Index) -> Pair:
    total = _powers(case, *_spread(case, index)).enclosed()
    here = case.pair("{a}", index)
    return Pair(f"{here.symbols} − ln{total.symbols}", f"{here.numbers} − ln{total.numbers}")


def _reduced(case: Case, index: Index) -> Index:
    """The result's index for an index of the input."""
    axes = _axes(case)
    if case.node.params.get("keepdims"):
        return tuple(0 if axis in axes else i for axis, i in enumerate(index))
    return tuple(i for axis, i in enumerate(index) if axis not in axes)


def _g_at(case: Case, place: Index, name: str = "g") -> tuple[str, str]:
    operand = case.operands[name]
    number = show(operand.value(place))
    return operand.symbol(place), number


def _sum_back(case: Case, event: Backward, index: Index) -> Pair:
    return Pair(*_g_at(case, _reduced(case, index)))


def _mean_back(case: Case, event: Backward, index: Index) -> Pair:
    symbol, number = _g_at(case, _reduced(case, index))
    return Pair(f"{symbol} / {_count(case)}", f"{number} / {_count(case)}")


def _logsumexp_back(case: Case, event: Backward, index: Index) -> Pair:
    place = _reduced(case, index)
    g, y = _g_at(case, place), _g_at(case, place, "y")
    a = case.pair("{a}", index)
    second = f"({y[1]})" if y[1].startswith("−") else y[1]
    return Pair(f"{g[0]} · e^({a.symbols} − {y[0]})", f"{g[1]} · e^({a.numbers} − {second})")


def _softmax_back(case: Case, event: Backward, index: Index) -> Pair:
    spread, sizes = _spread(case, index)
    total = _gradients(case, "{g} · {y}", spread, sizes, "y").enclosed()
    y, g = case.pair("{y}", index), case.pair("{g}", index)
    return Pair(
        f"{y.symbols} · ({g.symbols} − {total.symbols})", f"{y.numbers} · ({g.numbers} − {total.numbers})"
    )


def _log_softmax_back(case: Case, event: Backward, index: Index) -> Pair:
    spread, sizes = _spread(case, index)
    total = _gradients(case, "{g}", spread, sizes).enclosed()
    first, power = case.pair("{g}", index), case.pair("e^({y})", index)
    return Pair(
        f"{first.symbols} − {power.symbols} · {total.symbols}",
        f"{first.numbers} − {power.numbers} · {total.numbers}",
    )


# -- cross-entropy ------------------------------------------------------------------------------------------


def _xent(case: Case, index: Index) -> Pair:
    (n,) = index
    label = int(case.arrays[1][n])
    total = _powers(case, (n, "k"), {"k": case.arrays[0].shape[1]}).enclosed()
    chosen = case.pair("0 − {a}", (n, label))  # for its parentheses
    return Pair(f"ln{total.symbols}{chosen.symbols[1:]}", f"ln{total.numbers}{chosen.numbers[1:]}")


def _xent_back(case: Case, event: Backward, index: Index) -> Pair:
    n, j = index
    logits = case.arrays[0]
    g = _g_at(case, (n,))
    total = _powers(case, (n, "k"), {"k": logits.shape[1]}).enclosed()
    power = case.pair("e^({a})", index)
    hit = int(j == case.arrays[1][n])
    row = logits[n].astype(np.float64)
    share = np.exp(row[j] - row.max()) / np.exp(row - row.max()).sum()
    return Pair(
        f"{g[0]} · ({power.symbols} / {total.symbols} − {hit})",
        f"{g[1]} · ({power.numbers} / {total.numbers} − {hit}) = {g[1]} · ({show(share)} − {hit})",
    )


_FORWARD: dict[str, Callable[[Case, Index], Pair]] = {
    "sum": _sum,
    "mean": _mean,
    "logsumexp": _logsumexp,
    "softmax": _softmax,
    "log_softmax": _log_softmax,
    "softmax_cross_entropy": _xent,
}

_BACKWARD: dict[str, Callable[[Case, Backward, Index], Pair]] = {
    "sum": _sum_back,
    "mean": _mean_back,
    "logsumexp": _logsumexp_back,
    "softmax": _softmax_back,
    "log_softmax": _log_softmax_back,
    "softmax_cross_entropy": _xent_back,
}
