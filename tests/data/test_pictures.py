"""The same picture in every kind of file is the same grey values."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from minigrad.data.pictures import read_grey
from minigrad.errors import DataError

GREY = np.array([[0, 80, 40, 7], [10, 20, 255, 3]], np.uint8)  # 80 of 255 is 0.31
DIM = np.minimum(GREY, 80)


def wide(grey: np.ndarray) -> np.ndarray:
    return grey.astype(np.uint16) * 257


def tiff(array: np.ndarray, bits: int = 16, photometric: int = 1, sample_format: int = 1) -> bytes:
    """A TIFF of one strip, written by hand: little-endian numbers of one channel."""
    if bits == 12:
        flat = array.ravel().tolist() + [0] * (array.size % 2)
        body = b"".join(
            bytes([a >> 4, (a & 15) << 4 | b >> 8, b & 255])
            for a, b in zip(flat[::2], flat[1::2], strict=True)
        )
    else:
        body = array.astype(array.dtype.newbyteorder("<")).tobytes()
    height, width = array.shape
    tags = {256: width, 257: height, 258: bits, 259: 1, 262: photometric, 273: 8, 277: 1, 278: height}
    tags |= {279: len(body), 339: sample_format}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    return (
        struct.pack("<2sHI", b"II", 42, 8 + len(body))
        + body
        + struct.pack("<H", len(tags))
        + entries
        + bytes(4)
    )


def encoded(picture: Image.Image, kind: str, **options) -> bytes:
    content = io.BytesIO()
    picture.save(content, kind, **options)
    return content.getvalue()


def palette(grey: np.ndarray) -> Image.Image:
    picture = Image.fromarray(grey[::-1, ::-1].copy()).convert("P")
    picture.putpalette([value for k in range(256) for value in (k, k, k)])
    return picture.transpose(Image.Transpose.ROTATE_180)


def with_alpha(grey: np.ndarray, mode: str) -> Image.Image:
    """Black ink, as transparent as it is bright, which is the same on white paper."""
    ink = np.zeros((*grey.shape, 4 if mode == "RGBA" else 2), np.uint8)
    ink[..., -1] = 255 - grey
    return Image.fromarray(ink, mode)


KINDS = {
    "8-bit PNG": lambda g: encoded(Image.fromarray(g), "PNG"),
    "16-bit PNG": lambda g: encoded(Image.fromarray(wide(g)), "PNG"),
    "RGB PNG": lambda g: encoded(Image.fromarray(g).convert("RGB"), "PNG"),
    "RGBA PNG": lambda g: encoded(with_alpha(g, "RGBA"), "PNG"),
    "LA PNG": lambda g: encoded(with_alpha(g, "LA"), "PNG"),
    "palette PNG": lambda g: encoded(palette(g), "PNG"),
    "GIF": lambda g: encoded(palette(g), "GIF"),
    "BMP": lambda g: encoded(Image.fromarray(g), "BMP"),
    "CMYK TIFF": lambda g: encoded(Image.fromarray(g).convert("RGB").convert("CMYK"), "TIFF"),
    "8-bit TIFF": lambda g: encoded(Image.fromarray(g), "TIFF"),
    "16-bit TIFF": lambda g: tiff(wide(g)),
    "big-endian TIFF": lambda g: encoded(Image.fromarray(wide(g).astype(">u2")), "TIFF"),
    "12-bit TIFF": lambda g: tiff((g.astype(np.uint32) * 4095 // 255).astype(np.uint16), bits=12),
    "inverted TIFF": lambda g: tiff(wide(255 - g), photometric=0),
    "float TIFF": lambda g: encoded(Image.fromarray((g / 255).astype(np.float32)), "TIFF"),
    "PGM": lambda g: encoded(Image.fromarray(g), "PPM"),
    "16-bit PGM": lambda g: b"P5\n4 2\n65535\n" + wide(g).astype(">u2").tobytes(),
    "12-bit PGM": lambda g: b"P5\n4 2\n4095\n" + (g.astype(np.uint32) * 4095 // 255).astype(">u2").tobytes(),
    "PFM": lambda g: encoded(Image.fromarray((g / 255).astype(np.float32)), "PPM"),
    "WEBP": lambda g: encoded(Image.fromarray(g).convert("RGB"), "WEBP", lossless=True),
    "flat RGBA": lambda g: encoded(Image.fromarray(g).convert("RGBA"), "PNG"),
}


@pytest.mark.parametrize("grey", [GREY, DIM], ids=["with white", "dim"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_file_gives_the_same_picture(tmp_path: Path, kind: str, grey: np.ndarray) -> None:
    (tmp_path / "picture.any").write_bytes(KINDS[kind](grey))
    found = read_grey(tmp_path / "picture.any")
    assert found.dtype == np.float32
    assert found == pytest.approx(grey / 255, abs=1.01 / 255 if "CMYK" in kind or "12" in kind else 1e-6)


def test_one_bit(tmp_path: Path) -> None:
    pixels = np.array([[True, False], [False, False]])
    Image.fromarray(pixels).save(tmp_path / "x.png")
    assert read_grey(tmp_path / "x.png").tolist() == [[1, 0], [0, 0]]


def test_exif_turns_it_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    Image.fromarray(GREY).save(tmp_path / "x.png", exif=exif)
    assert read_grey(tmp_path / "x.png") == pytest.approx(np.rot90(GREY, -1) / 255)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_floats_that_are_not_finite_are_named(tmp_path: Path, bad: float) -> None:
    pixels = np.zeros((5, 6), np.float32)
    pixels[3, 4] = pixels[4, 0] = bad
    Image.fromarray(pixels).save(tmp_path / "x.tiff")
    with pytest.raises(DataError, match=rf"MG-716 .*row 3, column 4 is {bad}, and 1 more"):
        read_grey(tmp_path / "x.tiff")


@pytest.mark.parametrize(("low", "high"), [(0, 255), (-1, 1), (0, 1.5), (0, 1e30)])
def test_floats_outside_of_0_to_1_are_refused(tmp_path: Path, low: float, high: float) -> None:
    Image.fromarray(np.linspace(low, high, 12, dtype=np.float32).reshape(3, 4)).save(tmp_path / "x.tiff")
    with pytest.raises(DataError, match=r"MG-716 .*0 is black and 1 is white") as raised:
        read_grey(tmp_path / "x.tiff")
    assert f"from {low:g} to {high:g}" in str(raised.value)


@pytest.mark.parametrize(("dtype", "sample_format"), [("int32", 2), ("uint32", 1), ("int16", 2)])
def test_whole_numbers_without_a_white_are_refused(tmp_path: Path, dtype: str, sample_format: int) -> None:
    array = np.arange(6).reshape(2, 3).astype(dtype)
    (tmp_path / "x.tiff").write_bytes(tiff(array, 8 * array.itemsize, sample_format=sample_format))
    with pytest.raises(DataError, match=r"MG-716 .*signed or 32-bit"):
        read_grey(tmp_path / "x.tiff")


@pytest.mark.parametrize("kind", ["GIF", "PNG", "TIFF", "WEBP"])
def test_a_film_is_refused(tmp_path: Path, kind: str) -> None:
    first, second = (Image.fromarray(np.full((8, 8), value, np.uint8)) for value in (0, 200))
    first.save(tmp_path / "x", kind, save_all=True, append_images=[second])
    with pytest.raises(DataError, match=r"MG-716 .*holds 2 pictures"):
        read_grey(tmp_path / "x")


def huge_png(side: int) -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(1000)))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("side", [9_500, 20_000, 2**31 - 1])
def test_a_claim_of_too_many_pixels_is_refused_at_once(tmp_path: Path, side: int) -> None:
    (tmp_path / "x.png").write_bytes(huge_png(side))
    with pytest.raises(DataError, match=r"MG-716 .*more than 89,478,485 pixels"):
        read_grey(tmp_path / "x.png")


def test_what_is_no_picture(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("hello")
    with pytest.raises(DataError, match=r"MG-716 .*is not a picture"):
        read_grey(tmp_path / "text.png")
    with pytest.raises(DataError, match="MG-716 there is no picture"):
        read_grey(tmp_path / "none.png")
    with pytest.raises(DataError, match="MG-716"):
        read_grey(tmp_path)


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_files_are_pictures_or_clear_errors(tmp_path: Path, kind: str) -> None:
    rng = np.random.default_rng(5)
    whole = KINDS[kind](np.random.default_rng(0).integers(0, 256, (2, 4), np.uint8))
    for _ in range(25):
        content = bytearray(whole)
        for _ in range(rng.integers(1, 4)):
            content[int(rng.integers(len(content)))] = int(rng.integers(256))
        if rng.random() < 0.3:
            del content[int(rng.integers(len(content))) :]
        (tmp_path / "x").write_bytes(content)
        try:
            found = read_grey(tmp_path / "x")
        except DataError as error:
            assert error.code == "MG-716"  # noqa: PT017 (either outcome is right)
        else:
            assert found.ndim == 2
            assert 0 <= found.min() <= found.max() <= 1
