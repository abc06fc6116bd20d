"""A step, or the loading of a state, changes everything or, where anything is wrong, nothing at all."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from minigrad_kernels import launch

import minigrad as mg
from minigrad import Tensor
from minigrad.errors import MinigradError, OptimizerError
from minigrad.optim import (
    GD,
    SGD,
    AdaGrad,
    Adam,
    AdamAsPrinted,
    AdamW,
    AMSGrad,
    Lion,
    NAdam,
    Optimizer,
    ReduceLROnPlateau,
    RMSprop,
)

KINDS = [GD, SGD, AdaGrad, RMSprop, Adam, AdamW, AdamAsPrinted, AMSGrad, NAdam, Lion]


def parameter(name: str, shape: tuple[int, ...] = (3, 2)) -> Tensor:
    rng = np.random.default_rng(len(name))
    tensor = Tensor(rng.normal(size=shape).astype("float32"), requires_grad=True, name=name)
    tensor.grad = Tensor(rng.normal(size=shape).astype("float32"))
    return tensor


def frozen(array: np.ndarray) -> np.ndarray:
    array = array.copy()
    array.flags.writeable = False
    return array


def mapped(tmp_path: Path, mode: str, start: np.ndarray) -> np.memmap:
    start.tofile(tmp_path / "w.bin")
    return np.memmap(tmp_path / "w.bin", start.dtype, mode, shape=start.shape)


def set_data(make: Callable[[np.ndarray, Path], Any]) -> Callable[..., None]:
    def spoil(opt: Optimizer, tensors: list[Tensor], tmp_path: Path) -> None:
        tensors[-1]._data = make(tensors[-1].data, tmp_path)

    return spoil


def freeze_in_place(opt: Optimizer, tensors: list[Tensor], tmp_path: Path) -> None:
    tensors[-1].data.flags.writeable = False


def freeze_state(opt: Optimizer, tensors: list[Tensor], tmp_path: Path) -> None:
    for array in opt.state["last"].values():
        array.flags.writeable = False
    tensors[-1].data = tensors[-1].data.copy()


def overlap(opt: Optimizer, tensors: list[Tensor], tmp_path: Path) -> None:
    memory = np.arange(8, dtype="float32")
    tensors[0].data, tensors[-1].data = memory[:6].reshape(3, 2), memory[2:].reshape(3, 2)


def lose_gradient(opt: Optimizer, tensors: list[Tensor], tmp_path: Path) -> None:
    tensors[-1].grad = None


def set_gradient(gradient: Any) -> Callable[..., None]:
    def spoil(opt: Optimizer, tensors: list[Tensor], tmp_path: Path) -> None:
        tensors[-1].grad = Tensor(gradient)

    return spoil


def bad_rate(opt: Optimizer, tensors: list[Tensor], tmp_path: Path) -> None:
    opt.lr = lambda t: float("nan")


SPOILT: dict[str, tuple[Callable[..., None], str]] = {
    "read-only": (set_data(lambda a, _: frozen(a)), "MG-511"),
    "frozen in place": (freeze_in_place, "MG-511"),
    "mapped for reading": (set_data(lambda a, tmp: mapped(tmp, "r", a)), "MG-511"),
    "a view of one": (set_data(lambda a, tmp: np.asarray(mapped(tmp, "r", a))), "MG-511"),
    "broadcast": (set_data(lambda a, _: np.broadcast_to(a[:1], a.shape)), "MG-511"),
    "strides of 0": (
        set_data(lambda a, _: np.lib.stride_tricks.as_strided(a.copy(), a.shape, (0, 4))),
        "MG-512",
    ),
    "sliding window": (
        set_data(lambda a, _: np.lib.stride_tricks.as_strided(a.copy(), a.shape, (4, 4))),
        "MG-512",
    ),
    "overlapping": (overlap, "MG-512"),
    "another shape": (set_data(lambda a, _: a.T.copy()), "MG-505"),
    "another dtype": (set_data(lambda a, _: a.astype("float64")), "MG-505"),
    "masked": (set_data(lambda a, _: np.ma.masked_array(a)), "MG-505"),
    "no gradient": (lose_gradient, "MG-209"),
    "gradient's shape": (set_gradient(np.ones((2, 3), "float32")), "MG-505"),
    "gradient's dtype": (set_gradient(np.ones((3, 2))), "MG-505"),
    "rate": (bad_rate, "MG-507"),
    "read-only state": (freeze_state, "MG-511"),
}


@pytest.mark.parametrize("implementation", ["kernel", "reference", "formula"])
@pytest.mark.parametrize("steps_before", [0, 2])
@pytest.mark.parametrize("spoil", SPOILT)
@pytest.mark.parametrize("kind", [SGD, Adam])
def test_a_step_that_is_refused_changes_nothing(
    kind: type[Optimizer], spoil: str, steps_before: int, implementation: str, tmp_path: Path
) -> None:
    if spoil == "read-only state" and kind is SGD:
        pytest.skip("it has none")
    if spoil == "no gradient" and steps_before:
        pytest.skip("it is left as it is, see test_skipped.py")
    tensors = [parameter("first"), parameter("second"), parameter("last")]
    opt = kind(tensors, lr=0.1, fast=implementation != "formula")
    for _ in range(steps_before):
        opt.step()
    wrong, code = SPOILT[spoil]
    wrong(opt, tensors, tmp_path)
    before = [np.array(t.data) for t in tensors]
    state = {key: np.array(value) for key, value in opt.state_dict().items()}
    for _ in range(2):
        forced = launch.reference_only() if implementation == "reference" else nullcontext()
        with forced, pytest.raises(MinigradError) as caught:
            opt.step()
        assert caught.value.code == code
        assert "last" in caught.value.message or code == "MG-507"
    for tensor, old in zip(tensors, before, strict=True):
        np.testing.assert_array_equal(np.array(tensor.data), old)
    after = opt.state_dict()
    assert after["t"] == steps_before
    for key, value in state.items():
        np.testing.assert_array_equal(np.array(after[key]), value)


def test_the_message_names_the_file_and_what_to_write(tmp_path: Path) -> None:
    w = parameter("w")
    w._data = mapped(tmp_path, "r", w.data)
    with pytest.raises(OptimizerError, match=r"w, of shape \(3, 2\), is read-only.*w\.bin.*mode='c'"):
        SGD([w]).step()
    w.data = frozen(w.numpy())
    with pytest.raises(OptimizerError, match=r"w\.data = w\.numpy\(\)\.copy\(\)"):
        SGD([w]).step()


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("mode", ["r+", "c"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_parameter_in_a_file_is_trained_like_any_other(
    kind: type[Optimizer], mode: str, fast: bool, tmp_path: Path
) -> None:
    plain, other = parameter("w"), parameter("w")
    other._data = mapped(tmp_path, mode, plain.numpy().copy())
    ours, theirs = kind([plain], lr=0.1, fast=fast), kind([other], lr=0.1, fast=fast)
    gradient = plain.grad.numpy()
    for step in range(3):
        if step == 1:
            other._grad = mapped_copy = gradient.view(np.memmap)  # as a subclass, without a file
            assert type(mapped_copy) is np.memmap
        ours.step()
        theirs.step()
    np.testing.assert_array_equal(np.asarray(other.data), plain.data)
    held = np.fromfile(tmp_path / "w.bin", "float32").reshape(3, 2)
    assert np.array_equal(held, plain.data) is (mode == "r+")


def test_an_array_of_another_type_is_described_by_its_type() -> None:
    w = parameter("w")
    opt = SGD([w])
    w._grad = np.ma.masked_array(w.grad.numpy())
    with pytest.raises(
        MinigradError, match=r"w is a ndarray, float32 .*its gradient is a MaskedArray, float32"
    ):
        opt.step()


def test_neighbours_in_one_buffer_are_no_overlap() -> None:
    memory = np.arange(12, dtype="float32").reshape(6, 2)
    a, b, c = (Tensor([0.0], requires_grad=True, name=name) for name in "abc")
    a._data, b._data, c._data = memory[:4, 0], memory[:4, 1], memory[:3:-1]  # columns, and rows backwards
    for tensor in (a, b, c):
        tensor.grad = Tensor(np.ones(tensor.shape, "float32"))
    SGD([a, b, c], lr=1.0).step()
    np.testing.assert_array_equal(memory, np.arange(12, dtype="float32").reshape(6, 2) - 1)


def test_a_gradient_that_came_late_does_not_hide_an_overlap() -> None:
    a, b = parameter("a"), parameter("b")
    a.data, b.data = (memory := np.zeros((4, 2), "float32"))[:3], memory[1:]
    opt = SGD([a, b])
    right, b.grad = b.grad, Tensor(np.ones((2, 2), "float32"))
    with pytest.raises(MinigradError, match="MG-505"):
        opt.step()
    b.grad = right
    with pytest.raises(MinigradError, match="MG-512 a and b lie on the same memory"):
        opt.step()


def test_a_rule_that_fails_counts_no_step() -> None:
    class Failing(SGD):
        def formula(self, theta: Any, g: Any, *state: Any, rate: float, t: int) -> tuple[Any, ...]:
            if theta.shape == (2,):
                raise ZeroDivisionError
            return super().formula(theta, g, *state, rate=rate, t=t)

    for fast in (True, False):
        a, b = parameter("a"), parameter("b", (2,))
        before = a.numpy().copy()
        opt = Failing([a, b], fast=fast)
        with pytest.raises(ZeroDivisionError):
            opt.step()
        assert opt.t == 0
        np.testing.assert_array_equal(a.data, before)


@pytest.mark.parametrize(
    "change",
    [
        {"t": -1},
        {"t": True},
        {"t": 2.0},
        {"schedule": None},
        {"schedule": {"rate": 0.1}},
        {"schedule": {"rate": float("nan"), "best": 1.0, "waited": 0}},
        {"schedule": {"rate": 0.1, "best": "low", "waited": 0}},
        {"schedule": {"rate": 0.1, "best": 1.0, "waited": -1}},
        {"w.m": "text"},
        {"w.v": np.zeros((3, 2))},
    ],
    ids=str,
)
def test_a_state_is_loaded_whole_or_not_at_all(change: dict[str, Any]) -> None:
    opt = Adam([parameter("w")], lr=ReduceLROnPlateau(0.1))
    opt.step()
    before = opt.state_dict()
    other = Adam([parameter("w")], lr=ReduceLROnPlateau(0.5))
    for _ in range(3):
        other.step()
    other.lr.observe(3.0)
    with pytest.raises(OptimizerError, match="MG-506"):
        opt.load_state_dict(other.state_dict() | change)
    after = opt.state_dict()
    for key in ("t", "schedule"):
        assert after[key] == before[key]
    np.testing.assert_array_equal(after["w.m"], before["w.m"])
    np.testing.assert_array_equal(after["w.v"], before["w.v"])


@pytest.mark.parametrize("lr", [None, float("nan"), -1.0, "0.1", float("inf"), True, [0.1]])
def test_a_saved_rate_is_a_rate(lr: Any) -> None:
    opt = SGD([parameter("w")], lr=0.5)
    with pytest.raises(OptimizerError, match=r"MG-506 .*lr is"):
        opt.load_state_dict({"optimizer": "SGD", "t": 3, "lr": lr})
    assert (opt.lr, opt.t) == (0.5, 0)


def test_a_state_that_is_no_dict_and_a_state_that_cannot_be_written() -> None:
    opt = Adam([parameter("w")])
    for nothing in (None, [1], 3):
        with pytest.raises(OptimizerError, match=r"MG-506 .*expected a dict"):
            opt.load_state_dict(nothing)
    saved = opt.state_dict() | {"t": 5, "w.m": np.ones((3, 2), "float32")}
    opt.state["w"]["v"].flags.writeable = False
    with pytest.raises(OptimizerError, match=r"MG-511 w\.v"):
        opt.load_state_dict(saved)
    assert opt.t == 0
    assert not opt.state["w"]["m"].any()


def test_a_hook_that_fails_comes_after_the_whole_step() -> None:
    tensors = [parameter("a"), parameter("b")]
    before = [t.numpy().copy() for t in tensors]
    opt = SGD(tensors, lr=0.1)

    def fail(update: Any) -> None:
        raise ZeroDivisionError

    with mg.hooks(update=fail), pytest.raises(ZeroDivisionError):
        opt.step()
    assert opt.t == 1
    for tensor, old in zip(tensors, before, strict=True):
        np.testing.assert_allclose(tensor.data, old - 0.1 * tensor.grad.data, rtol=1e-6)
