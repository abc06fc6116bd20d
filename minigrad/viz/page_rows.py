"""What a page draws over a network's one or two inputs, and the program that takes more points, or fewer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from minigrad.errors import ProgramError
from minigrad.program import javascript, passes
from minigrad.program.instructions import Listing
from minigrad.program.javascript_rows import for_any_rows
from minigrad.viz.live import Live, live
from minigrad.viz.trace import Host, Node, Trace

MORE = 32
"""So many points can be added where a program has constants that have a row for each."""
MOST_UNITS = 32
"""A layer with more units has no pictures of them."""


@dataclass(slots=True)
class Seen:
    """A network's inputs of one or two numbers, what it makes of them, and what it should make of them.

    - x, output, target: the program's values; target is None where there is none with a row for each
    - batch: all that the step is given with a row for each point
    - rows, most: how many points were recorded, and how many there may be; as many where it is made for those alone
    - everywhere: whether ``predict`` takes any number of places at once
    - layers: the hidden units' results, which ``predict`` works out on its way, as [node, value]
    """

    x: str
    output: str
    target: str | None
    batch: list[str]
    rows: int
    most: int
    everywhere: bool
    layers: list[tuple[int, str]]


@dataclass(slots=True)
class Printed:
    """A program as the page's object of functions, and those of its constants that are longer than recorded."""

    text: str
    seen: Seen | None
    constants: dict[str, Host]


def printed(trace: Trace, program: Live) -> Printed:
    """Return the program's functions; MG-670 where a page has no function for an instruction."""
    text = javascript.phases_text(program.listing)
    found = _over(trace, program)
    if found is None:
        return Printed(text, None, {})
    x, output, target = found
    rows = x.shape[0]
    wanted = program.values[id(output.value)].name
    layers = [(node.index, program.values[id(node.value)].name) for node in _layers(trace, x, output)]
    batch = [
        value.name
        for i, value in program.given.items()
        if trace.nodes[i].role == "input" and trace.nodes[i].shape[:1] == (rows,)
    ]
    named = None if target is None else program.given[target.index].name
    seen = Seen(program.given[x.index].name, wanted, named, batch, rows, rows, False, layers)
    longer = _longer(trace, rows)
    shown = {wanted, *(name for _, name in layers)}
    predict = _function(_leading_to(program, shown))
    constants: dict[str, Host] = {}
    if longer is not None:
        grown = _grown(program, longer, rows)
        leading = [_leading_to(each, shown) for each in (program, longer(1), longer(2))]
        read = {value.name for each in leading[0].instructions for value in each.reads}
        any_places = for_any_rows(rows, [_function(each) for each in leading])
        if any_places is not None and grown is not None and not read & grown.keys():
            predict, seen.everywhere = any_places, True
        any_rows = for_any_rows(rows, [text, *(javascript.phases_text(longer(k).listing) for k in (1, 2))])
        if any_rows is not None and grown is not None and target is not None:
            text, constants, seen.most = any_rows, grown, rows + MORE
    return Printed(f"{text[:-2]},\n{predict}\n}}", seen, constants)


def _longer(trace: Trace, rows: int) -> Callable[[int], Live] | None:
    """What makes the program of a longer batch; None where there is none."""
    try:
        made = {more: live(trace, rows, more) for more in (1, 2, MORE)}
    except ProgramError:
        return None
    return made.__getitem__


def _layers(trace: Trace, x: Node, output: Node) -> list[Node]:
    """Return what hidden units make of the inputs: results before the output that the next layer's weights take."""
    taken = {node.inputs[0] for node in trace.nodes if node.operation in ("matmul", "linear", "linear_relu")}
    return [
        node
        for node in trace.results_of(x)
        if node.value.ndim == 2
        and node.shape[1] <= MOST_UNITS
        and node.index in taken
        and node.index != output.index
    ]


def _leading_to(program: Live, wanted: set[str]) -> Listing:
    """The part of the program on which some values depend."""
    listing = program.listing
    forward = [each for each in listing.instructions if each.phase == "forward"]
    kept = [value for each in forward for value in each.makes if value.name in wanted]
    return passes.without_dead(Listing(listing.given, forward, kept))


def _function(listing: Listing) -> str:
    return javascript.function_text("predict", listing.instructions, listing)


def _grown(program: Live, longer: Callable[[int], Live], rows: int) -> dict[str, Host] | None:
    """The constants of the longest batch that have a row for each of its own; None where they are no such thing."""
    all_of = [
        {value.name: array for value, array in each.constants} for each in (program, longer(1), longer(MORE))
    ]
    if not all(each.keys() == all_of[0].keys() for each in all_of):
        return None
    found = {}
    for name, array in all_of[0].items():
        one, many = all_of[1][name], all_of[2][name]
        if array.shape == one.shape == many.shape and np.array_equal(array, many):
            continue
        if array.shape[:1] != (rows,) or not (
            np.array_equal(array, many[:rows]) and np.array_equal(one, many[: rows + 1])
        ):
            return None
        found[name] = many
    return found


def _over(trace: Trace, program: Live) -> tuple[Node, Node, Node | None] | None:
    """Return what may be drawn over one or two inputs: those, what the network makes of them, and what it should.

    The last result that has a row for each and does not depend on what it should be; None where there is none.
    """
    data = [
        trace.nodes[i] for i in program.given if trace.nodes[i].role == "input" and trace.nodes[i].value.ndim
    ]
    for node in data:
        if (
            node.value.ndim != 2
            or node.shape[1] not in (1, 2)
            or node.value.dtype.kind != "f"
            or node.shape[0] < 2
        ):
            continue
        found = [each for each in trace.results_of(node) if each.value.ndim == 2]
        rows = [
            other
            for other in data
            if other is not node and other.shape in (node.shape[:1], (node.shape[0], 1))
        ]
        if found:
            return node, found[-1], rows[0] if rows else None
    return None
