"""Checks of tutorial 13: when training breaks."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.exercises.checking import NotYet, answer, array, call, judge
from minigrad.tensor import Tensor


@answer("13.1", right="the dangerous input never reaches the logarithm, so neither walk meets a 0 · ∞.")
def safe_log(given: Any) -> str | None:
    """ln x where x > 0, else 0; finite in both directions."""
    x = Tensor([-1.0, 0.0, 0.5, 1e-9, 4.0], requires_grad=True, dtype="float64", name="x")
    result = call(given, x)
    if not isinstance(result, Tensor) or not result.requires_grad:
        return "the result has to be a Tensor that remembers x: use np.log and np.where on x itself, not on x.numpy()."
    values = np.array([0.0, 0.0, np.log(0.5), np.log(1e-9), np.log(4.0)])
    got = result.numpy()
    if got.shape == x.shape and np.isfinite(got).all() and not np.allclose(got, values):
        if abs(got[3] - values[3]) > 1e-6:
            return "ln 1e-9 = −20.7 came out otherwise: a positive number must not be lifted, however small it is."
        return "the result is to be exactly 0 where x is 0 or negative: choose outside the logarithm too."
    wrong = judge(result, values, otherwise="the result is to be ln x where x > 0, and 0 elsewhere.")
    if wrong:
        return wrong
    result.sum().backward()
    if x.grad is None:
        return "no gradient reached x."
    if not np.isfinite(x.grad.numpy()).all():
        return (
            f"the result is right, but the gradient is {x.grad.numpy()[:2]} at x = −1 and 0: "
            "the branch that is not chosen is walked too. Replace the bad entries before the logarithm."
        )
    return judge(
        x.grad, [0.0, 0.0, 2.0, 1e9, 0.25], otherwise="the gradient is to be 1/x where x > 0, else 0."
    )


def _list(given: Any, count: int) -> list[Any]:
    if not isinstance(given, (list, tuple)) or len(given) != count:
        raise NotYet(f"a list of {count} arrays is wanted, one for each gradient.")
    return [array(part) for part in given]


def _joined(arrays: Any) -> Any:
    return np.concatenate([np.ravel(a) for a in arrays])


@answer("13.2", right="one factor for all, from the norm of all, and never above 1: the direction is kept.")
def clipped(given: Any) -> str | None:
    """All gradients times min(1, max_norm / their common norm)."""
    large = [np.array([[3.0, 0.0], [0.0, 4.0]]), np.array([7.2, 9.6])]  # norms 5, 12; together 13
    got = _list(call(given, [a.copy() for a in large], 6.5), 2)
    hint = judge(
        _joined(got),
        _joined(large) / 2,
        {
            "each array was clipped by its own norm, which turns the direction. Take one norm for all, 13.": (
                _joined([large[0], large[1] * 6.5 / 12])
            ),
            "that cuts single entries, which turns the direction. Scale all of them by one factor.": (
                np.clip(_joined(large), -6.5, 6.5)
            ),
            "the root is missing: a norm is √(sum of squares).": _joined(large) * 6.5 / 169,
            "the factor is max_norm / norm; nothing was changed.": _joined(large),
        },
        otherwise="gradients of norms 5 and 12 have norm 13 together; with max_norm = 6.5 all are halved.",
        rtol=1e-4,
    )
    if hint:
        return hint
    small = [np.array([[0.3, 0.0], [0.0, 0.4]]), np.array([0.0])]
    return judge(
        _joined(_list(call(given, [a.copy() for a in small], 1.0), 2)),
        _joined(small),
        {"a gradient shorter than max_norm was made longer. The factor is at most 1.": _joined(small) * 2},
        otherwise="a gradient shorter than max_norm is to stay as it is.",
        rtol=1e-4,
    )


@answer("13.3", right="each sample counts 1/N, so a piece of n samples, with a mean of its own, counts n/N.")
def factors(given: Any) -> str | None:
    """n_k / Σ n_k."""
    sizes = [3, 1, 4]
    return judge(
        call(given, sizes),
        np.array([3.0, 1.0, 4.0]) / 8,
        {
            "that is right for pieces of equal size only.": np.ones(3) / 3,
            "the sizes alone give a sum over the samples; divide by their number.": np.array(sizes),
            "the other way round: the mean of a larger piece stands for more samples.": (8 / np.array(sizes)),
            "the loss of a piece is a mean already; do not divide a second time.": 1 / np.array(sizes),
        },
        otherwise="the mean over all is Σ over the pieces of (size / all) · mean of the piece.",
    )
