from __future__ import annotations

import gzip
import hashlib
import struct
import tracemalloc

import numpy as np
import pytest

from minigrad.data import read_idx
from minigrad.errors import DataError
from tests.data.idx_files import CODES, idx_bytes

PICTURES = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)


def read(tmp_path, content, **options):
    path = tmp_path / "file.idx"
    path.write_bytes(content)
    return read_idx(path, **options)


def refused(tmp_path, content, code, message, **options):
    with pytest.raises(DataError, match=message) as raised:
        read(tmp_path, content, **options)
    assert raised.value.code == code
    assert "file.idx" in str(raised.value)


def test_a_file_written_by_hand(tmp_path):
    by_hand = bytes([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 255])
    assert read(tmp_path, by_hand).tolist() == [[1, 2, 3], [4, 5, 255]]


@pytest.mark.parametrize("name", CODES)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_every_number_type_plain_and_packed(tmp_path, name, pack):
    low, high = (-1e30, 1e30) if name.startswith("float") else (np.iinfo(name).min, np.iinfo(name).max)
    numbers = np.array([[low, 0, 1], [2, 100, high]], dtype=name)
    result = read(tmp_path, pack(idx_bytes(numbers)))
    assert result.dtype == np.dtype(name)
    assert result.dtype.isnative
    assert result.flags.writeable
    assert np.array_equal(result, numbers)


@pytest.mark.parametrize(
    ("start", "shown"),
    [
        (b"\0\1\10\3", "00 01 08 03"),
        (b"\0\0\12\3", "00 00 0a 03"),
        (b"\0\0\10\0", "00 00 08 00"),
        (b"\0\0\10\101", "00 00 08 41"),
        (b"\x89PNG", "89 50 4e 47"),
    ],
)
def test_a_wrong_magic_number_is_shown(tmp_path, start, shown):
    refused(tmp_path, start + idx_bytes(PICTURES)[4:], "MG-702", f"not a valid IDX file.*{shown}")


@pytest.mark.parametrize("length", [0, 3, 4, 15, 16, 39])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_too_short(tmp_path, length, pack):
    refused(tmp_path, pack(idx_bytes(PICTURES)[:length]), "MG-705", "cut short")


def test_the_missing_numbers_are_counted(tmp_path):
    refused(
        tmp_path, gzip.compress(idx_bytes(PICTURES)[:-5]), "MG-705", "2x3x4 numbers, 24 bytes, and 19 follow"
    )


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_too_long(tmp_path, pack):
    refused(tmp_path, pack(idx_bytes(PICTURES) + b"x"), "MG-702", "more than the announced 2x3x4")


def test_a_gzip_stream_cut_anywhere_is_refused(tmp_path):
    packed = gzip.compress(idx_bytes(PICTURES))
    for length in range(2, len(packed)):
        refused(tmp_path, packed[:length], "MG-705", "cut short")


def test_a_wrong_crc(tmp_path):
    packed = bytearray(gzip.compress(idx_bytes(PICTURES)))
    packed[-8] ^= 1
    refused(tmp_path, bytes(packed), "MG-706", "gzip data is damaged.*CRC")


def test_no_numbers(tmp_path):
    refused(tmp_path, bytes([0, 0, 8, 1, 0, 0, 0, 0]), "MG-702", "0 numbers")


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_huge_claim_reserves_no_memory(tmp_path, pack):
    content = struct.pack(">BBBB3I", 0, 0, 14, 3, 2**32 - 1, 2**32 - 1, 2**32 - 1) + bytes(1000)
    tracemalloc.start()
    refused(tmp_path, pack(content), "MG-705", "4294967295x4294967295x4294967295 numbers")
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()


def test_a_claim_that_a_packed_file_could_just_hold_reserves_no_memory(tmp_path):
    packed = gzip.compress(
        struct.pack(">BBBBI", 0, 0, 8, 1, 800_000_000) + np.random.default_rng(0).bytes(900_000)
    )
    tracemalloc.start()
    refused(tmp_path, packed, "MG-705", "800,000,000 bytes, and 900,000 follow")
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()


def test_what_the_memory_cannot_hold_is_never_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr("minigrad.data.unpacking._memory", lambda: 50_000)
    refused(tmp_path, gzip.compress(idx_bytes(np.zeros(20_000, np.uint8))), "MG-702", "3 copies do not fit")


def test_zeros_that_would_fill_the_memory_are_never_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr("minigrad.data.unpacking._memory", lambda: 10**12)
    packed = struct.pack(">BBBBI", 0, 0, 8, 1, 2_000_000_000) + bytes(1000)
    tracemalloc.start()
    padding = np.random.default_rng(0).bytes(2_000_000)  # so that the claim is one that gzip could keep
    refused(tmp_path, gzip.compress(packed) + padding, "MG-702", "unpacks to 2.0 GB, .* times its size")
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()


def test_the_best_compression_there_is_still_reads(tmp_path):
    zeros = np.zeros(20_000_000, np.uint8)
    assert np.array_equal(read(tmp_path, gzip.compress(idx_bytes(zeros))), zeros)


@pytest.mark.parametrize("level", [1, 9])
def test_the_checksum_is_of_the_content_however_it_was_packed(tmp_path, level):
    content = idx_bytes(PICTURES)
    sha256 = hashlib.sha256(content).hexdigest()
    assert np.array_equal(read(tmp_path, gzip.compress(content, level), sha256=sha256), PICTURES)
    refused(tmp_path, gzip.compress(idx_bytes(PICTURES + 1)), "MG-706", f"expected {sha256}", sha256=sha256)


def test_missing_file_and_folder(tmp_path):
    for path in (tmp_path / "none.idx", tmp_path):
        with pytest.raises(DataError, match="cannot be read") as raised:
            read_idx(path)
        assert raised.value.code == "MG-703"


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_thousand_damaged_files_give_clear_errors_or_arrays(tmp_path, pack):
    rng = np.random.default_rng(2)
    whole = pack(idx_bytes(rng.integers(0, 255, (5, 6, 7)).astype(np.uint8)))
    for _ in range(500):
        content = bytearray(whole)
        for _ in range(rng.integers(1, 4)):
            damage(content, rng)
        try:
            result = read(tmp_path, bytes(content))
        except DataError as error:
            assert error.code in {"MG-702", "MG-705", "MG-706"}  # noqa: PT017 (either outcome is right)
        else:
            assert result.size > 0


def damage(content: bytearray, rng: np.random.Generator) -> None:
    place = int(rng.integers(0, max(len(content), 1)))
    match rng.integers(0, 4):
        case 0 if content:
            content[min(place, 20 if rng.random() < 0.5 else place)] ^= int(rng.integers(1, 256))
        case 1:
            del content[place:]
        case 2:
            del content[place : place + int(rng.integers(1, 9))]
        case _:
            content[place:place] = rng.bytes(int(rng.integers(1, 9)))
