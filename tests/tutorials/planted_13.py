"""Answers to the exercises of tutorial 13, right and wrong; see the docstring of ``minigrad.exercises``."""

from __future__ import annotations

from typing import Any

import numpy as np


def safe_log(x: Any) -> Any:
    positive = x.numpy() > 0
    return np.where(positive, np.log(np.where(positive, x, 1.0)), 0.0)


def clipped(gradients: Any, max_norm: float) -> Any:
    norm = np.sqrt(sum(np.sum(g**2) for g in gradients))
    return [g * min(1, max_norm / norm) for g in gradients]


def clipped_one_by_one(gradients: Any, max_norm: float) -> Any:
    return [g * min(1, max_norm / np.linalg.norm(g)) for g in gradients]


def always_scaled(gradients: Any, max_norm: float) -> Any:
    norm = np.sqrt(sum(np.sum(g**2) for g in gradients))
    return [g * max_norm / norm for g in gradients]


SOLUTIONS = {"13.1": safe_log, "13.2": clipped, "13.3": lambda sizes: [n / sum(sizes) for n in sizes]}

WRONG = {
    "13.1": {
        "the branch that is not chosen is walked too": lambda x: np.where(x.numpy() > 0, np.log(x), 0.0),
        "must not be lifted": lambda x: np.log(np.maximum(x, 1e-7)),
        "exactly 0": lambda x: np.log(np.where(x.numpy() > 0, x, 1e-7)),
        "remembers x": lambda x: np.log(np.where(x.numpy() > 0, x.numpy(), 1.0)),
    },
    "13.2": {
        "by its own norm": clipped_one_by_one,
        "cuts single entries": lambda gradients, limit: [np.clip(g, -limit, limit) for g in gradients],
        "at most 1": always_scaled,
    },
    "13.3": {
        "equal size only": lambda sizes: [1 / len(sizes)] * len(sizes),
        "divide by their number": lambda sizes: sizes,
        "other way round": lambda sizes: [sum(sizes) / n for n in sizes],
    },
}
