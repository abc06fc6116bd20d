"""Answers to the exercises of tutorial 20, right and wrong; see the docstring of ``minigrad.exercises``."""

from math import exp, log, log10

import numpy as np


def chosen(trials):
    row = int(np.nanargmin(trials[:, 0]))
    return row, trials[row, 1]


def among_the_finite(trials):
    kept = trials[~np.isnan(trials[:, 0])]
    row = int(kept[:, 0].argmin())
    return row, kept[row, 1]


def by_test(trials):
    row = int(np.nanargmin(trials[:, 1]))
    return row, trials[row, 1]


SOLUTIONS = {
    "20.1": (0.0999, 0.75),
    "20.2": lambda low, high, u: exp(log(low) + (log(high) - log(low)) * u),
    "20.3": chosen,
}
WRONG = {
    "20.1": {
        "swapped": (0.75, 0.0999),
        "shares above": (0.9001, 0.25),
        "the first is right": (0.0999, 0.0999),
        "the second is right": (0.75, 0.75),
        "not two of them": (0.0999, 0.5),
        "percentages": (9.99, 75),
    },
    "20.2": {
        "even in the rate itself": lambda low, high, u: low + (high - low) * u,
        "from high down": lambda low, high, u: high * (low / high) ** u,
        "raise the base": lambda low, high, u: log(low) + log(high / low) * u,
        "undone with 10**": lambda low, high, u: exp(log10(low) + log10(high / low) * u),
        "10**low is about 1": lambda low, high, u: 10 ** (low + (high - low) * u),
    },
    "20.3": {
        "diverged": lambda trials: (int(trials[:, 0].argmin()), trials[trials[:, 0].argmin(), 1]),
        "lowest test loss": by_test,
        "flatters it, since": lambda trials: (chosen(trials)[0], np.nanmin(trials[:, 0])),
        "belongs to another": lambda trials: (chosen(trials)[0], np.nanmin(trials[:, 1])),
        "counting only": among_the_finite,
        "two things": lambda trials: chosen(trials)[0],
    },
}
