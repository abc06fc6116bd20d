"""Clipping against PyTorch and by hand."""

from __future__ import annotations

import numpy as np
import pytest

from minigrad import Tensor
from minigrad.errors import ConfigError
from minigrad.optim import clip_grad_norm, clip_grad_value
from minigrad.optim.clip import global_norm

SHAPES = [(3, 4), (5,), ()]


def with_gradients(gradients: list[np.ndarray]) -> list[Tensor]:
    tensors = [Tensor(np.zeros_like(g), requires_grad=True) for g in gradients]
    for tensor, g in zip(tensors, gradients, strict=True):
        tensor.grad = Tensor(g.copy())
    return tensors


def random_gradients(scale: float) -> list[np.ndarray]:
    rng = np.random.default_rng(5)
    return [np.asarray(rng.normal(size=shape) * scale) for shape in SHAPES]


def test_by_hand() -> None:
    a, b = with_gradients([np.array([3.0]), np.array([4.0])])
    assert clip_grad_norm([a, b], 1.0) == 5.0
    np.testing.assert_allclose([a.grad.data[0], b.grad.data[0]], [0.6, 0.8], rtol=1e-6)
    clip_grad_value([a, b], 0.7)
    np.testing.assert_allclose([a.grad.data[0], b.grad.data[0]], [0.6, 0.7], rtol=1e-6)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_equals_pytorch(scale: float) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    gradients = random_gradients(scale)
    for mine, theirs, limit in (
        (clip_grad_norm, torch.nn.utils.clip_grad_norm_, 2.0),
        (clip_grad_value, torch.nn.utils.clip_grad_value_, 0.5),
    ):
        tensors = with_gradients(gradients)
        others = [torch.zeros(g.shape, dtype=torch.float64, requires_grad=True) for g in gradients]
        for other, g in zip(others, gradients, strict=True):
            other.grad = torch.tensor(g)
        norm, other_norm = mine(tensors, limit), theirs(others, limit)
        if norm is not None:
            assert float(norm) == pytest.approx(float(other_norm), rel=1e-12)
        for tensor, other in zip(tensors, others, strict=True):
            np.testing.assert_allclose(tensor.grad.data, other.grad.numpy(), rtol=1e-12)


def test_gradients_below_the_norm_keep_their_bits() -> None:
    gradients = random_gradients(1e-3)
    tensors = with_gradients(gradients)
    clip_grad_norm(tensors, 2.0)
    for tensor, g in zip(tensors, gradients, strict=True):
        np.testing.assert_array_equal(tensor.grad.data, g)


def test_squares_of_float32_do_not_overflow() -> None:
    (tensor,) = with_gradients([np.full(4, 1e30, "float32")])
    assert clip_grad_norm([tensor], 1.0) == pytest.approx(2e30, rel=1e-6)
    np.testing.assert_allclose(tensor.grad.data, 0.5, rtol=1e-6)
    assert tensor.grad.dtype == np.float32


def test_memory_that_others_read_is_not_written() -> None:
    shared = np.full(2, 10.0)
    shared.flags.writeable = False
    tensors = [Tensor(np.zeros(2), requires_grad=True) for _ in range(2)]
    for tensor in tensors:
        tensor.grad = Tensor(shared)
    clip_grad_norm(tensors, 1.0)
    clip_grad_value(tensors, 0.1)
    for tensor in tensors:
        np.testing.assert_array_equal(tensor.grad.data, 0.1)
    np.testing.assert_array_equal(shared, 10.0)


def test_parameters_without_gradient_are_passed_over() -> None:
    used, unused = Tensor([1.0], requires_grad=True), Tensor([1.0], requires_grad=True)
    used.grad = Tensor(np.array([3.0]))
    assert clip_grad_norm({"a": used, "b": unused}, 10.0) == 3.0
    clip_grad_value({"a": used, "b": unused}, 1.0)
    assert unused.grad is None
    assert clip_grad_norm([unused], 1.0) == 0.0


def test_the_norm_of_empty_gradients_is_zero() -> None:
    assert global_norm([np.zeros((0, 3)), np.zeros(0)]) == 0.0


def test_limits_out_of_range() -> None:
    tensors = with_gradients(random_gradients(1.0))
    with pytest.raises(ConfigError, match="MG-507 max_norm is 0; it must be above 0"):
        clip_grad_norm(tensors, 0)
    with pytest.raises(ConfigError, match="MG-507 limit is -1; it must be above 0"):
        clip_grad_value(tensors, -1)
