"""Tiles of matrix products, as vector code: what a loop in Python cannot tell Numba, said in LLVM's terms.

A tile of c = a·b has a few rows, each as wide as two vector registers, and stays in registers while the sum runs: for
each term two vectors of b are loaded, and one number of a for each row, which is spread over a vector. A number that
was loaded is used twice or once for each row, so the adders never wait for memory, and a and b lie as they lay.

The functions ``tile`` … ``copy_inside`` say in Python what they do. Numba never compiles that text: where a loop calls
one, the instructions are put in that the method of ``_Emitter`` of the same name emits.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from inspect import Parameter, Signature, signature
from typing import Any, NamedTuple

import numpy as np

from minigrad_kernels.loops import Loop, features
from minigrad_kernels.objects import has_numba

ROWS = COLUMNS = LANES = 0  # a tile's, and a register's, in each of the functions below


class Size(NamedTuple):
    """Of a tile: its rows, how many float32 numbers a register has, and its columns, which are two registers."""

    rows: int
    lanes: int
    columns: int


@cache
def size() -> Size | None:
    """Return the size of tile that fits this processor; None where it is one for which BLAS is the better choice.

    AVX-512 has 32 registers of 16 numbers, AVX2 has 16 of 8: the sums fill half of them.
    """
    found = features() if has_numba() else frozenset()
    if "avx512f" in found:
        return Size(8, 16, 32)
    return Size(4, 8, 16) if {"avx2", "fma"} <= found else None


def tile(a: Any, i: int, b: Any, k: int, c: Any, j: int) -> None:
    """c[i:, j:] = a[i:]·b[:, k:], as far as the tile reaches. The rows of b and of c are contiguous."""
    c[i : i + ROWS, j : j + COLUMNS] = a[i : i + ROWS] @ b[:, k : k + COLUMNS]


def tile_finished(a: Any, i: int, b: Any, k: int, bias: Any, relu: bool, c: Any, j: int) -> None:
    """c[i:, j:] = a[i:]·b[:, k:], as ``tile``; plus bias[j:] where there is one, and then 0 for what is below it."""
    t = a[i : i + ROWS] @ b[:, k : k + COLUMNS]
    if len(bias):
        t = t + bias[j : j + COLUMNS]
        t = np.maximum(t, 0) if relu else t
    c[i : i + ROWS, j : j + COLUMNS] = t


def tile_added(a: Any, i: int, b: Any, c: Any, j: int) -> None:
    """c[j:] += a[i:]·b, for as many rows as a tile has; b and c are as wide as it."""
    c[j : j + ROWS] += a[i : i + ROWS] @ b


def tile_of_patches(x: Any, rows: Any, i: int, terms: Any, b: Any, c: Any) -> None:
    """c[i + r] += Σ_k x[rows[i + r] + terms[k]] · b[k] for as many r as a tile has rows; b and c are as wide as it."""
    for r in range(i, i + ROWS):
        for k in range(len(b)):
            c[r] += x[rows[r] + terms[k]] * b[k]


def tile_of_rows(x: Any, i: int, terms: Any, w: Any, begun: Any, few: int, c: Any, o: int, j: int) -> None:
    """c[o + r, j:] = begun[r] + Σ_k w[k, r] · x[i + terms[k]:], as wide as the tile, for its first few rows r."""
    for r in range(few):
        c[o + r, j : j + COLUMNS] = begun[r]
        for k in range(len(terms)):
            c[o + r, j : j + COLUMNS] += w[k, r] * x[i + terms[k] : i + terms[k] + COLUMNS]


def tile_of_sums(x: Any, places: Any, terms: Any, i: int, g: Any, c: Any) -> None:
    """c[i + m, r] += Σ_k g[r, k·LANES:] · x[places[k] + terms[i + m]:], as many numbers as a register has.

    For all rows r of the tile, and for as many m as it is registers wide.
    """
    for m in range(i, i + COLUMNS // LANES):
        for k in range(len(places)):
            seen = x[places[k] + terms[m] : places[k] + terms[m] + LANES]
            for r in range(ROWS):
                c[m, r] += g[r, k * LANES : (k + 1) * LANES] * seen


def tile_across(a: Any, i: int, b: Any, bias: Any, relu: bool, c: Any, j: int) -> None:
    """c[j:, i:] = (a[i:]·b)ᵀ + bias[i:], and 0 for what is below it where ``relu``; b is as wide as the tile."""
    t = (a[i : i + ROWS] @ b).T + bias[i : i + ROWS]
    c[j : j + COLUMNS, i : i + ROWS] = np.maximum(t, 0) if relu else t


def transpose(a: Any, i: int, k: int, t: Any) -> None:
    """t[k:, i:] = a[i:, k:]ᵀ, for as many rows of a as a tile has and as many columns as a register."""
    t[k : k + LANES, i : i + ROWS] = a[i : i + ROWS, k : k + LANES].T


def pack_panels(a: Any, j: int, t: Any) -> None:
    """t[0], t[1] … = the columns of a from j on, as many as a tile has in each; behind the end of a its last ones."""
    for p in range(a.shape[0]):  # row by row, as a lies
        for q in range(t.shape[0]):
            k = min(j + q * COLUMNS, a.shape[1] - COLUMNS)
            t[q, p] = a[p, k : k + COLUMNS]


def copy_inside(x: Any, k: int, low: int, high: int, t: Any, i: int) -> None:
    """t[i:] = x[k:], as many numbers as a register has, of which those before ``low`` and from ``high`` on are 0."""
    for u in range(LANES):
        t[i + u] = x[k + u] if low <= u < high else 0


class Tile(Loop):
    """One of the functions above, for another Loop to call."""

    def __init__(self, function: Callable[..., None], size: Size) -> None:
        super().__init__(function, ROWS=size.rows, COLUMNS=size.columns, LANES=size.lanes)
        self.size = size

    def _compile(self) -> Any:
        from numba import types
        from numba.extending import intrinsic

        def generate(context: Any, builder: Any, call: Any, values: Any) -> Any:
            emitter = _Emitter(context, builder, self.size)
            arguments = [
                emitter.array(kind, value) if isinstance(kind, types.Array) else value
                for kind, value in zip(call.args, values, strict=True)
            ]
            getattr(emitter, self.function.__name__)(*arguments)
            return context.get_dummy_value()

        def typed(context: Any, *kinds: Any) -> Any:
            integers = (types.int64 if isinstance(kind, types.Integer) else kind for kind in kinds)
            return types.void(*integers), generate

        named = signature(self.function).parameters.values()  # Numba asks for the number of arguments
        typed.__signature__ = Signature([Parameter("context", Parameter.POSITIONAL_OR_KEYWORD), *named])  # type: ignore[attr-defined]
        return intrinsic(typed)


class _Array(NamedTuple):
    """An array as the emitted code sees it: its address, and for each axis its length and the bytes of a step."""

    data: Any
    shape: Any
    strides: Any


class _Emitter:
    """Emits a tile; and what it consists of."""

    def __init__(self, context: Any, builder: Any, size: Size) -> None:
        from llvmlite import ir

        self.context, self.builder, self.size, self.ir = context, builder, size, ir
        self.cgutils: Any = import_module("numba.core.cgutils")

    def tile(self, a: _Array, i: Any, b: _Array, k: Any, c: _Array, j: Any) -> None:
        self.put(self.sums(a, i, b, k), c, i, j)

    def tile_finished(
        self, a: _Array, i: Any, b: _Array, k: Any, bias: _Array, relu: Any, c: _Array, j: Any
    ) -> None:
        builder, lanes = self.builder, self.size.lanes
        sums = self.sums(a, i, b, k)
        with builder.if_else(builder.icmp_signed(">", bias.shape[0], self.integer(0))) as (biased, bare):
            with biased:
                cut = self.spread(relu, lanes)
                added = [self.load(lanes, bias, self.plus(j, u)) for u in range(0, self.size.columns, lanes)]
                finished = [
                    [self.cut(builder.fadd(total, more), cut) for total, more in zip(row, added, strict=True)]
                    for row in sums
                ]
                self.put(finished, c, i, j)
            with bare:
                self.put(sums, c, i, j)

    def tile_added(self, a: _Array, i: Any, b: _Array, c: _Array, j: Any) -> None:
        self.put(self.sums(a, i, b, self.integer(0), self.loaded(c, j)), c, j, self.integer(0))

    def tile_of_patches(self, x: _Array, rows: _Array, i: Any, terms: _Array, b: _Array, c: _Array) -> None:
        builder, (count, lanes, _) = self.builder, self.size
        number = self.ir.FloatType()
        starts = [self.address(x, (self.entry(rows, self.plus(i, r)),), number) for r in range(count)]

        def factors(k: Any) -> Any:
            term = self.entry(terms, k)
            return (self.spread(builder.load(builder.gep(start, [term]), align=4), lanes) for start in starts)

        vectors = self.beside(b, self.integer(0))
        self.put(self.added(self.loaded(c, i), b.shape[0], vectors, factors), c, i, self.integer(0))

    def tile_of_rows(
        self, x: _Array, i: Any, terms: _Array, w: _Array, begun: _Array, few: Any, c: _Array, o: Any, j: Any
    ) -> None:
        builder, (rows, lanes, columns) = self.builder, self.size
        across, first = range(0, columns, lanes), self.address(x, (i,), self.ir.FloatType())

        def vectors(k: Any) -> Any:
            term = self.entry(terms, k)
            return [self.behind(first, self.plus(term, u)) for u in across]

        def factors(k: Any) -> Any:
            return (self.spread_of(w, k, self.integer(r)) for r in range(rows))

        starts = [[self.spread_of(begun, self.integer(r))] * len(across) for r in range(rows)]
        for r, row in enumerate(self.added(starts, terms.shape[0], vectors, factors)):
            with builder.if_then(builder.icmp_signed("<", self.integer(r), few)):
                for u, total in zip(across, row, strict=True):
                    self.store(total, c, self.plus(o, r), self.plus(j, u))

    def tile_of_sums(self, x: _Array, places: _Array, terms: _Array, i: Any, g: _Array, c: _Array) -> None:
        builder, (rows, lanes, columns) = self.builder, self.size
        several = [self.plus(i, m) for m in range(columns // lanes)]
        firsts = [self.address(x, (self.entry(terms, m),), self.ir.FloatType()) for m in several]
        zero = self.integer(0)

        def vectors(k: Any) -> Any:
            place = self.entry(places, k)
            return [self.behind(first, place) for first in firsts]

        def factors(k: Any) -> Any:
            first = builder.mul(k, self.integer(lanes))
            return (self.load(lanes, g, self.integer(r), first) for r in range(rows))

        starts = [[self.load(lanes, c, m, self.integer(r), zero) for m in several] for r in range(rows)]
        for r, row in enumerate(self.added(starts, places.shape[0], vectors, factors)):
            for m, total in zip(several, row, strict=True):
                self.store(total, c, m, self.integer(r), zero)

    def tile_across(self, a: _Array, i: Any, b: _Array, bias: _Array, relu: Any, c: _Array, j: Any) -> None:
        builder, (rows, lanes, _) = self.builder, self.size
        added = self.load(rows, bias, i)
        cut = self.spread(relu, rows)
        for v, vectors in enumerate(zip(*self.sums(a, i, b, self.integer(0)), strict=True)):
            for k, column in enumerate(self.transposed(vectors)):
                z = self.cut(builder.fadd(column, added), cut)
                self.store(z, c, self.plus(j, v * lanes + k), i)

    def transpose(self, a: _Array, i: Any, k: Any, t: _Array) -> None:
        rows, lanes, _ = self.size
        for n, column in enumerate(
            self.transposed([self.load(lanes, a, self.plus(i, r), k) for r in range(rows)])
        ):
            self.store(column, t, self.plus(k, n), i)

    def pack_panels(self, a: _Array, j: Any, t: _Array) -> None:
        builder, lanes = self.builder, self.size.lanes
        last = self.plus(a.shape[1], -self.size.columns)
        with (
            self.cgutils.for_range(builder, a.shape[0]) as row,
            self.cgutils.for_range(builder, t.shape[0]) as panel,
        ):
            start = builder.add(j, builder.mul(panel.index, self.integer(self.size.columns)))
            start = builder.select(builder.icmp_signed("<", start, last), start, last)
            for k in (0, lanes):
                vector = self.load(lanes, a, row.index, self.plus(start, k))
                self.store(vector, t, panel.index, row.index, self.integer(k))

    def copy_inside(self, x: _Array, k: Any, low: Any, high: Any, t: _Array, i: Any) -> None:
        lanes, ir = self.size.lanes, self.ir
        places = ir.Constant(ir.VectorType(ir.IntType(64), lanes), list(range(lanes)))
        below = self.builder.icmp_signed("<", places, self.spread(high, lanes))
        within = self.builder.and_(below, self.builder.icmp_signed(">=", places, self.spread(low, lanes)))
        kind = ir.VectorType(ir.FloatType(), lanes)
        arguments = [self.address(x, (k,), kind), ir.Constant(ir.IntType(32), 4), within, self.zeros(lanes)]
        load = self.cgutils.get_or_insert_function(
            self.builder.module,
            ir.FunctionType(kind, [each.type for each in arguments]),
            f"llvm.masked.load.v{lanes}f32.p0",
        )
        self.store(self.builder.call(load, arguments), t, i)

    def put(self, rows: list[list[Any]], c: _Array, i: Any, j: Any) -> None:
        """c[i:, j:] = the tile whose rows these vectors are."""
        for r, row in enumerate(rows):
            for v, vector in enumerate(row):
                self.store(vector, c, self.plus(i, r), self.plus(j, v * self.size.lanes))

    def cut(self, z: Any, where: Any) -> Any:
        """The vector z, and where it is below it 0 in the places of ``where``."""
        zero = self.ir.Constant(z.type, None)
        below = self.builder.fcmp_ordered("<", z, zero)  # NaN stays
        return self.builder.select(self.builder.and_(below, where), zero, z)

    def loaded(self, c: _Array, i: Any) -> list[list[Any]]:
        """c[i:], as vectors for each of the tile's rows."""
        rows, lanes, columns = self.size
        return [
            [self.load(lanes, c, self.plus(i, r), self.integer(k)) for k in range(0, columns, lanes)]
            for r in range(rows)
        ]

    def sums(
        self, a: _Array, i: Any, b: _Array, j: Any, begun: list[list[Any]] | None = None
    ) -> list[list[Any]]:
        """What was begun, or 0, and Σ_k a[i + r, k] b[k, j:], as vectors for each of the tile's rows r."""
        rows, lanes, columns = self.size
        begun = begun or [[self.zeros(lanes)] * (columns // lanes)] * rows

        def factors(k: Any) -> Any:
            return (self.spread_of(a, self.plus(i, r), k) for r in range(rows))

        return self.added(begun, b.shape[0], self.beside(b, j), factors)

    def beside(self, b: _Array, j: Any) -> Callable[[Any], list[Any]]:
        """The function that loads b[k, j:], as wide as the tile, as vectors."""
        _, lanes, columns = self.size
        return lambda k: [self.load(lanes, b, k, self.plus(j, u)) for u in range(0, columns, lanes)]

    def added(
        self,
        begun: list[list[Any]],
        count: Any,
        vectors: Callable[[Any], list[Any]],
        factors: Callable[[Any], Any],
    ) -> list[list[Any]]:
        """What was begun, vectors for each row r, and for each vector v of it Σ_k factors(k)[r] vectors(k)[v]."""
        builder = self.builder
        nothing = self.ir.FunctionType(self.ir.VoidType(), [])
        totals = [[self.cgutils.alloca_once(builder, vector.type) for vector in row] for row in begun]
        for row, starts in zip(totals, begun, strict=True):
            for total, vector in zip(row, starts, strict=True):
                builder.store(vector, total)
        with self.cgutils.for_range(builder, count) as loop:
            found = vectors(loop.index)
            for row, factor in zip(totals, factors(loop.index), strict=True):
                for total, vector in zip(row, found, strict=True):
                    product = builder.fmul(factor, vector, flags=("contract",))  # one rounding for both
                    builder.store(builder.fadd(product, builder.load(total), flags=("contract",)), total)
                builder.asm(
                    nothing, "", "~{memory}", [], side_effect=True
                )  # the next number is loaded when its turn comes
        return [[builder.load(total) for total in row] for row in totals]

    def transposed(self, rows: Any) -> list[Any]:
        """The columns of a matrix whose rows are vectors; there are 2, 4, 8 … rows, not more than a row has numbers.

        To interleave the rows of the upper half with those of the lower half makes half as many rows that are twice as
        long, and the numbers of a column come closer to each other; at the end there is one row, column by column.
        """
        count, lanes = len(rows), self.size.lanes
        places = [place for k in range(lanes) for place in (k, lanes + k)]
        groups = [list(rows)]  # each holds a part of the columns
        while len(groups[0]) > 1:
            groups = [
                [self.shuffle(a, b, part) for a, b in zip(group, group[len(group) // 2 :], strict=False)]
                for group in groups
                for part in (places[:lanes], places[lanes:])
            ]
        return [
            self.shuffle(group[0], group[0], list(range(k, k + count)))
            for group in groups
            for k in range(0, lanes, count)
        ]

    def array(self, kind: Any, value: Any) -> _Array:
        """One of Numba's arrays."""
        array = self.context.make_array(kind)(self.context, self.builder, value)
        shape, strides = (
            self.cgutils.unpack_tuple(self.builder, each) for each in (array.shape, array.strides)
        )
        return _Array(self.builder.bitcast(array.data, self.ir.IntType(8).as_pointer()), shape, strides)

    def load(self, lanes: int, array: _Array, *index: Any) -> Any:
        """The vector of the numbers that start at array[index]."""
        kind = self.ir.VectorType(self.ir.FloatType(), lanes)
        return self.builder.load(self.address(array, index, kind), align=4)

    def behind(self, first: Any, n: Any) -> Any:
        """The vector of the numbers that start n places behind the one at an address."""
        kind = self.ir.VectorType(self.ir.FloatType(), self.size.lanes)
        place = self.builder.bitcast(self.builder.gep(first, [n]), kind.as_pointer())
        return self.builder.load(place, align=4)

    def entry(self, array: _Array, n: Any) -> Any:
        """A whole number of a table."""
        return self.builder.load(self.address(array, (n,), self.ir.IntType(64)), align=8)

    def store(self, vector: Any, array: _Array, *index: Any) -> None:
        """Write a vector to where array[index] starts."""
        self.builder.store(vector, self.address(array, index, vector.type), align=4)

    def address(self, array: _Array, index: Any, kind: Any) -> Any:
        """Where array[index] lies, as the address of something of this kind."""
        steps = [self.builder.mul(n, stride) for n, stride in zip(index, array.strides, strict=True)]
        data = array.data
        for step in steps:
            data = self.builder.gep(data, [step])
        return self.builder.bitcast(data, kind.as_pointer())

    def integer(self, n: int) -> Any:
        return self.ir.Constant(self.ir.IntType(64), n)

    def plus(self, n: Any, k: int) -> Any:
        return self.builder.add(n, self.integer(k))

    def zeros(self, lanes: int) -> Any:
        return self.ir.Constant(self.ir.VectorType(self.ir.FloatType(), lanes), None)

    def spread(self, number: Any, lanes: int) -> Any:
        """A vector that holds one number in all places."""
        empty = self.ir.Constant(self.ir.VectorType(number.type, lanes), self.ir.Undefined)
        return self.shuffle(self.builder.insert_element(empty, number, self.integer(0)), empty, [0] * lanes)

    def spread_of(self, array: _Array, *index: Any) -> Any:
        """A vector that holds array[index] in all places."""
        number = self.builder.extract_element(self.load(1, array, *index), self.integer(0))
        return self.spread(number, self.size.lanes)

    def shuffle(self, a: Any, b: Any, places: list[int]) -> Any:
        """The numbers of a and b, one behind the other, that are at these places."""
        kind = self.ir.VectorType(self.ir.IntType(32), len(places))
        return self.builder.shuffle_vector(a, b, self.ir.Constant(kind, places))
