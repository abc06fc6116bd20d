"""The rows beyond dense networks: LeNet, an LSTM and GPTs over characters, all trained by Adam with cross-entropy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from minigrad.bench.rows import BYTES, Product, Step, products_of

VOCABULARY = 96
LETTERS = 27
"""The ids of the two smallest GPTs: a … z, and one that stands between names."""


class Reading(NamedTuple):
    """A network over ids: how many there are, how many it reads at once, and how wide its vectors are.

    ``layers`` and ``heads`` are a GPT's. ``plain`` is one as microGPT has it (Karpathy 2026, "microgpt"): no biases,
    ReLU, root mean squares without weights, and a last layer of its own.
    """

    ids: int
    context: int
    width: int
    layers: int = 1
    heads: int = 0
    plain: bool = False


READING = {
    "LSTM": Reading(VOCABULARY, 64, 128),
    "GPT": Reading(VOCABULARY, 64, 128, layers=4, heads=4),
    "GPT of 4,192": Reading(LETTERS, 16, 16, heads=4, plain=True),
    "GPT of 14,528": Reading(LETTERS, 16, 32, heads=4, plain=True),
}
"""The networks over ids by name.

The last two have the sizes of EEmicroGPT, a published C program: 27·w + 16·w for the tables, 27·w for the last layer,
4·w² for attention and 8·w² for the dense layers are 4,192 parameters for w = 16 and 14,528 for w = 32.
"""

MICRO = tuple(name for name, each in READING.items() if each.plain)

PIXELS, CLASSES = 28, 10
LENET = ((1, 6, 28), (6, 16, 10))
"""Channels in and out of LeNet's convolutions (5 by 5), and how many results a side they have."""
LENET_DENSE = ((400, 120), (120, 84), (84, CLASSES))


@dataclass(frozen=True)
class Further(Step):
    """A network beyond dense ones: ``kind`` is ``LeNet`` (pictures of 28 by 28) or one of ``READING``'s names."""

    kind: str
    batch: int
    optimizer: str = "adam"

    @property
    def group(self) -> str:
        """See ``Step``."""
        return "networks beyond dense"

    @property
    def network(self) -> str:
        """See ``Step``."""
        return self.kind

    @property
    def reading(self) -> Reading | None:
        """What a network over ids is like; None where it is one over pictures."""
        return READING.get(self.kind)

    @property
    def parameters(self) -> int:
        """See ``Step``."""
        of = self.reading
        if of is None:
            return sum(25 * c * o + o for c, o, _ in LENET) + sum((i + 1) * o for i, o in LENET_DENSE)
        w = of.width
        if not of.heads:
            return of.ids * w + 8 * w * w + 8 * w + (w + 1) * of.ids
        if of.plain:
            return (2 * of.ids + of.context) * w + of.layers * 12 * w * w
        return (of.ids + of.context + 2) * w + of.layers * (12 * w * w + 13 * w)

    @property
    def products(self) -> list[Product]:
        """See ``Step``; a convolution's is of its weights with the patches of all pixels, which lie nowhere."""
        of = self.reading
        if of is None:
            return _of_lenet(self.batch)
        rows, w = self.batch * of.context, of.width
        last = products_of(rows, w, of.ids)
        if not of.heads:
            each_time = [Product(self.batch, w, 4 * w, "right"), Product(self.batch, 4 * w, w)]
            over_time = [*products_of(rows, w, 4 * w), Product(4 * w, rows, w, "left")]
            return [*over_time, *each_time * of.context, *last]
        block = [(w, 3 * w), (w, w), (w, 4 * w), (4 * w, w)]
        dense = [product for inputs, outputs in block for product in products_of(rows, inputs, outputs)]
        return [*(dense + _of_attention(self.batch, of)) * of.layers, *last]

    @property
    def batch_bytes(self) -> int:
        """See ``Step``; ids are of eight bytes."""
        of = self.reading
        return self.batch * (BYTES * PIXELS * PIXELS if of is None else 8 * of.context)


def _of_lenet(batch: int) -> list[Product]:
    found = []
    for k, (channels, outputs, side) in enumerate(LENET):
        found += products_of(batch * side * side, 25 * channels, outputs, first=k == 0)
    return found + [each for inputs, outputs in LENET_DENSE for each in products_of(batch, inputs, outputs)]


def _of_attention(batch: int, of: Reading) -> list[Product]:
    """Return those of a layer: two forward and four backward for each head, of which half a causal mask hides."""
    n, d = of.context, of.width // of.heads
    scores, sums = Product(n, d, n, "right"), Product(n, n, d)
    return [scores, sums] * (3 * batch * of.heads // 2)


FURTHER = (
    Further("LeNet", 32),
    Further("LeNet", 128),
    Further("LSTM", 32),
    Further("GPT", 16),
    Further("GPT of 4,192", 1),
    Further("GPT of 14,528", 1),
)
