"""What all optimizers share: parameters, checks, state, schedules, clipping, and arrays of every layout."""

from __future__ import annotations

import copy
import json
import warnings
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from minigrad_kernels import gpu, launch
from numpy.lib.mixins import NDArrayOperatorsMixin

import minigrad as mg
from minigrad import Tensor, backend, errors, libraries
from minigrad.errors import ConfigError, GradientError, MinigradError, MinigradWarning, OptimizerError
from minigrad.optim import (
    SGD,
    AdaGrad,
    Adam,
    AdamW,
    Cosine,
    Optimizer,
    PerEpoch,
    ReduceLROnPlateau,
    Warmup,
    clip_grad_norm,
)
from minigrad.optim.share import take_ready
from tests.kernels.emulation.device import MISSING, Emulated


def parameter(*shape: int, name: str | None = None, seed: int = 0, dtype: str = "float32") -> Tensor:
    rng = np.random.default_rng(seed)
    tensor = Tensor(rng.normal(size=shape).astype(dtype), requires_grad=True, name=name)
    tensor.grad = Tensor(rng.normal(size=shape).astype(dtype))
    return tensor


class Net:
    """As much of a Module as an optimizer asks for."""

    training = True

    def __init__(self) -> None:
        names = ("fc1.weight", "fc1.bias", "fc2.weight", "fc3.weight")
        self.parameters = {name: parameter(3, 2, name=name, seed=i) for i, name in enumerate(names)}

    def named_parameters(self) -> dict[str, Tensor]:
        return self.parameters


def message(caught: pytest.ExceptionInfo[MinigradError], code: str) -> str:
    assert caught.value.code == code
    return caught.value.message


# -- what it may be given -----------------------------------------------------------------------------------


def test_names_come_from_the_module_the_dict_or_the_tensors() -> None:
    w, b, anonymous = parameter(2, name="w"), parameter(2, name="b"), parameter(2)
    assert list(Adam(Net()).state) == ["fc1.weight", "fc1.bias", "fc2.weight", "fc3.weight"]
    assert list(Adam({"one": w, "two": b}).state) == ["one", "two"]
    assert list(Adam([w, anonymous, b]).state) == ["w", "param1", "b"]
    assert list(Adam(p for p in (w, b)).state) == ["w", "b"]


def test_tensors_of_one_name_are_kept_apart_and_one_tensor_is_kept_once() -> None:
    first, second = parameter(2, name="w"), parameter(2, name="w")
    assert list(Adam([first, second]).state) == ["w", "param1"]
    start = first.data.copy()
    SGD({"a": first, "tied": first}, lr=1.0).step()
    np.testing.assert_array_equal(first.data, start - first.grad.data)


@pytest.mark.parametrize("nothing", [[], {}, iter(())])
def test_no_parameters(nothing: Any) -> None:
    with pytest.raises(OptimizerError) as caught:
        Adam(nothing)
    assert "got 0 parameters" in message(caught, "MG-501")


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (
            parameter(2),
            "one Tensor. Pass the model, a dict of name to Tensor, or a list of Tensors: SGD([w, b])",
        ),
        (3, "parameters cannot be a int"),
        ([np.ones(2)], "parameter 'param0' is a ndarray, not a Tensor"),
        ({"w": 1.0}, "parameter 'w' is a float, not a Tensor"),
    ],
)
def test_parameters_that_are_none(wrong: Any, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        SGD(wrong)
    assert told in message(caught, "MG-507")


@pytest.mark.parametrize(
    ("optimizer", "settings", "told"),
    [
        (Adam, {"lr": -0.1}, "lr is -0.1; it must be 0 or more, or a schedule"),
        (Adam, {"lr": float("nan")}, "lr is nan"),
        (Adam, {"betas": (0.9, 1.0)}, "betas is (0.9, 1.0); it must be two numbers in [0, 1)"),
        (Adam, {"eps": -1e-8}, "eps is -1e-08"),
        (Adam, {"weight_decay": -1}, "weight_decay is -1"),
        (Adam, {"max_norm": 0}, "max_norm is 0; it must be above 0, or None"),
        (SGD, {"momentum": 1.0}, "momentum is 1.0; it must be in [0, 1)"),
        (SGD, {"nesterov": True}, "momentum is 0.0; it must be above 0 where nesterov is on"),
    ],
)
def test_settings_out_of_range(optimizer: type[Optimizer], settings: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        optimizer([parameter(2)], **settings)
    assert told in message(caught, "MG-507")


# -- the checks of step -------------------------------------------------------------------------------------


def test_step_before_backward() -> None:
    net = Net()
    opt = Adam(net)
    opt.zero_grad()
    assert all(p.grad is None for p in net.parameters.values())
    with pytest.raises(OptimizerError) as caught:
        opt.step()
    assert "none of the 4 parameters has a gradient" in message(caught, "MG-503")


def test_a_parameter_that_the_loss_did_not_use() -> None:
    net = Net()
    net.parameters["fc3.weight"].grad = None
    before = {name: p.data.copy() for name, p in net.parameters.items()}
    opt = Adam(net)
    with pytest.raises(GradientError) as caught:
        opt.step()
    told = message(caught, "MG-209")
    assert told.startswith(
        "fc3.weight has no gradient and never had one: the loss does not depend on it. Either forward made no use of "
        "fc3, or the graph was cut on the way"
    )
    assert "With a gradient: fc1, fc2." in told
    assert "Adam(…, allow_unused=True)" in told
    assert opt.t == 0
    for name, p in net.parameters.items():
        np.testing.assert_array_equal(p.data, before[name])


def test_several_parameters_that_the_loss_did_not_use() -> None:
    net = Net()
    for name in ("fc1.bias", "fc2.weight", "fc3.weight"):
        net.parameters[name].grad = None
    with pytest.raises(
        GradientError, match=r"fc1.bias, fc2.weight, fc3.weight have no gradient .* made no use of fc2, fc3,"
    ):
        SGD(net).step()


def test_half_a_layer_without_gradient_is_named_itself() -> None:
    net = Net()
    net.parameters["fc1.bias"].grad = None
    with pytest.raises(GradientError, match=r"fc1.bias has no gradient .* no use of fc1.bias,"):
        SGD(net).step()


def test_gradients_that_were_not_zeroed() -> None:
    w = Tensor([1.0, 2.0], requires_grad=True, name="fc1.weight")
    opt = SGD([w])
    (w * w).sum().backward()
    opt.step()
    (w * w).sum().backward()
    with pytest.warns(MinigradWarning) as caught:
        opt.step()
    assert str(caught[0].message) == (
        "MG-201 fc1.weight.grad is the sum of 2 backward passes, and 1 of them went into the step before. "
        "Call opt.zero_grad() after each step."
    )


def test_passes_between_two_steps_add_up() -> None:
    w, whole = (Tensor([1.0, 2.0], requires_grad=True) for _ in range(2))
    opt, other = SGD([w], lr=0.25), SGD([whole], lr=0.25)
    for _ in range(3):  # two heads, or (loss / 2) twice: no warning, and the sum
        opt.zero_grad()
        other.zero_grad()
        for _ in range(2):
            ((w * w).sum() / 2).backward()
        (whole * whole).sum().backward()
        np.testing.assert_array_equal(w.grad.data, whole.grad.data)
        opt.step()
        other.step()
    np.testing.assert_array_equal(w.data, whole.data)


def test_two_optimizers_that_take_turns() -> None:
    """As a generative adversarial network is trained: each loss reaches the other's parameters too."""
    generator, critic = (Tensor([1.0, 2.0], requires_grad=True) for _ in range(2))
    of_generator, of_critic = SGD([generator], lr=0.01), SGD([critic], lr=0.01)
    for _ in range(3):
        of_critic.zero_grad()
        (generator * critic).sum().backward()
        (critic * critic).sum().backward()
        of_critic.step()
        of_generator.zero_grad()
        (-generator * critic).sum().backward()
        of_generator.step()


def test_gradients_that_were_meant_to_add_up() -> None:
    w = Tensor([1.0, 2.0], requires_grad=True)
    opt = SGD([w], lr=0.5)
    with mg.accumulate(2):
        for _ in range(2):
            (w * w).sum().backward()
    opt.step()
    np.testing.assert_array_equal(w.data, [0.0, 0.0])  # w - 0.5 * mean of (2w, 2w)


def test_eval_mode() -> None:
    net = Net()
    opt = SGD(net)
    net.training = False
    with pytest.warns(MinigradWarning, match="MG-502 step\\(\\) in eval mode"):
        opt.step()


@pytest.mark.parametrize(
    ("gradient", "told"),
    [
        (
            np.ones((2, 3), "float32"),
            "w is float32 of shape (3, 2) on cpu, but its gradient is float32 of shape (2, 3)",
        ),
        (np.ones((3, 2)), "its gradient is float64 of shape (3, 2) on cpu"),
    ],
)
def test_a_gradient_that_does_not_fit(gradient: np.ndarray, told: str) -> None:
    w = parameter(3, 2, name="w")
    opt = Adam([w])
    w.grad = Tensor(gradient)
    with pytest.raises(GradientError) as caught:
        opt.step()
    assert told in message(caught, "MG-505")


def test_a_parameter_that_was_converted_after_the_optimizer_was_built() -> None:
    w = parameter(3, 2, name="w")
    opt = Adam([w])
    w.data = w.data.astype("float64")
    w.grad = Tensor(np.ones((3, 2)))
    with pytest.raises(GradientError) as caught:
        opt.step()
    assert "w is float64 of shape (3, 2) on cpu, but its state in the optimizer is float32" in message(
        caught, "MG-505"
    )


def test_a_hook_sees_what_each_update_started_from() -> None:
    a, b = parameter(2, name="a"), parameter(3, 1, name="b", seed=1)
    optimizer, seen = Adam([a, b], lr=0.1), []
    old = {tensor.name: tensor.numpy().copy() for tensor in (a, b)}
    with mg.hooks(update=seen.append):
        optimizer.step()
        optimizer.step()
    assert [(update.name, update.t, update.rate) for update in seen] == [
        ("a", 1, 0.1), ("b", 1, 0.1), ("a", 2, 0.1), ("b", 2, 0.1)
    ]  # fmt: skip
    for first, second in zip(seen[:2], seen[2:], strict=True):
        np.testing.assert_array_equal(first.theta, old[first.name])
        assert not first.state["m"].any()
        new = first.optimizer.formula(
            first.theta, first.clip * first.g, *first.state.values(), rate=first.rate, t=first.t
        )
        for expected, found in zip(new, (second.theta, *second.state.values()), strict=True):
            np.testing.assert_array_equal(expected, found)


class _Cupy(np.ndarray):
    """A host array that passes for one of CuPy's; its kernels run in the emulation."""

    __module__ = "cupy"


class _Host:
    def device(self, array: Any) -> str:
        return "emulated:0"

    def from_numpy(self, array: np.ndarray, device: str) -> Any:
        return array.view(_Cupy)

    def to_numpy(self, array: Any) -> np.ndarray:
        return array.view(np.ndarray)


class _Emulated(Emulated):
    xp = SimpleNamespace(**vars(np) | {"ascontiguousarray": lambda a: np.array(a, order="C", subok=True)})


@pytest.mark.skipif(MISSING is not None, reason=str(MISSING))
@pytest.mark.parametrize("max_norm", [None, 0.5])
@pytest.mark.usefixtures("own_devices")
def test_on_a_gpu_one_launch_updates_all_parameters(max_norm: float | None) -> None:
    backend.register(_Cupy, "emulated", _Host())
    on_host = [parameter(3, 4), parameter(5, seed=1), parameter(2000, seed=2)]
    on_device = [Tensor(t.numpy().copy().view(_Cupy), requires_grad=True) for t in on_host]
    for host, device in zip(on_host, on_device, strict=True):
        device.grad = Tensor(host.grad.numpy().copy().view(_Cupy))
    on_device[0].grad = Tensor(np.asfortranarray(on_host[0].grad.numpy()).view(_Cupy))  # not contiguous
    ours, theirs = Adam(on_host, max_norm=max_norm), Adam(on_device, max_norm=max_norm)
    emulated = _Emulated("permuted")
    with gpu.using(emulated):
        for _ in range(3):
            ours.step()
            theirs.step()
    assert emulated.launches == ["updates.adam"] * 3
    for host, device in zip(on_host, on_device, strict=True):
        np.testing.assert_array_equal(host.numpy(), device.numpy())


def test_a_frozen_parameter_is_left_alone() -> None:
    net = Net()
    opt = Adam(net)
    frozen = net.parameters["fc2.weight"]
    frozen.requires_grad_(False)
    frozen.grad = None
    before = frozen.data.copy()
    opt.step()
    np.testing.assert_array_equal(frozen.data, before)
    assert not opt.state["fc2.weight"]["m"].any()
    for p in net.parameters.values():
        p.requires_grad_(False)
    with pytest.raises(OptimizerError) as caught:
        opt.step()
    assert "none of the optimizer's 4 parameters requires a gradient" in message(caught, "MG-501")


def test_the_base_leaves_the_formula_to_its_subclasses() -> None:
    base = Optimizer([parameter(2)], lr=0.1)
    with pytest.raises(NotImplementedError):
        base.formula(1.0, 1.0, rate=0.1, t=1)


# -- what it does to the parameters -------------------------------------------------------------------------


def test_it_trains() -> None:
    # Least squares with a known solution: x has orthonormal columns, so the minimum is x^T y.
    rng = np.random.default_rng(1)
    x = np.linalg.qr(rng.normal(size=(20, 3)))[0]
    y = rng.normal(size=20)
    w = Tensor(np.zeros(3), requires_grad=True)
    opt = SGD([w], lr=0.3, momentum=0.5)
    for _ in range(200):
        opt.zero_grad()
        ((x @ w - y) ** 2).sum().backward()
        opt.step()
    np.testing.assert_allclose(w.data, x.T @ y, rtol=1e-10)


@pytest.mark.parametrize("fast", [True, False])
def test_a_step_is_seen_by_a_graph_that_saved_the_old_value(fast: bool) -> None:
    w = parameter(2, name="w")
    loss = (w * w).sum()
    SGD([w], fast=fast).step()
    with pytest.raises(GradientError, match=r"test_optimizer\.py line \d+") as caught:
        loss.backward()
    assert caught.value.code == "MG-205"


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("optimizer", [SGD, AdaGrad, Adam, AdamW])
def test_every_layout_gives_the_same_numbers(optimizer: type[Optimizer], fast: bool) -> None:
    rng = np.random.default_rng(2)
    start, gradients = rng.normal(size=(4, 3)), rng.normal(size=(5, 4, 3))
    results = []
    for arrange in (np.copy, np.asfortranarray, lambda a: np.repeat(a, 2, 0)[::2]):
        for arrange_gradient in (np.copy, np.asfortranarray):
            w = Tensor(arrange(start), requires_grad=True)
            opt = optimizer([w], fast=fast)
            for g in gradients:
                w.grad = Tensor(arrange_gradient(g))
                opt.step()
            results.append(w.data)
    for result in results[1:]:
        np.testing.assert_array_equal(result, results[0])


@pytest.mark.parametrize("shape", [(), (1,), (0,), (0, 3)])
def test_parameters_of_any_shape(shape: tuple[int, ...]) -> None:
    w = Tensor(np.full(shape, 2.0), requires_grad=True)
    w.grad = Tensor(np.full(shape, 0.5))
    Adam([w], lr=0.25, eps=0.0).step()
    np.testing.assert_allclose(w.data, np.full(shape, 1.75), rtol=1e-12)  # the first step is lr * sign(g)


def test_parameters_of_two_dtypes() -> None:
    a, b = parameter(3, name="a"), parameter(3, name="b", dtype="float64")
    wanted = [p.data - p.data.dtype.type(0.1) * p.grad.data for p in (a, b)]
    SGD([a, b], lr=0.1).step()
    for p, expected in zip((a, b), wanted, strict=True):
        np.testing.assert_array_equal(p.data, expected)
        assert p.data.dtype == expected.dtype


def test_an_array_that_was_exchanged_is_the_one_updated() -> None:
    w = parameter(3)
    opt = SGD([w], lr=1.0)
    opt.step()
    old, new = w.data, np.zeros(3, "float32")
    kept = old.copy()
    w.data = new
    opt.step()
    np.testing.assert_array_equal(new, -w.grad.data)
    np.testing.assert_array_equal(old, kept)


def test_a_deep_copy_trains_on_its_own() -> None:
    w = parameter(4, name="w")
    opt = SGD([w], lr=0.1, momentum=0.9)
    opt.step()
    w2, opt2 = copy.deepcopy((w, opt))
    w2.grad = Tensor(w.grad.data.copy())
    kept = w.data.copy()
    opt2.step()
    np.testing.assert_array_equal(w.data, kept)
    opt.step()
    np.testing.assert_array_equal(w2.data, w.data)
    np.testing.assert_array_equal(opt2.state["w"]["b"], opt.state["w"]["b"])
    assert opt2.state["w"]["b"] is not opt.state["w"]["b"]


def test_max_norm_clips_as_clip_grad_norm_does_and_leaves_the_gradients() -> None:
    for fast in (True, False):
        inside, outside = Net(), Net()
        kept = {name: p.grad.data.copy() for name, p in inside.parameters.items()}
        Adam(inside, max_norm=0.5, fast=fast).step()
        assert clip_grad_norm(outside, 0.5) > 0.5
        Adam(outside, fast=fast).step()
        for name, p in inside.parameters.items():
            np.testing.assert_array_equal(p.data, outside.parameters[name].data)
            np.testing.assert_array_equal(p.grad.data, kept[name])


# -- schedules ----------------------------------------------------------------------------------------------


def test_a_schedule_is_asked_with_the_steps_taken_so_far() -> None:
    asked = []

    def schedule(step: int) -> float:
        asked.append(step)
        return 1.0 / (step + 1)

    w = Tensor(np.zeros(1), requires_grad=True)
    w.grad = Tensor(np.ones(1))
    opt = SGD([w], lr=schedule)
    for _ in range(3):
        opt.step()
    assert asked == [0, 1, 2]
    assert w.data[0] == pytest.approx(-(1 + 1 / 2 + 1 / 3))
    assert opt.rate == 0.25
    opt.lr = 0.5
    assert opt.rate == 0.5


# -- state --------------------------------------------------------------------------------------------------


def train(opt: Optimizer, tensors: list[Tensor], steps: range) -> None:
    for t in steps:
        for i, tensor in enumerate(tensors):
            noise = np.random.default_rng([t, i]).normal(size=tensor.shape)
            tensor.grad = Tensor((tensor.data + noise).astype(tensor.dtype))
        opt.step()


@pytest.mark.parametrize("optimizer", [SGD, AdaGrad, Adam])
def test_a_resumed_run_ends_with_the_same_bits(optimizer: type[Optimizer]) -> None:
    def build() -> tuple[list[Tensor], Optimizer]:
        tensors = [parameter(3, 2, name="w"), parameter(2, name="b", dtype="float64")]
        settings = {"momentum": 0.9} if optimizer is SGD else {}
        return tensors, optimizer(tensors, lr=Warmup(Cosine(0.1, steps=20), steps=5), **settings)

    whole, opt = build()
    train(opt, whole, range(20))

    tensors, opt = build()
    train(opt, tensors, range(8))
    saved = opt.state_dict()
    weights = [t.data.copy() for t in tensors]
    train(opt, tensors, range(8, 11))  # what is saved must not follow the live state

    scalars = json.loads(json.dumps({k: v for k, v in saved.items() if not isinstance(v, np.ndarray)}))
    arrays = {k: v for k, v in saved.items() if isinstance(v, np.ndarray)}
    resumed, opt = build()
    for tensor, weight in zip(resumed, weights, strict=True):
        tensor.data = weight
    opt.load_state_dict(arrays | scalars)
    train(opt, resumed, range(8, 20))
    for a, b in zip(resumed, whole, strict=True):
        np.testing.assert_array_equal(a.data, b.data)


def test_the_keys_of_the_state() -> None:
    w = parameter(2, name="fc.weight")
    assert SGD([w], lr=0.1).state_dict() == {"optimizer": "SGD", "t": 0, "lr": 0.1}
    assert set(Adam([w]).state_dict()) == {"optimizer", "t", "lr", "fc.weight.m", "fc.weight.v"}
    assert set(SGD([w], lr=lambda step: 0.1).state_dict()) == {"optimizer", "t"}


def test_a_changed_rate_is_restored() -> None:
    opt = Adam([parameter(2, name="w")])
    opt.lr = 0.25
    other = Adam([parameter(2, name="w")])
    other.load_state_dict(opt.state_dict())
    assert other.lr == 0.25


def test_a_callable_rate_is_left_as_it_is() -> None:
    opt = SGD([parameter(2, name="w")], lr=lambda step: 0.5)
    opt.load_state_dict({"optimizer": "SGD", "t": 7})
    assert (opt.t, opt.rate) == (7, 0.5)


def test_a_schedule_with_a_memory_is_restored() -> None:
    def build() -> Optimizer:
        return SGD([parameter(2, name="w")], lr=Warmup(PerEpoch(ReduceLROnPlateau(0.5, patience=0), 2), 1))

    opt = build()
    for metric in (1.0, 2.0):
        opt.lr.observe(metric)
    saved = json.loads(json.dumps(opt.state_dict()))
    assert saved["schedule"]["rate"] == 0.05
    other = build()
    other.load_state_dict(saved)
    assert other.rate == opt.rate == 0.05
    assert other.lr.state() == opt.lr.state()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"w.m": None}, "missing w.m"),
        ({"x.m": np.zeros(2)}, "unexpected x.m"),
        ({"w.m": np.zeros(3, "float32")}, "w.m is float32 of shape (3,), expected float32 of shape (2,)"),
        ({"w.m": np.zeros(2)}, "w.m is float64 of shape (2,), expected float32 of shape (2,)"),
        ({"w.m": 3}, "w.m is int, expected float32 of shape (2,)"),
        ({"optimizer": "AdamW"}, "it was saved by AdamW"),
        ({"t": "12"}, "t is '12', expected a number"),
        ({"t": 1.5}, "t is 1.5, expected a number"),
        ({"lr": [0.1]}, "lr is [0.1], expected a number"),
    ],
)
def test_a_state_that_does_not_fit_changes_nothing(change: dict[str, Any], told: str) -> None:
    opt = Adam([parameter(2, name="w")])
    opt.step()
    before = opt.state_dict()
    saved = {k: v for k, v in (before | change).items() if v is not None}
    with pytest.raises(OptimizerError) as caught:
        opt.load_state_dict(saved)
    assert told in message(caught, "MG-506")
    after = opt.state_dict()
    assert after.keys() == before.keys()
    assert all(np.array_equal(after[key], before[key]) for key in before)


# -- arrays of another library ------------------------------------------------------------------------------


class DeviceArray(NDArrayOperatorsMixin):
    """Stands for a GPU's array: computes with its own kind and Python numbers, never turns into NumPy's."""

    def __init__(self, host: np.ndarray) -> None:
        self.host = host
        self.shape, self.dtype, self.ndim, self.size = host.shape, host.dtype, host.ndim, host.size

    def __array__(self, *args: Any, **kwargs: Any) -> np.ndarray:
        raise TypeError("Implicit conversion to a NumPy array is not allowed.")

    def __float__(self) -> float:
        raise TypeError("a value was read back from the device")

    __bool__ = __float__

    def astype(self, dtype: Any) -> DeviceArray:
        return DeviceArray(np.asarray(self.host.astype(dtype)))

    def __setitem__(self, index: Any, value: DeviceArray) -> None:
        assert index is ...
        assert isinstance(value, DeviceArray)
        self.host[...] = value.host

    @staticmethod
    def strip(value: Any) -> Any:
        assert isinstance(value, DeviceArray | int | float | np.dtype | type), type(value)
        return value.host if isinstance(value, DeviceArray) else value

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> DeviceArray:
        assert method == "__call__"
        return DeviceArray(np.asarray(ufunc(*map(self.strip, inputs), **kwargs)))

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> DeviceArray:
        return DeviceArray(np.asarray(function(*map(self.strip, args), **kwargs)))


class Device:
    def device(self, array: DeviceArray) -> str:
        return "device"

    def from_numpy(self, array: np.ndarray, device: str) -> DeviceArray:
        return DeviceArray(array.copy())

    def to_numpy(self, array: DeviceArray) -> np.ndarray:
        return array.host.copy()


@pytest.fixture
def own_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget afterwards what a test registers: another file's stand-in may go by the same name."""
    monkeypatch.setattr(libraries, "_array_types", dict(libraries._array_types))
    monkeypatch.setattr(libraries, "_devices", dict(libraries._devices))


@pytest.fixture
def device(own_devices: None) -> None:
    backend.register(DeviceArray, "device", Device())


@pytest.mark.usefixtures("device")
@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("settings", [{}, {"max_norm": 0.1, "weight_decay": 0.1}])
@pytest.mark.parametrize("optimizer", [SGD, AdaGrad, Adam, AdamW])
def test_device_arrays_stay_on_the_device(
    optimizer: type[Optimizer], settings: dict[str, Any], fast: bool
) -> None:
    host, remote = parameter(3, 2, name="w"), parameter(3, 2, name="w")
    gradient = host.grad.data
    remote.data = DeviceArray(remote.data)
    opt, there = optimizer([host], **settings), optimizer([remote], **settings, fast=fast)
    for _ in range(3):
        host.grad, remote.grad = Tensor(gradient), Tensor(DeviceArray(gradient))
        opt.step()
        there.step()
    np.testing.assert_array_equal(remote.data.host, host.data)
    assert remote.data.dtype == np.float32

    saved = there.state_dict()
    assert not any(isinstance(value, DeviceArray) for value in saved.values())
    opt.load_state_dict(saved)
    there.load_state_dict(opt.state_dict())
    remote.grad = Tensor(gradient)
    with pytest.raises(
        GradientError, match=r"\(3, 2\) on device, but its gradient is float32 of shape \(3, 2\) on cpu"
    ):
        there.step()


@pytest.fixture(autouse=True)
def _fresh_warnings() -> Any:
    errors._warned.clear()
    with warnings.catch_warnings():
        warnings.simplefilter("error", MinigradWarning)
        yield


def _noting(name: str, used: list[str], function: Callable[..., None]) -> Callable[..., None]:
    def noted(*arrays: Any) -> None:
        used.append(name)
        function(*arrays)

    return noted


@pytest.mark.skipif(
    launch.numba() is None or launch.reference_is_forced(), reason="there are no compiled loops"
)
def test_who_wrote_a_gradient_decides_who_updates_and_not_what_comes_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    p = parameter(200, 200)
    before, rng = p.data.copy(), np.random.default_rng(1)
    results = []
    for several in (False, True):
        p.data[...] = before
        optimizer = Adam([p])
        p.grad = Tensor(rng.standard_normal(p.shape, dtype=np.float32) if not results else p.grad.data)
        launch.note_shared_out(p.grad.data, several)
        take_ready(optimizer, 0, [])
        bound = optimizer._slots[0].bound
        assert bound.loop is not bound.shared_loop
        used: list[str] = []
        for way in ("loop", "shared_loop"):
            monkeypatch.setattr(bound, way, _noting(way, used, getattr(bound, way)))
        optimizer.step()
        assert used == ["shared_loop" if several else "loop"]
        results.append(p.data.copy())
    np.testing.assert_array_equal(*results)
    assert (results[0] != before).any()
