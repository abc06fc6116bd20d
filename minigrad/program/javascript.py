"""The target for a page: a program as JavaScript, calls of the functions in ``viz/assets/numpy.js``.

A phase is a function that takes the object of all values by name, reads from it and puts into it::

    forward(v, rows) {
      // line.py line 14: prediction = model(x)
      v.v1 = numpy.transpose(v.weight);
      v.v2 = numpy.matmul(v.x, v.v1);
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from minigrad.errors import ProgramError
from minigrad.program import messages, source
from minigrad.program.functions import InPlace, Item, SetItem
from minigrad.program.instructions import Instruction, Listing, Phase, Value
from minigrad.program.javascript_loops import Loop, chains, is_loop
from minigrad.program.javascript_names import (
    ARRAYS,
    ENTRYWISE,
    IGNORED,
    OPTIONS,
    PLACES,
    SHAPING,
    TYPES,
    called,
    property_of,
    type_name,
    unknown,
)
from minigrad.program.passes.lower import Same


def phases_text(listing: Listing, phases: Sequence[Phase] = ("forward", "backward")) -> str:
    """Return an object of functions in JavaScript, one for each phase.

    ProgramError MG-670 where that cannot be, MG-650 where a formula in it is kept from readers.
    """
    made = [
        function_text(phase, [each for each in listing.instructions if each.phase == phase], listing)
        for phase in phases
    ]
    return "{\n" + ",\n".join(made) + "\n}"


def rule_text(listing: Listing) -> str:
    """Return an optimizer's formula as an object with the function ``update``, for a parameter of any shape.

    Its arrays have the shape of the first value that it is given.
    """
    numbers = [each for each in listing.instructions if all(x.shape is None for x in each.makes)]
    arrays = [each for each in listing.instructions if each not in numbers]
    return "{\n" + function_text("update", [*numbers, *arrays], listing, listing.given[0]) + "\n}"


def function_text(
    called: str, instructions: Sequence[Instruction], listing: Listing, like: Value | None = None
) -> str:
    """Return instructions of a program as a function of an object, of all values by name and of a batch's rows.

    - like: the array whose shape all have, where the function is for any
    """
    head = f"{called}(v{'' if like else ', rows'}) {{"
    return "\n".join([head, *(f"  {line}" for line in lines(instructions, listing, like)), "}"])


def lines(instructions: Sequence[Instruction], listing: Listing, like: Value | None = None) -> Iterator[str]:
    """Yield statements for the instructions, and above them the user's lines."""
    readers: dict[Value, list[Instruction]] = {}
    for each in listing.instructions:
        for value in each.reads:
            readers.setdefault(value, []).append(each)
    kept = set(listing.kept)
    above = ""
    yield "const f = numpy.entries;"
    for run in chains(instructions, whole=like is not None):
        users = source.users_line(run[0].location)
        if users and (title := source.place(run[0])) != above:
            above = title
            yield "// " + f"{title}: {users}".replace("<", "‹")  # nothing ends the script
        if is_loop(run, whole=like is not None):
            own = set(run)
            wanted = {
                x for each in run for x in each.makes if x in kept or not own.issuperset(readers.get(x, ()))
            }
            yield from Loop(run, wanted, like).lines()
        else:
            yield statement(run[0])


def statement(instruction: Instruction) -> str:
    """Return an instruction as a statement."""
    if instruction.closed is not None:
        where = source.place(instruction)
        raise ProgramError("MG-650", messages.closed_instruction(instruction, where, "a page as JavaScript"))
    for value in (*instruction.reads, *instruction.makes):
        type_name(value, instruction)
    text = _call(instruction)
    result = instruction.result
    if isinstance(result, Value):
        return f"{property_of(result)} = {text};"
    if result is None or not any(True for _ in instruction.makes):
        return f"{text};"
    unknown(instruction)


def _call(instruction: Instruction) -> str:
    function, arguments, options = (
        instruction.function,
        list(instruction.arguments),
        dict(instruction.options),
    )

    def literal(x: Any) -> str:
        return _literal(x, instruction)

    if isinstance(function, Same):
        return literal(arguments[0])
    if isinstance(function, Item):
        return f"numpy.item({literal(arguments[0])}, {_index(arguments[1], literal)})"
    if isinstance(function, SetItem):
        array, place, new = arguments
        return f"numpy.put({literal(array)}, {_index(place, literal)}, {literal(new)})"
    name = called(function, len(arguments))
    out = options.pop("out", None)
    out = out[0] if isinstance(out, tuple) else out
    if isinstance(function, InPlace):
        out = arguments[0]
    options = {key: each for key, each in options.items() if key not in IGNORED}
    if name in ENTRYWISE and not options:
        text = f"numpy.{name}({', '.join(map(literal, arguments))})"
    elif name == "add_at":
        text = (
            f"numpy.add_at({literal(arguments[0])}, {_index(arguments[1], literal)}, {literal(arguments[2])})"
        )
    elif name in OPTIONS:
        text = _with_options(name, arguments, options, instruction)
    elif (
        name == "einsum"
        and isinstance(arguments[0], str)
        and "." not in arguments[0]
        and "->" in arguments[0]
    ):
        text = f"numpy.einsum({json.dumps(arguments[0])}, {', '.join(map(literal, arguments[1:]))})"
    elif name in SHAPING:
        text = _by_place(name, arguments, options, instruction)
    else:
        unknown(instruction)
    return text if out is None else f"numpy.assign({literal(out)}, {text})"


def _with_options(name: str, arguments: list[Any], options: dict[str, Any], at: Instruction) -> str:
    arrays = ARRAYS.get(name, 1)
    options = dict(zip(PLACES[name].split(), arguments[arrays:], strict=False)) | options
    options = {key: each for key, each in options.items() if each is not None or key == "axis"}
    known = OPTIONS[name].split()
    if others := [key for key in options if key not in known]:
        unknown(at, f"{at.function.name}({others[0]}=…)")
    inside = ", ".join(f"{key}: {_literal(options[key], at)}" for key in known if key in options)
    shown = [_literal(each, at) for each in arguments[:arrays]]
    return f"numpy.{name}({', '.join([*shown, f'{{ {inside} }}'] if inside else shown)})"


def _by_place(name: str, arguments: list[Any], options: dict[str, Any], at: Instruction) -> str:
    known = SHAPING[name].split()
    if name == "asarray" or name == "copy":
        arguments = arguments[:2] if name == "asarray" else arguments[:1]
    if name == "clip":
        options = {{"min": "a_min", "max": "a_max"}.get(key, key): each for key, each in options.items()}
    if name == "pad" and options.get("mode") == "constant":
        del options["mode"]
    named = [options.pop(key) for key in known[max(0, len(arguments) - 1) :] if key in options]
    if options or (name == "pad" and len(arguments) > 2):
        unknown(at, f"{at.function.name}({next(iter(options), 'mode')}=…)")
    return f"numpy.{name}({', '.join(_literal(each, at) for each in (*arguments, *named))})"


def _index(place: Any, literal: Callable[[Any], str]) -> str:
    parts = place if isinstance(place, tuple) else (place,)
    return f"[{', '.join(_part(part, literal) for part in parts)}]"


def _part(part: Any, literal: Callable[[Any], str]) -> str:
    if isinstance(part, slice):
        return f"{{ slice: [{', '.join(literal(each) for each in (part.start, part.stop, part.step))}] }}"
    return '"..."' if part is Ellipsis else literal(part)


def _literal(x: Any, at: Instruction) -> str:
    if isinstance(x, Value):
        return property_of(x)
    if isinstance(x, np.generic):
        found = TYPES.get(x.dtype.name)
        if found is None:
            unknown(at, f"{x.dtype} numbers")
        return f'numpy.scalar({_literal(x.item(), at)}, "{found}")'
    if x is None:
        return "null"
    if isinstance(x, bool):
        return "true" if x else "false"
    if isinstance(x, float):
        return repr(x) if math.isfinite(x) else "NaN" if x != x else ("Infinity" if x > 0 else "-Infinity")
    if isinstance(x, int):
        return repr(x)
    if isinstance(x, (tuple, list)):
        return f"[{', '.join(_literal(each, at) for each in x)}]"
    if isinstance(x, (np.dtype, type, str)):
        try:
            found = TYPES.get(np.dtype(x).name)
        except TypeError:
            found = None
        if found is not None:
            return f'"{found}"'
    unknown(at, f"{x!r:.40} as an argument")
