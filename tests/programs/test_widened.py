"""Where float64 slipped into a float32 program, the message names the operation and the operand that brought it."""

from __future__ import annotations

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.errors import DtypeError

RNG = np.random.default_rng(0)
NOISE = RNG.normal(size=(4, 3))
LAYER = nn.Linear(3, 2, rng=RNG)

# how float64 comes in, of a float32 tensor h of 4 x 3; what the message names
SLIPS = {
    "noise of NumPy's": (lambda h: h + np.exp(h) * NOISE, "multiply", r"an array of shape \(4, 3\)"),
    "a mask": (lambda h: (h * (NOISE > 0).astype(float)).relu(), "multiply", r"an array of shape \(4, 3\)"),
    "a parameter": (
        lambda h: h.tanh() / mg.Tensor(np.ones(3), requires_grad=True, name="gain") + 1,
        "divide",
        "'gain'",
    ),
    "joined": (
        lambda h: np.concatenate([h[:, :1], np.ones((4, 2))], axis=1),
        "concatenate",
        r"an array of shape",
    ),
    "far behind": (
        lambda h: sum((h - NOISE[0]).sin() for _ in range(3)),
        "subtract",
        r"an array of shape \(3,\)",
    ),
}
PRODUCTS = {
    "a layer": LAYER,
    "a matmul": lambda x: x @ LAYER.weight.T,
    "a loss": lambda x: nn.mse(x, mg.ones((4, 3))),
    "np.dot": lambda x: np.dot(x, LAYER.weight.T),
}


@pytest.mark.parametrize("product", PRODUCTS)
@pytest.mark.parametrize("slip", SLIPS)
def test_the_operation_that_widened_is_named(slip, product):
    widen, operation, operand = SLIPS[slip]
    x = widen(mg.Tensor(NOISE.astype("float32"), requires_grad=True))
    with pytest.raises(
        DtypeError, match=rf"MG-211 .* float64 came in at {operation} \(.*line \d+\): {operand}"
    ):
        PRODUCTS[product](x)


@pytest.mark.parametrize("product", PRODUCTS)
def test_data_in_float64_are_not_blamed_on_an_operation(product):
    for x in (mg.Tensor(NOISE), mg.Tensor(NOISE, requires_grad=True) * 2):
        with pytest.raises(DtypeError, match="MG-211") as error:
            PRODUCTS[product](x)
        assert "came in" not in str(error.value)


def test_a_cast_of_the_operand_that_is_named_is_enough():
    h = mg.Tensor(NOISE.astype("float32"), requires_grad=True)
    assert LAYER(h + np.exp(h) * NOISE.astype("float32")).dtype == np.float32
