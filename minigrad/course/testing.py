"""What an assignment's tests are written with: comparisons that teach, and differences.

A test is ``def any_name(student, rng)`` with the hint as its docstring, and passes where it compares something and no
comparison fails. ``rng`` is a NumPy generator with a seed of the submission's own.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minigrad.answers import NotYet, agree, slip

Numbers = NDArray[Any]

comparisons: ContextVar[int] = ContextVar("comparisons", default=0)
"""How many comparisons the running test has made: one that made none has not tested anything."""


class Wrong(NotYet):
    """A comparison that failed: what was put in, what was expected, what came.

    ``hint`` is that of a known slip; ``advice`` is what the page says of this comparison in a hidden test.
    """

    def __init__(
        self,
        hint: str = "",
        given: Mapping[str, Any] | None = None,
        expected: str = "",
        got: str = "",
        advice: str | None = None,
    ) -> None:
        super().__init__(hint)
        self.hint, self.expected, self.got, self.advice = hint, expected, got, advice
        self.given = {name: shown(value) for name, value in (given or {}).items()}


def close(
    got: Any,
    expected: Any,
    *,
    hint: str = "",
    advice: str | None = None,
    slips: Mapping[str, Any] | None = None,
    also: Callable[[], Sequence[Any]] = tuple,
    rtol: float = 1e-6,
    atol: Any = 1e-8,
    **given: Any,
) -> None:
    """Pass where ``got`` has the shape of ``expected`` and every entry is within atol + rtol · |expected|.

    ``also`` is called where other numbers came, and gives those that pass too, each an array or None: what follows
    from a mistake that another question has judged already (``student.perhaps``).

    ``slips`` maps hints to the numbers that likely mistakes lead to; the first whose numbers came speaks. Where the
    first digits agree that is said (but not with a ``rtol`` of 0, which is for bits). Otherwise ``hint`` speaks, and
    without it the test's docstring. What else is named is shown as the input.
    """
    comparisons.set(comparisons.get() + 1)
    wanted = np.asarray(expected, dtype=np.float64)
    numbers = _numbers(got)
    if numbers is not None and agree(numbers, wanted, rtol, atol):
        return
    if any(_is_slip(numbers, other) and not _is_slip(wanted, other) for other in _others(also)):
        return
    known = slip(slips, lambda wrong: _is_slip(numbers, wrong))
    if known is not None:
        hint = known
    elif numbers is not None and numbers.shape != wanted.shape:
        hint = hint or f"The shape is {numbers.shape}; {wanted.shape} is wanted."
    elif numbers is not None and rtol and wanted.any() and agree(numbers, wanted, 1e-4, 0.0):
        hint = advice = "Nearly right: the first digits agree, the later ones do not."
    raise Wrong(hint, given, shown(wanted), shown(got), advice)


def moved(result: Any) -> Any:
    """Add 1 to the arrays in a result, in place; whoever else has their memory sees it."""
    for part in result if isinstance(result, (list, tuple)) else [result]:
        if isinstance(part, np.ndarray) and part.flags.writeable and part.dtype.kind in "iuf":
            part += 1
    return result


def same(got: Any, expected: Any, *, hint: str = "", advice: str | None = None, **given: Any) -> None:
    """Pass where two arrays, or lists of arrays, agree in shape, dtype and every bit."""
    comparisons.set(comparisons.get() + 1)
    if not _same(got, expected):
        raise Wrong(hint, given, shown(expected), shown(got), advice)


def holds(
    condition: Any,
    hint: str = "",
    *,
    expected: str = "",
    got: Any = None,
    advice: str | None = None,
    **given: Any,
) -> None:
    """Pass where ``condition`` is true. It must be worked out here, from numbers, and not by the student's code."""
    comparisons.set(comparisons.get() + 1)
    if not bool(condition):
        raise Wrong(hint, given, expected, "" if got is None else shown(got), advice)


def vjp(f: Callable[..., Any], inputs: Sequence[Any], i: int, g: Any) -> Numbers:
    """d(Σ g · f(*inputs)) / d(input i) by central differences in float64, good to about nine digits.

    ``f`` may be a student's function. The inputs are arrays or numbers; h = 6e-6 · max(1, |x|).
    """
    arrays = [np.array(x, dtype=np.float64) if j == i else x for j, x in enumerate(inputs)]
    x = arrays[i]
    result = np.empty_like(x)
    for k in np.ndindex(x.shape):
        kept, h = x[k], 6e-6 * max(1.0, abs(float(x[k])))
        ends = []
        for moved in (kept + h, kept - h):
            x[k] = moved
            ends.append(np.sum(np.asarray(g) * _needed(f(*arrays), np.shape(g))))
        x[k] = kept
        result[k] = (ends[0] - ends[1]) / ((kept + h) - (kept - h))
    return result


def _needed(value: Any, shape: tuple[int, ...]) -> Numbers:
    numbers = _numbers(value)
    if numbers is None or (shape and numbers.shape != shape):
        comparisons.set(comparisons.get() + 1)
        raise Wrong("Numbers are wanted here.", None, f"an array of numbers, of shape {shape}", shown(value))
    return numbers


def _numbers(value: Any) -> Numbers | None:
    """Return an answer as float64; None where it is no array and no number."""
    if isinstance(value, (list, tuple)) and value:
        with contextlib.suppress(ValueError):  # lists of unequal lengths are no array
            value = np.array(value)
    if type(value) in (int, float) or isinstance(value, np.generic):
        value = np.asarray(value)
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "iuf":
        return None
    return value.astype(np.float64)


def _others(also: Callable[[], Sequence[Any]]) -> list[Numbers]:
    try:
        return [numbers for numbers in map(_numbers, also()) if numbers is not None]
    except Exception:  # their answer to the other question is nothing that one can go on with
        return []


def _is_slip(numbers: Numbers | None, wrong: Any) -> bool:
    return numbers is not None and agree(numbers, np.asarray(wrong, dtype=np.float64), 1e-6, 1e-8)


def _same(got: Any, expected: Any) -> bool:
    if isinstance(expected, (list, tuple)):
        return isinstance(got, (list, tuple)) and len(got) == len(expected) and all(map(_same, got, expected))
    if isinstance(expected, (np.ndarray, np.generic)):
        a, b = np.asarray(expected), got
        return isinstance(b, np.ndarray) and (a.shape, a.dtype, a.tobytes()) == (
            b.shape,
            b.dtype,
            b.tobytes(),
        )
    return type(got) is type(expected) and bool(got == expected)


def shown(value: Any) -> str:
    """Print a value small enough for a terminal: six digits, at most eight lines."""
    if isinstance(value, (np.ndarray, np.generic)):
        array = np.asarray(value)
        text = np.array2string(
            array, precision=6, threshold=40, edgeitems=3, separator=", ", max_line_width=88
        )
        if array.size == 0 or array.dtype.name not in ("float64", "int64", "bool"):
            text += f" ({array.dtype}, shape {array.shape})"
    elif isinstance(value, float):
        text = f"{value:.9g}"
    elif isinstance(value, (list, tuple)):
        text = ", ".join(map(shown, value[:8])) + (
            "," if isinstance(value, tuple) and len(value) == 1 else ""
        )
        text = f"[{text}]" if isinstance(value, list) else f"({text})"
    elif value is None:
        text = "None: nothing was returned"
    else:
        text = repr(value)
    lines = text.split("\n")
    lines = [*lines[:7], " …"] if len(lines) > 8 else lines
    return "\n".join(line if len(line) <= 160 else line[:159] + "…" for line in lines)
