"""Checks of tutorial 14: your own operation, and the proof of its gradient."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.exercises.checking import NotYet, answer, array, call, fits, judge


@answer("14.1", right="the derivative is (1 + a²)^(−3/2), times what comes in.")
def own_rule(given: Any) -> str | None:
    """g · (1 + a²)^(−3/2)."""
    g, a = np.array([1.0, -2.0, 0.5]), np.array([0.5, 1.0, -3.0])
    root = np.sqrt(1 + a * a)
    return judge(
        call(given, g, a),
        g / root**3,
        {
            "that is the local derivative; still to be multiplied by the incoming gradient g.": 1 / root**3,
            "that treats the root as a constant. It depends on a too: use the quotient rule.": g / root,
            "that is g times the operation itself; its derivative is wanted.": g * a / root,
            "1 + a² has to stand to the power −3/2; this is −1.": g / root**2,
            "in the quotient rule the second term is subtracted.": g * (1 / root + a * a / root**3),
        },
        otherwise="y′ = (√(1 + a²) − a · a/√(1 + a²)) / (1 + a²); bring the numerator to one fraction.",
    )


@answer("14.2", right="b/(a² + b²) and −a/(a² + b²): moving along the ray changes no angle.")
def angle_rules(given: Any) -> str | None:
    """g · b / (a² + b²) and −g · a / (a² + b²)."""
    if not isinstance(given, (tuple, list)) or len(given) != 2:
        if callable(given):
            call(given, 1.0, 1.0, 1.0)
        raise NotYet("a pair of functions is wanted: (rule_a, rule_b).")
    g, a, b = np.array([2.0, -1.0]), np.array([1.0, 3.0]), np.array([2.0, 0.5])
    square = a * a + b * b
    got = np.array([array(call(rule, g, a, b)) for rule in given])
    rules = np.array([g * b / square, -g * a / square])
    inner = 1 / (1 + (a / b) ** 2)
    return judge(
        got,
        rules,
        {
            "the second has the wrong sign: with more width the angle gets smaller.": rules * [[1], [-1]],
            "the two are swapped: the rule for a comes first.": rules[::-1],
            "the incoming gradient g is missing.": rules / g,
            "the inner derivative is missing: a/b changes with a by 1/b, and with b by −a/b².": (
                np.array([g * inner, g * inner])
            ),
        },
        otherwise="u = a/b; multiply 1/(1 + u²) by du/da = 1/b or du/db = −a/b², then by g, and simplify.",
    )


@answer("14.3", right="one entry moved at a time, both ways: that is all that gradcheck does.")
def numeric_gradient(given: Any) -> str | None:
    """(f(x + h·e) − f(x − h·e)) / 2h for every unit vector e."""
    x, h = np.array([[1.0, -2.0, 0.5], [3.0, 0.25, -1.0]]), 0.25

    def f(x: Any) -> float:
        return float(np.sum(x**3) + x[0, 0] * x[1, 2])

    before = x.copy()

    def differences(up: float, down: float) -> Any:
        found = np.zeros_like(x)
        for i in np.ndindex(x.shape):
            unit = np.zeros_like(x)
            unit[i] = h
            found[i] = (f(before + up * unit) - f(before - down * unit)) / ((up + down) * h)
        return found

    def watched(function: Any, x_own: Any, h: float) -> Any:
        result = function(f, x_own, h)
        if not np.array_equal(x_own, before):
            raise NotYet("x was changed and not put back: work on a copy, or restore the entry.")
        return result

    fits(given, f, x, h)
    central = differences(1, 1)
    along_ones = (f(before + h) - f(before - h)) / (2 * h)
    return judge(
        call(lambda x_own, h: watched(given, x_own, h), x, h),
        central,
        {
            "that looks to one side only; its error falls with h, not with h².": differences(1, 0),
            "x + h and x − h are 2h apart: divide by 2h.": 2 * central,
            "all entries were moved at once. One at a time gives the derivative for that entry.": along_ones,
            "all entries were moved at once; move one at a time, for the derivative for that entry.": np.full(
                x.shape, along_ones
            ),
            "that is the exact derivative, not the difference for this h.": 3 * before**2
            + np.array([[-1.0, 0, 0], [0, 0, 1.0]]),
        },
        otherwise="for each entry: add h to it, evaluate f, subtract h, evaluate f, and divide the difference by 2h.",
    )
