"""Dropout, and the one generator that all the dropout layers of a network draw from."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad import backend
from minigrad.errors import ConfigError, DtypeError
from minigrad.nn.init import as_generator
from minigrad.nn.module import Module
from minigrad.ops.fused import dropout
from minigrad.tensor import unwrap


class Dropout(Module):
    """In training, x · m / (1 - p), where m is 0 with probability p and else 1, drawn anew for each entry.

    In evaluation it is x itself: thanks to the factor 1 / (1 - p) ("inverted" dropout) both have the same mean.
    Srivastava et al. 2014, "Dropout: a simple way to prevent neural networks from overfitting", section 10.

    Parameters
    ----------
    p : the probability of dropping, 0 <= p < 1 (ConfigError MG-802).
    rng : the generator that the masks are drawn from. Training without one raises ConfigError MG-508; give one
        here, or one to all dropout layers of a network with ``nn.seed_dropout(model, 0)``.
    """

    def __init__(self, p: float = 0.5, rng: np.random.Generator | None = None) -> None:
        if not 0 <= p < 1:
            raise ConfigError(
                "MG-802", f"p is {p!r}; a probability of dropping must be at least 0 and below 1."
            )
        self.p = p
        self.rng = None if rng is None else as_generator(rng)

    def forward(self, x: Any) -> Any:
        """Return x with a random part p of its entries set to 0 and the others scaled up."""
        if not self.training or self.p == 0:
            return x
        if self.rng is None:
            raise ConfigError(
                "MG-508",
                "dropout has no generator to draw its mask from, and an unseen one would make the run impossible "
                f"to repeat. Write Dropout({self.p}, rng=np.random.default_rng(0)), or seed all of them once: "
                "nn.seed_dropout(model, 0). For predictions, call model.eval() first.",
            )
        array = unwrap(x)
        if array.dtype.kind != "f":
            raise DtypeError(
                "MG-211",
                f"dropout scales what it keeps by {1 / (1 - self.p):.4g}, so x must be floats; it is {array.dtype}. "
                "Cast the data once: x.astype('float32').",
            )
        return dropout(x, backend.uniform(self.rng, array), p=self.p)

    def extra_repr(self) -> str:
        """Return the probability of dropping."""
        return f"p={self.p}"


def seed_dropout(module: Module, seed: int | np.random.Generator) -> np.random.Generator:
    """Let all dropout layers in ``module`` draw from one generator, made from ``seed``, and return it."""
    rng = backend.generator(seed)
    for part in module.modules():
        if isinstance(part, Dropout):
            part.rng = rng
    return rng
