"""Ten small programs: each makes a step function from fixed seeds, with what to compare after it has run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

import minigrad as mg
from minigrad import nn, ops, optim


@dataclass
class Network:
    """A step; the tensors of interest that it leaves in ``seen``, by name; the parameters; the optimizer."""

    step: Callable[[], None]
    parameters: dict[str, mg.Tensor]
    optimizer: optim.Optimizer | None = None
    seen: dict[str, mg.Tensor] = field(default_factory=dict)


def uniform(seed, *shape):
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32)


def scalar_expression():
    a, b = (mg.Tensor(v, requires_grad=True, name=n) for v, n in ((2.0, "a"), (-3.0, "b")))
    seen = {}

    def step():
        c = a * b
        d = np.sin(c) + a**2 / b
        e = np.exp(-(d * d)) - abs(b)
        e.backward()
        seen.update(c=c, d=d, e=e)

    return Network(step, {"a": a, "b": b}, None, seen)


def diamond():
    """A tensor used twice, at two places."""
    x = mg.Tensor([1.5, -0.5, 2.0], requires_grad=True, name="x")
    seen = {}

    def step():
        left = np.tanh(x)
        right = x * x
        loss = (left * right + x).sum()
        loss.backward()
        seen.update(left=left, right=right, loss=loss)

    return Network(step, {"x": x}, None, seen)


def broadcasting():
    w = mg.Tensor(uniform(1, 3, 1), requires_grad=True, name="w")
    b = mg.Tensor(uniform(2, 4), requires_grad=True, name="b")
    s = mg.Tensor(0.5, requires_grad=True, name="s")
    x = uniform(3, 2, 3, 4)
    seen = {}

    def step():
        y = s * (x * w + b)
        loss = (y**2).mean()
        loss.backward()
        seen.update(y=y, loss=loss)

    return Network(step, {"w": w, "b": b, "s": s}, None, seen)


def line():
    """The documents' linear regression: y = 3x + 2 with a little noise, ½·mean squared error, gradient descent."""
    rng = np.random.default_rng(0)
    x = rng.uniform(0, 1, (20, 1)).astype(np.float32)
    y = (3 * x + 2 + 0.1 * rng.standard_normal((20, 1))).astype(np.float32)
    w = mg.Tensor([[0.0]], requires_grad=True, name="w")
    b = mg.Tensor([0.0], requires_grad=True, name="b")
    opt = optim.GD({"w": w, "b": b}, lr=0.1)
    seen = {}

    def step():
        for _ in range(2):
            opt.zero_grad()
            predicted = x @ w + b
            loss = nn.losses.half_mse(predicted, y)
            loss.backward()
            opt.step()
        seen.update(predicted=predicted, loss=loss)

    return Network(step, {"w": w, "b": b}, opt, seen)


def _classifier(widths, batch, dropout=0.0, seed=0):
    rng = np.random.default_rng(seed)
    layers = []
    for wide, narrow in pairwise(widths[:-1]):
        layers += [nn.Linear(wide, narrow, rng=rng), nn.ReLU()]
        layers += [nn.Dropout(dropout, rng=rng)] if dropout else []
    model = nn.Sequential(*layers, nn.Linear(widths[-2], widths[-1], rng=rng))
    x = rng.uniform(0, 1, (batch, widths[0])).astype(np.float32)
    y = rng.integers(0, widths[-1], batch)
    return model, x, y


def _training(model, opt, x, y):
    seen = {}

    def step():
        opt.zero_grad()
        logits = model(mg.Tensor(x, name="x"))
        loss = nn.losses.cross_entropy(logits, y)
        loss.backward()
        opt.step()
        seen.update(logits=logits, loss=loss)

    return Network(step, model.named_parameters(), opt, seen)


def digits():
    model, x, y = _classifier([784, 128, 10], 32)
    return _training(model, optim.Adam(model), x, y)


def dropout():
    model, x, y = _classifier([6, 8, 3], 5, dropout=0.4)
    return _training(model, optim.SGD(model, lr=0.1, momentum=0.9, max_norm=0.1), x, y)


def layer_norm():
    rng = np.random.default_rng(4)
    model = nn.Sequential(nn.Linear(3, 4, rng=rng), nn.LayerNorm(4), nn.Linear(4, 2, rng=rng))
    return _training(
        model, optim.RMSprop(model, weight_decay=0.1), uniform(5, 6, 3), np.array([0, 1, 1, 0, 1, 0])
    )


def accumulation():
    """Two backward passes before one update."""
    w = mg.Tensor(uniform(6, 2, 3), requires_grad=True, name="w")
    opt = optim.AdaGrad({"w": w}, lr=0.1)
    halves = [uniform(7, 4, 2), uniform(8, 4, 2)]
    seen = {}

    def step():
        opt.zero_grad()
        with mg.accumulate(2):
            for x in halves:
                loss = ops.softplus(x @ w).mean()
                loss.backward()
        opt.step()
        seen.update(loss=loss)

    return Network(step, {"w": w}, opt, seen)


def softmax_by_hand():
    """Shapes, picking and joining: softmax, its logarithm, entries picked by labels."""
    w = mg.Tensor(uniform(9, 3, 4), requires_grad=True, name="w")
    v = mg.Tensor(uniform(10, 2, 4), requires_grad=True, name="v")
    x, labels = uniform(11, 5, 5), np.array([0, 3, 1, 1, 2])
    opt = optim.AdamW({"w": w, "v": v}, lr=0.01)
    seen = {}

    def step():
        both = np.concatenate([w, v])
        logits = x @ both
        logs = ops.log_softmax(logits)
        loss = -logs[np.arange(5), labels].mean()
        spread = (ops.softmax(logits.T, axis=0) ** 2).sum()
        total = loss + 0.1 * spread + 0.01 * ops.logsumexp(both.reshape(4, 5), axis=1).sum()
        total.backward()
        opt.step()
        seen.update(both=both, logits=logits, loss=loss, total=total)

    return Network(step, {"w": w, "v": v}, opt, seen)


NETWORKS: dict[str, Callable[[], Network]] = {
    make.__name__: make
    for make in (
        scalar_expression,
        diamond,
        broadcasting,
        line,
        digits,
        dropout,
        layer_norm,
        accumulation,
        softmax_by_hand,
    )
}


def activations():
    """Every activation, clipping and choosing between two."""
    x = mg.Tensor(uniform(12, 2, 5) * 2, requires_grad=True, name="x")
    seen = {}

    def step():
        parts = [ops.relu(x), ops.leaky_relu(x), ops.sigmoid(x), ops.softplus(x), ops.gelu(x)]
        parts += [
            np.maximum(x, 0.5),
            np.minimum(x, x * 0.5),
            np.clip(x, -1, 1),
            np.where(x.numpy() > 0, x, -x),
        ]
        loss = np.stack(parts).mean(axis=0).sum()
        loss.backward()
        seen.update(loss=loss)

    return Network(step, {"x": x}, None, seen)


NETWORKS["activations"] = activations
