"""The stepper has a formula with numbers for an entry of everything that a layer does, forwards and backwards."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.symbols import NoExpression
from minigrad.symbols.terms import worth
from minigrad.viz.explain import explain
from minigrad.viz.formulas import expression
from minigrad.viz.page_data import entries
from minigrad.viz.page_graph import answer
from minigrad.viz.trace import Backward, Forward, Trace
from tests.viz.test_page import data_of
from tests.viz.test_terminal import printed

RNG = np.random.default_rng(0)


def drawn(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape).astype("float32")


PICTURES, SIGNAL, SEQUENCE = drawn(2, 4, 5, 6), drawn(2, 4, 7), drawn(2, 3, 4)
IDS = np.array([[1, 3, 0], [2, 2, 1]])
CASES: dict[str, tuple[nn.Module, np.ndarray]] = {
    "Conv1d": (nn.Conv1d(4, 2, 3, padding=1, rng=RNG), SIGNAL),
    "Conv2d": (nn.Conv2d(4, 2, 3, stride=2, padding=1, groups=2, rng=RNG), PICTURES),
    "Conv2d, padded in a circle": (nn.Conv2d(4, 2, 3, padding=1, padding_mode="circular", rng=RNG), PICTURES),
    "ConvTranspose1d": (nn.ConvTranspose1d(4, 2, 3, stride=2, rng=RNG), SIGNAL),
    "ConvTranspose2d": (nn.ConvTranspose2d(4, 2, 3, padding=1, rng=RNG), PICTURES),
    "MaxPool1d": (nn.MaxPool1d(2), SIGNAL),
    "MaxPool2d": (nn.MaxPool2d(3, 2, padding=1), PICTURES),
    "AvgPool1d": (nn.AvgPool1d(3, 2), SIGNAL),
    "AvgPool2d": (nn.AvgPool2d(2, ceil_mode=True), PICTURES),
    "AdaptiveAvgPool1d": (nn.AdaptiveAvgPool1d(3), SIGNAL),
    "AdaptiveAvgPool2d": (nn.AdaptiveAvgPool2d((2, 4)), PICTURES),
    "LayerNorm": (nn.LayerNorm(4), SEQUENCE),
    "RMSNorm": (nn.RMSNorm(4), SEQUENCE),
    "GroupNorm": (nn.GroupNorm(2, 4), PICTURES),
    "BatchNorm1d": (nn.BatchNorm1d(4), SIGNAL),
    "BatchNorm2d": (nn.BatchNorm2d(4), PICTURES),
    "BatchNorm2d in evaluation": (nn.BatchNorm2d(4).eval(), PICTURES),
    "MultiheadAttention": (nn.MultiheadAttention(4, 2, batch_first=True, rng=RNG), SEQUENCE),
    "TransformerEncoderLayer": (
        nn.TransformerEncoderLayer(4, 2, 5, 0.0, "gelu", batch_first=True, rng=RNG),
        SEQUENCE,
    ),
    "GPT": (nn.GPT(5, 4, 1, 2, 4, rng=RNG), IDS),
    "Embedding": (nn.Embedding(5, 3, rng=RNG), IDS),
    **{
        f"{kind.__name__}{', both directions' * both}": (
            kind(4, 3, batch_first=True, bidirectional=both, rng=RNG),
            SEQUENCE,
        )
        for kind in (nn.RNN, nn.GRU, nn.LSTM)
        for both in (False, True)
    },
    **{
        kind.__name__: (kind(4, 3, rng=RNG), SEQUENCE[:, 0]) for kind in (nn.RNNCell, nn.GRUCell, nn.LSTMCell)
    },
    "LearnedPositions": (nn.LearnedPositions(3, 4, rng=RNG), SEQUENCE),
    "SinusoidalPositions": (nn.SinusoidalPositions(3, 4), SEQUENCE),
    "RotaryPositions": (nn.RotaryPositions(4), SEQUENCE),
    "SiLU": (nn.SiLU(), SEQUENCE),
    "ELU": (nn.ELU(), SEQUENCE),
    "Softplus": (nn.Softplus(), SEQUENCE),
    "Hardtanh": (nn.Hardtanh(), SEQUENCE),
    "GLU": (nn.GLU(), SEQUENCE),
    "PReLU": (nn.PReLU(), SEQUENCE),
}


def recorded(name: str) -> Trace:
    layer, x = CASES[name]
    given: Any = x if x.dtype.kind == "i" else mg.Tensor(x, requires_grad=True, name="x")
    weights: dict[tuple[int, ...], np.ndarray] = {}

    def step() -> None:
        y = layer(given, given, given) if isinstance(layer, nn.MultiheadAttention) else layer(given)
        y = y[0] if isinstance(y, tuple) else y
        g = weights.setdefault(y.shape, drawn(*y.shape))
        loss = (y * g).sum()
        loss.backward()

    return mg.record(step)


@pytest.mark.parametrize("name", CASES)
def test_an_entry_of_everything_that_happens_has_a_formula_with_its_numbers(name: str) -> None:
    trace = recorded(name)
    for event in trace.events:
        if not isinstance(event, (Forward, Backward)):
            continue
        part = answer(trace, event) if isinstance(event, Forward) else event.contribution
        operation = trace.nodes[event.node].operation
        for flat in {0, part.size // 2, part.size - 1}:
            index = tuple(int(i) for i in np.unravel_index(flat, part.shape))
            where = f"{event.kind} of {operation}, entry {index}"
            try:
                tree = expression(trace, event, index)
            except NoExpression as error:
                raise AssertionError(f"{where}: {error}") from error
            size = max(1.0, float(np.abs(part).max()))
            assert abs(float(worth(tree)) - float(part[index])) <= 1e-5 * size, where
            found = explain(trace, event, index)
            assert found.symbols, where
            assert "=" in found.numbers, where


@pytest.mark.parametrize("name", ["Conv2d", "MaxPool2d", "RNNCell"])
def test_the_page_and_the_terminal_say_what_explain_says(name: str) -> None:
    trace = recorded(name)
    told = data_of(trace.html())["events"]
    for k, event in enumerate(trace.events):
        if not isinstance(event, (Forward, Backward)):
            continue
        index = entries(trace, event)[0]
        found = explain(trace, event, index)
        assert told[k]["explanations"][",".join(map(str, index))][:2] == list(found)
        said = printed(trace, k, width=2000)
        assert found.symbols in said
        assert found.numbers in said
