"""The networks of the rows beyond dense, written once: minigrad's layers and PyTorch's have the same names.

``nn`` is ``minigrad.nn`` or ``torch.nn``. Parameters have the same names too, so that either loads the other's.
"""

from __future__ import annotations

import math
from typing import Any

from minigrad.bench.further import LENET, LENET_DENSE, Further, Reading


def network(row: Further, nn: Any, **options: Any) -> Any:
    """Return the network of a row; ``options`` go to every layer that draws weights (minigrad's ``rng``)."""
    of = row.reading
    if of is None:
        return lenet(nn, options)
    if not of.heads:
        return _lstm(of, nn, options)
    return _micro_gpt(of, nn, options) if of.plain else _gpt(of, nn, options)


def lenet(nn: Any, options: Any) -> Any:
    """LeNet-5 as the recipe ``lenet`` has it (LeCun et al. 1998, section II.B, with ReLU and maxima)."""
    (_, first, _), (_, second, _) = LENET
    dense: list[Any] = []
    for inputs, outputs in LENET_DENSE:
        dense += [nn.Linear(inputs, outputs, **options), nn.ReLU()]
    return nn.Sequential(
        *(nn.Conv2d(1, first, 5, padding=2, **options), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(first, second, 5, **options), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), *dense[:-1]),
    )


def _lstm(of: Reading, nn: Any, options: Any) -> Any:
    class Reader(nn.Module):  # type: ignore[misc, name-defined]
        """Ids embedded, an LSTM, a dense layer at each time."""

        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(of.ids, of.width, **options)
            self.layers = nn.LSTM(of.width, of.width, batch_first=True, **options)
            self.head = nn.Linear(of.width, of.ids, **options)

        def forward(self, ids: Any) -> Any:
            return self.head(self.layers(self.embedding(ids))[0])

    return Reader()


def _gpt(of: Reading, nn: Any, options: Any) -> Any:
    sizes = (of.ids, of.context, of.layers, of.heads, of.width)
    if hasattr(nn, "GPT"):
        return nn.GPT(*sizes, **options)
    from minigrad.bench.torch_gpt import GPT  # PyTorch has none of its own

    return GPT(*sizes)


def _micro_gpt(of: Reading, nn: Any, options: Any) -> Any:
    width, heads = of.width, of.heads
    home = nn if hasattr(nn, "scaled_dot_product_attention") else nn.functional
    attention = home.scaled_dot_product_attention

    class Micro(nn.Module):  # type: ignore[misc, name-defined]
        """A GPT as microGPT has it: one layer, without biases, its normalisations without weights."""

        def __init__(self) -> None:
            super().__init__()
            self.wte = nn.Embedding(of.ids, width, **options)
            self.wpe = nn.Embedding(of.context, width, **options)
            self.norm = nn.RMSNorm(width, 1e-5, elementwise_affine=False)
            self.qkv = nn.Linear(width, 3 * width, bias=False, **options)
            self.out = nn.Linear(width, width, bias=False, **options)
            self.up = nn.Linear(width, 4 * width, bias=False, **options)
            self.relu = nn.ReLU()
            self.down = nn.Linear(4 * width, width, bias=False, **options)
            self.head = nn.Linear(width, of.ids, bias=False, **options)

        def forward(self, ids: Any) -> Any:
            x = self.norm(self.wte(ids) + self.wpe.weight)
            x = x + self.out(self._attended(self.qkv(self.norm(x))))
            x = x + self.down(self.relu(self.up(self.norm(x))))
            return self.head(x)

        def _attended(self, qkv: Any) -> Any:
            n, context, _ = qkv.shape
            parts = qkv.reshape((n, context, 3, heads, width // heads))
            q, k, v = (parts[:, :, i].swapaxes(1, 2) for i in range(3))
            scale = 1 / math.sqrt(width // heads)
            y = attention(q, k, v, is_causal=True, scale=scale)
            return y.swapaxes(1, 2).reshape((n, context, width))

    return Micro()
