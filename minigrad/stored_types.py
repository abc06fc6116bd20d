"""The number types of safetensors files: which of them NumPy has, and what becomes of the others."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from minigrad.errors import DataError, warn

Array = np.ndarray[Any, Any]

_NUMPY = {
    "F64": "float64", "F32": "float32", "F16": "float16", "C64": "complex64", "BOOL": "bool",
    "I64": "int64", "I32": "int32", "I16": "int16", "I8": "int8",
    "U64": "uint64", "U32": "uint32", "U16": "uint16", "U8": "uint8",
}  # fmt: skip
_BFLOAT16 = "BF16"
_OTHERS = re.compile(r"F[0-9]{1,2}_[A-Z0-9]+|[FIU]4|F128|C128")
"""The types that some other array library has; a word beside these is a damaged header."""


_FORMATS = {
    b"PK\x03\x04": "a ZIP archive, as torch.save and np.savez write them",
    b"\x80\x02\x8a\n": "a pickle, as old versions of torch.save wrote them",
    b"\x89HDF": "HDF5, as Keras writes it",
    b"GGUF": "GGUF, as llama.cpp reads it",
}


def other_format(path: Path) -> str:
    """Say what a file is by its first bytes, where it is of another format that weights come in."""
    with suppress(OSError), path.open("rb") as file:
        begin = file.read(4)
        if begin in _FORMATS:
            return (
                f"It is {_FORMATS[begin]}. Save the weights as safetensors where they were made: "
                "safetensors.torch.save_file(model.state_dict(), path)."
            )
    return "It is damaged or of another format: restore it from a copy, or train again."


class Stored:
    """What the header of a safetensors file says of its arrays; empty where it cannot be read.

    Raises DataError MG-718 for an array of a type that NumPy does not have, bfloat16 aside.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._arrays, self._begin = _header(path)
        others = {name: kind for name, kind in self._kinds() if _OTHERS.fullmatch(kind)}
        if others:
            name, kind = next(iter(others.items()))
            more = f" and {len(others) - 1} more" if len(others) > 1 else ""
            raise DataError(
                "MG-718",
                f"{name}{more} in {path}: NumPy does not have the type {kind}. Convert the file where it was made, in "
                "PyTorch: save_file({name: t.float() for name, t in load_file(path).items()}, new_path).",
            )

    def _kinds(self) -> list[tuple[str, str]]:
        return [(name, str(about.get("dtype"))) for name, about in self._arrays.items()]

    @property
    def widened(self) -> list[str]:
        """The names of the arrays in bfloat16, which ``widen`` reads."""
        return [name for name, kind in self._kinds() if kind == _BFLOAT16]

    def widen(self, name: str) -> Array:
        """Read an array of bfloat16 as float32: a bfloat16 is the upper half of a float32, so nothing is rounded."""
        about = self._arrays[name]
        shape, (start, stop) = about["shape"], about["data_offsets"]
        with self._path.open("rb") as file:
            file.seek(self._begin + start)
            upper = np.frombuffer(file.read(stop - start), "<u2").astype(np.uint32)
        return (upper << 16).view(np.float32).reshape(shape)

    def tell(self) -> None:
        """Warn MG-719 where there is bfloat16."""
        names = self.widened
        if names:
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            warn(
                "MG-719",
                f"{names[0]}{more} in {self._path} were saved in bfloat16, which NumPy does not have, and are read as "
                "float32. No value changes, but what is saved here takes twice the space.",
                self._path,
            )


def _header(path: Path) -> tuple[dict[str, dict[str, Any]], int]:
    """What is said of each array, and where the arrays begin; safetensors itself judges whether it fits the file."""
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(length if length < path.stat().st_size else 0))
    except (OSError, ValueError, RecursionError):
        return {}, 0
    if not isinstance(header, dict):
        return {}, 0
    arrays = {name: about for name, about in header.items() if name != "__metadata__"}
    is_plain = all(isinstance(about, dict) for about in arrays.values())
    return (arrays, 8 + length) if is_plain else ({}, 0)


def storable(arrays: Mapping[str, Array]) -> dict[str, Array]:
    """Return the arrays as a safetensors file takes them: dense, in C order and in the machine's byte order.

    Raises DataError MG-718, with its name, for an array that would not come back as it is.
    """
    return {name: _storable(name, array) for name, array in arrays.items()}


def _storable(name: str, array: Array) -> Array:
    if name == "__metadata__":
        raise DataError(
            "MG-718", f"{name} is the format's own word and no name for an array. Give it another."
        )
    if isinstance(array, np.ma.MaskedArray):
        raise DataError(
            "MG-718",
            f"{name} is a masked array, and a file keeps no mask. Save {name}.filled(0), or the mask too.",
        )
    whole = np.array(array, order="C", copy=None)
    if whole.dtype.name not in _NUMPY.values():
        wide = {"f": "float64", "c": "complex64"}.get(whole.dtype.kind)
        fix = f"Save {name}.astype({wide!r})" if wide else "Save numbers"
        raise DataError(
            "MG-718",
            f"{name} is of the type {whole.dtype}, which safetensors files do not have. {fix}, which is one of "
            f"{', '.join(_NUMPY.values())}.",
        )
    return whole.astype(whole.dtype.newbyteorder("="), copy=False)
