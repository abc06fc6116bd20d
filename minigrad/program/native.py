"""The second target: the processor, by its loops' addresses.

The program runs once more, instruction by instruction, and what its kernels do is noted down: each loop with its
arrays. These arrays stay, so that a replay is a walk along a table of addresses (``minigrad_kernels.driver``), in which
Python does only what has no loop: products by BLAS, random numbers, an optimizer's coefficients. What does not lie
where it lay (the next batch) is a few words of the table. The loops are those of the eager step, and so are the bits.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from minigrad_kernels import driver
from minigrad_kernels.launch import Loop, noted, numba
from numpy.lib.array_utils import byte_bounds

from minigrad.program.functions import (
    Function,
    InPlace,
    Method,
    OfKernel,
    OfNumPy,
    Operator,
    literal,
    written,
)
from minigrad.program.instructions import Instruction, Listing, Value, mapped, values

_NOTED = frozenset(
    {
        "linear_forward", "linear_backward", "linear_backward_input", "linear_backward_weight",
        "linear_backward_bias", "linear_backward_activation", "dropout",
        "softmax_xent_mean_forward_backward", "softmax_xent_mean_backward",
    }
)  # fmt: skip
"""Kernels that do all of their arithmetic in loops, and in functions of NumPy's that they name as a ``Host``."""

_UFUNCS = {
    "+": "np.add", "-": "np.subtract", "*": "np.multiply", "/": "np.true_divide", "@": "np.matmul",
    "<": "np.less", "<=": "np.less_equal", ">": "np.greater", ">=": "np.greater_equal",
}  # fmt: skip


def is_possible(given: Sequence[Any]) -> bool:
    """Tell whether what a program is given lies so that its addresses say all: in one piece, and there is Numba."""
    return numba() is not None and all(
        each.flags.c_contiguous for each in given if isinstance(each, np.ndarray)
    )


class Native:
    """A listing made ready for the processor, with ``given`` as the first arrays; ``first`` is what it kept of them."""

    def __init__(self, listing: Listing, given: Sequence[Any]) -> None:
        self.lines: list[str] = []
        self.scope: dict[str, Any] = {"np": np, "run": _run, "whole": _root, **_scope(listing)}
        self._last = list(given)
        self._words: dict[int, list[tuple[Any, int, int]]] = defaultdict(list)
        self._views: dict[int, list[tuple[str, int, Any]]] = defaultdict(list)
        self._bounds = [byte_bounds(each) if isinstance(each, np.ndarray) else None for each in given]
        self._roots = {id(_root(each)): each for each in given if isinstance(each, np.ndarray)}
        self._env: dict[Value, Any] = {}
        self._calls: list[tuple[Loop, tuple[Any, ...]]] = []
        self._tables: list[Any] = []
        for value, each in zip(listing.given, given, strict=True):
            self._bind(value, each)
        with noted() as calls:
            for instruction in listing.instructions:
                self._do(instruction, calls)
        self._flush()
        self.first = tuple(
            np.copy(x) if isinstance(x := self._env[v], np.ndarray) else x for v in listing.kept
        )
        self.lines.append(f"return ({''.join(f'{self._kept(value)}, ' for value in listing.kept)})")
        self.text = "def replay():\n" + "\n".join(f"    {line}" for line in self.lines) + "\n"
        exec(compile(self.text, "<native program>", "exec"), self.scope)
        self._replay = self.scope["replay"]

    def run(self, given: Sequence[Any]) -> tuple[Any, ...]:
        """Replay the program; return what it keeps."""
        last = self._last
        for k, each in enumerate(given):
            if each is not last[k]:
                self._move(k, each)
        values: tuple[Any, ...] = self._replay()
        return values

    def _move(self, k: int, each: Any) -> None:
        """Let the program work on another array in the place of the k-th that it is given."""
        self._last[k] = each
        if isinstance(each, np.ndarray):
            address = driver.address_of(each)
            for words, position, offset in self._words[k]:
                words[position] = address + offset
        for name, offset, like in self._views[k]:
            if like is None:
                self.scope[name] = each
            else:
                self.scope[name] = np.ndarray(like.shape, like.dtype, each, offset, like.strides)

    # -- making it ready ----------------------------------------------------------------------------------

    def _do(self, instruction: Instruction, calls: list[Any]) -> None:
        """Run an instruction, and let the replay do the same."""
        function = instruction.function
        args, options = self._real(instruction.arguments), self._real(instruction.options)
        calls.clear()
        if isinstance(function, OfKernel) and _is_noted(function, args, options):
            if any(value in self._env for value in instruction.makes):  # it gives back what it was given
                options = {**options, "out": self._real(instruction.result)}
            elif function.name == "softmax_xent_mean_forward_backward":
                options = {**options, "out": (np.empty((), args[0].dtype), None)}
            result = function.kernel(*args, **options)
            for what, arguments in calls:
                if isinstance(what, Loop):
                    self._loop(what, arguments)
                else:
                    self._line(f"{what.name}({', '.join(map(self._named, arguments))})")
                    self.scope.setdefault(what.name, what.plain)
            self._bind_all(instruction.result, result)
        else:
            self._by_python(instruction, function, args, options)

    def _by_python(self, instruction: Instruction, function: Function, args: Any, options: Any) -> None:
        result = function.run(*args, **options)
        made = list(instruction.makes)
        if isinstance(
            function, InPlace
        ):  # as a function: a statement would make a local variable of its left side
            self.scope[name := f"i{function.run.__name__.lstrip('i')}"] = function.run
            self._line(f"{name}({written(instruction.arguments, {})})")
        elif not made:
            self._line(instruction.text())
        elif isinstance(instruction.result, Value):
            value = instruction.result
            if isinstance(result, np.ndarray) and id(_root(result)) in self._roots:
                self._bind(value, result)  # a view, of what stays where it is
                return
            self._bind(value, result)
            if isinstance(result, np.ndarray) and not result.flags.writeable:  # stretched from fewer numbers
                self.scope[whole := f"{value.name}_whole"] = _root(result)
                call = function.text(instruction.arguments, instruction.options)
                self._line(f"{whole}[...] = whole({call})")
            else:
                self._line(_into(instruction, function, result))
        else:
            self._line(f"parts = {function.text(instruction.arguments, instruction.options)}")
            for k, value in enumerate(instruction.result):
                if isinstance(value, Value):
                    self._bind(value, result[k])
                    target = f"{value.name}[...]" if isinstance(result[k], np.ndarray) else value.name
                    self._line(f"{target} = parts[{k}]")

    def _loop(self, loop: Loop, arguments: tuple[Any, ...]) -> None:
        if None in map(driver.kind_of, arguments):
            name = f"loop_{len(self.scope)}"
            self.scope[name] = loop.dispatcher
            self._line(f"{name}({', '.join(map(self._named, arguments))})")
        else:
            self._calls.append((loop, arguments))

    def _flush(self) -> None:
        """Make a table of the loops that come one after another."""
        if not self._calls:
            return
        rows = []
        for loop, arguments in self._calls:
            words: list[int] = [0]
            places = []
            for argument in arguments:
                if isinstance(argument, np.ndarray) and (found := self._of_given(argument)):
                    places.append((found[0], len(words), found[1]))
                words += driver.words_of(argument)
            kept = np.array(words, np.int64)
            for k, position, offset in places:
                self._words[k].append((kept, position, offset))
            kinds = tuple(kind for each in arguments if (kind := driver.kind_of(each)) is not None)
            rows.append((driver.entry(loop, kinds).address, driver.address_of(kept)))
            self._tables.append((kept, arguments))  # which have to stay
        name = f"table_{len(self._tables)}"
        self.scope[name] = np.array(rows, np.int64)
        what = ", ".join(loop.function.__name__ for loop, _ in self._calls)
        self.lines.append(f"run({name})  # {what}")
        self._calls = []

    def _line(self, line: str) -> None:
        self._flush()
        self.lines.append(line)

    # -- arrays and their names ---------------------------------------------------------------------------

    def _real(self, structure: Any) -> Any:
        return mapped(structure, lambda x: self._env[x] if isinstance(x, Value) else x)

    def _bind_all(self, result: Any, found: Any) -> None:
        for value, each in zip(values(result), _arrays(result, found), strict=True):
            self._bind(value, each)

    def _bind(self, value: Value, found: Any) -> None:
        """Let a value's name stand for what was found."""
        self._env[value] = found
        if isinstance(found, np.ndarray):
            self._roots.setdefault(id(_root(found)), found)
        self._keep(value.name, found)

    def _keep(self, name: str, found: Any) -> None:
        self.scope[name] = found
        for k, each in enumerate(self._last):
            if each is found:
                self._views[k].append((name, 0, None))
                return
        if isinstance(found, np.ndarray) and (place := self._of_given(found)):
            self._views[place[0]].append((name, place[1], found))

    def _named(self, argument: Any) -> str:
        if not isinstance(argument, (np.ndarray, np.generic)):
            return literal(argument)
        name = f"a{len(self.scope)}"
        self._keep(name, argument)
        return name

    def _of_given(self, array: Any) -> tuple[int, int] | None:
        """Return on which array that is given this one lies, and how far from its beginning."""
        if not array.size:
            return None
        low, high = byte_bounds(array)
        for k, bounds in enumerate(self._bounds):
            if bounds is not None and bounds[0] <= low and high <= bounds[1] and bounds[0] < bounds[1]:
                return k, driver.address_of(array) - driver.address_of(self._last[k])
        return None

    def _kept(self, value: Value) -> str:
        """Return what is handed back: a copy of what the next replay will write into."""
        found = self._env[value]
        if not isinstance(found, np.ndarray) or self._of_given(found):
            return value.name
        return f"{value.name}.copy()"


def _run(table: Any) -> None:
    if driver.driver()(table) >= 0:
        raise IndexError("a label is outside 0 ... classes - 1")


def _is_noted(function: OfKernel, args: Any, options: Any) -> bool:
    kernel = function.kernel
    picked = kernel.pick(*args, **options)
    return picked is not kernel.reference and (kernel.name in _NOTED or hasattr(kernel, "states"))


def _into(instruction: Instruction, function: Function, result: Any) -> str:
    """Return the statement that computes a result into the array that it has."""
    name, (arguments, options) = instruction.result.name, (instruction.arguments, instruction.options)
    call = function.text(arguments, options)
    if not isinstance(result, np.ndarray):
        return f"{name} = {call}"
    if isinstance(function, OfNumPy) and function.is_ufunc:
        return f"{call[:-1]}, out={name})"
    if isinstance(function, Operator) and function.name in _UFUNCS and len(arguments) == 2:
        return f"{_UFUNCS[function.name]}({', '.join(map(literal, arguments))}, out={name})"
    if isinstance(function, Method) and function.name == ".random":
        return f"{literal(arguments[0])}.random(dtype={literal(options['dtype'])}, out={name})"
    return f"{name}[...] = {call}"


def _arrays(result: Any, found: Any) -> list[Any]:
    """Return what stands for the values in a result."""
    if isinstance(result, Value):
        return [found]
    return [each for value, each in zip(result or (), found or (), strict=True) if isinstance(value, Value)]


def _root(array: Any) -> Any:
    below = array
    while (below := getattr(below, "base", None)) is not None:
        array = below if isinstance(below, np.ndarray) else array
    return array


def _scope(listing: Listing) -> Mapping[str, Any]:
    names: dict[str, Any] = {}
    for instruction in listing.instructions:
        names |= instruction.function.scope
    return names
