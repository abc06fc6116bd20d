"""Convolution and pooling as ONNX, over random settings, and the recipes on pictures as files."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnxruntime", reason="exports are checked in onnxruntime")

from minigrad import nn
from minigrad.errors import ConfigError
from minigrad.export.check import compare
from minigrad.export.graph import model_of
from minigrad.tensor import Tensor
from minigrad.train.pictures import lenet, resnet
from tests.nn.parity_pictures import LAYERS

KERNELS = [name for name in LAYERS if "Adaptive" not in name]


def check(layer: nn.Module, x: Any) -> None:
    layer.eval()
    batches = [x.astype("float32"), x[:1].astype("float32")]
    compare(model_of(layer, x.shape[1:]), lambda batch: [layer(Tensor(batch)).numpy()], batches)


@pytest.mark.parametrize("name", KERNELS)
def test_layers_are_written_whatever_their_settings(name: str) -> None:
    draw, axes = LAYERS[name]
    done = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        settings, x = draw(rng, axes)
        settings.pop("ceil_mode", None)
        layer = getattr(nn, name)(**settings, **({"rng": rng} if "Conv" in name else {}))
        refused = "Transpose" in name and any(
            a >= s for a, s in zip(layer.output_padding, layer.stride, strict=True)
        )
        if refused:
            with pytest.raises(ConfigError, match="not smaller than the stride"):
                model_of(layer, x.shape[1:])
        elif x.ndim == axes + 2:
            try:
                check(layer, x)
            except Exception as error:
                error.add_note(f"{name}({settings}) on {x.shape}, seed {seed}")
                raise
            done += 1
    assert done > 20


@pytest.mark.parametrize("size", [1, (None, 1), (1, None), None])
def test_means_of_whole_axes_are_written(size: Any) -> None:
    check(nn.AdaptiveAvgPool2d(size), np.random.default_rng(0).normal(size=(2, 3, 4, 5)))


@pytest.mark.parametrize("image_shape", [(28, 28), (8, 8), (16, 20, 3)])
def test_the_recipes_networks_are_written(image_shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    x = rng.random((4, int(np.prod(image_shape))))
    check(lenet(x.shape[1], 5, rng, rng, dropout=0.2, image_shape=image_shape), x)
    network = resnet(x.shape[1], 5, rng, rng, layers=2, image_shape=image_shape)
    network(Tensor(x.astype("float32")))  # running statistics that are not 0 and 1
    check(network, x)


@pytest.mark.parametrize(
    "layer", [nn.MaxPool2d(2, ceil_mode=True), nn.AvgPool1d(2, ceil_mode=True), nn.AdaptiveAvgPool2d(3)]
)
def test_what_cannot_be_written_is_said(layer: nn.Module) -> None:
    with pytest.raises(ConfigError, match="cannot be written as ONNX: ") as caught:
        model_of(layer, (3, 6, 6)[: 2 if "1d" in type(layer).__name__ else 3])
    assert caught.value.code == "MG-861"
