"""Convolution, recurrence, attention and a GPT from single operations: the numbers are PyTorch's."""

from __future__ import annotations

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from tests.programs.both import OPTIMIZERS, agree, drawn, torch

F = torch.nn.functional
RNG = np.random.default_rng(7)


@pytest.mark.parametrize("optimizer", sorted(OPTIMIZERS))
@pytest.mark.parametrize("stride", [1, 2])
def test_a_convolution_by_windows(stride, optimizer):
    x, y = RNG.normal(size=(6, 2, 7, 7)), RNG.integers(0, 3, size=6)
    side = (7 - 3) // stride + 1
    start = drawn(0, kernel=(4, 2, 3, 3), bias=(4,), w=(4 * side * side, 3))

    def ours(p):
        windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(2, 3))[:, :, ::stride, ::stride]
        h = np.einsum("ncijkl,ockl->noij", windows, p["kernel"]) + p["bias"].reshape(1, -1, 1, 1)
        return nn.cross_entropy(h.relu().reshape(6, -1) @ p["w"], y)

    def theirs(q):
        h = F.conv2d(torch.tensor(x), q["kernel"], q["bias"], stride=stride).relu()
        return F.cross_entropy(h.flatten(1) @ q["w"], torch.tensor(y))

    agree(start, ours, theirs, optimizer)


def test_a_convolution_by_shifts_and_max_pooling():
    x, y = RNG.normal(size=(5, 1, 8, 8)), RNG.normal(size=(5, 9 * 3))
    start = drawn(1, kernel=(3, 1, 3, 3))

    def ours(p):
        k = p["kernel"]
        h = sum(
            x[:, :, i : i + 6, j : j + 6] * k[:, 0, i, j].reshape(1, -1, 1, 1)
            for i in range(3)
            for j in range(3)
        )
        pooled = h.reshape(5, 3, 3, 2, 3, 2).max(axis=(3, 5))
        return ((pooled.reshape(5, -1) - y) ** 2).mean()

    def theirs(q):
        pooled = F.max_pool2d(F.conv2d(torch.tensor(x), q["kernel"]), 2)
        return F.mse_loss(pooled.flatten(1), torch.tensor(y))

    agree(start, ours, theirs)


@pytest.mark.parametrize("optimizer", sorted(OPTIMIZERS))
def test_an_elman_network(optimizer):
    x, y = RNG.normal(size=(4, 6, 3)), RNG.normal(size=(4, 2))
    start = drawn(2, wx=(3, 5), wh=(5, 5), b=(5,), wo=(5, 2))

    def program(p, x, y, zeros, tanh):
        h = zeros
        for t in range(6):
            h = tanh(x[:, t] @ p["wx"] + h @ p["wh"] + p["b"])
        return ((h @ p["wo"] - y) ** 2).mean()

    agree(
        start,
        lambda p: program(p, x, y, np.zeros((4, 5)), np.tanh),
        lambda q: program(
            q, torch.tensor(x), torch.tensor(y), torch.zeros(4, 5, dtype=torch.float64), torch.tanh
        ),
        optimizer,
    )


def test_an_lstm_equals_torch_lstm():
    x, y = RNG.normal(size=(4, 5, 3)), RNG.normal(size=(4, 6))
    start = drawn(3, wi=(24, 3), wh=(24, 6), b=(24,))

    def ours(p):
        h = c = np.zeros((4, 6))
        for t in range(5):
            i, f, g, o = np.split(x[:, t] @ p["wi"].T + h @ p["wh"].T + p["b"], 4, axis=1)
            c = f.sigmoid() * c + i.sigmoid() * np.tanh(g)
            h = o.sigmoid() * np.tanh(c)
        return ((h - y) ** 2).sum()

    def theirs(q):
        lstm = torch.nn.LSTM(3, 6, batch_first=True, dtype=torch.float64)
        weights = {
            "weight_ih_l0": q["wi"],
            "weight_hh_l0": q["wh"],
            "bias_ih_l0": q["b"],
            "bias_hh_l0": torch.zeros(24, dtype=torch.float64),
        }
        _, (h, _) = torch.func.functional_call(lstm, weights, torch.tensor(x))
        return ((h[0] - torch.tensor(y)) ** 2).sum()

    agree(start, ours, theirs)


def attention(x, p, mask, heads):
    """Attention of several heads, (n, t, d) to (n, t, d); ``mask`` is 0 or -inf."""
    n, t, d = x.shape
    q, k, v = (
        a.reshape(n, t, heads, d // heads).transpose(0, 2, 1, 3) for a in np.split(x @ p["qkv"], 3, axis=-1)
    )
    scores = q @ k.swapaxes(-1, -2) / np.sqrt(d // heads) + mask
    return (mg.ops.softmax(scores, axis=-1) @ v).transpose(0, 2, 1, 3).reshape(n, t, d) @ p["out"]


def attention_theirs(x, q, heads):
    n, t, d = x.shape
    query, key, value = (
        a.reshape(n, t, heads, d // heads).transpose(1, 2) for a in (x @ q["qkv"]).chunk(3, dim=-1)
    )
    y = F.scaled_dot_product_attention(query, key, value, is_causal=True)
    return y.transpose(1, 2).reshape(n, t, d) @ q["out"]


def test_causal_attention_equals_torch_attention():
    x, y = RNG.normal(size=(3, 5, 8)), RNG.normal(size=(3, 5, 8))
    start = drawn(4, qkv=(8, 24), out=(8, 8))
    mask = np.triu(np.full((5, 5), -np.inf), k=1)
    agree(
        start,
        lambda p: ((attention(x, p, mask, 2) - y) ** 2).mean(),
        lambda q: ((attention_theirs(torch.tensor(x), q, 2) - torch.tensor(y)) ** 2).mean(),
    )


@pytest.mark.parametrize("optimizer", sorted(OPTIMIZERS))
def test_a_gpt(optimizer):
    vocabulary, t, d = 7, 6, 8
    tokens, following = RNG.integers(0, vocabulary, size=(3, t)), RNG.integers(0, vocabulary, size=(3, t))
    start = drawn(
        5,
        token=(vocabulary, d),
        place=(t, d),
        gain1=(d,),
        shift1=(d,),
        qkv=(d, 3 * d),
        out=(d, d),
        gain2=(d,),
        shift2=(d,),
        up=(d, 4 * d),
        down=(4 * d, d),
        head=(d, vocabulary),
    )

    def norm(x, gain, shift):
        centred = x - x.mean(axis=-1, keepdims=True)
        return centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-5) * gain + shift

    def ours(p):
        mask = np.where(np.tril(np.ones((t, t))) == 0, -np.inf, 0.0)
        x = p["token"][tokens] + p["place"]
        x += attention(norm(x, p["gain1"], p["shift1"]), p, mask, 2)
        x += (norm(x, p["gain2"], p["shift2"]) @ p["up"]).gelu() @ p["down"]
        return nn.cross_entropy((x @ p["head"]).reshape(-1, vocabulary), following.reshape(-1))

    def theirs(q):
        x = q["token"][torch.tensor(tokens)] + q["place"]
        x = x + attention_theirs(F.layer_norm(x, (d,), q["gain1"], q["shift1"]), q, 2)
        x = x + F.gelu(F.layer_norm(x, (d,), q["gain2"], q["shift2"]) @ q["up"]) @ q["down"]
        return F.cross_entropy((x @ q["head"]).reshape(-1, vocabulary), torch.tensor(following).reshape(-1))

    agree(start, ours, theirs, optimizer)
