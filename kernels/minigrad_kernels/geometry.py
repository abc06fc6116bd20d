"""Where the windows of a convolution lie: sizes, and the pixels that a gradient comes back to."""

from __future__ import annotations

from math import gcd
from typing import Any, NamedTuple

Pair = tuple[int, int]
Sides = tuple[Pair, Pair]

ONCE: Pair = (1, 1)
UNPADDED: Sides = ((0, 0), (0, 0))


class Geometry(NamedTuple):
    """Pixel (p, q) of a result sees x[p·sy + i·dy - top, q·sx + j·dx - left]; there are oh by ow of them."""

    sy: int
    sx: int
    dy: int
    dx: int
    top: int
    left: int
    oh: int
    ow: int


def geometry_of(size: Any, stride: Pair, padding: Sides, dilation: Pair) -> Geometry:
    """Return the geometry of a result of this size."""
    return Geometry(*stride, *dilation, padding[0][0], padding[1][0], *size)


def output_length(length: int, kernel: int, stride: int, padding: Pair, dilation: int) -> int:
    """Return (length + before + behind - dilation (kernel - 1) - 1) / stride + 1, rounded down."""
    return (length + sum(padding) - dilation * (kernel - 1) - 1) // stride + 1


def input_length(length: int, kernel: int, stride: int, padding: Pair, dilation: int, added: int = 0) -> int:
    """Return (length - 1) stride - before - behind + dilation (kernel - 1) + 1 + added."""
    return (length - 1) * stride - sum(padding) + dilation * (kernel - 1) + 1 + added


class Phase(NamedTuple):
    """Of one axis of x every stride-th pixel from ``first`` on: its gradient is a convolution of g with some taps."""

    first: int
    results: int
    taps: int
    taken: slice
    """Which taps, the last one first."""
    dilation: int
    before: int
    """How far before pixel 0 of g the first tap falls."""


def phases(length: int, kernel: int, stride: int, before: int, dilation: int) -> list[Phase]:
    """Return the phases of an axis. Pixel y meets tap i where stride divides y + before - i·dilation.

    So y's place modulo the stride decides which taps it meets, and among these the entries of g lie next to each
    other, or ``dilation`` / gcd(stride, dilation) apart: no multiplication by one of the zeros between g's entries.
    """
    common = gcd(stride, dilation)
    step = stride // common
    found = []
    for first in range(min(stride, length)):
        taps = [i for i in range(kernel) if (first + before - i * dilation) % stride == 0]
        count = (length - first + stride - 1) // stride
        if not taps:
            found.append(Phase(first, count, 0, slice(0), 1, 0))
            continue
        apart = dilation // common
        nearest = (first + before - taps[0] * dilation) // stride
        stop = taps[0] - step
        found.append(
            Phase(
                first,
                count,
                len(taps),
                slice(taps[-1], stop if stop >= 0 else None, -step),
                apart,
                (len(taps) - 1) * apart - nearest,
            )
        )
    return found


def bound(x: tuple[int, ...], w: tuple[int, ...], groups: int) -> None:
    """Raise ValueError where the channels of x and of the weights do not fit, before a kernel reads past an end."""
    if x[1] != w[1] * groups or w[0] % groups:
        raise ValueError(f"x is {x} and the weights {w} in {groups} groups")
