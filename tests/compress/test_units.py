from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim
from minigrad.compress import importance, remove_units
from minigrad.compress.units import widths, with_widths
from minigrad.errors import ConfigError

X = np.random.default_rng(0).normal(size=(20, 6)).astype("float32")


def network(*between: nn.Module) -> nn.Sequential:
    rng = np.random.default_rng(1)
    return nn.Sequential(
        nn.Flatten(), nn.Linear(6, 8, rng=rng), nn.ReLU(), nn.Dropout(0.3, rng=rng),
        nn.Sequential(nn.Linear(8, 10, bias=False, rng=rng), *between), nn.Linear(10, 3, rng=rng),
    )  # fmt: skip


def outputs(model: nn.Module) -> Any:
    with mg.no_grad():
        return model.eval()(mg.Tensor(X)).numpy()


def test_removing_dead_units_changes_nothing() -> None:
    model = network(nn.Tanh())
    for layer, after, dead in (
        (model[1], model[4][0], [0, 3, 5, 7]),
        (model[4][0], model[5], [1, 2, 4, 8, 9]),
    ):
        after.weight.data[:, dead] = 0  # nobody listens to them
        assert layer.weight.shape[0] == 2 * len(dead)
    small = remove_units(model, 0.5)
    assert widths(small) == {"1": 4, "4.0": 5}
    np.testing.assert_allclose(outputs(small), outputs(model), rtol=1e-5, atol=1e-6)
    assert model[1].weight.shape == (8, 6)


def test_the_parameters_that_are_left() -> None:
    small = remove_units(network(), 0.5)
    assert {n: p.shape for n, p in small.named_parameters().items()} == {
        "1.weight": (4, 6), "1.bias": (4,), "4.0.weight": (5, 4), "5.weight": (3, 5), "5.bias": (3,),
    }  # fmt: skip
    assert small.count_parameters() == 4 * 7 + 20 + 18
    optimizer = optim.Adam(small.train(), lr=0.01)
    nn.CrossEntropyLoss()(small(mg.Tensor(X)), np.zeros(20, int)).backward()
    optimizer.step()


def test_importance_by_hand_and_that_a_relu_cannot_fool_it() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1))
    model[0].weight.data[:] = [[3, 0], [1, 2]]
    model[0].bias.data[:] = [4, 2]
    model[2].weight.data[:] = [[0.5, -2]]
    assert importance(model)["0"] == pytest.approx([5 * 0.5, 3 * 2])
    model[0].weight.data[0] *= 100
    model[0].bias.data[0] *= 100
    model[2].weight.data[0, 0] /= 100
    assert importance(model)["0"] == pytest.approx([5 * 0.5, 3 * 2])


@pytest.mark.parametrize(("share", "left"), [(0, 8), (0.25, 6), (0.5, 4), (0.99, 1), (1, 1)])
def test_how_many_are_left(share: float, left: int) -> None:
    assert remove_units(network(), share)[1].weight.shape == (left, 6)


def test_the_form_takes_the_weights_of_another() -> None:
    small = remove_units(network(), 0.5)
    form = with_widths(network(), widths(small))
    form.load_state_dict(small.state_dict())
    np.testing.assert_array_equal(outputs(form), outputs(small))


@pytest.mark.parametrize("wanted", [{"1": 9}, {"1": 0}, {"1": 2.0}, {"7": 2}, {"5": 2}, {"1": True}])
def test_impossible_widths_are_refused(wanted: Any) -> None:
    with pytest.raises(ConfigError, match="MG-822"):
        with_widths(network(), wanted)


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (nn.Linear(3, 2), "no hidden layer"),
        (nn.Sequential(nn.Linear(3, 2), nn.ReLU()), "no hidden layer"),
        (nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.Linear(4, 2)), "LayerNorm 4"),
    ],
)
def test_other_networks_are_refused(model: nn.Module, words: str) -> None:
    with pytest.raises(ConfigError, match=f"MG-822 .*{words}"):
        remove_units(model, 0.5)
    assert widths(model) == {}
