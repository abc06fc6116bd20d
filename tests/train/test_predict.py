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
    assert found[2, 2:5] == pytest.approx([1 / 3, 2 / 3, 1], abs=1e-4)


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


@pytest.mark.parametrize("brightness", [0, 128, 255])
def test_an_empty_picture_is_an_error(tmp_path: Path, brightness: int) -> None:
    path = save(np.full((50, 50), brightness, np.uint8), tmp_path / "x.png")
    with pytest.raises(DataError, match=r"MG-716 .*empty"):
        read_picture(path, SMALL)


def test_a_row_goes_through_the_scaling() -> None:
    scaling = {"kind": "Standardize", "offset": [1.0, 2.0], "scale": [2.0, 4.0]}
    network = Network(2, 1, None, None, scaling)
    model = nn.Linear(2, 1, rng=np.random.default_rng(0))
    model.load_state_dict({"weight": np.float32([[10, 1]]), "bias": np.float32([0])})
    assert predict_one(model, network, read_row("5, 10", network)) == pytest.approx([10 * 2 + 2])


@pytest.mark.parametrize("text", ["", "1", "1 2 3", "1, two", "1, nan", "1, inf", "1e99, 2"])
def test_a_row_that_does_not_fit_is_an_error(text: str) -> None:
    with pytest.raises(DataError, match="MG-716"):
        read_row(text, Network(2, 1, None, None, None))
