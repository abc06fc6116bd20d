"""Which parameters a step updates, and by what: those with a gradient, all of them checked before one is changed."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import ref

from minigrad_kernels.launch import reference_is_forced
from minigrad_kernels.updates import UpdateRule

from minigrad.backend import Array
from minigrad.cotangents import in_a_derivative
from minigrad.errors import OptimizerError, warn
from minigrad.optim import messages
from minigrad.optim.binding import Slot
from minigrad.optim.writing import misfit, plain, read_only
from minigrad.tensor import Tensor

if TYPE_CHECKING:
    from minigrad.optim.optimizer import Optimizer

Ready = list[tuple[Slot, Array]]
"""Parameters that are updated, each with its gradient."""


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
