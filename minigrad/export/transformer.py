"""A GPT as an ONNX graph: attention by its formula, since operator set 17 has no operator for it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.export.graph import LAYERS, write
from minigrad.export.writing import Graph, Value
from minigrad.nn.gpt import GPT, MLP, Block, CausalSelfAttention


def _positions(graph: Graph, name: str, x: Value) -> str:
    """The numbers 0 … n - 1, n the length of axis 1."""
    length = graph.add("Squeeze", graph.add("Shape", x.name, start=1, end=2))
    zero, one = (graph.constant(f"{name}{word}", np.int64(n)) for word, n in (("zero", 0), ("one", 1)))
    return graph.add("Range", zero, length, one)


def _attention(graph: Graph, name: str, layer: CausalSelfAttention, x: Value) -> Value:
    width = layer.c_proj.weight.shape[0]
    shape = graph.constant(f"{name}heads", np.array([0, 0, layer.heads, width // layer.heads], np.int64))
    parts = graph.constant(f"{name}parts", np.array([width] * 3, np.int64))
    qkv = write(graph, f"{name}c_attn.", layer.c_attn, x).name
    split = [f"{name}{letter}" for letter in "qkv"]
    graph.nodes.append(
        graph.onnx.helper.make_node("Split", [qkv, parts], split, name=f"{name}split", axis=-1)
    )
    turns = ([0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3])
    q, k, v = (
        graph.add("Transpose", graph.add("Reshape", part, shape), perm=perm)
        for part, perm in zip(split, turns, strict=True)
    )
    scale = graph.constant(f"{name}scale", np.float32(layer.scale))
    hidden = graph.constant(f"{name}hidden", np.float32(-np.inf))
    axis = graph.constant(f"{name}axis", np.array([1], np.int64))
    keys = _positions(graph, name, x)
    later = graph.add("Less", graph.add("Unsqueeze", keys, axis), keys)
    scores = graph.add("Where", later, hidden, graph.add("Mul", graph.add("MatMul", q, k), scale))
    heads = graph.add("MatMul", graph.add("Softmax", scores, axis=-1), v)
    whole = graph.constant(f"{name}width", np.array([0, 0, width], np.int64))
    y = graph.add("Reshape", graph.add("Transpose", heads, perm=[0, 2, 1, 3]), whole)
    return write(graph, f"{name}c_proj.", layer.c_proj, Value(y, x.axes))


def _gelu(graph: Graph, name: str, approximate: str, x: str) -> str:
    """X/2 · (1 + f(x)), f as the GPT's GELU has it."""

    def number(word: str, value: float) -> str:
        return graph.constant(f"{name}{word}", np.float32(value))

    if approximate == "tanh":
        cubic = graph.add("Mul", graph.add("Mul", x, x), number("cubic", 0.044715))
        inner = graph.add("Mul", x, graph.add("Add", cubic, number("one", 1)))
        f = graph.add("Tanh", graph.add("Mul", inner, number("root", math.sqrt(2 / math.pi))))
    else:
        f = graph.add("Erf", graph.add("Mul", x, number("root", math.sqrt(0.5))))
    half = graph.add("Mul", x, number("half", 0.5))
    return graph.add("Mul", half, graph.add("Add", f, number("one", 1)))


def _mlp(graph: Graph, name: str, layer: MLP, x: Value) -> Value:
    inner = write(graph, f"{name}c_fc.", layer.c_fc, x)
    y = _gelu(graph, name, layer.gelu, inner.name)
    return write(graph, f"{name}c_proj.", layer.c_proj, Value(y, x.axes))


def _block(graph: Graph, name: str, layer: Block, x: Value) -> Value:
    for norm, part in (("ln_1", "attn"), ("ln_2", "mlp")):
        normal = write(graph, f"{name}{norm}.", getattr(layer, norm), x)
        added = write(graph, f"{name}{part}.", getattr(layer, part), normal)
        x = Value(graph.add("Add", x.name, added.name), x.axes)
    return x


def _gpt(graph: Graph, name: str, layer: GPT, x: Value) -> Value:
    places = Value(_positions(graph, name, x), 1)
    tokens: Any = write(graph, f"{name}wte.", layer.wte, x)
    there = write(graph, f"{name}wpe.", layer.wpe, places)
    x = Value(graph.add("Add", tokens.name, there.name), tokens.axes)
    for i, block in enumerate(layer.h):
        x = write(graph, f"{name}h.{i}.", block, x)
    x = write(graph, f"{name}ln_f.", layer.ln_f, x)
    head = f"{name}wte.weight"
    if layer.lm_head is not None:
        head = graph.constant(f"{name}lm_head.weight", layer.lm_head.weight.numpy())
    return Value(graph.add("MatMul", x.name, graph.add("Transpose", head, perm=[1, 0])), x.axes)


LAYERS.update({GPT: _gpt, Block: _block, CausalSelfAttention: _attention, MLP: _mlp})
