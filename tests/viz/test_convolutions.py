"""Filters and feature maps: each picture's numbers against the same worked out here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.errors import ShapeError
from minigrad.train.pictures import lenet, resnet
from minigrad.viz.convolutions import maps

RNG = np.random.default_rng(0)


def pictures_of(figure: Any) -> list[Any]:
    return [image.get_array() for axis in figure.axes for image in axis.images]


def test_filters_are_drawn_on_one_scale() -> None:
    weight = RNG.normal(size=(3, 2, 4, 5))
    figure = mg.viz.filters(mg.Tensor(weight))
    drawn = pictures_of(figure)
    assert len(drawn) == 6
    for picture, expected in zip(drawn, weight.reshape(6, 4, 5), strict=True):
        np.testing.assert_array_equal(picture, expected)
    (limits,) = {image.get_clim() for axis in figure.axes for image in axis.images}
    assert limits == pytest.approx((-abs(weight).max(), abs(weight).max()))


def test_filters_of_one_channel_stand_side_by_side_and_of_many_the_first_are_drawn() -> None:
    weight = RNG.normal(size=(20, 1, 3, 3))
    figure = mg.viz.filters(weight, most=5)
    np.testing.assert_array_equal(pictures_of(figure), weight[:5, 0])
    assert np.ptp([axis.get_position().y0 for axis in figure.axes]) < 1e-6
    assert figure.get_suptitle() == "Filters: 5 of 20"


def test_feature_maps_are_what_the_layers_give() -> None:
    """Worked out layer by layer, and drawn after the ReLU behind each convolution."""
    model = lenet(784, 10, RNG, RNG, dropout=0.5, image_shape=(28, 28))
    x = RNG.random((2, 784)).astype("float32")
    expected = {"the picture": x[0].reshape(1, 28, 28)}
    y = mg.Tensor(x)
    for i, layer in enumerate(list(model)[:6]):
        y = layer(y)
        if isinstance(layer, nn.ReLU):
            expected[f"convolution {i - 1} → ReLU"] = y.numpy()[0]
    found = maps(model, x)
    assert found.keys() == expected.keys()
    for name, array in found.items():
        np.testing.assert_array_equal(array, expected[name])


def test_feature_maps_of_residual_blocks_change_nothing_in_the_network(tmp_path: Path) -> None:
    model = resnet(64, 3, RNG, RNG, layers=1, image_shape=(8, 8))
    before = model.state_dict()
    figure = mg.viz.feature_maps(model, np.ones((1, 64), np.float32), most=4, path=tmp_path / "maps.png")
    titles = [axis.get_title(loc="left") for axis in figure.axes if axis.get_title(loc="left")]
    assert titles[0] == "the picture, 1 of 8×8"
    assert titles[1] == "convolution 1 → BatchNorm2d → ReLU, 4 of 16 of 8×8"
    assert len(titles) == 1 + 9  # one, two in each of three blocks, and two shortcuts
    assert (tmp_path / "maps.png").read_bytes()[1:4] == b"PNG"
    assert model.training
    assert all("forward" not in vars(part) for part in model.modules())
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


def test_a_network_that_fails_is_left_as_it_was() -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU())
    with pytest.raises(ShapeError):
        mg.viz.feature_maps(model, np.ones((1, 5, 8, 8), np.float32))
    assert model.training
    assert all("forward" not in vars(part) for part in model.modules())


def test_what_cannot_be_drawn_is_said() -> None:
    with pytest.raises(ShapeError, match=r"MG-672 .*\(5, 3\)"):
        mg.viz.filters(np.ones((5, 3)))
    with pytest.raises(ShapeError, match=r"MG-673 .*Linear"):
        mg.viz.feature_maps(nn.Linear(3, 2), np.ones((1, 3), np.float32))
