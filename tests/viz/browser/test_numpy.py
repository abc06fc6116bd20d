"""Programs in JavaScript: every operation of NumPy's kind, forwards and backwards, in Chromium and in Python."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.errors import ProgramError
from minigrad.program import javascript
from minigrad.viz.live import Live, live
from minigrad.viz.trace import Trace
from tests.ops.cases import CASES, special
from tests.viz import in_browser
from tests.viz.browser.chromium import Browser, find

pytestmark = pytest.mark.skipif(find() is None, reason="no Chromium is installed")

NOT_ON_A_PAGE = frozenset({
    "cholesky", "cofactor", "correlation", "det", "eigenpairs", "fmod", "fraction", "heaviside", "inv", "ldexp",
    "mantissa", "orthonormal", "pinv", "signed_logdet", "sinc", "sinc_derivative", "singular_triples", "solve",
    "unwrap",
})  # fmt: skip
"""Operations whose programs call what a page has no function for; those of SciPy's beside them."""

NAMES = [name for name in CASES if name not in special.CASES and name not in NOT_ON_A_PAGE]


def recorded(trace: Trace) -> Iterator[np.ndarray]:
    """Every array of a recorded step."""
    yield from (node.value for node in trace.nodes)
    for event in trace.events:
        for part in ("gradient", "incoming", "local", "contribution", "total"):
            if (array := getattr(event, part, None)) is not None:
                yield array


def expected(trace: Trace, program: Live) -> dict[str, np.ndarray]:
    return {program.values[id(a)].name: a for a in recorded(trace) if id(a) in program.values}


def given(trace: Trace, program: Live) -> dict[str, Any]:
    inputs = {value.name: trace.nodes[i].value for i, value in program.given.items()}
    return inputs | {value.name: array for value, array in program.constants}


@pytest.fixture(scope="module")
def page(browser: Browser) -> Browser:
    in_browser.load(browser)
    return browser


@pytest.mark.parametrize("name", NAMES)
def test_an_operation_in_the_browser(page: Browser, name: str) -> None:
    cases = {case.layout: case for case in CASES[name]}
    for layout, dtype in (("contiguous", "float32"), ("transposed", "float64"), ("broadcast", "float32")):
        case = cases[layout]
        inputs = [
            mg.Tensor(a.astype(dtype), requires_grad=True)
            if getattr(getattr(a, "dtype", None), "kind", "") == "f"
            else a
            for a in case.inputs
        ]

        def step(case: Any = case, inputs: Any = inputs) -> None:
            y = case.f(*inputs)
            (y * y).sum().backward()

        trace = mg.record(step)
        program = live(trace)
        wanted = expected(trace, program)
        found = in_browser.run(
            page, javascript.phases_text(program.listing), given(trace, program), list(wanted)
        )
        largest = max(float(np.max(np.abs(a), initial=0)) for a in wanted.values())
        for key, a in wanted.items():
            assert found[key].shape == a.shape
            if a.dtype.kind == "f":
                assert found[key].dtype == a.dtype
                bound = (3e-6 if dtype == "float32" else 1e-13) * max(1.0, largest)
                np.testing.assert_allclose(found[key], a, rtol=0, atol=bound, err_msg=f"{layout} {key}")


@pytest.mark.parametrize("shape", [(7,), (8,), (131,), (1000,), (3, 300), (5, 4, 33)])
@pytest.mark.parametrize("axis", [None, 0, -1])
def test_sums_and_means_have_numpys_bits(page: Browser, shape: tuple[int, ...], axis: int | None) -> None:
    x = np.random.default_rng(3).standard_normal(shape).astype("f")
    for array in (x, x.T.copy().T):
        w = mg.Tensor(array, requires_grad=True, name="w")
        trace = mg.record(lambda w=w: (w.sum(axis=axis).sum() + w.mean(axis=axis).sum()).backward())
        program = live(trace)
        wanted = expected(trace, program)
        found = in_browser.run(
            page, javascript.phases_text(program.listing), given(trace, program), list(wanted)
        )
        if array.flags.c_contiguous:
            for key, a in wanted.items():
                np.testing.assert_array_equal(found[key], a)


def test_what_no_page_can_run_is_said() -> None:
    a = mg.Tensor(np.eye(2), requires_grad=True, name="a")
    trace = mg.record(
        lambda: (
            mg.ops.inv(a).sum().backward() if hasattr(mg.ops, "inv") else np.linalg.inv(a).sum().backward()
        )
    )
    with pytest.raises(ProgramError, match=r"MG-670 .*np.linalg.inv\(a\).*a: float64 \(2, 2\)"):
        javascript.phases_text(live(trace).listing)


def test_several_steps_and_none_are_no_program() -> None:
    with pytest.raises(ProgramError, match=r"MG-671 .*no step back from a loss"):
        live(mg.record(lambda: mg.Tensor([1.0], requires_grad=True) * 2))


ULPS = {  # function: (from, to, on a scale of logarithms, how many ulp)
    "exp": (-87.0, 88.0, False, 2), "log": (1e-37, 1e38, True, 2), "tanh": (-9.0, 9.0, False, 1),
    "log1p": (1e-30, 1e30, True, 1), "expm1": (-20.0, 80.0, False, 1), "sin": (-100.0, 100.0, False, 1),
    "cos": (-100.0, 100.0, False, 1), "sqrt": (1e-37, 1e38, True, 0), "reciprocal": (1e-30, 1e30, True, 0),
    "arctan": (-50.0, 50.0, False, 1), "sinh": (-80.0, 80.0, False, 1), "cosh": (-80.0, 80.0, False, 1),
}  # fmt: skip
"""By how many units in the last place a function of float32 may differ from NumPy's, measured on 200,001 numbers."""


@pytest.mark.parametrize("name", ULPS)
def test_functions_of_single_precision_are_near_numpys(page: Browser, name: str) -> None:
    low, high, logarithmic, bound = ULPS[name]
    spaced = np.geomspace if logarithmic else np.linspace
    x = spaced(low, high, 200_001).astype("float32")
    told = page.js(
        f"(() => {{ const v = taken({json.dumps({'x': in_browser.packed(x)})}); "
        f"v.y = numpy.{name}(v.x); return handed(v, ['y']); }})()"
    )
    found, wanted = in_browser.unpacked(told["y"]), getattr(np, name)(x)
    assert found.dtype == wanted.dtype == np.float32
    apart = np.abs(found.astype("f8") - wanted) / np.spacing(np.abs(wanted)).astype("f8")
    assert apart.max() <= bound
