"""For every kernel: inputs, and how far its implementations may be apart. One table that the tests walk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from minigrad_kernels import linear
from minigrad_kernels.update_rules import RULES

from tests.kernels import pictures

Arrays = list[np.ndarray[Any, Any]]
Rng = np.random.Generator


@dataclass
class Case:
    """Arguments of a kernel. ``spread`` gives for each result ulps, and the size that they are ulps of."""

    args: tuple[Any, ...]
    options: dict[str, Any] = field(default_factory=dict)
    spread: tuple[tuple[float, Any], ...] | None = None  # None: equal in every bit
    in_place: bool = False

    def copied(self, convert: Callable[[Any], Any] = np.copy) -> tuple[Any, ...]:
        return tuple(convert(a) if isinstance(a, np.ndarray) else a for a in self.args)

    def run(self, function: Callable[..., Any], args: tuple[Any, ...], **options: Any) -> list[Any]:
        """Return the results of ``function``: what it returns, or for an update what it wrote into."""
        result = function(*args, **self.options, **options)
        if self.in_place:
            assert result is None
            return [a for i, a in enumerate(args[:-1]) if i != 1]
        return list(result) if isinstance(result, tuple) else [result]

    def compare(self, got: Arrays, wanted: Arrays) -> None:
        assert len(got) == len(wanted)
        spreads = self.spread or (None,) * len(wanted)
        for g, w, spread in zip(got, wanted, spreads, strict=True):
            assert g.dtype == w.dtype
            assert g.shape == w.shape
            nan = np.isnan(w)
            np.testing.assert_array_equal(np.isnan(g), nan)
            if spread is None:
                bits = f"i{w.itemsize}"
                same = np.ascontiguousarray(g).view(bits) == np.ascontiguousarray(w).view(bits)
                assert (same | nan).all()
            else:
                ulps, size = spread
                info = np.finfo(w.dtype)
                with np.errstate(invalid="ignore"):
                    apart = np.abs(g.astype(float) - w.astype(float))
                    allowed = ulps * info.eps * np.asarray(size, float) + 2 * float(info.tiny)
                assert (nan | (g == w) | (apart <= allowed)).all(), (apart.max(), "apart")


def sample(rng: Rng, *shape: int, dtype: str) -> Any:
    return rng.normal(size=shape).astype(dtype)


# One function for each kernel: yields cases of several shapes for one dtype.


def xent(rng: Rng, dtype: str) -> Iterator[tuple[Any, Any, Any, Any]]:
    """Logits, labels, and the sizes of a loss and of a gradient, which the ulps refer to."""
    cases = [sample(rng, n, c, dtype=dtype) * 5 for n, c in [(7, 10), (1, 1), (3, 130), (0, 4), (2, 1000)]]
    edge = sample(rng, 6, 9, dtype=dtype)
    edge[0] *= 1e4
    edge[1, 2:5] = -np.inf
    edge[2] = -1e30
    edge[3] = [-100.0, -90.0, -88.0, -87.4, -87.2, -80.0, -1.0, 0.0, 88.0]
    edge[4, 3] = np.nan
    edge[5, 1] = np.inf
    for logits in [*cases, edge, np.asfortranarray(cases[0]), cases[2][:, ::3]]:
        n, c = logits.shape
        labels = rng.integers(0, c, n)
        with np.errstate(all="ignore"):
            shifted = logits.astype(float) - logits.max(axis=1, keepdims=True)
            powers = np.exp(shifted)
            total = powers.sum(axis=1)
            loss = 1 + np.abs(shifted[np.arange(n), labels]) + np.log(total)
            gradient = powers / total[:, None]
        gradient[np.arange(n), labels] += 1
        yield logits, labels.astype("int32" if c == 10 else "int64"), (c + 8, loss), (c + 8, gradient)


def xent_forward(rng: Rng, dtype: str) -> Iterator[Case]:
    for logits, labels, loss, _ in xent(rng, dtype):
        yield Case((logits, labels), spread=(loss,))


def xent_backward(rng: Rng, dtype: str) -> Iterator[Case]:
    for logits, labels, _, (ulps, size) in xent(rng, dtype):
        g = sample(rng, len(labels), dtype=dtype)
        yield Case((g, logits, labels), spread=((ulps, size * np.abs(g)[:, None]),))


def xent_both(rng: Rng, dtype: str) -> Iterator[Case]:
    for logits, labels, loss, gradient in xent(rng, dtype):
        yield Case((logits, labels), spread=(loss, gradient))


def xent_mean_both(rng: Rng, dtype: str) -> Iterator[Case]:
    for logits, labels, (ulps, size), (gradient_ulps, gradient) in xent(rng, dtype):
        if n := len(labels):
            scaled = (gradient_ulps + 2, gradient / n)
            yield Case((logits, labels), spread=((ulps + n, size.mean()), scaled))


def xent_mean_backward(rng: Rng, dtype: str) -> Iterator[Case]:
    for shape in [(7, 10), (1, 1), (3, 130), (0, 4), (700, 20)]:
        gradient = sample(rng, *shape, dtype=dtype)
        for g in (np.array(rng.normal(), dtype), np.array(1, dtype)):
            yield Case((g, gradient))
            yield Case((g, np.asfortranarray(gradient)))


SHAPES = [(5, 7, 4), (1, 6, 3), (0, 3, 2), (33, 17, 70), (4, 1, 1), (3, 0, 2)]  # samples, in, out


def linear_forward(rng: Rng, dtype: str) -> Iterator[Case]:
    for n, k, m in SHAPES:
        x, w, b = sample(rng, n, k, dtype=dtype), sample(rng, m, k, dtype=dtype), sample(rng, m, dtype=dtype)
        size = np.abs(x) @ np.abs(w).T + np.abs(b)
        for activation in linear.ACTIVATIONS:
            yield Case((x, w, b), {"activation": activation}, ((k + 1, size),))
            yield Case((x, w, None), {"activation": activation}, ((k + 1, size),))
    x, w, b = (
        sample(rng, 2, 3, 4, dtype=dtype),
        sample(rng, 4, 5, dtype=dtype).T,
        sample(rng, 10, dtype=dtype)[::2],
    )
    yield Case((x, w, b), {}, ((5, np.abs(x) @ np.abs(w).T + np.abs(b)),))


def backward_input(rng: Rng, dtype: str) -> Iterator[Case]:
    for n, k, m in SHAPES:
        g, w = sample(rng, n, m, dtype=dtype), sample(rng, m, k, dtype=dtype)
        yield Case((g, w), {}, ((m, np.abs(g) @ np.abs(w)),))
        yield Case((np.asfortranarray(g), w), {}, ((m, np.abs(g) @ np.abs(w)),))


def backward_weight(rng: Rng, dtype: str) -> Iterator[Case]:
    for n, k, m in SHAPES:
        g, x = sample(rng, n, m, dtype=dtype), sample(rng, n, k, dtype=dtype)
        yield Case((g, x), {}, ((n, np.abs(g).T @ np.abs(x)),))
        yield Case((g, np.asfortranarray(x)), {}, ((n, np.abs(g).T @ np.abs(x)),))


def backward_bias(rng: Rng, dtype: str) -> Iterator[Case]:
    for n, _, m in SHAPES:
        g = sample(rng, n, m, dtype=dtype)
        yield Case((g,), {}, ((n, np.abs(g).sum(axis=0)),))
        yield Case((np.asfortranarray(g),), {}, ((n, np.abs(g).sum(axis=0)),))
    g = sample(rng, 2, 3, 4, dtype=dtype)
    yield Case((g,), {}, ((6, np.abs(g).sum(axis=(0, 1))),))


def backward_activation(rng: Rng, dtype: str) -> Iterator[Case]:
    for n, _, m in SHAPES:
        g, y = sample(rng, n, m, dtype=dtype), np.maximum(sample(rng, n, m, dtype=dtype), 0)
        for activation in linear.ACTIVATIONS:
            for a in (g, np.asfortranarray(g)):
                yield Case((a, y), {"activation": activation}, ((0, 0), (n, np.abs(g).sum(axis=0))))


def backward(rng: Rng, dtype: str) -> Iterator[Case]:
    for n, k, m in SHAPES:
        x, w = sample(rng, n, k, dtype=dtype), sample(rng, m, k, dtype=dtype)
        g, y = sample(rng, n, m, dtype=dtype), np.maximum(sample(rng, n, m, dtype=dtype), 0)
        a, size = np.abs(g), (np.abs(x), np.abs(w))
        spread = ((m, a @ size[1]), (n, a.T @ size[0]), (n, a.sum(axis=0)))
        for activation in linear.ACTIVATIONS:
            yield Case((g, y, x, w), {"activation": activation}, spread)
            yield Case((np.asfortranarray(g), y, x, np.asfortranarray(w)), {"activation": activation}, spread)


def dropout(rng: Rng, dtype: str) -> Iterator[Case]:
    for shape in [(5, 7), (0, 3), (2, 3, 4), (1000,)]:
        x = sample(rng, *shape, dtype=dtype)
        random = rng.random(shape, dtype="float32")
        yield Case((x, random, 0.3))
        yield Case((x.T, random.T, 0.5))
    edges = np.array([np.inf, -np.inf, np.nan, -0.0, 1.0, 0.25], dtype)
    with np.errstate(invalid="ignore"):
        yield Case((edges, np.array([0.1, 0.9, 0.9, 0.1, 0.5, 0.49999997], "float32"), 0.5))


def gather(rng: Rng, dtype: str) -> Iterator[Case]:
    weight = sample(rng, 6, 5, dtype=dtype)
    for ids in [rng.integers(0, 6, 9), rng.integers(0, 6, (2, 3)).astype("int32"), np.zeros(0, "int64")]:
        yield Case((weight, ids))
        yield Case((np.asfortranarray(weight), ids))


def scatter_add(rng: Rng, dtype: str) -> Iterator[Case]:
    for shape in [(40,), (2, 3), (0,)]:
        ids = rng.integers(0, 5, shape)
        yield Case((sample(rng, *shape, 3, dtype=dtype), ids, 6))
        yield Case((sample(rng, *shape, 6, dtype=dtype)[..., ::2], ids, 6))


def matmul(rng: Rng, dtype: str) -> Iterator[Case]:
    for m, k, n in [(1, 1, 1), (5, 7, 4), (33, 20, 17), (3, 530, 2), (0, 2, 3), (2, 0, 3), (130, 9, 129)]:
        a, b = sample(rng, m, k, dtype=dtype), sample(rng, k, n, dtype=dtype)
        size = np.abs(a) @ np.abs(b)
        yield Case((a, b), {}, ((k, size),))
        yield Case((np.asfortranarray(a), b), {}, ((k, size),))


def int8_matmul(rng: Rng, dtype: str) -> Iterator[Case]:
    """The same for both dtypes, since there are no floats in it."""
    for m, k, n in [
        (1, 1, 1),
        (5, 7, 4),
        (2, 64, 3),
        (33, 20, 17),
        (3, 530, 2),
        (0, 2, 3),
        (2, 0, 3),
        (6, 9, 70),
    ]:
        a, b = (rng.integers(-128, 128, shape).astype("int8") for shape in ((m, k), (n, k)))
        yield Case((a, b))
        yield Case((np.asfortranarray(a), b[::-1]))
    extreme = np.full((3, 2000), -128, "int8")
    yield Case((extreme, extreme))


def update(rule: str) -> Callable[[Rng, str], Iterator[Case]]:
    """test_updates.py has more of these, and compares with the formulas."""

    def cases(rng: Rng, dtype: str) -> Iterator[Case]:
        for shape in [(6, 7), (0,), (1030,), (1, 1)]:
            arrays = [np.abs(sample(rng, *shape, dtype=dtype)) for _ in range(2 + RULES[rule].states)]
            coefficients = rng.uniform(0.05, 0.95, len(RULES[rule].names)).astype(dtype)
            yield Case((*arrays, coefficients), in_place=True)
            yield Case((*(np.asfortranarray(a) for a in arrays), coefficients), in_place=True)

    return cases


CASES: dict[str, Callable[[Rng, str], Iterator[Case]]] = {
    "softmax_xent_forward": xent_forward,
    "softmax_xent_backward": xent_backward,
    "softmax_xent_forward_backward": xent_both,
    "softmax_xent_mean_forward_backward": xent_mean_both,
    "softmax_xent_mean_backward": xent_mean_backward,
    "linear_forward": linear_forward,
    "linear_backward_input": backward_input,
    "linear_backward_weight": backward_weight,
    "linear_backward_bias": backward_bias,
    "linear_backward_activation": backward_activation,
    "linear_backward": backward,
    "dropout": dropout,
    "embedding_gather": gather,
    "embedding_scatter_add": scatter_add,
    "matmul": matmul,
    "int8_matmul": int8_matmul,
    **pictures.CASES,
    **{rule: update(rule) for rule in RULES},
}
