"""Samples read as sequences, to tell what they are once all of them is read."""

from __future__ import annotations

from math import isqrt
from typing import Any

import numpy as np

from minigrad import nn
from minigrad.errors import ConfigError


class RowReader(nn.Module):
    """A square picture, read row by row by LSTMs; a dense layer tells its class from what they end with."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        hidden: int,
        layers: int,
        dropout: float,
        rng: np.random.Generator,
        masks: np.random.Generator,
    ) -> None:
        self.side = isqrt(inputs)
        if self.side**2 != inputs:
            raise ConfigError(
                "MG-803",
                f"rows-lstm reads square pictures row by row, and a sample of this data has {inputs} numbers, which is "
                "no square. Use --data digits, mnist or pictures of your own.",
            )
        self.layers = nn.LSTM(
            self.side, hidden, layers, batch_first=True, dropout=dropout, rng=rng, masks=masks
        )
        self.head = nn.Linear(hidden, outputs, rng=rng)

    def forward(self, x: Any) -> Any:
        """Return the logits (n, classes) of samples (n, …)."""
        rows, _ = self.layers(x.reshape((x.shape[0], self.side, self.side)))
        return self.head(rows[:, -1])
