"""Compiled loops that run without Numba being imported; and Numba imported later, which finds all as it would be."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import minigrad_kernels
import pytest
from minigrad_kernels import driver, launch, objects, runtime, tiles
from minigrad_kernels.loops import Loop

pytest.importorskip("numba")
binding = pytest.importorskip("llvmlite.binding")
pytestmark = pytest.mark.skipif(
    runtime.features() is None or launch.reference_is_forced(), reason="here it does not go without Numba"
)

BEFORE = """
import os, sys
import numpy as np
from minigrad_kernels import driver, launch, objects, runtime, tiles
from minigrad_kernels.loops import called_by

rng = np.random.default_rng(0)
x, w = (rng.standard_normal(shape, np.float32) for shape in ((256, 784), (512, 784)))
b, y = np.ones(512, np.float32), np.empty((256, 512), np.float32)

def product():
    from minigrad_kernels import products
    y[:] = 0
    with called_by(driver.call):
        products.forward(x, w, b, False, y)
    return np.abs(y - (x @ w.T + 1)).max() < 1e-3

def threads():
    return len(os.listdir("/proc/self/task"))
"""


def run(code: str, **environment: str) -> list[str]:
    """Run code in a fresh process; return the words that it printed."""
    root = str(Path(minigrad_kernels.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", BEFORE + code],
        env=os.environ | {"PYTHONPATH": root} | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.fixture(scope="module", autouse=True)
def kept() -> None:
    """Machine code on disk for what the tests below run."""
    run("product()", NUMBA_NUM_THREADS="2")
    run("product()", NUMBA_NUM_THREADS="1")


def test_a_loop_on_several_threads_needs_neither_numba_nor_llvm() -> None:
    found = run("print(product(), 'numba' in sys.modules, 'llvmlite' in sys.modules, launch.threads())")
    assert found == ["True", "False", "False", str(runtime.thread_count())]


def test_numba_imported_later_works_with_the_same_threads() -> None:
    code = """
import scipy.linalg  # which Numba imports, and which has a BLAS with threads of its own
before = product(), threads()
import numba
@numba.njit(parallel=True)
def total(a):
    sums = np.zeros(len(a))
    for i in numba.prange(len(a)):
        sums[i] = a[i].sum()
    return sums.sum()
assert np.isclose(total(x), x.sum(), atol=0.1)
launch.numba().set_num_threads(1)
print(*before, product(), threads(), numba.threading_layer(), numba.get_num_threads())
"""
    first, count, second, later, layer, masked = run(code)
    assert (first, second, later, layer, masked) == ("True", "True", count, "omp", "1")


def test_what_numba_compiles_later_runs_beside_what_was_kept() -> None:
    code = """
from minigrad_kernels import products
before = product()
products.forward(x, w, b, False, y)  # by Numba's own dispatcher
expected = y.copy()
print(before, product(), (y == expected).all(), "numba" in sys.modules)
"""
    assert run(code) == ["True", "True", "True", "True"]


SETTINGS = {
    "NUMBA_THREADING_LAYER=workqueue": "import numba; print(numba.threading_layer(), numba.get_num_threads())",
    "NUMBA_CPU_NAME=generic": "print(tiles.size(), 'numba' in sys.modules)",
    "NUMBA_CPU_FEATURES=+sse2": "print(tiles.size(), 'numba' in sys.modules)",
    "NUMBA_NUM_THREADS=many": "print(runtime.goes_without(), 'numba' in sys.modules)",
    "NUMBA_DISABLE_JIT=1": "print(tiles.size(), 'numba' in sys.modules)",
}
EXPECTED = {
    "NUMBA_THREADING_LAYER=workqueue": ["workqueue", "2"],
    "NUMBA_CPU_NAME=generic": ["None", "True"],
    "NUMBA_CPU_FEATURES=+sse2": ["None", "True"],
    "NUMBA_NUM_THREADS=many": ["False", "False"],
    "NUMBA_DISABLE_JIT=1": ["None", "True"],
}


@pytest.mark.parametrize("setting", SETTINGS)
def test_numbas_settings_hold(setting: str) -> None:
    name, _, value = setting.partition("=")
    # a layer is there as soon as a loop has run, on several threads
    before, more = ("product();", {"NUMBA_NUM_THREADS": "2"}) if "LAYER" in name else ("", {})
    assert run(before + SETTINGS[setting], **more | {name: value}) == EXPECTED[setting]


def test_numbas_number_of_threads_holds_without_numba() -> None:
    one = run("print(product(), launch.threads(), threads(), 'numba' in sys.modules)", NUMBA_NUM_THREADS="1")
    two = run("print(product(), launch.threads(), threads(), 'numba' in sys.modules)", NUMBA_NUM_THREADS="2")
    assert (one[:2], one[3:], two[:2], two[3:]) == (["True", "1"], ["False"], ["True", "2"], ["False"])
    assert int(two[2]) == int(one[2]) + 1


def test_fewer_threads_than_there_are_is_numbas_to_set() -> None:
    code = "launch.set_threads(1); import numba; print(launch.threads(), numba.get_num_threads(), product())"
    assert run(code, NUMBA_NUM_THREADS="2") == ["1", "1", "True"]
    code = "launch.set_threads(2); print(launch.threads(), product(), 'numba' in sys.modules)"
    assert run(code, NUMBA_NUM_THREADS="2") == ["2", "True", "False"]


def test_a_forked_child_does_without_threads() -> None:
    code = """
print(product(), flush=True)
child = os.fork()
if not child:
    print(product(), launch.may_use_threads(), flush=True)
    os._exit(0)
_, status = os.waitpid(child, 0)
print(status, product())
"""
    assert run(code) == ["True", "True", "False", "0", "True"]


def test_a_settings_file_is_numbas_to_read(tmp_path: Path) -> None:
    (tmp_path / ".numba_config.yaml").write_text("num_threads: 1\n")
    assert (
        run(f"os.chdir({str(tmp_path)!r}); print(runtime.goes_without(), runtime.settings())")[0] == "False"
    )


def double_rows_loop(a):  # type: ignore[no-untyped-def]
    for i in prange(len(a)):
        a[i] *= 2


prange = range  # Numba's, where the loop is compiled


def test_names_are_where_they_are_for_llvm() -> None:
    assert driver.Entry(Loop(double_rows_loop, parallel=True), (("C", "float64", 1),)).address
    needs = [
        *runtime.names(),
        *runtime.NAMES_OF_THREADS,
        "Py_DecRef",
        "printf",
        "sqrtf",
        "expf",
        "erf",
        "tgammaf",
    ]
    needs = [name for name in needs if binding.address_of_symbol(name)]
    known = {name: objects._known(name) for name in needs}
    assert len(known) > 100
    others = {name: other for name, other in known.items() if name != other}
    assert others["sqrtf"] == "numba_sqrtf"
    assert all(other == f"numba_{name}" for name, other in others.items())
    with pytest.raises(LookupError, match="no_such_name"):
        objects._known("no_such_name")
    with pytest.raises(LookupError, match="no_such_name"):
        runtime.address_of("no_such_name")


def test_the_processor_is_what_llvm_says() -> None:
    found = binding.get_host_cpu_features()
    known = runtime.features()
    assert known is not None
    for name in ("sse2", "avx", "avx2", "fma", "avx512f"):
        assert (name in known) == found.get(name, False), name
    assert tiles.size() is None or {"avx2", "fma"} <= known
