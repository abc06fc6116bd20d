from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from minigrad import nn
from minigrad.errors import DataError
from minigrad.train.network import Network
from minigrad.train.predict import predict_one, read_picture, read_row

SMALL = Network(64, 10, list("0123456789"), [8, 8], None)
MNIST = Network(784, 10, list("0123456789"), [28, 28], None)


def save(pixels: np.ndarray, path: Path) -> Path:
    Image.fromarray(pixels).save(path)
    return path


def test_a_picture_of_the_networks_size_is_taken_as_it_is(tmp_path: Path) -> None:
    pixels = np.zeros((8, 8), np.uint8)
    pixels[2:6, 3] = 51, 102, 153, 255
    found = read_picture(save(pixels, tmp_path / "x.png"), SMALL)
    assert found.dtype == np.float32
    assert found == pytest.approx(pixels / 255)


def test_a_bright_background_is_inverted(tmp_path: Path) -> None:
    pixels = np.full((8, 8), 255, np.uint8)
    pixels[3, 3] = 0
    assert np.argwhere(read_picture(save(pixels, tmp_path / "x.png"), SMALL)).tolist() == [[3, 3]]


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA", "P", "1"])
def test_every_kind_of_picture_is_read(tmp_path: Path, mode: str) -> None:
    pixels = np.full((8, 8), 255, np.uint8)
    pixels[1:7, 4] = 0
    Image.fromarray(pixels).convert(mode).save(tmp_path / "x.png")
    assert read_picture(tmp_path / "x.png", SMALL) == pytest.approx(1 - pixels / 255)


def test_sixteen_bits_are_not_cut_off(tmp_path: Path) -> None:
    pixels = np.zeros((8, 8), np.uint16)
    pixels[2, 2:5] = 20000, 40000, 60000
    found = read_picture(save(pixels, tmp_path / "x.png"), SMALL)
    assert found[2, 2:5] == pytest.approx(np.array([20000, 40000, 60000]) / 65535)


def test_what_is_clear_is_paper(tmp_path: Path) -> None:
    pixels = np.zeros((8, 8, 4), np.uint8)
    pixels[1:7, 4] = 0, 0, 0, 255
    assert np.argwhere(read_picture(save(pixels, tmp_path / "x.png"), SMALL))[:, 1].tolist() == [4] * 6


def test_a_drawing_is_cut_out_and_centred_with_mnists_margin(tmp_path: Path) -> None:
    paper = np.full((300, 400), 220, np.uint8)
    paper[40:240, 300:340] = 20  # a stroke of 200 x 40 becomes 20 x 4
    found = read_picture(save(paper, tmp_path / "x.png"), MNIST)
    expected = np.zeros((28, 28))
    expected[4:24, 12:16] = 1
    assert found == pytest.approx(expected)


@pytest.mark.parametrize("side", [1, 2, 8, 28, 50, 56])
@pytest.mark.parametrize("brightness", [0, 70, 128, 255])
def test_an_empty_picture_is_an_error_whatever_its_size(tmp_path: Path, brightness: int, side: int) -> None:
    path = save(np.full((side, side), brightness, np.uint8), tmp_path / "x.png")
    for network in (SMALL, MNIST):
        with pytest.raises(DataError, match=rf"MG-716 .*empty: .*{brightness / 255:.2f}"):
            read_picture(path, network)


@pytest.mark.parametrize("side", [28, 56])
@pytest.mark.parametrize(("paper", "ink"), [(0, 255), (0, 80), (255, 0), (80, 0), (110, 40), (130, 220)])
def test_ink_is_brighter_than_paper_whatever_they_were(
    tmp_path: Path, side: int, paper: int, ink: int
) -> None:
    pixels = np.full((side, side), paper, np.uint8)
    pixels[side // 4 : -side // 4, side // 2 : -side // 4] = ink
    found = read_picture(save(pixels, tmp_path / "x.png"), MNIST)
    assert found[14, 18] > found[0, 0]
    assert found[14, 18] - found[0, 0] == pytest.approx(abs(paper - ink) / 255 if side == 28 else 1)


def test_a_row_goes_through_the_scaling() -> None:
    scaling = {"kind": "Standardize", "offset": [1.0, 2.0], "scale": [2.0, 4.0]}
    network = Network(2, 1, None, None, scaling)
    model = nn.Linear(2, 1, rng=np.random.default_rng(0))
    model.load_state_dict({"weight": np.float32([[10, 1]]), "bias": np.float32([0])})
    assert predict_one(model, network, read_row("5, 10", network)) == pytest.approx([10 * 2 + 2])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "number 1 is missing"),
        ("1", "takes 2 finite numbers; the row has 1"),
        ("1 2 3", "takes 2 finite numbers; the row has 3"),
        ("1, two", "number 2 is 'two'"),
        ("1, nan", "number 2 is missing"),
        ("1, , 2", "number 2 is missing"),
        ("1, inf", "number 2 of the row, inf"),
        ("1e99, 2", "number 1 of the row, 1e\\+99"),
        ("1_0, 2", "number 1 is '1_0'.*write 10"),
        ("−1, 2", "number 1 is '−1'.*write -1"),
        ("١, 2", "number 1 is '١'.*write 1"),
        ("0x10, 2", "number 1 is '0x10'.*write 16"),
        ("1,5; 2,5", "number 2 is '5;'"),
    ],
)
def test_a_row_that_does_not_fit_is_an_error(text: str, said: str) -> None:
    with pytest.raises(DataError, match=f"MG-716 .*{said}"):
        read_row(text, Network(2, 1, None, None, None))
