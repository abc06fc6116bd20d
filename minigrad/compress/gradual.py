r"""Gradual pruning while a network trains.

.. math:: s_t = s_f + (s_i - s_f) \left(1 - \frac{t - t_0}{n \, \Delta t}\right)^3
    \quad \text{for } t \in \{t_0, t_0 + \Delta t, \ldots, t_0 + n \, \Delta t\}

Zhu & Gupta 2017, "To prune, or not to prune: exploring the efficacy of pruning for model compression", eq. 1: fast at
first, when there are many weights to spare, and slower and slower towards the end. Between two prunings the weights
that are left make up for those that went.
"""

from __future__ import annotations

from minigrad.compress.magnitude import check_share
from minigrad.compress.masks import Masks
from minigrad.errors import ConfigError
from minigrad.nn import Module
from minigrad.optim import Optimizer


def sparsity_at(t: int, *, begin: int, end: int, final: float, initial: float = 0.0) -> float:
    """Return s_t: ``initial`` until step ``begin`` (t₀), ``final`` from ``end`` (t₀ + n Δt) on, a cubic between."""
    if t >= end:
        return final
    left = 1 - max(t - begin, 0) / (end - begin)
    return final + (initial - final) * left**3


class GradualPruning:
    """Prunes a network by and by: call ``step(t)`` after update t, inside ``with pruning.masks.held():``.

    Parameters
    ----------
    model, optimizer : what is pruned, and whose state has to forget what is pruned.
    sparsity : the share of the dense layers' weights that is pruned in the end, s_f.
    begin, end : the updates between which it is pruned, 0 <= begin < end.
    every : updates from one pruning to the next, Δt.
    per_layer : that share of each layer rather than of all layers together.

    It starts from the sparsity that ``masks`` has, s_i, by default 0. Raises ConfigError MG-802 where a setting is out
    of its range, or where ``masks`` has more than ``sparsity`` already.
    """

    def __init__(
        self,
        model: Module,
        optimizer: Optimizer,
        sparsity: float,
        *,
        begin: int = 0,
        end: int,
        every: int = 100,
        per_layer: bool = False,
        masks: Masks | None = None,
    ) -> None:
        check_share("sparsity", sparsity)
        if not (0 <= begin < end and every >= 1):
            raise ConfigError(
                "MG-802",
                f"begin is {begin}, end {end}, every {every}; there must be 0 <= begin < end, and every 1 or more.",
            )
        self.masks = masks or Masks(model)
        self.initial = self.masks.sparsity
        if sparsity < self.initial - 1e-9:
            raise ConfigError(
                "MG-802",
                f"sparsity is {sparsity:g}, and the network has {self.initial:.4g} already: pruned weights do not "
                "come back. Ask for more, or start from the dense network.",
            )
        self.optimizer, self.sparsity = optimizer, sparsity
        self.begin, self.end, self.every, self.per_layer = begin, end, every, per_layer

    def due(self, t: int) -> bool:
        """Tell whether ``step(t)`` prunes."""
        return (self.begin <= t < self.end and (t - self.begin) % self.every == 0) or t == self.end

    def step(self, t: int) -> None:
        """Prune, where update ``t`` is one of those after which it is due."""
        if self.due(t):
            wanted = sparsity_at(t, begin=self.begin, end=self.end, final=self.sparsity, initial=self.initial)
            self.masks.prune(wanted, self.optimizer, per_layer=self.per_layer)
