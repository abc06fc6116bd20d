"""Tutorial 18: solutions, and wrong answers under words that their hints must contain."""

import math


def averaged(gradients, rows):
    return sum(n * g for n, g in zip(rows, gradients, strict=True)) / sum(rows)


def all_reduce(p, size, alpha, beta):
    return 2 * math.ceil(math.log2(p)) * alpha + 2 * (p - 1) / p * size * beta


SOLUTIONS = {"18.1": averaged, "18.2": all_reduce, "18.3": (0, 0, 0, 3)}
WRONG = {
    "18.1": {
        "the plain mean": lambda gradients, rows: sum(gradients) / len(gradients),
        "still their sum": lambda gradients, rows: averaged(gradients, rows) * sum(rows),
        "not weighted at all": lambda gradients, rows: sum(gradients),
    },
    "18.2": {
        "have to come back": lambda *case: all_reduce(*case) / 2,
        "rounded up": lambda p, size, a, b: 2 * math.log2(p) * a + 2 * (p - 1) / p * size * b,
        "not all of it": lambda p, size, a, b: 2 * math.ceil(math.log2(p)) * a + 2 * size * b,
        "that is the ring": lambda p, size, a, b: 2 * (p - 1) * a + 2 * (p - 1) / p * size * b,
    },
    "18.3": {
        "the versions that were read": (0, 1, 2, 0),
        "own update does not count": (1, 1, 1, 4),
        "A reads anew": (0, 1, 2, 3),
        "B read at the very start": (0, 0, 0, 0),
    },
}
