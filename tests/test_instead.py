"""What a refusal tells to write is run: it gives what the refused function gives, with the right gradient."""

from __future__ import annotations

import numpy as np
import pytest

import minigrad as mg
from minigrad import registry, words
from minigrad.errors import OperationError

LINE = np.array([0.5, 1.25, 2.0, 0.75])
OTHER = np.array([1.5, 0.625, 3.0, 2.5])
HOLED = np.array([0.5, np.nan, 2.0, 0.75])
SQUARE = np.sin(np.arange(9.0)).reshape(3, 3)
INDEX = np.array([2, 0, 2, 1])

# how NumPy spells what takes more than one array t; u is another, n is 2
CALLS = {
    "add.at": "added_at(t, index, u)",
}
MATRICES: set[str] = set()
HOLES: set[str] = set()


def added_at(t, index, u):
    result = t.copy()
    np.add.at(result, index, u)
    return result


def sample(name):
    return SQUARE if name in MATRICES else HOLED if name in HOLES else LINE


@pytest.mark.parametrize("name", words.INSTEAD)
def test_the_composition_gives_what_numpy_gives(name):
    names = {"np": np, "mg": mg, "n": 2, "index": INDEX}
    call = CALLS.get(name, f"np.{name}(t)")
    expected = eval(call, {**names, "t": sample(name), "u": OTHER, "added_at": added_at})
    value = eval(words.INSTEAD[name], {**names, "t": mg.Tensor(sample(name)), "u": mg.Tensor(OTHER)})
    np.testing.assert_allclose(value.data, expected, rtol=1e-13)


@pytest.mark.parametrize("name", sorted(set(words.INSTEAD) - {"count_nonzero"}))
def test_the_composition_keeps_the_graph(name):
    def composed(t, u):
        return eval(words.INSTEAD[name], {"np": np, "mg": mg, "n": 2, "index": INDEX, "t": t, "u": u})

    mg.gradcheck(composed, [sample(name).copy(), OTHER.copy()])


@pytest.mark.parametrize("name", words.INSTEAD)
def test_the_message_of_a_function_without_a_rule_names_it(name):
    told = str(words.no_rule(name))
    assert told.startswith(
        f"MG-602 np.{name}(tensor) has no gradient rule in minigrad. Write {words.INSTEAD[name]}. "
    )
    assert "mg.define" in told
    assert ".numpy()" in told


@pytest.mark.parametrize(
    ("call", "parts"),
    [
        (lambda t: np.linalg.eigvals(t), ["np.linalg.eigvals(tensor)", "complex numbers", "t.numpy()"]),
        (lambda t: np.add.reduceat(t, [0]), ["np.add.reduceat(tensor)", "np.add.reduce(t[start:stop])"]),
        (lambda t: np.hypot.at(t, [0], t), ["np.hypot.at(tensor)", "np.where(mask, np.hypot(t, u), t)"]),
        (
            lambda t: np.sin(t, where=np.array([True])),
            ["np.sin(tensor, where=…)", "np.where(condition, a, b)"],
        ),
        (lambda t: np.exp(t, dtype="int64"), ["np.exp(tensor, dtype=…)", "t.astype('float64')"]),
        (lambda t: np.fft.fft(t), ["np.fft.fft(tensor)", "complex numbers", "t.numpy()"]),
    ],
)
def test_functions_without_a_rule_say_what_to_write(call, parts):
    with pytest.raises(OperationError, match="MG-602") as caught:
        call(mg.Tensor([[1.0, 2.0]], requires_grad=True))
    for part in parts:
        assert part in str(caught.value)


@pytest.mark.parametrize("name", words.INSTEAD)
def test_what_has_a_rule_by_now_is_on_no_list(name):
    function = np
    for part in name.split("."):
        function = getattr(function, part)
    assert function not in registry.functions
