"""The tape and the walk back along it.

Every operation on a tensor that requires a gradient makes a ``Record``. Records are numbered in the order
they are made, so sorting the records that a loss reaches by number gives its tape. ``walk`` goes through it
backwards, one ``Step`` at a time: ``backward`` runs the walk to its end, a stepper pauses after every step.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextvars import ContextVar
from math import isfinite
from typing import Any, NamedTuple
from weakref import ref

import numpy as np

from minigrad import backend, messages, modes
from minigrad.errors import GradientError, OperationError
from minigrad.operation import Record
from minigrad.source import here, variables
from minigrad.tensor import Tensor, register_methods, unwrap, wrap
from minigrad.versions import Version

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
    return [record for _, _, record in _recorded(loss)]


def _recorded(*roots: Tensor, stop: Collection[Tensor] = ()) -> list[tuple[int, Tensor, Record]]:
    """What a root was computed from, oldest first, as (serial, tensor, record); not looking behind ``stop``."""
    found = set(stop)
    pending = [root for root in roots if root not in found]
    reached = []
    while pending:
        tensor = pending.pop()
        record = tensor.record
        if record is None or tensor in found:  # a root may be a leaf
            continue
        found.add(tensor)
        reached.append((record.serial, tensor, record))
        if record.consumed is not None:
            raise GradientError(
                "MG-203",
                f"this graph was already consumed by backward() at {record.consumed}. Most often the "
                "forward pass was not run again. Use retain_graph=True only to differentiate the same graph twice.",
            )
        for x in record.inputs:
            if isinstance(x, Tensor) and x.record is not None:
                pending.append(x)  # noqa: PERF401 (a comprehension is a call: this runs for every record)
    reached.sort()  # no two have one serial
    return reached


def walk(
    cotangents: dict[Tensor, Any],
    *,
    create_graph: bool = False,
    retain_graph: bool = False,
    stop: Collection[Tensor] = (),
    watched: bool = True,
) -> Iterator[Step]:
    """Carry ``cotangents`` (dL/d(tensor) by tensor) backwards, one step per input of every record.

    As each record is passed, its tensor's entry is used up; what is left at the end is dL/d(leaf) for every
    leaf, and for the tensors in ``stop``, behind which the walk does not go. Gradients are bare arrays, or
    Tensors with a graph of their own under ``create_graph``. Where the steps are not ``watched``, none is made.
    """
    order = _recorded(*cotangents, stop=stop)
    walker = here()
    hooks = modes.hooked.get().backward
    owned: set[Tensor] = set()  # whose cotangent is a buffer of this walk, safe to add into
    while order:
        _, output, record = order.pop()
        incoming = cotangents.pop(output, None)
        if incoming is None:
            continue
        owned.discard(output)
        if output.retains_grad:
            _accumulate_grad(output, incoming, False)
        new = record.operation.joint_vjp is not None and not create_graph
        for i, part in record.contributions(incoming, output if create_graph else None):
            x = record.inputs[i]
            data = x._data
            if part.shape != data.shape or (part.dtype is not data.dtype and part.dtype != data.dtype):
                part = _fit(part, x, record, i)
            total = cotangents.get(x)
            if total is None:
                total = part
                if (new and not retain_graph) or not _is_shared(part, record, incoming):
                    owned.add(x)
            elif x in owned and not create_graph:
                np.add(total, part, out=total)
            else:
                total = backend.as_0d_array(total + part)
                owned.add(x)
            cotangents[x] = total
            if watched or hooks:
                step = Step(record, output, i, incoming, part, total)
                for hook in hooks:
                    hook(step)
                if watched:
                    yield step
        if not (retain_graph or create_graph):
            record.release(walker)
    if not create_graph:
        for leaf in cotangents.keys() - owned:
            cotangents[leaf] = cotangents[leaf].copy()


def _is_shared(part: Any, record: Record, incoming: Any) -> bool:
    """Tell whether a gradient is, or may be, somebody else's memory."""
    if part is incoming or part is record.value:
        return True
    if isinstance(part, Tensor):
        return False
    if part.base is not None:
        return True
    for array in (*record.arrays, *record.saved):  # noqa: SIM110 (any() of a generator takes three times as long)
        if part is array:
            return True
    return False


def _fit(part: Any, x: Tensor, record: Record, i: int) -> Any:
    """Undo broadcasting: sum a gradient over the axes that were stretched, and give it its input's dtype."""
    shape = x.shape
    if part.shape != shape:
        extra = part.ndim - len(shape)
        if extra < 0 or any(n not in (1, m) for n, m in zip(shape, part.shape[extra:], strict=True)):
            rule = record.operation.rule(i)
            assert rule is not None
            raise OperationError(
                "MG-604",
                f"rule {rule.name} ({rule.formula}) returned shape {part.shape} for an input of "
                f"shape {shape}. A gradient has its input's shape, or the shape that it was broadcast to.",
            )
        stretched = tuple(range(extra)) + tuple(
            extra + axis for axis, length in enumerate(shape) if length == 1 and part.shape[extra + axis] != 1
        )
        # np.sum of float16 stands still at 2,048
        part = part.astype("float32") if part.dtype == np.float16 else part
        part = np.sum(part, axis=stretched, keepdims=True).reshape(shape)
    return part if part.dtype == x.dtype else part.astype(x.dtype)


def backward(
    root: Tensor, gradient: Any = None, *, retain_graph: bool = False, create_graph: bool = False
) -> None:
    """Run the walk from ``root`` to its end; see ``Tensor.backward``."""
    for _ in steps(root, gradient, retain_graph=retain_graph, create_graph=create_graph, watched=False):
        pass


def steps(
    root: Tensor,
    gradient: Any = None,
    *,
    retain_graph: bool = False,
    create_graph: bool = False,
    watched: bool = True,
) -> Iterator[Step]:
    """Walk back from ``root`` one step at a time; the leaves receive their ``.grad`` after the last step."""
    cotangents = {root: _seed(root, gradient, create_graph)}
    yield from walk(cotangents, retain_graph=retain_graph, create_graph=create_graph, watched=watched)
    data = root._data
    if type(data) is np.ndarray and data.size == 1:  # on a GPU it would have to be waited for
        if not isfinite(value := data.item()):
            lost.set((value, [ref(leaf) for leaf in cotangents]))
        elif lost.get() is not None:
            lost.set(None)
    for leaf, total in cotangents.items():
        if leaf.requires_grad:
            _accumulate_grad(leaf, total, True)


def _seed(root: Tensor, gradient: Any, create_graph: bool) -> Any:
    if not root.requires_grad:
        raise GradientError("MG-204", _no_graph(root))
    if gradient is None:
        if root._data.size != 1:
            raise GradientError(
                "MG-202",
                f"backward() needs one number to differentiate; {root.label} has shape {root.shape}. "
                f"Use .mean().backward(), or pass gradient= of shape {root.shape}.",
            )
        seed: Any = _one(root._data)
    elif np.shape(gradient) != root.shape:
        raise GradientError(
            "MG-202", f"gradient= has shape {np.shape(gradient)}, but {root.label} has shape {root.shape}."
        )
    elif isinstance(gradient, Tensor):
        seed = gradient if gradient.dtype == root.dtype else gradient.astype(root.dtype)
    else:
        seed = backend.as_array(gradient, root.dtype)
    if not create_graph:
        seed = unwrap(seed)
    elif not isinstance(seed, Tensor):
        seed = wrap(seed.copy(), None, Version())  # the graph of the gradient outlives this call
    passes = modes.accumulated_passes.get()
    return seed if passes == 1 else backend.as_0d_array(seed * (1.0 / passes))


def _no_graph(root: Tensor) -> str:
    """Say why ``root`` has no graph, by the leaves that the user's function can see."""
    found: dict[str, Any] = {}
    for name, x in variables().items():
        parts = x.named_parameters() if hasattr(type(x), "named_parameters") else None
        if isinstance(parts, dict):  # of a model
            found |= {f"{name}.{key}": p for key, p in parts.items()}
        elif isinstance(x, Tensor) and x is not root:
            found[x.name or name] = x
    leaves = {name: x for name, x in found.items() if x.is_leaf and x.dtype.kind == "f"}
    tracked = [name for name, x in leaves.items() if x.requires_grad]
    shapes = {name: str(x.shape) for name, x in leaves.items()}
    whole = [name for name, x in found.items() if x.is_leaf and x.requires_grad and x.dtype.kind != "f"]
    return messages.no_graph(root.label, shapes, tracked, whole, modes.recording.get())


def _one(like: Any) -> Any:
    """A number 1 as an array where ``like`` lives; NumPy's ones_like takes twice as long for its own arrays."""
    if type(like) is not np.ndarray:
        return np.ones_like(like)
    one = np.empty(like.shape, like.dtype)
    one.fill(1)
    return one


def _is_zero(gradient: Tensor) -> bool:
    """Whether somebody has made it zero; a GPU's array, which takes waiting, is looked at only once written into."""
    array = gradient._data
    return (type(array) is np.ndarray or gradient.version.number > 0) and not array.any()


def _accumulate_grad(tensor: Tensor, total: Any, owned: bool) -> None:
    """Add one walk's gradient to ``.grad``, never into memory that somebody else may hold."""
    before = tensor._grad
    if before is not None:
        if isinstance(before, Tensor) and _is_zero(before):
            tensor.grad_passes = 0  # forgotten by hand: x.grad.zero_()
        if before.shape != total.shape:
            raise GradientError(
                "MG-505",
                f"{tensor.label} has shape {tensor.shape}, and what was assigned to its .grad {before.shape}. "
                "Forget it before backward(): .grad = None.",
            )
        total = backend.as_0d_array((tensor.grad if isinstance(total, Tensor) else unwrap(before)) + total)
        total = total if total.dtype == tensor._data.dtype else total.astype(tensor._data.dtype)
    elif not owned and not isinstance(total, Tensor):
        total = total.copy()
    tensor._grad = total
    tensor.grad_passes += 1
    tensor.expected_passes = modes.accumulated_passes.get()
    for hook in modes.hooked.get().accumulate_grad:
        hook(tensor, unwrap(before))


def gradients(
    outputs: Tensor,
    inputs: Tensor | Sequence[Tensor],
    *,
    create_graph: bool = False,
    allow_constant: bool = False,
) -> list[Tensor]:
    """Return d(outputs)/d(input) for each input without touching any ``.grad``; zeros where there is no path.

    ``outputs`` must be a single number (MG-202), and require a gradient like every input (MG-204): what was not
    recorded is not zero. With ``allow_constant`` outputs that require none have zeros too. The graph is kept.
    """
    inputs = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    for i, x in enumerate(inputs):
        if not isinstance(x, Tensor):
            raise GradientError(
                "MG-204",
                f"input {i} of gradients is {x!r:.40}, and no Tensor: no path to it was recorded. Give the Tensors "
                "that the outputs were computed from.",
            )
        if not x.requires_grad:
            raise GradientError(
                "MG-204",
                f"input {i} of gradients, {x.label}, does not require a gradient, so no path to it was recorded. "
                "Write x.requires_grad_() before the forward pass.",
            )
    if allow_constant and not outputs.requires_grad:
        return [Tensor(np.zeros_like(x.data)) for x in inputs]
    cotangents = {outputs: _seed(outputs, None, create_graph)}
    for _ in walk(cotangents, retain_graph=True, create_graph=create_graph, stop=inputs):
        pass
    found = [cotangents.get(x) for x in inputs]
    for i, x in enumerate(inputs):
        if found[i] is None and any(x is y for record in tape(outputs) for y in record.inputs):
            raise GradientError(
                "MG-204",
                f"input {i} of gradients, {x.label}, was used before it required a gradient, so no path to it was "
                "recorded. Write x.requires_grad_() before the forward pass.",
            )
    return [
        Tensor(np.zeros_like(x.data))
        if g is None
        else g
        if isinstance(g, Tensor)
        else wrap(g, None, Version())
        for x, g in zip(inputs, found, strict=True)
    ]


register_methods(backward=backward)
