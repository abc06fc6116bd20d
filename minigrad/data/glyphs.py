"""Letters of the fonts that matplotlib ships, drawn when they are asked for: data for networks that see pictures.

Some families are to learn from, another one is to be tested on, and every letter lies somewhere else in its picture. So
a network has to find what makes an A an A: pixels that it knows by heart do not help it.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from string import ascii_uppercase

import numpy as np
from numpy.typing import NDArray

from minigrad.data.dataset import Dataset

SIDE = 28
REACH = 5
"""How many pixels a letter lies off the middle, at most, up or down and left or right."""

FAMILIES = {
    "DejaVu": [
        f"DejaVu{kind}{style}.ttf"
        for kind, slanted in (("Sans", "Oblique"), ("SansMono", "Oblique"), ("Serif", "Italic"))
        for style in ("", "-Bold", f"-{slanted}", f"-Bold{slanted}")
    ],
    "STIX": [f"STIXGeneral{style}.ttf" for style in ("", "Bol", "Italic", "BolIta")],
    "Computer Modern": [f"cm{style}10.ttf" for style in ("r", "b", "ss", "tt")],
}
LEARNT, TESTED = ("DejaVu", "STIX"), ("Computer Modern",)
_HEIGHTS = (13, 15, 17)
_COPIES = {True: 3, False: 10}  # of each letter of a font in each height


def load_glyphs(train: bool = True) -> Dataset:
    """Return the 26 capitals as pictures of 28x28 pixels, always the same ones: those of two families, or of a third.

    ``x`` is float32 (n, 784) from 0, paper, to 1, ink; ``y`` int64 (n,). 3,744 letters of DejaVu and STIX in 16 styles
    to train on, 3,120 of Computer Modern in 4 styles to test with, 13, 15 and 17 pixels high and up to 5 pixels off the
    middle. What they look like is matplotlib's and FreeType's: other versions may draw some pixels otherwise.
    """
    rng = np.random.default_rng([0, train])
    files = [file for family in (LEARNT if train else TESTED) for file in FAMILIES[family]]
    letters = [
        (k, shape)
        for file in files
        for height in _HEIGHTS
        for k, shape in enumerate(drawn(file, height))
        for _ in range(_COPIES[train])
    ]
    x = np.zeros((len(letters), SIDE, SIDE), np.float32)
    for picture, (_, shape), off in zip(
        x, letters, rng.integers(-REACH, REACH + 1, (len(letters), 2)), strict=True
    ):
        top, left = (
            min(max((SIDE - n) // 2 + d, 0), SIDE - n) for n, d in zip(shape.shape, off, strict=True)
        )
        picture[top : top + shape.shape[0], left : left + shape.shape[1]] = shape
    y = np.array([k for k, _ in letters], np.int64)
    return Dataset(x.reshape(len(x), -1), y, tuple(ascii_uppercase), "glyphs", (SIDE, SIDE))


@cache
def drawn(file: str, height: int) -> list[NDArray[np.float32]]:
    """Return the capitals of a font, each cut to its ink, from 0 to 1, where an H is about ``height`` pixels high."""
    import matplotlib
    from matplotlib.ft2font import FT2Font

    font = FT2Font(str(Path(matplotlib.get_data_path(), "fonts", "ttf", file)))
    font.set_size(64, 72)
    font.set_size(64 * height / len(_ink(font, "H")), 72)
    return [(_ink(font, letter)[:SIDE, :SIDE] / 255).astype(np.float32) for letter in ascii_uppercase]


def _ink(font: object, letter: str) -> NDArray[np.uint8]:
    font.set_text(letter)  # type: ignore[attr-defined]
    font.draw_glyphs_to_bitmap()  # type: ignore[attr-defined]
    image: NDArray[np.uint8] = np.asarray(font.get_image())  # type: ignore[attr-defined]
    rows, columns = (np.flatnonzero(image.any(axis=axis)) for axis in (1, 0))
    return image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
