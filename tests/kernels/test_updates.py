"""Every update kernel gives the formula's bits, on every implementation there is."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from minigrad_kernels import launch, updates
from minigrad_kernels.update_rules import RULES

from minigrad.optim import formulas

RATE, MU, ALPHA, BETA1, BETA2, EPS, DECAY = 0.01, 0.9, 0.99, 0.9, 0.999, 1e-8, 0.05
CLIP, L2 = 0.37, 0.003

# What each kernel must equal: the formula at step t.
FORMULAS: dict[str, Callable[..., tuple[Any, ...]]] = {
    "sgd": lambda theta, g, t: formulas.sgd(theta, g, eta=RATE),
    "momentum": lambda theta, g, b, t: formulas.momentum(theta, g, b, eta=RATE, mu=MU),
    "nesterov": lambda theta, g, b, t: formulas.momentum(theta, g, b, eta=RATE, mu=MU, nesterov=True),
    "adagrad": lambda theta, g, s, t: formulas.adagrad(theta, g, s, eta=RATE, eps=EPS),
    "rmsprop": lambda theta, g, v, t: formulas.rmsprop(theta, g, v, eta=RATE, alpha=ALPHA, eps=EPS),
    "rmsprop_momentum": lambda theta, g, v, b, t: formulas.rmsprop_momentum(
        theta, g, v, b, eta=RATE, alpha=ALPHA, eps=EPS, mu=MU
    ),
    "rmsprop_centered": lambda theta, g, v, m, t: formulas.rmsprop_centered(
        theta, g, v, m, eta=RATE, alpha=ALPHA, eps=EPS
    ),
    "rmsprop_centered_momentum": lambda theta, g, v, m, b, t: formulas.rmsprop_centered_momentum(
        theta, g, v, m, b, eta=RATE, alpha=ALPHA, eps=EPS, mu=MU
    ),
    "adam": lambda theta, g, m, v, t: formulas.adam(
        theta, g, m, v, t, alpha=RATE, beta1=BETA1, beta2=BETA2, eps=EPS
    ),
    "adamw": lambda theta, g, m, v, t: formulas.adamw(
        theta, g, m, v, t, eta=RATE, beta1=BETA1, beta2=BETA2, eps=EPS, decay=DECAY
    ),
    "amsgrad": lambda theta, g, m, v, v_max, t: formulas.amsgrad(
        theta, g, m, v, v_max, t, alpha=RATE, beta1=BETA1, beta2=BETA2, eps=EPS
    ),
    "nadam": lambda theta, g, m, v, t: formulas.nadam(
        theta, g, m, v, t, eta=RATE, beta1=BETA1, beta2=BETA2, eps=EPS, mu=MU, mu_next=0.85, mu_product=0.7
    ),
    "lion": lambda theta, g, m, t: formulas.lion(
        theta, g, m, eta=RATE, beta1=BETA1, beta2=BETA2, decay=DECAY
    ),
    "adam_as_printed": lambda theta, g, m, v, t: formulas.adam_as_printed(
        theta, g, m, v, t, eta=RATE, beta1=BETA1, beta2=BETA2
    ),
}
STATES = {name: formula.__code__.co_argcount - 3 for name, formula in FORMULAS.items()}
SQUARES = {
    **{"adagrad": (0,), "rmsprop": (0,), "adam": (1,), "adamw": (1,), "adam_as_printed": (1,)},
    **{"amsgrad": (1, 2), "nadam": (1,), "rmsprop_momentum": (0,)},
    **{"rmsprop_centered": (0,), "rmsprop_centered_momentum": (0,)},
}


SETTINGS = SimpleNamespace(
    mu=MU, mu_next=0.85, mu_product=0.7, alpha=ALPHA, beta1=BETA1, beta2=BETA2, eps=EPS, decay=DECAY
)


def coefficients(name: str, t: int) -> tuple[float, ...]:
    return RULES[name].coefficients(SETTINGS, CLIP, L2, RATE, t)


def assert_same_bits(got: np.ndarray, expected: np.ndarray) -> None:
    assert got.dtype == expected.dtype
    nan = np.isnan(got) & np.isnan(expected)
    assert (nan | (got.view(f"i{got.itemsize}") == expected.view(f"i{got.itemsize}"))).all()


def check(name: str, theta: np.ndarray, g: np.ndarray, state: list[np.ndarray], t: int) -> list[np.ndarray]:
    """Run the formula, the reference and the picked implementation on copies; return what the formula gives."""
    for i in SQUARES.get(name, ()):
        state[i] = np.abs(state[i])
    vector = np.array(coefficients(name, t), theta.dtype)
    kernel = launch.kernels[name]
    with np.errstate(all="ignore"):
        effective = formulas.effective_gradient(g, theta, clip=CLIP, l2=L2)
        expected = list(FORMULAS[name](theta, effective, *state, t))
        for run in (kernel.reference, kernel):
            arrays = [a.copy() for a in (theta, *state)]
            assert run(arrays[0], g, *arrays[1:], vector) is None
            for got, wanted in zip(arrays, expected, strict=True):
                assert_same_bits(got, wanted)
    return expected


def test_every_rule_has_its_kernel_and_its_formula_here() -> None:
    assert set(RULES) == set(FORMULAS) <= set(launch.kernels)
    for name, rule in RULES.items():
        assert len(rule.names) == len(coefficients(name, 1))


@pytest.mark.skipif(
    launch.numba() is None or launch.reference_is_forced(), reason="Numba is not installed, or switched off"
)
def test_a_loop_runs_on_contiguous_arrays() -> None:
    a = np.ones(3)
    for name in RULES:
        kernel = launch.kernels[name]
        assert kernel.pick(a) is kernel.cpu.compiled, name
        assert hasattr(kernel.cpu.dispatcher, "py_func"), name


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", FORMULAS)
def test_many_steps_from_zero_state(name: str, dtype: str) -> None:
    rng = np.random.default_rng(3)
    theta = rng.normal(size=(37, 5)).astype(dtype)
    state = [np.zeros_like(theta) for _ in range(STATES[name])]
    for t in range(1, 41):
        g = (rng.normal(size=theta.shape) * 10.0 ** rng.integers(-12, 6, theta.shape)).astype(dtype)
        theta, *state = check(name, theta, g, state, t)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", FORMULAS)
def test_the_edges_of_the_number_range(name: str, dtype: str) -> None:
    info = np.finfo(dtype)
    edges = [0.0, -0.0, info.smallest_subnormal, info.smallest_normal / 3, info.tiny, info.eps, 1.0]
    edges += [np.sqrt(info.max), info.max, np.inf, np.nan]
    values = np.array([sign * edge for edge in edges for sign in (1, -1)], dtype)
    values = values if STATES[name] < 3 else values[::3]
    theta, g, *state = (a.ravel() for a in np.meshgrid(*[values] * (2 + STATES[name]), indexing="ij"))
    check(name, theta, g, state, t=7)


@settings(max_examples=60, deadline=None)
@given(
    data=st.data(),
    name=st.sampled_from(list(FORMULAS)),
    dtype=st.sampled_from(["float32", "float64"]),
    shape=hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=5),
    t=st.integers(1, 100_000),
)
def test_any_numbers_shapes_and_steps(
    data: st.DataObject, name: str, dtype: str, shape: tuple[int, ...], t: int
) -> None:
    arrays = [data.draw(hnp.arrays(dtype, shape)) for _ in range(2 + STATES[name])]
    arrays = [np.asarray(a) for a in arrays]
    if shape == ():
        arrays = [a.reshape(1) for a in arrays]
    check(name, arrays[0], arrays[1], arrays[2:], t)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", FORMULAS)
def test_a_loop_run_as_plain_python_gives_the_same_bits(name: str, dtype: str) -> None:
    # So a debugger can step through it.
    rng = np.random.default_rng(5)
    arrays = [np.abs(rng.normal(size=7)).astype(dtype) for _ in range(2 + STATES[name])]
    vector = np.array(coefficients(name, 2), dtype)
    plain = [a.copy() for a in arrays]
    kernel = launch.kernels[name]
    assert isinstance(kernel.cpu, launch.Loop)
    kernel.cpu.function(*plain, vector)
    kernel.reference(*arrays, vector)
    for got, wanted in zip(plain, arrays, strict=True):
        assert_same_bits(got, wanted)


@pytest.mark.parametrize("name", FORMULAS)
def test_strided_and_transposed_arrays_are_updated_in_place(name: str) -> None:
    rng = np.random.default_rng(4)
    vector = np.array(coefficients(name, 2))
    arrays = [np.abs(rng.normal(size=(4, 3))) for _ in range(2 + STATES[name])]
    plain = [a.copy() for a in arrays]
    launch.kernels[name](*plain, vector)
    turned = [np.asfortranarray(a) for a in arrays]
    launch.kernels[name](*turned, vector)
    for got, wanted in zip(turned, plain, strict=True):
        np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize("name", FORMULAS)
def test_the_gradient_is_only_read(name: str) -> None:
    arrays = [np.ones(8) for _ in range(2 + STATES[name])]
    arrays[1].flags.writeable = False
    launch.kernels[name](*arrays, np.array(coefficients(name, 1)))
    np.testing.assert_array_equal(arrays[1], 1.0)


def test_float32_stays_float32_inside() -> None:
    # In float32, 1 + 1e-8 is 1, so the subtraction leaves nothing; in float64 it would leave 1e-8.
    theta = np.ones(16, "float32")
    RULES["sgd"](theta, np.full(16, -1e-8, "float32"), np.array([1, 0, 1], "float32"))
    np.testing.assert_array_equal(theta, np.float32(1))


@pytest.mark.skipif(launch.numba() is None, reason="Numba is not installed")
@pytest.mark.parametrize("rule", RULES)
def test_a_large_parameter_is_updated_in_pieces_to_the_same_bits(rule: str) -> None:
    size = launch.PARALLEL_FROM + 17
    rng = np.random.default_rng(3)
    arrays = [rng.uniform(0.1, 1, size).astype("float32") for _ in range(2 + STATES[rule])]
    vector = rng.uniform(0.1, 0.9, len(RULES[rule].names)).astype("float32")
    kernel, wanted = launch.kernels[rule], [a.copy() for a in arrays]
    assert kernel.parallel is not None
    assert kernel.pick(*arrays, vector) is kernel.parallel.compiled
    kernel(*arrays, vector)
    kernel.reference(*wanted, vector)
    for got, right in zip(arrays, wanted, strict=True):
        np.testing.assert_array_equal(got, right)


@pytest.mark.skipif(launch.numba() is None, reason="Numba is not installed")
@pytest.mark.parametrize(("rule", "share"), [("sgd", 1), ("momentum", 1), ("adam", 4), ("rmsprop", 4)])
def test_several_workers_update_rows_sooner_where_a_rule_takes_roots(
    rule: str, share: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch, "threads", lambda: 3)
    kernel, least = launch.kernels[rule], launch.PARALLEL_FROM // share
    for entries, workers in ((least, 3), (least - 1, 1)):
        found = updates.by_rows(kernel.cpu, entries)
        assert found is not None
        assert found[1] == workers
    assert updates.by_rows(None, least) is None
