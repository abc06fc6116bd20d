"""Loops called by their addresses, many after one another, without coming back to Python in between.

An ``Entry`` is a loop's door for callers that have nothing but an address of 64-bit words: lengths, numbers and
addresses of arrays. ``drive`` walks along a table of such calls; it is compiled once, a new table needs no compiler.
"""

from __future__ import annotations

import ctypes
import os
import platform
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import cache, cached_property
from types import CodeType
from typing import Any

import numpy as np

from minigrad_kernels import objects
from minigrad_kernels.loops import Intrinsic, Loop, numba, start_threads

Kind = tuple[str, str, int]
"""What an argument is: ``("C", "float32", 2)`` an array by its layout, which is "C", "F" or neither, "A"; "int", "bool"
and "float" numbers; "tuple" so many whole ones."""


_POINTERS = ("float32", "float64", "int8", "int32", "int64", "bool")
_NAMES = {np.dtype(name): name for name in _POINTERS}  # to ask a dtype for its name takes a microsecond


def kind_of(argument: Any) -> Kind | None:
    """Return what an argument is to an entry, or None where it cannot be passed."""
    if type(argument) is np.ndarray:
        name, flags = _NAMES.get(argument.dtype), argument.flags
        if name is None or not flags.aligned:
            return None
        layout = "C" if flags.c_contiguous else "F" if flags.f_contiguous else "A"
        return (layout, name, argument.ndim) if argument.ndim else None
    if isinstance(argument, (bool, np.bool_)):
        return ("bool", "bool", 0)
    if isinstance(argument, (int, np.int64)):
        return ("int", "int64", 0)
    if isinstance(argument, (float, np.float32)):  # NumPy's float64 is one of Python's
        return ("float", "float32" if isinstance(argument, np.float32) else "float64", 0)
    if isinstance(argument, tuple) and all(isinstance(each, int) for each in argument):
        return ("tuple", "int64", len(argument))
    return None


def words_of(argument: Any) -> list[int]:
    """Return an argument as 64-bit words: an array's address, lengths and, where they are needed, steps in bytes; a
    number's bits."""
    if isinstance(argument, np.ndarray):
        whole = argument.flags.c_contiguous or argument.flags.f_contiguous
        return [address_of(argument), *argument.shape, *(() if whole else argument.strides)]
    if isinstance(argument, tuple):
        return list(argument)
    if isinstance(argument, (bool, np.bool_, int, np.int64)):
        return [int(argument)]
    return [int(np.float64(argument).view(np.int64))]


_word_at = ctypes.c_int64.from_address
HEAD = object.__basicsize__  # of every object; behind it NumPy keeps the address, as its C interface promises
_probe = np.empty(1)
IS_THERE = _word_at(id(_probe) + HEAD).value == _probe.__array_interface__["data"][0]


def address_of(array: Any) -> int:
    """Return where an array's first entry lies; to ask the array itself takes ten times as long."""
    if IS_THERE and type(array) is np.ndarray:
        return _word_at(id(array) + HEAD).value
    address: int = array.__array_interface__["data"][0]
    return address


class Entry:
    """A loop's entry point for arguments of these kinds, compiled when its address is first asked for."""

    def __init__(self, loop: Loop, kinds: Sequence[Kind]) -> None:
        self.loop, self.kinds = loop, tuple(kinds)

    @cached_property
    def address(self) -> int:
        """The address of a function of one number, where the words lie; the first word becomes 1 where it raised."""
        lines, at = [], 1
        for i, (layout, dtype, count) in enumerate(self.kinds):
            if layout == "tuple":
                lines.append(f"a{i} = {_some_words(at, count)}")
                at += count
            elif count:
                pointer, lengths = f"pointer_{dtype}(word(words, {at}))", _some_words(at + 1, count)
                if layout == "A":
                    steps = _some_words(at + 1 + count, count)
                    lines.append(f"a{i} = as_strided(carray({pointer}, (1,)), {lengths}, {steps})")
                    at += count
                else:
                    lines.append(f"a{i} = {'carray' if layout == 'C' else 'farray'}({pointer}, {lengths})")
                at += 1 + count
            else:
                is_real, is_bool = layout == "float", layout == "bool"
                number = f"{dtype}(real(words, {at}))" if is_real else f"word(words, {at})"
                lines.append(f"a{i} = {number}" + (" != 0" if is_bool else ""))
                at += 1
        call = f"loop({', '.join(f'a{i}' for i in range(len(self.kinds)))})"
        lines += (
            ["try:", f"    {call}", "except Exception:", "    put(words, 0, 1)"]
            if self.loop.raises
            else [call]
        )
        if any(loop.options.get("parallel") for loop in self._loops()):
            start_threads()
        return address_of_text(
            f"entry_{self.loop.function.__name__}",
            "(words):\n    " + "\n    ".join(lines),
            "void(int64)",
            lambda: {"loop": self.loop.dispatcher},
            repr((self.kinds, self._text())),
        )

    def _loops(self) -> Iterator[Loop]:
        """Yield the loop and all that it calls."""
        pending = [self.loop]
        while pending:
            loop = pending.pop()
            yield loop
            pending += loop._helpers().values()

    def _text(self) -> list[Any]:
        """Return what is compiled into the entry, so that another text of the loop is another entry."""
        texts: list[Any] = []
        files = set()
        for loop in self._loops():
            code = getattr(loop.function, "__code__", None)
            numbers = {key: each for key, each in loop.names.items() if isinstance(each, (int, np.generic))}
            options = tuple(sorted(loop.options.items()))
            texts += [loop.function.__name__, *map(_alike, (options, code)), repr(numbers)]
            made_in = [getattr(each, "__module__", None) for each in (loop.function, *loop.names.values())]
            files |= {getattr(sys.modules.get(each), "__file__", None) for each in made_in if each}
        return [texts, [_stamp(each) for each in sorted(filter(None, files))]]


def _alike(part: Any) -> str:
    """Return a text of a part of a function that is the same in each process: without addresses, sets in order."""
    if isinstance(part, CodeType):
        return _alike((part.co_code, *part.co_consts))
    if isinstance(part, (tuple, set, frozenset)):
        parts = map(_alike, part)
        return f"({', '.join(parts if isinstance(part, tuple) else sorted(parts))})"
    return repr(part)


def _some_words(at: int, count: int) -> str:
    """Return a tuple of so many words as an entry's text."""
    return f"({''.join(f'word(words, {at + k}), ' for k in range(count))})"


@cache
def _stamp(file: str) -> tuple[str, int, int]:
    """Return a file's name, size and time of change: what the texts take from around them is in it."""
    found = os.stat(file)
    return os.path.basename(file), found.st_size, found.st_mtime_ns


@cache
def entry(loop: Loop, kinds: tuple[Kind, ...]) -> Entry:
    """Return the entry of a loop for these kinds of arguments."""
    return Entry(loop, kinds)


def call(loop: Loop, arguments: tuple[Any, ...]) -> Any:
    """Run a loop by its entry, which is there sooner than what Numba calls from Python; it returns nothing."""
    kinds = tuple(map(kind_of, arguments))
    if None in kinds:
        return loop.dispatcher(*arguments)
    words = np.array([0, *(word for each in arguments for word in words_of(each))], np.int64)
    raised = run(np.array([(entry(loop, kinds).address, address_of(words))], np.int64))  # type: ignore[arg-type]
    return loop.dispatcher(*arguments) if raised >= 0 else None  # where it raises again, and says what


@cache
def _tools() -> dict[str, Any]:
    """Return what entries and the driver are made of: words read and written at an address, and calls of one."""
    module = numba()
    assert module is not None
    from llvmlite import ir
    from numba import types
    from numba.extending import intrinsic

    word_type = ir.IntType(64)
    is_x86 = platform.machine().lower() in ("x86_64", "amd64")

    def at(builder: Any, address: Any, k: Any, kind: Any) -> Any:
        return builder.gep(builder.inttoptr(address, kind.as_pointer()), [k])

    @intrinsic  # type: ignore[untyped-decorator]
    def word(context: Any, address: Any, k: Any) -> Any:
        def generate(context: Any, builder: Any, call: Any, values: Any) -> Any:
            return builder.load(at(builder, values[0], values[1], word_type))

        return types.int64(types.int64, types.int64), generate

    @intrinsic  # type: ignore[untyped-decorator]
    def real(context: Any, address: Any, k: Any) -> Any:
        def generate(context: Any, builder: Any, call: Any, values: Any) -> Any:
            return builder.load(at(builder, values[0], values[1], ir.DoubleType()))

        return types.float64(types.int64, types.int64), generate

    @intrinsic  # type: ignore[untyped-decorator]
    def put(context: Any, address: Any, k: Any, new: Any) -> Any:
        def generate(context: Any, builder: Any, call: Any, values: Any) -> Any:
            builder.store(values[2], at(builder, values[0], values[1], word_type))
            return context.get_dummy_value()

        return types.void(types.int64, types.int64, types.int64), generate

    @intrinsic  # type: ignore[untyped-decorator]
    def call_at(context: Any, address: Any, words: Any) -> Any:
        def generate(context: Any, builder: Any, call: Any, values: Any) -> Any:
            function = ir.FunctionType(ir.VoidType(), [word_type]).as_pointer()
            builder.call(builder.inttoptr(values[0], function), [values[1]])
            return context.get_dummy_value()

        return types.void(types.int64, types.int64), generate

    @intrinsic  # type: ignore[untyped-decorator]
    def now(context: Any) -> Any:
        def generate(context: Any, builder: Any, call: Any, values: Any) -> Any:
            if not is_x86:  # where a program may not ask for it
                return ir.Constant(word_type, 0)
            counter = ir.FunctionType(word_type, [])
            return builder.call(builder.module.declare_intrinsic("llvm.readcyclecounter", fnty=counter), [])

        return types.int64(), generate

    def pointer(dtype: str) -> Any:
        kind_of_pointer: Any = types.CPointer(module.from_dtype(np.dtype(dtype)))  # type: ignore[no-untyped-call]

        @intrinsic  # type: ignore[untyped-decorator]
        def pointer_to(context: Any, address: Any) -> Any:
            def generate(context: Any, builder: Any, call: Any, values: Any) -> Any:
                return builder.inttoptr(values[0], context.get_value_type(call.return_type))

            return kind_of_pointer(types.int64), generate

        return pointer_to

    pointers = {f"pointer_{dtype}": pointer(dtype) for dtype in _POINTERS}
    numbers = {"float32": np.float32, "float64": np.float64}
    arrays = {
        "carray": module.carray,
        "farray": module.farray,
        "as_strided": np.lib.stride_tricks.as_strided,
    }
    return {
        "word": word,
        "real": real,
        "put": put,
        "call_at": call_at,
        "now": now,
        **pointers,
        **numbers,
        **arrays,
    }


@cache
def tool(name: str) -> Intrinsic:
    """Return one of ``_tools`` for a Loop to call; it is made when that one is compiled."""

    def make() -> Any:
        return _tools()[name]

    make.__name__ = make.__qualname__ = name
    return Intrinsic(make)


_DRIVE = """(table, count):
    for i in range(count):
        words = word(table, 2 * i + 1)
        call_at(word(table, 2 * i), words)
        if word(words, 0) != 0:
            put(words, 0, 0)
            return i
    return -1
"""


@cache
def driver() -> Any:
    """Return ``drive(address, count)``: it walks along a table of calls that lies there.

    It calls table[i, 0], an entry's address, with table[i, 1], where its words lie, and returns -1, or the number of
    the call that raised, which is the last one. Ctrl-C is met when it is back, and not before it has begun.
    """
    address = address_of_text("drive", _DRIVE, "int64(int64, int64)")
    return ctypes.PYFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * 2)(address)


def address_of_text(
    stem: str,
    text: str,
    signature: str,
    names: Callable[[], dict[str, Any]] = dict,
    depends_on: str = "",
) -> int:
    """Return the address of a function whose text, behind its name, is given, written with ``_tools`` and ``names``.

    It is kept under a name for this text and what it ``depends_on``; ``names`` is called only where it is compiled.
    """
    name = f"{stem}_{zlib.crc32((text + depends_on).encode()):08x}"

    def compiled() -> Any:
        module = numba()
        assert module is not None
        scope = _tools() | names()
        exec(compile(f"def {name}{text}", __file__, "exec"), scope)
        scope[name].__module__ = __name__
        return module.cfunc(signature, error_model="numpy")(scope[name])

    return objects.address(name, compiled)


def run(table: Any) -> int:
    """Make the calls of a table, an array of whole numbers; see ``driver``."""
    made: int = driver()(address_of(table), len(table))
    return made
