"""Answers to the exercises of tutorial 11, right and wrong; see the docstring of ``minigrad.exercises``."""

import numpy as np


def dropout(x, g, u, p):
    scale = (u >= p) / (1 - p)
    return x * scale, g * scale


SOLUTIONS = {
    "11.1": (6 / 7, 1.0),
    "11.2": lambda w, amount: np.sign(w) * np.maximum(np.abs(w) - amount, 0),
    "11.3": dropout,
}
WRONG = {
    "11.1": {
        "are swapped": (1.0, 6 / 7),
        "what its program does": (2 / 3, 1.0),
        "the 2 of the square cancels": (1.0, 1.0),
        "nothing cancels its ½": (6 / 7, 0.8),
        "without a penalty.": (1.2, 1.2),
    },
    "11.2": {
        "goes past 0": lambda w, amount: w - amount * np.sign(w),
        "cut off only": lambda w, amount: np.where(np.abs(w) > amount, w, 0),
        "move away from 0": lambda w, amount: np.maximum(w - amount, 0),
        "as L2 does it": lambda w, amount: w * (1 - amount),
        "the sign is lost": lambda w, amount: np.maximum(np.abs(w) - amount, 0),
    },
    "11.3": {
        "survivors are not scaled": lambda x, g, u, p: (x * (u >= p), g * (u >= p)),
        "yours keeps those.": lambda x, g, u, p: (x * (u < p) / (1 - p), g * (u < p) / (1 - p)),
        "not by p": lambda x, g, u, p: (x * (u >= p) / p, g * (u >= p) / p),
        "has to go through the mask": lambda x, g, u, p: (dropout(x, g, u, p)[0], g),
        "without x": lambda x, g, u, p: (dropout(x, g, u, p)[0], g * dropout(x, g, u, p)[0]),
        "return two arrays": lambda x, g, u, p: dropout(x, g, u, p)[0],
    },
}
PLACEHOLDERS = {"11.1": (None, None)}
