"""Checks of tutorial 17: from here to PyTorch. None of them needs PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad import nn
from minigrad.errors import MinigradError
from minigrad.exercises.checking import NotYet, answer, array, call, judge
from minigrad.tensor import Tensor


def _dict(given: Any, keys: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise NotYet(f"a dict is wanted, and this is {type(given).__name__}.")
    missing, extra = [key for key in keys if key not in given], [key for key in given if key not in keys]
    if missing or extra:
        found = ", ".join(map(str, given)) or "none"
        raise NotYet(f"the keys have to be {', '.join(keys)}; yours are {found}.")
    return {key: array(value) for key, value in given.items()}


@answer("17.1", right="the transpose, and another name: x @ kernel is x @ weightᵀ.")
def from_keras(given: Any) -> str | None:
    """{'weight': kernelᵀ, 'bias': bias}."""
    kernel, bias = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), np.array([0.5, -0.5])
    got = _dict(call(given, {"kernel": kernel.copy(), "bias": bias.copy()}), ("weight", "bias"))
    hint = judge(
        got["weight"],
        kernel.T,
        {
            "a reshape gives the right shape and mixes the numbers up; the axes have to change places: .T": (
                kernel.reshape(2, 3)
            ),
            "that is still (in, out); nn.Linear keeps (out, in).": kernel,
        },
        otherwise="weight[o, i] has to be kernel[i, o].",
    )
    return hint or judge(got["bias"], bias, otherwise="the bias stays as it is.")


@answer("17.2", right="ReLU has no weights but has a number: the second Linear is layer 2.")
def renamed(given: Any) -> str | None:
    """fc1 becomes 0, fc2 becomes 2."""
    rng = np.random.default_rng(0)
    model = nn.Sequential(nn.Linear(3, 4, rng=rng), nn.ReLU(), nn.Linear(4, 2, rng=rng))
    arrays = {
        f"{layer}.{kind}": rng.standard_normal(shape).astype(np.float32)
        for layer, kind, shape in (
            ("fc1", "weight", (4, 3)),
            ("fc1", "bias", (4,)),
            ("fc2", "weight", (2, 4)),
            ("fc2", "bias", (2,)),
        )
    }
    state = call(given, {name: value.copy() for name, value in arrays.items()})
    if not isinstance(state, dict):
        return f"a dict is wanted, and this is {type(state).__name__}."
    names = [str(name) for name in state]
    if any(name.startswith("1.") for name in names):
        return "layer 1 is the ReLU: it has no weights, but it takes a number. What number has the second Linear?"
    if any(name.startswith("fc") for name in names):
        return "the names still begin with fc; a Sequential calls its layers by their numbers, 0.weight and so on."
    try:
        model.load_state_dict(state)
    except MinigradError as error:
        return f"the model refuses it: {error}"
    x = rng.standard_normal((5, 3)).astype(np.float32)
    hidden = np.maximum(x @ arrays["fc1.weight"].T + arrays["fc1.bias"], 0)
    return judge(
        model(Tensor(x)),
        hidden @ arrays["fc2.weight"].T + arrays["fc2.bias"],
        otherwise="it loads, but computes something else: each array has to keep its own layer and kind.",
        rtol=1e-4,
        atol=1e-5,
    )


@answer(
    "17.3",
    right="PyTorch's new rate scales the old velocity too; the paper's keeps the rate at which it was gained.",
)
def two_momenta(given: Any) -> str | None:
    """−0.1 − 0.01 · 1.5 and −0.1 + (0.5 · (−0.1) − 0.01)."""
    if array(given).size != 2:
        raise NotYet("two numbers are wanted: (PyTorch's, the paper's).")
    return judge(
        given,
        (-0.115, -0.16),
        {
            "the two are swapped: PyTorch's comes first.": (-0.16, -0.115),
            "the sign: with g = 1 both go down, to negative θ.": (0.115, 0.16),
            "those are the second steps alone; add the first, −0.1.": (-0.015, -0.06),
            "that is without momentum: the second step still feels half of the first gradient.": (
                -0.11,
                -0.11,
            ),
            "the rate falls: the second step has η = 0.01.": (-0.25, -0.25),
            "the two differ once the rate changes: the paper's v is −0.1 after step 1, and half of it stays.": (
                -0.115,
                -0.115,
            ),
            "PyTorch's old velocity is multiplied by the new rate: θ = −0.1 − 0.01 · (0.5 · 1 + 1).": (
                -0.16,
                -0.16,
            ),
        },
        otherwise="step 1 is the same, θ = −0.1. Then b = 0.5 · 1 + 1, and v = 0.5 · (−0.1) − 0.01.",
        rtol=1e-4,
    )
