"""What losses have in common: what becomes of the single ones, how targets are taken, and the module that holds one."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from minigrad import backend, ops
from minigrad.errors import ConfigError, DtypeError, ShapeError
from minigrad.failures import with_origin
from minigrad.nn.module import Buffer, Module
from minigrad.tensor import Tensor

IGNORED = -100
"""The label that cross-entropy passes over by default, as PyTorch does."""

_REDUCTIONS: dict[str, Callable[[Any], Any]] = {
    "mean": ops.mean,
    "sum": ops.sum,
    "none": lambda losses: losses,
}


def reduced(name: str) -> Callable[[Any], Any]:
    """Return what makes one number of the single losses, or none; ConfigError MG-802 for another name."""
    if name not in _REDUCTIONS:
        raise ConfigError("MG-802", f"reduction is {name!r}; it can be {', '.join(_REDUCTIONS)}.")
    return _REDUCTIONS[name]


class Loss(Module):
    """A loss as a module, ``loss = MSELoss(); loss(prediction, target)``; ``reduction`` as in the function."""

    function: ClassVar[Callable[[Any, Any, str], Any]]

    def __init__(self, reduction: str = "mean") -> None:
        reduced(reduction)
        self.reduction = reduction

    def forward(self, prediction: Any, target: Any) -> Any:
        """Return the reduced loss."""
        return type(self).function(prediction, target, self.reduction)


def as_buffer(weight: Any) -> Buffer | None:
    """Return a loss's weights, which move with it to a device and no optimizer changes."""
    return None if weight is None else Buffer(weight, dtype=None if hasattr(weight, "dtype") else "float32")


def matching(name: str, prediction: Any, target: Any) -> Any:
    """Return the target in the prediction's dtype, once it is known to have its shape."""
    if not isinstance(target, Tensor):
        target = backend.as_array(target, None if hasattr(target, "dtype") else prediction.dtype)
    if target.shape != prediction.shape:
        raise ShapeError("MG-110", _mismatch(name, prediction.shape, target.shape))
    if target.dtype == prediction.dtype:
        return target
    if target.dtype.kind == "f":
        error = DtypeError(
            "MG-211",
            f"{name}: target is {target.dtype} (float64 is NumPy's default), prediction {prediction.dtype}. "
            f"Cast the data once: target.astype('{prediction.dtype}').",
        )
        raise with_origin(error, (prediction, target))
    return target.astype(prediction.dtype)


def _mismatch(name: str, prediction: tuple[int, ...], target: tuple[int, ...]) -> str:
    size = math.prod(prediction)
    try:
        stretched = np.broadcast_shapes(prediction, target)
    except ValueError:
        stretched = prediction
    message = f"{name}: prediction {prediction} and target {target} "
    if stretched == prediction:
        message += "differ in shape: each prediction needs its own target."
    else:
        message += f"would broadcast to {stretched}: {math.prod(stretched)} differences instead of {size}."
    if math.prod(target) == size:
        message += f" Use target.reshape{prediction}."
    return message
