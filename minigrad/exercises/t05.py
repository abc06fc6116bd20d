"""Checks of tutorial 05: activations and vanishing gradients."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.exercises.checking import NotYet, answer, array, call, judge, number


@answer("05.1", "two slopes and two weights, multiplied: 3/16 · 2 ln 3 · ¼ · 4.")
def two_sigmoids(given: Any) -> str | None:
    """Y and dy/dx of σ(w2·σ(w1·x)) at x = 0."""
    w1, w2 = 4.0, 2 * math.log(3)
    got = array(given)
    if got.shape != (2,):
        raise NotYet("two numbers are wanted: y and dy/dx.")
    return judge(
        got[0],
        0.75,
        {"y: that is the inner sigmoid, σ(0) = ½; it still goes through w2 and the outer one.": 0.5},
        "y: inside, σ(4 · 0) = ½. Times w2 that is ln 3, and σ(ln 3) = 3/4.",
        rtol=6e-3,
    ) or judge(
        got[1],
        3 / 16 * w2 / 4 * w1,
        {
            "dy/dx: the weights belong to the road as well: multiply by w2 and w1.": 3 / 16 / 4,
            "dy/dx: w2 stands between the two sigmoids; multiply by it.": 3 / 16 / 4 * w1,
            "dy/dx: w1 stands between x and the inner sigmoid; multiply by it.": 3 / 16 / 4 * w2,
            "dy/dx: the outer sigmoid is not at its steepest: its slope is y·(1 − y) = 3/16, not ¼.": w2
            / 16
            * w1,
            "dy/dx: the slope of the outer sigmoid is y·(1 − y), not y.": 0.75 * w2 / 4 * w1,
            "dy/dx: the inner slope, σ(0)·(1 − σ(0)) = ¼, is missing.": 3 / 16 * w2 * w1,
        },
        "dy/dx: outer slope y·(1 − y), times w2, times inner slope ¼, times w1.",
        rtol=6e-3,
    )


@answer("05.2", "σ(x) + x·σ(x)·(1 − σ(x)): it reaches slightly above 1 and slightly below 0.")
def swish_slope(given: Any) -> str | None:
    """The slope of x·σ(x)."""
    x = np.array([-3.0, -1.0, -0.2, 0.0, 0.4, 1.5, 4.0])
    s = 1 / (1 + np.exp(-x))
    hint = judge(
        call(given, x),
        s + x * s * (1 - s),
        {
            "a product has two terms; the one in which x is differentiated, σ(x), is missing.": x
            * s
            * (1 - s),
            "a product has two terms; the one in which σ is differentiated, x·σ·(1 − σ), is missing.": s,
            "the second term is x times the slope of σ; the x is missing.": s + s * (1 - s),
            "that is swish itself; its slope is wanted.": x * s,
            "(u·v)′ is u′·v + u·v′, not u′·v′.": s * (1 - s),
            "the slope of σ is σ·(1 − σ), with a minus inside.": s + x * s * (1 + s),
        },
        "product rule: 1·σ(x) + x·σ′(x), with σ′ = σ·(1 − σ).",
    )
    if hint:
        return hint
    far = array(call(given, np.array([-1000.0, 1000.0])))
    if not np.isfinite(far).all():
        return (
            f"right for moderate x, but at ±1000 it gives {far}: ∞/∞ is no number. Write σ as 1 / (1 + e^−x)."
        )
    return judge(
        far, [0.0, 1.0], otherwise=f"right for moderate x, but at ±1000 it gives {far}; 0 and 1 are wanted."
    )


@answer("05.3", "half of the z keep their square, the other half α² of it: n·s²·(1 + α²)/2 = 1.")
def leaky_deviation(given: Any) -> str | None:
    """S = √(2 / ((1 + α²)·n))."""
    cases = [(100, 0.0), (100, 0.2), (64, 1.0), (784, 0.5)]
    n, a = np.array(cases).T
    return judge(
        [number(call(given, int(inputs), alpha)) for inputs, alpha in cases],
        np.sqrt(2 / ((1 + a**2) * n)),
        {
            "that is the variance s²; the standard deviation is its square root.": 2 / ((1 + a**2) * n),
            "that is He's value for plain ReLU; what comes through on the closed side, αz, counts too.": np.sqrt(
                2 / n
            ),
            "the variance takes squares: the closed side contributes α², not α.": np.sqrt(2 / ((1 + a) * n)),
            "open and closed side have half of the z each: (1 + α²)/2, so a 2 belongs above.": np.sqrt(
                1 / ((1 + a**2) * n)
            ),
            "turned round: more that comes through means smaller weights.": np.sqrt(2 * (1 + a**2) / n),
        },
        "the mean square after the leaky ReLU is Var(z)·(1 + α²)/2; set n·s² times that factor to 1.",
    )
