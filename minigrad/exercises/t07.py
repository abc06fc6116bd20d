"""Checks of tutorial 07: gradient descent and stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from minigrad.exercises.checking import NotYet, answer, array, call, judge


@answer("07.1", right="the curvature is the mean of x², here 3: one step at 1/3, and 2/3 is the edge.")
def two_rates(given: Any) -> str | None:
    """1/a and 2/a for J = 1/(2m) Σ (w x - y)² with x = (1, 2, 2), so a = 9/3."""
    squares = np.array([1.0, 2.0, 2.0]) ** 2
    a, total = squares.mean(), squares.sum()
    return judge(
        given,
        [1 / a, 2 / a],
        {
            "the curvature is the mean of the x², not their sum: the loss is divided by m.": [
                1 / total,
                2 / total,
            ],
            "the ½ in the loss cancels the 2 from the square: J'' is the mean of x², not twice that.": [
                0.5 / a,
                1 / a,
            ],
            "the two are swapped: the minimum is reached in one step at half of the limit.": [2 / a, 1 / a],
            "those are the curvature and its double; the rates are 1 and 2 divided by it.": [a, 2 * a],
        },
        "differentiate J twice to get the curvature a; the factor 1 − η·a is 0 at one rate and −1 at the other.",
        rtol=1e-2,
    )


@answer("07.2", right="both derivatives share the error; dL/dw has the factor x_i, dL/db the factor 1.")
def line_step(given: Any) -> str | None:
    """w - η e x, b - η e with e = w x + b - y."""
    w, b, x, y, eta = 0.5, -1.0, 3.0, 2.0, 0.1
    e = w * x + b - y
    new_w = w - eta * e * x
    got = array(call(given, w, b, x, y, eta))
    if got.shape != (2,):
        raise NotYet(f"return two numbers, w and b; this has shape {got.shape}.")
    hint = judge(
        got,
        [new_w, b - eta * e],
        {
            "the sign: a step goes against the gradient, θ − η·∇J.": [w + eta * e * x, b + eta * e],
            "dL/dw lacks the factor x_i: the prediction grows by x_i for each unit of w.": [
                w - eta * e,
                b - eta * e,
            ],
            "dL/db has no factor x_i: the prediction grows by 1 for each unit of b.": [
                new_w,
                b - eta * e * x,
            ],
            "a factor 2 too much: the ½ of the loss cancels it.": [w - 2 * eta * e * x, b - 2 * eta * e],
            "the rate η is missing.": [w - e * x, b - e],
            "w was changed before the gradient of b was taken: work out both from the old w and b.": [
                new_w,
                b - eta * (new_w * x + b - y),
            ],
        },
        f"at w = {w}, b = {b} and the sample ({x}, {y}) the error is e = {e}; the derivatives are e·x_i and e.",
    )
    if hint:
        return hint
    return judge(
        call(given, 0.0, 0.0, -2.0, 1.0, 0.5), [-1.0, 0.5], None, "right for one sample, not for another."
    )


@answer("07.3", right="a fresh permutation, cut into pieces: no sample twice, none left out.")
def deal(given: Any) -> str | None:
    """A list of index arrays that together are a permutation of 0 … n-1."""
    first = _batches(call(given, 103, 10, np.random.default_rng(0)))
    joined = np.concatenate(first)
    sizes = [len(batch) for batch in first]
    hint = _complete(joined, sizes)
    if hint:
        return hint
    if np.array_equal(np.sort(joined), joined):
        return "every sample occurs once, but in its old order: shuffle with rng.permutation(n)."
    if any(np.array_equal(np.sort(batch), np.arange(batch.min(), batch.max() + 1)) for batch in first):
        return "whole stretches stay together: shuffle the samples, not only the order of the batches."
    rng = np.random.default_rng(5)
    again = [np.concatenate(_batches(call(given, 103, 10, rng))) for _ in range(2)]
    if np.array_equal(again[0], again[1]):
        return "two epochs in a row come in the same order: draw from the generator that is given, anew in each call."
    even = [len(batch) for batch in _batches(call(given, 40, 10, np.random.default_rng(0)))]
    if even != [10] * 4:
        return f"40 samples in batches of 10 are four full batches; yours have the sizes {even}."
    return None


def _batches(given: Any) -> list[Any]:
    batches = [array(batch) for batch in given] if isinstance(given, Iterable) else []
    if not batches or any(batch.ndim != 1 for batch in batches):
        raise NotYet("a list of one-dimensional index arrays is wanted, one for each batch.")
    return batches


def _complete(joined: Any, sizes: list[int]) -> str | None:
    if len(joined) == 100 and len(np.unique(joined)) == 100:
        return "the last three of 103 samples are lost: the last batch may be smaller than the others."
    if len(joined) > len(np.unique(joined)):
        return "some samples occur twice and others never: that is drawing with replacement, and not dealing out."
    if len(joined) != 103 or joined.min() != 0 or joined.max() != 102:
        return f"103 samples have the indices 0 … 102, each once; yours hold {len(joined)} indices."
    if sizes != [10] * 10 + [3]:
        return f"103 samples in batches of 10 have the sizes 10, …, 10, 3; yours are {sizes}."
    return None
