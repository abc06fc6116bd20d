from __future__ import annotations

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim
from minigrad.compress import Masks, affine, aware, converted, input_ranges, quantize, sparse
from minigrad.compress.aware import AwareLinear, fake_quantize
from minigrad.errors import ConfigError, ShapeError

RNG = np.random.default_rng(0)
X = RNG.normal(size=(200, 12)).astype("float32")
Y = (X[:, :3] + 0.1 * X[:, 3:6]).argmax(axis=1)


def network(dtype: str = "float32") -> nn.Sequential:
    rng = np.random.default_rng(1)
    return nn.Sequential(nn.Linear(12, 16, rng=rng), nn.ReLU(), nn.Linear(16, 3, rng=rng)).to(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(200, 12), (1, 12), (12,), (4, 50, 12), (0, 12)])
def test_sparse_layers_compute_the_same(shape: tuple[int, ...], dtype: str) -> None:
    model = network(dtype)
    Masks(model).prune(0.8)
    x = mg.Tensor(X[: int(np.prod(shape[:-1]))].reshape(shape).astype(dtype))
    small = sparse(model)
    with mg.no_grad():
        got, wanted = small(x).numpy(), model(x).numpy()
    assert got.dtype == wanted.dtype
    assert got.shape == wanted.shape
    np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-6)
    assert 1 - (small[0].sparsity * 192 + small[2].sparsity * 48) / 240 == pytest.approx(0.2)


def test_only_layers_with_zeros_enough_become_sparse() -> None:
    model = network()
    model[0].weight.data[:] = 0
    assert [type(part).__name__ for part in sparse(model, 0.9)] == ["SparseLinear", "ReLU", "Linear"]
    with pytest.raises(ShapeError, match="MG-101 in layer '0'"):
        sparse(model)(mg.Tensor(X[:, :5]))
    with pytest.raises(ConfigError, match="MG-821"):
        sparse(quantize(model, X))


def test_rounded_forwards_straight_through_backwards() -> None:
    x = mg.Tensor(np.array([-9.0, -1.03, 0.0, 0.4, 1.99, 2.5], "float32"), requires_grad=True)
    scale, zero_point = affine.parameters_for(-2, 2)
    y = fake_quantize(x, scale, zero_point)
    wanted = affine.dequantize(affine.quantize(x.data, scale, zero_point), scale, zero_point)
    np.testing.assert_array_equal(y.numpy(), wanted)  # every bit
    (y * np.arange(1.0, 7.0, dtype="float32")).sum().backward()
    assert x.grad.numpy().tolist() == [0, 2, 3, 4, 5, 0]  # clipped at both ends


def test_the_sum_with_the_difference_is_exact() -> None:
    x = RNG.uniform(-3, 3, 100_000).astype("float32")
    scale, zero_point = affine.parameters_for(-2.7, 2.9)
    y = fake_quantize(mg.Tensor(x, requires_grad=True), scale, zero_point)
    np.testing.assert_array_equal(
        y.numpy(), affine.dequantize(affine.quantize(x, scale, zero_point), scale, zero_point)
    )


def test_training_sees_the_numbers_that_prediction_will_have() -> None:
    model = aware(network(), input_ranges(network(), X))
    small = converted(model)
    with mg.no_grad():
        np.testing.assert_allclose(
            model(mg.Tensor(X)).numpy(), small(mg.Tensor(X)).numpy(), rtol=1e-4, atol=1e-5
        )
    assert next(part.describe() for part in model) == "AwareLinear 12->16, rounded to int8"
    np.testing.assert_array_equal(model[0].weight.data, network()[0].weight.data)


def test_the_gradient_is_that_of_the_rounded_network() -> None:
    """dL/dW of the last layer, by hand: gᵀ x̂, with the rounded inputs."""
    model = aware(network("float32"), input_ranges(network(), X))
    loss = (model(mg.Tensor(X)) ** 2).sum()
    loss.backward()
    first, last = model[0], model[2]
    assert isinstance(last, AwareLinear)
    with mg.no_grad():
        hidden = np.maximum(first(mg.Tensor(X)).numpy(), 0)
        y = last(mg.Tensor(hidden)).numpy()
    rounded = fake_quantize(mg.Tensor(hidden), *affine.parameters_for(last.low, last.high)).numpy()
    np.testing.assert_allclose(last.weight.grad.numpy(), 2 * y.T @ rounded, rtol=1e-3, atol=1e-2)


def train(model: nn.Module, steps: int) -> float:
    optimizer, loss_of = optim.Adam(model, lr=0.01), nn.CrossEntropyLoss()
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_of(model(mg.Tensor(X)), Y)
        loss.backward()
        optimizer.step()
    return float(loss.item())


def test_training_goes_on_through_the_rounding() -> None:
    model = network()
    before = train(model, 20)
    rounded = aware(model, input_ranges(model, X))
    assert train(rounded, 100) < before / 2
    small = converted(rounded)
    assert np.mean(small(mg.Tensor(X)).numpy().argmax(axis=1) == Y) > 0.95


def test_masks_hold_while_it_trains_rounded() -> None:
    model = aware(network(), input_ranges(network(), X))
    masks = Masks(model)
    masks.prune(0.5)
    with masks.held():
        train(model, 5)
    assert np.mean(np.concatenate([converted(model)[i].weight.numpy().ravel() for i in (0, 2)]) == 0) >= 0.5
