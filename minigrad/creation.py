"""PyTorch's functions that make a tensor. Each is ``Tensor`` around one of NumPy's."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from minigrad import backend
from minigrad.tensor import Tensor, unwrap


def tensor(
    data: Any, dtype: DTypeLike | None = None, device: str | None = None, requires_grad: bool = False
) -> Tensor:
    """Return a Tensor on a copy of ``data``, as ``torch.tensor`` does; ``Tensor(data)`` uses an array as it is."""
    array = backend.as_array(unwrap(data) if isinstance(data, Tensor) else data, dtype)
    return Tensor(array.copy(), requires_grad=requires_grad, device=device)


def from_numpy(array: np.ndarray[Any, Any]) -> Tensor:
    """Return a Tensor on the memory of ``array``: ``Tensor(array)``."""
    return Tensor(array)


def full(size: Any, fill_value: float, dtype: DTypeLike | None = None, **options: Any) -> Tensor:
    """Return a tensor of one number everywhere; ``options`` are ``Tensor``'s: ``requires_grad``, ``device`` …"""
    array = np.full(size, fill_value)
    if dtype is None and array.dtype.kind == "f":
        dtype = backend.default_dtype()
    return Tensor(array, dtype=dtype, **options)


def zeros(*size: Any, **options: Any) -> Tensor:
    """Return zeros, ``zeros(2, 3)`` or ``zeros((2, 3))``, in the default dtype; see ``full`` for the options."""
    return full(_shape(size), 0.0, **options)


def ones(*size: Any, **options: Any) -> Tensor:
    """Return ones, ``ones(2, 3)`` or ``ones((2, 3))``, in the default dtype; see ``full`` for the options."""
    return full(_shape(size), 1.0, **options)


def eye(n: int, m: int | None = None, dtype: DTypeLike | None = None, **options: Any) -> Tensor:
    """Return the identity matrix in the default dtype; ``np.eye``."""
    return Tensor(np.eye(n, m), dtype=dtype or backend.default_dtype(), **options)


def arange(*limits: float, dtype: DTypeLike | None = None, **options: Any) -> Tensor:
    """Return ``start, start + step, …`` below ``stop``: integers of integers, else the default dtype; ``np.arange``."""
    array = np.arange(*limits)
    if dtype is None and array.dtype.kind == "f":
        dtype = backend.default_dtype()
    return Tensor(array, dtype=dtype, **options)


def linspace(start: float, end: float, steps: int, dtype: DTypeLike | None = None, **options: Any) -> Tensor:
    """Return ``steps`` numbers from ``start`` to ``end``, both included, in the default dtype; ``np.linspace``."""
    return Tensor(np.linspace(start, end, steps), dtype=dtype or backend.default_dtype(), **options)


def zeros_like(t: Any, **options: Any) -> Tensor:
    """Return zeros of the shape and dtype of ``t``."""
    return Tensor(np.zeros_like(unwrap(t)), **options)


def ones_like(t: Any, **options: Any) -> Tensor:
    """Return ones of the shape and dtype of ``t``."""
    return Tensor(np.ones_like(unwrap(t)), **options)


def _shape(size: tuple[Any, ...]) -> Any:
    return size[0] if len(size) == 1 else size
