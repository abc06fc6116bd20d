"""The tape and the walk back along it: the chain rule.

Every operation on a tensor that requires a gradient makes a ``Record``. Records are numbered in the order
they are made, so sorting the records that a loss reaches by number gives its tape. ``walk`` goes through it
backwards, one ``Step`` at a time: ``Tensor.backward`` runs the walk to its end, a stepper pauses after every step.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextvars import ContextVar
from itertools import compress
from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import ref

import numpy as np

from minigrad import messages, switches
from minigrad.cotangents import Cotangents, InPlace
from minigrad.errors import GradientError, OperationError
from minigrad.records import Record
from minigrad.source import here

if TYPE_CHECKING:  # so that who is handed a Step knows that these are Tensors; the walk needs a Variable
    from minigrad.tensor import Tensor

lost: ContextVar[tuple[float, list[ref[Tensor]]] | None] = ContextVar("lost", default=None)
"""The loss of the last walk into ``.grad``, and the leaves that it reached, where the loss was NaN or infinite."""


class Step(NamedTuple):
    """One stride of the backward walk: ``incoming`` at ``output``, times a local derivative, to one input.

    ``contribution`` is dL/d(input) through this record alone, ``total`` what has come together so far. The arrays
    are the walk's own and may be added into later: copy what is to be kept.
    """

    record: Record
    output: Tensor
    position: int
    incoming: Any
    contribution: Any
    total: Any

    @property
    def input(self) -> Tensor:
        """The tensor that received the contribution."""
        tensor: Tensor = self.record.inputs[self.position]
        return tensor


def tape(loss: Tensor) -> list[Record]:
    """Return the records that led to ``loss``, in the order in which they were made."""
    return [record for _, _, record in recorded(loss)]


def recorded(*roots: Tensor, stop: Collection[Tensor] = ()) -> list[tuple[int, Tensor, Record]]:
    """What a root was computed from, oldest first, as (serial, tensor, record); not looking behind ``stop``."""
    found = set(stop)
    pending = list(roots)
    reached = []
    while pending:
        tensor = pending.pop()
        record = tensor.record
        if record is None or tensor in found:  # a root may be a leaf, or in ``stop``
            continue
        found.add(tensor)
        reached.append((record.serial, tensor, record))
        if record.consumed is not None:
            raise GradientError("MG-203", messages.consumed(record.consumed))
        for x in compress(record.inputs, record.tracked):
            if x.record is not None:
                pending.append(x)  # noqa: PERF401 (a comprehension is a call: this runs for every record)
    reached.sort()  # no two have one serial
    return reached


def walk(
    by_variable: dict[Tensor, Any],
    *,
    create_graph: bool = False,
    retain_graph: bool = False,
    stop: Collection[Tensor] = (),
    watched: bool = True,
) -> Iterator[Step]:
    """Carry dL/d(tensor), by tensor, backwards, one step per input of every record.

    As each record is passed, its tensor's entry is used up; what is left at the end is dL/d(leaf) for every
    leaf, and for the tensors in ``stop``, behind which the walk does not go. Gradients are bare arrays, or
    Tensors with a graph of their own under ``create_graph``. Where the steps are not ``watched``, none is made.
    """
    order = recorded(*by_variable, stop=stop)
    cotangents = Cotangents(by_variable) if create_graph else InPlace(by_variable, not retain_graph)
    walker, hooks, add = here(), switches.hooked.get().backward, cotangents.add
    while order:
        _, output, record = order.pop()
        incoming = by_variable.pop(output, None)
        if incoming is None:
            continue
        if output.retains_grad:
            output.accumulate_grad(incoming, owned=False)
        for i, part in record.contributions(incoming, output if create_graph else None):
            x = record.inputs[i]
            data = x._data
            if part.shape != data.shape or (part.dtype is not data.dtype and part.dtype != data.dtype):
                part = _fit(part, x, record, i)
            total = add(x, part, record, incoming)
            if watched or hooks:
                step = Step(record, output, i, incoming, part, total)
                for hook in hooks:
                    hook(step)
                if watched:
                    yield step
        if not (retain_graph or create_graph):
            record.release(walker)
    cotangents.settle()


def _fit(part: Any, x: Tensor, record: Record, i: int) -> Any:
    """Undo broadcasting: sum a gradient over the axes that were stretched, and give it its input's dtype."""
    shape, dtype = x.shape, x.dtype
    if part.shape != shape:
        extra = part.ndim - len(shape)
        if extra < 0 or any(n not in (1, m) for n, m in zip(shape, part.shape[extra:], strict=True)):
            raise OperationError("MG-604", messages.wrong_shape(record.operation.rule(i), part.shape, shape))
        stretched = tuple(range(extra)) + tuple(
            extra + axis for axis, length in enumerate(shape) if length == 1 and part.shape[extra + axis] != 1
        )
        # np.sum of float16 stands still at 2,048
        part = part.astype("float32") if part.dtype == np.float16 else part
        part = np.sum(part, axis=stretched, keepdims=True).reshape(shape)
    return part if part.dtype == dtype else part.astype(dtype)


def arrive(root: Tensor, found: dict[Tensor, Any]) -> None:
    """Leave what a walk from ``root`` has found in the ``.grad`` of the leaves, and note a loss that is NaN."""
    data = root._data
    if type(data) is np.ndarray:  # on a GPU it would have to be waited for
        if data.size == 1:
            note_loss(data.item(), found)
    elif (trace := switches.tracing.get()) is not None:
        trace.arrived(data, [*found])
    for leaf, total in found.items():
        if leaf.requires_grad:
            leaf.accumulate_grad(total, owned=True)


def note_loss(loss: float, leaves: Iterable[Tensor]) -> None:
    """Remember a loss that is NaN or infinite, with the leaves that its gradient reached."""
    if not isfinite(loss):
        lost.set((loss, [ref(leaf) for leaf in leaves]))
    elif lost.get() is not None:
        lost.set(None)
