"""A parameter as a step finds it: the array that it holds, its state, and which code updates them.

A step would look all this up anew for every parameter. It is kept for as long as the parameter holds the same array.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any, TypeAlias

import numpy as np
from minigrad_kernels import gpu
from minigrad_kernels.launch import is_shared_out
from minigrad_kernels.updates import UpdateRule

from minigrad import backend
from minigrad.backend import Array
from minigrad.ops.half import wide
from minigrad.optim.writing import misfit, plain, read_only
from minigrad.tensor import Tensor

Vectors: TypeAlias = dict[tuple[str, np.dtype[Any]], Array]
"""The coefficients of a step as arrays, by the rule's name and the dtype."""


class Bound:
    """A parameter's array and how it is updated: by a rule's kernel, on arrays of whatever library."""

    def __init__(self, theta: Array, state: list[Array], rule: UpdateRule | None) -> None:
        array = plain(theta)
        self.theta, self.shape, self.dtype, self.kind = theta, theta.shape, theta.dtype, type(array)
        self.arrays = array, *map(plain, state)
        self.on_host = isinstance(theta, np.ndarray)
        self.rule = rule

    def update(self, g: Array, coefficients: tuple[Any, ...]) -> None:
        """Change parameter and state in place."""
        theta, *state = self.arrays
        assert self.rule is not None
        self.rule(theta, g, *state, coefficients)


class InFloat32(Bound):
    """A parameter of float16, which is updated in float32 and rounded once."""

    def update(self, g: Array, coefficients: tuple[Any, ...]) -> None:
        """See ``Bound.update``."""
        theta, *state = self.arrays
        precise = wide(theta)
        assert self.rule is not None
        self.rule(precise, wide(g), *state, coefficients)
        theta[...] = precise


class Compiled(Bound):
    """A parameter in the memory of the processor, updated by the loop that was chosen for it.

    ``vector`` holds the coefficients in the parameter's own dtype, for all parameters of that dtype.
    """

    def __init__(self, theta: Array, state: list[Array], rule: UpdateRule, vector: Array) -> None:
        super().__init__(theta, state, rule)
        self.theta_1d, *self.state_1d = (a.reshape(-1) for a in self.arrays)
        self.vector = vector
        self.loop = rule.pick(self.theta_1d, *self.state_1d, vector)
        self.shared_loop = rule.on_several_threads(self.loop, theta.size)

    def update(self, g: Array, coefficients: tuple[Any, ...]) -> None:
        """See ``Bound.update``; the coefficients stand in ``vector`` already."""
        loop = self.loop
        if self.shared_loop is not loop and is_shared_out(g):
            loop = self.shared_loop
        loop(self.theta_1d, g.ravel(), *self.state_1d, self.vector)


class OnDevice(Bound):
    """A parameter on a GPU, which is updated with all others that lie there, in one launch."""

    def __init__(self, theta: Array, state: list[Array], rule: UpdateRule) -> None:
        super().__init__(theta, state, rule)
        self.group = backend.device_of(theta), theta.dtype

    def for_launch(self, g: Array) -> tuple[Array, ...]:
        """Return the parameter, its gradient and its state as ``update_all`` takes them."""
        theta, *state = self.arrays
        return theta, gpu.contiguous(g), *state


class Slot:
    """A parameter under its name, its state, and what it is bound to at the moment.

    ``skipped`` counts the optimizer's steps in which it was left as it was, for want of a gradient.
    """

    def __init__(self, name: str, tensor: Tensor, state: dict[str, Array], skipped: int = 0) -> None:
        self.name, self.tensor, self.state, self.skipped = name, tensor, state, skipped
        self.bound: Bound = _NOTHING

    def bind(self, rule: UpdateRule | None, vectors: Vectors) -> None:
        """Choose what updates the array that the parameter holds now; MG-505, MG-511 where nothing can."""
        theta = self.tensor._data
        kind, precise = type(plain(theta)), state_dtype(theta)
        for key, state in self.state.items():
            if state.shape != theta.shape or state.dtype != precise or type(plain(state)) is not kind:
                raise misfit(self.name, "its state in the optimizer", theta, state)
            if isinstance(state, np.ndarray) and not state.flags.writeable:
                raise read_only(f"{self.name}.{key}", state)
        self.bound = _bound(theta, list(self.state.values()), rule, vectors)

    def release(self) -> None:
        """Forget the array, so that the next step binds anew."""
        self.bound = _NOTHING

    def __reduce__(self) -> tuple[type[Slot], tuple[str, Tensor, dict[str, Array], int]]:
        return Slot, (self.name, self.tensor, self.state, self.skipped)

    def __deepcopy__(self, memo: dict[int, Any]) -> Slot:
        # A deep copy of a view is no view any more: the copy has to bind anew.
        return Slot(self.name, deepcopy(self.tensor, memo), deepcopy(self.state, memo), self.skipped)


def _bound(theta: Array, state: list[Array], rule: UpdateRule | None, vectors: Vectors) -> Bound:
    if rule is None:
        return Bound(theta, state, None)
    if theta.dtype == np.float16:
        return InFloat32(theta, state, rule)
    arrays = [plain(a) for a in (theta, *state)]
    if all(type(a) is np.ndarray and a.flags.c_contiguous for a in arrays):
        vector = vectors.setdefault((rule.name, theta.dtype), np.empty(len(rule.names), theta.dtype))
        return Compiled(theta, state, rule, vector)
    if rule.pick(*arrays) is rule.gpu and all(a.flags.c_contiguous for a in arrays):
        return OnDevice(theta, state, rule)
    return Bound(theta, state, rule)


def state_dtype(theta: Array) -> np.dtype[Any]:
    """The dtype of a parameter's state, and of the arithmetic that updates it."""
    dtype: np.dtype[Any] = theta.dtype
    return np.dtype("float32") if dtype == np.float16 else dtype


_NOTHING = Bound(np.empty(0), [], None)
"""What a parameter is bound to before the first step: no array of anybody's."""
