"""A loss that is NaN or infinite in a hand-written loop is told once, by step(); a finite one never is."""

from __future__ import annotations

import subprocess
import sys
import threading
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import errors, nn, optim
from minigrad.errors import MinigradWarning, NonFiniteError

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


@pytest.fixture(autouse=True)
def nothing_was_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errors, "_warned", set())


def weight(*numbers: float) -> mg.Tensor:
    return mg.Tensor(list(numbers), requires_grad=True, name="w")


ENDLESS: dict[str, tuple[Callable[[mg.Tensor], Any], tuple[float, ...]]] = {
    "log of a negative number, whose gradient is finite": (lambda w: np.log(w).sum(), (-1.0, 2.0)),
    "log of 0": (lambda w: np.log(w).mean(), (0.0, 2.0)),
    "root of a negative number": (lambda w: np.sqrt(w).sum(), (2.0, -3.0)),
    "0 / 0": (lambda w: (w / (w * w)).sum(), (0.0, 1.0)),
    "overflow": (lambda w: np.exp(w).sum(), (1000.0, 1.0)),
    "inf - inf": (lambda w: (np.exp(w) - np.exp(w)).sum(), (1000.0,)),
    "a constant": (lambda w: (w * w).sum() + float("nan"), (1.0,)),
    "shape (1,)": (lambda w: np.log(w), (-1.0,)),
    "data": (lambda w: ((w * np.array([1.0, np.nan], "float32")) ** 2).mean(), (1.0, 2.0)),
    "one of two that a maximum hides": (lambda w: np.maximum(w, 1.0).sum() + np.log(w * 0.0).sum(), (3.0,)),
}


def loop(
    loss_of: Callable[[mg.Tensor], Any], w: mg.Tensor, opt: optim.Optimizer, steps: int = 4
) -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", MinigradWarning)
        for _ in range(steps):
            opt.zero_grad()
            loss_of(w).backward()
            opt.step()
    return [str(each.message) for each in caught]


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("kind", [optim.SGD, optim.Adam])
@pytest.mark.parametrize("case", ENDLESS)
def test_it_is_told_once(case: str, kind: type[optim.Optimizer], fast: bool) -> None:
    loss_of, start = ENDLESS[case]
    w = weight(*start)
    told = loop(loss_of, w, kind([w], lr=0.25, fast=fast))
    assert len(told) == 1
    assert told[0].startswith("MG-408 the loss is ")
    assert "at step 1 (lr = 0.25)" in told[0]
    assert "with mg.debug():" in told[0]


def test_a_rate_that_is_too_large_is_told_at_the_step_that_has_the_first_nan() -> None:
    w = weight(1.0)
    told = loop(lambda w: (w * w * w * w).sum(), w, optim.SGD([w], lr=10.0), steps=8)
    # w: 1, -39, 2.4e6, -5.3e20: the fourth loss is beyond float32
    assert len(told) == 1
    assert told[0].startswith("MG-408 the loss is inf at step 4 (lr = 10)")


def test_a_loss_that_is_finite_is_never_told() -> None:
    mask = mg.Tensor([0.0, -np.inf])
    cases: list[Callable[[mg.Tensor], Any]] = [
        lambda w: (w * w).sum() * 1e36,
        lambda w: nn.CrossEntropyLoss()((w + mask).reshape(1, 2), np.array([0])),  # a mask of -inf is usual
        lambda w: np.minimum(w, np.inf).sum(),
    ]
    for loss_of in cases:
        w = weight(1.0, 2.0)
        assert loop(loss_of, w, optim.SGD([w], lr=1e-36)) == []
    with warnings.catch_warnings():
        warnings.simplefilter("error", MinigradWarning)
        w = weight(1.0)
        np.log(-w).backward()  # nobody steps
        other = weight(1.0)
        other.grad = mg.Tensor([1.0])
        optim.SGD([other]).step()
        mg.grad(lambda x: np.sqrt(x))(0.0)
        w.grad = None
        (w * w).sum().backward()
        optim.SGD([w]).step()


def test_the_trainer_stops_and_does_not_tell_it_too() -> None:
    from minigrad.data import DataLoader, Dataset
    from minigrad.train.trainer import Trainer

    x = np.array([[1.0], [np.nan]], "float32")
    model = nn.Linear(1, 1)
    trainer = Trainer(model, nn.MSELoss(), optim.SGD(model, lr=0.1))
    with warnings.catch_warnings():
        warnings.simplefilter("error", MinigradWarning)
        with pytest.raises(NonFiniteError, match="MG-403"):
            trainer.fit(DataLoader(Dataset(x, x), 2), None, epochs=1)


def test_an_error_made_of_it_comes_before_anything_changes() -> None:
    w = weight(-1.0)
    opt = optim.SGD([w], lr=0.1)
    np.log(w).sum().backward()
    with warnings.catch_warnings():
        warnings.simplefilter("error", MinigradWarning)
        with pytest.raises(MinigradWarning, match="MG-408"):
            opt.step()
    assert (opt.t, w.item()) == (0, -1.0)


PROGRAM = """
import numpy as np
import minigrad as mg
from minigrad import nn, optim

rng = np.random.default_rng(0)
x = rng.normal(size=(50, 3)).astype("float32")
model = nn.Sequential(nn.Linear(3, 4, rng=rng), nn.ReLU(), nn.Linear(4, 1, rng=rng))
optimizer = optim.SGD(model, lr=30.0)
for step in range(30):
    optimizer.zero_grad()
    ((model(mg.Tensor(x)) - 1.0) ** 2).mean().backward()
    optimizer.step()  # line 13
"""


def test_what_a_learner_sees_is_no_line_of_our_kernels() -> None:
    ran = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert ran.stderr.count("MG-408") == 1
    assert "<string>:13: MinigradWarning" in ran.stderr
    assert "minigrad_kernels" not in ran.stderr


def test_two_optimizers_of_one_lost_loss_are_told_each_on_its_line() -> None:
    a, b = weight(-1.0), weight(2.0)
    one, two = optim.SGD([a], lr=0.5), optim.SGD([b], lr=0.25)
    np.log(a * b).sum().backward()
    with pytest.warns(MinigradWarning, match=r"MG-408 .*lr = 0\.5"):
        one.step()
    with pytest.warns(MinigradWarning, match=r"MG-408 .*lr = 0\.25"):
        two.step()


@pytest.mark.parametrize(
    "clip", [lambda w: optim.clip_grad_norm([w], 1.0), lambda w: optim.clip_grad_value([w], 1.0)]
)
def test_clipping_by_hand_hides_nothing(clip: Callable[[mg.Tensor], Any]) -> None:
    w = weight(-1.0, 2.0)
    np.log(w).sum().backward()
    clip(w)
    with pytest.warns(MinigradWarning, match="MG-408"):
        optim.SGD([w]).step()


def test_it_is_not_told_of_a_loss_in_another_thread() -> None:
    def lose() -> None:
        np.log(weight(-1.0)).sum().backward()

    thread = threading.Thread(target=lose)
    thread.start()
    thread.join()
    w = weight(1.0)
    w.grad = mg.Tensor([1.0])
    with warnings.catch_warnings():
        warnings.simplefilter("error", MinigradWarning)
        optim.SGD([w]).step()
