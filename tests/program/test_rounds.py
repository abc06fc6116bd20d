"""Many batches as one call of the driver: what comes out is what the eager step gives, batch after batch."""

from __future__ import annotations

import signal
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim
from minigrad.data import DataLoader, Dataset
from minigrad.errors import ConfigError, LabelError, MinigradWarning
from minigrad.program import verifying

SAMPLES = 150
rng = np.random.default_rng(7)
X, Y = rng.standard_normal((SAMPLES, 6)).astype("f"), rng.integers(0, 4, SAMPLES)


def step_of(optimizer: Any, p: float = 0.0, layers: int = 1) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(0)
    hidden = [nn.Linear(6, 5, rng=rng), nn.ReLU()]
    for _ in range(layers):
        hidden += [nn.Dropout(p, rng)] if p else []
    model = nn.Sequential(*hidden, nn.Linear(5, 4, rng=rng))
    opt, loss_of = optimizer(model), nn.CrossEntropyLoss()

    def step(x, y):
        opt.zero_grad()
        loss = loss_of(model(mg.Tensor(x)), y)
        loss.backward()
        opt.step()
        return loss

    return step, model, opt


def bits(model: Any, opt: Any) -> list[Any]:
    state = [array for each in opt.state.values() for array in each.values()]
    return [
        *(p.numpy().tobytes() for p in model.parameters()),
        *(a.tobytes() for a in state),
        opt.t,
        opt.last_rate,
    ]


def batches(kind: str, size: int) -> Any:
    if kind == "list":
        return [(X[i : i + size], Y[i : i + size]) for i in range(0, SAMPLES, size)]
    if kind == "generator":
        return (pair for pair in batches("list", size))
    return DataLoader(Dataset(X, Y, name="a"), size, np.random.default_rng(3) if kind == "shuffled" else None)


OPTIMIZERS = {
    "sgd": lambda m: optim.SGD(m, lr=0.1),
    "adam": lambda m: optim.Adam(m, lr=0.01),
    "nadam": lambda m: optim.NAdam(m, lr=0.01),
    "scheduled": lambda m: optim.SGD(m, lr=optim.Cosine(0.1, steps=1000), momentum=0.9),
    "lambda": lambda m: optim.SGD(m, lr=lambda t: 0.1 / (1 + t)),
}
KINDS = ("list", "generator", "in order", "shuffled")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("size", [1, 4])  # of which 4 leaves a smaller last batch
def test_rounds_are_the_eager_steps(name, kind, size):
    step, model, opt = step_of(OPTIMIZERS[name])
    other, eager, theirs = step_of(OPTIMIZERS[name])
    compiled = mg.compile(step)
    for _ in range(3):
        found = compiled.over(batches(kind, size))
        assert [each.item() for each in found] == [other(*each).item() for each in batches(kind, size)]
        assert bits(model, opt) == bits(eager, theirs)
    assert compiled.program.rounds is None or name != "lambda"
    x, y = X[:size], Y[:size]
    assert compiled(x, y).item() == other(x, y).item()  # and one by itself, afterwards
    assert bits(model, opt) == bits(eager, theirs)


@pytest.mark.parametrize("layers", [1, 2])  # of dropout, which share a generator
def test_rounds_draw_what_steps_draw(layers):
    step, model, opt = step_of(OPTIMIZERS["adam"], p=0.4, layers=layers)
    other, eager, theirs = step_of(OPTIMIZERS["adam"], p=0.4, layers=layers)
    compiled = mg.compile(step)
    for _ in range(3):
        found = compiled.over(batches("shuffled", 1))
        assert [each.item() for each in found] == [other(*each).item() for each in batches("shuffled", 1)]
    assert compiled.program.rounds is not None
    assert bits(model, opt) == bits(eager, theirs)
    states = [m.layers[2].rng.bit_generator.state for m in (model, eager)]
    assert states[0] == states[1]


@pytest.mark.parametrize("bad", [30, 100, SAMPLES - 1])
@pytest.mark.parametrize("p", [0.0, 0.4])
def test_a_round_that_fails_leaves_those_before_it(bad, p):
    labels = Y.copy()
    labels[bad] = 9
    given = [(X[i : i + 1], labels[i : i + 1]) for i in range(SAMPLES)]
    step, model, opt = step_of(OPTIMIZERS["adam"], p=p)
    other, eager, theirs = step_of(OPTIMIZERS["adam"], p=p)
    compiled = mg.compile(step)
    compiled.over(given[:20])
    with pytest.raises(LabelError):
        compiled.over(given)
    for each in (*given[:20], *given[:bad]):
        other(*each)
    assert bits(model, opt) == bits(eager, theirs)
    assert compiled(*given[0]).item() == other(*given[0]).item()  # also of the generator


def test_a_rate_that_is_none_ends_the_rounds_where_its_step_would():
    class Ends(optim.schedules.Schedule):
        def __call__(self, step):
            return 0.1 if step < 70 else -1.0

    step, model, opt = step_of(lambda m: optim.SGD(m, lr=Ends()))
    other, eager, theirs = step_of(lambda m: optim.SGD(m, lr=0.1))
    with pytest.raises(ConfigError, match="MG-507"):
        mg.compile(step).over(batches("list", 1))
    for each in batches("list", 1)[:70]:
        other(*each)
    assert bits(model, opt) == bits(eager, theirs)


def test_a_loss_that_is_infinite_is_told_at_its_step():
    x = X.copy()
    x[100] = np.inf
    step, _, opt = step_of(OPTIMIZERS["sgd"])
    with pytest.warns(MinigradWarning, match="MG-408 .*step 101"):
        mg.compile(step).over([(x[i : i + 1], Y[i : i + 1]) for i in range(SAMPLES)])
    assert opt.t == SAMPLES


def test_an_interruption_falls_between_two_rounds():
    step, model, opt = step_of(OPTIMIZERS["adam"])
    other, eager, theirs = step_of(OPTIMIZERS["adam"])
    compiled = mg.compile(step, verify=False)
    data = batches("list", 1)
    compiled.over(data)
    for each in data:
        other(*each)
    before = signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGINT))
    interrupted = 0
    try:
        for k in range(60):
            try:
                signal.setitimer(signal.ITIMER_REAL, 1e-4 * (1 + k % 7))
                compiled.over(data)
                signal.setitimer(signal.ITIMER_REAL, 0)
            except KeyboardInterrupt:
                interrupted += 1
            for i in range(opt.t - theirs.t):
                other(*data[i])
            assert bits(model, opt) == bits(eager, theirs)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert interrupted


def test_progress_sees_the_results_so_far_and_may_change_settings():
    step, model, opt = step_of(OPTIMIZERS["sgd"])
    seen = []

    def progress(results):
        seen.append(len(results))
        opt.lr = 0.05

    compiled = mg.compile(step)
    results = compiled.over(batches("list", 1), progress)
    assert seen[-1] == len(results) == SAMPLES
    other, eager, _ = step_of(lambda m: optim.SGD(m, lr=0.05))
    for p, q in zip(model.parameters(), eager.parameters(), strict=True):
        q.data[...] = p.numpy()
    assert [r.item() for r in compiled.over(batches("list", 1))] == [
        other(*b).item() for b in batches("list", 1)
    ]


def test_results_are_a_sequence():
    step, _, _ = step_of(OPTIMIZERS["sgd"])
    results = mg.compile(step).over(batches("in order", 1))
    losses = [each.item() for each in results]
    assert len(losses) == len(results) == SAMPLES
    assert [results[k].item() for k in range(-SAMPLES, SAMPLES)] == losses + losses
    assert [each.item() for each in results[140:]] == losses[140:]
    with pytest.raises(IndexError):
        results[SAMPLES]


def test_a_generator_is_asked_for_a_batch_when_its_turn_comes():
    step, _, opt = step_of(OPTIMIZERS["sgd"])
    compiled = mg.compile(step)
    counts = []

    def given():
        for each in batches("list", 1):
            counts.append(opt.t)
            yield each

    compiled.over(given())
    assert counts == list(range(SAMPLES))


def test_every_batch_is_compared_that_would_be(monkeypatch):
    step, _, opt = step_of(OPTIMIZERS["sgd"])
    compared = []
    run = verifying.run

    def counted(*args):
        compared.append(opt.t + 1)
        return run(*args)

    monkeypatch.setattr(verifying, "run", counted)
    mg.compile(step).over(batches("list", 1))
    assert compared == [2, 3, 4, 8, 16, 32, 64, 128]


LOSSES = {
    "mse": nn.MSELoss(),
    "l1": nn.L1Loss(),
    "huber": nn.HuberLoss(),
    "smooth l1": nn.SmoothL1Loss(),
    "with logits": nn.BCEWithLogitsLoss(),
    "bce": lambda z, y: nn.BCELoss()(mg.ops.sigmoid(z), y),
    "divergence": lambda z, y: nn.KLDivLoss(reduction="batchmean")(mg.ops.log_softmax(z, 1), y),
    "by hand": lambda z, y: ((z - y) ** 2).sum(axis=1).mean() + 1e-3 * abs(z).max(axis=1).sum(),
}


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("samples", [1, 16, 200])
@pytest.mark.parametrize("outputs", [1, 3])
def test_every_loss_has_rounds_with_its_bits(name, samples, outputs):
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((samples, 2)).astype("f"), rng.random((samples, outputs)).astype("f")

    def made() -> Any:
        rng = np.random.default_rng(1)
        model = nn.Sequential(nn.Linear(2, 4, rng=rng), nn.Tanh(), nn.Linear(4, outputs, rng=rng))
        opt = optim.Adam(model, lr=0.01)

        def step(x, y):
            opt.zero_grad()
            loss = LOSSES[name](model(mg.Tensor(x)), mg.Tensor(y))
            loss.backward()
            opt.step()
            return loss

        return step, model, opt

    step, model, opt = made()
    eager = [float(step(x, y).numpy()) for _ in range(40)]
    other, other_model, other_opt = made()
    compiled = mg.compile(other)
    assert [float(each.numpy()) for each in compiled.over([(x, y)] * 40)] == eager
    assert bits(model, opt) == bits(other_model, other_opt)
    assert compiled.program.rounds is not None
