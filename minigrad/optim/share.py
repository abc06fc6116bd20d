"""The parts of a step: which parameters it updates, all checked before one is changed, and the work on those of them
that have their settings and the number of their own steps in common.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import ref

from minigrad_kernels.launch import reference_is_forced
from minigrad_kernels.updates import UpdateRule, update_all

from minigrad.backend import Array
from minigrad.cotangents import in_a_derivative
from minigrad.errors import OptimizerError, warn
from minigrad.ops.half import wide
from minigrad.optim import formulas, messages, program
from minigrad.optim.binding import OnDevice, Slot
from minigrad.optim.writing import misfit, plain, read_only
from minigrad.tensor import Tensor

if TYPE_CHECKING:
    from minigrad.optim.optimizer import Optimizer


Ready = list[tuple[Slot, Array]]
"""Parameters that are updated, each with its gradient."""


class Update(NamedTuple):
    """One parameter's share of a step, as ``mg.hooks(update=…)`` sees it: what the step started from, all copies.

    ``tensor`` holds the new parameter, ``optimizer.state[name]`` the new state, ``g`` the gradient as it was in
    ``.grad``: before clipping by ``clip`` and without the L2 penalty's part; ``settings`` the numbers that the formula
    reads beside the rate, as they were for this step. ``t`` counts the parameter's own steps, and ``optimizer`` is the
    one of its group, where there are groups.
    """

    optimizer: Optimizer
    name: str
    tensor: Tensor
    theta: Array
    g: Array
    state: dict[str, Array]
    clip: Array
    rate: float
    t: int
    settings: dict[str, float]


class Share(NamedTuple):
    """The parameters of one group that have skipped equally many steps, and so are updated by the same numbers.

    ``t`` is the number of this step among their own.
    """

    optimizer: Optimizer
    rule: UpdateRule | None
    ready: Ready
    rate: float
    t: int
    skipped: int = 0

    def seen(self, clip: Array) -> Iterator[Update]:
        """Return for each parameter what the hooks see of its update."""
        optimizer = self.optimizer
        optimizer._skipped = self.skipped
        read = optimizer.reading.program
        settings = program.numbers(optimizer, read) if read else {}
        for slot, g in self.ready:
            state = {key: array.copy() for key, array in slot.state.items()}
            theta = slot.bound.theta.copy()
            yield Update(
                optimizer, slot.name, slot.tensor, theta, g.copy(), state, clip, self.rate, self.t, settings
            )

    def prepare(self, clip: Array) -> Any:
        """Return what ``write`` needs: the kernel's coefficients, or all that the formula gives. It changes nothing."""
        optimizer = self.optimizer
        optimizer._skipped = self.skipped
        if self.rule is not None:
            return self.rule.coefficients(optimizer, clip, optimizer.l2, self.rate, self.t)
        updated = []
        for slot, g in self.ready:
            state = slot.state.values()
            updated.append(by_formula(optimizer, clip, slot.bound.theta, g, state, self.rate, self.t))
        return updated

    def write(self, prepared: Any) -> None:
        """Change the parameters and their state in place."""
        rule = self.rule
        if rule is None:
            for (slot, _), arrays in zip(self.ready, prepared, strict=True):
                for old, new in zip((slot.bound.theta, *slot.state.values()), arrays, strict=True):
                    old[...] = new
            return
        for (name, _), vector in self.optimizer._vectors.items():
            if name == rule.name:
                vector[:] = prepared
        launches: dict[Any, list[tuple[Array, ...]]] = {}
        for slot, g in self.ready:
            bound = slot.bound
            if isinstance(bound, OnDevice):
                launches.setdefault(bound.group, []).append(bound.for_launch(g))
            else:
                bound.update(g, prepared)
        for parameters in launches.values():
            update_all(rule.name, parameters, prepared, rule.source)


def by_formula(
    optimizer: Optimizer, clip: Array, theta: Array, g: Array, state: Iterable[Array], rate: float, t: int
) -> tuple[Array, ...]:
    """Return one parameter's new value and state, by the optimizer's formula as it stands; half precision widened."""
    theta = wide(theta)
    g = formulas.effective_gradient(wide(g), theta, clip=clip, l2=optimizer.l2)
    return optimizer.formula(theta, g, *state, rate=rate, t=t)


def by_skipped(optimizer: Optimizer, rule: UpdateRule | None, ready: Ready, rate: float) -> list[Share]:
    """Return the shares of parameters some of which have skipped steps."""
    parts: dict[int, Ready] = {}
    for pair in ready:
        parts.setdefault(pair[0].skipped, []).append(pair)
    return [
        Share(optimizer, rule, part, rate, optimizer.t + 1 - skipped, skipped)
        for skipped, part in parts.items()
    ]


def take_ready(optimizer: Optimizer, t: int, idle: list[Slot]) -> tuple[UpdateRule | None, Ready]:
    """Return the rule's kernel and the parameters that it updates at step ``t``; the others go into ``idle``."""
    optimizer.t = t
    if optimizer._module is not None and not optimizer._module.training:
        warn("MG-502", messages.EVAL_MODE)
    rule = optimizer.reading.rule if optimizer.fast else None
    if optimizer._forced is not reference_is_forced():
        optimizer._forced = reference_is_forced()
        for slot in optimizer._slots:
            slot.release()
    ready = []
    for slot in optimizer._slots:
        tensor = slot.tensor
        grad = tensor._grad
        if grad is None or not tensor.requires_grad:
            idle.append(slot)
            continue
        bound, theta = slot.bound, tensor._data  # not .data: this runs for every parameter of every step
        g = grad._data if isinstance(grad, Tensor) else grad
        if theta is not bound.theta or rule is not bound.rule:
            slot.bind(rule, optimizer._vectors)
            bound, optimizer._apart = slot.bound, False
        if bound.on_host and not theta.flags.writeable:
            raise read_only(slot.name, theta)
        if g.shape != bound.shape or g.dtype != bound.dtype or type(g) is not bound.kind:
            if g.shape != bound.shape or g.dtype != bound.dtype or type(plain(g)) is not bound.kind:
                raise misfit(slot.name, "its gradient", theta, g)
            g = plain(g)
        if 0 < tensor.stepped_passes < tensor.grad_passes:
            warn("MG-201", messages.used_again(slot.name, tensor.grad_passes, tensor.stepped_passes))
        ready.append((slot, g))
    return rule, ready


def require_known(optimizer: Optimizer, idle: list[Slot], ready: Ready) -> None:
    """Raise unless a parameter without a gradient may be left as it is, and there are others."""
    missing = [slot for slot in idle if slot.tensor.requires_grad]
    if not ready and missing:
        raise messages.no_gradient([slot.name for slot in missing])
    if not ready:
        raise OptimizerError(
            "MG-501",
            f"none of the optimizer's {len(optimizer._slots)} parameters requires a gradient, so there is nothing "
            "to optimise. Switch one on: p.requires_grad_(True).",
        )
    if optimizer.allow_unused:
        return
    never = [slot for slot in missing if slot.skipped == optimizer.t and not in_a_derivative(slot.tensor)]
    if never:
        used = [slot.name for slot in optimizer._slots if slot.tensor.grad is not None]
        raise messages.independent([slot.name for slot in never], used, type(optimizer).__name__)


def tell_lost(
    optimizer: Optimizer, loss: float, leaves: list[ref[Tensor]], rate: float, ahead: int = 1
) -> None:
    """Warn where the loss that the gradients are of was NaN or infinite."""
    reached = {id(leaf()) for leaf in leaves}
    if any(id(slot.tensor) in reached for slot in optimizer._slots):
        warn("MG-408", messages.lost(loss, optimizer.t + ahead, rate))
