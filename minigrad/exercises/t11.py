"""Checks of tutorial 11: overfitting."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.exercises.checking import answer, array, call, judge, parts


@answer("11.1", right="the L2 pull grows with w, the L1 pull is the same everywhere.")
def two_minima(given: Any) -> str | None:
    """2.5 w - 3 + (λ/m) w = 0 and 2.5 w - 3 + λ/(2m) = 0 with λ = 2, m = 2."""
    return judge(
        given,
        [3 / 3.5, 2.5 / 2.5],
        {
            "the two are swapped: L2 comes first.": [1.0, 3 / 3.5],
            "the penalty is divided by m here, as in D1's formula; that is what its program does.": [
                3 / 4.5,
                1.0,
            ],
            "the derivative of λ/(2m)·w² is (λ/m)·w: the 2 of the square cancels the ½.": [3 / 3.0, 1.0],
            "the derivative of λ/(2m)·|w| is λ/(2m): nothing cancels its ½.": [3 / 3.5, 2.0 / 2.5],
            "that is without a penalty.": [1.2, 1.2],
            "the sign: a penalty pulls towards 0.": [3 / 1.5, 3.5 / 2.5],
        },
        "without a penalty the slope is 2.5·w − 3. Add (λ/m)·w, or λ/(2m) for w > 0, and set it to 0.",
        rtol=1e-2,
    )


@answer("11.2", right="the same amount off each, and 0 for those that have less.")
def shrink(given: Any) -> str | None:
    """Sign(w) max(|w| - amount, 0)."""
    w = np.array([-2.0, -0.3, 0.0, 0.1, 0.5, 1.5])
    amount, size, sign = 0.4, np.abs(w), np.sign(w)
    hint = judge(
        call(given, w, amount),
        sign * np.maximum(size - amount, 0),
        {
            "a weight that has less than the amount goes past 0 to the other side; it shall stop at 0.": w
            - amount * sign,
            "the large weights have to become smaller too; yours are cut off only.": np.where(
                size > amount, w, 0
            ),
            "negative weights move away from 0: the amount has to go towards 0 on both sides.": np.maximum(
                w - amount, 0
            ),
            "that is a factor, as L2 does it; here the same amount is taken off each.": w * (1 - amount),
            "the sign is lost.": np.maximum(size - amount, 0),
            "that cuts at ±amount; it is what is taken off, not what is left.": np.clip(w, -amount, amount),
            "only the positive weights were moved, or only one side of 0 is right.": np.where(
                w > 0, np.maximum(w - amount, 0), w
            ),
        },
        "with amount 0.4, −2 becomes −1.6, 0.1 becomes 0 and 1.5 becomes 1.1.",
    )
    if hint:
        return hint
    return judge(
        call(given, np.array([[3.0, -0.2]]), 0.0), [[3.0, -0.2]], None, "an amount of 0 changes nothing."
    )


@answer("11.3", right="forward and backward share the mask, and both are scaled by 1/(1 − p).")
def dropout(given: Any) -> str | None:
    """X m / (1 - p) and g m / (1 - p), m = (u >= p)."""
    x, g = np.array([1.0, -2.0, 3.0, 4.0, 0.5]), np.array([0.1, 1.0, -1.0, 2.0, 3.0])
    u, p = np.array([0.1, 0.3, 0.05, 0.9, 0.21]), 0.2
    kept = u >= p
    got = parts(call(given, x, g, u, p), 2, "return two arrays: the output and the gradient.")
    out, back = array(got[0]), array(got[1])
    hint = judge(
        out,
        x * kept / 0.8,
        {
            "the survivors are not scaled: without 1/(1 − p) the mean would be too small.": x * kept,
            "p is the probability of dropping, so where u < p the entry becomes 0; yours keeps those.": x
            * ~kept
            / 0.8,
            "p is the probability of dropping, so where u < p the entry becomes 0; yours keeps those, unscaled.": x
            * ~kept,
            "divide by 1 − p, the share that survives, and not by p.": x * kept / 0.2,
            "multiplied by 1 − p it becomes smaller still; divide.": x * kept * 0.8,
        },
        "x where u ≥ p, divided by 1 − p, and 0 elsewhere.",
    )
    if hint:
        return hint
    return judge(
        back,
        g * kept / 0.8,
        {
            "the gradient has to go through the mask as well: what was dropped does not change the output.": g,
            "the output is right, but its gradient lacks the factor 1/(1 − p).": g * kept,
            "every entry of the gradient is scaled, and none is dropped.": g / 0.8,
            "the gradient is g times dy/dx, and dy/dx is the mask over 1 − p, without x.": g * x * kept / 0.8,
        },
        "the output is right; y = x · m/(1 − p), so dL/dx = g · m/(1 − p).",
    )
