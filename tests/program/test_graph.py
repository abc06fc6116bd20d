"""A program as a CUDA graph, on the stand-in for CuPy; on a GPU where there is one."""

from __future__ import annotations

import gc
import re
import runpy
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from minigrad_kernels import gpu

import minigrad as mg
from minigrad import backend, nn, optim
from minigrad.errors import ProgramError
from tests import cuda, cupy_stand_in, strict_array
from tests.cupy_stand_in import DeviceArray, MemoryPool, StandIn, Stream, using_allocator
from tests.kernels.emulation.device import MISSING
from tests.strict_array import StrictArray

THERE = "emulated"


@pytest.fixture
def device() -> Iterator[StandIn]:
    if MISSING:
        pytest.skip(MISSING)
    cupy_stand_in.launches.clear()
    with gpu.using(device := StandIn()):
        yield device


def moved(array: Any, device: str = THERE) -> Any:
    return backend.to_device(array, device)


def numbers(array: Any) -> np.ndarray:
    return backend.to_numpy(array._data if isinstance(array, mg.Tensor) else array)


def batches(count: int, n: int = 5) -> list[tuple[Any, Any]]:
    rng = np.random.default_rng(1)
    return [(rng.standard_normal((n, 7)), rng.integers(0, 3, n)) for _ in range(count)]


def training(device: str, make: Callable[[nn.Module], Any], *layers: nn.Module) -> tuple[Any, nn.Module, Any]:
    rng = np.random.default_rng(0)
    parts = [nn.Linear(7, 6, rng=rng), nn.ReLU(), *layers, nn.Linear(6, 3, rng=rng)]
    model = nn.Sequential(*parts).to("float64").to(device)
    optimizer, loss_of = make(model), nn.CrossEntropyLoss()

    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        loss = loss_of(model(mg.Tensor(x)), y)
        loss.backward()
        optimizer.step()
        return loss

    return step, model, optimizer


def require_alike(model: nn.Module, other: nn.Module) -> None:
    for a, b in zip(model.parameters(), other.parameters(), strict=True):
        np.testing.assert_allclose(numbers(a), numbers(b), rtol=1e-9, atol=1e-12)


STEPS: dict[str, tuple[Callable[[nn.Module], Any], Callable[[], list[nn.Module]]]] = {
    "SGD": (lambda m: optim.SGD(m, lr=0.1, weight_decay=0.01), list),
    "a schedule": (lambda m: optim.SGD(m, lr=lambda t: 0.1 / (1 + t), momentum=0.9), list),
    "Adam": (lambda m: optim.Adam(m, lr=0.01), list),
    "clipped": (lambda m: optim.AdamW(m, lr=0.01, max_norm=0.1), list),
    "dropout": (lambda m: optim.SGD(m, lr=0.1), lambda: [nn.Dropout(0.5, np.random.default_rng(3))]),
    "BatchNorm and GELU": (lambda m: optim.SGD(m, lr=0.1), lambda: [nn.BatchNorm1d(6), nn.GELU()]),
}


def in_steps(make: Any, layers: Any, there: str) -> list[Any]:
    """Train on the processor eagerly and on a device by a graph; the losses and networks have to be alike."""
    step, model, _ = training("cpu", make, *layers())
    compiled, other, _ = training(there, make, *layers())
    compiled = mg.compile(compiled)
    results = []
    for x, y in batches(7):
        loss = compiled(moved(x, there), moved(y, there))
        results.append((loss, step(x, y).item()))
    for loss, wanted in results:  # each in memory of its own
        np.testing.assert_allclose(numbers(loss), wanted, rtol=1e-9)
    require_alike(other, model)
    return compiled


@pytest.mark.parametrize("name", STEPS)
def test_it_goes_as_on_the_processor(name: str, device: StandIn):
    compiled = in_steps(*STEPS[name], THERE)
    assert len(cupy_stand_in.launches) == 1
    assert compiled.why().count("made for") == 1
    assert "graph.launch()" in compiled.program.native


@cuda.needed
@pytest.mark.parametrize("name", STEPS)
def test_it_goes_as_on_the_processor_on_a_gpu(name: str):
    compiled = in_steps(*STEPS[name], "cuda:0")
    assert "graph.launch()" in compiled.program.native


def test_a_replay_is_one_launch_and_one_copy(device: StandIn):
    step, _, _ = training(THERE, lambda m: optim.Adam(m, lr=0.01))
    step = mg.compile(step, verify=False)
    there = [(moved(x), moved(y)) for x, y in batches(5)]
    for x, y in there[:2]:
        step(x, y)
    device.launches.clear()
    strict_array.copies.clear()
    for x, y in there[2:]:
        step(x, y)
    assert strict_array.copies == {"host to device": 3}  # the coefficients
    assert device.launches.count("updates.adam") == 3  # all parameters at once
    assert device.launches.count("matmul.register_blocked") == 3 * 5
    (graph,) = cupy_stand_in.launches
    assert len(graph.nodes) < 20


def test_all_batches_of_a_loader_and_the_lives_of_buffers(device: StandIn):
    step, model, _ = training(THERE, lambda m: optim.Adam(m, lr=0.01))
    other, eager, _ = training("cpu", lambda m: optim.Adam(m, lr=0.01))
    step, data = mg.compile(step), batches(6)
    found = step.over([(moved(x), moved(y)) for x, y in data])
    np.testing.assert_allclose(
        [numbers(each) for each in found], [other(*each).item() for each in data], rtol=1e-9
    )
    require_alike(model, eager)
    assert "buffers" in str(step.program.memory())


def test_nothing_runs_while_it_is_captured(device: StandIn):
    """The step that makes the graph is done once: the parameters are those of two steps after two calls."""
    step, model, optimizer = training(THERE, lambda m: optim.SGD(m, lr=0.1))
    other, eager, _ = training("cpu", lambda m: optim.SGD(m, lr=0.1))
    step = mg.compile(step)
    for x, y in batches(2):
        step(moved(x), moved(y))
        other(x, y)
    require_alike(model, eager)
    assert optimizer.t == 2


def test_all_that_the_graph_goes_to_is_held(device: StandIn):
    def made() -> Any:
        step, _, _ = training(THERE, lambda m: optim.Adam(m, lr=0.01))
        compiled = mg.compile(step, verify=False)
        for x, y in batches(3):
            compiled(moved(x), moved(y))
        return compiled

    compiled = made()
    gc.collect()
    rubbish = [DeviceArray(np.full((6, 7), np.nan)) for _ in range(50)]
    for x, y in batches(3):
        assert np.isfinite(numbers(compiled(moved(x), moved(y))))
    assert rubbish
    graph = compiled.program._native
    graph._pool = None
    graph._held.clear()
    gc.collect()
    with pytest.raises(RuntimeError, match="memory that is not held"):  # the stand-in does look
        compiled(moved(x), moved(y))


def test_a_batch_of_the_hosts_is_moved_in_every_step(device: StandIn):
    step, model, _ = training("cpu", lambda m: optim.SGD(m, lr=0.1))
    inner, other, _ = training(THERE, lambda m: optim.SGD(m, lr=0.1))

    @mg.compile
    def compiled(x: Any, y: Any) -> Any:
        return inner(mg.Tensor(x, device=THERE), mg.Tensor(y, device=THERE)._data)

    for x, y in batches(5):
        np.testing.assert_allclose(numbers(compiled(x, y)), step(x, y).item(), rtol=1e-9)
    require_alike(other, model)
    assert len(cupy_stand_in.launches) == 1


def test_numbers_are_inputs(device: StandIn):
    w = mg.Tensor(np.arange(3.0), device=THERE)
    step = mg.compile(lambda x, scale: (x * w * (2 * scale) + scale).sum())
    x = np.arange(3.0) + 1
    for k in range(6):
        scale = 0.5 + k
        found = step(mg.Tensor(x, device=THERE), scale)
        np.testing.assert_allclose(numbers(found), (x * np.arange(3.0) * 2 * scale + scale).sum())
    assert len(cupy_stand_in.launches) == 1


def test_parameters_and_constants_may_lie_elsewhere(device: StandIn):
    step, model, _ = training(THERE, lambda m: optim.SGD(m, lr=0.1))
    other, eager, _ = training("cpu", lambda m: optim.SGD(m, lr=0.1))
    step = mg.compile(step)
    for k, (x, y) in enumerate(batches(8)):
        np.testing.assert_allclose(numbers(step(moved(x), moved(y))), other(x, y).item(), rtol=1e-9)
        if k in (2, 4):
            model[0].weight.data = model[0].weight.data.copy()
    require_alike(model, eager)
    assert len(cupy_stand_in.launches) == 3  # once for each place where it lay
    assert step.why().count("made for") == 1

    cupy_stand_in.launches.clear()
    frozen = mg.Tensor(np.ones(3), device=THERE)
    read = mg.compile(lambda x: (x * frozen).sum())
    for k in range(8):  # a constant that is another array in every call becomes an input
        frozen.data = moved(np.full(3, 1.0 + k))
        assert numbers(read(moved(np.ones(3)))) == 3 + 3 * k
    assert len(cupy_stand_in.launches) == 2


def test_an_argument_that_the_step_writes_into(device: StandIn):
    @mg.compile
    def step(x: Any) -> Any:
        x += 1
        return mg.Tensor(x).sum()

    for k in range(5):
        x = moved(np.full(3, float(k)))
        assert numbers(step(x)) == 3 * (k + 1)
        assert numbers(x).tolist() == [k + 1] * 3


def test_products_are_the_kernels_own(device: StandIn):
    rng = np.random.default_rng(0)
    a, b, v = rng.standard_normal((2, 3, 4)), rng.standard_normal((4, 5)), rng.standard_normal(5)
    step = mg.compile(lambda a, b, v: mg.Tensor(a) @ b @ v)
    for _ in range(4):
        np.testing.assert_allclose(numbers(step(moved(a), moved(b), moved(v))), a @ b @ v, rtol=1e-12)
    assert "matmul.register_blocked" in device.launches


@pytest.mark.parametrize(
    ("refused", "reason"),
    [
        (lambda x: np.einsum("ij,kj->ik", x, x).sum(), "cuBLAS"),
        (lambda x: (mg.Tensor(x[x > 0]) * 1).sum(), "is capturing"),
    ],
)
def test_what_cannot_be_captured_is_said_and_nothing_has_changed(refused: Any, reason: str, device: StandIn):
    w = nn.module.Parameter(moved(np.ones((3, 3))))
    optimizer = optim.SGD([w], lr=0.1)
    rng = np.random.default_rng(0)
    drop = nn.Dropout(0.5, rng)

    @mg.compile
    def step(x: Any) -> Any:
        optimizer.zero_grad()
        loss = drop(w * x).sum() + refused(x)
        loss.backward()
        optimizer.step()
        return loss

    x = moved(np.arange(9.0).reshape(3, 3))
    step(x)
    before = numbers(w).copy(), optimizer.t, rng.bit_generator.state
    with pytest.raises(ProgramError, match=rf"MG-659 .*test_graph.py line \d+, cannot be captured.*{reason}"):
        step(x)
    np.testing.assert_array_equal(numbers(w), before[0])
    assert (optimizer.t, rng.bit_generator.state) == before[1:]
    assert Stream in type(cupy_stand_in._streams[-1]).__mro__
    assert cupy_stand_in._streams[-1].nodes is None


def test_numbers_that_would_freeze_are_refused(device: StandIn):
    step, _, _ = training(THERE, lambda m: optim.Adam(m, lr=0.01, fast=False))
    x, y = batches(1)[0]
    with pytest.raises(ProgramError, match=r"MG-660 Adam has no kernel here \(fast=False\)"):
        mg.compile(step)(moved(x), moved(y))
    norm = mg.compile(lambda x, eps: nn.functional.layer_norm(mg.Tensor(x), (7,), eps=eps))
    norm(moved(x), 0.1)
    with pytest.raises(ProgramError, match=r"MG-660 .*normalize_forward.*'eps' to a kernel"):
        norm(moved(x), 0.2)


def test_another_stream_waits_for_the_last_launch(device: StandIn, monkeypatch: pytest.MonkeyPatch):
    waits = []
    monkeypatch.setattr(Stream, "wait_event", lambda self, event: waits.append((self, event.stream)))
    step = mg.compile(lambda x: mg.Tensor(x).sum(), verify=False)
    for _ in range(3):
        step(moved(np.ones(3)))
    first, other = cupy_stand_in._streams[-1], Stream()
    waits.clear()
    with other:
        step(moved(np.ones(3)))
        step(moved(np.ones(3)))
    assert waits == [(other, first)]


def test_it_is_saved_for_the_processor(device: StandIn, tmp_path: Any):
    step, _, _ = training(THERE, lambda m: optim.AdamW(m, lr=0.01, max_norm=0.1))
    step = mg.compile(step)
    data = batches(6)
    for x, y in data[:3]:
        step(moved(x), moved(y))
    step.program.save(tmp_path / "step.py")
    saved = runpy.run_path(str(tmp_path / "step.py"))["step"]
    for x, y in data[3:]:
        np.testing.assert_allclose(saved(x, y), numbers(step(moved(x), moved(y))), rtol=1e-9)


def test_arrays_of_other_libraries_are_refused():
    step = mg.compile(lambda x: x * 2.0)
    with pytest.raises(ProgramError, match=re.escape("MG-637 'x' is a tests array on strict")):
        step(mg.Tensor(StrictArray(np.ones(3))))


class TestTheStandInItself:
    """It has to refuse, and to do nothing while it captures, or the tests above would show nothing."""

    def test_nothing_is_worked_out_before_a_launch(self, device: StandIn):
        a, b = DeviceArray(np.ones(3)), DeviceArray(np.zeros(3))
        with Stream(non_blocking=True) as stream:
            stream.begin_capture()
            c = a + 1
            b[...] = c
            np.multiply(b, 2, out=b)
            graph = stream.end_capture()
        assert numbers(b).tolist() == [0, 0, 0]
        assert np.isnan(numbers(c)).all()
        a[...] = 4
        graph.launch()
        assert numbers(b).tolist() == [10, 10, 10]
        assert numbers(c).tolist() == [5, 5, 5]

    @pytest.mark.parametrize(
        "refused",
        [
            lambda a: a.get(),
            lambda a: a.set(np.ones((2, 2))),
            lambda a: moved(np.ones(2)).get(),
            lambda a: gpu.xp().asarray(np.ones(2)),
            lambda a: a @ a,
            lambda a: np.tensordot(a, a),
            lambda a: gpu.matmul(a, a, a),
            lambda a: a[a > 0],
            np.nonzero,
        ],
    )
    def test_it_refuses(self, refused: Any, device: StandIn):
        a = DeviceArray(np.ones((2, 2)))
        with Stream(non_blocking=True) as stream:
            stream.begin_capture()
            with pytest.raises((RuntimeError, NotImplementedError)):
                refused(a)
            stream.end_capture()

    def test_it_sees_what_is_not_held(self, device: StandIn):
        a, pool = DeviceArray(np.ones(3)), MemoryPool()
        with Stream(non_blocking=True) as stream, using_allocator(pool.malloc):
            stream.begin_capture()
            b = a + 1
            graph = stream.end_capture()
        del b
        graph.launch()  # the pool is there
        del pool
        gc.collect()
        with pytest.raises(RuntimeError, match="not held"):
            graph.launch()
