"""Entries of products of matrices and of dense layers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.viz.entries import Case, Index, Operand, Pair, tensor
from minigrad.viz.numbers import show
from minigrad.viz.trace import Backward

_At = Callable[[dict[str, Any]], Index]
"""The index of a factor's entry, given what each letter stands for: a number, or itself."""


def forward(case: Case, index: Index) -> Pair | None:
    """Return how the result's entry is made, None where the operation is another kind."""
    if case.node.operation == "matmul":
        return _matmul(case, index)
    return _linear(case, index) if case.node.operation == "linear" else None


def backward(case: Case, event: Backward, index: Index) -> Pair | None:
    """Return the contribution to the input's entry, None where the operation is another kind."""
    if case.node.operation == "matmul":
        return _matmul_back(case, event, index)
    return _linear_back(case, event, index) if case.node.operation == "linear" else None


def _summed(
    case: Case, sums: dict[str, int], left: tuple[Operand, _At], right: tuple[Operand, _At] | None
) -> Pair:
    """Σ over the letters of the product of two factors, or of one."""

    def placed(operand: Operand, at: _At) -> Operand:
        def index(values: Index) -> Index:
            return at(dict(zip(sums, values, strict=True)))

        return Operand(
            lambda values: operand.symbol(index(values)), lambda values: operand.value(index(values))
        )

    case.operands["l"] = placed(*left)
    if right is not None:
        case.operands["r"] = placed(*right)
    template = "{l}" if right is None else "{l} · {r}"
    if not sums:
        return case.pair(template, ())
    factors = [case.operands[name] for name in ("l", "r") if f"{{{name}}}" in template]

    def worth(values: Index) -> Any:
        return math.prod(np.asarray(factor.value(values), np.float64) for factor in factors)

    return case.total(template, tuple(sums), sums, worth)


class _Product:
    """result[…,i,j] = Σ_k left[…,i,k] · right[…,k,j]; a vector lacks its i or its j."""

    def __init__(self, case: Case) -> None:
        left, right = case.arrays
        self.vectors = (left.ndim == 1, right.ndim == 1)
        self.batches = (left.shape[:-2], right.shape[:-2])
        self.batch = np.broadcast_shapes(*self.batches)
        self.rows = 1 if left.ndim == 1 else left.shape[-2]
        self.inner = left.shape[-1]
        self.columns = 1 if right.ndim == 1 else right.shape[-1]

    def left(self, batch: Index, i: Any, k: Any) -> Index:
        return self._own(0, batch) + ((k,) if self.vectors[0] else (i, k))

    def right(self, batch: Index, k: Any, j: Any) -> Index:
        return self._own(1, batch) + ((k,) if self.vectors[1] else (k, j))

    def result(self, batch: Index, i: Any, j: Any) -> Index:
        return batch + (() if self.vectors[0] else (i,)) + (() if self.vectors[1] else (j,))

    def _own(self, which: int, batch: Index) -> Index:
        own = self.batches[which]
        return tuple(0 if n == 1 else i for i, n in zip(batch[len(batch) - len(own) :], own, strict=True))

    def stretched(self, which: int, given: Index) -> tuple[Index, dict[str, int]]:
        """The batch's index with letters where a factor was repeated along it, and how far the letters run."""
        own, letters = self.batches[which], iter("bcdefgh")
        extra = len(self.batch) - len(own)
        sums: dict[str, int] = {}
        index: list[Any] = []
        for axis, length in enumerate(self.batch):
            if axis < extra or own[axis - extra] != length:
                letter = next(letters)
                sums[letter] = length
                index.append(letter)
            else:
                index.append(given[axis - extra])
        return tuple(index), sums


def _matmul(case: Case, index: Index) -> Pair:
    product = _Product(case)
    batch, rest = index[: len(product.batch)], list(index[len(product.batch) :])
    i = 0 if product.vectors[0] else rest.pop(0)
    j = 0 if product.vectors[1] else rest.pop(0)
    left, right = _factors(case)
    return _summed(
        case,
        {"k": product.inner},
        (left, lambda at: product.left(batch, i, at["k"])),
        (right, lambda at: product.right(batch, at["k"], j)),
    )


def _factors(case: Case) -> tuple[Operand, Operand]:
    return tensor(case.names[0], case.arrays[0]), tensor(case.names[1], case.arrays[1])


def _matmul_back(case: Case, event: Backward, index: Index) -> Pair:
    product = _Product(case)
    which = event.position
    own = len(product.batches[which])
    batch, sums = product.stretched(which, index[:own])
    rest = index[own:]
    left, right = _factors(case)

    def filled(at: dict[str, Any]) -> Index:
        return tuple(at.get(i, i) for i in batch)

    if which == 0:
        i, k = (0, rest[0]) if product.vectors[0] else rest
        return _summed(
            case,
            sums | ({} if product.vectors[1] else {"j": product.columns}),
            (case.operands["g"], lambda at: product.result(filled(at), i, at.get("j"))),
            (right, lambda at: product.right(filled(at), k, at.get("j"))),
        )
    k, j = (rest[0], 0) if product.vectors[1] else rest
    return _summed(
        case,
        sums | ({} if product.vectors[0] else {"n": product.rows}),
        (case.operands["g"], lambda at: product.result(filled(at), at.get("n"), j)),
        (left, lambda at: product.left(filled(at), at.get("n"), k)),
    )


def _linear(case: Case, index: Index) -> Pair:
    samples, j = index[:-1], index[-1]
    x, w = _factors(case)
    total = _summed(
        case,
        {"k": case.arrays[0].shape[-1]},
        (x, lambda at: (*samples, at["k"])),
        (w, lambda at: (j, at["k"])),
    )
    if len(case.arrays) < 3 or case.arrays[2] is None:
        return total
    bias = tensor(case.names[2], case.arrays[2])
    number = show(bias.value((j,)))
    number = f"({number})" if number.startswith("−") else number
    return Pair(f"{total.symbols} + {bias.symbol((j,))}", f"{total.numbers} + {number}")


def _linear_back(case: Case, event: Backward, index: Index) -> Pair:
    x, w = _factors(case)
    g = case.operands["g"]
    if event.position == 0:
        samples, i = index[:-1], index[-1]
        return _summed(
            case,
            {"k": case.arrays[1].shape[0]},
            (g, lambda at: (*samples, at["k"])),
            (w, lambda at: (at["k"], i)),
        )
    sums = dict(zip("nmpq", event.incoming.shape[:-1], strict=False))
    j = index[0]
    gradient: tuple[Operand, _At] = (g, lambda at: (*at.values(), j))
    if event.position == 2:
        return _summed(case, sums, gradient, None)
    return _summed(case, sums, gradient, (x, lambda at: (*at.values(), index[1])))
