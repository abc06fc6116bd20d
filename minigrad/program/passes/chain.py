"""Functions of single entries that follow one another become one loop: a block of entries goes through all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from math import prod
from typing import Any

import numpy as np
from minigrad_kernels.chains import BLOCK, Chain, Link
from minigrad_kernels.ufuncs import Inner, inner, inner_where

from minigrad.program.functions import Function, InPlace, OfNumPy, Operator
from minigrad.program.instructions import Instruction, Listing, Value, mapped
from minigrad.program.passes.fold import folded
from minigrad.program.passes.telling import Tell, nobody

_OPERATORS = {
    ("+", 2): np.add, ("-", 2): np.subtract, ("*", 2): np.multiply, ("/", 2): np.true_divide, ("-", 1): np.negative,
    ("<", 2): np.less, ("<=", 2): np.less_equal, (">", 2): np.greater, (">=", 2): np.greater_equal,
    ("==", 2): np.equal, ("!=", 2): np.not_equal, ("|", 2): np.bitwise_or, ("&", 2): np.bitwise_and,
    ("abs", 1): np.absolute,
}  # fmt: skip


_POWERS = {1: np.positive, 2: np.square, 0.5: np.sqrt, -1: np.reciprocal}
"""What NumPy does for ``x ** n``, an operator, for these numbers n."""

_clip: Any = getattr(import_module("numpy._core.umath"), "clip", None)  # which np.clip calls


class OfChain(Function):
    """A chain of instructions on single entries; ``parts`` are they."""

    def __init__(self, parts: Sequence[Instruction], given: Sequence[Value], made: Sequence[Value]) -> None:
        super().__init__(" ".join(each.name for each in parts), self._in_turn)
        self.parts, self.given, self.made = list(parts), list(given), list(made)

    @property
    def scope(self) -> dict[str, Any]:
        """See ``Function.scope``."""
        names: dict[str, Any] = {"blocks": blocks}
        for each in self.parts:
            names |= each.function.scope
        return names

    def _in_turn(self, *arrays: Any) -> Any:
        known = dict(zip(self.given, arrays, strict=True))
        for each in self.parts:
            known[each.result] = each.function.run(
                *mapped(each.arguments, lambda x: known[x] if isinstance(x, Value) else x)
            )
        found = tuple(known[value] for value in self.made)
        return found if len(found) > 1 else found[0]

    def statement(self, arguments: Sequence[Any], options: Mapping[str, Any], targets: str) -> str:
        """Return the loop, with entries that the chain alone needs under names of their own."""
        shape = self.made[0].shape
        assert shape is not None
        seen = {value: _of_block(value, shape) for value in (*self.given, *self.made)}

        def other(x: Any) -> Any:
            return seen.get(x, x) if isinstance(x, Value) else x

        parts = [
            replace(each, arguments=mapped(each.arguments, other), result=other(each.result))
            for each in self.parts
        ]
        inside = folded(Listing([], parts, [seen[value] for value in self.made])).instructions
        made = ", ".join(f"np.empty({value.shape}, {str(value.dtype)!r})" for value in self.made)
        return "\n".join(
            [
                f"{', '.join(value.name for value in self.made)} = {made}",
                f"for i in blocks({self.made[-1].name}):",
                *(f"    {each.code()}" for each in inside),
            ]
        )

    def chain(self) -> tuple[Chain, list[Any]]:
        """Return the chain that the processor runs, and the numbers in it, which it is given behind the arrays.

        Behind these it is given the arrays that it makes.
        """
        numbers: list[Any] = []
        places = {value: k for k, value in enumerate(self.given)}
        links: list[tuple[Inner, list[Any], Value]] = []
        for each in self.parts:
            loop = _inner(each)
            assert loop is not None
            found, arguments = loop
            operands: list[Any] = []
            for x, dtype in zip(arguments, found.dtypes, strict=False):
                if not isinstance(x, Value):
                    numbers.append(np.array(x, dtype))
                    x = len(self.given) + len(numbers) - 1
                operands.append(x)
            links.append((found, operands, each.result))
        places |= {value: len(self.given) + len(numbers) + k for k, value in enumerate(self.made)}
        return Chain("chain", list(_placed(links, places)), self.parts[0].result.shape), numbers


def _placed(links: Sequence[tuple[Inner, list[Any], Value]], places: dict[Value, int]) -> Iterator[Link]:
    """Yield the links with a place for each value; buffers of the chain's own are used again when nobody needs them."""
    last = {x: k for k, (_, operands, _) in enumerate(links) for x in operands if isinstance(x, Value)}
    free: list[int] = []
    count = 0
    for k, (found, operands, result) in enumerate(links):
        at = tuple(places[x] if isinstance(x, Value) else x for x in operands)
        if result not in places:
            if not free:
                count += 1
                free.append(-count)
            places[result] = free.pop()
        yield Link(found, at, places[result])
        free += {places[x] for x in operands if isinstance(x, Value) and places[x] < 0 and last[x] == k}


def chained(listing: Listing, tell: Tell = nobody) -> Listing:
    """Join functions of single entries that follow one another, on arrays of one shape, into one loop over blocks.

    What only the loop itself asks for then needs a block's memory. NumPy's own functions run on each block.
    """
    found: list[Instruction] = []
    waiting: list[Instruction] = []

    def join() -> None:
        found.extend(waiting if len(waiting) < 2 else [_joined(waiting, listing, tell)])
        waiting.clear()

    for each in listing.instructions:
        if waiting and not (is_link(each) and each.result.shape == waiting[0].result.shape):
            join()
        (waiting if is_link(each) else found).append(each)
    join()
    return Listing(listing.given, found, listing.kept)


def _joined(parts: Sequence[Instruction], listing: Listing, tell: Tell) -> Instruction:
    inside = set(map(id, parts))
    asked = {v for each in listing.instructions if id(each) not in inside for v in each.reads} | set(
        listing.kept
    )
    results = [each.result for each in parts]
    made = [value for value in results if value in asked]
    given = [v for v in dict.fromkeys(v for each in parts for v in each.reads) if v not in results]
    spared = sum(value.memory.nbytes for value in results if value not in made)
    tell(
        f"{len(parts)} functions become one loop that makes {', '.join(v.name for v in made)}; "
        f"{len(results) - len(made)} arrays, {spared:,} bytes, are no arrays any more"
    )
    return replace(
        parts[-1],
        function=OfChain(parts, given, made),
        arguments=tuple(given),
        options={},
        result=made[0] if len(made) == 1 else tuple(made),
        closed=next((each.closed for each in parts if each.closed), None),
    )


def single(instruction: Instruction) -> OfChain | None:
    """Return an instruction as a chain of its own, where it is one on single entries."""
    if not is_link(instruction):
        return None
    return OfChain([instruction], list(dict.fromkeys(instruction.reads)), [instruction.result])


def unstretched(array: Any) -> Any:
    """Return a number, a row or a column for an array that was stretched from one; any other one as it is."""
    if array.flags.c_contiguous or not array.ndim:
        return array
    parts = tuple(slice(1) if step == 0 else slice(None) for step in array.strides)
    found = array[parts]
    if found.size == 1:
        return found.reshape(())
    is_row = found.size == found.shape[-1]
    is_column = found.shape == (*array.shape[:-1], 1)
    return found if found.flags.c_contiguous and (is_row or is_column) else array


def as_they_lie(arrays: Sequence[Any]) -> list[Any] | None:
    """Return arrays of one shape, whose axes lie in memory in the same order, as rows of entries; or else None."""
    strides = arrays[-1].strides
    order = sorted(range(arrays[-1].ndim), key=lambda axis: -strides[axis])
    if any(each.shape != arrays[-1].shape for each in arrays):
        return None
    turned = [each.transpose(order) for each in arrays]
    return [each.reshape(-1) for each in turned] if all(each.flags.c_contiguous for each in turned) else None


def stretched(
    instruction: Instruction, args: Sequence[Any], result: Any
) -> tuple[Chain, tuple[Any, ...]] | None:
    """Return a function of two arrays, one of which has the last axes of the other alone, as a chain on rows.

    Those axes are one axis there. None where it is something else.
    """
    if instruction.writes or instruction.options or len(args) != 2 or len(instruction.arguments) != 2:
        return None
    axes = max(min(len(_without_ones(each.shape)) for each in args), 1)
    tail = result.shape[-axes:]
    if result.ndim <= axes or not result.size or (loop := _inner(instruction)) is None or len(loop[1]) != 2:
        return None
    found = loop[0]
    columns = prod(tail)
    shapes = {result.shape: (result.size // columns, columns), tail: (columns,)}
    flat = [_without_ones(each.shape) if each.shape != result.shape else each.shape for each in args]
    if found.dtypes[-1] != result.dtype or any(shape not in shapes for shape in flat):
        return None
    arrays = [each.reshape(shapes[shape]) for each, shape in zip(args, flat, strict=True)]
    out = result.reshape(shapes[result.shape])
    return Chain("chain", [Link(found, (0, 1), 2)], out.shape), (*arrays, out)


def _without_ones(shape: tuple[int, ...]) -> tuple[int, ...]:
    first = next((k for k, length in enumerate(shape) if length != 1), len(shape))
    return shape[first:]


def is_link(instruction: Instruction) -> bool:
    """Tell whether an instruction is a function of single entries that has a loop of NumPy's, without conversions."""
    result = instruction.result
    if instruction.writes or instruction.options or not isinstance(result, Value) or not result.shape:
        return False
    shapes = [x.shape for x in instruction.arguments if isinstance(x, Value)]
    if (
        result.memory.nbytes == 0
        or not shapes
        or any(s is None or not _fits(s, result.shape) for s in shapes)
    ):
        return False
    found = _inner(instruction)
    return found is not None and found[0].dtypes[-1] == result.dtype


def _fits(shape: tuple[int, ...], whole: tuple[int, ...]) -> bool:
    """Tell whether an operand is a number, as large as the result, a row of it or a column."""
    is_row = shape[-1:] == whole[-1:] and all(n == 1 for n in shape[:-1]) and len(shape) <= len(whole)
    return shape in ((), whole, (*whole[:-1], 1)) or is_row


def _inner(instruction: Instruction) -> tuple[Inner, Sequence[Any]] | None:
    """Return the loop of an instruction's function, and its operands, of which plain numbers take the others' dtype."""
    function, arguments, result = instruction.function, instruction.arguments, instruction.result.dtype
    if isinstance(function, InPlace):
        return None
    if function.name == ".astype" and len(arguments) == 2:
        x, to = arguments
        as_number = x.dtype == bool and isinstance(to, np.dtype) and to == result
        return _with_operands(inner_where(to), (x, 1, 0)) if as_number else None
    is_where = function.name == "np.where" and len(arguments) == 3
    operands = arguments[1:] if is_where else arguments
    ufunc: Any = None
    if function.name == "**" and type(arguments[1]) in (int, float) and arguments[1] in _POWERS:
        ufunc, operands = _POWERS[arguments[1]], arguments[:1]
    elif function.name == "np.clip":
        ufunc = _clip
    elif isinstance(function, OfNumPy) and function.is_ufunc:
        ufunc = _named(function)
    elif isinstance(function, Operator) or function.name == "abs":
        ufunc = _OPERATORS.get((function.name, len(arguments)))
    dtypes = {x.dtype for x in operands if isinstance(x, Value)}
    plain = [x for x in operands if not isinstance(x, Value)]
    if len(dtypes) > 1 or any(type(x) not in (int, float) for x in plain):
        return None
    all_whole = all(type(x) is int and abs(x) < 1 << 62 for x in plain)
    dtype = next(iter(dtypes), None) if dtypes or not is_where else result
    if not isinstance(dtype, np.dtype) or (
        plain and not (dtype.kind == "f" or (dtype == np.int64 and all_whole))
    ):
        return None
    if is_where:
        condition = arguments[0]
        is_mask = isinstance(condition, Value) and condition.dtype == bool
        fits = is_mask and condition.shape == instruction.result.shape
        return _with_operands(inner_where(dtype), arguments) if fits else None
    return None if ufunc is None else _with_operands(inner(ufunc, (dtype,) * len(operands)), operands)


def _with_operands(found: Inner | None, operands: Sequence[Any]) -> tuple[Inner, Sequence[Any]] | None:
    return None if found is None else (found, operands)


def _named(function: OfNumPy) -> Any:
    if function.name.startswith("np."):
        return getattr(np, function.name[3:], None)
    import scipy.special

    return getattr(scipy.special, function.name.rpartition(".")[2], None)


def _of_block(value: Value, shape: tuple[int, ...]) -> Value:
    """Return a value as it is written within the loop."""
    along = value.shape is not None and len(value.shape) == len(shape) and value.shape[0] == shape[0]
    is_row = along and shape[0] == 1
    return (
        Value(f"{value.name}[i]", value.shape, value.dtype, value.memory) if along and not is_row else value
    )


def blocks(array: Any) -> Iterator[slice]:
    """Yield the rows of an array, as many at a time as have the entries of a block."""
    step = max(1, BLOCK * len(array) // max(1, array.size))
    for start in range(0, len(array), step):
        yield slice(start, start + step)
