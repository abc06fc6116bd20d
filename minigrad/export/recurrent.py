"""Recurrent layers as ONNX operators, and the networks that are made of them. What goes out are a layer's outputs."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad import nn
from minigrad.export.graph import LAYERS, write
from minigrad.export.writing import Graph, Value
from minigrad.train.sequences import RowReader
from minigrad.train.texts import CharacterGPT, CharacterRNN

_ORDER = {nn.RNN: (0,), nn.GRU: (1, 0, 2), nn.LSTM: (0, 3, 1, 2)}
"""Where ONNX's gates (z, r, h; i, o, f, c) lie among ours."""


def _recurrent(graph: Graph, name: str, layer: Any, x: Value) -> Value:
    y = graph.add("Transpose", x.name, perm=[1, 0, 2]) if layer.batch_first else x.name
    kind, hidden, order = type(layer), layer.hidden_size, _ORDER[type(layer)]
    directions = ("", "_reverse") if layer.bidirectional else ("",)
    options: dict[str, Any] = {"hidden_size": hidden}
    if layer.bidirectional:
        options["direction"] = "bidirectional"
    if kind is nn.GRU:
        options["linear_before_reset"] = 1
    if kind is nn.RNN:
        options["activations"] = [layer.nonlinearity.capitalize()] * len(directions)

    def held(word: str, k: int) -> Any:
        arrays = [getattr(layer, f"{word}_l{k}{direction}").numpy() for direction in directions]
        return np.stack([a.reshape((len(order), hidden, -1))[list(order)].reshape(a.shape) for a in arrays])

    for k in range(layer.num_layers):
        given = [graph.constant(f"{name}{word}_l{k}", held(word, k)) for word in ("weight_ih", "weight_hh")]
        if layer.bias:
            biases = np.concatenate([held("bias_ih", k), held("bias_hh", k)], axis=1)
            given.append(graph.constant(f"{name}bias_l{k}", biases))
        made = graph.add(kind.__name__, y, *given, **options)  # (times, directions, samples, hidden)
        shape = graph.constant(f"{name}shape_l{k}", np.array([0, 0, len(directions) * hidden], np.int64))
        y = graph.add("Reshape", graph.add("Transpose", made, perm=[0, 2, 1, 3]), shape)
    return Value(graph.add("Transpose", y, perm=[1, 0, 2]) if layer.batch_first else y, 3)


def _rows(graph: Graph, x: Value, width: int, name: str) -> str:
    """Return what has three axes as rows (samples · times, width)."""
    return graph.add("Reshape", x.name, graph.constant(f"{name}rows", np.array([-1, width], np.int64)))


def _character_rnn(graph: Graph, name: str, layer: CharacterRNN, x: Value) -> Value:
    embedded = write(graph, f"{name}embedding.", layer.embedding, x)
    y: Any = write(graph, f"{name}layers.", layer.layers, embedded)
    return write(
        graph, f"{name}head.", layer.head, Value(_rows(graph, y, layer.head.weight.shape[1], name), 2)
    )


def _character_gpt(graph: Graph, name: str, layer: CharacterGPT, x: Value) -> Value:
    logits = write(graph, f"{name}gpt.", layer.gpt, x)
    return Value(_rows(graph, logits, layer.gpt.vocab_size, name), 2)


def _row_reader(graph: Graph, name: str, layer: RowReader, x: Value) -> Value:
    shape = graph.constant(f"{name}picture", np.array([-1, layer.side, layer.side], np.int64))
    rows = Value(graph.add("Reshape", x.name, shape), 3)
    y = write(graph, f"{name}layers.", layer.layers, rows)
    last = graph.add("Gather", y.name, graph.constant(f"{name}last", np.int64(-1)), axis=1)
    return write(graph, f"{name}head.", layer.head, Value(last, 2))


LAYERS.update(dict.fromkeys(_ORDER, _recurrent))
LAYERS.update({CharacterRNN: _character_rnn, CharacterGPT: _character_gpt, RowReader: _row_reader})
