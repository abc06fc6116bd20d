"""Tutorial 19: solutions, and wrong answers under words that their hints must contain."""

import numpy as np

import minigrad as mg


def mask(w, sparsity):
    kept = np.ones(w.size, bool)
    kept[np.argsort(np.abs(w).ravel())[: round(sparsity * w.size)]] = False
    return kept.reshape(w.shape)


def largest(w, sparsity):
    kept = np.ones(w.size, bool)
    kept[np.argsort(-np.abs(w).ravel())[: round(sparsity * w.size)]] = False
    return kept.reshape(w.shape)


def by_value(w, sparsity):
    kept = np.ones(w.size, bool)
    kept[np.argsort(w.ravel())[: round(sparsity * w.size)]] = False
    return kept.reshape(w.shape)


def forgets_nothing(w, sparsity):
    """Right, but for a sparsity of 0: everything from index -0 on."""
    order = np.argsort(-np.abs(w).ravel())
    kept = np.ones(w.size, bool)
    kept[order[-round(sparsity * w.size) :]] = False
    return kept.reshape(w.shape)


def scale_and_zero(low, high):
    s = (high - low) / 255
    return s, round(-128 - low / s)


def through(x):
    return x + (np.rint(x.numpy()) - x.numpy())


SOLUTIONS = {"19.1": mask, "19.2": scale_and_zero, "19.3": through}
WRONG = {
    "19.1": {
        "the other way round": lambda w, s: ~mask(w, s),
        "largest are gone": largest,
        "sort by the magnitude": by_value,
        "not a threshold": lambda w, s: np.abs(w) > s,
        "not the weights themselves": lambda w, s: w * mask(w, s),
        "for a sparsity of 0": forgets_nothing,
    },
    "19.2": {
        "255 steps between": lambda low, high: ((high - low) / 256, round(-128 - low * 256 / (high - low))),
        "has to be a whole number": lambda low, high: ((high - low) / 255, -128 - low * 255 / (high - low)),
        "low / s is negative": lambda low, high: ((high - low) / 255, round(-128 + low * 255 / (high - low))),
        "for 0 … 255": lambda low, high: ((high - low) / 255, round(-low * 255 / (high - low))),
        "not symmetric": lambda low, high: (max(-low, high) / 127, 0),
        "swapped": lambda low, high: scale_and_zero(low, high)[::-1],
    },
    "19.3": {
        "nothing has been rounded": lambda x: x * 1.0,
        "plus the rounded x": lambda x: x + np.rint(x.numpy()),
        "add x to it": lambda x: mg.Tensor(np.rint(x.numpy()) - x.numpy()),
        "rounds down": lambda x: x + (np.floor(x.numpy()) - x.numpy()),
        "ties go to the even": lambda x: x + (np.floor(x.numpy() + 0.5) - x.numpy()),
        "does not remember x": lambda x: mg.Tensor(np.rint(x.numpy())),
        "must be a plain array": lambda x: x + (np.rint(x.numpy()) - x),
    },
}
