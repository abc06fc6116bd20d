"""Checks of tutorial 08: momentum, AdaGrad, RMSprop."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.exercises.checking import NotYet, answer, array, call, judge, parts


@answer(
    "08.1",
    right="the velocities are 1, 1.5 and −0.25: at the third step the old direction has almost cancelled the new.",
)
def momentum_by_hand(given: Any) -> str | None:
    """b = μ b + g, θ = θ - η b, with g = 1, 1, -1."""
    return judge(
        given,
        _positions([1.0, 1.5, -0.25]),
        {
            "that is plain descent, without the velocity.": _positions([1, 1, -1]),
            "the new gradient counts in full here: b = μ·b + g, not μ·b + (1 − μ)·g.": _positions(
                [0.5, 0.75, -0.125]
            ),
            "those are the velocities b; θ moves by −η·b.": [1.0, 1.5, -0.25],
            "the sign: θ moves against the velocity, θ − η·b.": [0.1, 0.25, 0.225],
            "those are the steps; θ is what they add up to.": [-0.1, -0.15, 0.025],
            "that is Nesterov's variant, which steps by g + μ·b; the plain one is asked for.": _positions(
                [1.5, 1.75, -1.125]
            ),
            "μ belongs to the velocity that is kept; here it was kept in full.": _positions([1, 2, 1]),
        },
        "three rows: b = 0.5·b + g, then θ = θ − 0.1·b, each from the row before.",
    )


def _positions(velocities: list[float]) -> Any:
    return -0.1 * np.cumsum(velocities)


@answer("08.2", right="first the square is added, then its root divides: each entry has its own rate.")
def adagrad(given: Any) -> str | None:
    """s = s + g², θ = θ - η g / (√s + ε)."""
    theta, g, s = np.array([1.0, -2.0, 0.5]), np.array([3.0, -0.1, 1.0]), np.array([16.0, 0.03, 1.0])
    new, state = _pair(call(given, theta, g, s, 0.5))
    total = s + g**2
    hint = judge(
        state,
        total,
        {
            "the state is unchanged: it has to remember g², for the next step.": s,
            "the sum of the squares is kept, not of the gradients.": s + g,
            "a sum, not a running mean: AdaGrad forgets nothing.": 0.9 * s + 0.1 * g**2,
            "the state is the sum itself; the root is taken only where it divides.": np.sqrt(total),
        },
        "the new s is the old s plus the square of g, entry by entry.",
    )
    if hint:
        return hint
    return judge(
        new,
        theta - 0.5 * g / np.sqrt(total),
        {
            "divide by the root of s.": theta - 0.5 * g / total,
            "divide by the new s, which has this gradient in it already; at the first step the old one is 0.": (
                theta - 0.5 * g / np.sqrt(s)
            ),
            "the sign: a step goes against the gradient.": theta + 0.5 * g / np.sqrt(total),
            "the parameter is unchanged, or nothing is divided.": theta - 0.5 * g,
            "one root for all entries: AdaGrad keeps s entry by entry, and divides so too.": (
                theta - 0.5 * g / np.sqrt(total.sum())
            ),
        },
        "s is right; now θ − η·g / (√s + ε), with the new s.",
    )


def _pair(given: Any) -> tuple[Any, Any]:
    given = parts(given, 2, "return two arrays: the new theta and the new s.")
    first, second = array(given[0]), array(given[1])
    if first.shape != (3,) or second.shape != (3,):
        raise NotYet(
            f"for theta of shape (3,) both results have that shape; yours are {first.shape} and {second.shape}."
        )
    return first, second


@answer("08.3", right="η/√(1 − αᵗ): the gradient's size cancels, and the mean needs some steps to fill up.")
def rms_steps(given: Any) -> str | None:
    """η / √(1 - α^t) for t = 1, 2, ∞."""
    missing = 1 - 0.9 ** np.array([1.0, 2.0, np.inf])
    return judge(
        given,
        0.01 / np.sqrt(missing),
        {
            "the size of the gradient cancels: g is divided by √v, which is in proportion to it.": (
                0.03 / np.sqrt(missing)
            ),
            "v is the mean of squares; divide by its root.": 0.01 / missing,
            "divided by v instead of √v, the gradient does not cancel.": 0.01 * 3 / (9 * missing),
            "the running mean starts at 0: at the first step v is only (1 − α)·g², not g².": [0.01] * 3,
            "that is AdaGrad, whose state is a sum.": 0.01 / np.sqrt([1.0, 2.0, np.inf]),
            "take (1 − α)·g² at the first step, not α·g²: most of the mean is what was there, and that is 0.": (
                0.01 / np.sqrt([0.9, 0.99, 1.0])
            ),
        },
        "v is 0.1·g² after one step and 0.9·0.1·g² + 0.1·g² after two; the step is η·g/√v.",
        rtol=2e-3,
    )
