"""Where the patches of a convolution lie, so that nobody has to write them out.

Row by row, the matrix of patches P has what each pixel of a result sees of x: (pixels, taps), c·kh·kw taps. It would
take kh·kw / stride² times the memory of x, and holds nothing new: P[pixel, tap] = t[pixels[pixel] + taps[tap]], where t
is a piece of x with the zeros around it, as one long row. So a piece and two short tables stand for a part of P.
"""

from __future__ import annotations

from functools import cache, lru_cache
from math import prod
from typing import Any, NamedTuple

import numpy as np

from minigrad_kernels.conv_loops import inside
from minigrad_kernels.geometry import Geometry, Pair
from minigrad_kernels.launch import Loop
from minigrad_kernels.tiles import Size, Tile, copy_inside

LANES = 0  # of a register, where a loop is compiled; and the helper
copy: Any = None

PIXELS = 240
"""Pixels of a result that are worked on together, or a few more or less."""

TAPS = 288
"""Taps that are worked on together: as many rows of weights, as wide as a tile, lie in the first cache."""

LINE = 16
"""Entries of a line of the cache."""

MARGIN = 16
"""Entries of a table behind its last one, for a tile that reaches over the end."""


class Piece(NamedTuple):
    """So many pictures, rows and columns of a result, and what they see: so many rows and columns of each channel.

    ``plane`` is how far channels are apart in t. ``down`` and ``across`` are how far rows and columns of t are apart in
    x: one pixel, or the stride where the kernel sees a single row, or column.
    """

    pictures: int
    rows: int
    columns: int
    channels: int
    height: int
    width: int
    plane: int
    down: int
    across: int

    @property
    def pixels(self) -> int:
        """How many pixels of the result there are."""
        return self.pictures * self.rows * self.columns

    @property
    def entries(self) -> int:
        """How long t is, with its margin."""
        return self.pictures * self.channels * self.plane + MARGIN

    def needed(self, pictures: int, geometry: Geometry) -> int:
        """How many pieces a whole result needs."""
        of = (pictures, geometry.oh, geometry.ow)
        return prod(-(-n // k) for n, k in zip(of, self, strict=False))


def evenly(length: int, most: int) -> int:
    """How long parts are at most, that are as equal as they can be, and not longer than ``most``."""
    parts = max(1, -(-length // max(1, most)))
    return max(1, -(-length // parts))


@lru_cache(maxsize=256)  # shapes come back every step
def piece_of(pictures: int, channels: int, kernel: Pair, geometry: Geometry) -> Piece:
    """Return how a result is parted."""
    (kh, kw), (oh, ow) = kernel, geometry[6:]
    columns = evenly(ow, PIXELS)
    rows = evenly(oh, PIXELS // columns)
    together = evenly(pictures, PIXELS // (rows * columns)) if (rows, columns) == (oh, ow) else 1
    few = evenly(channels, TAPS // max(1, kh * kw))
    (down, height), (across, width) = (
        (step, count) if k == 1 else (1, max(0, (count - 1) * step + (k - 1) * apart + 1))
        for k, count, step, apart in (
            (kh, rows, geometry.sy, geometry.dy),
            (kw, columns, geometry.sx, geometry.dx),
        )
    )
    lines = (
        -(height * width // -LINE) | 1
    )  # an odd number, so that channels do not fall into the same places of a cache
    return Piece(together, rows, columns, few, height, width, lines * LINE, down, across)


@lru_cache(maxsize=256)
def tables(piece: Piece, kernel: Pair, geometry: Geometry) -> tuple[Any, Any]:
    """Return where pixels and taps lie in t, in order (picture, row, column) and (channel, row, column)."""
    sy, sx = (step // taken for step, taken in ((geometry.sy, piece.down), (geometry.sx, piece.across)))
    pictures, rows, columns = (np.arange(n) for n in piece[:3])
    pixels = np.add.outer(
        pictures * piece.channels * piece.plane, np.add.outer(rows * sy * piece.width, columns * sx)
    )
    channels, i, j = (np.arange(n) for n in (piece.channels, *kernel))
    taps = np.add.outer(channels * piece.plane, np.add.outer(i * geometry.dy * piece.width, j * geometry.dx))
    return np.pad(pixels.ravel(), (0, MARGIN)), np.pad(taps.ravel(), (0, MARGIN))


def lay_loop(
    x: Any, n: int, pictures: int, c: int, channels: int, top: int, left: int, piece: Any, t: Any
) -> None:
    """Write channels c … of pictures n …, from row ``top`` and column ``left`` on, into t; 0 outside of x.

    A row is written by whole registers: what is too much is overwritten by the next one, or lies in t's margin.
    """
    apart, height, width, plane, down, across = piece[3], piece[4], piece[5], piece[6], piece[7], piece[8]
    rows, columns = x.shape[2], x.shape[3]
    flat = x.ravel()
    low, high = inside(left, across, width, columns)
    if left == 0 and width == columns and down * across == 1 and top >= 0 and top + height <= rows:
        high = width = height * width  # one long row
        height = 1
    for k in range(pictures * channels):
        picture, channel = divmod(k, channels)
        start = (picture * apart + channel) * plane
        for i in range(height):
            y = top + i * down
            row = (((n + picture) * x.shape[1] + c + channel) * rows + y) * columns + left
            last = high if 0 <= y < rows else 0
            if across == 1:
                for u in range(0, width, LANES):
                    copy(flat, row + u, low - u, last - u, t, start + i * width + u)
            else:
                for u in range(width):
                    t[start + i * width + u] = flat[row + u * across] if low <= u < last else 0


@cache
def laying(lanes: int) -> Loop:
    """Return ``lay_loop`` for registers of so many numbers: one for all loops that call it, which is compiled once."""
    return Loop(lay_loop, copy=Tile(copy_inside, Size(lanes, lanes, lanes)), LANES=lanes)
