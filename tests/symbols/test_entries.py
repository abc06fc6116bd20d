"""Functions run on arrays of expressions: each entry's expression comes to what NumPy computes."""

from __future__ import annotations

import numpy as np
import pytest

from minigrad.symbols import Call, NoExpression, Number, Symbol, named
from minigrad.symbols.meanings import Entries
from minigrad.symbols.terms import Over, leaves, worth

X = np.random.default_rng(0).uniform(0.5, 3, (3, 4))
W = np.random.default_rng(1).uniform(-2, 2, (2, 4))
IDS = np.array([2, 0, 2, 1])


def put(x):
    made = np.zeros_like(x, shape=(5, 4))
    made[1:4] = x
    return 2 * made + 1


def added(x):
    made = np.zeros_like(x, shape=(4, 4))
    np.add.at(made, np.array([1, 1, 3]), x)
    return made


def by_steps(x):
    total = x[0]
    for row in x[1:]:
        total = total * 0.5 + row
    return total


def branching(x):
    return x * 2 if np.any(x > 2.9) else x * 3


FUNCTIONS = {
    "arithmetic": lambda x: -x * 2 + 3 / x - x**2 % 1.5,
    "functions": lambda x: np.exp(-np.abs(x)) + np.log1p(x) * np.tanh(x) + np.logaddexp(x, 0),
    "broadcasting": lambda x: x * x[0] + x[:, :1] - 1,
    "conditions": lambda x: (x > 1) * x + np.where((x < 1) & (x > 0.7), x, 0) - (x == x),
    "clip": lambda x: np.clip(x, 1, None) + np.clip(x, None, 2),
    "sum": np.sum,
    "sum of an axis": lambda x: x.sum(axis=1, keepdims=True),
    "sum of no axis": lambda x: np.sum(x, axis=()),
    "mean": lambda x: np.mean(x, axis=0),
    "var": lambda x: np.var(x, ddof=1),
    "std": lambda x: np.std(x, axis=-1),
    "prod": lambda x: np.prod(x, axis=(0, 1)),
    "max": lambda x: np.max(x, axis=1),
    "min": np.min,
    "reduce": lambda x: np.add.reduce(x, axis=1) + np.maximum.reduce(x, axis=1),
    "cumsum": np.cumsum,
    "cumsum of an axis": lambda x: np.cumsum(x, axis=0),
    "cumprod": lambda x: np.cumprod(x) + np.cumprod(x, axis=1).reshape(-1),
    "convolve": lambda x: np.convolve(x[0], x[1, :2]) - np.correlate(x[0], x[1, :2], "full"),
    "correlate": lambda x: np.correlate(x[0, :3], x[1]) + np.convolve(x[0], x[1, :3], "valid"),
    "correlate of the same length": lambda x: (
        np.correlate(x[0, :3], x[1], "same") * np.convolve(x[0], x[1, :2], "same")
    ),
    "norm": lambda x: np.linalg.norm(x, axis=0),
    "diff": np.diff,
    "trace": np.trace,
    "softmax": lambda x: np.exp(x) / np.exp(x).sum(axis=-1, keepdims=True),
    "sum of sums": lambda x: (x * x.sum(axis=0)).sum(),
    "matmul": lambda x: x @ x.T,
    "vectors": lambda x: x[0] @ x[1] + np.dot(x[0], x[:, 0].sum() * x[1]),
    "stacks": lambda x: np.stack([x, 2 * x]) @ x.T,
    "einsum": lambda x: np.einsum("ij,kj->ik", x, x) + np.einsum("ij,kj", x, x),
    "a trace": lambda x: np.einsum("ii->", x[:, :3]),
    "three factors": lambda x: np.einsum("ij,j,ik->k", x, x[0], x[:, :2]),
    "outer": lambda x: np.outer(x[0], x[:, 1]) + np.inner(x[0], x[1]) + np.vdot(x, x),
    "reshape": lambda x: x.reshape(4, 3).T.ravel().reshape((2, 6)),
    "index": lambda x: x[1:, ::-2],
    "indices": lambda x: x[[0, 0, 2]][:, IDS],
    "mask": lambda x: x[x > 1],
    "the largest's place": lambda x: x[np.argmax(x, axis=0), np.arange(4)],
    "sorted": lambda x: np.take_along_axis(x, np.argsort(x, axis=1), axis=1),
    "moves": lambda x: np.roll(np.rot90(np.flip(x, 1)), 1, axis=0) + np.swapaxes(x, 0, 1),
    "triangles": lambda x: np.tril(x) - np.triu(x) + np.diag(np.diagonal(x[:, :3])) @ x,
    "repeats": lambda x: np.tile(x, 2) + np.repeat(x, 2, axis=1),
    "border": lambda x: np.pad(x, 1, constant_values=3.0) * np.pad(x, 1, mode="reflect"),
    "joined": lambda x: np.concatenate([x, 2 * x]) + np.vstack([x * x, x]),
    "a sum over two": lambda x: np.concatenate([x, 2 * x]).sum(axis=0),
    "cut": lambda x: np.split(x, 2, axis=1)[1],
    "put": put,
    "added": added,
    "a loop": by_steps,
    "a branch": branching,
    "other dtypes": lambda x: x.astype("float32").astype("float64") + np.ones_like(x) + np.zeros_like(x),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_entry_comes_to_what_numpy_computes(name):
    function = FUNCTIONS[name]
    made, right = function(Entries.named("x", X)), np.asarray(function(X))
    assert (made.shape, made.dtype) == (right.shape, right.dtype)
    np.testing.assert_allclose(made.value, right, rtol=1e-14)
    for index in np.ndindex(right.shape):
        tree = made.entry(index)
        np.testing.assert_allclose(worth(tree), right[index], rtol=1e-6)
        assert {leaf.name for leaf in leaves(tree)} <= {"x"}


def test_two_arrays_and_an_index():
    x, w, ids = Entries.named("x", X), Entries.named("w", W), Entries.named("ids", IDS)
    for made, right in ((x @ w.T, X @ W.T), (w[:, ids], W[:, IDS]), ((ids == 2) * x, (IDS == 2) * X)):
        assert made.shape == right.shape
        for index in np.ndindex(right.shape):
            np.testing.assert_allclose(worth(made.entry(index)), right[index])


def test_what_a_sum_is_made_of():
    """One tree stands for all of the terms: its size does not grow with the arrays."""
    tree = (Entries.named("x", np.ones((50, 400))) @ Entries.named("w", np.ones((400, 9)))).entry((3, 4))
    assert isinstance(tree, Over)
    assert (tree.function, tree.count, len(list(leaves(tree)))) == ("add", 400, 2)
    left, right = leaves(tree)
    np.testing.assert_array_equal(left.places, 3 * 400 + np.arange(400))
    np.testing.assert_array_equal(right.places, np.arange(400) * 9 + 4)


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("np.sort", np.sort),
        ("np.median", np.median),
        ("np.percentile", lambda x: np.percentile(x, 30)),
        ("np.round", np.round),
        ("np.eigvals", lambda x: np.linalg.eigvals(x[:, :3])),
        ("np.asarray", lambda x: np.asarray(x)),
        ("np.interp", lambda x: np.interp(x[0], x[1], x[2])),
        ("float()", lambda x: float(x[0, 0])),
        ("np.modf", np.modf),
        ("np.accumulate", lambda x: np.maximum.accumulate(x)),
    ],
)
def test_what_cannot_become_an_expression_says_so_by_name(name, function):
    with pytest.raises(NoExpression) as caught:
        function(Entries.named("x", X))
    assert name.split(".")[-1] in str(caught.value)


def test_sums_within_sums_have_an_end():
    """The third one over a batch of pictures would take more memory than there is."""
    few, many = (Entries.named("x", np.linspace(0, 1, n)) for n in (90, 2000))
    for x in (few, many):
        nested = ((x - ((x - x.sum()) * x).sum()) * x).sum()
        if x is few:
            assert worth(nested.entry(())) == pytest.approx(nested.value)
        else:
            with pytest.raises(NoExpression, match="sums within sums"):
                nested.entry(())


def test_a_function_can_keep_a_name_of_its_own():
    @named("bump")
    def bump(a):
        return np.exp(-a * a)

    np.testing.assert_array_equal(bump(X), np.exp(-X * X))
    tree = bump(Symbol("a"))
    assert isinstance(tree, Call)
    assert tree.function == "bump"
    made = bump(2 * Entries.named("x", X))
    np.testing.assert_allclose(worth(made.entry((1, 2))), np.exp(-4 * X[1, 2] ** 2))


def test_settings_may_be_numbers_of_the_formula():
    made = Entries.named("x", X) / (1 - Number(0.25))
    assert worth(made.entry((0, 0))) == pytest.approx(X[0, 0] / 0.75)
    assert "0.25" in repr(made.entry((0, 0)).arguments[1])


STEPS = [
    lambda x: x.T,
    lambda x: x[::-1],
    lambda x: x.reshape(-1),
    lambda x: np.roll(x, 1),
    lambda x: np.sum(x, axis=0),
    lambda x: np.mean(x, axis=-1, keepdims=True) + x,
    lambda x: np.max(x, axis=0),
    lambda x: np.exp(-np.abs(x)),
    lambda x: x * (x > 0.3),
    lambda x: np.where(x > 0, x, 0.1 * x),
    lambda x: np.concatenate([x, 2 * x]),
    lambda x: x[..., :2],
    lambda x: np.cumsum(x, axis=0),
    lambda x: x @ x.T if x.ndim == 2 else x * 2,
    lambda x: np.stack([x, x + 1]),
    lambda x: np.pad(x, 1),
    lambda x: np.var(x, axis=0),
    lambda x: np.prod(x, axis=0),
    lambda x: x**2 - np.min(x),
    lambda x: np.repeat(x, 2, axis=0),
]


@pytest.mark.parametrize("seed", range(60))
def test_one_after_the_other(seed):
    """Sums of moved sums, products of joined parts: whatever comes together comes to what NumPy computes."""
    rng = np.random.default_rng(seed)
    steps = [STEPS[k] for k in rng.integers(len(STEPS), size=4)]
    x = rng.uniform(-2, 2, [(3, 4), (4,), (2, 3)][seed % 3])
    right, made = x, Entries.named("x", x)
    for step in steps:
        if right.ndim and right.size < 500:
            right, made = np.asarray(step(right)), step(made)
    assert made.shape == right.shape
    for index in list(np.ndindex(right.shape))[:: max(1, right.size // 4)]:
        np.testing.assert_allclose(worth(made.entry(index)), right[index], rtol=1e-9, atol=1e-12)
