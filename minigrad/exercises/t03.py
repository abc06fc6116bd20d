"""Checks of tutorial 03: matrix products and broadcasting backwards."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.exercises.checking import NotYet, answer, array, call, judge


@answer("03.1", "entry [k, j] gathers, over the rows i, what A[i, k] handed on to C[i, j].")
def matmul_gradient(given: Any) -> str | None:
    """dL/dB = Aᵀ G for 2 × 2 matrices."""
    a = np.array([[1.0, 2.0], [3.0, 4.0]])
    b = np.array([[1.0, 0.0], [2.0, -1.0]])
    g = np.array([[1.0, 2.0], [3.0, 4.0]])
    return judge(
        given,
        a.T @ g,
        {
            "that is A @ G: B[k, j] meets A[i, k] with i running over the rows, so A has to be turned over.": a
            @ g,
            "the order: the shapes would fit too, these matrices being square, but Aᵀ stands on the left.": g
            @ a.T,
            "that is dL/dA = G Bᵀ; dL/dB is asked for.": g @ b.T,
            "that is the result transposed: entry [k, j] belongs to B[k, j].": (a.T @ g).T,
            "that is C itself; the gradient of B is asked for.": a @ b,
        },
        "take B[0, 0] = 1. It is used in C[0, 0], times A[0, 0], and in C[1, 0], times A[1, 0].",
    )


@answer("03.2", "added axes are summed away, stretched ones to length 1: this is _fit in minigrad/tape.py.")
def unbroadcast(given: Any) -> str | None:
    """A gradient, summed to the shape of an input that was stretched."""
    g = np.arange(24.0).reshape(2, 3, 4) ** 2 + 1
    cases = {
        (3, 4): g.sum(axis=0),
        (2, 3, 4): g,
        (4,): g.sum(axis=(0, 1)),
        (2, 1, 4): g.sum(axis=1, keepdims=True),
        (1, 1): g.sum(axis=0).sum().reshape(1, 1),
        (3, 1): g.sum(axis=0).sum(axis=1, keepdims=True),
        (): g.sum(),
    }
    for shape, wanted in cases.items():
        got = array(call(given, g, shape))
        told = f"for shape {shape}: "
        if got.shape != wanted.shape:
            if got.shape == g.shape:
                return f"{told}g came back as it is; sum over the axes that were stretched."
            if got.size == wanted.size:
                return f"{told}the shape is {got.shape}. An axis of length 1 has to stay: keepdims=True."
            return f"{told}the shape is {got.shape}. Axes that were added on the left are summed away, and only those."
        mean = wanted * wanted.size / g.size
        hint = judge(
            got,
            wanted,
            {f"{told}contributions add up; that is their mean.": mean} if wanted.size != g.size else {},
            f"{told}the shape is right, the numbers are not: sum over the stretched axes, take no single row of them.",
        )
        if hint:
            return hint
    return None


@answer("03.3", "directly 1, through the mean −1/m for every entry of the row: g minus the mean of g.")
def centring(given: Any) -> str | None:
    """The backward pass of y = x − mean(x) over rows is g − mean(g)."""
    g = np.array([[1.0, 2.0, 6.0, 0.0], [5.0, -1.0, 0.0, 2.0], [0.0, 0.0, 1.0, 0.0]])
    total, mean = g.sum(axis=1, keepdims=True), g.mean(axis=1, keepdims=True)
    got = array(call(given, g))
    if got.shape != g.shape:
        raise NotYet(
            f"a gradient has the shape of its x, {g.shape} here; yours has {got.shape}. Is keepdims missing?"
        )
    return judge(
        got,
        g - mean,
        {
            "that is the direct road only; x also moves the mean, from which every entry of its row is subtracted.": g,
            "the sum goes to m entries in equal parts: divide by m, that is, take the mean of g.": g - total,
            "the mean is subtracted, so its road has a minus sign.": g + mean,
            "the mean was taken over each row (axis 1), not over each column.": g
            - g.mean(axis=0, keepdims=True),
            "the mean was taken over each row, not over the whole matrix.": g - g.mean(),
            "that is the road through the mean only; the direct one is missing.": np.broadcast_to(
                -mean, g.shape
            ),
        },
        "y_ij = x_ij − (1/m)·Σ_k x_ik: collect what each y of the row sends to x_ij.",
    )
