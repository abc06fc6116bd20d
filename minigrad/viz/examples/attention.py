"""Attention over a short sentence: each letter takes from those before it what helps to guess the next one.

Try: type another sentence. Run it, and see how the map of who looks at whom takes shape.
"""

from itertools import cycle

import numpy as np

import minigrad as mg
from minigrad import nn, optim

ALPHABET = "abcdefghijklmnopqrstuvwxyz "


class Reader(nn.Module):
    """Letters and places to rows of 12 numbers, attention among them, and scores for each of the 27 letters."""

    def __init__(self, rng: np.random.Generator) -> None:
        super().__init__()
        self.rows, self.places = nn.Embedding(27, 12, rng=rng), nn.Embedding(20, 12, rng=rng)
        self.queries, self.keys, self.values = (nn.Linear(12, 12, bias=False, rng=rng) for _ in range(3))
        self.output = nn.Linear(12, 27, rng=rng)
        self.later = np.triu(np.full((20, 20), -np.inf, "float32"), 1)

    def forward(self, letters: np.ndarray) -> mg.Tensor:
        """Return the logits."""
        x = self.rows(letters) + self.places(np.arange(20))
        scores = self.queries(x) @ self.keys(x).T / np.float32(np.sqrt(12))
        weights = mg.ops.softmax(scores + self.later)
        logits: mg.Tensor = self.output(x + weights @ self.values(x))
        return logits


sentences = cycle(
    np.array([ALPHABET.index(letter) for letter in sentence])
    for sentence in ("the cat sat on a mat ", "the hat of a fat cat ", "a rat at the hot oat ")
)
model = Reader(np.random.default_rng(0))
optimizer, loss_of = optim.Adam(model, lr=0.02), nn.CrossEntropyLoss()


def step() -> None:
    """One sentence: twenty letters in, and for each the one behind it."""
    sentence = next(sentences)
    letters, following = sentence[:-1], sentence[1:]
    logits = model(letters)
    loss = loss_of(logits, following)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
