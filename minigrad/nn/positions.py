"""Positions: what tells attention, which by itself sees a set, in which order its inputs came."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad import backend
from minigrad.backend import default_dtype
from minigrad.errors import ConfigError, ShapeError
from minigrad.nn import init as inits
from minigrad.nn.module import Buffer, Module, Parameter
from minigrad.tensor import unwrap


def _check(x: Any, count: int, start: int) -> None:
    if x.ndim < 2 or start + x.shape[-2] > count:
        raise ShapeError(
            "MG-534",
            f"x is {x.shape}, of {x.shape[-2] if x.ndim > 1 else 0} positions from {start} on, but there are only "
            f"{count}: make the table longer, or cut x.",
        )


class LearnedPositions(Module):
    """x (..., times, width) plus a row of ``weight`` (count, width) for each position; starts as N(0, 0.02²).

    Gehring et al. 2017, "Convolutional sequence to sequence learning", section 3.1; as in GPT-2.
    """

    def __init__(self, count: int, width: int, rng: np.random.Generator | None = None) -> None:
        self.weight = Parameter(inits.normal((count, width), inits.as_generator(rng), std=0.02))

    def forward(self, x: Any, start: int = 0) -> Any:
        """Return x plus the rows from ``start`` on; ShapeError MG-534 where there are not as many."""
        _check(x, self.weight.shape[0], start)
        return x + self.weight[start : start + x.shape[-2]]

    def extra_repr(self) -> str:
        """Return the number of positions and the width."""
        count, width = self.weight.shape
        return f"{count}x{width}"


def sinusoids(count: int, width: int, base: float = 10000.0) -> np.ndarray[Any, Any]:
    """PE(t, 2i) = sin(t / base^(2i/width)), PE(t, 2i + 1) = cos of the same: (count, width) of float64.

    Vaswani et al. 2017, "Attention is all you need", section 3.5.
    """
    angles = np.arange(count)[:, None] / base ** (np.arange(0, width, 2) / width)
    table = np.empty((count, width))
    table[:, 0::2] = np.sin(angles)
    table[:, 1::2] = np.cos(angles[:, : width // 2])
    return table


class SinusoidalPositions(Module):
    """x (..., times, width) plus waves of many lengths, see ``sinusoids``: nothing is learned."""

    def __init__(self, count: int, width: int, base: float = 10000.0) -> None:
        self.table = Buffer(sinusoids(count, width, base).astype(default_dtype()))

    def forward(self, x: Any, start: int = 0) -> Any:
        """Return x plus the rows from ``start`` on; ShapeError MG-534 where there are not as many."""
        _check(x, self.table.shape[0], start)
        return x + self.table[start : start + x.shape[-2]].astype(x.dtype)


class RotaryPositions(Module):
    """Turns each pair (x_2i, x_2i+1) of a query or key (..., times, width) by the angle t · base^(-2i/width).

    (x_2i cos - x_2i+1 sin, x_2i sin + x_2i+1 cos): the product of a turned query and a turned key depends on the
    distance of their positions alone. Su et al. 2021, "RoFormer: enhanced Transformer with rotary position embedding",
    eq. 15 and 34. ``width`` is a head's, and even (ConfigError MG-802).
    """

    def __init__(self, width: int, base: float = 10000.0) -> None:
        if width < 2 or width % 2:
            raise ConfigError("MG-802", f"pairs are turned, so the width must be even; it is {width}.")
        self.width, self.base = width, base

    def forward(self, x: Any, start: int = 0) -> Any:
        """Return x turned, for positions from ``start`` on."""
        if x.ndim < 2 or x.shape[-1] != self.width:
            raise ShapeError("MG-101", f"x is {x.shape}; (..., times, {self.width}) is expected.")
        times = np.arange(start, start + x.shape[-2])[:, None]
        angles = times / self.base ** (np.arange(0, self.width, 2) / self.width)
        array = unwrap(x)
        cos, sin = (f(angles).astype(array.dtype) for f in (np.cos, np.sin))
        if type(array) is not np.ndarray:
            cos, sin = (backend.to_device(a, backend.device_of(array)) for a in (cos, sin))
        even, odd = x[..., 0::2], x[..., 1::2]
        return np.reshape(np.stack([even * cos - odd * sin, even * sin + odd * cos], axis=-1), x.shape)

    def extra_repr(self) -> str:
        """Return the width and the base."""
        return f"{self.width}, base {self.base:g}"
