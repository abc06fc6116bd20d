"""Loops of JavaScript for functions of single entries: those that follow one another on a line of somebody's share one.

    {
      const a = numpy.dense(v.v2), b1 = numpy.dense(v.b1), z = (v.z = numpy.array([4, 2], "float32")).data, …;
      for (let r = 0, i = 0; r < 4; r++) for (let c = 0; c < 2; c++, i++) {
        z[i] = a[i] + b1[c];
        hidden[i] = f.maximum(z[i], 0);
      }
    }

Lengths are known, and an array's type is one, so that a browser makes of each loop what a compiler would. What nobody
asks for is no array. An entry is rounded where it is written into an array, or by ``Math.fround``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import numpy as np

from minigrad.program import source
from minigrad.program.functions import InPlace
from minigrad.program.instructions import Instruction, Value
from minigrad.program.javascript_names import ENTRYWISE, EXPRESSIONS, called, property_of, type_name

_TAKEN = frozenset(("c", "f", "i", "n", "r", "v", "numpy", "Math", "const", "let", "for", "new", "var", "in"))


def chains(instructions: Sequence[Instruction], *, whole: bool = False) -> Iterator[list[Instruction]]:
    """Yield runs of instructions: those of one loop together, any other alone.

    - whole: whether even single numbers that are arrays have a loop
    """
    run: list[Instruction] = []
    for each in instructions:
        fits = _is_of_entries(each, least=1 if whole else 2)
        if run and not (fits and _belongs(each, run[0])):
            yield run
            run = []
        if fits:
            run.append(each)
        else:
            yield [each]
    if run:
        yield run


def is_loop(run: Sequence[Instruction], *, whole: bool = False) -> bool:
    """Tell whether a run of ``chains`` is a loop rather than a call."""
    return len(run) > 1 or _is_of_entries(run[0], least=1 if whole else 2)


def _is_of_entries(each: Instruction, least: int) -> bool:
    arguments, result = each.arguments, each.result
    return (
        each.closed is None
        and not isinstance(each.function, InPlace)
        and not each.options
        and not each.writes
        and isinstance(result, Value)
        and result.shape is not None
        and math.prod(result.shape) >= least
        and (name := called(each.function, len(arguments))) in ENTRYWISE
        and name != "matmul"
        and all(isinstance(x, (Value, bool, int, float, np.number, np.bool_)) for x in arguments)
        and not (name == "where" and not _is_condition(arguments[0]))
    )


def _is_condition(x: Any) -> bool:
    return isinstance(x, Value) and x.dtype == np.bool_


def _belongs(each: Instruction, first: Instruction) -> bool:
    same_line = source.users_line(each.location) == source.users_line(first.location)
    return same_line and each.result.shape == first.result.shape


class Loop:
    """The loop of one run. ``wanted`` are the values that something behind it reads.

    - like: the array whose shape all have, where one text is for arrays of any shape
    """

    def __init__(
        self, run: Sequence[Instruction], wanted: Collection[Value], like: Value | None = None
    ) -> None:
        self.run, self.wanted, self.like = run, wanted, like
        self.shape: tuple[int, ...] = run[0].result.shape
        self.names: dict[Any, str] = {}
        self.consts: list[str] = []
        self.columns = next((k for each in run for x in each.reads if (k := self._columns(x))), 0)
        """The length of the inner loop, where something is stretched along rows or columns; else 0."""

    def lines(self) -> Iterator[str]:
        """Yield the loop, line by line."""
        inside = [self._line(each) for each in self.run]
        size = math.prod(self.shape)
        if self.like is not None:
            self.consts.append(f"n = numpy.count({property_of(self.like)}.shape)")
            head = "for (let i = 0; i < n; i++) {"
        elif self.columns:
            rows = size // self.columns
            head = f"for (let r = 0, i = 0; r < {rows}; r++) for (let c = 0; c < {self.columns}; c++, i++) {{"
        else:
            head = f"for (let i = 0; i < {size}; i++) {{"
        yield "{"
        for k in range(0, len(self.consts), 4):
            yield f"  const {', '.join(self.consts[k : k + 4])};"
        yield f"  {head}"
        yield from (f"    {line}" for line in inside)
        yield "  }"
        yield "}"

    def _line(self, each: Instruction) -> str:
        name, result = called(each.function, len(each.arguments)), each.result
        arrays = [x.dtype for x in each.arguments if isinstance(x, Value) and x.shape is not None]
        single = bool(arrays) and np.result_type(*arrays) == np.float32
        text = EXPRESSIONS.get(name, f"f.{name}({', '.join(['{}'] * len(each.arguments))})")
        text = text.format(*(self._operand(x, single, each) for x in each.arguments))
        kind, local = type_name(result, each), self._name(result)
        if result in self.wanted:
            shape = f"{property_of(self.like)}.shape" if self.like is not None else str(list(self.shape))
            self.consts.append(f'{local} = ({property_of(result)} = numpy.array({shape}, "{kind}")).data')
            self.names[result] = f"{local}[i]"
            return f"{local}[i] = {text};"
        self.names[result] = local
        if kind == "bool":
            text = f"{text} ? 1 : 0"
        return f"const {local} = {f'Math.fround({text})' if kind == 'float32' else text};"

    def _operand(self, x: Any, single: bool, at: Instruction) -> str:
        if not isinstance(x, Value):
            return _number(float(np.float32(x)) if single else x.item() if isinstance(x, np.generic) else x)
        type_name(x, at)
        key: Any = x if x.shape is not None else (x, single)
        if key not in self.names:
            local = self._name(x)
            if x.shape is None:
                self.names[key] = local
                self.consts.append(
                    f"{local} = Math.fround({property_of(x)})" if single else f"{local} = {property_of(x)}"
                )
            else:
                index, shape = self._place(x)
                self.names[key] = local + index
                first = "" if index else "[0]"
                self.consts.append(f"{local} = numpy.dense({property_of(x)}{shape}){first}")
        return self.names[key]

    def _place(self, x: Value) -> tuple[str, str]:
        """The index of an operand's entry, and, where it is stretched otherwise, the shape to which it is."""
        assert x.shape is not None
        if self.like is not None or x.shape == self.shape:
            return "[i]", ""
        if math.prod(x.shape) == 1:
            return "", ""
        if self.columns and self._columns(x) == self.columns:
            return ("[c]" if self._is_row(x) else "[r]"), ""
        return "[i]", f", {list(self.shape)}"

    def _is_row(self, x: Value) -> bool:
        """Tell whether an operand is the same for all leading axes."""
        assert x.shape is not None
        own = x.shape[next((k for k, n in enumerate(x.shape) if n != 1), len(x.shape)) :]
        return self.shape[len(self.shape) - len(own) :] == own

    def _columns(self, x: Value) -> int:
        """The inner loop's length that suits an operand; 0 for none."""
        if x.shape is None or x.shape == self.shape or math.prod(x.shape) <= 1 or self.like is not None:
            return 0
        if self._is_row(x):
            return math.prod(x.shape)
        last = len(x.shape) - next(k for k, n in enumerate(reversed(x.shape)) if n != 1)
        leads = len(x.shape) == len(self.shape) and x.shape[:last] == self.shape[:last]
        return math.prod(self.shape[last:]) if leads else 0

    def _name(self, value: Value) -> str:
        base = re.sub(r"\W", "_", value.name, flags=re.ASCII)
        base = f"_{base}" if base[:1].isdigit() or base in _TAKEN else base
        taken = {re.split(r"\W", name)[0] for name in self.names.values()}
        found, number = base, 2
        while found in taken or found in _TAKEN:
            found, number = f"{base}_{number}", number + 1
        return found


def _number(x: Any) -> str:
    if isinstance(x, (bool, np.bool_)):
        return "1" if x else "0"
    if isinstance(x, int):
        return str(x) if x >= 0 else f"({x})"
    text = repr(x) if math.isfinite(x) else "NaN" if x != x else "Infinity" if x > 0 else "-Infinity"
    return f"({text})" if text.startswith("-") else text
