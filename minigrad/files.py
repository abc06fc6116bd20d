"""Files that appear whole or not at all, hold plain data only, and say so clearly when they are damaged."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from minigrad.errors import ConfigError, DataError

_CHECKSUM = "minigrad_crc32"


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; move it into place on success, remove it on an error.

    The content reaches the disk before the name does, so a reader, or a machine that loses its power, sees
    the old file or the new one and never a part.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(
        prefix=f".{target.stem}-partial-", suffix=target.suffix, dir=target.parent
    )
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        os.chmod(temporary, 0o666 & ~_umask())
        with open(temporary, "rb") as written:
            os.fsync(written.fileno())
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def remove_half_written(folder: Path) -> None:
    """Remove what ``atomic_path`` had not finished in ``folder`` when its process was killed."""
    for path in folder.glob(".*-partial-*"):
        path.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary folder beside ``path``; move it into place on success, remove it on an error.

    ``path`` must not exist, or be an empty folder, which is taken away if nothing comes to stand in its place.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}-partial-", dir=target.parent))
    try:
        yield temporary
        os.chmod(temporary, 0o777 & ~_umask())
        with suppress(FileNotFoundError):
            target.rmdir()
        os.rename(temporary, target)
    except BaseException:
        with suppress(OSError):
            target.rmdir()
        raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def atomic_write(path: str | os.PathLike[str], content: bytes | str) -> None:
    """Write ``content`` (text as UTF-8) so that ``path`` holds all of it or is left as it was."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(content.encode() if isinstance(content, str) else content)


def save_arrays(
    path: str | os.PathLike[str],
    arrays: Mapping[str, np.ndarray[Any, Any]],
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write named arrays and text metadata as one safetensors file, with a checksum of all of it.

    PyTorch and every other reader of safetensors can open the file. Equal content gives equal bytes. Raises
    ConfigError MG-802 for the one name that the format keeps for itself.
    """
    from safetensors.numpy import save

    if "__metadata__" in arrays:
        raise ConfigError(
            "MG-802",
            "an array cannot be called '__metadata__': in a safetensors file that is the place of the texts. "
            "Give the parameter another name.",
        )

    whole = {name: np.array(array, order="C", copy=None) for name, array in arrays.items()}
    texts = dict(metadata or {})
    texts[_CHECKSUM] = str(_checksum(whole, texts))
    atomic_write(path, _in_order(save(whole, metadata=texts)))


def load_arrays(path: str | os.PathLike[str]) -> tuple[dict[str, np.ndarray[Any, Any]], dict[str, str]]:
    """Read a safetensors file: its arrays by name, and its metadata.

    Raises DataError MG-711 where the file is missing, is no safetensors file, is cut short, or (for a file
    that ``save_arrays`` wrote) has other bytes than were written.
    """
    from safetensors import SafetensorError, safe_open

    path = Path(path)
    if not path.is_file():
        raise DataError("MG-711", f"there is no weight file {path}. Check the name, or train a run first.")
    try:
        with safe_open(path, framework="numpy") as content:
            metadata = dict(content.metadata() or {})
            arrays = {name: content.get_tensor(name) for name in content.keys()}  # noqa: SIM118 (not a dict)
    except (SafetensorError, OSError, ValueError, TypeError, KeyError, AttributeError, MemoryError) as error:
        raise DataError(
            "MG-711",
            f"{path} is not a readable safetensors file ({error}). It is damaged or of another format: "
            "restore it from a copy, or train again.",
        ) from error
    expected = metadata.pop(_CHECKSUM, None)
    if expected is not None and expected != str(_checksum(arrays, metadata)):
        raise DataError(
            "MG-711",
            f"{path} does not hold the bytes that were written to it (its checksum differs). "
            "It was damaged after it was saved: restore it from a copy, or train again.",
        )
    return arrays, metadata


def _in_order(content: bytes) -> bytes:
    """Sort a safetensors file's metadata, which the library writes in an order that changes from call to call."""
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # the format's alignment
    return len(text).to_bytes(8, "little") + text + content[start:]


def _checksum(arrays: Mapping[str, np.ndarray[Any, Any]], metadata: Mapping[str, str]) -> int:
    total = zlib.crc32(repr(sorted(metadata.items())).encode())
    for name in sorted(arrays):
        array = arrays[name]
        total = zlib.crc32(f"{name}{array.dtype}{array.shape}".encode(), total)
        total = zlib.crc32(np.ascontiguousarray(array).tobytes(), total)
    return total


def read_json(path: str | os.PathLike[str]) -> Any:
    """Read a JSON file; raises DataError MG-712 where it is missing or is not JSON in UTF-8."""
    path = Path(path)
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise DataError("MG-712", f"there is no file {path}. Is the folder really a run?") from error
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(
            "MG-712", f"{path} is not readable JSON ({error}). It was damaged or edited: restore it."
        ) from error


def write_json(path: str | os.PathLike[str], content: Any) -> None:
    """Write ``content`` as indented JSON, whole or not at all."""
    atomic_write(path, json.dumps(content, indent=2) + "\n")
