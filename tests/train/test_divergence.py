"""A growing loss is told once, with the right numbers; a noisy, a falling and a small one are not."""

import re
import warnings

import numpy as np
import pytest

from minigrad import nn, optim
from minigrad.data import DataLoader, Dataset
from minigrad.errors import MinigradWarning
from minigrad.train.divergence import Divergence
from minigrad.train.trainer import Trainer


@pytest.fixture(autouse=True)
def _anew(monkeypatch):
    monkeypatch.setattr("minigrad.errors._warned", set())


def told(losses):
    watch = Divergence()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for step, loss in enumerate(losses):
            watch.look(loss, step, 0.5)
    return [str(w.message) for w in caught if issubclass(w.category, MinigradWarning)]


def test_the_numbers_are_those_of_the_losses():
    [message] = told([2.0, 10.0, 20.0, 40.0, 80.0, 160.0])
    assert message.startswith(
        "MG-405 the loss grows: 23.33 after 3 updates (mean of 3 batches), 11.7 times the"
    )
    assert "the first, 2." in message
    assert "lr = 0.5" in message
    assert "lr=0.05" in message


@pytest.mark.parametrize(
    "losses",
    [
        [2.0, 1.5, 1.0, 0.5],
        [1.0, 1.0, 25.0, 1.0, 1.0, 25.0, 1.0],  # a bad batch now and then
        [1.0, 9.0, 9.0, 9.0, 9.0],
        [0.0, 1.0, 1.0, 1.0],
        [-1.0, -50.0, -50.0, -50.0],  # a log-likelihood may be negative
        [1.0, 100.0],
    ],
)
def test_other_losses_are_let_be(losses):
    assert told(losses) == []


def fit(rate):
    x = np.linspace(-1, 1, 40, dtype=np.float32).reshape(-1, 1)
    model = nn.Linear(1, 1, rng=np.random.default_rng(0))
    losses = []

    def loss(outputs, targets):
        found = nn.MSELoss()(outputs, targets)
        losses.append(found.item())
        return found

    trainer = Trainer(model, loss, optim.GD(model, lr=rate), compile=False)
    trainer.fit(DataLoader(Dataset(x, 2 * x + 1), 40), None, 12)
    return losses


def test_the_trainer_tells_of_it():
    with pytest.warns(MinigradWarning, match="MG-405") as caught:
        losses = fit(1.3)
    [message] = [str(w.message) for w in caught]
    after, mean = int(re.search(r"after (\d+)", message)[1]), float(re.search(r"grows: (\S+)", message)[1])
    assert mean == pytest.approx(np.mean(losses[after - 2 : after + 1]), rel=1e-3)
    assert mean > 10 * losses[0] >= np.mean(losses[after - 3 : after])
    assert "lr = 1.3:" in message


def test_a_rate_that_suits_is_let_be():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        losses = fit(0.3)
    assert losses[-1] < 0.05 * losses[0]
