"""Checks of tutorial 12: training MNIST."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minigrad import nn, optim
from minigrad.exercises.checking import NotYet, answer, array, call, judge, number
from minigrad.tensor import Tensor


@answer("12.1", right="118,282 numbers, each of them changed 37,500 times.")
def sizes_of_d0(given: Any) -> str | None:
    """Weights and biases of 784-128-128-10; 20 epochs of 60000/32 updates."""
    weights, biases = 784 * 128 + 128 * 128 + 128 * 10, 128 + 128 + 10
    total, updates = weights + biases, 20 * 60_000 // 32
    return judge(
        given,
        [total, updates],
        {
            "the biases are missing: one for each output of each layer.": [weights, updates],
            "one layer is missing: there are two hidden layers, 784–128, 128–128, 128–10.": [
                784 * 128 + 128 + 128 * 10 + 10,
                updates,
            ],
            "that is the number of updates in one epoch; there are 20.": [total, updates // 20],
            "an update is a batch, not a sample: divide by 32.": [total, 20 * 60_000],
            "the parameters are right; an epoch has 60,000/32 updates and there are 20 epochs.": [total, 20],
            "the two are swapped.": [updates, total],
        },
        "a dense layer has inputs · outputs weights and one bias per output; an epoch has 60,000/32 updates.",
        rtol=1e-7,
    )


@answer("12.2", right="the column for precision, the row for recall, and their harmonic mean.")
def scores(given: Any) -> str | None:
    """C_cc over its column, over its row, and the harmonic mean."""
    matrix, c = np.array([[50, 3, 2], [10, 30, 0], [0, 6, 9]]), 1
    p, r = 30 / 39, 30 / 40
    f = 2 * p * r / (p + r)
    got = array(call(given, matrix, c))
    return judge(
        got,
        [p, r, f],
        {
            "precision and recall are swapped: the rows are the truth, so recall divides by the row.": [
                r,
                p,
                f,
            ],
            "F1 is the harmonic mean, 2pr/(p + r), not the half of the sum.": [p, r, (p + r) / 2],
            "the 2 is missing in F1: where both are 1 it has to be 1.": [p, r, f / 2],
            "those are shares of all the samples; precision divides by the column, recall by the row.": [
                30 / 110,
                30 / 110,
                30 / 110,
            ],
            "that is class 0, and class c is asked for.": [50 / 60, 50 / 55, 2 * 50 / 115],
        },
        "for the class in the middle of [[50, 3, 2], [10, 30, 0], [0, 6, 9]] precision is 30/39 and recall is 30/40.",
    )


@answer("12.3", right="zero_grad, forward, backward, step, and a plain number for the log.")
def train_step(given: Any) -> str | None:
    """Three steps on a small line, compared with the formula."""
    x = np.array([[1.0, 2.0], [0.5, -1.0], [-1.0, 0.0]])
    y = np.array([[1.0], [0.0], [2.0]])
    model = nn.Linear(2, 1, rng=np.random.default_rng(0)).to("float64")
    optimizer = optim.SGD(model, lr=0.3)
    start = _weights(model)
    losses = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what the engine would warn of is what the hints below say
        for _ in range(3):
            loss = call(given, model, nn.HalfMSELoss(), optimizer, x, y)
            if isinstance(loss, Tensor):
                raise NotYet("return loss.item(): a Tensor keeps its whole graph alive, a number does not.")
            if isinstance(loss, bool) or not isinstance(loss, (int, float, np.floating)):
                raise NotYet("return the loss as one Python number.")
            losses.append(number(loss))
    expected = _descent(start, x, y, forget=True)
    ended = _weights(model)
    if np.array_equal(ended, start):
        return "the weights have not changed: optimizer.step() is missing."
    hint = judge(
        ended,
        expected[-1][0],
        {
            "the gradients add up from call to call: optimizer.zero_grad() is missing.": _descent(
                start, x, y, forget=False
            )[-1][0],
            "there were more updates than calls: one step a call.": _descent(
                start, x, y, forget=True, steps=6
            )[-1][0],
        },
        "after three calls the weights are not where three steps of gradient descent lead.",
    )
    if hint:
        return hint
    before = [loss for _, loss in expected]
    return judge(
        losses,
        before[:3],
        {"that is the loss after the update; the one that was differentiated is asked for.": before[1:]},
        "the weights are right; return the loss that was computed on the way.",
    )


def _weights(model: nn.Linear) -> NDArray[np.float64]:
    return np.concatenate([p.numpy().ravel() for p in model.parameters()])


def _descent(
    start: NDArray[np.float64], x: Any, y: Any, forget: bool, steps: int = 3
) -> list[tuple[NDArray[np.float64], float]]:
    """Weights before each step with their loss, and after the last; by the formula and not by the engine."""
    columns = np.hstack([x, np.ones((len(x), 1))])
    theta, g, found = start.copy(), np.zeros_like(start), []
    for _ in range(steps + 1):
        error = columns @ theta - y[:, 0]
        found.append((theta.copy(), float(np.mean(error**2) / 2)))
        fresh = columns.T @ error / len(x)
        g = fresh if forget else g + fresh
        theta = theta - 0.3 * g
    return found
