"""A training step on a GPU: the numbers of the CPU, the same bits every time, and nothing that waits for the device."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from minigrad_kernels import gpu

import minigrad as mg
from minigrad import backend, nn, optim
from tests import cuda

pytestmark = cuda.needed

OPTIMIZERS: dict[str, Callable[[nn.Module], optim.Optimizer]] = {
    "SGD": lambda model: optim.SGD(model, lr=0.1),
    "momentum": lambda model: optim.SGD(model, lr=0.1, momentum=0.9, nesterov=True, weight_decay=1e-3),
    "AdaGrad": lambda model: optim.AdaGrad(model, lr=0.01),
    "RMSprop": lambda model: optim.RMSprop(model, lr=0.001),
    "Adam": lambda model: optim.Adam(model, lr=0.001),
    "AdamW, clipped": lambda model: optim.AdamW(model, lr=0.001, max_norm=0.5),
}


def training(device: str, optimizer: str, samples: int = 64) -> tuple[nn.Module, Callable[[], mg.Tensor]]:
    """A network of three dense layers, and a step of its training on a fixed batch."""
    rng = np.random.default_rng(0)
    model = nn.Sequential(
        nn.Linear(50, 40, rng=rng),
        nn.ReLU(),
        nn.Linear(40, 33, rng=rng),
        nn.ReLU(),
        nn.Linear(33, 10, rng=rng),
    ).to(device)
    x = mg.Tensor(backend.to_device(rng.normal(size=(samples, 50)).astype("float32"), device))
    labels = backend.to_device(rng.integers(0, 10, samples), device)
    update = OPTIMIZERS[optimizer](model)

    def step() -> mg.Tensor:
        update.zero_grad()
        loss: mg.Tensor = nn.cross_entropy(model(x), labels)
        loss.backward()
        update.step()
        return loss

    return model, step


def numbers(model: nn.Module) -> dict[str, np.ndarray[Any, Any]]:
    return {name: tensor.numpy() for name, tensor in model.named_parameters().items()}


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_it_goes_as_on_the_cpu(optimizer: str) -> None:
    (there, step_there), (here, step_here) = (training(device, optimizer) for device in ("cuda", "cpu"))
    for _ in range(10):
        np.testing.assert_allclose(step_there().item(), step_here().item(), rtol=1e-4)
    assert there.device == "cuda:0"
    for name, array in numbers(there).items():
        np.testing.assert_allclose(array, numbers(here)[name], rtol=1e-2, atol=1e-3, err_msg=name)


def test_the_same_bits_every_time() -> None:
    runs = []
    for _ in range(2):
        model, step = training("cuda", "Adam", samples=1000)
        for _ in range(20):
            step()
        runs.append(numbers(model))
    for name, array in runs[0].items():
        np.testing.assert_array_equal(array.view("i4"), runs[1][name].view("i4"), err_msg=name)


class Counting(gpu.Cupy):
    """The GPU, and the names of what was launched."""

    def __init__(self) -> None:
        self.launches: list[str] = []

    def launch(self, source: str, name: str, *args: Any) -> None:
        super().launch(source, name, *args)
        self.launches.append(f"{source}.{name}")


def test_one_launch_updates_all_parameters() -> None:
    device = Counting()
    _, step = training("cuda", "Adam")
    with gpu.using(device):
        step()
    assert [name for name in device.launches if name.startswith("updates")] == ["updates.adam"]
    assert len(device.launches) < 15


BUSY = """
extern "C" __global__ void keep_busy(long long cycles) {
    long long start = clock64();
    while (clock64() - start < cycles) {}
}
"""


@pytest.mark.parametrize("optimizer", ["SGD", "Adam", "AdamW, clipped"])
def test_nothing_in_a_step_waits_for_the_device(optimizer: str) -> None:
    """A step is handed to a device that is busy for half a second: whoever waits for it comes back after that."""
    import cupy

    _, step = training("cuda", optimizer)
    for _ in range(5):
        step()  # what is made once, such as compiled kernels and memory
    cupy.RawKernel(BUSY, "keep_busy")((1,), (1,), (np.int64(10**9),))
    idle_again = cupy.cuda.Event()
    idle_again.record()
    loss = step()
    assert not idle_again.done
    loss.item()  # this waits
    assert idle_again.done
