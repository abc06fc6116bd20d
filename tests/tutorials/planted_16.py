"""Tutorial 16: solutions, and wrong answers under words that their hints must contain."""

import numpy as np

import minigrad as mg


def product(f, x, v):
    x = mg.Tensor(x, requires_grad=True)
    (g,) = mg.gradients(f(x), [x], create_graph=True)
    return mg.gradients((g * v).sum(), [x])[0]


def not_summed(f, x, v):
    return mg.grad(f)(x).numpy() * v


def sum_before(f, x, v):
    return mg.grad(lambda x: mg.grad(f)(x).sum())(x)


SOLUTIONS = {"16.1": 1.3333, "16.2": product, "16.3": 0.5}
WRONG = {
    "16.1": {
        "step alone": 1 / 3,
        "the sign": 2 / 3,
        "with rate 1": 5,
        "zero of f": -0.75,
        "minimum itself": 2 ** (1 / 3),
    },
    "16.2": {
        "not yet differentiated a second": lambda f, x, v: mg.grad(f)(x),
        "not yet summed": not_summed,
        "v is missing": sum_before,
        "columns of H": lambda f, x, v: sum_before(f, x, v).numpy() * v,
        "v·H·v": lambda f, x, v: np.sum(product(f, x, v).numpy() * v),
    },
    "16.3": {
        "uses the diagonal": 0.6667,
        "flatter direction": 1.0,
        "in one step": 0.25,
        "eigenvalue itself": 4,
    },
}
