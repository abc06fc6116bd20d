"""Gradcheck of trees, Modules and large inputs: which entry differs, and by how much."""

from __future__ import annotations

import re
from collections import namedtuple

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, registry
from minigrad.errors import ConfigError, DtypeError, GradientError

A = np.random.default_rng(0).normal(size=(3, 4))
LARGE = np.random.default_rng(1).normal(size=(200, 300))
Pair = namedtuple("Pair", "first second")


@pytest.fixture(autouse=True)
def _restored_table(monkeypatch):
    monkeypatch.setattr(registry, "operations", dict(registry.operations))


def wrong_at(index, by, shape=A.shape):
    """tanh, whose rule is wrong by ``by`` at one entry."""
    extra = np.zeros(shape)
    extra[index] = by
    return mg.define(
        "my_tanh",
        lambda a: np.asarray(np.tanh(a)),
        "…",
        ("…", lambda g, y: g * (1 - y * y + extra)),
        inputs="a",
    )


@pytest.mark.parametrize("mode", ["auto", "full", "random"])
def test_trees_pass_where_the_rules_are_right(mode):
    def f(p, pair, factor):
        return {"sum": np.tanh(p["w"]) @ p["layers"][0], "other": (pair.first * pair.second * factor, p["b"])}

    p = {"w": A, "layers": [A[0]], "b": 2.0, "name": "w", "off": None}
    mg.gradcheck(f, [p, Pair(A[1], A[2]), 3], order=2, mode=mode)


@pytest.mark.parametrize("mode", ["auto", "full", "random"])
@pytest.mark.parametrize(
    ("make", "called"),
    [
        (lambda tanh: (lambda p: tanh(p["w"]) * 2.0, [{"b": A, "w": A}]), "input 0['w']"),
        (lambda tanh: (lambda b, p: tanh(p[1].second) * 2.0, [A, [A, Pair(A, A)]]), "input 1[1].second"),
        (lambda tanh: (lambda a, b: tanh(b) * 2.0 + a, [A, A]), "input 1"),
    ],
    ids=["dict", "nested", "two"],
)
def test_the_entry_is_named_by_its_path(mode, make, called):
    f, inputs = make(wrong_at((2, 3), 0.25))
    right = 2 * (1 - np.tanh(A[2, 3]) ** 2)
    with pytest.raises(GradientError) as caught:
        mg.gradcheck(f, inputs, mode=mode)
    first = str(caught.value).splitlines()[0]
    assert f" {called} at [2,3]: yours {right + 0.5:.5f}, numeric {right:.5f}." in first


def test_the_output_is_named_by_its_path():
    tanh = wrong_at((0, 1), 0.25)
    with pytest.raises(GradientError) as caught:
        mg.gradcheck(lambda a: {"x": a.sum(), "y": [tanh(a)]}, [A])
    assert str(caught.value).splitlines()[2].split()[:2] == ["[0,1]", "['y'][0][0,1]"]


def test_an_array_a_number_and_a_dict_are_the_only_argument():
    mg.gradcheck(lambda a: a @ a.T, A)
    mg.gradcheck(np.sin, 0.5)
    mg.gradcheck(lambda p: p["a"] * 2.0, {"a": A})


@pytest.mark.parametrize("mode", ["auto", "random"])
def test_a_module_is_checked_in_its_parameters_and_left_as_it_is(mode):
    model = nn.Sequential(nn.Linear(4, 3, rng=mg.generator(0)), nn.Tanh(), nn.LayerNorm(3))
    before = model.state_dict()
    mg.gradcheck(model, A, order=2, mode=mode)
    after = model.state_dict()
    assert all(
        np.array_equal(before[name], after[name]) and after[name].dtype == np.float32 for name in before
    )
    assert all(parameter.grad is None for parameter in model.parameters())


@pytest.mark.parametrize("mode", ["auto", "random"])
def test_a_parameter_is_named(mode):
    tanh = wrong_at((1, 2), 0.5, (2, 4))

    class Net(nn.Module):
        def __init__(self):
            self.inner = nn.Linear(4, 2, rng=mg.generator(0))

        def forward(self, x):
            return self.inner(x).sum() + tanh(self.inner.weight)

    model = Net()
    right = 1 - np.tanh(np.float64(model.inner.weight.numpy()[1, 2])) ** 2 + A[:, 2].sum()
    with pytest.raises(GradientError) as caught:
        mg.gradcheck(model, A, mode=mode)
    message = str(caught.value)
    assert message.startswith("MG-601 gradcheck 'Net' parameter 'inner.weight' at [1,2]: yours ")
    yours, numeric = map(float, re.search(r"yours (\S+), numeric (\S+)\. ", message).groups())
    assert yours - numeric == pytest.approx(0.5, abs=2e-5)
    assert right == pytest.approx(numeric, abs=2e-5)


def test_a_buffer_is_no_parameter():
    class Net(nn.Module):
        def __init__(self):
            self.mean = nn.Buffer(np.ones(4, np.float32))
            self.scale = nn.Parameter(np.ones(4, np.float32))

        def forward(self, x):
            return (x - self.mean.detach()) * self.scale

    mg.gradcheck(Net(), A)


def test_dropout_in_training_is_found_to_give_other_numbers():
    model = nn.Sequential(nn.Linear(4, 3, rng=mg.generator(0)), nn.Dropout(0.5, rng=mg.generator(1)))
    with pytest.raises(GradientError, match=r"MG-623 .*model\.eval\(\)"):
        mg.gradcheck(model, A)
    mg.gradcheck(model.eval(), A)


@pytest.mark.parametrize("count", [1, 5])
def test_random_directions_take_a_fixed_number_of_evaluations(count):
    calls = []

    def f(*arrays):
        calls.append(1)
        return sum(np.sin(a) for a in arrays)

    mg.gradcheck(f, [LARGE] * count, mode="random")
    assert len(calls) == 7


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("part", [0.1, 1e-2])
def test_random_directions_find_one_wrong_entry_among_60000(seed, part):
    tanh = wrong_at((123, 45), part, LARGE.shape)
    right = 1 - np.tanh(LARGE[123, 45]) ** 2
    with pytest.raises(GradientError) as caught:
        mg.gradcheck(
            lambda a: tanh(a).mean() * 1000.0, [LARGE], mode="random", rng=np.random.default_rng(seed)
        )
    at = f"at [123,45]: yours {(right + part) / 60:.5f}, numeric {right / 60:.5f}. 2 of 2 random directions differ."
    assert at in str(caught.value)


def test_mistakes():
    with pytest.raises(ConfigError, match=r"MG-802 .*auto, full, random.*'fast'"):
        mg.gradcheck(np.sin, [A], mode="fast")
    with pytest.raises(DtypeError, match=r"MG-213 .*input 0\['w'\] is float32"):
        mg.gradcheck(lambda p: p["w"], [{"w": A.astype("float32")}])
