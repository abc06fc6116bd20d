"""A recorded step as a program: every number of it follows from what the step was given, by instructions.

The recorded operations and their rules run once more, on what stands for their arrays, and are noted down as in a
traced step. What comes out has to be what was recorded, or there is no program.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, cast

import numpy as np

from minigrad.errors import MinigradError, ProgramError
from minigrad.program import messages, passes
from minigrad.program.instructions import Listing, Phase, Value, mapped, values
from minigrad.program.passes.common import is_pure
from minigrad.program.sources import Argument
from minigrad.program.trace import Trace as Noted
from minigrad.program.tracer import Tracer
from minigrad.source import SourceLocation
from minigrad.symbols import evaluate
from minigrad.viz.again import arguments
from minigrad.viz.local import stretched
from minigrad.viz.trace import (
    AccumulateGrad,
    Backward,
    Event,
    Forward,
    Host,
    Line,
    Node,
    Seed,
    Trace,
    Update,
)


@dataclass(slots=True, eq=False)
class Live:
    """The program of a recorded step, forwards and backwards.

    - listing: its instructions, kernels written out
    - values: by the id of a recorded array, which of the program's values it is
    - given: by node, what the program starts from
    - constants: what it reads beside that, random numbers say, with the numbers
    - loss: the value that the step makes smaller
    - gradients: by node, what has come together for a parameter
    """

    listing: Listing
    values: dict[int, Value]
    given: dict[int, Value]
    constants: list[tuple[Value, Host]]
    loss: Value | None
    gradients: dict[int, Value]


@dataclass(slots=True, eq=False)
class Rule:
    """An optimizer's formula as a program of one parameter: ``theta``, ``g``, the state and settings by their symbols.

    ``lines`` has for each line of the formula the symbol and the value; ``settings`` are the symbols that are numbers.
    """

    listing: Listing
    state: tuple[str, ...]
    settings: tuple[str, ...]
    lines: list[tuple[str, Value]]


def rule_of(update: Update) -> Rule:
    """Return the formula of a recorded update.

    MG-671 where it is none of single entries, MG-650 where it is kept from readers.
    """
    rows = update.rows
    if update.sealed:
        called = f"{update.optimizer}'s formula"
        raise ProgramError("MG-650", messages.closed(called, update.sealed, "a page as JavaScript"))
    noted = Noted()
    values: dict[Any, Any] = {}
    lines: list[tuple[str, Value]] = []
    trees: list[tuple[Any, Any]] = []
    for row in rows:
        if row.given:
            number = row.setting or row.symbol == "clip"
            given = row.value.item() if number else np.zeros_like(row.value)
            values[row.symbol] = noted.give(given, row.symbol, Argument(len(values)))
            trees += [(row.tree, values[row.symbol])] if row.tree is not None else []
        elif row.tree is None:
            raise ProgramError("MG-671", f"{update.optimizer}'s formula is not one of single entries. {FIX}")
    values.update(trees)
    for row in rows:
        if row.tree is not None and not row.given:
            with np.errstate(all="ignore"):
                values[row.tree] = evaluate(row.tree, values)
            lines.append((row.symbol, values[row.tree].node))
    for k, each in enumerate(noted.instructions):
        noted.instructions[k] = replace(each, phase="update", location=cast(SourceLocation, _At("", 0)))
    kept = [value for _, value in lines]
    given = [value for value, _ in noted.given]
    return Rule(
        listing=passes.without_dead(Listing(given, noted.instructions, kept)),
        state=tuple(row.symbol for row in rows if row.given and not row.setting and row.symbol != "clip")[2:],
        settings=tuple(row.symbol for row in rows if row.setting),
        lines=lines,
    )


def live(trace: Trace, rows: int = 0, more: int = 0) -> Live:
    """Return the program of a recorded step; with ``more`` inputs, those of ``rows`` rows, than were recorded.

    ProgramError MG-671, which says why, where there is none: the recording has several steps or none, an operation
    decides by numbers, or what it computes is not what was recorded.
    """
    if trace.loss is None or len(trace.steps) != 1:
        many = f"{len(trace.steps)} steps" if trace.loss is not None else "no step back from a loss"
        raise ProgramError(
            "MG-671", f"{trace.title or 'the recording'} has {many}; a live page has one. {FIX}"
        )
    return Again(trace, rows, more).run()


FIX = "The page is as it was recorded."


@dataclass(slots=True, frozen=True)
class _At:
    """Where an instruction is from, as a ``SourceLocation`` says it."""

    filename: str
    line: int


class Again:
    """Runs a recorded step once more, in a trace."""

    def __init__(self, trace: Trace, rows: int = 0, more: int = 0) -> None:
        self.recorded, self.noted = trace, Noted()
        self.rows, self.more = rows, more
        self.nodes: dict[int, Any] = {}  # node -> what stands for its value
        self.saved: dict[int, tuple[Any, ...]] = {}
        self.gradients: dict[int, Any] = {}  # of the walk that runs
        self.known: dict[int, Tracer] = {}  # by the id of a recorded array
        self.arrays: list[tuple[Host, Tracer, Event]] = []
        self.left: dict[int, Any] = {}

    def run(self) -> Live:
        """Return the program."""
        for node in self.recorded.nodes:
            if node.operation is None:
                self.nodes[node.index] = self._give(self._longer(node), node.name)
        for kind, run in groupby(self.recorded.events, _batch):
            part = list(run)
            start = len(self.noted.instructions)
            try:
                with np.errstate(all="ignore"):
                    self._replay(part)
            except MinigradError as error:
                if error.code == "MG-671":
                    raise
                raise ProgramError(
                    "MG-671", f"{self._named(part[0])} cannot be run again: {error} {FIX}"
                ) from error
            except Exception as error:  # an operation of the program's own may do anything
                name = type(error).__name__
                raise ProgramError(
                    "MG-671", f"{self._named(part[0])} cannot be run again: {name}: {error}. {FIX}"
                ) from error
            phase: Phase = "forward" if kind[0] == "forward" else "backward"
            self._place(start, phase, part[0].line)
        return self._finished()

    def _give(self, array: Host, name: str) -> Tracer:
        tracer = self.noted.give(np.array(array), name, Argument(len(self.noted.given)))
        self.known[id(array)] = tracer
        return tracer

    def _longer(self, node: Node) -> Host:
        """The value of a node, with further rows like its last one where those are wanted."""
        if not self.more or node.role != "input" or node.shape[:1] != (self.rows,):
            return node.value
        return np.concatenate([node.value, *[node.value[-1:]] * self.more])

    def _replay(self, part: Sequence[Event]) -> None:
        event = part[0]
        if isinstance(event, Forward):
            self._forward(self.recorded.nodes[event.node], event)
        elif isinstance(event, Seed):
            self.gradients = {
                event.node: self._give(event.gradient, f"d_{self.recorded.nodes[event.node].name}")
            }
        elif isinstance(event, Backward):
            self._backward(cast("list[Backward]", part))
        elif isinstance(event, AccumulateGrad):
            before = None if event.before is None else self._give(event.before, "grad_before")
            total = self.gradients[event.node]
            self.left[event.node] = total if before is None else before + total
            self._is(event.total, self.left[event.node], event)

    def _forward(self, node: Node, event: Event) -> None:
        values = {i: self.nodes[i] for i in node.inputs if i is not None}
        operation = node.definition
        given = arguments(self.recorded, node, values)
        made = operation.forward(*given, **node.params)
        value, *saved = made if operation.saves else (made,)
        value = _of_an_array(value)
        self.noted.rename(value, node.name)
        self.nodes[node.index], self.saved[node.index] = value, (*given, *saved)
        self._is(node.value, value, event)

    def _backward(self, part: list[Backward]) -> None:
        """The rules of one operation, each for an input."""
        node = self.recorded.nodes[part[0].node]
        incoming, arrays = self.gradients[node.index], self.saved[node.index]
        operation, params = node.definition, {**node.definition.params, **node.params}
        contributions = self._contributions(node, incoming, {each.position: each.input for each in part})
        for event in part:
            made = contributions[event.position]
            self._is(event.incoming, incoming, event)
            self._is(event.contribution, made, event)
            if event.local is not None:
                ones, rule = np.ones_like(incoming), operation.rule(event.position)
                local = rule(event.position, ones, self.nodes[node.index], arrays, params)
                self._is(event.local, np.broadcast_to(local, incoming.shape), event)
            before = None if event.first else self.gradients.get(event.input)
            total = made if before is None else _of_an_array(before + made)
            self.gradients[event.input] = total
            self.noted.rename(total, f"d_{self.recorded.nodes[event.input].name}")
            self._is(event.total, total, event)

    def _contributions(self, node: Node, incoming: Any, inputs: dict[int, int]) -> dict[int, Any]:
        """What the rules of the operation that made ``node`` give to some of its inputs, by position."""
        y, arrays, operation = self.nodes[node.index], self.saved[node.index], node.definition
        rules = {position: operation.rule(position) for position in inputs}
        params = {**operation.params, **node.params}
        if operation.joint_vjp is not None:
            made = operation.joint_vjp(rules, incoming, y, *arrays, **params)
        else:
            made = {k: rule(k, incoming, y, arrays, params) for k, rule in rules.items()}
        return {k: self._fitted(made[k], self.nodes[i]) for k, i in inputs.items()}

    def _fitted(self, part: Any, like: Any) -> Any:
        if part.shape != like.shape:
            part = np.sum(part, axis=stretched(part.shape, like.shape), keepdims=True).reshape(like.shape)
        part = _of_an_array(part)
        return part if part.dtype == like.dtype else part.astype(like.dtype)

    def _is(self, array: Host, tracer: Any, event: Event) -> None:
        """Note which value a recorded array is; MG-671 where the numbers are others."""
        if not isinstance(tracer, Tracer):
            tracer = self._give(np.asarray(tracer), "constant")
        if not self.more and (array.shape != tracer.shape or not _is_close(array, tracer.value)):
            raise ProgramError(
                "MG-671",
                f"{self._named(event)} gives other numbers when it runs once more: it depends on something that is "
                f"not among its arrays. {FIX}",
            )
        self.known[id(array)] = tracer

    def _place(self, start: int, phase: Phase, line: Line | None) -> None:
        at = _At("", 0) if line is None else _At(line.file, line.number)
        for k in range(start, len(self.noted.instructions)):
            self.noted.instructions[k] = replace(
                self.noted.instructions[k], phase=phase, location=cast(SourceLocation, at)
            )

    def _named(self, event: Event) -> str:
        node = self.recorded.nodes[event.node]
        where = "" if event.line is None else f" (line {event.line.number})"
        return f"{node.operation or event.kind} in {node.name!r}{where}"

    def _seeds(self) -> dict[Value, Host]:
        """What random numbers follow from: they are data of a page, as recorded."""
        nodes = self.recorded.nodes
        found = {
            i
            for node in nodes
            if node.operation is not None
            for i, name in zip(node.inputs, node.definition.inputs, strict=False)
            if name == "seed" and i is not None
        }
        return {self.nodes[i].node: nodes[i].value for i in found if nodes[i].operation is None}

    def _finished(self) -> Live:
        nodes, loss = self.recorded.nodes, self.recorded.loss
        given = {i: tracer.node for i, tracer in self.nodes.items() if nodes[i].operation is None}
        values = {key: tracer.node for key, tracer in self.known.items()}
        listing, constants = self._listing(list(dict.fromkeys(values.values())))
        return Live(
            listing=listing,
            values=values,
            given=given,
            constants=constants,
            loss=None if loss is None else self.nodes[loss].node,
            gradients={i: tracer.node for i, tracer in self.left.items()},
        )

    def _listing(self, kept: list[Value]) -> tuple[Listing, list[tuple[Value, Host]]]:
        """What leads to these values, and the constants that are read on the way."""
        listing = Listing([value for value, _ in self.noted.given], self.noted.instructions, kept)
        steps: tuple[Callable[[Listing], Listing], ...] = (
            passes.lowered, passes.without_copies, passes.shared, passes.without_dead,
        )  # fmt: skip
        for make in steps:
            listing = make(listing)
        listing, worked_out = _without_constant(listing, self._seeds())
        here = {tracer.node for i, tracer in self.nodes.items() if self.recorded.nodes[i].operation is None}
        arrays = {tracer.node: tracer.value for tracer in self.noted.tracers} | dict(worked_out)
        read = {value for each in listing.instructions for value in each.reads}
        needed = [value for value in listing.given if value not in here and (value in read or value in kept)]
        for value in needed:
            if value not in arrays:
                raise ProgramError("MG-671", f"what {value.name} stands for was not recorded. {FIX}")
        return listing, [(value, np.asarray(arrays[value])) for value in needed]


def _without_constant(
    listing: Listing, seeds: Mapping[Value, Host]
) -> tuple[Listing, list[tuple[Value, Host]]]:
    """Work out what depends on ``seeds`` alone, places say; return the rest, and those arrays with their values."""
    known: dict[Value, Any] = dict(seeds)
    rest = []
    for each in listing.instructions:
        if not is_pure(each) or any(value not in known for value in each.reads):
            rest.append(each)
            continue

        def look(x: Any) -> Any:
            return known[x] if isinstance(x, Value) else x

        found = each.function.run(*mapped(each.arguments, look), **mapped(each.options, look))
        parts = [found] if isinstance(each.result, Value) else list(found)
        known.update(zip(values(each.result), parts, strict=True))
    read = {value for each in rest for value in each.reads} | set(listing.kept)
    constants = [(v, np.asarray(array)) for v, array in known.items() if v in read and v not in seeds]
    return Listing([*listing.given, *(value for value, _ in constants)], rest, listing.kept), constants


def _of_an_array(x: Any) -> Any:
    """A scalar of NumPy's as an array without axes, as the engine has it."""
    return x.as_0d_array() if isinstance(x, Tracer) else x


def _is_close(array: Host, other: Any) -> bool:
    """Tell whether two arrays are the same to rounding: loops may add up otherwise where memory lies otherwise."""
    if array.dtype.kind != "f":
        return np.array_equal(array, other)
    size = np.max(np.abs(array), initial=0.0, where=np.isfinite(array))
    return np.allclose(other, array, rtol=1e-4, atol=1e-4 * float(size), equal_nan=True)


def _batch(event: Event) -> Any:
    """Events that are made by one run have this in common: those of one operation's rules, all others alone."""
    if isinstance(event, Backward):
        return event.kind, event.node
    return event.kind, event.index
