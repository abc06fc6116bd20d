"""The IDX file format, in which MNIST is published: a short header, then the numbers, big-endian.

=========  =========================================================
bytes      meaning
=========  =========================================================
0, 1       always 0
2          number type: 08 uint8, 09 int8, 0B int16, 0C int32, 0D float32, 0E float64
3          number of dimensions d
4 .. 4+4d  the d sizes, unsigned 32-bit
the rest   the numbers, the last dimension running fastest
=========  =========================================================

Source: Y. LeCun, C. Cortes, C. Burges, The MNIST Database, "The IDX file format".
"""

from __future__ import annotations

import gzip
import hashlib
import os
import struct
import zlib
from math import prod
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

import numpy as np

from minigrad.data.dataset import Array
from minigrad.data.unpacking import too_large
from minigrad.errors import DataError

_DTYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_GZIP_MAGIC = b"\x1f\x8b"
_BEST_RATIO = 1032  # deflate cannot pack more than 1032 bytes into one (zlib's technical notes)
_MOST_DIMENSIONS = 64  # NumPy's limit
_CHUNK = 1 << 20


def read_idx(path: str | os.PathLike[str], sha256: str | None = None) -> Array:
    """Read an IDX file, plain or gzipped, into an array of its shape in the machine's byte order.

    Args:
        path: the file.
        sha256: what the SHA-256 of the *unpacked* bytes must be, where the content is known. It does not
            depend on how the file was compressed.

    Raises:
        DataError: MG-702, not an IDX file, or its header is impossible; MG-703, the file cannot be opened;
            MG-705, it ends too early; MG-706, its bytes are not those that were written. No memory is
            reserved for what a header only claims.
    """
    path = Path(path)
    try:
        with _open(path) as stream:
            header = _read_header(stream, path)
            body = _read_body(stream, header, path)
    except EOFError as error:
        raise _truncated(path, "the gzip stream stops before its end") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise DataError(
            "MG-706", f"{path}: the gzip data is damaged ({error}). Copy the file again."
        ) from error
    except OSError as error:
        raise DataError("MG-703", f"{path} cannot be read: {error.strerror or error}.") from error
    if sha256 is not None:
        _check_hash(header.raw, body, sha256, path)
    numbers = np.frombuffer(body, header.dtype).astype(header.dtype.newbyteorder("="), copy=False)
    return numbers.reshape(header.shape)


class _Header(NamedTuple):
    raw: bytes
    dtype: np.dtype[np.generic]
    shape: tuple[int, ...]

    @property
    def body_size(self) -> int:
        return prod(self.shape) * self.dtype.itemsize


def _open(path: Path) -> BinaryIO:
    with path.open("rb") as file:
        packed = file.read(2) == _GZIP_MAGIC
    return cast(BinaryIO, gzip.open(path)) if packed else path.open("rb")


def _read_header(stream: BinaryIO, path: Path) -> _Header:
    magic = stream.read(4)
    if len(magic) < 4:
        raise _truncated(path, f"it holds {len(magic)} bytes, and an IDX header has at least 8")
    zeros, code, dimensions = magic[:2], magic[2], magic[3]
    if zeros != b"\0\0" or code not in _DTYPES or not 1 <= dimensions <= _MOST_DIMENSIONS:
        raise _not_idx(
            path,
            f"its first four bytes are {magic.hex(' ')}. They should be 00 00, a number type "
            f"({', '.join(f'{known:02x}' for known in _DTYPES)}) and 1..{_MOST_DIMENSIONS} dimensions",
        )
    sizes = stream.read(4 * dimensions)
    if len(sizes) < 4 * dimensions:
        raise _truncated(path, f"its header announces {dimensions} sizes and stops before the last")
    shape = struct.unpack(f">{dimensions}I", sizes)
    header = _Header(magic + sizes, np.dtype(_DTYPES[code]), shape)
    if header.body_size == 0:
        raise _not_idx(path, f"its header says that it holds {_times(shape)} numbers, which is none")
    return header


def _read_body(stream: BinaryIO, header: _Header, path: Path) -> bytearray:
    size, ratio = path.stat().st_size, _BEST_RATIO if isinstance(stream, gzip.GzipFile) else 1
    if header.body_size > size * ratio:
        raise _truncated(
            path,
            f"its header announces {_times(header.shape)} numbers, {header.body_size:,} bytes, "
            f"more than the {size:,} bytes of the file can hold",
        )
    if reason := too_large(header.body_size, size):
        raise _not_idx(path, f"it announces {_times(header.shape)} numbers, and {reason}")
    body = bytearray()
    while len(body) <= header.body_size:
        chunk = stream.read(min(_CHUNK, header.body_size + 1 - len(body)))
        if not chunk:
            break
        body += chunk
    if len(body) < header.body_size:
        raise _truncated(
            path,
            f"its header announces {_times(header.shape)} numbers, {header.body_size:,} bytes, "
            f"and {len(body):,} follow",
        )
    if len(body) > header.body_size:
        raise _not_idx(path, f"more than the announced {_times(header.shape)} numbers follow its header")
    return body


def _check_hash(header: bytes, body: bytearray, expected: str, path: Path) -> None:
    digest = hashlib.sha256(header)
    digest.update(body)
    if digest.hexdigest() != expected:
        raise DataError(
            "MG-706",
            f"{path} has the wrong checksum: SHA-256 of its unpacked bytes is {digest.hexdigest()}, "
            f"expected {expected}. It is a well-formed file with other content, or it was altered.",
        )


def _truncated(path: Path, detail: str) -> DataError:
    return DataError(
        "MG-705", f"{path} is cut short: {detail}. The copy or download did not finish: repeat it."
    )


def _not_idx(path: Path, detail: str) -> DataError:
    return DataError("MG-702", f"{path} is not a valid IDX file: {detail}.")


def _times(shape: tuple[int, ...]) -> str:
    return "x".join(str(size) for size in shape)
