"""Checks of tutorial 02: the tape."""

from __future__ import annotations

from typing import Any

from minigrad.exercises.checking import NotYet, answer, call, close, judge

_LINES = [
    ("a", [("x", 0.5), ("unused", 0.0)]),
    ("b", [("a", 3.0), ("x", -1.0)]),
    ("side", [("b", 7.0)]),  # made, but the loss does not depend on it
    ("c", [("a", 2.0), ("b", 4.0)]),
    ("d", [("c", 1.5), ("c", 1.0)]),
    ("L", [("d", 10.0), ("a", 1.0)]),
]


@answer("02.1", "each total was complete before it was handed on, as walking backwards guarantees.")
def totals(given: Any) -> str | None:
    """a = x + y, b = a·x, L = a·b at x = 2, y = 1: a = 3, b = 6, L = 18."""
    by_b, by_a_direct = 3.0, 6.0
    a = by_a_direct + by_b * 2.0
    return judge(
        given,
        [a, by_b, by_b * 3.0 + a, a],
        {
            "a is used twice, in b and in L: its two contributions have to be added before they are handed on.": [
                by_a_direct,
                by_b,
                by_b * 3.0 + by_a_direct,
                by_a_direct,
            ],
            "x is used twice: its contribution through b = a·x is missing.": [a, by_b, a, a],
            "x is used twice: its contribution through a = x + y is missing.": [a, by_b, by_b * 3.0, a],
            "a reaches L on two roads; only the one through b is there.": [6.0, by_b, by_b * 3.0 + 6.0, 6.0],
            "dL/da and dL/db are swapped.": [by_b, a, by_b * 3.0 + a, a],
        },
        "walk back line by line: L = a·b hands b = 6 to a and a = 3 to b; then b = a·x hands on.",
    )


def _walked(lines: Any, *, add: bool = True, backwards: bool = True, times: bool = True) -> dict[str, float]:
    found = {lines[-1][0]: 1.0}
    for result, inputs in reversed(lines) if backwards else lines:
        g = found.get(result, 0.0)
        for name, local in inputs:
            part = g * local if times else local
            found[name] = part + (found.get(name, 0.0) if add else 0.0)
    return found


@answer(
    "02.2", "these few lines are reverse-mode differentiation; minigrad/tape.py is the same loop on arrays."
)
def walk(given: Any) -> str | None:
    """The walk on a tape of plain data."""
    for lines in (_LINES[:1], _LINES):
        got = call(given, [(result, list(inputs)) for result, inputs in lines])
        if not isinstance(got, dict):
            raise NotYet(f"a dictionary from names to numbers is wanted, not {type(got).__name__}.")
        wanted = _walked(lines)
        needed = [name for name in wanted if wanted[name] != 0.0]
        missing = [name for name in needed if name not in got]
        if lines[-1][0] in missing:
            return f"start with the loss itself: dL/dL = 1, so {lines[-1][0]!r} has to be in the dictionary with 1.0."
        if missing:
            return f"the names {', '.join(missing)} have no number: every input of every line receives a contribution."
        numbers = [got.get(name, 0.0) for name in wanted]
        if close(numbers, list(wanted.values())):
            continue
        for hint, slip in (
            ("a name used twice keeps only its last contribution: add to what is there already.", {"add": False}),
            ("walk from the last line to the first, so that each total is complete when used.", {"backwards": False}),
            ("multiply each local derivative by what has come in at the line's result.", {"times": False}),
        ):  # fmt: skip
            wrong = _walked(lines, **slip)
            if close(numbers, [wrong.get(name, 0.0) for name in wanted]):
                return hint
        return judge(
            numbers,
            list(wanted.values()),
            otherwise="for each line, from the last: what has come in at its result, times the local derivative, is "
            "added to each of its inputs.",
        )
    return None


@answer(
    "02.3", "the old −6 stays in the sum, so w shoots past 4: that is what a forgotten zero_grad looks like."
)
def forgotten(given: Any) -> str | None:
    """W after three steps of (w − 4)² from 1 with rate 0.1, the gradient summed up."""

    def path(keep: bool, rate: float = 0.1, factor: float = 2.0) -> list[float]:
        w, grad, places = 1.0, 0.0, []
        for _ in range(3):
            grad = factor * (w - 4.0) + (grad if keep else 0.0)
            w -= rate * grad
            places.append(w)
        return places

    return judge(
        given,
        path(True),
        {
            "that is the path with zero_grad: without it the second step uses −6 and −4.8 together.": path(
                False
            ),
            "the derivative of (w − 4)² is 2·(w − 4); the 2 is missing.": path(True, factor=1.0),
            "the sign: the step goes against the gradient, w − 0.1·w.grad.": path(True, rate=-0.1),
            "those are the changes of w, or its gradients; the places are wanted, from 1.0 on.": [
                0.6,
                1.08,
                1.344,
            ],
        },
        "step 1: the gradient is 2·(1 − 4) = −6, so w = 1.6. In step 2 add the new gradient to the −6.",
        rtol=1e-3,
    )
