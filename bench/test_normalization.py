"""Normalisation and the losses beside plain cross-entropy, forwards and backwards, in minigrad and in PyTorch.

Two frameworks in one process disturb each other: compare the two with ``-k minigrad`` and ``-k torch``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

LAYERS: dict[str, tuple[str, tuple[Any, ...], tuple[int, ...]]] = {
    # what it is: the class, its settings, and x's shape
    "LayerNorm, a GPT's": ("LayerNorm", (128,), (16, 64, 128)),
    "LayerNorm, small": ("LayerNorm", (64,), (32, 64)),
    "RMSNorm, a GPT's": ("RMSNorm", (128,), (16, 64, 128)),
    "GroupNorm of pictures": ("GroupNorm", (4, 16), (32, 16, 14, 14)),
    "BatchNorm2d of pictures": ("BatchNorm2d", (16,), (32, 16, 14, 14)),
    "BatchNorm1d of rows": ("BatchNorm1d", (256,), (128, 256)),
    "SiLU": ("SiLU", (), (128, 1024)),
    "GELU by tanh": ("GELU", ("tanh",), (128, 1024)),
}


def ours(kind: str, settings: tuple[Any, ...], x: np.ndarray, g: np.ndarray) -> Callable[[], None]:
    import minigrad as mg
    from minigrad import nn

    settings, named = ((), {"approximate": "tanh"}) if kind == "GELU" else (settings, {})
    layer, t = getattr(nn, kind)(*settings, **named), mg.Tensor(x, requires_grad=True)

    def step() -> None:
        t.grad = None
        layer.zero_grad()
        layer(t).backward(g)

    return step


def theirs(kind: str, settings: tuple[Any, ...], x: np.ndarray, g: np.ndarray) -> Callable[[], None]:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    settings, named = ((), {"approximate": "tanh"}) if kind == "GELU" else (settings, {})
    layer, t = getattr(torch.nn, kind)(*settings, **named), torch.tensor(x, requires_grad=True)
    gradient = torch.from_numpy(g)

    def step() -> None:
        t.grad = None
        layer.zero_grad()
        layer(t).backward(gradient)

    return step


@pytest.mark.parametrize("program", [pytest.param(ours, id="minigrad"), pytest.param(theirs, id="torch")])
@pytest.mark.parametrize("what", LAYERS)
def test_layer(benchmark: Any, what: str, program: Callable[..., Callable[[], None]]) -> None:
    kind, settings, shape = LAYERS[what]
    rng = np.random.default_rng(0)
    x, g = (rng.standard_normal(shape, dtype=np.float32) for _ in range(2))
    benchmark.group = what
    benchmark(program(kind, settings, x, g))
