"""An optimizer's step in a trace: its numbers for the step are worked out by the host, anew in every step."""

from __future__ import annotations

import dis
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from minigrad_kernels.updates import UpdateRule

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
        return {self.name: self.run, f"{self.name}_as_numbers": self.numbers}

    def _now(self, optimizer: Optimizer, clip: Any, dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
        return np.array(self.numbers(optimizer, clip), dtype)

    def numbers(self, optimizer: Optimizer, clip: Any) -> tuple[Any, ...]:
        """Return the coefficients of the optimizer's next step."""
        rate = optimizer.last_rate = optimizer.rate
        return self.rule.coefficients(optimizer, clip, optimizer.l2, rate, optimizer.t + 1)

    def is_constant(self, optimizer: Optimizer) -> bool:
        """Tell whether they are the same in every step as long as nobody changes a setting."""
        counts, names = _read_by(self.rule.coefficients)
        worked_out = any(isinstance(getattr(type(optimizer), name, None), property) for name in names)
        return not (callable(optimizer.lr) or counts or worked_out)


@cache
def _read_by(coefficients: Any) -> tuple[bool, tuple[str, ...]]:
    """Tell whether coefficients depend on the count of steps, and which attributes they read."""
    code = coefficients.__code__
    return any(each.argval == "t" for each in dis.get_instructions(code)), code.co_names


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
