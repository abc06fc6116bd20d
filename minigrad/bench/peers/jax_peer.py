"""JAX: loss, gradient and update in one jitted function, which may reuse the memory of what it replaces."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from minigrad.bench.peers import BETA1, BETA2, EPS, RATES, Program, Task


def build(task: Task) -> Program:
    """See ``minigrad.bench.peers``."""
    where = jax.devices("cpu" if task.device == "cpu" else "gpu")[0]
    params = jax.device_put(task.weights, where)
    update = _adam if task.row.optimizer == "adam" else _sgd
    zeros = jax.tree.map(jnp.zeros_like, params)
    state: Any = (zeros, jax.tree.map(jnp.copy, zeros), jax.device_put(jnp.float32(0), where))
    if task.row.optimizer == "sgd":
        state = ()

    def whole(params: Any, state: Any, x: Any, y: Any) -> Any:
        loss, grads = jax.value_and_grad(_loss)(params, x, y)
        params, state = update(params, grads, state)
        return loss, params, state

    jitted = jax.jit(whole, donate_argnums=(0, 1))

    def place(x: Any, y: Any) -> Any:
        return jax.block_until_ready((jax.device_put(x, where), jax.device_put(y.astype("int32"), where)))

    def step(x: Any, y: Any) -> Any:
        nonlocal params, state
        loss, params, state = jitted(params, state, x, y)
        return loss

    return Program(place, step)


def _loss(params: Any, x: Any, y: Any) -> Any:
    *hidden, (w, b) = params
    for v, c in hidden:
        x = jax.nn.relu(x @ v.T + c)
    chosen = jnp.take_along_axis(jax.nn.log_softmax(x @ w.T + b), y[:, None], axis=1)
    return -chosen.mean()


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
