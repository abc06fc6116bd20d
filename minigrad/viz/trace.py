"""What was recorded of a training step: its tensors, its events in order, and the lines of the program."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, ClassVar, TypeAlias

from numpy.typing import NDArray

from minigrad.symbols import Expression

Host: TypeAlias = NDArray[Any]
"""A NumPy array on the host, a copy that belongs to the trace."""


@dataclass(frozen=True)
class Line:
    """One line of somebody's program."""

    file: str
    number: int
    text: str


@dataclass(frozen=True, eq=False)
class Node:
    """One tensor of the recorded step, with the value that it had when it was first seen.

    A tensor that was written in place (by an optimizer, say) and then used again is a node of its own, whose
    ``earlier`` is the node of the value before.
    """

    index: int
    name: str
    role: str
    """``"parameter"``, ``"input"`` or ``"result"``."""
    shape: tuple[int, ...]
    dtype: str
    value: Host
    operation: str | None = None
    definition: Any = None
    """The ``Operation``, which is what it was when it ran, whatever goes by its name by now."""
    formula: str | None = None
    inputs: tuple[int | None, ...] = ()
    """Indices of nodes; None for an argument that is no array: an index, a number."""
    constants: tuple[Host | None, ...] = ()
    """Beside ``inputs``: the array where there is no node."""
    constant_names: tuple[str | None, ...] = ()
    """Beside ``constants``: the variable that holds the array, where one was found."""
    params: dict[str, Any] = field(default_factory=dict)
    layer: str | None = None
    line: Line | None = None
    earlier: int | None = None


@dataclass(frozen=True, eq=False)
class Forward:
    """An operation ran and made a node."""

    kind: ClassVar[str] = "forward"
    index: int
    line: Line | None
    node: int


@dataclass(frozen=True, eq=False)
class Seed:
    """A walk started: dL/dL, 1 unless another gradient was given."""

    kind: ClassVar[str] = "seed"
    index: int
    line: Line | None
    node: int
    gradient: Host


@dataclass(frozen=True, eq=False)
class Backward:
    """A rule carried the gradient of ``node`` to its argument number ``position``, the node ``input``.

    ``contribution`` has the input's shape: where the input was stretched by broadcasting, it has been summed over the
    axes ``summed`` of the incoming gradient. ``total`` is dL/d(input) in this walk so far. ``local`` is the local
    derivative, where the operation works entry by entry; then contribution = incoming · local (before that sum).
    ``line`` is the line whose rule this is: where the operation ran.
    """

    kind: ClassVar[str] = "backward"
    index: int
    line: Line | None
    node: int
    input: int
    position: int
    rule: str
    incoming: Host
    local: Host | None
    contribution: Host
    total: Host
    first: bool
    summed: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class AccumulateGrad:
    """A walk's gradient was added to the ``.grad`` of a tensor, which was ``before`` and is ``total`` now."""

    kind: ClassVar[str] = "accumulate_grad"
    index: int
    line: Line | None
    node: int
    before: Host | None
    total: Host


@dataclass(frozen=True, eq=False)
class Row:
    """One line of an optimizer's formula: ``symbol`` = ``text``, and its value.

    ``given`` is true, and the text empty, for what the formula starts from: the old parameter, the gradient, the old
    state, the coefficients. ``tree`` is what the formula has for it as an expression, where
    it has one.
    """

    symbol: str
    text: str
    value: Host
    given: bool = False
    tree: Expression | None = None
    setting: bool = False
    """Whether it is one of the optimizer's numbers."""


@dataclass(frozen=True, eq=False)
class Update:
    """An optimizer changed a parameter. The rows are its formula, line by line; the last is the new parameter.

    ``sealed`` is what stands in the formula's place where that is kept from readers.
    """

    kind: ClassVar[str] = "update"
    index: int
    line: Line | None
    node: int
    optimizer: str
    t: int
    rows: tuple[Row, ...]
    max_norm: float | None = None
    sealed: str = ""


@dataclass(frozen=True, eq=False)
class NewLoss:
    """What the step has achieved: the loss ``node``, which was ``old``, on the same data with the new parameters."""

    kind: ClassVar[str] = "outcome"
    index: int
    line: Line | None
    node: int
    old: Host
    new: Host


Event: TypeAlias = Forward | Seed | Backward | AccumulateGrad | Update | NewLoss


def moved(event: Event, index: int, nodes: Mapping[int, int]) -> Event:
    """Return an event as number ``index`` of another recording, in which its nodes have other numbers."""
    if isinstance(event, Backward):
        return replace(event, index=index, node=nodes[event.node], input=nodes[event.input])
    return replace(event, index=index, node=nodes[event.node])


class Trace:
    """Everything that happened in a recorded step, in the order in which it happened.

    - nodes: the tensors, in the order in which they were first seen
    - events: ``Forward``, ``Seed``, ``Backward``, ``AccumulateGrad``, ``Update`` and ``NewLoss``
    - source: the lines of each file that an event's line points into
    - about: a sentence or two for the head of a page
    - hint: what there is to try on its page
    - texts: by the name of an array of integers the alphabet in which they are places: its page shows and takes text
    - layers: the class of each module that ran, by its name
    - starts: the events with which the recorded steps begin, where that is known
    - loss: index of the node that the last walk started from, None where there was no walk
    """

    def __init__(self, title: str = "") -> None:
        self.title = title
        self.about, self.hint = "", ""
        self.texts: dict[str, str] = {}
        self.nodes: list[Node] = []
        self.events: list[Event] = []
        self.source: dict[str, list[str]] = {}
        self.layers: dict[str, str] = {}
        self.starts: list[int] = []
        self.found_thread: tuple[int, dict[int, tuple[int, ...]]] = (
            -1,
            {},
        )  # by ``thread.py``, for so many events
        self.formulas: dict[int, Any] = {}  # what ``minigrad.viz.formulas`` has found out about an event

    @property
    def steps(self) -> list[range]:
        """The events of each recorded step; where nobody said when one begins, a new one does behind an update."""
        found = [0, *self.starts[1:]]
        if not self.starts:
            for before, event in pairwise(self.events):
                if isinstance(before, Update | NewLoss) and not isinstance(event, Update | NewLoss):
                    found.append(event.index)
        return [range(*ends) for ends in pairwise((*found, len(self.events)))]

    @property
    def loss(self) -> int | None:
        """Index of the node that the last walk started from, or None."""
        return next((event.node for event in reversed(self.events) if isinstance(event, Seed)), None)

    def node(self, name: str) -> Node:
        """Return the node of this name; KeyError, with the names that there are, where there is none."""
        for node in self.nodes:
            if node.name == name:
                return node
        raise KeyError(f"no node is called {name!r}; there are {', '.join(node.name for node in self.nodes)}")

    def results_of(self, leading: Node) -> list[Node]:
        """Return the results that have a row for each row of an input and depend on no other input that has axes."""
        others = {each.index for each in self.nodes if each.role == "input" and each.value.ndim} - {
            leading.index
        }
        leads, found = {leading.index}, []
        for each in self.nodes:
            sources = set(each.inputs) if each.operation else set()
            if sources & others:
                others.add(each.index)
            elif sources & leads:
                leads.add(each.index)
                if each.value.ndim >= 2 and each.shape[0] == leading.shape[0]:
                    found.append(each)
        return found

    def gradient(self, node: int, until: int | None = None) -> Host | None:
        """Return dL/d(node) as it stands after event number ``until`` (default: the last), None while unknown.

        While a walk runs it is the sum of the contributions so far, later a leaf's ``.grad``.
        """
        events: Iterable[Event] = self.events if until is None else self.events[: until + 1]
        found: Host | None = None
        for event in events:
            if isinstance(event, Backward) and event.input == node:
                found = event.total
            elif isinstance(event, Seed) and event.node == node:
                found = event.gradient
            elif isinstance(event, AccumulateGrad) and event.node == node:
                found = event.total
        return found

    def __repr__(self) -> str:
        counts = dict.fromkeys(("forward", "backward", "accumulate_grad", "update"), 0)
        for event in self.events:
            if event.kind in counts:
                counts[event.kind] += 1
        counted = ", ".join(f"{count} {kind}" for kind, count in counts.items())
        return f"Trace({self.title!r}: {len(self.nodes)} tensors; {counted})"
