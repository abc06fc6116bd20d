"""An optimizer's step in a trace: its numbers for the step are worked out by the host, anew in every step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from minigrad_kernels.updates import UpdateRule

from minigrad.errors import ConfigError, ProgramError
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
        return self.rule.coefficients(optimizer, clip, optimizer.l2, optimizer.rate, optimizer.t + 1)


class Formula(OfPython):
    """The formula of an optimizer that has no kernel, run as it stands on one parameter, which it changes in place."""

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = type(optimizer).__name__
        super().__init__(f"{self.optimizer}_formula", _run_formula)


def _run_formula(optimizer: Optimizer, clip: Any, theta: Any, g: Any, *state: Any) -> None:
    new = by_formula(optimizer, clip, theta, g, state, optimizer.rate, optimizer.t + 1)
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


def _coefficients(
    trace: Trace, rule: UpdateRule, optimizer: Optimizer, name: str, clip: Any, dtype: np.dtype[Any]
) -> Any:
    """Return the numbers for this step: the host's, and on a GPU there, with the clipping factor that it has found."""
    on_host = trace.device == "cpu"
    numbers = trace.host(Coefficients(rule), optimizer, name, clip if on_host else 1.0, dtype)
    trace.rename(numbers, "coefficients")
    if on_host:
        return numbers
    there = trace.move(numbers, trace.device)
    trace.rename(there, "coefficients_there")
    if isinstance(clip, Tracer):
        there[0] = clip
    return there


def update(trace: Trace, optimizer: Optimizer, rule: UpdateRule | None, ready: Sequence[Any]) -> None:
    """Do an optimizer's step with tracers, and note it down; MG-641 where not all go by the same numbers."""
    if len(optimizer.param_groups) > 1 or any(slot.skipped for slot, _ in ready):
        raise ConfigError("MG-641", messages.groups(type(optimizer).__name__))
    if rule is None and trace.device != "cpu":
        raise ProgramError("MG-660", messages.frozen_formula(type(optimizer).__name__, optimizer.no_kernel))
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
            numbers[dtype] = _coefficients(trace, rule, optimizer, name, clip, dtype)
        bound.update(g, numbers[dtype])
    trace.host(Advance(), optimizer, name)
    location = here()
    for slot, _ in ready:
        slot.tensor.version.written(location, "step")
        trace.updated[id(slot.tensor)] = slot.tensor
    trace.optimizers.append(optimizer)
