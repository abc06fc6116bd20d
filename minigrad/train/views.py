"""What a finished run shows of the inside of its network, on its test data: pictures in its folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from minigrad import nn
from minigrad.data.text import Windows
from minigrad.train.evaluation import on_device
from minigrad.train.prepare import Prepared
from minigrad.train.sequences import RowReader
from minigrad.train.texts import CharacterGPT, CharacterRNN
from minigrad.viz.attention import attention_maps
from minigrad.viz.convolutions import feature_maps, filters
from minigrad.viz.gates import gates_over_time
from minigrad.viz.spreads import histograms

CHARACTERS = 32
"""Of the test text, which attention and gates are drawn for."""
SAMPLES = 16
"""Of the test data, whose numbers the histograms are of."""

Views = list[tuple[str, str]]
"""File names, each with what is to be seen there."""


def write(folder: Path, model: nn.Module, data: Prepared, loss: Callable[[Any, Any], Any]) -> Views:
    """Draw what a network with convolutions, gates or attention has inside; return the files and their captions."""
    views: Views = []
    test = data.test
    convolution = next((part for part in model.modules() if isinstance(part, nn.Conv2d)), None)
    if convolution is not None:
        filters(convolution.weight, title="Filters of the first convolution", path=folder / "filters.png")
        feature_maps(model, on_device(test.x[:1], model.device), path=folder / "feature-maps.png")
        views += [
            ("filters.png", "What the first convolution looks for"),
            ("feature-maps.png", "Where each convolution finds it in the first test sample"),
        ]
    if isinstance(model, CharacterGPT):
        views.append(_attention(folder, model, test))
    layers = getattr(model, "layers", None)
    if isinstance(layers, (nn.LSTM, nn.GRU)):
        views.append(_gates(folder, model, layers, test))
    if views:
        x, y = test.x[:SAMPLES], test.y[:SAMPLES]
        inputs = on_device(x, model.device)
        histograms(model, inputs, lambda outputs: loss(outputs, y), path=folder / "histograms.png")
        views.append(("histograms.png", "Activations and their gradients through the depth, on test samples"))
    return views


def _text(test: Windows) -> tuple[Any, list[str]]:
    ids = test.x[0, :CHARACTERS]
    return ids, [test.class_name(k) for k in ids]


def _attention(folder: Path, model: CharacterGPT, test: Any) -> tuple[str, str]:
    ids, characters = _text(test)
    weights = model.gpt.attention_weights(ids[None]).numpy()[:, 0]
    layers, heads = weights.shape[:2]
    names = [f"layer {layer}, head {head}" for layer in range(layers) for head in range(heads)]
    maps = np.reshape(weights, (-1, *weights.shape[2:]))
    attention_maps(maps, characters, names=names, path=folder / "attention.png")
    return "attention.png", "Which characters each head looks at, in the first of the test text"


def _gates(folder: Path, model: Any, layers: nn.LSTM | nn.GRU, test: Any) -> tuple[str, str]:
    if isinstance(model, CharacterRNN):
        ids, labels = _text(test)
        x: Any = model.embedding(on_device(ids, model.device))
        what = "the first of the test text"
    else:
        assert isinstance(model, RowReader)
        x = np.reshape(test.x[0], (model.side, model.side))
        labels, what = [str(row) for row in range(model.side)], "the rows of the first test sample"
    gates_over_time(layers, x, labels, path=folder / "gates.png")
    return "gates.png", f"What the first layer's gates let through, over {what}"
