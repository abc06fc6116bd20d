"""Files that appear whole or not at all, hold plain data only, and say so clearly when they are damaged."""

from __future__ import annotations

import errno
import json
import os
import shutil
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from minigrad.claims import check_claims, claimed, lock, make_folder, refused, remove_half_written
from minigrad.errors import ConfigError, DataError, MinigradError
from minigrad.stored_types import Stored, other_format, storable

_CHECKSUM = "minigrad_crc32"


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; move it into place on success, remove it on an error.

    The content reaches the disk before the name does, so a reader, or a machine that loses its power, sees
    the old file or the new one and never a part. A link stays, and the file that it leads to is written.

    Raises FileError MG-807 where the system does not let it be written, MG-808 where its folder was claimed by this
    process and is gone, and ConfigError MG-804 where something else than a file or a folder is in the way.
    """
    make_folder(Path(path).parent)
    target = Path(os.path.realpath(path))
    check_claims(target)
    if os.path.exists(target) and not os.path.isfile(target):
        raise refused(path, OSError(errno.EISDIR, "") if target.is_dir() else _NO_FILE)
    begins = f".{target.stem[:_LONGEST]}-partial-"
    remove_half_written(target.parent, begins)
    try:
        handle, temporary = _partial(target, begins)
        try:
            yield temporary
            os.chmod(temporary, 0o666 & ~_umask())
            with open(temporary, "rb") as written:
                os.fsync(written.fileno())
            check_claims(target)
            os.replace(temporary, target)
        finally:
            os.close(handle)
            temporary.unlink(missing_ok=True)
    except MinigradError:
        raise
    except OSError as error:
        check_claims(target)
        raise refused(path, error) from error


_LONGEST = 40
"""So many characters of a name go into that of its temporary file, which may not be too long either."""
_NO_FILE = OSError(0, "what stands there is neither a file nor a folder, and would be lost")


def _partial(target: Path, begins: str) -> tuple[int, Path]:
    """Make a temporary file and return it, locked, so that nobody takes it for one that a dead process left."""
    while True:
        handle, name = tempfile.mkstemp(prefix=begins, suffix=target.suffix[:_LONGEST], dir=target.parent)
        lock(handle)
        if os.path.exists(name):
            return handle, Path(name)
        os.close(handle)


@contextmanager
def atomic_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary folder beside ``path``; move it into place on success, remove it on an error.

    ``path`` must not exist, or be an empty folder, which is taken away if nothing comes to stand in its place. It is
    claimed in the meantime, and what killed processes left beside it is removed.

    Raises FileError MG-807 where it cannot be written, MG-808 where one of the two folders is gone, and what
    ``claimed`` raises.
    """
    target = Path(path)
    with claimed(target) as claim:
        try:
            remove_half_written(target.parent)
            begins = f".{target.name[:_LONGEST]}-partial-"
            temporary = Path(tempfile.mkdtemp(prefix=begins, dir=target.parent))
            try:
                with claimed(temporary):
                    yield temporary
                    check_claims(temporary)
                os.chmod(temporary, 0o777 & ~_umask())
                check_claims(target)
                claim.release()
                os.replace(temporary, target)
            finally:
                shutil.rmtree(temporary, ignore_errors=True)
        except MinigradError:
            raise
        except OSError as error:
            raise refused(target, error) from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def atomic_write(path: str | os.PathLike[str], content: bytes | str) -> None:
    """Write ``content`` (text as UTF-8) so that ``path`` holds all of it or is left as it was."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(
            content.encode(errors="backslashreplace") if isinstance(content, str) else content
        )


def save_arrays(
    path: str | os.PathLike[str],
    arrays: Mapping[str, np.ndarray[Any, Any]],
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write named arrays and text metadata as one safetensors file, with a checksum of all of it.

    PyTorch and every other reader of safetensors can open the file. Equal content gives equal bytes, whatever the
    order of the arrays' bytes and axes in memory.

    Raises DataError MG-718, before anything is written, for an array of a type that such a file does not have, and
    ConfigError MG-802 for the one name that the format keeps for itself.
    """
    from safetensors.numpy import save

    if "__metadata__" in arrays:
        raise ConfigError(
            "MG-802",
            "an array cannot be called '__metadata__': in a safetensors file that is the place of the texts. "
            "Give the parameter another name.",
        )
    whole = storable(arrays)
    texts = dict(metadata or {})
    texts[_CHECKSUM] = str(_checksum(whole, texts))
    atomic_write(path, _in_order(save(whole, metadata=texts)))


def load_arrays(path: str | os.PathLike[str]) -> tuple[dict[str, np.ndarray[Any, Any]], dict[str, str]]:
    """Read a safetensors file: its arrays by name, and its metadata.

    Arrays of bfloat16 become float32, which is exact, with the warning MG-719.

    Raises DataError MG-711 where the file is missing, is no safetensors file, is cut short, or (for a file
    that ``save_arrays`` wrote) has other bytes than were written; MG-718 where it holds another type that NumPy
    does not have, such as float8.
    """
    from safetensors import SafetensorError, safe_open

    path = Path(path)
    if not path.is_file():
        raise DataError("MG-711", f"there is no weight file {path}. Check the name, or train a run first.")
    stored = Stored(path)
    try:
        with safe_open(path, framework="numpy") as content:
            metadata = dict(content.metadata() or {})
            arrays = {
                name: stored.widen(name) if name in stored.widened else content.get_tensor(name)
                for name in content.keys()  # noqa: SIM118 (not a dict)
            }
    except (SafetensorError, OSError, ValueError, TypeError, KeyError, AttributeError, MemoryError) as error:
        raise DataError(
            "MG-711",
            f"{path} is not a readable safetensors file ({error}). {other_format(path)}",
        ) from error
    expected = metadata.pop(_CHECKSUM, None)
    if expected is not None and expected != str(_checksum(arrays, metadata)):
        raise DataError(
            "MG-711",
            f"{path} does not hold the bytes that were written to it (its checksum differs). "
            "It was damaged after it was saved: restore it from a copy, or train again.",
        )
    stored.tell()
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
