"""Every optimizer, found by walking the subclasses, against PyTorch over 200 steps, and against itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from minigrad_kernels import launch

from minigrad import Tensor
from minigrad.optim import (
    GD,
    SGD,
    AdaGrad,
    Adam,
    AdamAsPrinted,
    AdamW,
    AMSGrad,
    Lion,
    Muon,
    NAdam,
    Optimizer,
    RMSprop,
)
from minigrad.optim.chain import Chain

STEPS = 200
Case = tuple[dict[str, Any], str, dict[str, Any]]
L2 = {"weight_decay": 0.03}

# Per optimizer: its settings, PyTorch's class, and that class's settings.
CASES: dict[type[Optimizer], list[Case]] = {
    GD: [({"lr": 0.05}, "SGD", {"lr": 0.05}), ({}, "SGD", {}), ({**L2}, "SGD", L2)],
    SGD: [
        ({}, "SGD", {}),
        ({"lr": 0.05, **L2}, "SGD", {"lr": 0.05, **L2}),
        *(
            ({"lr": 0.02, "momentum": 0.9, **more}, "SGD", {"lr": 0.02, "momentum": 0.9, **more})
            for more in ({}, L2, {"nesterov": True}, {"nesterov": True, **L2})
        ),
    ],
    AdaGrad: [
        ({}, "Adagrad", {}),
        ({"lr": 0.3, "eps": 1e-3, **L2}, "Adagrad", {"lr": 0.3, "eps": 1e-3, **L2}),
    ],
    RMSprop: [
        ({}, "RMSprop", {}),
        ({"alpha": 0.9, "eps": 1e-3, **L2}, "RMSprop", {"alpha": 0.9, "eps": 1e-3, **L2}),
        *(
            ({**more, **L2}, "RMSprop", {**more, **L2})
            for more in ({"momentum": 0.9}, {"centered": True}, {"momentum": 0.5, "centered": True})
        ),
    ],
    Adam: [
        ({}, "Adam", {}),
        (
            {"lr": 0.01, "betas": (0.8, 0.9), "eps": 1e-3, **L2},
            "Adam",
            {"lr": 0.01, "betas": (0.8, 0.9), "eps": 1e-3, **L2},
        ),
    ],
    AdamW: [
        ({}, "AdamW", {}),
        ({"lr": 0.05, "weight_decay": 0.2}, "AdamW", {"lr": 0.05, "weight_decay": 0.2}),
        ({"weight_decay": 0.0}, "Adam", {}),
    ],
    AMSGrad: [
        ({"lr": 0.02, **L2}, "Adam", {"lr": 0.02, "amsgrad": True, **L2}),
    ],
    NAdam: [
        ({}, "NAdam", {}),
        ({"lr": 0.02, "momentum_decay": 0.1, **L2}, "NAdam", {"lr": 0.02, "momentum_decay": 0.1, **L2}),
    ],
    AdamAsPrinted: [],
    Lion: [],
    Muon: [],
    Chain: [],
}
NOT_IN_PYTORCH = {
    Lion: "by hand in test_program.py",
    Muon: "PyTorch's works in bfloat16 inside; see test_program.py",
    Chain: "what it is depends on its parts; see test_program.py",
    AdamAsPrinted: "the documents' own rule; see test_hand_table.py",
}


def walk(base: type) -> list[type]:
    return [found for child in base.__subclasses__() for found in (child, *walk(child))]


def optimizers() -> list[type[Optimizer]]:
    return [
        found
        for found in walk(Optimizer)
        if found.__module__.startswith("minigrad.") and "<locals>" not in found.__qualname__
    ]


def problem(dtype: str = "float64") -> tuple[list[np.ndarray], Any]:
    """Two parameters and their gradient at step t, which depends on where they are and on fresh noise."""
    rng = np.random.default_rng(11)
    starts = [rng.normal(size=(3, 4)).astype(dtype), rng.normal(size=5).astype(dtype)]
    targets = [rng.normal(size=s.shape).astype(dtype) + 3 for s in starts]
    noise = [rng.normal(size=(STEPS, *s.shape)).astype(dtype) for s in starts]
    return starts, lambda i, theta, t: (theta - targets[i]) + 0.3 * noise[i][t]


def run(opt: Optimizer, tensors: list[Tensor], gradient: Any, steps: int = STEPS) -> None:
    for t in range(steps):
        for i, tensor in enumerate(tensors):
            tensor.grad = Tensor(gradient(i, tensor.data, t))
        opt.step()


def tensors_at(starts: list[np.ndarray]) -> list[Tensor]:
    return [Tensor(s.copy(), requires_grad=True, name=f"p{i}") for i, s in enumerate(starts)]


def test_no_optimizer_dodges_this_file() -> None:
    for optimizer in optimizers():
        assert optimizer in CASES, f"add {optimizer.__name__} to CASES, with its PyTorch twin"
        assert CASES[optimizer] or optimizer in NOT_IN_PYTORCH, f"{optimizer.__name__} has no case"


def all_cases() -> list[Any]:
    return [
        pytest.param(optimizer, *case, id=f"{optimizer.__name__}-{i}")
        for optimizer, cases in CASES.items()
        for i, case in enumerate(cases)
    ]


@pytest.mark.parametrize("fast", [True, False], ids=["kernel", "formula"])
@pytest.mark.parametrize(("optimizer", "settings", "twin", "twin_settings"), all_cases())
def test_equals_pytorch(
    optimizer: type[Optimizer], settings: dict[str, Any], twin: str, twin_settings: dict[str, Any], fast: bool
) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    starts, gradient = problem()
    mine = tensors_at(starts)
    run(optimizer(mine, **settings, fast=fast), mine, gradient)

    theirs = [torch.tensor(s, requires_grad=True) for s in starts]
    opt = getattr(torch.optim, twin)(theirs, **twin_settings)
    for t in range(STEPS):
        for i, p in enumerate(theirs):
            p.grad = torch.from_numpy(gradient(i, p.detach().numpy(), t))
        opt.step()
    for start, a, b in zip(starts, mine, theirs, strict=True):
        assert not np.allclose(a.data, start, rtol=1e-2)  # it went somewhere
        rtol = 1e-6 if optimizer is NAdam else 1e-9  # PyTorch keeps the product of μ in float32
        np.testing.assert_allclose(a.data, b.detach().numpy(), rtol=rtol, atol=0)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("optimizer", [each for each in optimizers() if each not in (Muon, Chain)])
def test_kernel_formula_and_reference_agree_in_every_bit(optimizer: type[Optimizer], dtype: str) -> None:
    # A rate from np.linspace is a float64 scalar, which must not lift float32 arithmetic to float64.
    settings = [case[0] for case in CASES[optimizer]] + [{"lr": np.linspace(0, 0.1, 4)[1], "max_norm": 2.0}]
    starts, gradient = problem(dtype)
    for choice in settings:
        results = []
        for fast, reference in ((True, False), (True, True), (False, False)):
            tensors = tensors_at(starts)
            opt = optimizer(tensors, **choice, fast=fast)
            if reference:
                with launch.reference_only():
                    run(opt, tensors, gradient, steps=50)
            else:
                run(opt, tensors, gradient, steps=50)
            results.append([t.data for t in tensors] + [a for s in opt.state.values() for a in s.values()])
        for kernel, reference_, formula in zip(*results, strict=True):
            assert kernel.dtype == dtype
            np.testing.assert_array_equal(kernel.view(np.uint8), reference_.view(np.uint8))
            np.testing.assert_array_equal(kernel.view(np.uint8), formula.view(np.uint8))


@pytest.mark.parametrize("optimizer", [each for each in optimizers() if each not in (Muon, Chain)])
def test_the_coefficients_are_the_settings(optimizer: type[Optimizer]) -> None:
    for settings in [case[0] for case in CASES[optimizer]] or [{}]:
        opt = optimizer(tensors_at([np.ones(2)]), **settings)
        values = opt.kernel.coefficients(opt, 0.5, opt.l2, 0.25, 3)
        named = dict(zip(opt.kernel.names, values, strict=True))
        assert named["clip"] == 0.5
        assert named["l2"] == (0.0 if optimizer in (AdamW, Lion) else opt.weight_decay)
        assert named.get("decay", opt.weight_decay) == opt.weight_decay
        assert named.get("beta1", 0) == getattr(opt, "beta1", 0)
