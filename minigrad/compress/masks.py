"""Masks: pruned weights are 0, and stay 0 under every optimizer.

What an optimizer sees of a pruned entry, from the moment it is pruned, is a weight of 0, a gradient of 0 and a state of
0 (momentum, Adam's m and v, …). Every update rule of ``optim/formulas.py`` maps zeros to zeros, weight decay and
penalties included (where a rule divides by √v + ε it needs ε > 0), so nothing has to be repaired after a step and no
optimizer has to know of masks. And clipping by the global norm measures the gradient of the weights that are left.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from minigrad import backend, modes
from minigrad.compress.magnitude import Kept, kept_by_magnitude
from minigrad.compress.surgery import linears
from minigrad.nn import Module, Parameter
from minigrad.optim import Optimizer
from minigrad.tensor import Tensor


class Masks:
    """Which entries of the dense layers' weights are kept, biases never being pruned.

    ``kept["0.weight"]`` is an array of booleans, all True at first. Raises ConfigError MG-821 where the model has no
    dense layer.

    >>> masks = Masks(model)
    >>> masks.prune(0.9, optimizer)  # the smallest nine in ten become 0
    >>> with masks.held():           # … and stay 0 in every backward() and step() in here
    ...     train(model, optimizer)
    """

    def __init__(self, model: Module) -> None:
        self.weights = prunable(model)
        self.kept: Kept = {name: np.ones(weight.shape, bool) for name, weight in self.weights.items()}
        self._factors: dict[int, Any] = {}

    @property
    def sparsity(self) -> float:
        """The share of the entries that are pruned."""
        size = sum(kept.size for kept in self.kept.values())
        return 1 - sum(int(kept.sum()) for kept in self.kept.values()) / size

    def prune(self, sparsity: float, optimizer: Optimizer | None = None, *, per_layer: bool = False) -> None:
        """Prune the weights of the smallest magnitude until the share ``sparsity`` is pruned.

        Entries that are pruned already stay so. ``optimizer`` is the one whose state shall forget them.
        """
        weights = {name: weight.numpy() for name, weight in self.weights.items()}
        self.set(kept_by_magnitude(weights, sparsity, per_layer=per_layer, before=self.kept), optimizer)

    def set(self, kept: Kept, optimizer: Optimizer | None = None) -> None:
        """Take up these masks: what they drop becomes 0, in the weights and in the optimizer's state."""
        self.kept = kept
        self._factors = {}
        for name, weight in self.weights.items():
            factor = backend.to_device(kept[name].astype(weight.dtype), weight.device)
            self._factors[id(weight)] = factor
            weight.data[...] = weight.data * factor
            weight.bump_version()
            if optimizer is not None:
                for state in optimizer.state.get(name, {}).values():
                    state[...] = state * factor

    @contextmanager
    def held(self) -> Iterator[None]:
        """Inside the block, give pruned entries a gradient of 0 as every backward pass leaves one.

        The masks may change meanwhile; hand the optimizer to ``prune`` then, so that its state forgets as well.
        """
        with modes.hooks(accumulate_grad=self._mask_gradient):
            yield

    def _mask_gradient(self, tensor: Tensor, before: Any) -> None:
        factor = self._factors.get(id(tensor))
        if factor is not None and tensor.grad is not None:
            tensor.grad.data = tensor.grad.data * factor


def prunable(model: Module) -> dict[str, Parameter]:
    """Return the weights of the dense layers, by their dotted names; ConfigError MG-821 where there are none."""
    own = {id(layer.weight) for layer in linears(model).values()}
    return {name: weight for name, weight in model.named_parameters().items() if id(weight) in own}


def masks_of_zeros(model: Module) -> Masks:
    """Return masks that drop exactly the weights that are 0 now, as in a network that was pruned before."""
    masks = Masks(model)
    masks.set({name: weight.numpy() != 0 for name, weight in masks.weights.items()})
    return masks
