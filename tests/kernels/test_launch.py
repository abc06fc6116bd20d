"""Which implementation runs, and that everything works where Numba is absent."""

from __future__ import annotations

import copy
import importlib
import io
import os
import pkgutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import minigrad_kernels
import numpy as np
import pytest
from minigrad_kernels import launch, loops
from minigrad_kernels.launch import Kernel, Loop, Way

needs_numba = pytest.mark.skipif(
    launch.numba() is None or launch.reference_is_forced(), reason="Numba is not installed, or switched off"
)


@pytest.fixture
def kernel() -> Kernel:
    """A kernel whose implementations tell their names."""
    return Kernel("named", *(lambda *arrays, name=name: name for name in ("reference", "cpu", "gpu")))


class Foreign:
    """An array of a library that nobody knows."""


Gpu = type("ndarray", (), {"__module__": "cupy"})


@needs_numba
def test_picks_by_the_type_of_every_array(kernel: Kernel) -> None:
    a = np.ones((2, 3))
    assert kernel(a, a) == "cpu"
    assert kernel(a, np.arange(3), None) == "cpu"
    assert kernel(a, a.astype("float32")) == "reference"
    assert kernel(a, Foreign()) == "reference"
    assert kernel(Gpu(), Gpu()) == "gpu"
    assert kernel(Gpu(), a) == "reference"


@needs_numba
@pytest.mark.parametrize(
    "array",
    [
        np.ones((2, 3)).T,
        np.ones(6)[::2],
        np.ones(3, "float16"),
        np.ones(3, ">f8"),
        np.ma.array([1.0]),
        1.0,
    ],
    ids=["transposed", "strided", "float16", "byte-swapped", "subclass", "number"],
)
def test_what_a_loop_cannot_take_goes_to_the_reference(kernel: Kernel, array: object) -> None:
    assert kernel(array) == "reference"


@needs_numba
def test_reference_can_be_forced_and_the_force_ends(kernel: Kernel) -> None:
    a = np.ones(3)
    with launch.reference_only():
        assert launch.reference_is_forced()
        assert kernel(a) == "reference"
        assert kernel(Gpu()) == "reference"
    assert not launch.reference_is_forced()
    assert kernel(a) == "cpu"


@needs_numba
def test_a_kernel_says_what_it_takes_and_its_ways_come_first() -> None:
    names = ("reference", "cpu", "gpu", "small")
    reference, cpu, gpu, small = (lambda *arrays, name=name, **options: name for name in names)
    kernel = Kernel(
        "choosy",
        reference,
        cpu,
        gpu,
        fits=lambda a, mode="plain", out=None: a.ndim == 1 and mode == "plain",
        ways=(Way(small, lambda a, mode="plain", out=None: a.size < 3),),
        gpu_fits=lambda a, mode="plain", out=None: mode == "plain",
    )
    assert kernel(np.ones(2)) == kernel(np.ones(2), out=np.ones(2)) == "small"
    assert kernel(np.ones(3)) == kernel(np.ones(3), "plain") == "cpu"
    assert kernel(np.ones((1, 1))) == kernel(np.ones(2), "other") == kernel(np.ones(2), mode="other")
    assert kernel(np.ones((1, 1))) == kernel(np.ones(4)[::2]) == "reference"
    assert kernel(np.ones(2), out=np.ones(2, "float32")) == "reference"
    assert kernel(Gpu()) == "gpu"
    assert kernel(Gpu(), mode="other") == kernel(Gpu(), out=np.ones(2)) == "reference"


def test_a_dialect_that_is_missing_is_not_picked() -> None:
    kernel = Kernel("plain", lambda a: "reference")
    assert kernel(np.ones(3)) == "reference"
    assert kernel(Gpu()) == "reference"


def test_names_are_taken_once() -> None:
    importlib.import_module("minigrad_kernels.update_rules")
    with pytest.raises(ValueError, match="'adam' is registered already"):
        launch.register("adam", reference=lambda: None)


def test_every_registered_kernel_has_a_documented_reference() -> None:
    for module in pkgutil.iter_modules(minigrad_kernels.__path__, "minigrad_kernels."):
        importlib.import_module(module.name)
    assert launch.kernels
    for name, kernel in launch.kernels.items():
        assert kernel.name == name
        assert kernel.reference.__doc__, name


@needs_numba
def test_flat_kernels_see_flat_views_and_refuse_other_sizes() -> None:
    seen: list[tuple[int, ...]] = []
    kernel = Kernel("flat", lambda *a: None, lambda *a: seen.extend(each.shape for each in a), flat=True)
    kernel(np.ones((2, 3)), np.ones((2, 3)), np.ones(4))
    assert seen == [(6,), (6,), (4,)]
    with pytest.raises(ValueError, match=r"kernel 'flat': arrays of different shapes: \(2, 3\), \(5,\)"):
        kernel(np.ones((2, 3)), np.ones(5), np.ones(4))


@needs_numba
def test_a_loop_runs_where_no_cache_folder_can_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    numba = launch.numba()
    asked = []

    def njit(**options: object):
        asked.append(options)
        if options.get("cache"):
            raise RuntimeError("cannot cache function: no locator available")
        return lambda function: function

    monkeypatch.setattr(numba, "njit", njit)
    assert Loop(lambda a: a + 1)(1) == 2
    assert asked == [{"error_model": "numpy", "cache": True}, {"error_model": "numpy"}]


@needs_numba
def test_a_slow_compilation_says_so_on_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = iter(
        [0.0, 5.0, 5.5, 8.25]
    )  # the outer loop starts, its helper starts and ends, the outer loop ends
    monkeypatch.setattr(loops, "perf_counter", lambda: next(clock))
    helper = Loop(lambda x: x + 1)

    def outer(x: float) -> float:
        return helper_of_outer(x)  # noqa: F821

    outer.__module__ = "minigrad_kernels.lesson"
    numba = launch.numba()
    assert numba is not None
    helper.compiled = numba.njit(helper.function)
    bound = Loop(outer, helper_of_outer=helper)._bound(lambda loop: loop.compiled)
    assert numba.njit(bound)(1.0) == 2.0
    assert capsys.readouterr().err == "compiled outer in 8.2 s; it is kept on disk for the next run\n"


@needs_numba
def test_a_notebook_says_it_once_and_not_in_a_red_box(monkeypatch: pytest.MonkeyPatch) -> None:
    from numba.core import event

    class OutStream(io.StringIO):
        """What Jupyter puts in the place of both streams."""

    OutStream.__module__ = "ipykernel.iostream"
    listeners: list[event.Listener] = []
    monkeypatch.setattr(event, "register", lambda kind, listener: listeners.append(listener))
    loops._announce_slow_compilation()
    monkeypatch.setattr(loops, "perf_counter", iter([0.0, 5.0, 6.0, 9.0]).__next__)
    out, err = OutStream(), OutStream()
    monkeypatch.setattr("sys.stdout", out)
    monkeypatch.setattr("sys.stderr", err)

    def lesson() -> None: ...

    lesson.__module__ = "minigrad_kernels.lesson"
    compilation = SimpleNamespace(data={"dispatcher": SimpleNamespace(py_func=lesson)})
    for _ in range(2):
        listeners[0].on_start(compilation)
        listeners[0].on_end(compilation)
    assert err.getvalue() == ""
    assert out.getvalue() == "compiled lesson in 5.0 s; it is kept on disk for the next run\n"


def test_names_and_helpers_are_bound_for_each_dtype() -> None:
    def scaled(x: np.ndarray) -> float:
        return total(x) * FACTOR  # noqa: F821

    helper = Loop(lambda x: x[0] + x[1])
    assert Loop(scaled, total=helper, FACTOR=3).plain(np.array([1.0, 2.0])) == 9.0
    assert Loop(scaled, total=helper, FACTOR=5).plain(np.array([1.0, 2.0])) == 15.0


def test_a_copied_kernel_is_the_kernel() -> None:
    kernel = importlib.import_module("minigrad_kernels.update_rules").adam
    assert copy.deepcopy(kernel) is kernel


def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    root = str(Path(minigrad_kernels.__file__).parents[1])
    return subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": root} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


STEP = """
import sys
{before}
import numpy as np
from minigrad_kernels import launch, update_rules
assert not sys.modules.get("numba"), "imported too early"
theta, g = np.array([1.0, 2.0]), np.array([0.5, -0.5])
update_rules.sgd(theta, g, np.array([1.0, 0.0, 0.5]))
assert theta.tolist() == [0.75, 2.25], theta
assert not sys.modules.get("numba"), "imported although it was not to be"
"""


def test_works_without_numba() -> None:
    result = run(STEP.format(before="sys.modules['numba'] = None"))
    assert result.returncode == 0, result.stderr


def test_a_loop_called_by_itself_says_that_numba_is_missing() -> None:
    code = "import sys; sys.modules['numba'] = None; from minigrad_kernels.launch import Loop; Loop(len)([])"
    assert "RuntimeError: len is a loop for Numba, and Numba is not installed" in run(code).stderr


def test_environment_forces_the_reference() -> None:
    result = run(STEP.format(before=""), MINIGRAD_KERNELS="reference")
    assert result.returncode == 0, result.stderr


def test_environment_with_another_value_is_refused() -> None:
    result = run(STEP.format(before=""), MINIGRAD_KERNELS="fast")
    assert "MINIGRAD_KERNELS is 'fast'; it must be 'auto' (the default) or 'reference'" in result.stderr
