"""Networks that look at pictures: their data, their shapes, what they learn, and runs that are resumed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from minigrad import nn
from minigrad.data import Dataset, Rotate, Shift, load_glyphs, load_npz
from minigrad.errors import ConfigError
from minigrad.tensor import Tensor
from minigrad.train import run
from minigrad.train.build import build
from minigrad.train.config import Config
from minigrad.train.pictures import Pictures, Residual, lenet, resnet
from minigrad.train.predict import predict_one, read_picture
from minigrad.train.progress import ShowProgress
from minigrad.train.recipes import RECIPES
from tests.long import first

SEEING = [name for name, recipe in RECIPES.items() if recipe.sees]


def stripes(path: Path, colours: int = 3, count: int = 60) -> Path:
    """Save pictures of 9x8 with a red stripe, across or along; noise everywhere."""
    rng = np.random.default_rng(0)
    x = rng.integers(0, 60, (count, 9, 8, colours))
    y = np.arange(count) % 2
    for picture, along in zip(x, y, strict=True):
        k = rng.integers(8)
        if along:
            picture[:, k, 0] = 255
        else:
            picture[k, :, 0] = 255
    np.savez(path, x=x.astype(np.uint8), y=y, classes=np.array(["across", "along"]))
    return path


def config(path: Path, recipe: str, **changes: Any) -> Config:
    return Config.from_dict(RECIPES[recipe].settings(str(path)) | {"epochs": 3, "batch_size": 8} | changes)


def test_pictures_are_rows_with_their_colours_first() -> None:
    x = np.arange(24.0).reshape(2, 12)
    assert np.array_equal(Pictures((3, 4))(Tensor(x)).numpy(), x.reshape(2, 1, 3, 4))
    y = Pictures((2, 2, 3))(Tensor(x)).numpy()
    assert y.shape == (2, 3, 2, 2)
    assert y[1, 2].tolist() == [[14, 17], [20, 23]]  # the third colour of each pixel of the second picture


def test_lenet_has_the_papers_number_of_weights() -> None:
    rng = np.random.default_rng(0)
    model = lenet(784, 10, rng, rng, dropout=0.2, image_shape=(28, 28))
    weights = 6 * 25 + 6 + 16 * 6 * 25 + 16 + 400 * 120 + 120 + 120 * 84 + 84 + 84 * 10 + 10
    assert model.count_parameters() == weights == 61_706


@pytest.mark.parametrize("layers", [1, 2])
def test_resnet_has_6n_and_2_layers(layers: int) -> None:
    rng = np.random.default_rng(0)
    model = resnet(784, 10, rng, rng, layers=layers, image_shape=(28, 28))
    beside = 2  # the shortcuts' 1x1 convolutions, which the paper does not count
    kinds = (nn.Conv2d, nn.Linear)
    assert sum(isinstance(module, kinds) for module in model.modules()) == 6 * layers + 2 + beside


def test_a_residual_block_whose_path_is_zero_hands_on_what_came() -> None:
    block = Residual(2, 2, 1, np.random.default_rng(0))
    block.norm2.weight.data[...] = 0
    x = np.random.default_rng(1).random((3, 2, 5, 4)).astype("float32")
    assert np.array_equal(block(Tensor(x)).numpy(), x)


@pytest.mark.parametrize("size", [(2, 2), (8, 8), (9, 15), (16, 17), (28, 28), (16, 20, 3), (5, 6, 4)])
@pytest.mark.parametrize("recipe", SEEING)
def test_networks_are_built_for_pictures_of_any_size(recipe: str, size: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    x = rng.random((3, int(np.prod(size)))).astype("float32")
    extra = {"dropout": 0.1} if recipe == "lenet" else {"layers": 1}
    model = RECIPES[recipe].build(x.shape[1], 4, rng, rng, image_shape=size, **extra)
    assert model(Tensor(x)).shape == (3, 4)


@pytest.mark.parametrize("colours", [1, 3, 4])
@pytest.mark.parametrize("first", [False, True])
def test_npz_files_hold_pictures_in_colours(tmp_path: Path, colours: int, first: bool) -> None:
    x = np.random.default_rng(0).random((6, 7, 5, colours)).astype("float32")
    saved = x.transpose(0, 3, 1, 2) if first else x
    np.savez(tmp_path / "p.npz", x=saved, y=np.arange(6) % 2)
    data = load_npz(tmp_path / "p.npz")
    assert data.image_shape == ((7, 5) if colours == 1 else (7, 5, colours))
    assert np.array_equal(data.x.reshape(x.shape), x)


def test_colours_are_shifted_and_turned_like_grey() -> None:
    grey = np.random.default_rng(0).random((4, 6, 5)).astype("float32")
    coloured = np.stack([grey, 2 * grey], axis=-1)
    for kind in (Shift, Rotate):
        one = kind((6, 5), 2)(grey, np.random.default_rng(3))
        both = kind((6, 5, 2), 2)(coloured.reshape(4, -1), np.random.default_rng(3))
        np.testing.assert_allclose(both.reshape(4, 6, 5, 2), np.stack([one, 2 * one], axis=-1), rtol=1e-6)


@pytest.mark.parametrize("recipe", first(SEEING))
def test_a_network_learns_stripes_in_colours(recipe: str, tmp_path: Path) -> None:
    settings = config(stripes(tmp_path / "s.npz", count=300), recipe, epochs=6)
    results = run.start(settings, tmp_path / "run", ShowProgress("quiet"))
    assert results["test_accuracy"] > 0.9
    assert "](feature-maps.png)" in (tmp_path / "run" / "summary.md").read_text()
    model, network = run.load_network(tmp_path / "run")
    assert network.image_shape == [9, 8, 3]
    picture = np.full((90, 80, 3), 20, np.uint8)
    picture[:, 30:40, 0] = 255
    Image.fromarray(picture).save(tmp_path / "along.png")
    x = read_picture(tmp_path / "along.png", network)
    assert x.shape == (9, 8, 3)
    np.testing.assert_allclose(x[4, 3], [1, 20 / 255, 20 / 255], atol=1e-6)
    assert predict_one(model, network, x).argmax() == 1
    assert run.evaluate_run(tmp_path / "run")[0].accuracy == results["test_accuracy"]


@pytest.mark.parametrize("recipe", first(SEEING))
def test_a_resumed_run_ends_with_the_same_bits(
    recipe: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = config(stripes(tmp_path / "s.npz"), recipe, augment=True)
    run.start(settings, tmp_path / "whole", ShowProgress("quiet"))

    class Cut(ShowProgress):
        def on_epoch_end(self, trainer: Any) -> None:
            if trainer.epoch == 2:
                raise KeyboardInterrupt

    from minigrad.train import checkpoint

    monkeypatch.setattr(checkpoint.Checkpoint.__init__, "__defaults__", (0.0, None))
    with pytest.raises(KeyboardInterrupt):
        run.start(settings, tmp_path / "cut", Cut("quiet"))
    run.resume(tmp_path / "cut", ShowProgress("quiet"))
    for name in ("weights.safetensors", "history.json"):
        assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


@pytest.mark.parametrize("recipe", SEEING)
def test_rows_of_numbers_are_no_pictures(recipe: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "rows.npz", x=np.random.default_rng(0).random((40, 6)), y=np.arange(40) % 2)
    with pytest.raises(ConfigError, match="6 numbers") as caught:
        build(config(tmp_path / "rows.npz", recipe))
    assert caught.value.code == "MG-624"


def test_glyphs_are_the_same_always_and_each_letter_is_whole() -> None:
    parts: list[Dataset] = [load_glyphs(True), load_glyphs(False)]
    assert [len(part) for part in parts] == [26 * 3 * 16 * 3, 26 * 3 * 4 * 10]
    for part, again in zip(parts, [load_glyphs(True), load_glyphs(False)], strict=True):
        assert part.x.tobytes() == again.x.tobytes()
        assert np.bincount(part.y).tolist() == [len(part) // 26] * 26
        assert part.x.min() == 0
        assert part.x.max() == 1
    pictures = parts[0].x.reshape(-1, 28, 28)
    columns = [(picture > 0.5).any(axis=0).sum() for picture in pictures]
    widths = {
        letter: np.mean([columns[k] for k in np.flatnonzero(parts[0].y == ord(letter) - 65)])
        for letter in "IMW"
    }
    assert widths["I"] < 0.6 * min(widths["M"], widths["W"])
    tops = [np.flatnonzero(picture.any(axis=1))[0] for picture in pictures]
    assert max(tops) - min(tops) >= 8  # the letters lie here and there


def test_small_data_are_trained_on_as_the_digits_are() -> None:
    for name in SEEING:
        assert RECIPES[name].settings("glyphs")["epochs"] == RECIPES[name].settings("digits")["epochs"]
        assert RECIPES[name].settings("mnist")["epochs"] == 5
