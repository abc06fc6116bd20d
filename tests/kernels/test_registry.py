"""Every kernel, in every implementation that can run here, against its reference; a kernel without a case fails."""

from __future__ import annotations

import importlib
import pkgutil
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import minigrad_kernels
import numpy as np
import pytest
from minigrad_kernels import gpu, launch
from minigrad_kernels.launch import Kernel, Loop

from tests import cuda
from tests.cuda import host
from tests.kernels.cases import CASES, Case
from tests.kernels.emulation.device import MISSING, ORDERS, Emulated

for module in pkgutil.iter_modules(minigrad_kernels.__path__, "minigrad_kernels."):
    importlib.import_module(module.name)

DTYPES = ["float32", "float64"]


def no_numba() -> str | None:
    return "Numba is not installed, or switched off" if not numba_runs() else None


def numba_runs() -> bool:
    return launch.numba() is not None and not launch.reference_is_forced()


needs_numba = pytest.mark.skipif(not numba_runs(), reason=str(no_numba()))


class Implementation:
    """One way to run the kernels: which function, inside which context, on whose arrays."""

    def __init__(
        self,
        pick: Callable[[Kernel], Callable[..., Any]],
        missing: str | None = None,
        device: Callable[[], Any] | None = None,
    ) -> None:
        self.pick, self.missing, self.device = pick, missing, device

    @contextmanager
    def entered(self) -> Iterator[Any]:
        if self.missing:
            pytest.skip(self.missing)
        if self.device is None:
            yield np
        else:
            with gpu.using(self.device()):
                yield gpu.xp()


def flat(kernel: Kernel, function: Callable[..., Any]) -> Callable[..., Any]:
    """What the launcher does for kernels whose loops take 1-D views."""
    return lambda *arrays: function(*launch._flattened(kernel.name, arrays))


def cpu(kernel: Kernel) -> Callable[..., Any]:
    """What is for the CPU, whether Numba is here or not; the reference takes what does not fit."""

    def run(*arrays: Any, **options: Any) -> Any:
        function = kernel.cpu
        if kernel.fits is not None and not kernel.fits(*arrays, **options):
            function = kernel.reference
        for way, when in kernel.ways:
            function = way if when(*arrays, **options) else function
        assert function is not None
        return function(*arrays, **options)

    assert kernel.cpu is not None
    return flat(kernel, kernel.cpu) if kernel.flat else run


def on_gpu(kernel: Kernel) -> Callable[..., Any]:
    assert kernel.gpu is not None
    return kernel.gpu


IMPLEMENTATIONS = {
    "numba": Implementation(cpu, no_numba()),
    "plain python": Implementation(cpu),
    **{
        f"emulated {order}": Implementation(on_gpu, MISSING, lambda order=order: Emulated(order))
        for order in ORDERS
    },
    "cupy": Implementation(on_gpu, cuda.MISSING, gpu.Cupy),
}


def cases(name: str, dtype: str) -> list[Case]:
    with np.errstate(all="ignore"):
        return list(CASES[name](np.random.default_rng(zlib.crc32(name.encode())), dtype))


def expected(kernel: Kernel, case: Case) -> list[Any]:
    with np.errstate(all="ignore"):
        return case.run(kernel.reference, case.copied())


def contiguous(a: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.array(a, order="C")  # which keeps a number a number


def is_small(case: Case) -> bool:
    return sum(a.size for a in case.args if isinstance(a, np.ndarray)) < 600


def test_every_kernel_has_its_cases_and_all_three_dialects() -> None:
    own = {
        name for name, kernel in launch.kernels.items() if kernel.reference.__module__.startswith("minigrad_")
    }
    assert own == set(CASES)
    for name in CASES:
        kernel = launch.kernels[name]
        assert kernel.cpu is not None
        assert kernel.gpu is not None
        assert kernel.reference.__doc__


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_parity(implementation: str, name: str, dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = launch.kernels[name]
    way = IMPLEMENTATIONS[implementation]
    if implementation == "plain python":
        monkeypatch.setattr(Loop, "compiled", property(lambda loop: loop.plain))
    with way.entered() as xp, np.errstate(all="ignore"):
        for case in cases(name, dtype):
            lies_well = all(a.flags.c_contiguous for a in case.args if isinstance(a, np.ndarray))
            if (way.device is None and not lies_well) or (
                implementation == "plain python" and not is_small(case)
            ):
                continue
            args = case.copied(lambda a, xp=xp: xp.asarray(a).copy(order="K"))
            got = case.run(way.pick(kernel), args)
            case.compare([host(a) for a in got], expected(kernel, case))


@pytest.mark.parametrize("name", CASES)
def test_the_launcher_takes_any_layout(name: str) -> None:
    kernel = launch.kernels[name]
    for case in cases(name, "float32"):
        args = case.copied(lambda a: a.copy(order="K"))
        with np.errstate(all="ignore"):
            case.compare(case.run(kernel, args), expected(kernel, case))


@needs_numba
@pytest.mark.parametrize("name", CASES)
def test_contiguous_arrays_go_to_the_compiled_dialect(name: str) -> None:
    kernel = launch.kernels[name]
    found = cases(name, "float64" if name == "sgd" else "float32")
    case = next(each for each in found if not kernel.fits or kernel.fits(*each.args, **each.options))
    picked = kernel.pick(*case.args, **case.options)
    ways = [way.run for way in kernel.ways]
    assert picked in [kernel.cpu.compiled if isinstance(kernel.cpu, Loop) else kernel.cpu, *ways]


@needs_numba
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", [name for name in CASES if launch.kernels[name].fits is not None])
def test_whatever_fits_is_taken_and_agrees_and_nothing_else_is(name: str, dtype: str) -> None:
    """Each implementation says by itself what it takes: run alone on that, it has the reference's results."""
    kernel = launch.kernels[name]
    assert kernel.cpu is not None
    assert kernel.fits is not None
    taken = 0
    with np.errstate(all="ignore"):
        for case in cases(name, dtype):
            args = case.copied(contiguous)
            if len({a.dtype for a in args if isinstance(a, np.ndarray) and a.dtype.kind == "f"}) > 1:
                continue  # the launcher's to refuse
            if not kernel.fits(*args, **case.options):
                assert kernel.pick(*args, **case.options) is kernel.reference
                continue
            ways = [way.run for way in kernel.ways if way.when(*args, **case.options)]
            assert kernel.pick(*args, **case.options) is [*ways, kernel.cpu][0]
            for run in (*ways, kernel.cpu):
                case.compare(case.run(run, case.copied(contiguous)), expected(kernel, case))
                taken += 1
    assert taken or (name, dtype) == ("dropout", "float64"), "its random numbers are float32"


@pytest.mark.parametrize("name", [name for name in CASES if launch.kernels[name].flat is False])
@pytest.mark.parametrize("implementation", ["reference", "launcher", "emulated ascending", "cupy"])
def test_results_go_where_out_says(implementation: str, name: str) -> None:
    kernel = launch.kernels[name]
    ways = {"reference": Implementation(lambda k: k.reference), "launcher": Implementation(lambda k: k)}
    way = (ways | IMPLEMENTATIONS)[implementation]
    with way.entered() as xp, np.errstate(all="ignore"):
        for case in cases(name, "float32"):
            wanted = expected(kernel, case)
            args = case.copied(lambda a, xp=xp: xp.asarray(a).copy(order="K"))
            out = tuple(xp.full(w.shape, 7, w.dtype) for w in wanted)
            got = case.run(way.pick(kernel), args, out=out if len(out) > 1 else out[0])
            assert all(g is o for g, o in zip(got, out, strict=True))
            case.compare([host(a) for a in got], wanted)


@pytest.mark.parametrize("name", [name for name in CASES if launch.kernels[name].flat is False])
@pytest.mark.parametrize("implementation", ["numba", "emulated ascending"])
def test_an_output_of_another_shape_or_dtype_is_refused(implementation: str, name: str) -> None:
    kernel = launch.kernels[name]
    way = IMPLEMENTATIONS[implementation]
    case = cases(name, "float32")[0]
    if name == "linear_backward_activation":
        case.options = {"activation": "relu"}
    wanted = expected(kernel, case)
    with way.entered():
        for make in (lambda w: np.empty((*w.shape, 2), w.dtype), lambda w: np.empty(w.shape, "float64")):
            out = tuple(make(w) for w in wanted)
            with pytest.raises(ValueError, match="is needed"):
                case.run(way.pick(kernel), case.copied(), out=out if len(out) > 1 else out[0])


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("implementation", ["launcher", "cupy"])
def test_the_same_bits_every_time(implementation: str, name: str) -> None:
    kernel = launch.kernels[name]
    way = IMPLEMENTATIONS.get(implementation, Implementation(lambda k: k))
    case = cases(name, "float32")[0]
    with way.entered() as xp:
        first, second = (case.run(way.pick(kernel), case.copied(xp.array)) for _ in range(2))
        for a, b in zip(first, second, strict=True):
            np.testing.assert_array_equal(host(a).view("i4"), host(b).view("i4"))


@needs_numba
@pytest.mark.parametrize("name", CASES)
def test_the_same_bits_whatever_the_number_of_threads(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    matmul = importlib.import_module("minigrad_kernels.matmul")
    monkeypatch.setattr(matmul, "PARALLEL_FROM", 0)
    monkeypatch.setattr(launch, "PARALLEL_FROM", 0)
    numba = launch.numba()
    assert numba is not None
    threads = numba.get_num_threads()
    kernel = launch.kernels[name]
    results = []
    try:
        for count in {1, min(2, numba.config.NUMBA_NUM_THREADS)}:
            numba.set_num_threads(count)
            results.append(
                [case.run(cpu(kernel), case.copied(np.ascontiguousarray)) for case in cases(name, "float32")]
            )
    finally:
        numba.set_num_threads(threads)
    for a, b in zip(results[0], results[-1], strict=True):
        for x, y in zip(a, b, strict=True):
            np.testing.assert_array_equal(x, y)
