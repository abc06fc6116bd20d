"""What a step leaves behind beside its result, when that is no write into memory: done anew after every replay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, Protocol

from minigrad.optim.binding import Slot
from minigrad.optim.optimizer import Optimizer
from minigrad.optim.share import tell_lost
from minigrad.program.instructions import Value, mapped, paths
from minigrad.program.sources import Place
from minigrad.records import Version
from minigrad.source import SourceLocation
from minigrad.tape import lost, note_loss
from minigrad.tensor import Tensor, wrap

Arrays = Mapping[Value, Any]


class Effect(Protocol):
    """Something that a step leaves behind; ``values`` are what it needs of the program."""

    @property
    def values(self) -> list[Value]:
        """The values that have to be kept for it."""

    def happen(self, arrays: Arrays) -> None:
        """Let it happen, with the arrays of this step."""


@dataclass(slots=True, frozen=True, eq=False)
class Like:
    """A value that is kept in a tensor like another one."""

    value: Value
    tensor: Tensor


@dataclass(slots=True, frozen=True)
class Rebound:
    """Another array, or a tensor with another array, at a place: ``self.mean = 0.9 * self.mean + …``.

    ``tree`` is the value, or a tuple, a list or a dict of such: ``self.state = h, c``.
    """

    place: Place
    tree: Any

    @property
    def by_path(self) -> list[tuple[tuple[Any, ...], Value]]:
        """The values, each with the keys that lead to it."""
        parts = ((path, x.value if isinstance(x, Like) else x) for path, x in paths(self.tree))
        return [(path, x) for path, x in parts if isinstance(x, Value)]

    @property
    def values(self) -> list[Value]:
        """See ``Effect.values``."""
        return [value for _, value in self.by_path]

    def happen(self, arrays: Arrays) -> None:
        """See ``Effect.happen``."""

        def leaf(x: Any) -> Any:
            if isinstance(x, Like):
                return tensor_like(x.tensor, arrays[x.value])
            return arrays[x] if isinstance(x, Value) else x

        self.place.put(mapped(self.tree, leaf))


@dataclass(slots=True, frozen=True, eq=False)
class NewData:
    """Another array in a tensor: ``p.data = …``."""

    tensor: Tensor
    value: Value

    @property
    def values(self) -> list[Value]:
        """See ``Effect.values``."""
        return [self.value]

    def happen(self, arrays: Arrays) -> None:
        """See ``Effect.happen``."""
        self.tensor.data = arrays[self.value]


@dataclass(slots=True, frozen=True, eq=False)
class LeftGradient:
    """A gradient that the step leaves in a tensor's ``.grad``."""

    tensor: Tensor
    value: Value
    passes: int
    adds: bool
    """Whether the gradient from before the step is part of it."""
    stepped: bool
    """Whether an optimizer's step has used it."""

    @property
    def values(self) -> list[Value]:
        """See ``Effect.values``."""
        return [self.value]

    def happen(self, arrays: Arrays) -> None:
        """See ``Effect.happen``."""
        tensor = self.tensor
        tensor._grad = arrays[self.value]
        tensor.grad_passes = self.passes + (tensor.grad_passes if self.adds else 0)
        if self.stepped:
            tensor.stepped_passes = tensor.grad_passes
        elif not self.adds:
            tensor.stepped_passes = 0


@dataclass(slots=True, frozen=True, eq=False)
class NoGradients:
    """Tensors whose gradients the step has used up, or forgotten."""

    tensors: Sequence[Tensor]

    @property
    def values(self) -> list[Value]:
        """See ``Effect.values``."""
        return []

    def happen(self, arrays: Arrays) -> None:
        """See ``Effect.happen``."""
        for tensor in self.tensors:
            if tensor.grad_passes or tensor._grad is not None:  # seldom: the step itself has left none
                tensor.zero_grad()


@dataclass(slots=True, frozen=True, eq=False)
class Skipped:
    """Parameters for which an optimizer's step does not count, since they had no gradient."""

    optimizer: Optimizer
    slots: Sequence[Slot]

    @property
    def values(self) -> list[Value]:
        """See ``Effect.values``."""
        return []

    def happen(self, arrays: Arrays) -> None:
        """See ``Effect.happen``."""
        self.optimizer.skip(self.slots)


@dataclass(slots=True, frozen=True, eq=False)
class Written:
    """Tensors into whose memory the step writes, so that a graph from before can tell (MG-205)."""

    tensors: Sequence[tuple[Tensor, SourceLocation]]

    @property
    def values(self) -> list[Value]:
        """See ``Effect.values``."""
        return []

    def happen(self, arrays: Arrays) -> None:
        """See ``Effect.happen``."""
        for tensor, location in self.tensors:
            tensor.version.written(location, "step")


@dataclass(slots=True, frozen=True, eq=False)
class Arrived:
    """The loss of a backward walk, of which the optimizers warn where it is NaN or infinite (MG-408)."""

    value: Value
    leaves: Sequence[Tensor]
    optimizers: Sequence[Optimizer]

    @property
    def values(self) -> list[Value]:
        """See ``Effect.values``."""
        return [self.value]

    def happen(self, arrays: Arrays) -> None:
        """See ``Effect.happen``."""
        loss = arrays[self.value].item()
        if not isfinite(loss) or lost.get() is not None:
            note_loss(loss, self.leaves)
            if (noted := lost.get()) is not None:
                for optimizer in self.optimizers:
                    tell_lost(optimizer, *noted, optimizer.rate, ahead=0)  # its step is done already


def tensor_like(like: Tensor, array: Any) -> Tensor:
    """Return a tensor around an array, of another's class, name and wish for a gradient."""
    tensor = wrap(array, None, Version())
    tensor.__class__ = type(like)
    tensor.name, tensor.requires_grad = like.name, like.requires_grad and like.record is None
    return tensor
