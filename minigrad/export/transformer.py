"""Transformers as ONNX graphs: attention by its formula, since operator set 17 has no operator for it."""

from __future__ import annotations

import math

import numpy as np

from minigrad import nn, ops
from minigrad.export.activations import gelu
from minigrad.export.graph import LAYERS, write
from minigrad.export.positions import places
from minigrad.export.writing import Graph, Value, refused
from minigrad.nn.gpt import GPT, MLP, Block, CausalSelfAttention


def _heads(graph: Graph, name: str, qkv: str, heads: int, width: int, scale: float, causal: bool) -> str:
    """Attention of ``heads`` among positions, side by side: (samples, times, 3 · width) to (samples, times, width)."""
    shape = graph.constant(f"{name}heads", np.array([0, 0, heads, width // heads], np.int64))
    turns = ([0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3])
    parts = graph.split(qkv, [f"{name}{letter}" for letter in "qkv"], axis=-1)
    q, k, v = (
        graph.add("Transpose", graph.add("Reshape", part, shape), perm=perm)
        for part, perm in zip(parts, turns, strict=True)
    )
    scores = graph.add("Mul", graph.add("MatMul", q, k), graph.constant(f"{name}scale", np.float32(scale)))
    if causal:
        keys = places(graph, name, qkv, axis=1)
        queries = graph.add("Unsqueeze", keys, graph.constant(f"{name}axis", np.array([1], np.int64)))
        hidden = graph.constant(f"{name}hidden", np.float32(-np.inf))
        scores = graph.add("Where", graph.add("Less", queries, keys), hidden, scores)
    each = graph.add("MatMul", graph.add("Softmax", scores, axis=-1), v)
    whole = graph.constant(f"{name}width", np.array([0, 0, width], np.int64))
    return graph.add("Reshape", graph.add("Transpose", each, perm=[0, 2, 1, 3]), whole)


def _causal(graph: Graph, name: str, layer: CausalSelfAttention, x: Value) -> Value:
    qkv = write(graph, f"{name}c_attn.", layer.c_attn, x).name
    width = layer.c_proj.weight.shape[0]
    y = _heads(graph, name, qkv, layer.heads, width, layer.scale, causal=True)
    return write(graph, f"{name}c_proj.", layer.c_proj, Value(y, x.axes))


def _mlp(graph: Graph, name: str, layer: MLP, x: Value) -> Value:
    inner = write(graph, f"{name}c_fc.", layer.c_fc, x)
    y = gelu(graph, name, layer.gelu, inner.name)
    return write(graph, f"{name}c_proj.", layer.c_proj, Value(y, x.axes))


def _sum(graph: Graph, a: Value, b: Value) -> Value:
    return Value(graph.add("Add", a.name, b.name), a.axes)


def _block(graph: Graph, name: str, layer: Block, x: Value) -> Value:
    for norm, part in (("ln_1", "attn"), ("ln_2", "mlp")):
        normal = write(graph, f"{name}{norm}.", getattr(layer, norm), x)
        x = _sum(graph, x, write(graph, f"{name}{part}.", getattr(layer, part), normal))
    return x


def _gpt(graph: Graph, name: str, layer: GPT, x: Value) -> Value:
    tokens = write(graph, f"{name}wte.", layer.wte, x)
    there = write(graph, f"{name}wpe.", layer.wpe, Value(places(graph, name, x.name, axis=1), 1))
    y = _sum(graph, tokens, there)
    for i, block in enumerate(layer.h):
        y = write(graph, f"{name}h.{i}.", block, y)
    y = write(graph, f"{name}ln_f.", layer.ln_f, y)
    head = f"{name}wte.weight"
    if layer.lm_head is not None:
        head = graph.constant(f"{name}lm_head.weight", layer.lm_head.weight.numpy())
    return Value(graph.add("MatMul", y.name, graph.add("Transpose", head, perm=[1, 0])), y.axes)


def _self_attention(graph: Graph, name: str, layer: nn.MultiheadAttention, x: Value) -> Value:
    """Attention of x to itself, all of it seen, without the weights: what ``layer(x, x, x)[0]`` is."""
    if layer.in_proj_weight is None:
        raise refused(
            name,
            layer,
            f"its keys are {layer.kdim} and its values {layer.vdim} wide, so they are not its queries, of "
            f"{layer.embed_dim}, and a file has one input. With equal widths x is all three.",
        )
    if x.axes not in (2, 3):
        raise refused(name, layer, "it needs x of (samples, times, width), or (times, width).")
    turned = x.axes == 3 and not layer.batch_first
    y = graph.add("Transpose", x.name, perm=[1, 0, 2]) if turned else x.name
    if x.axes == 2:
        y = graph.add("Unsqueeze", y, graph.constant(f"{name}alone", np.array([0], np.int64)))
    weight = graph.constant(f"{name}in_proj_weight", layer.in_proj_weight.numpy())
    qkv = graph.add("MatMul", y, graph.add("Transpose", weight, perm=[1, 0]))
    if layer.in_proj_bias is not None:
        qkv = graph.add("Add", qkv, graph.constant(f"{name}in_proj_bias", layer.in_proj_bias.numpy()))
    width, heads = layer.embed_dim, layer.num_heads
    y = _heads(graph, name, qkv, heads, width, 1 / math.sqrt(width // heads), causal=False)
    y = write(graph, f"{name}out_proj.", layer.out_proj, Value(y, 3)).name
    if x.axes == 2:
        y = graph.add("Squeeze", y, f"{name}alone")
    return Value(graph.add("Transpose", y, perm=[1, 0, 2]) if turned else y, x.axes)


def _activated(graph: Graph, name: str, layer: nn.TransformerEncoderLayer, x: Value) -> Value:
    function = layer.activation
    if isinstance(function, nn.Module):
        return write(graph, f"{name}activation.", function, x)
    if function is ops.relu:
        return Value(graph.add("Relu", x.name), x.axes)
    if function is ops.gelu:
        return Value(gelu(graph, name, "none", x.name), x.axes)
    called = getattr(function, "__name__", repr(function))
    raise refused(
        name,
        layer,
        f"what its activation, {called}, computes cannot be seen from outside. "
        'Give it "relu", "gelu" or a layer, activation=nn.SiLU().',
    )


def _encoder_layer(graph: Graph, name: str, layer: nn.TransformerEncoderLayer, x: Value) -> Value:
    def attended(y: Value) -> Value:
        return write(graph, f"{name}self_attn.", layer.self_attn, y)

    def dense(y: Value) -> Value:
        inner = _activated(graph, name, layer, write(graph, f"{name}linear1.", layer.linear1, y))
        return write(graph, f"{name}linear2.", layer.linear2, inner)

    for norm, part in (("norm1", attended), ("norm2", dense)):
        normed = getattr(layer, norm)
        if layer.norm_first:
            x = _sum(graph, x, part(write(graph, f"{name}{norm}.", normed, x)))
        else:
            x = write(graph, f"{name}{norm}.", normed, _sum(graph, x, part(x)))
    return x


def _encoder(graph: Graph, name: str, layer: nn.TransformerEncoder, x: Value) -> Value:
    for i, part in enumerate(layer.layers):
        x = write(graph, f"{name}layers.{i}.", part, x)
    return x if layer.norm is None else write(graph, f"{name}norm.", layer.norm, x)


LAYERS.update({GPT: _gpt, Block: _block, CausalSelfAttention: _causal, MLP: _mlp})
LAYERS.update(
    {
        nn.MultiheadAttention: _self_attention,
        nn.TransformerEncoderLayer: _encoder_layer,
        nn.TransformerEncoder: _encoder,
    }
)
