"""The first target: a program as NumPy, which one can read and which is what all other targets are held to."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

from minigrad.program.instructions import Instruction, Listing, Value
from minigrad.source import SourceLocation, file_name


def function_text(name: str, listing: Listing) -> str:
    """Return the program as a function in Python, with the user's lines that its own come from."""
    return _function(name, listing, lines(listing))


def _function(name: str, listing: Listing, body: Sequence[str]) -> str:
    parameters = ", ".join(value.name for value in listing.given)
    body = [*body, f"return {_tuple(listing.kept)}"]
    return "\n".join([*wrapped(f"def {name}(", parameters), *(f"    {line}" for line in body), ""])


def lines(listing: Listing) -> list[str]:
    """Return a line for each instruction, or one for all of what is closed, and above them the user's lines."""
    found: list[str] = []
    above = ""
    asked = Counter(value for each in listing.instructions for value in dict.fromkeys(each.reads))
    asked.update(listing.kept)
    for (title, closed), group in groupby(listing.instructions, lambda each: (_title(each), each.closed)):
        part = list(group)
        if title != above:
            found.append(f"# {title}")
            above = title
        if closed is None:
            found += [line for each in part for line in each.text().split("\n")]
        else:
            made = dict.fromkeys(value for each in part for value in each.makes)
            inside = Counter(value for each in part for value in dict.fromkeys(each.reads))
            read = [value for value in inside if value not in made]
            found.append(closed.line([value for value in made if asked[value] > inside[value]], read))
    return found


def _title(instruction: Instruction) -> str:
    return f"{instruction.phase}, {place(instruction)}: {users_line(instruction.location)}".rstrip(": ")


def wrapped(start: str, parameters: str) -> list[str]:
    """Return the head of a function, in several lines where it is long."""
    if len(start) + len(parameters) < 100:
        return [f"{start}{parameters}):"]
    return [start, *textwrap.wrap(parameters, 100, initial_indent="    ", subsequent_indent="    "), "):"]


def place(instruction: Instruction) -> str:
    """Return the user's line that an instruction works for."""
    where = instruction.location
    return f"{file_name(where.filename)} line {where.line}"


def _tuple(values: Sequence[Value]) -> str:
    inside = ", ".join(value.name for value in values)
    return f"({inside},)" if len(values) == 1 else f"({inside})"


def listed(values: Sequence[Value]) -> str:
    """Return values with their dtypes and shapes."""
    return ", ".join(f"{value.name}: {value.described}" for value in values)


def given_text(listing: Listing) -> str:
    """Return what the program is given, a line for each dtype and shape."""
    width = max((len(value.name) for value in listing.given), default=0)
    return "\n".join(f"#   {value.name:{width}}  {value.described}" for value in listing.given)


def scope(listing: Listing) -> dict[str, Any]:
    """Return the names that the program's functions go by."""
    import numpy as np

    names: dict[str, Any] = {"np": np}
    for instruction in listing.instructions:
        names |= instruction.function.scope
    return names


def compiled(name: str, listing: Listing) -> Callable[..., tuple[Any, ...]]:
    """Return the program as a function: its values in their order, to those that are kept."""
    text = _function(
        name, listing, [line for each in listing.instructions for line in each.code().split("\n")]
    )
    names = scope(listing)
    exec(compile(text, f"<program {name}>", "exec"), names)
    function: Callable[..., tuple[Any, ...]] = names[name]
    return function


def users_line(location: SourceLocation) -> str:
    """Return a line of the user's program as it stands there, or nothing where the file is not to be had."""
    import linecache

    return linecache.getline(location.filename, location.line).strip()
