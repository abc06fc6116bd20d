"""Initial weights: functions of a shape (out, in) and a generator.

The numbers are drawn in float64 and then rounded, so that a float32 network starts from the same weights as its
float64 twin. ``dtype=None`` means ``mg.default_dtype()``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from minigrad.backend import default_dtype
from minigrad.errors import ConfigError

HostArray = np.ndarray[Any, Any]
Init = Callable[[tuple[int, ...], np.random.Generator], HostArray]
"""(shape, generator) -> initial weights"""


def uniform(
    shape: Sequence[int], rng: np.random.Generator, dtype: DTypeLike | None = None, *, bound: float = 0.05
) -> HostArray:
    """U(-bound, bound); the default bound is that of Keras' ``RandomUniform``."""
    return rng.uniform(-bound, bound, shape).astype(dtype or default_dtype())


def normal(
    shape: Sequence[int], rng: np.random.Generator, dtype: DTypeLike | None = None, *, std: float = 0.05
) -> HostArray:
    """N(0, std²); the default standard deviation is that of Keras' ``RandomNormal``."""
    return rng.normal(0.0, std, shape).astype(dtype or default_dtype())


def glorot_uniform(
    shape: Sequence[int], rng: np.random.Generator, dtype: DTypeLike | None = None
) -> HostArray:
    """U(-a, a) with a = √(6 / (in + out)): variance 2 / (in + out). Keras' default for ``Dense``.

    Glorot & Bengio 2010, "Understanding the difficulty of training deep feedforward neural networks", eq. 16.
    """
    fan_in, fan_out = _fans(shape)
    return uniform(shape, rng, dtype, bound=math.sqrt(6 / (fan_in + fan_out)))


def glorot_normal(
    shape: Sequence[int], rng: np.random.Generator, dtype: DTypeLike | None = None
) -> HostArray:
    """N(0, 2 / (in + out)): the variance of Glorot & Bengio 2010, eq. 12, in its normal form."""
    fan_in, fan_out = _fans(shape)
    return normal(shape, rng, dtype, std=math.sqrt(2 / (fan_in + fan_out)))


def he_uniform(shape: Sequence[int], rng: np.random.Generator, dtype: DTypeLike | None = None) -> HostArray:
    """U(-a, a) with a = √(6 / in): the variance 2 / in of He et al. 2015, eq. 10, in its uniform form."""
    return uniform(shape, rng, dtype, bound=math.sqrt(6 / _fans(shape)[0]))


def he_normal(shape: Sequence[int], rng: np.random.Generator, dtype: DTypeLike | None = None) -> HostArray:
    """N(0, 2 / in), for layers followed by ReLU, which halves the variance.

    He et al. 2015, "Delving deep into rectifiers", eq. 10.
    """
    return normal(shape, rng, dtype, std=math.sqrt(2 / _fans(shape)[0]))


def torch_default(
    shape: Sequence[int],
    rng: np.random.Generator,
    dtype: DTypeLike | None = None,
    *,
    fan_in: int | None = None,
) -> HostArray:
    """U(-1/√in, 1/√in): how PyTorch's ``Linear`` starts, weight and bias.

    PyTorch writes it as ``kaiming_uniform_(a=√5)``: a bound of √(6 / ((1 + a²) · in)). A bias (out,) does not
    show how many inputs the layer has, so it needs ``fan_in``.
    """
    return uniform(shape, rng, dtype, bound=1 / math.sqrt(fan_in or _fans(shape)[0]))


INITS: dict[str, Init] = {
    "uniform": uniform,
    "normal": normal,
    "glorot_uniform": glorot_uniform,
    "glorot_normal": glorot_normal,
    "he_uniform": he_uniform,
    "he_normal": he_normal,
    "torch_default": torch_default,
}
"""The initialisations by name."""


def find(init: str | Init) -> Init:
    """Return the initialisation of this name, or the function itself; ConfigError MG-802 names the valid names."""
    if callable(init):
        return init
    if init not in INITS:
        raise ConfigError("MG-802", f"there is no init {init!r}; there are {', '.join(INITS)}.")
    return INITS[init]


def as_generator(rng: np.random.Generator | None) -> np.random.Generator:
    """Return ``rng``, or a fresh unseeded generator for None; ConfigError MG-802 for anything else."""
    if rng is None:
        return np.random.default_rng()
    if not isinstance(rng, np.random.Generator):
        raise ConfigError(
            "MG-802",
            f"rng is {rng!r}; it must be a generator, made once for the whole network so that no two layers draw "
            "the same numbers: rng = np.random.default_rng(0).",
        )
    return rng


def _fans(shape: Sequence[int]) -> tuple[int, int]:
    """Number of inputs and outputs of a weight (out, in)."""
    if len(shape) != 2:
        raise ConfigError(
            "MG-802",
            f"a weight of shape (out, in) is needed to count inputs and outputs, not {tuple(shape)}.",
        )
    fan_out, fan_in = shape
    return fan_in, fan_out
