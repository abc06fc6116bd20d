"""Augmentation of pictures (D0 section 3.1): small random changes that leave the class as it is.

A transform is a function ``(x, rng) -> x`` on a batch: ``x`` of floats, shape (n, height*width) or
(n, height, width), in colours (n, height, width, channels), comes back in the same shape and dtype as a
new array. The whole batch is changed at once, each picture by its own draw. What comes into view from
outside a picture is 0, black.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from minigrad.data.dataset import Array
from minigrad.errors import DataError

Transform: TypeAlias = Callable[[Array, np.random.Generator], Array]
"""A function of a batch and a generator that returns the changed batch."""


@dataclass(frozen=True)
class Shift:
    """Move each picture by whole pixels, drawn uniformly from -pixels..pixels for each axis."""

    image_shape: tuple[int, ...]
    pixels: int = 1

    def __call__(self, x: Array, rng: np.random.Generator) -> Array:
        """Draw a shift for each picture of the batch ``x`` and carry them out."""
        down, right = rng.integers(-self.pixels, self.pixels, (2, len(x)), endpoint=True)
        return shift_images(_as_images(x, self.image_shape), down, right).reshape(x.shape)


@dataclass(frozen=True)
class Rotate:
    """Turn each picture about its middle by an angle drawn uniformly from -degrees..degrees."""

    image_shape: tuple[int, ...]
    degrees: float = 10.0

    def __call__(self, x: Array, rng: np.random.Generator) -> Array:
        """Draw an angle for each picture of the batch ``x`` and turn them."""
        angles = rng.uniform(-self.degrees, self.degrees, len(x))
        return rotate_images(_as_images(x, self.image_shape), angles).reshape(x.shape)


@dataclass(frozen=True)
class Noise:
    """Add Gaussian noise of this standard deviation, in the units of x; the sum is not clipped."""

    deviation: float = 0.05

    def __call__(self, x: Array, rng: np.random.Generator) -> Array:
        """Draw noise for the batch ``x``, of any shape, and add it."""
        _check_floats(x)
        noise = rng.standard_normal(x.shape).astype(x.dtype, copy=False)
        noise *= x.dtype.type(self.deviation)
        noise += x
        return noise


@dataclass(frozen=True)
class Compose:
    """Apply transforms one after the other."""

    transforms: tuple[Transform, ...]

    def __call__(self, x: Array, rng: np.random.Generator) -> Array:
        """Apply the transforms to the batch ``x`` in their order."""
        for transform in self.transforms:
            x = transform(x, rng)
        return x


def shift_images(images: Array, down: NDArray[np.integer[Any]], right: NDArray[np.integer[Any]]) -> Array:
    """Move ``images`` (n, height, width, …) by whole pixels ``down`` and ``right``, each of shape (n,)."""
    height, width = images.shape[1:3]
    border = int(max(np.abs(down).max(initial=0), np.abs(right).max(initial=0)))
    padded = np.pad(images, ((0, 0), (border, border), (border, border), *((0, 0),) * (images.ndim - 3)))
    rows = np.arange(height) + border - down[:, None]
    columns = np.arange(width) + border - right[:, None]
    picture = np.arange(len(images))[:, None, None]
    moved: Array = padded[picture, rows[:, :, None], columns[:, None, :]]
    return moved


def rotate_images(images: Array, degrees: NDArray[np.floating[Any]]) -> Array:
    """Turn ``images`` (n, height, width, …) counter-clockwise about their middle by ``degrees``, shape (n,).

    Each pixel is read, by bilinear interpolation, from where the turn brought it from:
    row = row' cos a + column' sin a, column = column' cos a - row' sin a, measured from the middle.
    """
    if images.ndim > 3:
        channels = [rotate_images(images[..., k], degrees) for k in range(images.shape[3])]
        return np.stack(channels, axis=-1)
    _, height, width = images.shape
    angle = np.deg2rad(degrees)[:, None, None]
    middle_row, middle_column = (height - 1) / 2, (width - 1) / 2
    row = np.arange(height)[:, None] - middle_row
    column = np.arange(width)[None, :] - middle_column
    cos, sin = np.cos(angle), np.sin(angle)
    return _read_between(
        images, row * cos + column * sin + middle_row, column * cos - row * sin + middle_column
    )


def _read_between(images: Array, row: NDArray[np.float64], column: NDArray[np.float64]) -> Array:
    """Interpolate each image at its own fractional places, shapes (n, height, width); outside is 0."""
    count, height, width = images.shape
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    row = np.clip(row + 1, 0, height + 1)
    column = np.clip(column + 1, 0, width + 1)
    top = np.minimum(row.astype(np.intp), height)
    left = np.minimum(column.astype(np.intp), width)
    below = (row - top).astype(images.dtype)
    beside = (column - left).astype(images.dtype)
    line = width + 2
    place = np.arange(count)[:, None, None] * (height + 2) * line + top * line + left
    upper = padded.take(place) * (1 - beside) + padded.take(place + 1) * beside
    lower = padded.take(place + line) * (1 - beside) + padded.take(place + line + 1) * beside
    between: Array = upper * (1 - below) + lower * below
    return between


def _as_images(x: Array, image_shape: tuple[int, ...]) -> Array:
    _check_floats(x)
    if prod(x.shape[1:]) != prod(image_shape):
        raise DataError(
            "MG-709",
            f"images of {'x'.join(map(str, image_shape))} have {prod(image_shape)} values; x is {x.shape}. "
            "Pass the dataset's image_shape.",
        )
    return x.reshape(len(x), *image_shape)


def _check_floats(x: Array) -> None:
    if x.dtype.kind != "f":
        raise DataError("MG-709", f"x is {x.dtype}; augmentation needs floats: x.astype('float32').")
