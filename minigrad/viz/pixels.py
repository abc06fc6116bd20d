"""What a network makes of one picture, as a program: its results, and the gradient of the loss by the pixels.

A training step works out gradients of parameters alone. Here the recorded rules run for the picture too; what leads to
no gradient of a pixel is left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from minigrad.errors import ProgramError
from minigrad.program.instructions import Listing, Value
from minigrad.viz.live import Again
from minigrad.viz.trace import Backward, Host, Node, Trace

_SMALLEST = 5
"""How many rows and columns a picture has at least."""


@dataclass(slots=True, eq=False)
class Pixels:
    """The program of a recorded step as far as its pictures have to do with it.

    - picture, shape: the node of the batch of pictures, and one picture's rows and columns
    - labels: the node of the classes that they should be, where there is one
    - results: by node, what has a row for each picture and does not depend on the labels; the last is the network's
    - gradient: dL/d(pictures)
    """

    listing: Listing
    constants: list[tuple[Value, Host]]
    picture: int
    shape: tuple[int, int]
    labels: int | None
    results: dict[int, Value]
    gradient: Value


def pixels(trace: Trace) -> Pixels | None:
    """Return what is worked out on a picture; None where the step has no pictures, or no gradient leads to them."""
    for node in trace.nodes:
        shape = _picture_shape(node)
        if shape is None:
            continue
        found = trace.results_of(node)
        if not found or trace.loss is None:
            continue
        labels = next(
            (
                other.index
                for other in trace.nodes
                if other.role == "input" and other.value.dtype.kind in "iu" and other.shape == node.shape[:1]
            ),
            None,
        )
        if labels is None and math.prod(found[-1].shape[1:]) != shape[0] * shape[1]:
            continue
        try:
            return _Toward(trace, node, found).pixels(shape, labels)
        except ProgramError:
            return None
    return None


def _picture_shape(node: Node) -> tuple[int, int] | None:
    """Rows and columns of the pictures in an input: (n, side²), (n, rows, columns) or (n, 1, rows, columns)."""
    if node.role != "input" or node.value.dtype.kind != "f" or node.value.ndim < 2 or not node.value.size:
        return None
    if node.value.min() < 0 or node.value.max() > 1:
        return None
    rest = node.shape[1:]
    if len(rest) == 1:
        rest = (math.isqrt(rest[0]),) * 2
    if len(rest) == 3 and rest[0] == 1:
        rest = rest[1:]
    if len(rest) != 2 or math.prod(rest) != math.prod(node.shape[1:]) or min(rest) < _SMALLEST:
        return None
    return rest[0], rest[1]


class _Toward(Again):
    """Runs a recorded step once more, and carries the gradient on to one of its inputs."""

    def __init__(self, trace: Trace, picture: Node, found: list[Node]) -> None:
        super().__init__(trace)
        self.picture, self.results = picture, found
        carried = {event.node for event in trace.events if isinstance(event, Backward)}
        self.between = {picture.index}  # what is made of the pictures alone, to which no gradient was carried
        for node in trace.nodes:
            if node.operation and node.index not in carried and self.between & set(node.inputs):
                self.between.add(node.index)
        self.parts: dict[int, Any] = {}

    def pixels(self, shape: tuple[int, int], labels: int | None) -> Pixels | None:
        self.run()
        for node in reversed(self.recorded.nodes):
            if node.index in self.between and node.operation and node.index in self.parts:
                self._carry(node, self.parts[node.index])
        if self.picture.index not in self.parts:
            return None
        gradient = self.parts[self.picture.index].node
        results = {node.index: self.nodes[node.index].node for node in self.results}
        listing, constants = self._listing([*dict.fromkeys(results.values()), gradient])
        return Pixels(listing, constants, self.picture.index, shape, labels, results, gradient)

    def _backward(self, part: list[Backward]) -> None:
        super()._backward(part)
        node = self.recorded.nodes[part[0].node]
        self._carry(node, self.gradients[node.index])

    def _carry(self, node: Node, incoming: Any) -> None:
        inputs: Iterator[tuple[int, int]] = (
            (position, i)
            for position, i in enumerate(node.inputs)
            if i in self.between and node.definition.rule(position) is not None
        )
        for position, i in inputs:
            part = self._contributions(node, incoming, {position: i})[position]
            self.parts[i] = part if i not in self.parts else self.parts[i] + part
