"""Debug mode's look at the first gradients: said where it is so, with the right numbers, and nowhere else."""

import re
import warnings

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.errors import MinigradWarning, ShapeError

LABELS = np.array([0, 1, 2, 0, 1, 2, 0, 1])


@pytest.fixture(autouse=True)
def _anew(monkeypatch):
    monkeypatch.setattr("minigrad.errors._warned", set())


def inputs():
    return np.random.default_rng(1).normal(size=(8, 4)).astype("float32")


def messages(forward, loss=lambda outputs: nn.cross_entropy(outputs, LABELS)):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with mg.debug():
            loss(forward(mg.Tensor(inputs()))).backward()
    return [str(w.message) for w in caught if issubclass(w.category, MinigradWarning)]


def two_layers(fill=None):
    rng = np.random.default_rng(0)
    model = nn.Sequential(nn.Linear(4, 6, rng=rng), nn.ReLU(), nn.Linear(6, 3, rng=rng))
    model.named_parameters()
    for p in model.parameters() if fill is not None else ():
        p.data[...] = fill
    return model


@pytest.mark.parametrize("fill", [0.0, 0.5])
def test_units_that_are_alike_are_told(fill):
    [message] = messages(two_layers(fill))
    assert message.startswith("MG-406 the 6 units of ")
    assert "(6, 4) are all alike" in message
    assert "he_normal((6, 4), rng)" in message


def test_random_weights_are_not():
    assert messages(two_layers()) == []


def test_alike_weights_that_get_different_gradients_are_no_symptom():
    """Zeros in the last layer, or in the only one, are an honest start: the targets tell its units apart."""
    model = two_layers()
    list(model.parameters())[2].data[...] = 0
    assert messages(model) == []
    only = nn.Linear(4, 3)
    only.weight.data[...] = 0
    assert messages(only) == []
    only.zero_grad()
    assert messages(only, loss=lambda outputs: outputs.sum()) == []
    model = two_layers()
    next(iter(model.parameters())).data[...] = 0  # the biases and the layer above tell the units apart
    assert messages(model) == []


def test_one_unit_is_not_alike():
    rng = np.random.default_rng(0)
    assert messages(nn.Sequential(nn.Linear(4, 1, rng=rng), nn.Linear(1, 3, rng=rng))) == []


def test_units_of_a_product_are_the_columns():
    first = mg.Tensor(np.full((4, 5), 0.1, np.float32), requires_grad=True, name="W1")
    second = mg.Tensor(
        np.random.default_rng(0).normal(size=(5, 3)).astype("float32"), requires_grad=True, name="W2"
    )
    second.data[...] = second.data[:1]
    [message] = messages(lambda x: np.tanh(x @ first) @ second)
    assert message.startswith("MG-406 the 5 units of 'W1' (4, 5)")
    first.data[:, 0] = 0.2
    assert messages(lambda x: np.tanh(x @ first) @ second) == []


def chain(depth, activation, init):
    rng = np.random.default_rng(0)
    parts = [p for _ in range(depth) for p in (nn.Linear(4, 4, rng=rng, init=init), activation())]
    return nn.Sequential(*parts)


def root_mean_square(w):
    return float(np.sqrt(np.mean(w.grad.numpy().astype(np.float64) ** 2)))


def test_a_gradient_that_vanishes_is_told_with_its_numbers():
    model = chain(8, nn.Sigmoid, "glorot_uniform")
    dict(model.named_parameters())
    [message] = messages(model, loss=lambda outputs: outputs.sum())
    assert message.startswith("MG-407")
    weights = [p for p in model.parameters() if p.ndim == 2]
    first, last = root_mean_square(weights[0]), root_mean_square(weights[-1])
    assert last > 1000 * first > 0
    assert f"its entries are {last:.3g} in '14.weight', but {first:.3g} in '0.weight'" in message
    assert f"{last / first:.4g} times" in message
    assert "first of the 8 layers" in message


@pytest.mark.parametrize(
    ("depth", "activation", "init"),
    [(8, nn.ReLU, "he_normal"), (8, nn.Tanh, "glorot_uniform"), (2, nn.Sigmoid, "glorot_uniform")],
)
def test_a_gradient_that_does_not_vanish_is_not(depth, activation, init):
    assert messages(chain(depth, activation, init), loss=lambda outputs: outputs.sum()) == []


def test_a_gradient_of_nothing_at_all_is_told_without_a_ratio():
    weights = [
        mg.Tensor(np.random.default_rng(i).normal(size=(4, 4)).astype("float32"), requires_grad=True)
        for i in range(3)
    ]
    dead = lambda x: np.maximum(x @ weights[0] - 1e3, 0) @ weights[1] + x @ weights[2]  # noqa: E731
    [message] = messages(dead, loss=lambda outputs: outputs.sum())
    assert message.startswith("MG-407")
    assert "but 0 in a weight matrix (root mean squares)" in message


def test_nothing_is_said_without_a_backward_pass_or_after_an_error():
    model = two_layers(0.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with mg.debug():
            model(mg.Tensor(inputs()))
        with pytest.raises(ShapeError, match="MG-110"):
            _train_wrongly(model)


def _train_wrongly(model):
    with mg.debug():
        nn.cross_entropy(model(mg.Tensor(inputs())), LABELS).backward()
        nn.MSELoss()(mg.Tensor(np.zeros((4, 1))), np.zeros(4))


def test_the_warning_names_the_user_s_line():
    model = two_layers(0.0)
    with pytest.warns(MinigradWarning, match="MG-406") as caught, mg.debug():
        nn.cross_entropy(model(mg.Tensor(inputs())), LABELS).backward()
    assert re.search(r"test_symptoms\.py$", caught[0].filename)
