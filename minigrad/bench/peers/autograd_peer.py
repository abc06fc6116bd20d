"""HIPS autograd: the loss in its NumPy, its gradient by ``value_and_grad``, the update in bare NumPy."""

from __future__ import annotations

from typing import Any

import autograd.numpy as np
from autograd import value_and_grad

from minigrad.bench.peers import Program, Task
from minigrad.bench.peers.numpy_peer import updater


def build(task: Task) -> Program:
    """See ``minigrad.bench.peers``."""
    params = [(w.copy(), b.copy()) for w, b in task.weights]
    update = updater(task.row.optimizer, [array for layer in params for array in layer])
    loss_and_gradient = value_and_grad(_loss)

    def step(x: Any, y: Any) -> Any:
        loss, grads = loss_and_gradient(params, x, y)
        update([array for layer in grads for array in layer])
        return loss

    return Program(lambda x, y: (x, y), step)


def _loss(params: Any, x: Any, y: Any) -> Any:
    *hidden, (w, b) = params
    for v, c in hidden:
        x = np.maximum(np.dot(x, v.T) + c, 0)
    logits = np.dot(x, w.T) + b
    if len(b) == 1:
        return np.mean((logits - y) ** 2)
    shifted = logits - np.max(logits, axis=1, keepdims=True)
    chosen = shifted[np.arange(len(y)), y]
    return np.mean(np.log(np.sum(np.exp(shifted), axis=1)) - chosen)
