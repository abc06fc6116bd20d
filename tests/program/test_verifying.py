"""A program that gives other numbers is found, and the array and the instruction are named."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim
from minigrad.errors import ProgramError
from minigrad.program.functions import Function


class Planted(Function):
    """A function whose last array is a quarter off, in one entry."""

    def __init__(self, whole: Function) -> None:
        self.whole = whole
        super().__init__(whole.name, self._off)
        self.text = whole.text  # type: ignore[method-assign]

    @property
    def scope(self) -> dict[str, Any]:
        return {**self.whole.scope, self.name: self.run}

    def _off(self, *args: Any, **options: Any) -> Any:
        result = self.whole.run(*args, **options)
        array = args[0] if result is None else result[-1] if isinstance(result, tuple) else result
        array.flat[0] += 0.25
        return result


PLANTS = {  # the function that is off, and what is named: the first array that it leaves, and its instruction
    "np.tanh": ("'the result'", r"v\d+ = np\.tanh\(v\d+\), from test_verifying\.py line \d+"),
    "linear_backward": (
        "'model_0_bias'",
        r"\(.*d_model_0_weight.*\) = linear_backward\(.*\), from test_verifying\.py line \d+",
    ),
    "adam": ("'model_0_weight'", r"adam\(model_0_weight, .*\), from test_verifying\.py line \d+"),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", PLANTS)
def test_a_planted_difference_is_named(name: str, dtype: str) -> None:
    rng = np.random.default_rng(0)
    layers = [nn.Linear(3, 4, rng=rng), nn.Tanh(), nn.Dropout(0.2), nn.Linear(4, 2, rng=rng)]
    model = nn.Sequential(*layers).to(dtype)
    nn.seed_dropout(model, 1)
    optimizer = optim.Adam(model, lr=0.1)

    @mg.compile
    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        loss = nn.cross_entropy(model(mg.Tensor(x)), y)
        loss.backward()
        optimizer.step()
        return loss

    x, y = rng.standard_normal((6, 3)).astype(dtype), rng.integers(0, 2, 6)
    step(x, y)
    before = model.state_dict(), optimizer.t
    program = step.program
    wanted = [each for each in program.listing.instructions if each.function.name == name]
    wanted[-1 if name == "linear_backward" else 0].function = Planted(wanted[0].function)
    program._replayed = list(program.stages.values())[-1]
    array, instruction = PLANTS[name]
    with pytest.raises(ProgramError, match="MG-635") as raised:
        step(x, y)
    assert array in raised.value.message
    assert re.search(rf"The first instruction whose numbers differ: {instruction}", raised.value.message)
    assert optimizer.t == before[1]
    for key, whole in before[0].items():
        np.testing.assert_array_equal(model.state_dict()[key], whole)
