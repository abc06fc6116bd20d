"""A program as a file of its own, which needs nothing but NumPy, and its arrays beside it."""

from __future__ import annotations

import inspect
import io
import os
import re
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.backend import to_numpy
from minigrad.errors import ProgramError
from minigrad.files import atomic_write
from minigrad.optim.optimizer import Optimizer
from minigrad.program import messages, source
from minigrad.program.effects import LeftGradient, NewData, Rebound
from minigrad.program.functions import InPlace, literal
from minigrad.program.instructions import Listing, Value, mapped
from minigrad.program.passes import folded
from minigrad.program.results import InTensor
from minigrad.program.sources import Argument, AtPlace
from minigrad.program.updating import Coefficients, Formula

if TYPE_CHECKING:
    from minigrad.program.program import Program

_HEAD = '''"""{name}({case}), as a program of NumPy; made by minigrad.

    import {module}
    loss = {module}.{function}({arguments})

What it keeps from call to call (parameters, the optimizer's state) lies in {module}.npz, and afterwards in this module.
"""

import math
import pathlib
from types import SimpleNamespace

import numpy as np
{imports}
kept = np.load(pathlib.Path(__file__).with_suffix(".npz"))
'''


def save(program: Program, path: str | os.PathLike[str], steps: int) -> None:
    """See ``Program.save``."""
    listing = program.lowered
    _require_open(listing)
    path = Path(path)
    sources = dict(zip(program.listing.given, program.sources, strict=True))
    passed = [value for value in listing.given if isinstance(sources[value], Argument)]
    kept = {value: sources[value].read(()) for value in listing.given if value not in passed}
    arrays: dict[str, Any] = {
        value.name: to_numpy(array) for value, array in kept.items() if value.dtype is not None
    }
    names = [value.name for value in passed]
    lines = [
        _HEAD.format(
            name=program.name,
            case=source.listed(passed),
            module=path.stem,
            function=program.name_in_python,
            arguments=", ".join(names),
            imports="".join(f"import {module}\n" for module in _modules(listing)),
        ),
        *(f'{name} = kept["{name}"]' for name in arrays),
        *(_thing(value.name, thing, arrays, steps) for value, thing in kept.items() if value.dtype is None),
        "",
        *_coefficients(listing),
        "",
        f"def {program.name_in_python}({', '.join(names)}):",
        textwrap.indent("\n".join(_body(program, listing, sources)), "    "),
        "",
    ]
    atomic_write(path, "\n".join(lines))
    packed = io.BytesIO()
    np.savez(packed, **arrays)
    atomic_write(path.with_suffix(".npz"), packed.getvalue())


def _require_open(listing: Listing) -> None:
    """Refuse a program with a formula that is kept from readers."""
    for each in listing.instructions:
        if each.closed is not None:
            text = messages.closed_instruction(each, source.place(each), "a file")
            raise ProgramError("MG-650", text)


def _modules(listing: Listing) -> list[str]:
    found = {name for each in listing.instructions for name in each.function.scope if name == "scipy"}
    return ["scipy.special"] if found else []


def _body(program: Program, listing: Listing, sources: dict[Value, Any]) -> list[str]:
    """The lines of the function: its instructions, what takes its place for the next call, the result."""
    after = []
    for effect in program.effects:
        if not isinstance(effect, (Rebound, NewData, LeftGradient)):
            continue
        for path, new in effect.by_path if isinstance(effect, Rebound) else [((), effect.value)]:
            target = next((v for v in listing.given if _is_read_at(sources[v], effect, path)), None)
            if target is not None and target is not new:
                after.append((target.name, new.name))
    written = folded(listing)
    given = {value.name for value in listing.given if not isinstance(sources[value], Argument)}
    in_place = [
        each.arguments[0].name for each in written.instructions if isinstance(each.function, InPlace)
    ]  # to Python, x += 1 in a function makes x the function's own
    names = dict.fromkeys([*(name for name, _ in after), *(name for name in in_place if name in given)])
    lines = [f"global {', '.join(names)}"] if names else []
    lines += source.lines(written)
    lines += [f"{name} = {new}" for name, new in after]
    return [*lines, f"return {literal(mapped(program.tree, _result))}"]


def _is_read_at(given: Any, effect: Any, path: tuple[Any, ...]) -> bool:
    place, tensor = getattr(effect, "place", None), getattr(effect, "tensor", None)
    if place is not None:
        return isinstance(given, AtPlace) and given.place is place and given.path == path
    is_gradient = type(given).__name__ == "Gradient"
    return getattr(given, "tensor", None) is tensor and is_gradient is isinstance(effect, LeftGradient)


def _result(x: Any) -> Any:
    return x.value if isinstance(x, InTensor) else x


def _thing(name: str, thing: Any, arrays: dict[str, Any], steps: int) -> str:
    """An object of the host's, as the file has it."""
    if isinstance(thing, np.random.Generator):
        kind = type(thing.bit_generator).__name__
        state = literal(
            mapped(thing.bit_generator.state, lambda x: x.tolist() if isinstance(x, np.ndarray) else x)
        )
        return f"{name} = np.random.Generator(np.random.{kind}())\n{name}.bit_generator.state = {state}"
    assert isinstance(thing, Optimizer)
    numbers, tables = _settings(thing, steps)
    for key, table in tables.items():
        arrays[f"{name}_{key}"] = table
    listed = ", ".join(f'"{key}": kept["{name}_{key}"]' for key in tables)
    plain = ", ".join(f"{key}={literal(each)}" for key, each in numbers.items())
    return f"{name} = SimpleNamespace({plain}, first={thing.t}, tables={{{listed}}})"


def _settings(optimizer: Optimizer, steps: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the optimizer's numbers that its rule reads, and those that change from step to step as tables."""
    text = "" if optimizer.kernel is None else inspect.getsource(optimizer.kernel.coefficients)
    names = ["rate", *sorted(set(re.findall(r"settings\.(\w+)", text)))]
    changing = [name for name in names if name not in vars(optimizer)]
    if not callable(optimizer.lr):
        changing.remove("rate")
    numbers = {name: getattr(optimizer, name) for name in ("t", "l2", *names) if name not in changing}
    tables = {name: np.empty(steps) for name in changing}
    before, optimizer._skipped = optimizer.t, 0
    try:
        for k in range(steps if changing else 0):
            optimizer.t = before + k
            for name, table in tables.items():
                table[k] = getattr(optimizer, name)
    finally:
        optimizer.t = before
    return numbers, tables


def _coefficients(listing: Listing) -> list[str]:
    """The functions that work out the optimizers' numbers for a step."""
    texts: dict[str, str] = {}
    for each in listing.instructions:
        if isinstance(each.function, Formula):
            raise ProgramError("MG-638", messages.no_numpy(each.function.optimizer))
        if isinstance(each.function, Coefficients):
            texts[each.function.name] = _coefficients_text(each.function)
    return list(texts.values())


def _coefficients_text(function: Coefficients) -> str:
    try:
        text = textwrap.dedent(inspect.getsource(function.rule.coefficients))
    except OSError as error:
        raise ProgramError("MG-638", messages.no_numpy(function.rule.name)) from error
    skipped = 0 if function.own.slot is None else function.own.slot.skipped
    if skipped and function.are_worked_out(function.own.optimizer):
        raise ProgramError("MG-638", messages.no_numpy(function.rule.name))
    t = f"optimizer.t + {1 - skipped}"
    own = f"_{function.name}"
    text = re.sub(r"^def \w+\(", f"def {own}(", text)
    return (
        f"{text}\n\n"
        f"def {function.name}(optimizer, clip, dtype):\n"
        f"    k = optimizer.t - optimizer.first\n"
        f"    vars(optimizer).update({{name: float(table[k]) for name, table in optimizer.tables.items()}})\n"
        f"    numbers = {own}(optimizer, clip, optimizer.l2, optimizer.rate, {t})\n"
        f"    return np.array(numbers, dtype)\n"
    )
