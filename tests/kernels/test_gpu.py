"""What is checked before a CUDA kernel is launched, and that all parameters are updated by one launch."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from minigrad_kernels import dropout, embedding, gpu, int8, launch, linear, matmul, softmax_xent, updates
from minigrad_kernels.update_rules import RULES

from tests import cuda
from tests.kernels.emulation.device import MISSING, Emulated


class Silent:
    """A device that only counts launches."""

    xp = np

    def __init__(self) -> None:
        self.launches: list[str] = []

    def launch(self, source: str, name: str, *args: Any) -> None:
        self.launches.append(f"{source}.{name}")

    def matmul(self, a: Any, b: Any, out: Any) -> None:
        np.matmul(a, b, out=out)

    def address(self, array: Any) -> int:
        return int(array.ctypes.data)


X, N = np.ones((2, 3), "float32"), np.int32(6)
RANDOM = np.ones((2, 3), "float32")
HALF = np.float32(0.5)


@pytest.mark.parametrize(
    ("args", "error", "message"),
    [
        ((X, RANDOM, X, N, HALF), TypeError, "dropout.dropout takes 6 arguments; got 5"),
        ((X, RANDOM, X, 6, HALF, HALF), TypeError, "size must be np.int32; got int"),
        ((X, RANDOM, X, N, 0.5, HALF), TypeError, "p must be np.float32; got float"),
        ((X, RANDOM, X, np.int64(6), HALF, HALF), TypeError, "size must be int32; got int64"),
        ((X.astype("float64"), RANDOM, X, N, HALF, HALF), TypeError, "x must be float32; got float64"),
        ((X.T, RANDOM, X, N, HALF, HALF), ValueError, "x is not contiguous"),
        ((3.0, RANDOM, X, N, HALF, HALF), TypeError, "x must be an array; got float"),
        ((None, RANDOM, X, N, HALF, HALF), TypeError, "x must be an array; got NoneType"),
        ((HALF, RANDOM, X, N, HALF, HALF), TypeError, "x must be an array; got float32"),
    ],
)
def test_arguments_that_do_not_fit_the_signature_are_refused(args: Any, error: type, message: str) -> None:
    device = Silent()
    with gpu.using(device), pytest.raises(error, match=message):
        gpu.launch("dropout", "dropout", "float32", 1, 256, *args)
    assert not device.launches


def test_other_dtypes_are_refused() -> None:
    with gpu.using(Silent()), pytest.raises(TypeError, match="float32 and float64, not on int64"):
        linear.backward_bias_gpu(np.ones((2, 3), "int64"))
    with gpu.using(Silent()), pytest.raises(TypeError, match="ids must be integers, not float64"):
        embedding.gather_gpu(X, np.ones(3))


def test_too_many_entries_for_an_int_are_refused() -> None:
    with gpu.using(Silent()), pytest.raises(OverflowError):
        linear.backward_bias_gpu(np.empty((2**31, 0), "float32"))


@pytest.mark.parametrize(
    "call",
    [
        lambda: softmax_xent.forward_gpu(X, np.zeros(3, "int64")),
        lambda: softmax_xent.backward_gpu(np.ones(3, "float32"), X, np.zeros(2, "int64")),
        lambda: softmax_xent.forward_backward_gpu(np.ones((2, 0), "float32"), np.zeros(2, "int64")),
        lambda: linear.forward_gpu(X, np.ones((4, 2), "float32"), None),
        lambda: linear.forward_gpu(X, np.ones((4, 3), "float32"), np.ones(3, "float32")),
        lambda: linear.backward_input_gpu(X, np.ones((2, 3), "float32")),
        lambda: linear.backward_weight_gpu(X, np.ones((3, 3), "float32")),
        lambda: linear.backward_activation_gpu(X, X.T, "relu"),
        lambda: dropout.dropout_gpu(X, RANDOM[0], 0.5),
        lambda: embedding.gather_gpu(X[0], np.zeros(2, "int64")),
        lambda: int8.matmul_gpu(np.ones((2, 3), "int8"), np.ones((3, 2), "int8")),
        lambda: embedding.scatter_add_gpu(X, np.zeros(3, "int64"), 5),
        lambda: matmul.matmul_gpu(X, X),
        lambda: RULES["sgd"].gpu(X, X[0], np.ones(3, "float32")),
        lambda: RULES["sgd"].gpu(X, X, X, np.ones(3, "float32")),
        lambda: RULES["amsgrad"].gpu(X, X, X, X, np.ones(10, "float32")),
        lambda: RULES["sgd"].gpu(X, X, np.ones(4, "float32")),
        lambda: RULES["sgd"].gpu(X, X.astype("float64"), np.ones(3)),
        lambda: softmax_xent.mean_backward_gpu(np.ones(2, "float32"), X),
    ],
)
def test_shapes_that_do_not_fit_are_refused_before_a_launch(call: Any) -> None:
    device = Silent()
    with gpu.using(device), pytest.raises(ValueError, match=r"\(.*\)"):
        call()
    assert not device.launches


def test_every_kernel_in_the_sources_has_a_signature() -> None:
    assert gpu.sources() == [
        "activations",
        "attention",
        "conv",
        "dropout",
        "embedding",
        "int8",
        "linear",
        "matmul",
        "normalize",
        "pool",
        "recurrent",
        "softmax_xent",
        "updates",
    ]
    assert set(gpu.signatures("updates")) == set(RULES)
    assert gpu.signatures("matmul")["register_blocked"][2:4] == [("real *", "c"), ("int", "m")]
    assert gpu.signatures("dropout")["dropout"][1] == ("float *", "random")


def test_nothing_imports_cupy_before_it_is_needed() -> None:
    code = "import sys, minigrad_kernels.updates; sys.exit('cupy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


SIZES = [(3, 4), (0,), (1030,), (1,), (2048,), (5, 0), (2049,)]


@pytest.mark.parametrize("where", ["with the launch", "clip on the device", "on the device"])
@pytest.mark.parametrize("rule", RULES)
def test_one_launch_updates_all_parameters(rule: str, where: str) -> None:
    if MISSING:
        pytest.skip(MISSING)
    rng = np.random.default_rng(1)
    states = 2 + RULES[rule].states
    parameters = [[np.abs(rng.normal(size=s)).astype("float32") for _ in range(states)] for s in SIZES]
    wanted = [[a.copy() for a in arrays] for arrays in parameters]
    coefficients = rng.uniform(0.1, 0.9, len(RULES[rule].names)).astype("float32")
    device = Emulated("permuted")
    given: Any = coefficients  # the emulation's arrays lie on the host
    if where != "on the device":
        clip = coefficients[:1].reshape(()) if where == "clip on the device" else coefficients[0]
        given = (clip, *coefficients[1:].tolist())
    with gpu.using(device):
        updates.update_all(rule, parameters, given)
    assert device.launches == [f"updates.{rule}"]
    for arrays in wanted:
        launch.kernels[rule](*arrays, coefficients)
    for got, right in zip(parameters, wanted, strict=True):
        for a, b in zip(got, right, strict=True):
            np.testing.assert_array_equal(a.view("i4"), b.view("i4"))


def test_a_batch_of_no_samples_launches_nothing() -> None:
    device = Silent()
    with gpu.using(device):
        losses, d = softmax_xent.forward_backward_gpu(np.ones((0, 3), "float32"), np.ones(0, "int64"))
    assert not device.launches
    assert losses.shape == (0,)
    assert d.shape == (0, 3)


@pytest.mark.parametrize("device", ["emulated", "cupy"])
def test_a_label_or_an_id_out_of_range_touches_nothing_outside(device: str) -> None:
    missing = MISSING if device == "emulated" else cuda.MISSING
    if missing:
        pytest.skip(missing)
    with gpu.using(Emulated() if device == "emulated" else gpu.Cupy()):
        xp = gpu.xp()
        bad, logits, weight = xp.array([0, 3, -1]), xp.ones((3, 3), "float32"), xp.ones((3, 2), "float32")
        losses, d = softmax_xent.forward_backward_gpu(logits, bad)
        assert xp.isnan(losses).tolist() == [False, True, True]
        assert xp.isnan(d).all(axis=1).tolist() == [False, True, True]
        assert xp.isnan(softmax_xent.forward_gpu(logits, bad)).tolist() == [False, True, True]
        assert xp.isnan(softmax_xent.backward_gpu(losses, logits, bad)).all(axis=1).tolist() == [
            False,
            True,
            True,
        ]
        assert xp.isnan(embedding.gather_gpu(weight, bad)).all(axis=1).tolist() == [False, True, True]
        assert embedding.scatter_add_gpu(weight, bad, 3).tolist() == [[1, 1], [0, 0], [0, 0]]
