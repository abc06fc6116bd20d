"""Answers to the exercises of tutorial 08, right and wrong; see the docstring of ``minigrad.exercises``."""

import numpy as np


def adagrad(theta, g, s, eta):
    s = s + g**2
    return theta - eta * g / (np.sqrt(s) + 1e-10), s


SOLUTIONS = {
    "08.1": [-0.1, -0.25, -0.225],
    "08.2": adagrad,
    "08.3": (0.01 / 0.1**0.5, 0.01 / 0.19**0.5, 0.01),
}
WRONG = {
    "08.1": {
        "plain descent": [-0.1, -0.2, -0.1],
        "counts in full here": [-0.05, -0.125, -0.1125],
        "those are the velocities": [1, 1.5, -0.25],
        "the sign": [0.1, 0.25, 0.225],
        "what they add up to": [-0.1, -0.15, 0.025],
        "Nesterov": [-0.15, -0.325, -0.2125],
        "three rows": [0, 0, 0],
    },
    "08.2": {
        "divide by the root": lambda theta, g, s, eta: (theta - eta * g / (s + g**2), s + g**2),
        "divide by the new s": lambda theta, g, s, eta: (theta - eta * g / (np.sqrt(s) + 1e-10), s + g**2),
        "the state is unchanged": lambda theta, g, s, eta: (theta - eta * g / (np.sqrt(s + g**2) + 1e-10), s),
        "not a running mean": lambda theta, g, s, eta: (theta, 0.9 * s + 0.1 * g**2),
        "one root for all": lambda theta, g, s, eta: (theta - eta * g / np.sqrt((s + g**2).sum()), s + g**2),
        "return two arrays": lambda theta, g, s, eta: theta - eta * g / np.sqrt(s + g**2),
    },
    "08.3": {
        "the size of the gradient cancels": (0.03 / 0.1**0.5, 0.03 / 0.19**0.5, 0.03),
        "divide by its root": (0.1, 0.01 / 0.19, 0.01),
        "the running mean starts at 0": (0.01, 0.01, 0.01),
        "AdaGrad, whose state": (0.01, 0.01 / 2**0.5, 0.0),
        "most of the mean": (0.01 / 0.9**0.5, 0.01 / 0.99**0.5, 0.01),
    },
}
PLACEHOLDERS = {"08.1": [None, None, None], "08.3": (None, None, None)}
