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
from minigrad.program.functions import Attribute, Function, InPlace, Item, Method, OfNumPy, Operator, SetItem
from minigrad.program.instructions import Instruction, Listing, Phase, Value
from minigrad.program.javascript_names import (
    ARRAYS,
    ENTRYWISE,
    IGNORED,
    OPERATORS,
    OPTIONS,
    OTHERWISE,
    PLACES,
    SHAPING,
    SIGNS,
    TYPES,
)
from minigrad.program.passes.lower import Same


def phases_text(listing: Listing, phases: Sequence[Phase] = ("forward", "backward")) -> str:
    """Return an object of functions in JavaScript, one for each phase.

    ProgramError MG-670 where that cannot be, MG-650 where a formula in it is kept from readers.
    """
    made = [
        function_text(phase, [each for each in listing.instructions if each.phase == phase])
        for phase in phases
    ]
    return "{\n" + ",\n".join(made) + "\n}"


def function_text(called: str, instructions: Sequence[Instruction]) -> str:
    """Return instructions as a function of an object, of all values by name and of how many rows a batch has."""
    return "\n".join([f"{called}(v, rows) {{", *(f"  {line}" for line in lines(instructions)), "}"])


def lines(instructions: Sequence[Instruction]) -> Iterator[str]:
    """Yield a statement for each instruction, and above them the user's lines."""
    above = ""
    for each in instructions:
        users = source.users_line(each.location)
        if users and (title := source.place(each)) != above:
            above = title
            yield "// " + f"{title}: {users}".replace("<", "‹")  # nothing ends the script
        yield statement(each)


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
        return f"{name(result)} = {text};"
    if result is None or not any(True for _ in instruction.makes):
        return f"{text};"
    raise _unknown(instruction)


def name(value: Value) -> str:
    """Return a value as a property of the object of all values."""
    plain = value.name.isidentifier() and value.name.isascii()
    return f"v.{value.name}" if plain else f"v[{json.dumps(value.name)}]"


def type_name(value: Value, instruction: Instruction) -> str:
    """Return what an array's dtype is called on a page; MG-670 for half precision and complex numbers."""
    if value.shape is None:
        return "number"
    found = TYPES.get(np.dtype(value.dtype).name)
    if found is None:
        raise _unknown(instruction, f"{value.dtype} arrays")
    return found


def _unknown(instruction: Instruction, what: str = "") -> ProgramError:
    return ProgramError("MG-670", messages.no_javascript(instruction, what, source.place(instruction)))


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
    called = _name(function, len(arguments))
    out = options.pop("out", None)
    out = out[0] if isinstance(out, tuple) else out
    if isinstance(function, InPlace):
        out = arguments[0]
    options = {key: each for key, each in options.items() if key not in IGNORED}
    if called in ENTRYWISE and not options:
        text = f"numpy.{called}({', '.join(map(literal, arguments))})"
    elif called == "add_at":
        text = (
            f"numpy.add_at({literal(arguments[0])}, {_index(arguments[1], literal)}, {literal(arguments[2])})"
        )
    elif called in OPTIONS:
        text = _with_options(called, arguments, options, instruction)
    elif (
        called == "einsum"
        and isinstance(arguments[0], str)
        and "." not in arguments[0]
        and "->" in arguments[0]
    ):
        text = f"numpy.einsum({json.dumps(arguments[0])}, {', '.join(map(literal, arguments[1:]))})"
    elif called in SHAPING:
        text = _by_place(called, arguments, options, instruction)
    else:
        raise _unknown(instruction)
    return text if out is None else f"numpy.assign({literal(out)}, {text})"


def _name(function: Function, count: int) -> str:
    if isinstance(function, Operator):
        symbol = function.name.removesuffix("=") if isinstance(function, InPlace) else function.name
        return SIGNS.get(symbol, symbol) if count == 1 else OPERATORS.get(symbol, symbol)
    if isinstance(function, Attribute):
        return "transpose"
    if isinstance(function, Method):
        called = function.name.removeprefix(".")
    elif isinstance(function, OfNumPy):
        called = function.name.removeprefix("np.").removeprefix("scipy.special.")
    else:
        called = function.name
    return OTHERWISE.get(called, called)


def _with_options(called: str, arguments: list[Any], options: dict[str, Any], at: Instruction) -> str:
    arrays = ARRAYS.get(called, 1)
    options = dict(zip(PLACES[called].split(), arguments[arrays:], strict=False)) | options
    options = {key: each for key, each in options.items() if each is not None or key == "axis"}
    known = OPTIONS[called].split()
    if unknown := [key for key in options if key not in known]:
        raise _unknown(at, f"{at.function.name}({unknown[0]}=…)")
    inside = ", ".join(f"{key}: {_literal(options[key], at)}" for key in known if key in options)
    shown = [_literal(each, at) for each in arguments[:arrays]]
    return f"numpy.{called}({', '.join([*shown, f'{{ {inside} }}'] if inside else shown)})"


def _by_place(called: str, arguments: list[Any], options: dict[str, Any], at: Instruction) -> str:
    known = SHAPING[called].split()
    if called == "asarray" or called == "copy":
        arguments = arguments[:2] if called == "asarray" else arguments[:1]
    if called == "clip":
        options = {{"min": "a_min", "max": "a_max"}.get(key, key): each for key, each in options.items()}
    if (
        called == "pad"
        and options.get("mode", "constant") == "constant"
        and not options.get("constant_values", 0)
    ):
        options = {key: each for key, each in options.items() if key not in ("mode", "constant_values")}
    named = [options.pop(key) for key in known[max(0, len(arguments) - 1) :] if key in options]
    if options or (called == "pad" and len(arguments) > 2):
        raise _unknown(at, f"{at.function.name}({next(iter(options), 'mode')}=…)")
    return f"numpy.{called}({', '.join(_literal(each, at) for each in (*arguments, *named))})"


def _index(place: Any, literal: Callable[[Any], str]) -> str:
    parts = place if isinstance(place, tuple) else (place,)
    return f"[{', '.join(_part(part, literal) for part in parts)}]"


def _part(part: Any, literal: Callable[[Any], str]) -> str:
    if isinstance(part, slice):
        return f"{{ slice: [{', '.join(literal(each) for each in (part.start, part.stop, part.step))}] }}"
    return '"..."' if part is Ellipsis else literal(part)


def _literal(x: Any, at: Instruction) -> str:
    if isinstance(x, Value):
        return name(x)
    if isinstance(x, np.generic):
        found = TYPES.get(x.dtype.name)
        if found is None:
            raise _unknown(at, f"{x.dtype} numbers")
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
    raise _unknown(at, f"{x!r:.40} as an argument")
