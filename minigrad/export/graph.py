"""A network as an ONNX graph: one or a few standard operators for each layer, of operator set 17.

Weights keep their dotted names. A layer of 8-bit integers becomes the pairs of QuantizeLinear and DequantizeLinear
(QDQ) that runtimes look for: they either compute in floats what the pairs mean, or replace them by integer products.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np

import minigrad
from minigrad import nn
from minigrad.export import activations, normalization
from minigrad.export.writing import Graph, Value, Write, refused

OPERATORS, FORMAT = 17, 8  # the operator set and the file format that came with it: ONNX 1.12, of 2022
INPUT = "x"


@runtime_checkable
class QuantizedDense(Protocol):
    """What a dense layer of 8-bit integers holds.

    ``weight`` int8 (out, in), a float32 ``scale`` for each row, a float ``bias`` or None, and ``input_scale`` and int8
    ``input_zero_point`` of what comes in.
    """

    weight: Any
    scale: Any
    bias: Any
    input_scale: Any
    input_zero_point: Any


def _dense(graph: Graph, x: Value, weight: str, bias: str | None) -> Value:
    """X Wᵀ + b for a weight (out, in) in the graph."""
    given = [] if bias is None else [bias]
    if x.axes == 2:
        return Value(graph.add("Gemm", x.name, weight, *given, transB=1), 2)
    product = graph.add("MatMul", x.name, graph.add("Transpose", weight, perm=[1, 0]))
    return Value(graph.add("Add", product, *given) if given else product, x.axes)


def _linear(graph: Graph, name: str, layer: nn.Linear, x: Value) -> Value:
    weight = graph.constant(f"{name}weight", layer.weight.numpy())
    bias = None if layer.bias is None else graph.constant(f"{name}bias", layer.bias.numpy())
    return _dense(graph, x, weight, bias)


def _quantized(graph: Graph, name: str, layer: QuantizedDense, x: Value) -> Value:
    """(s_x (q_x - z)) (s q)ᵀ + b, both integers moved up by 128 from int8 to uint8, which changes no difference.

    For int8 weights onnxruntime takes, on x86 processors without VNNI, a product whose sums of two saturate at 16 bits;
    for uint8 it takes an exact one everywhere.
    """
    zero_point = graph.constant(f"{name}input_zero_point", _unsigned(layer.input_zero_point.numpy()))
    around = graph.constant(f"{name}input_scale", layer.input_scale.numpy()), zero_point
    rounded = graph.add("DequantizeLinear", graph.add("QuantizeLinear", x.name, *around), *around)
    scale = layer.scale.numpy()
    held = (
        graph.constant(f"{name}weight", _unsigned(layer.weight.numpy())),
        graph.constant(f"{name}scale", scale),
        graph.constant(f"{name}weight_zero_point", np.full(scale.shape, 128, np.uint8)),
    )
    weight = graph.add("DequantizeLinear", *held, axis=0)
    bias = None if layer.bias is None else graph.constant(f"{name}bias", layer.bias.numpy())
    return _dense(graph, Value(rounded, x.axes), weight, bias)


def _unsigned(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return (array.astype(np.int16) + 128).astype(np.uint8)


def _sequential(graph: Graph, name: str, layer: nn.Sequential, x: Value) -> Value:
    for i, part in enumerate(layer):
        x = write(graph, f"{name}{i}.", part, x)
    return x


def _embedding(graph: Graph, name: str, layer: nn.Embedding, x: Value) -> Value:
    return Value(
        graph.add("Gather", graph.constant(f"{name}weight", layer.weight.numpy()), x.name), x.axes + 1
    )


LAYERS: dict[type, Write] = {
    nn.Sequential: _sequential,
    nn.Linear: _linear,
    nn.Embedding: _embedding,
    **activations.LAYERS,
    **normalization.LAYERS,
}


def write(graph: Graph, name: str, layer: nn.Module, x: Value) -> Value:
    """Write a layer into a graph; return what goes out of it. ``name`` is its dotted name with a dot behind it.

    Raises ConfigError MG-861 for a layer that is none of ``LAYERS`` and no ``QuantizedDense``: what another class
    computes in its ``forward`` cannot be seen from outside.
    """
    if type(layer) in LAYERS:
        return LAYERS[type(layer)](graph, name, layer, x)
    if isinstance(layer, QuantizedDense):
        return _quantized(graph, name, layer, x)
    raise refused(name, layer, _why_not(layer))


_STATE = "it takes a state beside x, and a file has one input. Use {}, which runs over the whole sequence."
_PAIR = "it compares two inputs, and a file has one. Export the network that makes them."
_LOSS = "it is a loss, which compares outputs with labels. Export the network in front of it."
_NO_FORWARD = "it only holds others and runs none of them. Put its parts into a Sequential."
_REASONS: dict[type, str] = {
    nn.RNNCell: _STATE.format("RNN"),
    nn.GRUCell: _STATE.format("GRU"),
    nn.LSTMCell: _STATE.format("LSTM"),
    nn.CosineSimilarity: _PAIR,
    nn.CosineEmbeddingLoss: _LOSS,
    **dict.fromkeys((nn.ModuleList, nn.ModuleDict, nn.ParameterList, nn.ParameterDict), _NO_FORWARD),
}


def _why_not(layer: nn.Module) -> str:
    if isinstance(layer, nn.Loss):
        return _LOSS
    if type(layer) in _REASONS:
        return _REASONS[type(layer)]
    known = ", ".join(kind.__name__ for kind in LAYERS)
    return f"it is none of {known}, and no dense layer of 8-bit integers. Build the network as a Sequential of these."


def model_of(
    model: nn.Module,
    sample: tuple[int | str, ...],
    *,
    scaling: Any = None,
    classes: bool = False,
    integers: bool = False,
    metadata: Mapping[str, str] | None = None,
) -> bytes:
    """Return a network as the bytes of an ONNX file, for any number of samples at a time.

    Parameters
    ----------
    model : a Sequential, or one layer of it, of the ``LAYERS``; as it is in evaluation.
    sample : the shape of one sample; a name for a length that may differ from call to call.
    scaling : a ``minigrad.data`` scaler, whose (x - offset) / scale comes first, in float64; None for none. The inputs
        are of its ``input_dtype``.
    classes : whether the outputs are logits. The file's first output is then called ``logits`` and a second one,
        ``probabilities``, is their softmax; otherwise the only one is called ``prediction``.
    integers : whether the inputs are ids (int64) instead of floats.
    metadata : what a user of the file should know, kept in it.

    Raises ConfigError MG-861 for a layer that cannot be written and MG-805 without the onnx package.
    """
    graph = Graph()
    types = graph.onnx.TensorProto
    kind = types.INT64 if integers else types.FLOAT
    x = Value(INPUT, 1 + len(sample))
    if scaling is not None:
        kind = types.DOUBLE if scaling.input_dtype == np.float64 else kind
        wide = graph.add("Cast", x.name, to=types.DOUBLE)
        centred = graph.add("Sub", wide, graph.constant("scaling.offset", scaling.offset))
        scaled = graph.add("Div", centred, graph.constant("scaling.scale", scaling.scale))
        x = Value(graph.add("Cast", scaled, to=types.FLOAT), x.axes)
    y = write(graph, "", model, x)
    first = "logits" if classes else "prediction"
    graph.add("Identity", y.name, name=first)
    outputs = [first]
    if classes:
        outputs.append(graph.add("Softmax", first, name="probabilities", axis=-1))
    return _assembled(graph, sample, y.axes, outputs, kind, dict(metadata or {}))


def _assembled(
    graph: Graph,
    sample: tuple[int | str, ...],
    axes: int,
    outputs: list[str],
    kind: int,
    metadata: dict[str, str],
) -> bytes:
    onnx = graph.onnx
    made = onnx.helper.make_graph(
        graph.nodes,
        "minigrad",
        [onnx.helper.make_tensor_value_info(INPUT, kind, ["samples", *sample])],
        [
            onnx.helper.make_tensor_value_info(
                name, onnx.TensorProto.FLOAT, ["samples", *(f"axis_{k}" for k in range(1, axes))]
            )
            for name in outputs
        ],
        [onnx.numpy_helper.from_array(array, name) for name, array in graph.constants.items()],
    )
    model = onnx.helper.make_model(
        made,
        producer_name="minigrad",
        producer_version=minigrad.__version__,
        opset_imports=[onnx.helper.make_opsetid("", OPERATORS)],
        ir_version=FORMAT,
    )
    onnx.helper.set_model_props(model, metadata)
    model = onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True)
    onnx.checker.check_model(model, full_check=True)
    content: bytes = model.SerializeToString(deterministic=True)
    return content
