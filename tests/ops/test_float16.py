"""The whole table in float16, held against itself in float64; and sums and counts past 2,048 and 65,504."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, ops
from tests.ops.cases import Case, on_every_case

EPS = 2.0**-10
"""The distance of float16's neighbours at 1."""

SMALLEST = 2.0**-24
"""The distance of float16's neighbours at 0."""

EXACT = {"astype", "to", "float_power"}  # whose cases convert to float64


def _is_float(x: Any) -> bool:
    return isinstance(x, np.ndarray) and x.dtype == np.float64


def _run(f: Callable[..., Any], inputs: list[Any], v: np.ndarray | None = None) -> tuple[Any, list[Any]]:
    """The result, and the gradients of Σ v · result; v in the result's dtype."""
    tensors = [
        mg.Tensor(x, requires_grad=True) if isinstance(x, np.ndarray) and x.dtype.kind == "f" else x
        for x in inputs
    ]
    y = f(*tensors)
    y.backward(np.ones(y.shape, y.dtype) if v is None else v.astype(y.dtype))
    return y, [t.grad for t in tensors if isinstance(t, mg.Tensor)]


def close(half: Any, exact: Any, scale: float, ulps: float = 16) -> None:
    """Equal within some roundings of float16 at the size of the numbers that it was made of."""
    np.testing.assert_allclose(
        np.asarray(half.data, np.float64), exact.data, rtol=ulps * EPS, atol=ulps * EPS * scale + 8 * SMALLEST
    )


@on_every_case(but=EXACT)
def test_the_table(case: Case) -> None:
    halves = [x.astype("float16") if _is_float(x) else x for x in case.inputs]
    exacts = [x.astype("float64") if _is_float(o) else x for x, o in zip(halves, case.inputs, strict=True)]
    exact, exact_grads = _run(case.f, exacts)
    half, half_grads = _run(case.f, halves)
    assert half.dtype == np.float16
    close(half, exact, np.abs(exact.data).max(initial=1.0))
    for got, wanted in zip(half_grads, exact_grads, strict=True):
        assert (got is None) == (wanted is None)
        if got is not None:
            assert got.dtype == np.float16
            close(got, wanted, np.abs(wanted.data).max(initial=1.0))


MANY = 70_000
LARGE: dict[str, tuple[Callable[..., Any], Callable[[np.random.Generator], Any]]] = {
    # on 70,000 numbers: more than float16 can count
    "mean": (np.mean, lambda r: r.normal(size=MANY)),
    "mean of rows": (lambda a: np.mean(a, axis=0), lambda r: r.normal(size=(MANY, 2))),
    "var": (np.var, lambda r: r.normal(size=MANY)),
    "var far from 0": (np.var, lambda r: 500 + r.normal(size=MANY)),
    "std": (np.std, lambda r: r.normal(size=MANY)),
    "std far from 0": (lambda a: np.std(a, ddof=1), lambda r: 500 + r.normal(size=MANY)),
    "max": (np.max, lambda r: np.ones(MANY)),
    "min of rows": (lambda a: np.min(a, axis=0), lambda r: np.ones((MANY, 2))),
    "max, not shared": (np.max, lambda r: r.permutation(MANY) % 2000),
    "prod": (np.prod, lambda r: np.exp(r.normal(size=5000) * 0.1)),
    "prod of large numbers": (np.prod, lambda r: np.array([300.0, 300.0, 0.001, 0.002])),
    "logsumexp": (ops.logsumexp, lambda r: r.normal(size=MANY)),
    "softmax": (
        lambda a: np.sum(ops.softmax(a) * (np.arange(MANY) % 7).astype(a.dtype)),
        lambda r: r.normal(size=MANY),
    ),
    "log_softmax": (lambda a: ops.log_softmax(a)[:3], lambda r: r.normal(size=MANY)),
    "sum of rows": (lambda a: np.sum(a, axis=0), lambda r: r.uniform(0, 0.4, size=(MANY, 2))),
    "cumsum": (lambda a: np.cumsum(a)[-3:], lambda r: r.uniform(0, 0.4, size=MANY)),
    "norm": (lambda a: np.sqrt(np.sum(np.square(a))), lambda r: r.uniform(0.5, 1, size=MANY)),
    "mean square": (lambda a: nn.mse(a, np.zeros(MANY, a.dtype)), lambda r: r.normal(size=MANY)),
    "half mean square": (lambda a: nn.half_mse(a, np.zeros(MANY, a.dtype)), lambda r: r.normal(size=MANY)),
    "mean absolute": (lambda a: nn.mae(a, np.zeros(MANY, a.dtype)), lambda r: r.normal(size=MANY)),
    "bce": (lambda a: nn.bce_with_logits(a, np.ones(MANY, a.dtype)), lambda r: r.normal(size=MANY)),
    "cross-entropy": (lambda a: nn.cross_entropy(a, np.arange(MANY) % 2), lambda r: r.normal(size=(MANY, 2))),
    "cross-entropy of one sample": (
        lambda a: nn.cross_entropy(a, np.array([3])),
        lambda r: r.normal(size=(1, MANY)),
    ),
    "an index again and again": (lambda a: a[np.zeros(5000, int)], lambda r: r.normal(size=2)),
    "a row again and again": (lambda a: a[np.zeros(5000, int)], lambda r: r.normal(size=(2, 2))),
    "take_along_axis": (lambda a: np.take_along_axis(a, np.zeros(5000, int), 0), lambda r: r.normal(size=3)),
    "embedding": (lambda a: ops.fused.embedding(a, np.zeros(5000, int)), lambda r: r.normal(size=(2, 2))),
    "a bias": (lambda a: np.zeros((5000, 2), a.dtype) + a, lambda r: r.normal(size=2)),
    "a number": (lambda a: np.ones((5000, 2), a.dtype) * a, lambda r: r.normal(size=())),
    "broadcast_to": (lambda a: np.broadcast_to(a, (5000, 2)), lambda r: r.normal(size=2)),
    "a layer's bias": (
        lambda a: ops.linear(np.zeros((5000, 3), a.dtype), np.ones((2, 3), a.dtype), a),
        lambda r: r.normal(size=2),
    ),
    "a relu layer's bias": (
        lambda a: ops.linear_relu(np.ones((5000, 3), a.dtype), np.ones((2, 3), a.dtype), a),
        lambda r: r.normal(size=2),
    ),
    "matmul": (lambda a: a @ np.ones(MANY, a.dtype), lambda r: r.uniform(0, 0.4, size=(2, MANY))),
    "matmul's gradient": (lambda a: np.ones((5000, 2), a.dtype) @ a, lambda r: r.normal(size=2)),
    "einsum": (lambda a: np.einsum("ij->j", a), lambda r: r.uniform(0, 0.4, size=(MANY, 2))),
    "einsum's gradient": (
        lambda a: np.einsum("i,j->ij", np.ones(5000, a.dtype), a),
        lambda r: r.normal(size=2),
    ),
}


@pytest.mark.parametrize("what", LARGE)
def test_more_than_float16_can_count(what: str) -> None:
    f, sample = LARGE[what]
    a = np.asarray(sample(np.random.default_rng(0))).astype("float16")
    half, (gradient,) = _run(f, [a])
    exact, (wanted,) = _run(f, [a.astype("float64")])
    assert half.dtype == gradient.dtype == np.float16
    close(half, exact, 0.0)
    # every entry within a hundredth of itself, as far as float16 has digits there
    np.testing.assert_allclose(
        gradient.data.astype("float64"),
        wanted.data,
        rtol=0.01,
        atol=2 * SMALLEST + 0.01 * np.abs(wanted.data).mean(),
    )


def test_by_hand() -> None:
    for f in (np.mean, np.max):
        x = mg.Tensor(np.ones(MANY, "float16"), requires_grad=True)
        f(x).backward()
        np.testing.assert_allclose(x.grad.data.astype(float), 1 / MANY, rtol=0.005)


@pytest.mark.parametrize("what", ["mean", "var", "std", "max", "logsumexp", "softmax", "cumsum", "prod"])
def test_second_gradients_in_float16(what: str) -> None:
    def second(x: np.ndarray) -> Any:
        f = getattr(np, what, None) or getattr(ops, what)
        first = mg.grad(lambda t: np.sum(np.square(f(t))) * 0.5)
        return mg.grad(lambda t: np.sum(np.square(first(t))))(x)

    a = np.random.default_rng(1).uniform(0.5, 1.5, size=8).astype("float16")
    got = second(a)
    assert got.dtype == np.float16
    wanted = second(a.astype("float64"))
    close(got, wanted, np.abs(wanted.data).max())


@pytest.mark.parametrize(
    "layer", [nn.ReLU(), nn.LeakyReLU(), nn.GELU(), nn.Sigmoid(), nn.Tanh(), nn.Softmax(), nn.LayerNorm(6)]
)
def test_a_network_stays_in_its_dtype(layer: nn.Module) -> None:
    rng = np.random.default_rng(0)
    net = nn.Sequential(nn.Linear(4, 6, rng=rng), layer, nn.Linear(6, 3, rng=rng))
    x, labels = rng.normal(size=(5, 4)).astype("float16"), np.array([0, 1, 2, 1, 0])
    results = []
    for dtype in ("float16", "float64"):
        net.to("float16").to(dtype).zero_grad()
        loss = nn.cross_entropy(net(mg.Tensor(x.astype(dtype))), labels)
        assert loss.dtype == dtype
        loss.backward()
        results.append((loss.item(), {name: p.grad.detach() for name, p in net.named_parameters().items()}))
    (half, half_grads), (exact, exact_grads) = results
    assert half == pytest.approx(exact, rel=0.01)
    for name, gradient in exact_grads.items():
        assert half_grads[name].dtype == np.float16
        close(half_grads[name], gradient, np.abs(gradient.data).max(), ulps=32)


def test_layer_norm_of_large_numbers() -> None:
    x = np.array([[-900.0, 0.0, 900.0, 30.0]], "float16")
    layer = nn.LayerNorm(4).to("float16")
    wanted = (x - x.astype(float).mean()) / x.astype(float).std()
    np.testing.assert_allclose(layer(mg.Tensor(x)).data, wanted, rtol=0.005)


@pytest.mark.filterwarnings("error")
def test_far_out_nothing_overflows() -> None:
    x = mg.Tensor(np.array([-600.0, -300.0, 300.0, 600.0], "float16"), requires_grad=True)
    for f in (ops.gelu, ops.sigmoid, ops.softplus, np.tanh, ops.softmax, ops.log_softmax, ops.relu):
        x.zero_grad()
        f(x).sum().backward()
        assert np.isfinite(x.grad.data).all()


def test_dropout() -> None:
    layer = nn.Dropout(0.5, rng=np.random.default_rng(0))
    x = mg.Tensor(np.ones(1000, "float16"), requires_grad=True)
    y = layer(x)
    y.sum().backward()
    assert y.dtype == x.grad.dtype == np.float16
    assert {*y.numpy().tolist()} == {0.0, 2.0}
    np.testing.assert_array_equal(x.grad.data, y.data)
