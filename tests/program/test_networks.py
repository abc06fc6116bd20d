"""Recurrent nets, attention, running statistics, tables of rows: compiled steps have the bits of eager ones."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest
from minigrad_kernels.launch import reference_only

import minigrad as mg
from minigrad import nn, optim
from minigrad.errors import DataError, LabelError, MinigradError, ShapeError

STEPS, SAMPLES, TIMES, IDS = 20, 3, 5, 11


class Reader(nn.Module):
    """A recurrent net over characters that goes on where the batch before stopped."""

    def __init__(self, kind: Callable[..., nn.Module], **options: Any) -> None:
        rng = np.random.default_rng(1)
        self.table = nn.Embedding(IDS, 6, rng=rng)
        self.layers = kind(6, 6, batch_first=True, rng=rng, **options)
        self.head = nn.Linear(6 * (1 + options.get("bidirectional", False)), IDS, rng=rng)
        self.carried: Any = None

    def forward(self, ids: Any) -> Any:
        y, state = self.layers(self.table(ids), self.carried)
        self.carried = tuple(s.detach() for s in state) if isinstance(state, tuple) else state.detach()
        return self.head(y.reshape((-1, y.shape[2])))


class Attending(nn.Module):
    """Attention with dropout over rows of a table."""

    def __init__(self) -> None:
        rng = np.random.default_rng(1)
        self.table = nn.Embedding(IDS, 8, rng=rng)
        self.attention = nn.MultiheadAttention(8, 2, dropout=0.3, batch_first=True, rng=rng)
        self.head = nn.Linear(8, IDS, rng=rng)

    def forward(self, ids: Any) -> Any:
        x = self.table(ids)
        y, _ = self.attention(x, x, x, need_weights=False)
        return self.head(y.reshape((-1, 8)))


def gpt() -> nn.Module:
    options: dict[str, Any] = {"block_size": TIMES, "n_layer": 2, "n_head": 2, "n_embd": 8, "dropout": 0.2}
    return nn.GPT(IDS, **options, rng=np.random.default_rng(1))


def dense(*between: nn.Module, **options: Any) -> nn.Module:
    rng = np.random.default_rng(1)
    return nn.Sequential(nn.Linear(TIMES, 6, rng=rng), *between, nn.ReLU(), nn.Linear(6, IDS, rng=rng))


def pictures() -> nn.Module:
    """A step with every form of convolution and pooling of pictures: strides, groups, a transpose."""
    rng = np.random.default_rng(1)
    return nn.Sequential(
        nn.Linear(TIMES, 2 * 8 * 8, rng=rng), nn.Unflatten(1, (2, 8, 8)),
        nn.Conv2d(2, 6, 3, padding=1, rng=rng), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 4, 3, stride=2, groups=2, padding=1, rng=rng), nn.ReLU(),
        nn.ConvTranspose2d(4, 3, 2, stride=2, rng=rng), nn.AvgPool2d(2),
        nn.Flatten(), nn.Linear(3 * 2 * 2, IDS, rng=rng),
    )  # fmt: skip


def rows() -> nn.Module:
    """The same of rows."""
    rng = np.random.default_rng(1)
    return nn.Sequential(
        nn.Linear(TIMES, 3 * 16, rng=rng), nn.Unflatten(1, (3, 16)),
        nn.Conv1d(3, 4, 5, padding="same", bias=False, rng=rng), nn.ReLU(), nn.MaxPool1d(2),
        nn.ConvTranspose1d(4, 8, 3, stride=2, rng=rng), nn.Tanh(), nn.Conv1d(8, 1, 3, dilation=2, rng=rng),
        nn.Flatten(), nn.Linear(13, IDS, rng=rng),
    )  # fmt: skip


READERS: dict[str, Callable[[], nn.Module]] = {
    "rnn": lambda: Reader(nn.RNN, num_layers=2, dropout=0.3),
    "rnn, relu": lambda: Reader(nn.RNN, nonlinearity="relu"),
    "gru": lambda: Reader(nn.GRU),
    "lstm": lambda: Reader(nn.LSTM, num_layers=2, dropout=0.3),
    "lstm, both directions": lambda: Reader(nn.LSTM, bidirectional=True),
    "attention": Attending,
    "gpt": gpt,
}
OTHERS: dict[str, Callable[[], nn.Module]] = {
    "running statistics": lambda: dense(nn.BatchNorm1d(6)),
    "mean of all statistics": lambda: dense(nn.BatchNorm1d(6, momentum=None)),
    "rms": lambda: dense(nn.RMSNorm(6)),
    "groups": lambda: dense(nn.GroupNorm(2, 6)),
    "dropout": lambda: dense(nn.Dropout(0.5)),
    "convolutions": pictures,
    "convolutions of float64": lambda: pictures().to("float64"),
    "convolutions of rows": rows,
}


def trained(
    make: Callable[[], nn.Module], reads: bool, compiled: bool
) -> tuple[list[Any], dict[str, Any], Any]:
    rng = np.random.default_rng(3)
    model, chance = make(), np.random.default_rng(5)
    dtype = next(iter(model.parameters())).dtype
    nn.seed_dropout(model, chance)
    optimizer = optim.Adam(model, 0.01, max_norm=1.0)

    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        logits = model(mg.Tensor(x))
        loss = nn.cross_entropy(logits.reshape((-1, IDS)), y.reshape(-1))
        loss.backward()
        optimizer.step()
        return loss

    step = mg.compile(step) if compiled else step
    losses = []
    for _ in range(STEPS):
        x = (
            rng.integers(0, IDS, (SAMPLES, TIMES))
            if reads
            else rng.standard_normal((SAMPLES, TIMES)).astype(dtype)
        )
        losses.append(step(x, rng.integers(0, IDS, (SAMPLES, TIMES) if reads else SAMPLES)).item())
    return losses, model.state_dict(), chance.bit_generator.state


@pytest.mark.parametrize("name", [*READERS, *OTHERS])
def test_a_compiled_step_has_the_bits_of_the_eager_one(name: str):
    make = {**READERS, **OTHERS}[name]
    losses, weights, state = trained(make, name in READERS, False)
    replayed, others, state_after = trained(make, name in READERS, True)
    assert replayed == losses
    assert state_after == state
    for key, array in weights.items():
        np.testing.assert_array_equal(others[key], array, err_msg=key)


@pytest.mark.parametrize(
    "name", ["lstm, both directions", "gpt", "running statistics", "convolutions", "convolutions of rows"]
)
def test_nothing_but_numbers_for_the_optimizer_is_left_to_python(name: str):
    """All kernels, copies and checks between the coefficients and the end are lines of one table."""
    make = {**READERS, **OTHERS}[name]
    model, rng = make(), np.random.default_rng(0)
    nn.seed_dropout(model, rng)
    optimizer = optim.Adam(model, 0.01)

    @mg.compile
    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        loss = nn.cross_entropy(model(mg.Tensor(x)).reshape((-1, IDS)), y.reshape(-1))
        loss.backward()
        optimizer.step()
        return loss

    reads = name in READERS
    for _ in range(3):  # from the second on a state is carried
        x = (
            rng.integers(0, IDS, (SAMPLES, TIMES))
            if reads
            else rng.standard_normal((SAMPLES, TIMES)).astype("f")
        )
        step(x, rng.integers(0, IDS, (SAMPLES, TIMES) if reads else SAMPLES))
    lines = step.program.native.splitlines()[1:]
    host = re.compile(
        r"coefficients|\S+\.random\(|v\d+ = \S+\.integers\(|v\d+\[\.\.\.\] = np\.asarray|\S+\.t \+= 1|return|$| "
    )
    python = [line.strip() for line in lines if not line.strip().startswith("drive(")]
    assert not [line for line in python if not host.match(line)], python
    assert sum("drive(" in line for line in lines) <= 4


def test_a_state_that_is_a_tuple_is_carried_on_until_it_is_forgotten():
    """By hand: h goes to 1 + h, 2 + h ..., c to 2 c."""

    class Counter(nn.Module):
        def __init__(self) -> None:
            self.state: Any = None

        def forward(self, x: Any) -> Any:
            h, c = self.state or (mg.Tensor(np.zeros(1)), mg.Tensor(np.ones(1)))
            self.state = h + x, c * 2
            return self.state[0] + self.state[1]

    counter = Counter()
    step = mg.compile(counter)
    for _ in range(2):
        counter.state = None
        assert [step(np.ones(1)).numpy().tolist() for _ in range(4)] == [[3], [6], [11], [20]]
    assert [part.numpy().tolist() for part in counter.state] == [[4], [16]]
    assert step.why().count("made for") == 2
    assert "state is a tuple, not None" in step.why()
    counter.state = (*counter.state, 1)  # another form, with which the eager step cannot do anything either
    with pytest.raises(ValueError, match="too many values"):
        step(np.ones(1))


# -- what is looked at by numbers in every step -----------------------------------------------------------

probabilities = np.array([0.25, 0.5])
CHECKS: dict[str, tuple[Callable[[Any], Any], Any, Any, type[MinigradError], str]] = {
    "an id too large": (nn.Embedding(4, 2), np.array([0, 3]), np.array([0, 4]), ShapeError, "MG-106 .*found 4"),
    "a negative id": (nn.Embedding(4, 2), np.array([0, 3]), np.array([-1, 0]), ShapeError, "MG-106 .*found -1"),
    "a negative label": (
        lambda y: nn.cross_entropy(mg.Tensor(np.zeros((2, 3))), y, label_smoothing=0.1),
        np.array([0, 2]), np.array([1, -2]), LabelError, "MG-402 .*found -2 at index 1",
    ),
    "no probability": (
        lambda p: nn.binary_cross_entropy(mg.Tensor(p), np.ones(2)),
        probabilities, probabilities * 4, DataError, "MG-523 .*found 2 at index",
    ),
    "a negative choice": (
        lambda k: np.choose(mg.Tensor(k), [mg.Tensor(np.zeros(2)), mg.Tensor(np.ones(2))]),
        np.array([0, 1]), np.array([0, -1]), ShapeError, "MG-103 choose: an index is negative",
    ),
    "weights that sum to 0": (
        lambda w: np.average(mg.Tensor(np.ones(2)), weights=mg.Tensor(w)),
        np.ones(2), np.zeros(2), MinigradError, "MG-614",
    ),
    "weights below 0": (
        lambda w: np.cov(mg.Tensor(np.eye(2)), aweights=mg.Tensor(w)),
        np.ones(2), -np.ones(2), MinigradError, "MG-215 .*-1.0 was given",
    ),
}  # fmt: skip


@pytest.mark.parametrize("calls", [0, 1, 3])
@pytest.mark.parametrize("name", CHECKS)
@pytest.mark.parametrize("block", [nullcontext, reference_only])
def test_what_is_wrong_is_found_in_a_replay_too(name: str, calls: int, block: Any):
    function, good, bad, kind, message = CHECKS[name]
    with block():
        step = mg.compile(lambda x: function(x))
        for _ in range(calls):
            step(good)
        with pytest.raises(kind, match=message):
            step(bad)
        np.testing.assert_array_equal(step(good).numpy(), function(good).numpy())
    assert step.why().count("made for") == 1
