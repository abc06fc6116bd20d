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
    "add.accumulate": "np.add.accumulate(t)",
    "add.at": "added_at(t, index, u)",
    "add.reduce": "np.add.reduce(t)",
    "append": "np.append(t, u)",
    "array_split": "np.array_split(t, [2])",
    "average": "np.average(t, weights=u)",
    "column_stack": "np.column_stack([t, u])",
    "delete": "np.delete(t, n)",
    "dstack": "np.dstack([t, u])[0]",
    "full_like": "np.full_like(t, n)",
    "hstack": "np.hstack([t, u])",
    "maximum.reduce": "np.maximum.reduce(t)",
    "minimum.reduce": "np.minimum.reduce(t)",
    "multiply.accumulate": "np.multiply.accumulate(t)",
    "multiply.reduce": "np.multiply.reduce(t)",
    "repeat": "np.repeat(t, n)",
    "roll": "np.roll(t, n)",
    "take": "np.take(t, [n, 0])",
    "tile": "np.tile(t, n)",
    "vstack": "np.vstack([t, u])",
    **{f"{name}.outer": f"np.{name}.outer(t, u)" for name in ("add", "subtract", "multiply", "divide")},
    **{
        name: f"np.{name}(t, u)"
        for name in (
            *("float_power", "fmax", "fmin", "fmod", "hypot", "inner", "logaddexp", "mod", "outer"),
            *("remainder", "vdot"),
        )
    },
}
MATRICES = {"diagonal", "fliplr", "flipud", "rollaxis", "rot90", "trace", "tril", "triu"}
HOLES = {"nan_to_num", "nanmax", "nanmean", "nanmin", "nansum"}


def added_at(t, index, u):
    result = t.copy()
    np.add.at(result, index, u)
    return result


def sample(name):
    return SQUARE if name in MATRICES else HOLED if name in HOLES else LINE


@pytest.mark.parametrize("name", words.INSTEAD)
def test_the_composition_gives_what_numpy_gives(name):
    names = {"np": np, "mg": mg, "n": 2, "index": INDEX}
    call = CALLS.get(name, "np.rollaxis(t, 1)" if name == "rollaxis" else f"np.{name}(t)")
    expected = eval(call, {**names, "t": sample(name), "u": OTHER, "added_at": added_at})
    value = eval(words.INSTEAD[name], {**names, "t": mg.Tensor(sample(name)), "u": mg.Tensor(OTHER)})
    if isinstance(expected, list):
        expected, value = np.concatenate(expected), np.concatenate(value)
    np.testing.assert_allclose(value.data, expected, rtol=1e-13)


@pytest.mark.parametrize("name", sorted(set(words.INSTEAD) - HOLES - {"count_nonzero", "full_like", "round"}))
def test_the_composition_keeps_the_graph(name):
    def composed(t, u):
        made = eval(words.INSTEAD[name], {"np": np, "mg": mg, "n": 2, "index": INDEX, "t": t, "u": u})
        return np.concatenate(made) if isinstance(made, list) else made

    if name.startswith("fmod") or name in ("mod", "remainder"):
        return  # their floor has no graph: what is left is checked by value
    mg.gradcheck(composed, [sample(name).copy(), OTHER.copy()])


@pytest.mark.parametrize("name", words.INSTEAD)
def test_the_message_of_a_function_without_a_rule_names_it(name):
    told = str(words.no_rule(name))
    assert told.startswith(
        f"MG-602 np.{name}(tensor) has no gradient rule in minigrad. Write {words.INSTEAD[name]}. "
    )
    assert "mg.define" in told
    assert ".numpy()" in told


@pytest.fixture
def _forget_operations():
    before = [dict(each) for each in (registry.operations, registry.functions)]
    yield
    for each, entries in zip((registry.operations, registry.functions), before, strict=True):
        each.clear()
        each.update(entries)


@pytest.mark.parametrize("name", words.RULES)
@pytest.mark.usefixtures("_forget_operations")
def test_a_definition_that_is_written_out_is_right(name):
    points = np.array([0.25, 0.5, 0.75]) + (1 if name == "arccosh" else 0)
    with pytest.raises(OperationError, match="MG-602") as caught:
        getattr(np, name)(mg.Tensor(points, requires_grad=True))
    line = words.definition(name)
    assert line in str(caught.value)
    exec(line, {"np": np, "mg": mg})
    mg.gradcheck(getattr(np, name), [points], order=2)


@pytest.mark.parametrize(
    ("call", "parts"),
    [
        (lambda t: np.fabs(t), ["np.fabs(tensor)", "np.abs(t)", "mg.define"]),
        (lambda t: np.linalg.norm(t), ["np.linalg.norm(tensor)", "np.sqrt(np.sum(t * t))"]),
        (lambda t: np.linalg.inv(t), ["np.linalg.inv(tensor)", "mg.define", "t.numpy()"]),
        (lambda t: np.add.reduce(t), ["np.add.reduce(tensor)", "np.sum(t, axis=0)"]),
        (
            lambda t: np.sin(t, where=np.array([True])),
            ["np.sin(tensor, where=…)", "np.where(condition, a, b)"],
        ),
        (lambda t: np.exp(t, dtype="float64"), ["np.exp(tensor, dtype=…)", "t.astype('float64')"]),
        (lambda t: np.hstack([t, t]), ["np.hstack(tensor)", "np.concatenate([t, u])"]),
        (lambda t: np.fft.fft(t), ["np.fft.fft(tensor)", "complex numbers", "t.numpy()"]),
        (lambda t: np.polyval(t, 2.0), ["np.polyval(tensor)", "polynomials", "sum of powers"]),
        (lambda t: np.put(t, [0], 1.0), ["np.put(tensor)", "t[...] = value"]),
        (lambda t: np.interp(t, t, t), ["np.interp(tensor)", "mg.define"]),
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
