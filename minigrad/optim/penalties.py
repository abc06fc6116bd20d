"""Penalties on the weights, to be added to the loss.

Each takes a list of Tensors (or arrays) and returns one number, a Tensor that ``backward`` goes through. Biases
are usually left out: ``[p for name, p in model.named_parameters().items() if name.endswith("weight")]``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np

from minigrad.optim.formulas import Array
from minigrad.optim.settings import from_zero, number, require, whole


def l1(weights: Sequence[Array], lam: float, m: int = 1) -> Array:
    r"""L1 penalty, which drives weights to zero.

    .. math:: \frac{\lambda}{2m} \sum_j |w_j|

    - lam: λ, the strength
    - m: the number of samples that the loss is the mean of

    Source: D1 3.1 as printed, where the loss is 1/(2m) Σ (h(x) - y)². Its gradient is λ/(2m) sign(w).
    """
    return from_zero("lam", lam) / (2 * whole("m", m, 1, " samples")) * _sum_abs(weights)


def l2(weights: Sequence[Array], lam: float, m: int = 1) -> Array:
    r"""L2 penalty, which shrinks weights.

    .. math:: \frac{\lambda}{2m} \sum_j w_j^2

    - lam: λ, the strength
    - m: the number of samples that the loss is the mean of

    Source: D1 3.1 as printed. Its gradient is (λ/m) w, so ``weight_decay = lam / m`` in SGD does the same.
    """
    return from_zero("lam", lam) / (2 * whole("m", m, 1, " samples")) * _sum_squares(weights)


def l2_as_coded(weights: Sequence[Array], lam: float) -> Array:
    r"""L2 penalty in the form of D1's program, which leaves out the number of samples.

    .. math:: \lambda \sum_j w_j^2 / 2

    - lam: λ, the strength; m times as strong as in ``l2``

    Source: D1 4.1 as printed. Its gradient is λw, so ``weight_decay = lam`` in SGD does the same.
    """
    return from_zero("lam", lam) * _sum_squares(weights) / 2


def elastic_net(weights: Sequence[Array], lam: float, rho: float = 0.5) -> Array:
    r"""ElasticNet: a mixture of L1 and L2.

    .. math:: \lambda \left( \rho \sum_j |w_j| + \frac{1 - \rho}{2} \sum_j w_j^2 \right)

    - lam: λ, the strength (``alpha`` in scikit-learn)
    - rho: ρ, the share of L1, in [0, 1] (``l1_ratio`` in scikit-learn)

    Source: named in D0 3.5; Zou & Hastie 2005 in scikit-learn's form. Neither part is divided by m, nor the L1
    part by 2 as it is in ``l1``.
    """
    lam, rho = from_zero("lam", lam), number("rho", rho, "in [0, 1]", lambda x: 0 <= x <= 1)
    return lam * (rho * _sum_abs(weights) + (1 - rho) / 2 * _sum_squares(weights))


def _sum_abs(weights: Sequence[Array]) -> Array:
    return reduce(np.add, [np.sum(np.abs(w)) for w in _some(weights)])


def _sum_squares(weights: Sequence[Array]) -> Array:
    return reduce(np.add, [np.sum(w**2) for w in _some(weights)])


def _some(weights: Sequence[Array]) -> Sequence[Array]:
    listed = isinstance(weights, list | tuple) and all(hasattr(w, "dtype") for w in weights)
    require(listed and len(weights) > 0, "weights", weights, "a list with a Tensor in it: [model.weight]")
    return weights
