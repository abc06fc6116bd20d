"""MNIST: 70,000 handwritten digits of 28x28 pixels, found on this machine or downloaded once."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np

from minigrad.data.dataset import Array, Dataset
from minigrad.data.idx import read_idx
from minigrad.errors import ConfigError, DataError

MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
"""Where the four files are published, tried in this order."""


class _Sha256(NamedTuple):
    packed: str  # of the .gz file as the mirrors serve it
    content: str  # of the unpacked bytes, the same however somebody's own copy was compressed


_FILES = {
    "train-images-idx3-ubyte.gz": _Sha256(
        packed="440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        content="ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    ),
    "train-labels-idx1-ubyte.gz": _Sha256(
        packed="3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        content="65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    ),
    "t10k-images-idx3-ubyte.gz": _Sha256(
        packed="8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        content="0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    ),
    "t10k-labels-idx1-ubyte.gz": _Sha256(
        packed="f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        content="ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
}


def load_mnist(*, train: bool = True, folder: str | os.PathLike[str] | None = None) -> Dataset:
    """Return MNIST's 60,000 training digits, or its 10,000 test digits with ``train=False``.

    ``x`` is float32 of shape (n, 784): the raw pixel values 0..255 divided by 255, so 0..1. ``y`` is int64
    of shape (n,), the digit.

    Each IDX file is looked for in ``$MINIGRAD_DATA`` (in its folder ``mnist``, then in itself), then in the
    user's cache, and is then downloaded into the cache. With ``folder`` given, only there. Its SHA-256 is
    checked wherever it was found. A damaged file in the cache is downloaded again; one of the user's own is
    reported and left alone.

    Raises:
        ConfigError: MG-802, ``train`` is neither True nor False.
        DataError: MG-703, a file is not in ``folder`` or cannot be opened; MG-704, no mirror can be
            reached; MG-705, a file or a download is cut short; MG-706, a file or a download has the wrong
            checksum; MG-702, a file is not IDX.

    Source: Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, Gradient-based learning applied to document
    recognition, Proc. IEEE 86(11), 1998.
    """
    if not isinstance(train, bool):
        raise ConfigError("MG-802", f"load_mnist(train={train!r}): it is True, or False for the test digits.")
    part = "train" if train else "t10k"
    pixels = _read(f"{part}-images-idx3-ubyte.gz", folder)
    digits = _read(f"{part}-labels-idx1-ubyte.gz", folder)
    return Dataset(
        x=np.divide(pixels.reshape(len(pixels), -1), 255, dtype=np.float32),
        y=digits.astype(np.int64),
        classes=tuple("0123456789"),
        name="mnist" if train else "mnist-test",
        image_shape=(pixels.shape[1], pixels.shape[2]),
    )


def _read(name: str, folder: str | os.PathLike[str] | None) -> Array:
    own = folder or os.environ.get("MINIGRAD_DATA")
    if own and (path := _find(name, Path(own).expanduser())):
        try:
            return read_idx(path, _FILES[name].content)
        except DataError as error:
            raise DataError(error.code, f"{error.message} {_advice(name)}") from error
    if folder is not None:
        raise DataError("MG-703", f"there is no file {name} in {folder}. {_advice(name)}")
    return _read_cached(name)


def _find(name: str, folder: Path) -> Path | None:
    return next((path for path in (folder / "mnist" / name, folder / name) if path.exists()), None)


def _read_cached(name: str) -> Array:
    import pooch

    cache = Path(pooch.os_cache("minigrad")) / "mnist"
    try:
        return read_idx(cache / name, _FILES[name].content)
    except DataError:
        return read_idx(_download(name, cache), _FILES[name].content)


def _download(name: str, cache: Path) -> Path:
    """Fetch a file from the first mirror that has it; it appears in the cache whole or not at all."""
    import pooch

    failures = []
    for mirror in MIRRORS:
        try:
            return Path(pooch.retrieve(mirror + name, f"sha256:{_FILES[name].packed}", name, cache))
        except (OSError, ValueError) as error:
            failures.append(_failure(mirror, error))
    # The codes grow with how far a download got: the furthest one says most about what is wrong.
    code = max(code for code, _ in failures)
    reasons = "; ".join(reason for _, reason in failures)
    raise DataError(code, f"MNIST's {name} could not be downloaded: {reasons}. {_advice(name)}")


def _failure(mirror: str, error: Exception) -> tuple[str, str]:
    from requests import exceptions

    match error:
        case exceptions.ChunkedEncodingError():
            return "MG-705", f"{mirror} broke off before the end of the file"
        case exceptions.Timeout():
            return "MG-704", f"{mirror} did not answer in time"
        case exceptions.ConnectionError():
            return "MG-704", f"{mirror} cannot be reached (is there a network?)"
        case ValueError() if "hash" in str(error):
            return "MG-706", f"{mirror} sent a file with the wrong SHA-256, which was thrown away"
    return "MG-704", f"{mirror}: {type(error).__name__}: {error}"


def _advice(name: str) -> str:
    return (
        f"With a copy of {name} and its three companions at hand, put them into a folder and set "
        "MINIGRAD_DATA=FOLDER; without one, minigrad.data.load_digits() needs no network."
    )
