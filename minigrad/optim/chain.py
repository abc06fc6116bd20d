"""Optimizers put together from parts: clip, decay, momentum, scale …, printed as one formula and run as one loop.

A part is a function ``part(u, theta, *state[, t], *, …)`` that returns the new update and its new state. The update
``u`` is the gradient at first, and after the last part θ ← θ - η u. Its signature says what it needs, as that of a
rule does: the arrays between ``theta`` and ``t`` are its state, the names behind the ``*`` its settings.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from minigrad.backend import Array
from minigrad.optim.optimizer import Optimizer, Rate
from minigrad.optim.parameters import Parameters
from minigrad.optim.settings import require
from minigrad.optim.signature import Signature

Part = Callable[..., Any]
"""A part, or a ``functools.partial`` of one that gives some of its settings."""


def clip_value(u: Array, theta: Array, *, limit: float = 1.0) -> Array:
    """Keep every entry between -limit and limit."""
    return np.minimum(np.maximum(u, -limit), limit)


def add_decay(u: Array, theta: Array, *, decay: float = 0.01) -> Array:
    """u + λθ: an L2 penalty's gradient where it comes first, decoupled decay where it comes last."""
    return u + decay * theta


def momentum(u: Array, theta: Array, b: Array, *, mu: float = 0.9) -> tuple[Array, Array]:
    """b ← μ b + u, which is the new update."""
    b = mu * b + u
    return b, b


def nesterov(u: Array, theta: Array, b: Array, *, mu: float = 0.9) -> tuple[Array, Array]:
    """b ← μ b + u, and u + μ b is the new update."""
    b = mu * b + u
    return u + mu * b, b


def scale_by_rms(
    u: Array, theta: Array, v: Array, *, alpha: float = 0.99, eps: float = 1e-8
) -> tuple[Array, Array]:
    """v ← α v + (1 - α) u², and u / (√v + ε) is the new update, as in RMSprop."""
    v = alpha * v + (1 - alpha) * u**2
    return u / (np.sqrt(v) + eps), v


def scale_by_adam(
    u: Array,
    theta: Array,
    m: Array,
    v: Array,
    t: int,
    *,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
) -> tuple[Array, Array, Array]:
    """Adam's direction, m̂ / (√v̂ + ε); Kingma & Ba 2015, Algorithm 1."""
    m = beta1 * m + (1 - beta1) * u
    v = beta2 * v + (1 - beta2) * u**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    return m_hat / (np.sqrt(v_hat) + eps), m, v


def sign(u: Array, theta: Array) -> Array:
    """The sign of every entry: steps of one size."""
    return np.sign(u)


def scale(u: Array, theta: Array, *, factor: float = 1.0) -> Array:
    """factor · u; the factor may be a schedule, a function of the number of steps taken."""
    return factor * u


class Chain(Optimizer):
    """An optimizer made of parts, one after the other, and then θ ← θ - η u.

    ::

        from functools import partial
        from minigrad.optim import chain

        opt = chain.Chain(model, [chain.scale_by_adam, partial(chain.add_decay, decay=0.01)], lr=1e-3)  # AdamW

    Parameters
    ----------
    parts : functions as in this module, or of your own; ``functools.partial`` gives settings. One that is a schedule
        (a function of the number of steps taken) is worked out anew for every step.
    params, lr, and the other settings : as in ``Optimizer``.

    A second state, or setting, of the same name has a number behind it, ``b_2``; settings are attributes of the
    optimizer, ``opt.mu``.
    """

    rate_name = "eta"

    def __init__(self, params: Parameters, parts: Sequence[Part], lr: Rate, **settings: Any) -> None:
        require(bool(parts), "parts", parts, "one function or more, such as [chain.momentum]")
        self.parts = tuple(parts)
        self._parts: list[tuple[Part, tuple[str, ...], dict[str, str], bool]] = []
        self._schedules: dict[str, Callable[[int], float]] = {}
        states: list[str] = []
        taken = [self.rate_name]
        for part in parts:
            function, given = (part.func, part.keywords) if isinstance(part, partial) else (part, {})
            signature = Signature(function)
            names = [_free(name, states) for name in signature.state]
            own = {}
            for name in signature.numbers:
                own[name] = _free(name, taken)
                value = given.get(name, signature.defaults.get(name))
                require(value is not None, name, value, "given, by functools.partial, or have a default")
                if callable(value):
                    self._schedules[own[name]] = value
                else:
                    settings.setdefault(own[name], value)
            self._parts.append((function, tuple(names), own, signature.takes_t))
        self.state_names = tuple(states)
        self._names = tuple(name for name in taken[1:] if name not in self._schedules)
        super().__init__(params, lr, **settings)

    @property
    def setting_names(self) -> tuple[str, ...]:
        """The settings of all parts but the schedules."""
        return self._names

    def __getattr__(self, name: str) -> float:
        schedules = self.__dict__.get("_schedules", {})
        if name not in schedules:
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
        return float(schedules[name](self.t))

    def formula(self, theta: Array, g: Array, *state: Array, rate: Any, t: Any) -> tuple[Array, ...]:
        """See ``Optimizer.formula``."""
        values, u = dict(zip(self.state_names, state, strict=True)), g
        for part, names, own, takes_t in self._parts:
            arrays = [values[name] for name in names] + ([t] if takes_t else [])
            found = part(u, theta, *arrays, **{name: getattr(self, mine) for name, mine in own.items()})
            u, *new = found if isinstance(found, tuple) else (found,)
            values |= zip(names, new, strict=True)
        return theta - rate * u, *values.values()


def _free(name: str, taken: list[str]) -> str:
    found, k = name, 2
    while found in taken:
        found, k = f"{name}_{k}", k + 1
    taken.append(found)
    return found
