"""What is used once, and at once, is written where it is used: a formula in one line instead of five."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from minigrad.program.functions import Attribute, Check, InPlace, Item, Method, OfNumPy, Operator
from minigrad.program.instructions import Instruction, Listing, Memory, Value, mapped

WIDEST = 80
"""Characters up to which an expression is written within another."""


def folded(listing: Listing) -> Listing:
    """Write results that one instruction alone uses into that instruction's text; the order of writes stays.

    The listing that comes out is for printing: some of its values are expressions.
    """
    uses: dict[Value, int] = {}
    for each in listing.instructions:
        for value in each.reads:
            uses[value] = uses.get(value, 0) + 1
    waiting: dict[Value, Instruction] = {}  # what may still be written where it is used
    found: list[Instruction] = []
    made: set[Value] = set()
    for each in listing.instructions:
        found += [waiting.pop(value) for value in each.reads if _is_named(value, each, waiting)]
        inside = {value: waiting.pop(value) for value in each.reads if value in waiting}
        each = _with(each, inside)
        touched = {*each.writes, *(value.memory for value in each.makes if value in made)}
        made.update(each.makes)
        late = [v for v, held in waiting.items() if touched & _memories(held)]
        found += [waiting.pop(value) for value in late]  # before what it reads is another
        result = each.result
        short = each.closed is None and len(each.function.text(each.arguments, each.options)) <= WIDEST
        if _is_expression(each) and short and uses.get(result) == 1 and result not in listing.kept:
            waiting[result] = each
        else:
            found.append(each)
    return Listing(listing.given, [*found, *waiting.values()], listing.kept)


def _memories(instruction: Instruction) -> set[Memory]:
    """Return all memory that an instruction reads, that of the expressions within it included."""
    found: set[Memory] = set()
    pending = list(instruction.reads)
    while pending:
        value = pending.pop()
        found.add(value.memory)
        pending += getattr(value, "inside", ())
    return found


def _is_expression(instruction: Instruction) -> bool:
    function = instruction.function
    plain = isinstance(function, (Operator, OfNumPy, Attribute, Item)) and not isinstance(function, InPlace)
    return plain and isinstance(instruction.result, Value) and not instruction.writes


def _is_named(value: Value, instruction: Instruction, waiting: dict[Value, Instruction]) -> bool:
    """Tell whether a value needs its name: it is assigned to (Python refuses ``w.T += 1``), or its reader is closed."""
    is_left = isinstance(instruction.function, InPlace) and instruction.arguments[0] is value
    is_target = is_left and value in waiting and not isinstance(waiting[value].function, Item)
    return is_target or (instruction.closed is not None and value in waiting)


def _with(instruction: Instruction, inside: dict[Value, Instruction]) -> Instruction:
    if not inside:
        return instruction

    def other(x: Any) -> Any:
        if not isinstance(x, Value) or x not in inside:
            return x
        held = inside[x]
        text = held.function.text(held.arguments, held.options)
        loose = isinstance(held.function, Operator) and isinstance(instruction.function, _TIGHT)
        return Reading(f"({text})" if loose else text, x, list(held.reads))

    return replace(
        instruction,
        arguments=mapped(instruction.arguments, other),
        options=mapped(instruction.options, other),
    )


_TIGHT = (Operator, Attribute, Item, Method, Check)
"""Functions that are written so close to what they are given that this needs parentheses."""


class Reading(Value):
    """An expression in the place of a value."""

    __slots__ = ("inside",)

    def __init__(self, text: str, value: Value, inside: list[Value]) -> None:
        super().__init__(text, value.shape, value.dtype, value.memory)
        self.inside = inside
