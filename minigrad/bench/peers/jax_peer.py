"""JAX: loss, gradient and update in one jitted function, which may reuse the memory of what it replaces."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from minigrad.bench.peers import BETA1, BETA2, EPS, RATES, Program, Task, dense


def build(task: Task) -> Program:
    """See ``minigrad.bench.peers``."""
    carried = start(task)
    jitted = jax.jit(one_step(task), donate_argnums=0)

    def place(x: Any, y: Any) -> Any:
        return jax.block_until_ready(
            (jax.device_put(x, device(task)), jax.device_put(labels(y), device(task)))
        )

    def step(x: Any, y: Any) -> Any:
        nonlocal carried
        carried, loss = jitted(carried, (x, y))
        return loss

    return Program(place, step)


def device(task: Task) -> Any:
    """Return the device that the task names."""
    return jax.devices("cpu" if task.device == "cpu" else "gpu")[0]


def labels(y: Any) -> Any:
    """Return labels in the integers that JAX has; targets as they are."""
    return y.astype("int32") if y.dtype.kind == "i" else y


def start(task: Task) -> Any:
    """Return what a step hands on to the next one: the parameters and the optimizer's state."""
    params = jax.device_put(task.weights, device(task))
    if task.row.optimizer == "sgd":
        return params, ()
    zeros = jax.tree.map(jnp.zeros_like, params)
    return params, (zeros, jax.tree.map(jnp.copy, zeros), jax.device_put(jnp.float32(0), device(task)))


def one_step(task: Task) -> Any:
    """Return the function (carried, batch) -> (carried, loss), which ``jit`` and ``lax.scan`` take."""
    update = _adam if task.row.optimizer == "adam" else _sgd
    loss_of = _squared_error if dense(task).is_regression else _cross_entropy

    def whole(carried: Any, batch: Any) -> Any:
        params, state = carried
        loss, grads = jax.value_and_grad(lambda params: loss_of(_network(params, batch[0]), batch[1]))(params)
        return update(params, grads, state), loss

    return whole


def _network(params: Any, x: Any) -> Any:
    *hidden, (w, b) = params
    for v, c in hidden:
        x = jax.nn.relu(x @ v.T + c)
    return x @ w.T + b


def _cross_entropy(logits: Any, y: Any) -> Any:
    return -jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, None], axis=1).mean()


def _squared_error(z: Any, y: Any) -> Any:
    return ((z - y) ** 2).mean()


def _sgd(params: Any, grads: Any, state: Any) -> Any:
    return jax.tree.map(lambda p, g: p - RATES["sgd"] * g, params, grads), state


def _adam(params: Any, grads: Any, state: Any) -> Any:
    m, v, t = state
    t = t + 1
    m = jax.tree.map(lambda m, g: BETA1 * m + (1 - BETA1) * g, m, grads)
    v = jax.tree.map(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, v, grads)
    first, second = 1 - BETA1**t, 1 - BETA2**t

    def moved(p: Any, m: Any, v: Any) -> Any:
        return p - RATES["adam"] * (m / first) / (jnp.sqrt(v / second) + EPS)

    return jax.tree.map(moved, params, m, v), (m, v, t)
