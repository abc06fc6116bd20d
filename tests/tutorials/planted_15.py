"""Tutorial 15: solutions, and wrong answers under words that their hints must contain."""

import numpy as np


def outer(a, b):
    c = np.zeros((a.shape[0], b.shape[1]))
    for p in range(a.shape[1]):
        c += a[:, p, None] * b[p]
    return c


def without_adding(a, b):
    for p in range(a.shape[1]):
        c = np.outer(a[:, p], b[p])
    return c


def returning_at_once(a, b):
    for p in range(a.shape[1]):
        return np.outer(a[:, p], b[p])


def starting_at_one(a, b):
    return sum(np.outer(a[:, p], b[p]) for p in range(1, a.shape[1]))


SOLUTIONS = {"15.1": (13, 100), "15.2": outer, "15.3": (5, 5)}
WRONG = {
    "15.1": {
        "holds 8 of them": (7, 100),
        "cannot be fetched: round up": (12.5, 100),
        "swapped": (100, 13),
        "800 bytes apart": (13, 13),
        "two numbers are wanted": 113,
    },
    "15.2": {
        "instead of setting it": without_adding,
        "after the loop": returning_at_once,
        "p begins at 0": starting_at_one,
        "without @": lambda a, b: a @ b,
        "np.einsum is a ready-made": lambda a, b: np.einsum("ip,pj->ij", a, b),
    },
    "15.3": {
        "needs 36 + 6 + 1 = 43": (6, 6),
        "for 16 registers": (4, 3),
        "nearer to a square": (9, 3),
        "another block that fits": (4, 4),
    },
}
