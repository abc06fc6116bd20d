"""Bare NumPy without any engine: forward, backward and update written out by hand, in preallocated buffers.

It takes the dtype of the weights that it is given: in float64 it is the reference that every peer's first losses
are compared with.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minigrad.bench.peers import BETA1, BETA2, EPS, RATES, Program, Task, dense

Arrays = list[NDArray[Any]]


def build(task: Task) -> Program:
    """See ``minigrad.bench.peers``."""
    row = dense(task)
    ws: Arrays = [w.copy() for w, _ in task.weights]
    bs: Arrays = [b.copy() for _, b in task.weights]
    grads_w, grads_b = [np.empty_like(w) for w in ws], [np.empty_like(b) for b in bs]
    outs = [np.empty((row.batch, width), ws[0].dtype) for width in row.widths[1:]]
    deltas = [np.empty_like(out) for out in outs]
    update = updater(row.optimizer, ws + bs)
    samples = np.arange(row.batch)

    def step(x: Any, y: Any) -> Any:
        a = x
        for w, b, out in zip(ws, bs, outs, strict=True):
            if a is not x:
                np.maximum(a, 0, out=a)
            a = np.matmul(a, w.T, out=out)
            a += b
        loss = (
            _squared_error(a, y, deltas[-1])
            if row.is_regression
            else _softmax_cross_entropy(a, y, samples, deltas[-1])
        )
        for k in range(len(ws) - 1, -1, -1):
            a = outs[k - 1] if k else x
            np.matmul(deltas[k].T, a, out=grads_w[k])
            np.sum(deltas[k], axis=0, out=grads_b[k])
            if k:
                np.matmul(deltas[k], ws[k], out=deltas[k - 1])
                deltas[k - 1] *= a > 0
        update(grads_w + grads_b)
        return loss

    return Program(lambda x, y: (x, y), step)


def _softmax_cross_entropy(
    z: NDArray[Any], y: NDArray[Any], samples: NDArray[Any], delta: NDArray[Any]
) -> Any:
    """Return the mean loss of logits z and write its gradient, (softmax(z) - onehot(y)) / n, into delta."""
    z -= z.max(axis=1, keepdims=True)
    chosen = z[samples, y]
    np.exp(z, out=delta)
    sums = delta.sum(axis=1, keepdims=True)
    loss = (np.log(sums[:, 0]) - chosen).mean()
    delta /= sums
    delta[samples, y] -= 1
    delta /= len(y)
    return loss


def _squared_error(z: NDArray[Any], y: NDArray[Any], delta: NDArray[Any]) -> Any:
    """Return the mean of (z - y)² and write its gradient, 2 (z - y) / n, into delta."""
    np.subtract(z, y, out=delta)
    loss = np.mean(delta * delta)
    delta *= 2 / len(y)
    return loss


def updater(optimizer: str, params: Arrays) -> Callable[[Arrays], None]:
    """Return the function that updates ``params`` in place from their gradients, which it may overwrite."""
    rate = RATES[optimizer]
    if optimizer == "sgd":

        def sgd(grads: Arrays) -> None:
            for p, g in zip(params, grads, strict=True):
                g *= rate
                p -= g

        return sgd

    ms, vs, spare = ([np.zeros_like(p) for p in params] for _ in range(3))
    t = 0

    def adam(grads: Arrays) -> None:
        nonlocal t
        t += 1
        first, second = 1 - BETA1**t, 1 - BETA2**t
        for p, g, m, v, s in zip(params, grads, ms, vs, spare, strict=True):
            m *= BETA1
            m += np.multiply(g, 1 - BETA1, out=s)
            v *= BETA2
            g *= g
            v += np.multiply(g, 1 - BETA2, out=g)
            np.sqrt(np.divide(v, second, out=s), out=s)
            s += EPS
            p -= np.multiply(np.divide(m, s, out=s), rate / first, out=s)

    return adam
