"""Datasets of the user's own in an NPZ file: arrays ``x`` and ``y`` as ``np.savez`` writes them."""

from __future__ import annotations

import io
import os
import zipfile
from math import prod
from pathlib import Path

import numpy as np

from minigrad.data.cells import is_missing
from minigrad.data.dataset import Array, Dataset
from minigrad.data.precision import narrowed
from minigrad.data.unpacking import too_large
from minigrad.errors import DataError, warn

_CHANNELS = (1, 3, 4)


def load_npz(path: str | os.PathLike[str], *, exact: bool = False) -> Dataset:
    """Read an NPZ file with the arrays ``x`` and ``y``, as ``np.savez(path, x=x, y=y)`` writes it.

    ``x`` of shape (n, features) becomes float32 unscaled, or float64 where float32 would round away what tells its
    rows apart, as in ``load_csv``; ``exact`` keeps float64 wherever float32 would round. Of shape (n, height, width) it
    is flattened to (n, height*width) and keeps its ``image_shape``; so is (n, height, width, channels) for 1, 3 or 4
    channels, and (n, channels, height, width), whose channels come last then.

    Whole numbers in ``y`` are class ids (int64), floats are regression targets (float32), and text is sorted into class
    ids; a sample whose text is a missing value is left out, with the warning MG-720. An optional array ``classes``
    holds the classes' names. Nothing is unpickled.

    Raises:
        DataError: MG-703, the file cannot be opened; MG-707, it is damaged, is no NPZ file or lacks ``x`` or
            ``y``; MG-701, the arrays do not fit each other.
    """
    path = Path(path)
    arrays = _read_arrays(path)
    x, y, classes = arrays["x"], arrays["y"], arrays.get("classes")
    names = None if classes is None else tuple(str(name) for name in classes.ravel())
    unlabelled = 0
    if y.dtype.kind == "U" and names is None and x.ndim and y.shape == x.shape[:1]:
        x, y, unlabelled = _with_labels(x, y, path)
        distinct, y = np.unique(y, return_inverse=True)
        names = tuple(str(name) for name in distinct)
    x, image_shape = _pictures(x)
    if image_shape and x.size:
        x = x.reshape(len(x), -1)
    x, y = _features(x, exact), _as_type(y, _target_type(y))
    return Dataset(x, y, names, path.stem, image_shape, unlabelled)


def _pictures(x: Array) -> tuple[Array, tuple[int, ...] | None]:
    """x with its channels last, and what its pictures' shape is; None where they are none."""
    if x.ndim == 4 and x.shape[3] not in _CHANNELS and x.shape[1] in _CHANNELS:
        x = x.transpose(0, 2, 3, 1)
    if x.ndim == 3 or (x.ndim == 4 and x.shape[3] == 1):
        return x, x.shape[1:3]
    return x, x.shape[1:] if x.ndim == 4 and x.shape[3] in _CHANNELS else None


def _with_labels(x: Array, y: Array, path: Path) -> tuple[Array, Array, int]:
    """Leave out the samples whose label is a missing value, as ``load_csv`` does."""
    missing = np.array([is_missing(label) for label in y], bool)
    if not missing.any() or missing.all():
        return x, y, 0
    warn(
        "MG-720",
        f"{path}: {missing.sum()} of {len(y)} samples have no target (y is {str(y[missing.argmax()])!r} at index "
        f"{missing.argmax()}) and were left out. Where that is a class and not a missing value, save ids in y and the "
        "names in classes.",
        path,
    )
    return x[~missing], y[~missing], int(missing.sum())


def _read_arrays(path: Path) -> dict[str, Array]:
    try:
        with zipfile.ZipFile(path) as archive:
            found = [name.removesuffix(".npy") for name in archive.namelist()]
            if not {"x", "y"} <= set(found):
                raise _not_an_npz(
                    path,
                    f"it holds {', '.join(found) or 'no array'}, and x and y are wanted: "
                    "np.savez(path, x=x, y=y).",
                )
            wanted = [name for name in ("x", "y", "classes") if name in found]
            for name in wanted:
                _check_claim(archive, name, path)
            return {name: _read_array(archive, name) for name in wanted}
    except DataError:
        raise
    except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
        raise DataError("MG-703", f"{path} cannot be read: {error.strerror}.") from error
    except Exception as error:  # zipfile, zlib and NumPy raise a dozen types on damaged bytes
        raise _not_an_npz(path, f"it is damaged or no NPZ file ({error}).") from error


def _check_claim(archive: zipfile.ZipFile, name: str, path: Path) -> None:
    """Compare what an array's header announces with what the archive holds, before any of it is unpacked."""
    info = archive.getinfo(f"{name}.npy")
    with archive.open(info) as stream:
        version = np.lib.format.read_magic(stream)
        read_header = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }
        if version not in read_header:
            raise _not_an_npz(
                path, f"{name} is in version {version[0]} of the NPY format, which is not for numbers."
            )
        shape, _, dtype = read_header[version](stream)
        announced, held = prod(shape) * dtype.itemsize, info.file_size - stream.tell()
    if announced != held and not dtype.hasobject:
        raise _not_an_npz(
            path,
            f"{name} is announced as {dtype} of shape {shape}, {announced:,} bytes, and {held:,} follow. "
            "It was damaged: save it again.",
        )
    if reason := too_large(info.file_size, info.compress_size):
        raise _not_an_npz(
            path,
            f"{name} is too large: {reason}. Where it is meant, save less of it, without np.savez_compressed.",
        )


def _read_array(archive: zipfile.ZipFile, name: str) -> Array:
    content = archive.read(f"{name}.npy")  # whole, so that its CRC is checked
    array: Array = np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)
    return array


def _features(x: Array, exact: bool) -> Array:
    if x.ndim < 2 or x.size == 0 or np.can_cast(x.dtype, np.float32):
        return _as_type(x, np.float32)
    return narrowed(x, exact) if x.dtype.kind in "iuf" else x


def _target_type(y: Array) -> type[np.generic]:
    return np.float32 if y.dtype.kind == "f" else np.int64


def _as_type(values: Array, dtype: type[np.generic]) -> Array:
    """Convert numbers; leave anything else for the dataset to refuse by its name."""
    if values.dtype.kind not in "biuf":
        return values
    with np.errstate(over="ignore"):
        return values.astype(dtype, copy=False)


def _not_an_npz(path: Path, problem: str) -> DataError:
    return DataError("MG-707", f"{path}: {problem}")
