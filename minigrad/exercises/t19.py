"""Checks of tutorial 19: fewer weights, fewer bits."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.exercises.checking import NotYet, answer, array, call, judge
from minigrad.tensor import Tensor


@answer("19.1", right="sorted by |w|, and exactly as many as were asked for.")
def mask(given: Any) -> str | None:
    """True for all but the round(s·n) smallest |w|."""
    w = np.array([[0.5, -0.1, 0.8, -0.05], [-2.0, 0.3, 0.02, -0.6]])
    order = np.abs(w).ravel().argsort().argsort().reshape(w.shape)
    by_value = w.ravel().argsort().argsort().reshape(w.shape)
    got = call(given, w, 0.4)
    if array(got).shape == w.shape and not np.isin(array(got), [0, 1]).all():
        return "booleans are wanted, one for each weight, not the weights themselves: True where it is kept."
    hint = judge(
        got,
        order >= 3,
        {
            "that is the other way round: True is for what is kept.": order < 3,
            "the largest are gone. What is nearest to 0 shall go.": order < 5,
            "−2 is not a small weight: sort by the magnitude, |w|.": by_value >= 3,
            "0.4 is the share, not a threshold: 0.4 · 8 = 3.2, so three entries go.": np.abs(w) > 0.4,
            "that prunes each row by itself; all entries stand in one line.": _by_row(w),
            "four entries are gone; round(0.4 · 8) is 3.": order >= 4,
        },
        "of [[0.5, −0.1, 0.8, −0.05], [−2, 0.3, 0.02, −0.6]] the three smallest are 0.02, −0.05 and −0.1.",
    )
    return hint or judge(
        call(given, w, 0.0),
        np.ones(w.shape),
        {},
        "right for 0.4; for a sparsity of 0 everything is to be kept.",
    )


def _by_row(w: Any) -> Any:
    return np.abs(w).argsort(axis=1).argsort(axis=1) >= 2


@answer("19.2", right="255 steps between the ends, and z is where 0 lies, to a whole step.")
def scale_and_zero(given: Any) -> str | None:
    """s = (high - low)/255, z = round(-128 - low/s)."""
    low, high = -1.0, 3.0
    got = array(call(given, low, high))
    if got.size != 2:
        raise NotYet("two numbers are wanted: (scale, zero point).")
    s = (high - low) / 255
    z = -128 - low / s
    return judge(
        got.ravel(),
        [s, round(z)],
        {
            "256 numbers have 255 steps between them.": [4 / 256, round(-128 + 256 / 4)],
            "the scale is right; the zero point has to be a whole number.": [s, z],
            "the scale is right; low / s is negative, and z = −128 − low/s lies above −128.": [
                s,
                round(-128 + low / s),
            ],
            "that is the zero point for 0 … 255; here q begins at −128.": [s, round(-low / s)],
            "a scale of max |x| / 127 wastes steps below −1; this range is not symmetric.": [3 / 127, 0],
            "the two are swapped: (scale, zero point).": [round(z), s],
        },
        "for −1 … 3 the scale is 4/255, and z is the whole number nearest to −128 + 255/4.",
        rtol=1e-6,
    )  # fmt: skip


@answer("19.3", right="the difference is a constant, so the gradient sees x alone.")
def round_through(given: Any) -> str | None:
    """x + (rint(x) - x), the bracket a constant."""
    numbers = np.array([-1.5, -0.2, 0.5, 0.75, 2.5, 7.0])
    x = Tensor(numbers, requires_grad=True, name="x")
    y = call(given, x)
    if not isinstance(y, Tensor):
        return "a Tensor is wanted, so that a gradient can come back."
    rounded = np.rint(numbers)
    hint = judge(
        y.numpy(),
        rounded,
        {
            "nothing has been rounded.": numbers,
            "that is x plus the rounded x; what is to be added is the difference, round(x) − x.": numbers
            + rounded,
            "that is the difference alone; add x to it.": rounded - numbers,
            "np.floor rounds down; np.rint goes to the nearest.": np.floor(numbers),
            "0.5 is as near to 0 as to 1: ties go to the even number, as np.rint has it.": np.floor(
                numbers + 0.5
            ),
        },
        "the numbers of the result are to be np.rint of x.",
    )
    if hint:
        return hint
    if not y.requires_grad:
        return "the numbers are right, but the result does not remember x: begin with x itself, not with x.numpy()."
    (y * np.arange(1.0, 7.0)).sum().backward()
    if x.grad is None:
        return "no gradient reached x."
    return judge(
        x.grad,
        np.arange(1.0, 7.0),
        {
            "the gradient is 0 everywhere: the x in the difference must be a plain array, x.numpy().": np.zeros(
                6
            )
        },
        "the gradient is to pass unchanged, a factor of 1 for each entry.",
    )
