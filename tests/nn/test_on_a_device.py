"""Layers and losses stay on the device where their input is: forwards, backwards, and in evaluation, without a copy."""

from __future__ import annotations

import numpy as np
import pytest

import minigrad as mg
from minigrad import backend, nn
from tests import cuda, strict_array

RNG = np.random.default_rng(0)
X = RNG.normal(size=(6, 4)).astype("float32")
P = np.abs(X) / 5
LABELS = np.array([0, 1, 2, 3, 1, -1])
SIGNS = np.ones(6, "float32")

CASES = {
    "BatchNorm1d": (lambda: nn.BatchNorm1d(4), (X,)),
    "LayerNorm": (lambda: nn.LayerNorm(4), (X,)),
    "RMSNorm": (lambda: nn.RMSNorm(4), (X,)),
    "GroupNorm": (lambda: nn.GroupNorm(2, 4), (X,)),
    "Softplus": (nn.Softplus, (X,)),
    "PReLU": (lambda: nn.PReLU(4), (X,)),
    "GLU": (nn.GLU, (X,)),
    "CrossEntropyLoss": (
        lambda: nn.CrossEntropyLoss(np.arange(1, 5, dtype="float32"), ignore_index=-1, label_smoothing=0.1),
        (X, LABELS),
    ),
    "NLLLoss": (lambda: nn.NLLLoss(ignore_index=-1), (X, LABELS)),
    "BCELoss": (nn.BCELoss, (P, P)),
    "KLDivLoss": (lambda: nn.KLDivLoss("batchmean"), (X, P)),
    "HuberLoss": (nn.HuberLoss, (X, P)),
    "CosineSimilarity": (nn.CosineSimilarity, (X, P)),
    "CosineEmbeddingLoss": (nn.CosineEmbeddingLoss, (X, P, SIGNS)),
}


@pytest.mark.parametrize("device", cuda.DEVICES)
@pytest.mark.parametrize("name", CASES)
def test_a_step_copies_nothing_and_has_the_same_numbers(name, device):
    make, arrays = CASES[name]
    found = []
    for place in (device, "cpu"):
        module = make().to(place)
        x, *others = (backend.to_device(a, place) for a in arrays)
        t = mg.Tensor(x, requires_grad=True)
        strict_array.copies.clear()
        y = module(t, *others)
        (y * y).sum().backward()
        z = module.eval()(t, *others)
        assert not strict_array.copies
        assert y.device == z.device == t.grad.device == place
        found.append([y.numpy(), z.numpy(), t.grad.numpy()])
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
