"""An optimizer's step in a trace: its numbers for the step are worked out by the host, anew in every step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import numpy as np
from minigrad_kernels.updates import UpdateRule

from minigrad.blocks import switch
from minigrad.errors import ConfigError
from minigrad.ops.half import wide
from minigrad.optim.clip import clip_factor
from minigrad.optim.optimizer import Optimizer
from minigrad.optim.share import by_formula
from minigrad.program import messages
from minigrad.program.functions import OfPython, literal
from minigrad.program.tracer import Tracer
from minigrad.source import here

if TYPE_CHECKING:
    from minigrad.program.trace import Trace


class Coefficients(OfPython):
    """The numbers of a rule for the optimizer's next step, the clipping factor among them, as its loop takes them."""

    def __init__(self, rule: UpdateRule) -> None:
        self.rule = rule
        super().__init__(f"{rule.name}_coefficients", self._now)

    @property
    def scope(self) -> dict[str, Any]:
        """See ``Function.scope``."""
        return {self.name: self.run, f"{self.name}_as_numbers": self._numbers}

    def _now(self, optimizer: Optimizer, clip: Any, dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
        return np.array(self._numbers(optimizer, clip), dtype)

    def _numbers(self, optimizer: Optimizer, clip: Any) -> tuple[Any, ...]:
        return self.rule.coefficients(optimizer, clip, optimizer.l2, _rate(optimizer), optimizer.t + 1)


asked: ContextVar[dict[tuple[int, int], float] | None] = switch("asked", None)
"""The rates of a step that runs twice, eagerly and replayed: a schedule is asked once for each update."""


def _rate(optimizer: Optimizer) -> float:
    known = asked.get()
    if known is None:
        rate = optimizer.rate
    elif (rate := known.get(key := (id(optimizer), optimizer.t), -1.0)) < 0:
        rate = known[key] = optimizer.rate
    optimizer.last_rate = rate
    return rate


class Formula(OfPython):
    """The formula of an optimizer that has no kernel, run as it stands on one parameter, which it changes in place."""

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = type(optimizer).__name__
        super().__init__(f"{self.optimizer}_formula", _run_formula)


def _run_formula(optimizer: Optimizer, clip: Any, theta: Any, g: Any, *state: Any) -> None:
    new = by_formula(optimizer, clip, theta, g, state, _rate(optimizer), optimizer.t + 1)
    for old, array in zip((theta, *state), new, strict=True):
        old[...] = array


class Advance(OfPython):
    """The optimizer's count of steps, one further."""

    def __init__(self) -> None:
        super().__init__("advance", _advance)

    def text(self, arguments: Sequence[Any], options: Mapping[str, Any]) -> str:
        """See ``Function.text``."""
        return f"{literal(arguments[0])}.t += 1"


def _advance(optimizer: Optimizer) -> None:
    optimizer.t += 1


def update(trace: Trace, optimizer: Optimizer, rule: UpdateRule | None, ready: Sequence[Any]) -> None:
    """Do an optimizer's step with tracers, and note it down; MG-641 where not all go by the same numbers."""
    if len(optimizer.param_groups) > 1 or any(slot.skipped for slot, _ in ready):
        raise ConfigError("MG-641", messages.groups(type(optimizer).__name__))
    clip: Any = 1.0
    if optimizer.max_norm is not None:
        clip = clip_factor([g for _, g in ready], optimizer.max_norm)
    name = "optimizer"
    numbers: dict[Any, Any] = {}
    for slot, g in ready:
        bound = slot.bound
        if isinstance(bound.theta, Tracer):
            trace.rename(g, f"d_{bound.theta.node.name}")
        if rule is None:
            state = slot.state.values()
            function = Formula(optimizer)
            trace.host(function, optimizer, name, clip, bound.theta, g, *state, writes=(bound.theta, *state))
            continue
        dtype = wide(np.empty(0, bound.dtype)).dtype
        if dtype not in numbers:
            numbers[dtype] = trace.host(Coefficients(rule), optimizer, name, clip, dtype)
            trace.rename(numbers[dtype], "coefficients")
        bound.update(g, numbers[dtype])
    trace.host(Advance(), optimizer, name)
    location = here()
    for slot, _ in ready:
        slot.tensor.version.written(location, "step")
        trace.updated[id(slot.tensor)] = slot.tensor
    trace.optimizers.append(optimizer)
