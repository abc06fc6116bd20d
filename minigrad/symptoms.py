"""What the first gradients tell of a network: units that are all alike, a gradient that fades on its way back.

Debug mode notes the weight matrices that a block uses, in order, and looks at their gradients once, at its end.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad import backend
from minigrad.errors import warn
from minigrad.records import Record
from minigrad.tensor import Tensor

VANISHED = 1000.0
"""So many times smaller in the first weight matrix than in the last, a gradient counts as vanished."""

_DEEP = 3  # fewer matrices than this have no depth for a gradient to vanish in


class WeightMatrices:
    """The weight matrices of a block in the order of their first use, each with the axis that numbers its units."""

    def __init__(self) -> None:
        self._axes: dict[int, tuple[Tensor, int]] = {}
        self._arrived: set[int] = set()

    def used(self, record: Record, output: Tensor) -> None:
        """Note a weight matrix as an operation takes it: W (out, in) of a layer, W (in, out) of x @ W."""
        name = record.operation.name
        places = {1: 0} if name.startswith("linear") else {0: 0, 1: 1} if name == "matmul" else {}
        for place, axis in places.items():
            x = record.inputs[place]
            if isinstance(x, Tensor) and x.record is None and x.requires_grad and x.ndim == 2:
                self._axes.setdefault(id(x), (x, axis))

    def arrived(self, tensor: Tensor, before: Any) -> None:
        """Note that a walk has brought this tensor's gradient."""
        self._arrived.add(id(tensor))

    def check(self) -> None:
        """Warn of units that are all alike (MG-406), else of a gradient that has vanished (MG-407)."""
        found = [(w, axis) for key, (w, axis) in self._axes.items() if key in self._arrived]
        alike = next(((w, axis) for w, axis in found[:-1] if _all_alike(w, axis)), None)
        if alike is not None:
            _tell_alike(*alike)
        elif len(found) >= _DEEP:
            _tell_vanished([w for w, _ in found])


def _name(w: Tensor) -> str:
    return w.label if w.name else "a weight matrix"


def _gradient(w: Tensor) -> np.ndarray[Any, Any]:
    assert w.grad is not None
    return backend.to_numpy(w.grad.data)


def _all_alike(w: Tensor, axis: int) -> bool:
    if w.shape[axis] < 2:
        return False
    first = ((slice(1),), (slice(None), slice(1)))[axis]
    return all(bool((a == a[first]).all()) for a in (backend.to_numpy(w.data), _gradient(w)))


def _tell_alike(w: Tensor, axis: int) -> None:
    shape = "(" + ", ".join(map(str, w.shape)) + ")"
    warn(
        "MG-406",
        f"the {w.shape[axis]} units of {_name(w)} {shape} are all alike: each has the same weights and gets the same "
        "gradient, so they will stay alike and count as one. Draw the weights at random, as layers do by "
        f"themselves, or by mg.nn.init.he_normal({shape}, rng).",
    )


def _tell_vanished(weights: list[Tensor]) -> None:
    first, last = (
        float(np.sqrt(np.mean(np.square(_gradient(w), dtype=np.float64)))) for w in (weights[0], weights[-1])
    )
    if last == 0 or not last >= VANISHED * first:
        return
    times = f", {last / first:.4g} times as large" if first else ""
    warn(
        "MG-407",
        f"the gradient vanishes on its way back: its entries are {last:.3g} in {_name(weights[-1])}, but "
        f"{first:.3g} in {_name(weights[0])} (root mean squares{times}), so the first of the {len(weights)} layers "
        "hardly learn. "
        "Use ReLU in place of sigmoid or tanh, and initial weights that suit it (init='he_normal').",
    )
