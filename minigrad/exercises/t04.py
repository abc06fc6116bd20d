"""Checks of tutorial 04: a dense layer from nothing."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.exercises.checking import NotYet, answer, array, call, judge, parts


@answer("04.1", "five products of 784 · 128 and 128 · 10 per sample in all: the input asks for no gradient.")
def counts(given: Any) -> str | None:
    """Parameters of 784–128–10, and multiplications of a training step on 32 samples."""
    first, second, n = 784 * 128, 128 * 10, 32
    parameters, products = first + 128 + second + 10, n * (2 * first + 3 * second)
    got = array(given)
    if got.shape != (2,):
        raise NotYet("two numbers are wanted: the parameters and the multiplications.")
    return judge(
        got[0],
        parameters,
        {
            "that counts the weights; the biases, one for each unit, are missing from the parameters.": first
            + second,
            "that counts the parameters with a bias for each input; there is one for each output.": first
            + 784
            + second
            + 128,
        },
        "parameters: each layer has in · out weights and out biases.",
        rtol=1e-9,
    ) or judge(
        got[1],
        products,
        {
            "those are the multiplications of the forward pass alone.": n * (first + second),
            "three products for each layer, but the first has nothing to hand to the pixels: no G W.": n
            * 3
            * (first + second),
            "those are the multiplications for one sample; the batch has 32.": 2 * first + 3 * second,
            "two products for each layer: the second layer also hands on G W to the first.": n
            * 2
            * (first + second),
        },
        "multiplications: n · in · out forwards, as many for GᵀX, and as many for G W where a layer lies below.",
        rtol=1e-9,
    )


@answer(
    "04.2",
    "s and b are stretched over the batch, so both are summed over it; W receives G · s in the place of G.",
)
def scaled(given: Any) -> str | None:
    """The backward pass of Y = s · (X Wᵀ) + b."""
    rng = np.random.default_rng(4)
    x, w, s, g = (rng.standard_normal(shape) for shape in ((5, 3), (2, 3), (2,), (5, 2)))
    got = parts(call(given, x, w, s, g), 3, "three arrays are wanted: return dW, ds, db.")
    product = x @ w.T
    return (
        judge(
            got[0],
            (g * s).T @ x,
            {
                "dW: s is missing. What arrives at X Wᵀ is G · s.": g.T @ x,
                "dW is transposed: it has the shape of W, (out, in).": x.T @ (g * s),
            },
            "dW: call Z = X Wᵀ; what arrives at Z is G · s, and from there it is the dense layer's GᵀX.",
        )
        or judge(
            got[1],
            (g * product).sum(axis=0),
            {
                "ds: sum over the batch, every sample uses the same s.": g * product,
                "ds: the sum over the batch, not the mean; the 1/n is in G already.": (g * product).mean(
                    axis=0
                ),
                "ds: Y grows with s as fast as X Wᵀ is large; that is not G alone.": g.sum(axis=0),
                "ds: s itself does not come in; dY/ds is X Wᵀ.": (g * s * product).sum(axis=0),
            },
            "ds: Y = s · Z, so each entry hands G · Z to its s; s was stretched over the samples.",
        )
        or judge(
            got[2],
            g.sum(axis=0),
            {
                "db: b is added after the scaling, so s does not come in.": (g * s).sum(axis=0),
                "db: sum over the batch, every sample uses the same b.": g,
                "db: the sum over the batch, not the mean; the 1/n is in G already.": g.mean(axis=0),
            },
            "db: b was stretched over the samples; sum G over them.",
        )
    )


@answer("04.3", "both units are open for this sample, so both learn, each times its own weight in v.")
def two_layers(given: Any) -> str | None:
    """dL/dW and dL/db of the tutorial's network at x = (1, −1)."""
    given = parts(given, 2, "a pair is wanted: (dW, db).")
    x, t = np.array([1.0, -1.0]), 1.0
    w, b = np.array([[3.0, -1.0], [1.0, -1.0]]), np.array([0.0, 0.5])
    v, c = np.array([2.0, 4.0]), 0.5
    z = w @ x + b
    p = float(v @ np.maximum(z, 0) + c)
    d = (p - t) * v * (z > 0)
    old = np.array([True, False])
    return judge(
        given[0],
        np.outer(d, x),
        {
            "dW: unit 2 is closed in the tutorial's sample, but not in this one.": np.outer(d * old, x),
            "dW: the second input is −1, so the second column has the other sign.": np.outer(d, np.abs(x)),
            "dW: it has to be multiplied by v on the way through the last layer.": np.outer(np.full(2, p - t), x),
            "dW is transposed: a row for each unit.": np.outer(x, d),
            "dW: that starts from 2·(p − t); the loss has a ½.": 2 * np.outer(d, x),
        },
        "dW: work out z, a, p first (p − t is 17.5); then row k is (p − t) · v_k · x where unit k is open.",
    ) or judge(
        given[1],
        d,
        {"db: that is the number that arrives at p; multiply it by v.": np.full(2, p - t)},
        "db: what arrives at z, (p − t) · v where the unit is open, goes to the bias as it is.",
    )  # fmt: skip
