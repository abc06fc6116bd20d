"""Tutorial 14: solutions, and wrong answers under words that their hints must contain."""

import numpy as np


def central(f, x, h):
    found = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        moved = x.copy()
        moved[i] += h
        up = f(moved)
        moved[i] -= 2 * h
        found[i] = (up - f(moved)) / (2 * h)
    return found


def forward(f, x, h):
    found = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        moved = x.copy()
        moved[i] += h
        found[i] = (f(moved) - f(x)) / h
    return found


def changing_x(f, x, h):
    found = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        x[i] += h
        up = f(x)
        x[i] -= 2 * h
        found[i] = (up - f(x)) / (2 * h)
    return found


SOLUTIONS = {
    "14.1": lambda g, a: g / (1 + a**2) ** 1.5,
    "14.2": (lambda g, a, b: g * b / (a**2 + b**2), lambda g, a, b: -g * a / (a**2 + b**2)),
    "14.3": central,
}
WRONG = {
    "14.1": {
        "to be multiplied by the incoming gradient": lambda g, a: 1 / (1 + a**2) ** 1.5,
        "treats the root as a constant": lambda g, a: g / np.sqrt(1 + a**2),
        "this is −1": lambda g, a: g / (1 + a**2),
    },
    "14.2": {
        "wrong sign": (lambda g, a, b: g * b / (a**2 + b**2), lambda g, a, b: g * a / (a**2 + b**2)),
        "swapped": (lambda g, a, b: -g * a / (a**2 + b**2), lambda g, a, b: g * b / (a**2 + b**2)),
        "inner derivative": (lambda g, a, b: g / (1 + (a / b) ** 2), lambda g, a, b: g / (1 + (a / b) ** 2)),
        "gradient g is missing": (lambda g, a, b: b / (a**2 + b**2), lambda g, a, b: -a / (a**2 + b**2)),
    },
    "14.3": {
        "one side only": forward,
        "divide by 2h": lambda f, x, h: 2 * central(f, x, h),
        "put back": changing_x,
        "moved at once": lambda f, x, h: (f(x + h) - f(x - h)) / (2 * h),
    },
}
PLACEHOLDERS = {"14.2": (lambda g, a, b: ..., lambda g, a, b: ...)}
