"""Device discipline: every operation, forward and backward, stays on the device where its inputs are."""

from __future__ import annotations

import re

import numpy as np
import pytest

import minigrad as mg
from minigrad import backend, ops, registry
from minigrad.errors import DeviceError
from tests import cuda, strict_array
from tests.ops.cases import CONSTANT, Case, on_every_case
from tests.strict_array import StrictArray


def inputs_on(device: str, case: Case, requires_grad: bool = True) -> list[object]:
    arrays = [backend.to_device(x, device) if isinstance(x, np.ndarray) else x for x in case.inputs]
    return [
        mg.Tensor(x, requires_grad=requires_grad) if getattr(x, "dtype", None) == np.float64 else x
        for x in arrays
    ]


def forward_and_gradients(case: Case, device: str, order: int) -> tuple[mg.Tensor, list[mg.Tensor]]:
    """The result, the gradients of its sum of squares, and at order 2 those of the gradients' sum of squares."""
    inputs = inputs_on(device, case)
    tensors = [x for x in inputs if isinstance(x, mg.Tensor)]
    strict_array.copies.clear()
    result = case.f(*inputs)
    found = mg.gradients(np.sum(result * result), tensors, create_graph=order > 1)
    if order > 1:
        found += mg.gradients(sum(np.sum(g * g) for g in found), tensors)
    assert not strict_array.copies
    return result, found


@pytest.mark.parametrize(
    ("device", "order"), [("strict", 1), ("strict", 2), pytest.param("cuda:0", 1, marks=cuda.needed)]
)
@on_every_case()
def test_no_operation_leaves_the_device(case: Case, order: int, device: str):
    there, gradients_there = forward_and_gradients(case, device, order)
    here, gradients_here = forward_and_gradients(case, "cpu", order)
    for a, b in zip([there, *gradients_there], [here, *gradients_here], strict=True):
        assert device != "strict" or type(a.data) is StrictArray
        assert a.device == device
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("device", cuda.DEVICES)
@pytest.mark.parametrize("name", CONSTANT)
def test_no_constant_operation_leaves_the_device(name: str, device: str):
    t = mg.Tensor(np.array([[-1.5, 0.5], [0.0, 1.0]]), device=device, requires_grad=True)
    strict_array.copies.clear()
    try:
        results = CONSTANT[name](t)
    except TypeError as error:  # NumPy itself says which function the other library lacks
        lacking = re.search("no implementation found|Implicit conversion|Unsupported type", str(error))
        if name in registry.operations or not lacking:
            raise
        return
    for result in results if isinstance(results, tuple) else [results]:
        if isinstance(result, mg.Tensor):
            assert device != "strict" or type(result.data) is StrictArray
            assert result.device == device
    assert not strict_array.copies


def test_a_training_step_of_a_small_network_copies_nothing_back():
    rng = np.random.default_rng(0)
    shapes = {"w1": (8, 4), "b1": (8,), "w2": (3, 8), "b2": (3,)}
    start = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    x, labels = rng.normal(size=(6, 4)), rng.integers(0, 3, 6)

    def step(device: str) -> dict[str, np.ndarray]:
        p = {name: mg.Tensor(a.copy(), device=device, requires_grad=True) for name, a in start.items()}
        batch, targets = backend.to_device(x, device), backend.to_device(labels, device)
        strict_array.copies.clear()
        for _ in range(3):
            hidden = ops.relu(ops.linear(mg.Tensor(batch), p["w1"], p["b1"]))
            loss = ops.softmax_cross_entropy(ops.linear(hidden, p["w2"], p["b2"]), targets).mean()
            loss.backward()
            for t in p.values():
                t.data -= 0.1 * t.grad.data
                t.zero_grad()
        assert not strict_array.copies
        return {name: t.numpy() for name, t in p.items()}

    there, here = step("strict"), step("cpu")
    for name in shapes:
        assert np.abs(here[name] - start[name]).max() > 1e-3
        np.testing.assert_allclose(there[name], here[name], rtol=1e-12)


class TestTheStandInItself:
    """It has to refuse, or the tests above would show nothing."""

    a = StrictArray(np.arange(3.0))

    def test_it_refuses_to_become_a_numpy_array(self):
        with pytest.raises(TypeError, match="Implicit conversion"):
            np.asarray(self.a)

    @pytest.mark.parametrize(
        "mix",
        [
            lambda a: a + np.ones(3),
            lambda a: np.ones(3) * a,
            lambda a: np.ones(()) * a,
            lambda a: np.concatenate([a, np.ones(3)]),
            lambda a: np.where(np.array([True, False, True]), a, a),
            lambda a: a[np.array([0, 1])],
            lambda a: np.add.at(a, np.array([0]), 1.0),
            lambda a: a.__setitem__(0, np.ones(())),
            lambda a: np.add(a, 1, out=np.ones(3)),
            bool,
            list,
        ],
    )
    def test_it_refuses_host_arrays(self, mix):
        with pytest.raises(TypeError):
            mix(self.a)

    def test_reductions_stay_on_the_device(self):
        assert type(np.sum(self.a)) is StrictArray
        assert np.sum(self.a).shape == ()

    def test_transfers_are_counted(self):
        strict_array.copies.clear()
        t = mg.Tensor(np.ones(3), device="strict")
        t.numpy()
        assert strict_array.copies == {"host to device": 1, "device to host": 1}


def test_moving_a_tensor_moves_its_gradient_back():
    x = mg.Tensor(np.array([1.0, 2.0]), requires_grad=True)
    moved = x.to("strict")
    assert moved.device == "strict"
    (moved * moved).sum().backward()
    assert type(x.grad.data) is np.ndarray
    np.testing.assert_array_equal(x.grad.data, [2.0, 4.0])


def test_mixed_devices_are_refused_with_names():
    x = mg.Tensor(np.ones(2), name="x")
    w = mg.Tensor(np.ones(2), name="w", device="strict", requires_grad=True)
    with pytest.raises(DeviceError, match=r"MG-301 .*x is on cpu, w is on strict"):
        x * w


def test_a_device_tensor_does_not_become_an_array_by_itself():
    with pytest.raises(DeviceError, match=r"MG-301 .* is on strict"):
        np.asarray(mg.Tensor(np.ones(2), device="strict"))
