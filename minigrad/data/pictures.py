"""A picture file as grey values from 0 (black) to 1 (white), by one rule for every kind of file.

What is white is said by the file's kind and never by the brightest of its pixels: 255 of 8 bits, 4095 of 12, 65535 of
16, 1 of floats. What is transparent is white paper.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minigrad.errors import DataError

_FILMS = {"AVIF", "GIF", "PNG", "TIFF", "WEBP"}  # other kinds keep previews or layers beside the picture
_BITS, _PHOTOMETRIC, _BLACK_IS_LARGEST = 258, 262, 0
_ROUNDING = 1e-3


def read_colours(path: Path, size: tuple[int, int], channels: int) -> NDArray[np.float32]:
    """Read a picture, upright, scaled to (height, width), as float32 (height, width, channels) from 0 to 1.

    There are 3 channels, of a picture on white paper, or 4 with its opacity. Raises DataError MG-716 as ``read_grey``.
    """
    from PIL import Image

    def converted(picture: Any) -> Any:
        mode = "RGBA" if channels == 4 else "RGB"
        flat = _flat(picture, mode)
        return (flat if flat.mode == mode else flat.convert("F")).resize(size[::-1], Image.Resampling.BOX)

    return _read(path, converted)


def read_grey(path: Path) -> NDArray[np.float32]:
    """Read a picture, upright, as float32 of shape (height, width) from 0 to 1.

    Raises DataError MG-716 where there is no such file, it is damaged or no picture, is a film or larger than 89
    million pixels, its floats are not finite or lie outside 0..1, or it has 32-bit whole numbers, for which there is no
    white.
    """
    return _read(path, _flat)


def _read(path: Path, converted: Callable[[Any], Any]) -> NDArray[np.float32]:
    """Read a picture upright and converted, as float32 from 0 to 1."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what Pillow says of odd palettes and Exif data
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as picture:
                _check_single(picture, path)
                white, inverted = _scale(picture, path)
                upright = ImageOps.exif_transpose(picture)
                pixels = np.asarray(converted(upright), np.float32)
    except DataError:
        raise
    except FileNotFoundError as error:
        raise DataError("MG-716", f"there is no picture {path}.") from error
    except UnidentifiedImageError as error:
        raise DataError(
            "MG-716", f"{path} is not a picture that can be read, such as a PNG or a JPEG."
        ) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise DataError(
            "MG-716", f"{path} claims more than {Image.MAX_IMAGE_PIXELS:,} pixels. Save a smaller picture."
        ) from error
    except Exception as error:  # Pillow raises a dozen types on damaged files
        raise DataError("MG-716", f"{path} cannot be read as a picture: {error}.") from error
    if white == 1:
        _check_floats(pixels, path)
    grey: NDArray[np.float32] = np.clip(pixels / np.float32(white), 0, 1)
    return np.float32(1) - grey if inverted else grey


def _check_single(picture: Any, path: Path) -> None:
    count = getattr(picture, "n_frames", 1)
    if count > 1 and picture.format in _FILMS:
        raise DataError(
            "MG-716", f"{path} holds {count} pictures, and one is read at a time. Save the one that is meant."
        )


def _scale(picture: Any, path: Path) -> tuple[int, bool]:
    """The value of white, and whether it is really black's."""
    tags = getattr(picture, "tag_v2", {})
    if not picture.mode.startswith(("I", "F")):
        return 255, False
    inverted = tags.get(_PHOTOMETRIC) == _BLACK_IS_LARGEST
    if picture.mode == "F":
        return 1, inverted
    if picture.mode == "I" and picture.format not in ("PNG", "PPM"):  # of which Pillow makes 32 bits of 16
        raise DataError(
            "MG-716",
            f"{path} has signed or 32-bit whole numbers as pixels, and how bright they are is said nowhere. Save it "
            "with 8 or 16 bits.",
        )
    bits = tags.get(_BITS, (16,))
    return 2 ** int(bits[0]) - 1, inverted


def _flat(picture: Any, mode: str = "L") -> Any:
    """In one channel, or in colours, on white paper; 16 bits and floats, which ``convert`` would cut off, have one."""
    from PIL import Image

    if picture.mode.startswith(("I", "F")):
        return picture
    if mode == "RGBA":
        return picture.convert(mode)
    opaque = {"La": "LA", "RGBa": "RGBA"}.get(picture.mode)
    picture = picture.convert(opaque) if opaque else picture
    if picture.mode not in ("LA", "PA", "RGBA") and "transparency" not in picture.info:
        return picture.convert("RGB").convert(mode)
    paper = Image.new("RGBA", picture.size, "white")
    paper.alpha_composite(picture.convert("RGBA"))
    return paper.convert(mode)


def _check_floats(pixels: NDArray[np.float32], path: Path) -> None:
    wrong = np.argwhere(~np.isfinite(pixels))
    if len(wrong):
        row, column = wrong[0]
        raise DataError(
            "MG-716",
            f"{path}: the pixel in row {row}, column {column} is {pixels[row, column]}, and {len(wrong) - 1} more are "
            "not finite. Fill them in first.",
        )
    low, high = float(pixels.min()), float(pixels.max())
    if low < -_ROUNDING or high > 1 + _ROUNDING:
        raise DataError(
            "MG-716",
            f"{path}: its pixels go from {low:g} to {high:g}, and of a picture in floats 0 is black and 1 is white. "
            "Bring them into this range first.",
        )
