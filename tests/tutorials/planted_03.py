"""Tutorial 03: solutions, and wrong answers under words that their hints must contain."""

import numpy as np


def unbroadcast(g, shape):
    g = g.sum(axis=tuple(range(g.ndim - len(shape))))
    return g.sum(axis=tuple(i for i, n in enumerate(shape) if n == 1), keepdims=True)


def squeezes(g, shape):
    g = g.sum(axis=tuple(range(g.ndim - len(shape))))
    return g.sum(axis=tuple(i for i, n in enumerate(shape) if n == 1))


def averages(g, shape):
    g = g.mean(axis=tuple(range(g.ndim - len(shape))))
    return g.mean(axis=tuple(i for i, n in enumerate(shape) if n == 1), keepdims=True)


def first_of_each(g, shape):
    return g[(0,) * (g.ndim - len(shape))]


def sums_only_ones(g, shape):
    return g.sum(axis=tuple(range(g.ndim)))


SOLUTIONS = {
    "03.1": [[10, 14], [14, 20]],
    "03.2": unbroadcast,
    "03.3": lambda g: g - g.mean(axis=1, keepdims=True),
}
WRONG = {
    "03.1": {
        "turned over": [[7, 10], [15, 22]],
        "on the left": [[5, 11], [11, 25]],
        "dL/dA": [[1, 0], [3, 2]],
        "that is C itself": [[5, -2], [11, -4]],
        "take B[0, 0] = 1": [[0, 0], [0, 0]],
    },
    "03.2": {
        "as it is": lambda g, shape: g,
        "has to stay": squeezes,
        "that is their mean": averages,
        "no single row": first_of_each,
        "and only those": sums_only_ones,
    },
    "03.3": {
        "the direct road only": lambda g: g,
        "take the mean of g": lambda g: g - g.sum(axis=1, keepdims=True),
        "minus sign": lambda g: g + g.mean(axis=1, keepdims=True),
        "not over each column": lambda g: g - g.mean(axis=0, keepdims=True),
        "through the mean only": lambda g: np.broadcast_to(-g.mean(axis=1, keepdims=True), g.shape),
        "Is keepdims missing": lambda g: g.sum(axis=1),
    },
}
