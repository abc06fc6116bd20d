"""An optimizer's step in a trace: its numbers for the step are worked out by the host, anew in every step."""

from __future__ import annotations

import dis
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np
from minigrad_kernels.updates import UpdateRule

from minigrad.blocks import switch
from minigrad.errors import ProgramError
from minigrad.ops.half import wide
from minigrad.optim.binding import Slot
from minigrad.optim.clip import clip_factor
from minigrad.optim.optimizer import Optimizer
from minigrad.optim.share import Ready, by_formula
from minigrad.program import messages
from minigrad.program.functions import OfPython, literal
from minigrad.program.tracer import Tracer
from minigrad.source import here

if TYPE_CHECKING:
    from minigrad.program.trace import Trace

Work = Sequence[tuple[Optimizer, UpdateRule | None, Ready]]
"""The groups of a step, each with its rule's kernel and the parameters that it updates."""


asked: ContextVar[dict[tuple[int, int], float] | None] = switch("asked", None)
"""The rates of a step that runs twice, eagerly and replayed: a schedule is asked once for each update."""


def _rate(optimizer: Optimizer) -> float:
    known = asked.get()
    if known is None:
        return optimizer.rate
    key = id(optimizer), optimizer.t
    if key not in known:
        known[key] = optimizer.rate
    return known[key]


class Own:
    """Whose numbers an update goes by: those of an optimizer, or of a group's, and of a parameter's count of steps.

    ``slot`` is given where parameters may have skipped steps, since then each has a count of its own.
    """

    def __init__(self, whole: Optimizer, optimizer: Optimizer, slot: Slot | None) -> None:
        self.whole, self.optimizer, self.slot = whole, optimizer, slot

    def is_all_of(self, optimizer: Optimizer) -> bool:
        """Tell whether it is of an optimizer without groups, whose parameters have one count of steps."""
        return self.whole is optimizer and self.optimizer is optimizer and self.slot is None

    def step(self) -> tuple[float, int]:
        """Return the rate of the next step and its number among the parameter's own."""
        whole, optimizer = self.whole, self.optimizer
        if optimizer is not whole:
            optimizer.t = whole.t
        optimizer._skipped = 0 if self.slot is None else self.slot.skipped
        rate = optimizer.last_rate = _rate(optimizer)
        if optimizer is not whole and optimizer is whole._members[0]:
            whole.last_rate = rate
        return rate, optimizer.t + 1 - optimizer._skipped


class Coefficients(OfPython):
    """The numbers of a rule for the optimizer's next step, the clipping factor among them, as its loop takes them."""

    def __init__(self, rule: UpdateRule, own: Own, name: str) -> None:
        self.rule, self.own = rule, own
        _, names = _read_by(rule.coefficients)
        self._settings = attrgetter(
            "_lr", "last_rate", "l2", *(each for each in names if hasattr(own.optimizer, each))
        )
        self._known: Any = None
        super().__init__(name, self._now)

    @property
    def scope(self) -> dict[str, Any]:
        """See ``Function.scope``."""
        return {self.name: self.run, f"{self.name}_as_numbers": self.numbers, f"{self.name}_into": self.renew}

    def _now(self, optimizer: Optimizer, clip: Any, dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
        return np.array(self.numbers(optimizer, clip), dtype)

    def numbers(self, optimizer: Optimizer, clip: Any) -> tuple[Any, ...]:
        """Return the coefficients of the optimizer's next step."""
        rate, t = self.own.step()
        return self.rule.coefficients(optimizer, clip, optimizer.l2, rate, t)

    def renew(self, optimizer: Optimizer, clip: Any, into: Any) -> None:
        """Write the numbers of the next step where those of the last one are, unless they follow from the same."""
        if self._known is None or self._settings(optimizer) != self._known:
            into[:] = self.numbers(optimizer, clip)
            self._known = self._settings(optimizer) if self.is_constant(optimizer) else None

    def is_constant(self, optimizer: Optimizer) -> bool:
        """Tell whether they are the same in every step as long as nobody changes a setting."""
        counts, _ = _read_by(self.rule.coefficients)
        return not (callable(optimizer.lr) or counts or self.are_worked_out(optimizer))

    def are_worked_out(self, optimizer: Optimizer) -> bool:
        """Tell whether some follow from what the optimizer works out anew in every step."""
        _, names = _read_by(self.rule.coefficients)
        return any(isinstance(getattr(type(optimizer), name, None), property) for name in names)


@cache
def _read_by(coefficients: Any) -> tuple[bool, tuple[str, ...]]:
    """Tell whether coefficients depend on the count of steps, and which attributes they read."""
    code = coefficients.__code__
    return any(each.argval == "t" for each in dis.get_instructions(code)), code.co_names


class Formula(OfPython):
    """The formula of an optimizer that has no kernel, run as it stands on one parameter, which it changes in place."""

    def __init__(self, own: Own, name: str) -> None:
        self.own = own
        self.optimizer = type(own.optimizer).__name__
        super().__init__(name, self._run)

    def _run(self, optimizer: Optimizer, clip: Any, theta: Any, g: Any, *state: Any) -> None:
        rate, t = self.own.step()
        new = by_formula(optimizer, clip, theta, g, state, rate, t)
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
    trace: Trace, function: Coefficients, optimizer: Optimizer, name: str, clip: Any, dtype: np.dtype[Any]
) -> Any:
    """Return the numbers for this step: the host's, and on a GPU there, with the clipping factor that it has found."""
    on_host = trace.device == "cpu"
    numbers = trace.host(function, optimizer, name, clip if on_host else 1.0, dtype)
    trace.rename(numbers, "coefficients")
    if on_host:
        return numbers
    there = trace.move(numbers, trace.device)
    trace.rename(there, "coefficients_there")
    if isinstance(clip, Tracer):
        there[0] = clip
    return there


def update(trace: Trace, whole: Optimizer, work: Work, idle: Sequence[Slot]) -> None:
    """Do an optimizer's step with tracers, and note it down: each group by its own numbers."""
    ready = [pair for _, _, own in work for pair in own]
    clip: Any = 1.0
    if whole.max_norm is not None:
        clip = clip_factor([g for _, g in ready], whole.max_norm)
    uneven = whole._uneven or bool(idle)
    for k, (optimizer, rule, own) in enumerate(work):
        name = "optimizer" if optimizer is whole else f"optimizer_group_{k}"
        for part in [[pair] for pair in own] if uneven else [own] if own else []:
            numbers_of = Own(whole, optimizer, part[0][0] if uneven else None)
            _update_part(trace, optimizer, rule, numbers_of, name, clip, part)
    for k, (optimizer, _, _) in enumerate(work):
        if optimizer is not whole:
            trace.host(Advance(), optimizer, f"optimizer_group_{k}")
    trace.host(Advance(), whole, "optimizer")
    location = here()
    for slot, _ in ready:
        slot.tensor.version.written(location, "step")
        trace.updated[id(slot.tensor)] = slot.tensor
    trace.optimizers.append(whole)
    if idle:
        trace.idle.append((whole, list(idle)))


def _update_part(
    trace: Trace, optimizer: Optimizer, rule: UpdateRule | None, own: Own, name: str, clip: Any, part: Ready
) -> None:
    """Update parameters that go by the same numbers."""
    if rule is None and trace.device != "cpu":
        raise ProgramError("MG-660", messages.frozen_formula(type(optimizer).__name__, optimizer.no_kernel))
    numbers: dict[Any, Any] = {}
    formula = None if rule is not None else Formula(own, trace.free(f"{type(optimizer).__name__}_formula"))
    for slot, g in part:
        bound = slot.bound
        if isinstance(bound.theta, Tracer):
            trace.rename(g, f"d_{bound.theta.node.name}")
        if rule is None:
            assert formula is not None
            state = slot.state.values()
            trace.host(formula, optimizer, name, clip, bound.theta, g, *state, writes=(bound.theta, *state))
            continue
        dtype = wide(np.empty(0, bound.dtype)).dtype
        if dtype not in numbers:
            function = Coefficients(rule, own, trace.free(f"{rule.name}_coefficients"))
            numbers[dtype] = _coefficients(trace, function, optimizer, name, clip, dtype)
        bound.update(g, numbers[dtype])
