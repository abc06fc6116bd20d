"""mg.gradients and mg.grad asked for what they do not give: what they say to write is run, and is right."""

from __future__ import annotations

import re

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.errors import GradientError, OperationError

POINTS = np.array([0.5, -1.0, 2.0])


def watched():
    return mg.tensor(POINTS, requires_grad=True)


def advised(error):
    """The calls in a message, up to the bracket that closes each."""
    text = str(error.value)
    calls = []
    for start in (m.start() for m in re.finditer(r"mg\.\w+\(", text)):
        depth = 0
        for end, letter in enumerate(text[start:], start):
            depth += (letter == "(") - (letter == ")")
            if letter == ")" and depth == 0:
                calls.append(text[start : end + 1])
                break
    return calls


def test_many_outputs_are_summed_or_weighed():
    inputs, v = watched(), np.array([1.0, 2.0, 3.0])
    y = inputs**2
    with pytest.raises(GradientError, match=r"MG-202 gradients needs one number .* shape \(3,\)") as error:
        mg.gradients(y, inputs)
    assert "gradient=" not in str(error.value)
    summed, weighed = advised(error)
    names = {"mg": mg, "y": y, "inputs": inputs, "v": v}
    np.testing.assert_allclose(eval(summed, names)[0].data, 2 * POINTS)
    np.testing.assert_allclose(eval(weighed, names)[0].data, 2 * POINTS * v)


@pytest.mark.parametrize("transform", ["grad", "value_and_grad"])
def test_the_gradient_of_many_numbers_is_that_of_each_or_a_jacobian(transform):
    with pytest.raises(GradientError, match=r"MG-202 grad needs one number .* shape \(3,\)") as error:
        getattr(mg, transform)(np.tanh)(POINTS)
    each, matrix = advised(error)
    names = {"mg": mg, "tanh": np.tanh}
    slope = 1 - np.tanh(POINTS) ** 2
    np.testing.assert_allclose(eval(each, names)(POINTS).data, slope)
    np.testing.assert_allclose(eval(matrix, names)(POINTS).data, np.diag(slope))


@pytest.mark.parametrize("outputs", [3.0, np.float64(3.0), np.ones(2), None, [1.0]])
def test_outputs_without_a_graph(outputs):
    with pytest.raises(
        GradientError, match=r"MG-204 gradients differentiates a Tensor; outputs is .*\.item\(\)"
    ):
        mg.gradients(outputs, watched())


def test_inputs_by_name():
    inputs = {"a": watched(), "b": watched()}
    y = (inputs["a"] * inputs["b"] ** 2).sum()
    with pytest.raises(GradientError, match=r"MG-204 .* are a dict") as error:
        mg.gradients(y, inputs)
    found = eval(advised(error)[0], {"mg": mg, "outputs": y, "inputs": inputs})
    np.testing.assert_allclose(found[1].data, 2 * POINTS**2)


def test_inputs_in_a_module():
    inputs = nn.Linear(3, 1)
    y = inputs(mg.ones(2, 3)).sum()
    with pytest.raises(GradientError, match=r"MG-204 .* are a Linear") as error:
        mg.gradients(y, inputs)
    found = eval(advised(error)[0], {"mg": mg, "outputs": y, "inputs": inputs})
    np.testing.assert_allclose(found[0].data, [[2.0, 2.0, 2.0]])


@pytest.mark.parametrize("inputs", [None, 3])
def test_inputs_that_are_no_tensors(inputs):
    with pytest.raises(GradientError, match=f"MG-204 input 0 of gradients is {inputs}, and no Tensor"):
        mg.gradients((watched() ** 2).sum(), inputs)


@pytest.mark.parametrize("transform", ["grad", "value_and_grad"])
@pytest.mark.parametrize(
    "asked",
    [
        lambda t, y, x: t(y, x),
        lambda t, y, x: t(y, [x], create_graph=True),
        lambda t, y, x: t(y, grad_outputs=None),
        lambda t, y, x: t(y, x, allow_unused=True),
    ],
)
def test_grad_asked_as_in_pytorch_names_gradients(transform, asked):
    x = watched()
    y = x**3
    with pytest.raises(OperationError, match=f"MG-621 {transform} takes a function") as error:
        asked(getattr(mg, transform), y, x)
    (dx,) = eval(advised(error)[1], {"mg": mg, "y": y, "x": x})
    np.testing.assert_allclose(dx.data, 3 * POINTS**2)
    np.testing.assert_allclose(mg.gradients(dx.sum(), x)[0].data, 6 * POINTS)


@pytest.mark.parametrize("transform", ["grad", "value_and_grad"])
def test_a_keyword_that_is_not_there(transform):
    with pytest.raises(OperationError, match=r"MG-621 .* no parameter 'argnum', .* Write argnums"):
        getattr(mg, transform)(np.multiply, argnum=1)
    with pytest.raises(OperationError, match=r"MG-621 .* takes a function; it got 3.0, a float"):
        getattr(mg, transform)(3.0)


def test_another_library_s_tensors_and_modules_in_sight_do_not_matter():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    theirs, layer = torch.ones(3, requires_grad=True), torch.nn.ReLU()
    own = mg.Tensor(POINTS)
    with pytest.raises(GradientError, match=r"MG-204 .*own"):
        (own * 2).sum().backward()
    assert layer(theirs).requires_grad
