"""Drawing the next id from a language model's logits."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.errors import ConfigError
from minigrad.ops.activation import softmax

HostArray = np.ndarray[Any, Any]


class Sampling:
    """Logits (samples, ids) become ids (samples,), drawn from softmax(logits / temperature).

    With ``temperature`` 0 the likeliest is taken. ``top_k`` draws among the k likeliest, and those that are as likely
    as the last of them; ``top_p`` among the fewest whose probabilities together reach it (Holtzman et al. 2020). Raises
    ConfigError MG-802 for settings out of range and MG-508 where there is nothing to draw from.
    """

    def __init__(
        self,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        rng: np.random.Generator | None = None,
    ) -> None:
        if not temperature >= 0:
            raise ConfigError("MG-802", f"temperature is {temperature!r}; it must be 0 or more.")
        if top_k is not None and top_k < 1:
            raise ConfigError("MG-802", f"top_k is {top_k!r}; it must be at least 1, or None for all ids.")
        if top_p is not None and not 0 < top_p <= 1:
            raise ConfigError("MG-802", f"top_p is {top_p!r}; it must be above 0 and at most 1.")
        if temperature > 0 and rng is None:
            raise ConfigError(
                "MG-508",
                "generating draws at random, and has no generator to draw from. Give it "
                "rng=np.random.default_rng(0), or temperature=0 for the likeliest id each time.",
            )
        self.temperature, self.top_k, self.top_p, self.rng = temperature, top_k, top_p, rng

    def probabilities(self, logits: HostArray) -> Any:
        """Return the probabilities (samples, ids), in float64, from which ids are drawn."""
        z = logits.astype(np.float64) / self.temperature
        if self.top_k is not None and self.top_k < z.shape[-1]:
            least = np.partition(z, -self.top_k, axis=-1)[:, -self.top_k, None]
            z = np.where(z < least, -np.inf, z)
        p: HostArray = softmax(z)
        if self.top_p is not None:
            order = np.argsort(-p, axis=-1, kind="stable")
            descending = np.take_along_axis(p, order, axis=-1)
            before = np.cumsum(descending, axis=-1) - descending  # of the likelier ones
            kept = np.zeros_like(p)
            np.put_along_axis(kept, order, np.where(before < self.top_p, descending, 0), axis=-1)
            p = kept / kept.sum(axis=-1, keepdims=True)
        return p

    def __call__(self, logits: HostArray) -> Any:
        """Draw one id for each sample."""
        if self.temperature == 0:
            return logits.argmax(axis=-1)
        assert self.rng is not None
        below = np.cumsum(self.probabilities(logits), axis=-1)
        u = self.rng.random((len(logits), 1)) * below[:, -1:]
        return (below <= u).sum(axis=-1)
