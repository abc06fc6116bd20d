"""An LSTM reads six letters and says after each which comes next: its gates decide what it keeps in mind.

Try: type another word. Run it, and see at which letters it errs longest.
"""

from itertools import cycle

import numpy as np

import minigrad as mg
from minigrad import nn, optim

ALPHABET = "abcdefghijklmnopqrstuvwxyz "


class Reader(nn.Module):
    """Letters to rows of 4 numbers to 6 hidden units to scores for each of the 27 letters."""

    def __init__(self, rng: np.random.Generator) -> None:
        super().__init__()
        self.rows = nn.Embedding(27, 4, rng=rng)
        self.lstm = nn.LSTM(4, 6, rng=rng)
        self.output = nn.Linear(6, 27, rng=rng)

    def forward(self, letters: np.ndarray) -> mg.Tensor:
        """Return the logits."""
        states, _ = self.lstm(self.rows(letters))
        logits: mg.Tensor = self.output(states)
        return logits


words = cycle(
    np.array([ALPHABET.index(letter) for letter in word]) for word in ("banana ", "bandit ", "cabana ")
)
model = Reader(np.random.default_rng(0))
optimizer, loss_of = optim.Adam(model, lr=0.05), nn.CrossEntropyLoss()


def step() -> None:
    """One word: six letters in, and for each the one behind it."""
    word = next(words)
    letters, following = word[:-1], word[1:]
    logits = model(letters)
    loss = loss_of(logits, following)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
