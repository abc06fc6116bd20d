"""Cases of attention: a function of q, k and v (and a mask), and of the three side by side."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.ops.attention import attention, self_attention
from tests.ops.cases.core import Case, between


def _attention(mask: Any = None, **options: Any) -> Callable[..., Any]:
    return lambda q, k, v, *added: attention(q, k, v, *(added or (mask,)), None, **options)


def _dropped(causal: bool = False) -> Callable[..., Any]:
    return lambda q, k, v, seed: attention(q, k, v, None, seed, scale=0.7, p=0.4, causal=causal)


def attentions() -> list[Case]:
    n = between(-1, 1)
    seed = np.array(7)

    def three(*shapes: tuple[int, ...]) -> tuple[Any, ...]:
        return tuple(n(shape) for shape in shapes)

    turned = tuple(n((2, 3)).T for _ in range(3))
    return [
        Case("contiguous", _attention(scale=0.5), three((3, 2), (4, 2), (4, 3))),
        Case("contiguous", _attention(causal=True), three((2, 3, 2), (2, 3, 2), (2, 3, 1))),
        Case(
            "contiguous", _attention(), (*three((2, 2), (3, 2), (3, 2)), n((2, 3)))
        ),  # a mask with a gradient
        Case("contiguous", _dropped(), (*three((2, 3, 2), (2, 4, 2), (2, 4, 2)), seed)),
        Case("transposed", _attention(causal=True, scale=0.3), turned),
        Case("broadcast", _attention(), three((2, 1, 3, 2), (3, 2), (2, 3, 2))),
        Case("broadcast", _attention(), (*three((2, 3, 2), (2, 2, 2), (2, 2, 1)), n((2, 1, 2)))),
        Case("broadcast", _attention(), tuple(np.broadcast_to(n((1, 2)), (3, 2)) for _ in range(3))),
        Case("size-0", _attention(), three((0, 2), (3, 2), (3, 2))),
        Case("size-0", _attention(), three((0, 2, 2), (0, 3, 2), (0, 3, 2))),
        Case("size-1", _attention(scale=0.5), three((1, 1), (1, 1), (1, 1))),
        Case("size-1", _dropped(causal=True), (*three((1, 2), (2, 2), (2, 1)), seed)),
    ]


def self_attentions() -> list[Case]:
    n = between(-1, 1)

    def f(qkv: Any) -> Any:
        return self_attention(qkv, None, None, heads=2, causal=True, scale=0.5)

    def dropped(qkv: Any, seed: Any) -> Any:
        return self_attention(qkv, None, seed, heads=1, scale=0.5, p=0.3)

    return [
        Case("contiguous", f, (n((2, 3, 6)),)),
        Case("contiguous", dropped, (n((3, 6)), np.array(5))),
        Case("transposed", f, (n((12, 2)).T,)),
        Case("broadcast", f, (np.broadcast_to(n((1, 6)), (3, 6)),)),
        Case("size-0", f, (n((0, 6)),)),
        Case("size-0", f, (n((0, 2, 6)),)),
        Case("size-1", lambda qkv: self_attention(qkv, None, None, heads=1), (n((1, 3)),)),
    ]


CASES: dict[str, list[Case]] = {"dot_product_attention": attentions(), "self_attention": self_attentions()}

COMPOSED: dict[str, list[Case]] = {}

CONSTANT: dict[str, Callable[..., Any]] = {}
