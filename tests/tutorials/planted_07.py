"""Answers to the exercises of tutorial 07, right and wrong; see the docstring of ``minigrad.exercises``."""

import numpy as np


def line_step(w, b, x_i, y_i, eta):
    e = w * x_i + b - y_i
    return w - eta * e * x_i, b - eta * e


def one_after_the_other(w, b, x_i, y_i, eta):
    w = w - eta * (w * x_i + b - y_i) * x_i
    return w, b - eta * (w * x_i + b - y_i)


def wrong_line(dw, db):
    def line(w, b, x_i, y_i, eta):
        e = w * x_i + b - y_i
        return w - eta * e * dw(x_i), b - eta * e * db(x_i)

    return line


def deal(n, size, rng):
    order = rng.permutation(n)
    return [order[k : k + size] for k in range(0, n, size)]


def batches_shuffled(n, size, rng):
    whole = [np.arange(k, min(k + size, n)) for k in range(0, n - size, size)]
    return [whole[k] for k in rng.permutation(len(whole))] + [np.arange(n - n % size, n)]


SOLUTIONS = {"07.1": (1 / 3, 2 / 3), "07.2": line_step, "07.3": deal}
WRONG = {
    "07.1": {
        "not their sum": (1 / 9, 2 / 9),
        "the ½ in the loss": (1 / 6, 1 / 3),
        "are swapped": (2 / 3, 1 / 3),
        "curvature and its double": (3, 6),
        "differentiate J twice": (0.4, 0.8),
    },
    "07.2": {
        "the sign": wrong_line(lambda x: -x, lambda x: -1),
        "lacks the factor x_i": wrong_line(lambda x: 1, lambda x: 1),
        "no factor x_i": wrong_line(lambda x: x, lambda x: x),
        "a factor 2 too much": wrong_line(lambda x: 2 * x, lambda x: 2),
        "w was changed before": one_after_the_other,
        "return two numbers": lambda w, b, x_i, y_i, eta: w,
    },
    "07.3": {
        "in its old order": lambda n, size, rng: [np.arange(k, min(k + size, n)) for k in range(0, n, size)],
        "drawing with replacement": lambda n, size, rng: [
            rng.integers(n, size=min(size, n - k)) for k in range(0, n, size)
        ],
        "are lost": lambda n, size, rng: np.split(rng.permutation(n)[: n // size * size], n // size),
        "in the same order": lambda n, size, rng: deal(n, size, np.random.default_rng(0)),
        "stretches stay together": batches_shuffled,
        "one-dimensional": lambda n, size, rng: [int(k) for k in rng.permutation(n)],
    },
}
PLACEHOLDERS = {"07.1": (None, None)}
