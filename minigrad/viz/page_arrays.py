"""Arrays on a page: numbers as text, a small heat map as PNG, and the entries themselves as base64."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from typing import Any

import numpy as np

from minigrad.viz.numbers import show
from minigrad.viz.palette import ABOVE, BELOW, rgb
from minigrad.viz.trace import Host

_MOST_ROWS, _MOST_COLUMNS = 24, 48


def brief(array: Host, most: int = 25) -> str:
    """Return a whole array where it is short, else its smallest and largest entry: ``−0.31 … 0.8``."""
    if array.size == 0:
        return "no entries"
    if array.size <= 6:
        text = _nested(array)
        if len(text) <= most:
            return text
    low, high = show(array.min()), show(array.max())
    return f"all {low}" if low == high else f"{low} … {high}"


def _nested(array: Host) -> str:
    if array.ndim == 0:
        return show(array)
    return "[" + ", ".join(_nested(np.asarray(part)) for part in array) + "]"


def shape_text(shape: tuple[int, ...]) -> str:
    """Return ``scalar`` or ``32×784``."""
    return "×".join(map(str, shape)) if shape else "scalar"


def heat(array: Host) -> str:
    """Return a heat map as a PNG data URI: orange above 0, blue below, clear at 0, so it suits any background.

    Large arrays are drawn in blocks, each with its entry farthest from 0. A vector is one row.
    """
    from PIL import Image

    grid = array.reshape(-1, array.shape[-1]) if array.ndim else array.reshape(1, 1)
    grid = _shrunk(_shrunk(grid.astype(np.float64), 0, _MOST_ROWS), 1, _MOST_COLUMNS)
    largest = np.abs(grid).max(initial=0.0, where=np.isfinite(grid)) or 1.0
    grid = np.clip(np.nan_to_num(grid), -largest, largest)
    pixels = np.zeros((*grid.shape, 4), np.uint8)
    pixels[..., :3] = np.where(grid[..., None] >= 0, rgb(ABOVE), rgb(BELOW))
    pixels[..., 3] = np.round(255 * np.abs(grid) / largest)
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "PNG")
    return "data:image/png;base64," + base64.b64encode(content.getvalue()).decode()


def _shrunk(grid: Host, axis: int, most: int) -> Host:
    """Keep ``most`` blocks along an axis: of each column in a block the entry farthest from 0."""
    if grid.shape[axis] <= most:
        return grid
    starts = np.linspace(0, grid.shape[axis], most, endpoint=False).astype(int)
    high, low = np.maximum.reduceat(grid, starts, axis), np.minimum.reduceat(grid, starts, axis)
    return np.asarray(np.where(high >= -low, high, low))


class Store:
    """The arrays of a page, each once, with their entries as long as the budget of characters lasts."""

    def __init__(self, budget: int, names: Mapping[int, str] | None = None) -> None:
        self.left, self._names = budget, names or {}
        self.arrays: list[dict[str, Any]] = []
        self._hosts: list[Host] = []
        self._known: dict[tuple[Any, ...], int] = {}

    def add(self, array: Host) -> int:
        """Enter an array and return its number; what was entered before keeps its number.

        Arrays with one content are one, unless they are different values of the step's program.
        """
        content = np.ascontiguousarray(array)
        name = self._names.get(id(array))
        key = (content.shape, content.dtype.str, content.tobytes())
        k = self._known.get((*key, name))
        if k is None:
            k = self._known[*key, name] = len(self.arrays)
            made = _described(array)
            if name is not None:
                made["live"] = name
            if (first := self._known.setdefault(key, k)) != k:
                made["same"] = first
            self.arrays.append(made)
            self._hosts.append(array)
        return k

    def named(self, array: Host) -> dict[str, str]:
        """Return which of the program's values an array is, where it is one."""
        name = self._names.get(id(array))
        return {} if name is None else {"live": name}

    def has(self, k: int) -> bool:
        """Tell whether all entries of an array are on the page."""
        made = self.arrays[self.arrays[k].get("same", k)]
        return "data" in made or "all" in made or self._hosts[k].size == 0

    def fill(self, order: list[int], *, exact: bool = False) -> None:
        """Put in the entries of these arrays, most wanted first; what does not fit any more is left out.

        Large arrays in double precision are rounded, unless they shall be ``exact``.
        """
        for k in (self.arrays[each].get("same", each) for each in order):
            made, array = self.arrays[k], self._hosts[k]
            if "data" in made or "all" in made or array.size == 0:
                continue
            wide = array.dtype.kind != "f" or (array.dtype.itemsize > 4 and (exact or array.size <= 1000))
            content = array.astype("<f8" if wide else "<f4").tobytes()
            if len(content) * 4 // 3 + 4 <= self.left:
                made["data"], made["wide"] = base64.b64encode(content).decode(), wide
                self.left -= len(made["data"])


def _described(array: Host) -> dict[str, Any]:
    if array.size == 0:
        return {"shape": list(array.shape), "stats": []}
    numbers = array.astype(np.float64)
    made: dict[str, Any] = {
        "shape": list(array.shape),
        "double": array.dtype != np.float32,
        "stats": [show(numbers.min()), show(numbers.mean()), show(numbers.max())],
    }
    first = numbers.flat[0]
    if np.isfinite(first) and bool(np.all(numbers == first)):
        made["all"] = float(first)
    return made
