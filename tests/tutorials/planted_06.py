"""Tutorial 06: solutions, and wrong answers under words that their hints must contain."""

import numpy as np


def stable(z, labels):
    m = z.max(axis=1)
    return np.mean(m + np.log(np.exp(z - m[:, None]).sum(axis=1)) - z[np.arange(len(z)), labels])


def naive(z, labels):
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    return -np.log(p[np.arange(len(z)), labels]).mean()


def shifted_but_rounded(z, labels):
    return naive(z - z.max(axis=1, keepdims=True), labels)


SOLUTIONS = {
    "06.1": [[1 / 16, -3 / 8, 5 / 16], [1 / 6, 1 / 6, -1 / 3]],
    "06.2": stable,
    "06.3": lambda K: np.log((np.e + K - 1) / np.e),
}
WRONG = {
    "06.1": {
        "gradient of the sum": [[1 / 8, -3 / 4, 5 / 8], [1 / 3, 1 / 3, -2 / 3]],
        "probabilities alone": [[1 / 8, 1 / 4, 5 / 8], [1 / 3, 1 / 3, 1 / 3]],
        "sign is turned": [[-1 / 16, 3 / 8, -5 / 16], [-1 / 6, -1 / 6, 1 / 3]],
        "counted from 0": [[-7 / 16, 1 / 8, 5 / 16], [1 / 6, -1 / 3, 1 / 6]],
        "their sum is 8": np.zeros((2, 3)),
    },
    "06.2": {
        "largest logit first": naive,
        "subtract logits instead": shifted_but_rounded,
        "the mean is wanted": lambda z, labels: stable(z, labels) * len(z),
        "is positive": lambda z, labels: -stable(z, labels),
        "one for each sample": lambda z, labels: np.zeros(len(z)),
        "not over the whole matrix": lambda z, labels: np.mean(
            np.log(np.exp(z).sum()) - z[np.arange(len(z)), labels]
        ),
    },
    "06.3": {
        "loss of guessing": np.log,
        "the logit of the right class": lambda K: np.log(np.e + K - 1),
        "that is the probability": lambda K: np.e / (np.e + K - 1),
        "not K.": lambda K: np.log(1 + K / np.e),
        "take their part": lambda K: 0.0,
    },
}
