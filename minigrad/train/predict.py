"""One new sample for a trained network: a picture or a row of numbers, treated like the training data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minigrad import modes, nn
from minigrad.data import scaler_from_state
from minigrad.data.cells import hint, is_missing, is_number
from minigrad.data.pictures import read_colours, read_grey
from minigrad.errors import DataError
from minigrad.ops import softmax
from minigrad.tensor import Tensor
from minigrad.train.network import Network

Floats = NDArray[np.float32]
Numbers = NDArray[np.floating[Any]]
_MNIST_SIDE, _MNIST_MARGIN = 28, 4
_FAINTEST = 0.1


def read_picture(path: Path, network: Network) -> Floats:
    """Read a picture as the network's training pictures are: bright ink on black, 0 to 1, of its shape.

    The picture is made grey. Where its border is bright, as on paper, and something is darker, it is inverted.
    One of exactly the network's size is then taken as it is. Any other is stretched in contrast from its background to
    its darkest ink, cut to the ink, and scaled by averaging pixels, its proportions kept and its mass in the middle.
    The digits reach the edge; MNIST's have a margin of 4 pixels in 28, and so does what is made for 28 pixels and more.

    A picture in colours, for a network that sees them, is scaled to its size and nothing else.

    Returns float32 of shape (height, width), or (height, width, channels). Raises DataError MG-716 where the file is no
    picture, the picture is empty, whatever its size, or the network reads no pictures.
    """
    if network.image_shape is None:
        raise DataError(
            "MG-716", f'this network reads rows of {network.inputs} numbers, not pictures. Use --row "…, …".'
        )
    height, width, *channels = network.image_shape
    if channels:
        colours = read_colours(path, (height, width), channels[0])
        return colours if colours.ndim == 3 else np.stack([colours] * channels[0], axis=-1)
    grey = read_grey(path)
    if grey.max() - grey.min() < _FAINTEST:
        raise DataError(
            "MG-716",
            f"{path} is empty: its brightness goes from {grey.min():.2f} to {grey.max():.2f}, where 0 is black and 1 "
            "white. Ink and paper have to differ by 0.1 at least.",
        )
    border = _border(grey)
    has_darker, has_brighter = border - grey.min() >= _FAINTEST, grey.max() - border >= _FAINTEST
    if (border > 0.5 and has_darker) or not has_brighter:
        grey = (1 - grey).astype(np.float32)
    if grey.shape == (height, width):
        return grey
    return _fit(_cut(grey, path), height, width)


def _border(grey: Floats) -> float:
    return float(np.median(np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])))


def _cut(grey: Floats, path: Path) -> Floats:
    """Stretch the contrast and cut off what is empty around the ink."""
    ink = np.clip(grey - np.float32(_border(grey)), 0, 1)
    if ink.max() < _FAINTEST:
        raise DataError("MG-716", f"{path} is empty: all of it is about as bright as its border.")
    ink = ink / ink.max()
    rows, columns = (np.flatnonzero((ink > 0.15).any(axis=axis)) for axis in (1, 0))
    cut: Floats = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return cut


def _fit(ink: Floats, height: int, width: int) -> Floats:
    """Scale to the largest size that fits inside the margin, into the middle of an empty picture."""
    from PIL import Image

    margin = (
        round(min(height, width) * _MNIST_MARGIN / _MNIST_SIDE) if min(height, width) >= _MNIST_SIDE else 0
    )
    factor = min((height - 2 * margin) / ink.shape[0], (width - 2 * margin) / ink.shape[1])
    rows, columns = (max(1, round(side * factor)) for side in ink.shape)
    small = np.asarray(Image.fromarray(ink).resize((columns, rows), Image.Resampling.BOX))
    fitted = np.zeros((height, width), np.float32)
    top, left = _place(small.sum(axis=1), height), _place(small.sum(axis=0), width)
    fitted[top : top + rows, left : left + columns] = np.clip(small, 0, 1)
    return fitted


def _place(ink: NDArray[Any], side: int) -> int:
    """Where to begin so that the centre of the ink's mass comes into the middle, as in MNIST."""
    centre = float(np.average(np.arange(len(ink)), weights=ink))
    return min(max(round((side - 1) / 2 - centre), 0), side - len(ink))


def read_row(text: str, network: Network) -> Floats:
    """Read numbers separated by commas or blanks, as many as the network has inputs, unscaled.

    A number is spelt as in a table (see ``minigrad.data.load_csv``). Returns float64 of shape (inputs,). Raises
    DataError MG-716 where they are no numbers, not finite, or too many or too few.
    """
    cells = [cell for part in text.split(",") for cell in part.split() or [""]]
    for place, cell in enumerate(cells, 1):
        if not is_number(cell):
            what = (
                "is missing"
                if is_missing(cell)
                else f"is {cell[:60]!r}, which is no number. {hint(cell)}".rstrip()
            )
            raise DataError("MG-716", f"the row is not numbers separated by commas: number {place} {what}")
    row = np.array([float(cell) for cell in cells])
    if len(row) != network.inputs:
        raise DataError(
            "MG-716", f"the network takes {network.inputs} finite numbers; the row has {len(row)}."
        )
    with np.errstate(over="ignore"):
        fits = np.isfinite(_scaled(row, network))[0]
    if not fits.all():
        wrong = int(np.argmin(fits))
        raise DataError(
            "MG-716", f"number {wrong + 1} of the row, {row[wrong]:g}, is too large for the network."
        )
    return row


def _scaled(x: Numbers, network: Network) -> Floats:
    """The sample as training samples are: scaled in the precision that it has, then float32."""
    sample = x.reshape(1, -1)
    if network.scaling is not None:
        sample = scaler_from_state(network.scaling).apply(sample)
    return sample.astype(np.float32)


def predict_one(model: nn.Module, network: Network, x: Numbers) -> NDArray[Any]:
    """Return the probability of each class, or for a regression the outputs, for one sample; shape (outputs,).

    A row goes through the scaling that the training data went through.
    """
    with modes.no_grad():
        outputs = model(Tensor(_scaled(x, network))).numpy()
    found: NDArray[Any] = np.asarray(outputs if network.classes is None else softmax(outputs))[0]
    return found
