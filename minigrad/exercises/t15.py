"""Checks of tutorial 15: inside a kernel."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.exercises.checking import NotYet, answer, array, call, judge

REGISTERS = 32


@answer(
    "15.1",
    right="a row of 800 bytes needs 13 lines; the entries of a column lie 800 bytes apart, a line for each.",
)
def lines_touched(given: Any) -> str | None:
    """Lines of 64 bytes under a row and under a column of a 100 × 100 float64 matrix."""
    if array(given).size != 2:
        raise NotYet("two numbers are wanted: (lines for the row, lines for the column).")
    return judge(
        given,
        (13, 100),
        {
            "a float64 number has 8 bytes, so a line holds 8 of them, not 16.": (7, 100),
            "half a line cannot be fetched: round up.": (12.5, 100),
            "the half line at the end has to be fetched too: round up.": (12, 100),
            "the two are swapped: a row lies together in memory.": (100, 13),
            "two entries of a column are 800 bytes apart, since rows are stored one after another.": (13, 13),
            "neighbours in a row share a line; that is what makes a row cheap.": (100, 100),
            "a column has 100 entries and touches at most as many lines.": (
                13,
                1250,
            ),
        },
        otherwise="a row is 100 · 8 bytes long: how many times 64? And how far apart are two entries of a column?",
    )


class _NoProducts(np.ndarray[Any, Any]):
    """An array that refuses ready-made products of matrices."""

    def __repr__(self) -> str:
        return repr(self.view(np.ndarray))

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if ufunc is np.matmul:
            raise NotYet("that is the library's product again. Write a loop over p, without @.")
        plain = [x.view(np.ndarray) if isinstance(x, _NoProducts) else x for x in inputs]
        if "out" in kwargs:
            kwargs["out"] = tuple(
                x.view(np.ndarray) if isinstance(x, _NoProducts) else x for x in kwargs["out"]
            )
        result = getattr(ufunc, method)(*plain, **kwargs)
        return result.view(_NoProducts) if type(result) is np.ndarray else result

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if function in (np.dot, np.einsum, np.tensordot, np.inner, np.vdot):
            raise NotYet(f"np.{function.__name__} is a ready-made product. Write it with a loop over p.")
        return super().__array_function__(function, types, args, kwargs)

    def dot(self, *args: Any, **kwargs: Any) -> Any:
        raise NotYet("dot is a ready-made product. Write it with a loop over p.")


@answer("15.2", right="k outer products, added up: the same multiplications in a third order.")
def outer_matmul(given: Any) -> str | None:
    """a·b as a sum of outer products."""
    a = np.array([[1.0, -2.0, 0.5], [3.0, 0.25, 4.0]])
    b = np.array([[2.0, 1.0, 0.0, -1.0], [0.5, -3.0, 2.0, 1.0], [4.0, 1.5, -2.0, 0.0]])
    layers = [a[:, p, None] * b[p] for p in range(3)]
    return judge(
        np.asarray(array(call(given, a.view(_NoProducts), b.view(_NoProducts)))),
        layers[0] + layers[1] + layers[2],
        {
            "only the last p arrived: add to c in each pass, c += …, instead of setting it.": layers[2],
            "only the first p arrived: return after the loop, not inside it.": layers[0],
            "one term is missing: p runs from 0 to a.shape[1] − 1.": layers[0] + layers[1],
            "one term is missing: p begins at 0.": layers[1] + layers[2],
        },
        otherwise="a[:, p] has to stand as a column, a[:, p, None], so that times the row b[p] gives a matrix.",
    )


def _loads(r: int, s: int) -> float:
    return (r + s) / (r * s)


@answer("15.3", right="25 sums, 5 for b and 1 for a make 31 registers, at 0.4 loads per multiplication.")
def best_block(given: Any) -> str | None:
    """The (r, s) with r·s + s + 1 ≤ 32 and the smallest (r + s) / rs."""
    numbers = array(given).ravel()
    if numbers.size != 2 or (numbers < 1).any() or (numbers != np.round(numbers)).any():
        return "two whole numbers above 0 are wanted: (r, s)."
    r, s = int(numbers[0]), int(numbers[1])
    needed = r * s + s + 1
    if needed > REGISTERS:
        return f"{r} × {s} needs {r * s} + {s} + 1 = {needed} registers, and there are {REGISTERS}."
    fitting = [(i, j) for i in range(1, 32) for j in range(1, 32) if i * j + j + 1 <= REGISTERS]
    best = min(fitting, key=lambda block: _loads(*block))
    if (r, s) == best:
        return None
    if (r, s) == (4, 3):
        return "4 × 3 is the block for 16 registers. With 32 there is room for more sums."
    if r != s and abs(r - s) > 1:
        return f"{r} × {s} fits, with {_loads(r, s):.3f} loads. A block nearer to a square shares its loads better."
    return f"{r} × {s} fits, with {_loads(r, s):.3f} loads per multiplication, but another block that fits has fewer."
