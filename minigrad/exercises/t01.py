"""Checks of tutorial 01: a derivative you can check by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.exercises.checking import answer, call, judge, number


@answer("01.1", "each derivative is 2·e times how much e = w·x − t grows with that number.")
def three_derivatives(given: Any) -> str | None:
    """dL/dw, dL/dx and dL/dt of L = (w·x − t)² at w = −1, x = 2, t = 3."""
    w, x, t = -1.0, 2.0, 3.0
    e = w * x - t
    return judge(
        given,
        [2 * e * x, 2 * e * w, -2 * e],
        {
            "the 2 is missing: the derivative of e² is 2·e, not e.": [e * x, e * w, -e],
            "look at the last one: e = w·x − t falls when t grows, so dL/dt = 2·e·(−1).": [
                2 * e * x,
                2 * e * w,
                2 * e,
            ],
            "that is 2·e three times: it still has to be multiplied by de/dw = x, de/dx = w, de/dt = −1.": [
                2 * e
            ]
            * 3,
            "dL/dw and dL/dx are swapped: e grows by x for each unit of w.": [2 * e * w, 2 * e * x, -2 * e],
        },
        "work out e = w·x − t first; then dL/dw = 2·e·x, and so on. Hand in the three in the order w, x, t.",
    )


@answer("01.2", "looking to both sides cancels the error of order h; what is left falls with h².")
def central_difference(given: Any) -> str | None:
    """(f(x + h) − f(x − h)) / 2h."""
    for f, x, h in ((np.exp, 0.5, 0.5), (lambda x: x**3, 2.0, 0.1)):
        up, here, down = float(f(x + h)), float(f(x)), float(f(x - h))
        hint = judge(
            call(given, f, x, h),
            (up - down) / (2 * h),
            {
                "that is the one-sided quotient: compare f(x + h) with f(x − h), not with f(x).": (up - here)
                / h,
                "x + h and x − h are 2·h apart: divide by that.": (up - down) / h,
                "the sign is turned round: f(x + h) comes first.": (down - up) / (2 * h),
                "that is the one-sided quotient to the left: compare f(x + h) with f(x − h).": (here - down)
                / h,
                "brackets: (f(x + h) − f(x − h)) / 2 * h divides by 2 and multiplies by h.": (up - down)
                / 2
                * h,
                "that ignores h: use the h that the function is given.": (f(x + 1e-4) - f(x - 1e-4)) / 2e-4,
            },
            "take f(x + h) − f(x − h), and divide by how far the two points are apart.",
        )
        if hint:
            return hint
    return None


@answer(
    "01.3", "product rule outside, chain rule inside; the engine does both without being told their names."
)
def x_sin_x_squared(given: Any) -> str | None:
    """d/dx of x·sin(x²) = sin(x²) + 2x²·cos(x²)."""
    points = (0.0, 0.7, -1.3, 2.0)
    got = [number(call(given, x)) for x in points]
    sin, cos = ([f(x * x) for x in points] for f in (math.sin, math.cos))
    wanted = [s + 2 * x * x * c for x, s, c in zip(points, sin, cos, strict=True)]
    slips = {
        "the inner derivative is missing: sin(x²) changes by cos(x²) · 2x.": [
            s + x * c for x, s, c in zip(points, sin, cos, strict=True)
        ],
        "a product has two terms: x′·sin(x²) is missing.": [
            2 * x * x * c for x, c in zip(points, cos, strict=True)
        ],
        "a product has two terms: x·(sin(x²))′ is missing.": sin,
        "(u·v)′ is u′·v + u·v′, not u′·v′.": [2 * x * c for x, c in zip(points, cos, strict=True)],
        "that is the function itself; its derivative is wanted.": [
            x * s for x, s in zip(points, sin, strict=True)
        ],
        "the sign: the derivative of sin is +cos.": [
            s - 2 * x * x * c for x, s, c in zip(points, sin, cos, strict=True)
        ],
    }
    return judge(got, wanted, slips, "compare with mg.grad(lambda x: x * np.sin(x * x)) at x = 0.7.")
