"""Tutorial 05: solutions, and wrong answers under words that their hints must contain."""

import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def overflowing(x):
    s = np.exp(x) / (1 + np.exp(x))
    return s + x * s * (1 - s)


SOLUTIONS = {
    "05.1": (0.75, 0.412),
    "05.2": lambda x: sigmoid(x) + x * sigmoid(x) * (1 - sigmoid(x)),
    "05.3": lambda n, alpha: (2 / ((1 + alpha**2) * n)) ** 0.5,
}
WRONG = {
    "05.1": {
        "inner sigmoid, σ(0)": (0.5, 0.412),
        "multiply by w2 and w1": (0.75, 0.0469),
        "not at its steepest": (0.75, 0.549),
        "between the two sigmoids": (0.75, 0.1875),
        "between x and the inner": (0.75, 0.103),
        "outer slope": (0.75, 7),
    },
    "05.2": {
        "in which x is differentiated": lambda x: x * sigmoid(x) * (1 - sigmoid(x)),
        "in which σ is differentiated": sigmoid,
        "the x is missing": lambda x: sigmoid(x) + sigmoid(x) * (1 - sigmoid(x)),
        "swish itself": lambda x: x * sigmoid(x),
        "∞/∞ is no number": overflowing,
    },
    "05.3": {
        "its square root": lambda n, alpha: 2 / ((1 + alpha**2) * n),
        "for plain ReLU": lambda n, alpha: (2 / n) ** 0.5,
        "α², not α": lambda n, alpha: (2 / ((1 + alpha) * n)) ** 0.5,
        "a 2 belongs above": lambda n, alpha: (1 / ((1 + alpha**2) * n)) ** 0.5,
    },
}
