"""Record one real training step: what the engine's hooks tell, copied, in the order in which it happens."""

from __future__ import annotations

import contextlib
import inspect
import linecache
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import FrameType
from typing import Any, overload

import numpy as np

from minigrad import modes
from minigrad.optim import Update as EngineUpdate
from minigrad.records import Record
from minigrad.source import SourceLocation, here
from minigrad.tape import Step, walk
from minigrad.tensor import Tensor
from minigrad.viz import again
from minigrad.viz import trace as events
from minigrad.viz.local import local_derivative, stretched_axes
from minigrad.viz.names import Names
from minigrad.viz.recording import Recording
from minigrad.viz.trace import Host, Line, Node
from minigrad.viz.update_rows import host, rows, sealed


@overload
def record(step: Callable[..., Any], *args: Any, title: str | None = None) -> Recording: ...
@overload
def record(
    step: None = None, *, title: str | None = None
) -> contextlib.AbstractContextManager[Recording]: ...
def record(step: Callable[..., Any] | None = None, *args: Any, title: str | None = None) -> Any:
    """Run a training step and return a ``Recording`` of all that the engine did in it, in order.

    ``trace = mg.record(step, x, y)`` calls ``step(x, y)``; ``with mg.record() as trace:`` records the block, and the
    trace is complete when the block is left. The step is the user's own and the engine is the real one: its results
    are the same bits as without. The trace keeps copies of all arrays, on the host.

    A tensor goes by its own name, or its module's name for it (``fc1.weight``), or the variable that holds it, or what
    made it (``relu_2``). What raises in the step is raised here; the trace of what came before is the exception's
    attribute ``trace``.
    """
    caller = sys._getframe(1)
    if step is None:
        return _recorded(caller, title or "recorded step")
    return _run(step, args, caller, title or str(getattr(step, "__name__", "step")))


def _run(step: Callable[..., Any], args: tuple[Any, ...], caller: FrameType, title: str) -> Recording:
    with _recorded(caller, title) as trace:
        trace.about = (inspect.getdoc(step) or "").split("\n\n")[0] if inspect.isfunction(step) else ""
        try:
            step(*args)
        except BaseException as error:
            with contextlib.suppress(AttributeError, TypeError):  # an exception without room for attributes
                error.trace = trace  # type: ignore[attr-defined]
            raise
    return trace


@contextlib.contextmanager
def _recorded(caller: FrameType, title: str) -> Iterator[Recording]:
    recorder = Recorder(caller, title)
    try:
        with recorder.hooks():
            yield recorder.trace
    finally:
        recorder.finish()


class Recorder:
    """Writes down in ``trace`` what its hooks are told, until ``finish``."""

    def __init__(self, caller: FrameType, title: str) -> None:
        self.trace = Recording(title)
        self.names: Names | None = Names(caller)
        self.latest: dict[int, tuple[int, int]] = {}  # id of a tensor or array -> newest node, version there
        self.hints: dict[int, str] = {}  # node of an array -> what the operation that takes it calls it
        self.kept: dict[int, Any] = {}  # tensors and arrays by id, so that no id is used twice
        self.constants: dict[int, tuple[int, ...]] = {}  # node -> ids of its inputs
        self.parameters: dict[int, str] = {}  # names that optimizers use
        self.walks: dict[FrameType, dict[int, Any]] = {}  # a walk -> what each tensor has received in it
        self.losses: list[int] = []  # nodes from which walks have started since the last update
        self.updated: dict[int, Host] = {}  # node of a parameter -> its new value, while updates come in

    def hooks(self) -> contextlib.AbstractContextManager[None]:
        """Listen to the engine inside a ``with`` block."""
        return modes.hooks(self.forward, self.backward, self.accumulate_grad, self.update)

    # -- events -------------------------------------------------------------------------------------------

    def forward(self, record: Record, output: Tensor) -> None:
        """Note an operation that ran."""
        self.settle()
        line = self._line(record.location)
        layer = self._look()
        node = self._add_result(record, output, line, layer)
        self._note(events.Forward(self._next, line, node))

    def backward(self, step: Step) -> None:
        """Note a contribution to a gradient, and the start of a walk before its first."""
        self.settle()
        received = self.walks.setdefault(_walk(), {})
        node = self._node(step.output)
        if id(step.output) not in received:
            received[id(step.output)] = None
            self._look()
            line = self._line(here())
            self._note(events.Seed(self._next, line, node, _host(step.incoming)))
            self.losses.append(node)
        source = self.trace.nodes[node].inputs[step.position]
        assert source is not None
        rule = step.record.operation.rule(step.position)
        assert rule is not None
        self._note(
            events.Backward(
                index=self._next,
                line=self._line(step.record.location),
                node=node,
                input=source,
                position=step.position,
                rule=rule.formula,
                incoming=_host(step.incoming),
                local=local_derivative(step),
                contribution=_host(step.contribution),
                total=_host(step.total),
                first=id(step.input) not in received,
                summed=stretched_axes(step),
            )
        )
        received[id(step.input)] = None

    def accumulate_grad(self, tensor: Tensor, before: Any) -> None:
        """Note what has become of a tensor's ``.grad``."""
        self.settle()
        node = self._newest(tensor)
        old = None if before is None else host(before)
        self._note(events.AccumulateGrad(self._next, self._line(here()), node, old, _host(tensor.grad)))

    def update(self, update: EngineUpdate) -> None:
        """Note what an optimizer did to a parameter."""
        if not update.name.startswith("param"):
            self.parameters.setdefault(id(update.tensor), update.name)
        self._look()
        if id(update.tensor) not in self.latest:
            self._add_leaf(update.tensor, host(update.theta), -1)
        node, _ = self.latest[id(update.tensor)]
        optimizer = type(update.optimizer).__name__
        line = self._line(here())
        norm, kept = update.optimizer.max_norm, sealed(update)
        event = events.Update(self._next, line, node, optimizer, update.t, rows(update), norm, kept)
        self._note(event)
        self.updated[node] = event.rows[-1].value

    def settle(self) -> None:
        """Note, after the last of a step's updates, what the losses that led to them come to now."""
        if not self.updated:
            return
        line = self.trace.events[-1].line
        for loss in dict.fromkeys(self.losses):
            old = self.trace.nodes[loss].value
            new = again.with_new(self.trace, loss, self.updated) if old.size == 1 else None
            if new is not None:
                self._note(events.NewLoss(self._next, line, loss, old, host(new)))
        self.losses, self.updated = [], {}

    def finish(self) -> None:
        """Give the nodes their names and let go of everything that the engine made."""
        if self.names is None:
            return
        self.settle()
        self._look()
        nodes = _named(self.trace.nodes, self.hints | self._known_names())
        found = self.names.by_id
        for index, ids in self.constants.items():
            arrays = nodes[index].constants
            named = tuple(None if a is None else found.get(i) for i, a in zip(ids, arrays, strict=True))
            nodes[index] = replace(nodes[index], constant_names=named)
        self.trace.nodes[:] = nodes
        self.trace.layers = self.names.kinds
        self.names = None
        self.latest, self.kept, self.walks, self.constants, self.hints = {}, {}, {}, {}, {}

    # -- nodes --------------------------------------------------------------------------------------------

    def _node(self, tensor: Tensor) -> int:
        """Return the tensor's node, a new one where it was not seen or was written in place since."""
        found = self.latest.get(id(tensor))
        if found is not None and found[1] in (tensor.version.number, -1):
            return found[0]
        if tensor.record is None or found is not None:
            return self._add_leaf(tensor, host(tensor.data), tensor.version.number)
        for unseen in self._unseen(tensor):
            made = unseen.record
            assert made is not None
            self._add_result(made, unseen, self._line(made.location), None)
        return self.latest[id(tensor)][0]

    def _array(self, record: Record, position: int) -> int | None:
        """Return the node of an argument that is data but no Tensor, a new one where its numbers are others now.

        None for a single number, and for what no program gave: the random numbers of a dropout.
        """
        given, array = record.inputs[position], record.arrays[position]
        if np.isscalar(given) or not hasattr(array, "ndim") or record.operation.name == "dropout":
            return None
        value = host(array)
        found = self.latest.get(id(given))
        if found is not None:
            before = self.trace.nodes[found[0]].value
            if (before.dtype, before.shape, before.tobytes()) == (value.dtype, value.shape, value.tobytes()):
                return found[0]
        node = self._add_leaf(given, value, 0)
        names = record.operation.inputs
        if position < len(names) and len(names[position]) > 1:
            self.hints[node] = names[position]
        return node

    def _newest(self, tensor: Tensor) -> int:
        return self.latest[id(tensor)][0] if id(tensor) in self.latest else self._node(tensor)

    def _unseen(self, tensor: Tensor) -> list[Tensor]:
        """The tensor, and what it was computed from before the recording began, oldest first."""
        found: dict[int, Tensor] = {}
        pending = [tensor]
        while pending:
            unseen = pending.pop()
            if unseen.record is None or id(unseen) in self.latest or id(unseen) in found:
                continue
            found[id(unseen)] = unseen
            pending.extend(x for x in unseen.record.inputs if isinstance(x, Tensor))
        return sorted(found.values(), key=lambda t: 0 if t.record is None else t.record.serial)

    def _add_leaf(self, tensor: Any, value: Host, version: int) -> int:
        earlier = self.latest.get(id(tensor))
        role = "input"
        if isinstance(tensor, Tensor) and tensor.requires_grad:
            role = "parameter" if tensor.record is None else "result"
        node = Node(
            index=len(self.trace.nodes),
            name="",
            role=role,
            shape=value.shape,
            dtype=str(value.dtype),
            value=value,
            earlier=None if earlier is None else earlier[0],
        )
        return self._keep(tensor, node, version)

    def _add_result(self, record: Record, output: Tensor, line: Line | None, layer: str | None) -> int:
        inputs = tuple(
            self._node(x) if isinstance(x, Tensor) else self._array(record, position)
            for position, x in enumerate(record.inputs)
        )
        value = host(output.data)
        node = Node(
            index=len(self.trace.nodes),
            name="",
            role="result",
            shape=value.shape,
            dtype=str(value.dtype),
            value=value,
            operation=record.operation.name,
            definition=record.operation,
            formula=record.operation.formula,
            inputs=inputs,
            constants=tuple(
                None if x is None or i is not None else host(x)
                for x, i in zip(record.inputs, inputs, strict=True)
            ),
            params={name: _copied(param) for name, param in record.params.items()},
            layer=layer,
            line=line,
        )
        self.kept |= {id(x): x for x in record.inputs if isinstance(x, np.ndarray)}
        self.constants[node.index] = tuple(map(id, record.inputs))
        return self._keep(output, node, output.version.number)

    def _keep(self, tensor: Any, node: Node, version: int) -> int:
        self.trace.nodes.append(node)
        self.latest[id(tensor)] = (node.index, version)
        self.kept[id(tensor)] = tensor
        return node.index

    # -- names and lines ----------------------------------------------------------------------------------

    @property
    def _next(self) -> int:
        return len(self.trace.events)

    def _note(self, event: events.Event) -> None:
        self.trace.events.append(event)

    def _look(self) -> str | None:
        return None if self.names is None else self.names.look(self.kept)

    def _known_names(self) -> dict[int, str]:
        """What each node is called by the user, the names of tensors before those of variables."""
        assert self.names is not None
        known: dict[int, str] = {}
        for key in self.latest:
            tensor = self.kept[key]
            name = getattr(tensor, "name", None) or self.names.by_id.get(key) or self.parameters.get(key)
            if name:
                known[self.latest[key][0]] = name.replace("\n", r"\n")  # formulas are told line by line
        return known

    def _line(self, location: SourceLocation) -> Line | None:
        file, number = location.filename, location.line
        if file not in self.trace.source:
            self.trace.source[file] = [text.rstrip("\r\n") for text in linecache.getlines(file)]
        lines = self.trace.source[file]
        return Line(file, number, lines[number - 1] if 0 < number <= len(lines) else "")


def _walk() -> FrameType:
    """The frame of the walk that runs: what tells one walk from another."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code is not walk.__code__:
        frame = frame.f_back
    assert frame is not None
    return frame


def _named(nodes: list[Node], known: dict[int, str]) -> list[Node]:
    """Return the nodes with names that differ: those known first, then ``operation_1`` … for the others."""
    for node in reversed(nodes):  # the value before an in-place change is the same tensor
        if node.earlier is not None and node.index in known:
            known.setdefault(node.earlier, known[node.index])
    taken: set[str] = set()
    counts: dict[str, int] = {}
    names: list[str] = []
    for node in nodes:
        if node.earlier is not None:
            names.append(_numbered(names[node.earlier].rpartition("#")[0] or names[node.earlier], "#", taken))
        elif node.index in known:
            name = known[node.index]
            names.append(_numbered(name, "_", taken) if name in taken else name)
        else:
            names.append("")
        taken.add(names[-1])
    for node in nodes:
        if not names[node.index]:
            base = node.operation or node.role
            name = ""
            while not name or name in taken:
                counts[base] = counts.get(base, 0) + 1
                name = f"{base}_{counts[base]}"
            names[node.index] = name
            taken.add(name)
    return [replace(node, name=names[node.index]) for node in nodes]


def _numbered(base: str, mark: str, taken: set[str]) -> str:
    number = 2
    while f"{base}{mark}{number}" in taken:
        number += 1
    return f"{base}{mark}{number}"


def _host(array: Any) -> Host:
    """A copy on the host, read-only."""
    copy: Host = host(array.data if isinstance(array, Tensor) else array)
    return copy


def _copied(param: Any) -> Any:
    if isinstance(param, np.ndarray):
        return host(param)
    if isinstance(param, (tuple, list)):
        return type(param)(_copied(part) for part in param)
    return param
