"""Checks of tutorial 16: higher-order gradients."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.exercises.checking import answer, call, judge
from minigrad.tensor import Tensor


@answer("16.1", right="f′ = −4, f″ = 12, so the step is +1/3; the minimum is at ∛2 = 1.26.")
def newton_step(given: Any) -> str | None:
    """1 − (4 − 8) / 12."""
    return judge(
        given,
        4 / 3,
        {
            "that is the step alone; it has to be added to x = 1.": 1 / 3,
            "the sign: the step is −f′/f″, and f′ = −4 is negative, so it goes to the right.": 2 / 3,
            "that is a gradient step with rate 1, x − f′; divide f′ by f″.": 5.0,
            "that is f/f′, Newton's step to a zero of f. Here f′ is to become 0: f′/f″.": 1 - 7 / 4,
            "that is the minimum itself; one step from 1 does not quite reach it.": 2 ** (1 / 3),
            "the step is f′/f″; this divides by f‴ = 24.": 1 + 4 / 24,
        },
        otherwise="f′ = 4x³ − 8 and f″ = 12x²; put in x = 1, then go to x − f′/f″.",
        rtol=1e-3,
    )


@answer("16.2", right="the gradient of g·v, with v held fixed, is H·v.")
def hessian_vector(given: Any) -> str | None:
    """H·v for a function whose Hessian changes from place to place."""
    matrix = np.array([[1.0, -2.0, 0.0], [-2.0, 3.0, 0.5], [0.0, 0.5, -1.0]])
    x, v = np.array([1.0, -2.0, 0.5]), np.array([2.0, 1.0, -3.0])

    def f(x: Any) -> Any:
        return 0.5 * (x * (matrix @ x)).sum() + (x**4).sum() / 4

    hessian = matrix + np.diag(3 * x**2)
    gradient = matrix @ x + x**3
    result = call(given, f, x, v)
    return judge(
        result.numpy() if isinstance(result, Tensor) else result,
        hessian @ v,
        {
            "that is the gradient, not yet differentiated a second time.": gradient,
            "that is g·v entry by entry, not yet summed and differentiated.": gradient * v,
            "that is g·v; its gradient is wanted.": gradient @ v,
            "that is the diagonal of H times v, without the mixed derivatives: sum g·v up first.": (
                np.diag(hessian) * v
            ),
            "that adds the columns of H up and multiplies afterwards; multiply before the second walk.": (
                hessian.sum(axis=0) * v
            ),
            "v is missing: that is the gradient of the sum of g.": hessian.sum(axis=0),
            "that is v·H·v, one number; H·v is a vector.": v @ hessian @ v,
        },
        otherwise="first g = ∇f, recorded; then the number (g * v).sum(); then its gradient with respect to x.",
    )


@answer("16.3", right="H has the eigenvalues 4 and 2; the larger decides, and the border is 2/4.")
def border(given: Any) -> str | None:
    """2 / λ_max of H = [[3, 1], [1, 3]]."""
    return judge(
        given,
        0.5,
        {
            "that uses the diagonal of H, but (1, 1) is steeper: H (1, 1) = (4, 4).": 2 / 3,
            "that is the border of the flatter direction; the steepest one runs away first.": 1.0,
            "1/λ reaches the bottom in one step; it may overshoot by as much again: 2/λ.": 0.25,
            "that is the largest eigenvalue itself; the border is 2 divided by it.": 4.0,
            "the second derivative of 3/2·x² is 3: the diagonal of H is 3, not 3/2.": 2 / 2.5,
        },
        rtol=1e-3,
        otherwise="H = [[3, 1], [1, 3]]; multiply it by (1, 1) and (1, −1) and read off the eigenvalues.",
    )
