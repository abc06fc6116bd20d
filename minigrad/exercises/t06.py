"""Checks of tutorial 06: losses."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.exercises.checking import answer, array, call, judge, number


@answer("06.1", "softmax minus one-hot, divided by the number of samples; each row adds up to 0.")
def gradient(given: Any) -> str | None:
    """(softmax − onehot) / 2 for two samples."""
    p = np.array([[1 / 8, 2 / 8, 5 / 8], [1 / 3, 1 / 3, 1 / 3]])
    hot = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    wrong_column = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    return judge(
        given,
        (p - hot) / 2,
        {
            "that is the gradient of the sum; the loss is the mean over two samples, so divide by 2.": p
            - hot,
            "those are the probabilities alone; subtract 1 at the right class, then divide by n.": p,
            "those are the probabilities over 2; the 1 at the right class has still to be subtracted.": p / 2,
            "the sign is turned round: predicted minus true.": (hot - p) / 2,
            "classes are counted from 0: label 1 is the middle one, label 2 the last.": (p - wrong_column)
            / 2,
            "divided by the number of classes; the mean is over the samples.": (p - hot) / 3,
        },
        "row 0: the exponentials are 1, 2, 5, their sum is 8. Row 1: all three probabilities are 1/3.",
        rtol=2e-3,
        atol=1e-3,
    )


@answer("06.2", "largest logit out of the sum, logarithm of what is left, minus the logit of the label.")
def cross_entropy(given: Any) -> str | None:
    """The mean cross-entropy, moderate logits first, then large ones."""
    z = np.array([[0.5, -1.0, 2.0, 0.0], [1.0, 1.0, -3.0, 0.2], [-0.3, 0.8, 0.1, 4.0]])
    labels = np.array([2, 0, 1])
    powers = np.exp(z)
    single = np.log(powers.sum(axis=1)) - z[np.arange(3), labels]
    p = powers / powers.sum(axis=1, keepdims=True)
    got = array(call(given, z, labels))
    if got.shape == (3,):
        return "one number is wanted, the mean; this gives one for each sample."
    hint = judge(
        got,
        single.mean(),
        {
            "that is the sum over the samples; the mean is wanted.": single.sum(),
            "the sign: −ln of a probability is positive.": -single.mean(),
            "the natural logarithm is meant, np.log.": single.mean() / np.log(10),
            "that is the mean logarithm over all classes; only the label's counts for each sample.": -np.log(
                p
            ).mean(),
            "softmax goes over the classes of each sample (axis 1), not over the whole matrix.": (
                np.log(powers.sum()) - z[np.arange(3), labels]
            ).mean(),
            "the z of the label is still to be subtracted: that is ln Σ e^z alone.": np.log(
                powers.sum(axis=1)
            ).mean(),
            "that averages the probabilities; take −ln of each first.": -np.log(
                p[np.arange(3), labels].mean()
            ),
        },
        "for each sample: ln Σ_k e^(z_k) − z_label; z[np.arange(n), labels] picks the labels' logits.",
    )
    if hint:
        return hint
    for shift, told in ((1000.0, "+1000"), (-1000.0, "−1000")):
        far = array(call(given, z + shift, labels))
        if not np.isfinite(far).all():
            return f"right for moderate logits, but {far} for them {told}: subtract each row's largest logit first."
        hint = judge(far, single.mean(), otherwise=f"adding {told} to all logits must not change the loss.")
        if hint:
            return hint
    unlike = array(call(given, np.array([[1000.0, -1000.0]]), np.array([1])))
    if not np.isfinite(unlike).all():
        return (
            f"logits (1000, −1000) with label 1 give {unlike}; the loss is 2000. The probability is rounded to 0 "
            "before its logarithm is taken: subtract logits instead."
        )
    return judge(
        unlike, 2000.0, otherwise=f"logits (1000, −1000) with label 1 give {unlike}; the loss is 2000."
    )


@answer("06.3", "even certainty, logits 1 and 0, leaves e/(e + K − 1) for the right class.")
def floor(given: Any) -> str | None:
    """ln(1 + (K − 1)/e)."""
    k = np.array([2, 3, 10, 1000])
    return judge(
        [number(call(given, int(classes))) for classes in k],
        np.log(1 + (k - 1) / np.e),
        {
            "that is the loss of guessing; at best 1 comes in for one class, 0 for the rest.": np.log(k),
            "that is ln Σ e^z; the logit of the right class, 1, is still to be subtracted.": np.log(np.e + k - 1),
            "that is the probability; the loss is its −ln.": np.e / (np.e + k - 1),
            "there are K − 1 other classes, not K.": np.log(1 + k / np.e),
            "the sign: −ln of a probability is positive.": -np.log(1 + (k - 1) / np.e),
            "the others' e^0 is 1, not 0: they still take their part of the sum.": 0 * k,
        },
        "the best probabilities are 1 and K − 1 times 0. Taken for logits: e^1 against (K − 1)·e^0.",
    )  # fmt: skip
