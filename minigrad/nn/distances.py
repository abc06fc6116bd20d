"""Losses of distances that large mistakes do not rule, and of angles; imported when one is asked for."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.errors import ConfigError
from minigrad.nn.module import Module
from minigrad.nn.reductions import Loss, matching, reduced


def huber(prediction: Any, target: Any, reduction: str = "mean", *, delta: float = 1.0) -> Any:
    """½ d² of each entry where |d| ≤ δ, else δ (|d| - δ/2), for d = f - y. Huber 1964, section 4.

    Computed as c (d - c/2) with d cut off to c = min(max(d, -δ), δ), which is also its gradient. Raises ShapeError
    MG-110 where the shapes differ, ConfigError MG-802 where δ is not above 0.
    """
    if not delta > 0:
        raise ConfigError("MG-802", f"delta is {delta!r}; it has to be above 0.")
    return reduced(reduction)(_huber("huber", prediction, target, delta))


def smooth_l1(prediction: Any, target: Any, reduction: str = "mean", *, beta: float = 1.0) -> Any:
    """½ d² / β of each entry where |d| < β, else |d| - β/2, for d = f - y; with β = 0 it is |d|.

    Huber's loss over β. Girshick 2015, "Fast R-CNN", eq. 3 (β = 1). Raises ShapeError MG-110 where the shapes differ,
    ConfigError MG-802 where β is below 0.
    """
    if beta < 0:
        raise ConfigError("MG-802", f"beta is {beta!r}; it has to be 0 or more.")
    if beta == 0:
        return reduced(reduction)(np.absolute(prediction - matching("smooth_l1", prediction, target)))
    return reduced(reduction)(_huber("smooth_l1", prediction, target, beta) / beta)


def _huber(name: str, prediction: Any, target: Any, delta: float) -> Any:
    difference = prediction - matching(name, prediction, target)
    cut = np.clip(difference, -delta, delta)
    return cut * (difference - 0.5 * cut)


def cosine_similarity(a: Any, b: Any, axis: int = 1, eps: float = 1e-8, *, dim: int | None = None) -> Any:
    """Σ a b / (max(‖a‖, ε) max(‖b‖, ε)) along ``axis`` (``dim``): the cosine of the angle between two vectors.

    a and b stretch each other; the axis is not in the result.
    """
    axis = axis if dim is None else dim
    lengths = [np.sqrt(np.maximum(np.sum(np.square(x), axis=axis), eps * eps)) for x in (a, b)]
    return np.sum(a * b, axis=axis) / (lengths[0] * lengths[1])


def cosine_embedding(a: Any, b: Any, target: Any, reduction: str = "mean", *, margin: float = 0.0) -> Any:
    """1 - cos(a, b) of the pairs whose target is 1, and max(0, cos(a, b) - margin) of those whose target is -1.

    a and b are (n, width) or (width,), the targets (n,) or one number. Raises ShapeError MG-110 where there is not one
    target a pair.
    """
    squares = [
        np.sum(np.square(x), axis=-1) + 1e-12 for x in (a, b)
    ]  # as PyTorch keeps a vector of 0 from 0/0
    cosine = np.sum(a * b, axis=-1) / np.sqrt(squares[0] * squares[1])
    target = matching("cosine_embedding", cosine, target)
    return reduced(reduction)(np.where(target > 0, 1 - cosine, np.maximum(cosine - margin, 0)))


class HuberLoss(Loss):
    """The mean of ½ d² where |d| ≤ δ, else of δ (|d| - δ/2); see ``huber``."""

    function = staticmethod(huber)

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction)
        self.delta = delta

    def forward(self, prediction: Any, target: Any) -> Any:
        """Return the reduced loss."""
        return huber(prediction, target, self.reduction, delta=self.delta)


class SmoothL1Loss(Loss):
    """The mean of ½ d² / β where |d| < β, else of |d| - β/2; see ``smooth_l1``."""

    function = staticmethod(smooth_l1)

    def __init__(self, reduction: str = "mean", beta: float = 1.0) -> None:
        super().__init__(reduction)
        self.beta = beta

    def forward(self, prediction: Any, target: Any) -> Any:
        """Return the reduced loss."""
        return smooth_l1(prediction, target, self.reduction, beta=self.beta)


class CosineSimilarity(Module):
    """The cosine of the angle between two vectors; see ``cosine_similarity``."""

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        self.dim, self.eps = dim, eps

    def forward(self, a: Any, b: Any) -> Any:
        """Return the cosines."""
        return cosine_similarity(a, b, axis=self.dim, eps=self.eps)


class CosineEmbeddingLoss(Module):
    """Pulls pairs of target 1 together and pushes those of target -1 apart; see ``cosine_embedding``."""

    def __init__(self, margin: float = 0.0, reduction: str = "mean") -> None:
        reduced(reduction)
        self.margin, self.reduction = margin, reduction

    def forward(self, a: Any, b: Any, target: Any) -> Any:
        """Return the reduced loss."""
        return cosine_embedding(a, b, target, self.reduction, margin=self.margin)
