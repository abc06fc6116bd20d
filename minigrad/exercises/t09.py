"""Checks of tutorial 09: Adam."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.exercises.checking import answer, array, call, judge, parts


@answer("09.1", right="a whole step, then a twentieth of one back: the mean has not turned round yet.")
def two_steps(given: Any) -> str | None:
    """Gradients 4 and -4: m = 0.4, then -0.04; v̂ = 16 both times."""
    # m_1 = 0.1·4 = 0.4; m_2 = 0.9·0.4 - 0.1·4 = -0.04; m̂_2 = -0.04 / 0.19; √v̂ = 4 both times
    second = 0.1 * (0.04 / 0.19) / 4
    rough = [-0.1 * 0.4 / math.sqrt(0.016), -0.1 * 0.4 / math.sqrt(0.016) + 0.1 * 0.04 / math.sqrt(0.031984)]
    eta = [0.1 * math.sqrt(0.001) / 0.1, 0.1 * math.sqrt(0.001999) / 0.19]
    printed = [-eta[0] * 4, -eta[0] * 4 + eta[1] * 0.04 / 0.19]
    return judge(
        given,
        [-0.1, -0.1 + second],
        {
            "the corrections 1 − β₁ᵗ and 1 − β₂ᵗ are missing.": rough,
            "nothing is divided by √v̂: that is the rule as D2 prints it.": printed,
            "divide by the root of v̂, not by v̂.": [-0.025, -0.025 + second / 4],
            "the mean m remembers the first gradient; its second value is 0.9·0.4 − 0.1·4.": [-0.1, 0.0],
            "the exponent of β is the number of the step: at the second, 1 − 0.9² = 0.19.": [
                -0.1,
                -0.1 + 0.1 * 0.4 / math.sqrt(31.984),
            ],
            "those are the steps; θ₂ is θ₁ and the second step together.": [-0.1, second],
            "the sign: a step goes against m̂.": [0.1, 0.1 - second],
        },
        "make the table of the tutorial: m, v, m̂, v̂, θ. v̂ is 16 at both steps, since the squares are equal.",
        rtol=1e-3,
    )


@answer("09.2", right="two means, two corrections, one quotient, and the state kept uncorrected.")
def adam(given: Any) -> str | None:
    """Kingma and Ba's Algorithm 1."""
    theta, g = np.array([1.0, -0.5, 2.0]), np.array([0.3, -4.0, 1e-3])
    m, v, eps = np.array([0.05, 1.0, -0.02]), np.array([0.02, 3.0, 1e-5]), 1e-2
    b1, b2, alpha, t = 0.8, 0.95, 0.1, 3
    got = parts(call(given, theta, g, m, v, t, alpha, b1, b2, eps), 3, "return three arrays: theta, m and v.")
    m1, v1 = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2
    mh, vh = m1 / (1 - b1**t), v1 / (1 - b2**t)
    hint = judge(
        got[1],
        m1,
        {
            "m̂ was returned as the state: keep the uncorrected m, or it is corrected again at the next step.": mh,
            "the betas are swapped: β₁ belongs to m, β₂ to v.": b2 * m + (1 - b2) * g,
            "m and v are swapped in the result; the order is theta, m, v.": v1,
        },
        "m is β₁·m + (1 − β₁)·g.",
    ) or judge(
        got[2],
        v1,
        {
            "v̂ was returned as the state: keep the uncorrected v.": vh,
            "v is the mean of the squares of g.": b2 * v + (1 - b2) * g,
        },
        "v is β₂·v + (1 − β₂)·g².",
    )
    if hint:
        return hint

    def moved(top: Any, bottom: Any) -> Any:
        return theta - alpha * top / bottom

    return judge(
        array(got[0]),
        moved(mh, np.sqrt(vh) + eps),
        {
            "ε stands beside the root, not under it: √v̂ + ε.": moved(mh, np.sqrt(vh + eps)),
            "the corrections are missing: divide m by 1 − β₁ᵗ and v by 1 − β₂ᵗ.": moved(
                m1, np.sqrt(v1) + eps
            ),
            "only m is corrected; v starts at 0 as well.": moved(mh, np.sqrt(v1) + eps),
            "only v is corrected; m starts at 0 as well.": moved(m1, np.sqrt(vh) + eps),
            "divide by the root of v̂.": moved(mh, vh + eps),
            "the exponent is missing: 1 − βᵗ, not 1 − β.": moved(m1 / (1 - b1), np.sqrt(v1 / (1 - b2)) + eps),
            "t counts from 1: 1 − βᵗ, with the t that is given.": moved(
                m1 / (1 - b1 ** (t - 1)), np.sqrt(v1 / (1 - b2 ** (t - 1))) + eps
            ),
            "ε is missing: where v is tiny it keeps the quotient finite.": moved(mh, np.sqrt(vh)),
            "the sign: a step goes against m̂.": theta + alpha * mh / (np.sqrt(vh) + eps),
            "v is computed and not used: that is the printed rule, in another form.": moved(mh, 1.0),
        },
        "m and v are right; now θ − α · m̂ / (√v̂ + ε).",
    )


@answer("09.3", right="√v̂ is √v divided by √(1 − β₂ᵗ); multiply both sides of the sum by that.")
def eps_hat(given: Any) -> str | None:
    """ε √(1 - β₂^t)."""
    got, keep, square, inverse, first = [], [], [], [], []
    cases = [(1e-8, 1, 0.9, 0.999), (1e-3, 5, 0.8, 0.99), (1e-7, 2000, 0.9, 0.999)]
    for eps, t, beta1, beta2 in cases:
        got.append(array(call(given, eps, t, beta1, beta2)).ravel() / eps)
        root = math.sqrt(1 - beta2**t)
        keep.append([root])
        square.append([root**2])
        inverse.append([1 / root])
        first.append([root / (1 - beta1**t)])
    return judge(
        got,
        keep,
        {
            "ε stands beside √v, and not beside v: the factor is the root of 1 − β₂ᵗ.": square,
            "the other way round: √v is smaller than √v̂ at first, so ε̂ has to be smaller too.": inverse,
            "the correction of m is in α_t and cancels; ε̂ depends on β₂ alone.": first,
            "the same ε in both forms is the trap: the first steps differ.": np.ones((3, 1)),
            "at step t the factor has the exponent t; yours is that of the first step.": [
                [math.sqrt(1 - beta2)] for _, _, _, beta2 in cases
            ],
        },
        "set m̂/(√v̂ + ε) equal to α_t/α · m/(√v + ε̂), put v̂ = v/(1 − β₂ᵗ) in, and solve for ε̂.",
    )
