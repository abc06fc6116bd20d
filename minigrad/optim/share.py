"""One step's work on parameters that have their settings and the number of their own steps in common."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from minigrad_kernels.updates import UpdateRule, update_all

from minigrad.backend import Array
from minigrad.ops.half import wide
from minigrad.optim import formulas, program
from minigrad.optim.binding import OnDevice
from minigrad.optim.ready import Ready
from minigrad.tensor import Tensor

if TYPE_CHECKING:
    from minigrad.optim.optimizer import Optimizer


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
            theta, state = wide(slot.bound.theta), slot.state.values()
            g = formulas.effective_gradient(wide(g), theta, clip=clip, l2=optimizer.l2)
            updated.append(optimizer.formula(theta, g, *state, rate=self.rate, t=self.t))
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


def by_skipped(optimizer: Optimizer, rule: UpdateRule | None, ready: Ready, rate: float) -> list[Share]:
    """Return the shares of parameters some of which have skipped steps."""
    parts: dict[int, Ready] = {}
    for pair in ready:
        parts.setdefault(pair[0].skipped, []).append(pair)
    return [
        Share(optimizer, rule, part, rate, optimizer.t + 1 - skipped, skipped)
        for skipped, part in parts.items()
    ]
