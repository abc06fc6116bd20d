"""Cases of the family ``nonlinear``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.ops import nonlinear
from tests.ops.cases.core import Case, Sampler, between, unary


def away(*corners: float) -> Sampler:
    """Numbers in -5 … 5, none within 0.05 of a corner, where there is no derivative."""
    draw = between(-5, 5)

    def sample(shape: tuple[int, ...]) -> np.ndarray:
        x = draw(shape)
        for corner in corners:
            x = np.where(np.abs(x - corner) < 0.05, corner + 0.07, x)
        return x

    return sample


CASES: dict[str, list[Case]] = {
    "silu": unary(nonlinear.silu),
    "mish": unary(nonlinear.mish),
    "gelu_tanh": unary(nonlinear.gelu_tanh),
    "elu": unary(nonlinear.elu, away(0)) + unary(lambda a: nonlinear.elu(a, alpha=0.3), away(0)),
    "hardtanh": unary(nonlinear.hardtanh, away(-1, 1))
    + unary(lambda a: nonlinear.hardtanh(a, low=0, high=2.5), away(0, 2.5)),
    "hardsigmoid": unary(nonlinear.hardsigmoid, away(-3, 3)),
    "hardswish": unary(nonlinear.hardswish, away(-3, 3)),
    "binary_cross_entropy": [
        Case(
            "contiguous",
            nonlinear.binary_cross_entropy,
            (between(0.1, 0.9)((2, 3)), between(0.1, 0.9)((2, 3))),
        ),
        Case(
            "transposed", nonlinear.binary_cross_entropy, (between(0.1, 0.9)((3, 2)).T, between(0, 1)((2, 3)))
        ),
        Case(
            "broadcast",
            nonlinear.binary_cross_entropy,
            (np.broadcast_to(between(0.1, 0.9)((1, 3)), (2, 3)), between(0, 1)((2, 1))),
        ),
        Case("size-0", nonlinear.binary_cross_entropy, (np.zeros((0, 3)), np.zeros((0, 3)))),
        Case("size-1", nonlinear.binary_cross_entropy, (between(0.1, 0.9)((1, 1)), between(0, 1)((1, 1)))),
    ],
}

COMPOSED: dict[str, list[Case]] = {}

CONSTANT: dict[str, Callable[..., Any]] = {}
