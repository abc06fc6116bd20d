"""For every kernel: inputs, and how far its implementations may be apart. One table that the tests walk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from minigrad_kernels import activations, attention, linear, recurrent
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


ROWS = [(3, 1, 7, 1), (2, 3, 2, 5), (1, 1, 1, 1), (70, 1, 40, 1), (40, 2, 3, 4), (0, 2, 3, 4), (2, 1, 300, 1)]
"""n, groups, width, length of what is normalised by rows."""


def _rows(rng: Rng, dtype: str) -> Iterator[tuple[Any, ...]]:
    """x with its weight, bias, and whether the mean is taken out; far from 0 as well as around it."""
    for k, shape in enumerate(ROWS):
        x = sample(rng, *shape, dtype=dtype) + np.dtype(dtype).type(k % 3 * 4)
        weight, bias = (sample(rng, shape[1] * shape[2], dtype=dtype) for _ in range(2))
        for centred in (True, False):
            yield x, weight, bias, centred
            yield np.asfortranarray(x), None, None if centred else bias, centred


def _row_sizes(x: Any, weight: Any, centred: bool) -> tuple[Any, Any, Any, Any]:
    """The sizes that a row's errors are counted in: of its mean, of its scale, of z and of its weights."""
    wide = x.astype(float)
    mean = np.abs(wide).mean(axis=(2, 3)) if x.size else np.zeros(x.shape[:2])
    var = (wide.var(axis=(2, 3)) if centred else np.square(wide).mean(axis=(2, 3))) if x.size else mean
    scale = 1 / np.sqrt(var + 1e-5)
    spread = (1 + mean * scale)[..., None, None] * (1 + np.abs(wide) * scale[..., None, None])
    factor = 1.0 if weight is None else np.abs(weight).reshape(*x.shape[1:3], 1)
    return mean, scale * (1 + mean * scale), spread, factor * np.ones((1, 1, 1))


def normalize_forward(rng: Rng, dtype: str) -> Iterator[Case]:
    for x, weight, bias, centred in _rows(rng, dtype):
        count = x.shape[2] * x.shape[3]
        mean, scale, spread, factor = _row_sizes(x, weight, centred)
        size = spread * factor + (0 if bias is None else np.abs(bias).reshape(*x.shape[1:3], 1))
        sizes = (size, mean if centred else 0 * mean, scale)
        yield Case((x, weight, bias, 1e-5, centred), {}, tuple((count + 8, s) for s in sizes))


def normalize_backward(rng: Rng, dtype: str) -> Iterator[Case]:
    for x, weight, _, centred in _rows(rng, dtype):
        g, wide = sample(rng, *x.shape, dtype=dtype), x.astype(float)
        count, channels = x.shape[2] * x.shape[3], x.shape[1] * x.shape[2]
        mean = wide.mean(axis=(2, 3)) if centred else None
        rest = wide if mean is None else wide - mean[..., None, None]
        scale = 1 / np.sqrt(np.square(rest).mean(axis=(2, 3)) + 1e-5)
        _, _, spread, factor = _row_sizes(x, weight, centred)
        h = np.abs(g) * factor
        size = scale[..., None, None] * spread * (h + h.mean(axis=(2, 3), keepdims=True)) * (1 + np.abs(rest))
        size = size + (spread * h).mean(axis=(2, 3), keepdims=True) * spread * scale[..., None, None]
        sums = [(np.abs(g) * s).sum(axis=(0, 3)).reshape(channels) for s in (spread, 1.0)]
        added = len(x) * x.shape[3] + count + 8
        middle = np.zeros_like(scale) if mean is None else mean
        given = (g, x, weight, middle.astype(dtype), scale.astype(dtype), centred)
        yield Case(given, {}, ((count + 8, size), *((added, s) for s in sums)))


CHANNELS = [(4, 3, 5), (6, 4, 1), (1, 1, 1), (40, 70, 1), (3, 2, 33), (0, 3, 2), (2, 40, 1)]
"""n, channels, length of what is normalised over a batch."""


def _batches(rng: Rng, dtype: str) -> Iterator[tuple[Any, ...]]:
    for k, shape in enumerate(CHANNELS):
        x = sample(rng, *shape, dtype=dtype) + np.dtype(dtype).type(k % 3 * 4)
        weight, bias = (sample(rng, shape[1], dtype=dtype) for _ in range(2))
        wide = x.astype(float)
        count = max(1, shape[0] * shape[2])
        middle = wide.sum(axis=(0, 2)) / count
        var = np.square(wide - middle[:, None]).sum(axis=(0, 2)) / count
        scale, far = 1 / np.sqrt(var + 1e-5), np.abs(wide).sum(axis=(0, 2)) / count
        spread = ((1 + far * scale)[:, None]) * (1 + np.abs(wide) * scale[:, None])
        yield x, weight, bias, middle, var, scale, far, spread, count
        yield np.asfortranarray(x), None, None, middle, var, scale, far, spread, count


def normalize_batch_forward(rng: Rng, dtype: str) -> Iterator[Case]:
    for x, weight, bias, _, var, scale, far, spread, count in _batches(rng, dtype):
        size = spread if weight is None else spread * np.abs(weight)[:, None] + np.abs(bias)[:, None]
        sizes = (size, far, var + far * np.sqrt(var), scale * (1 + far * scale))
        yield Case((x, weight, bias, 1e-5), {}, tuple((count + 8, s) for s in sizes))


def normalize_batch_backward(rng: Rng, dtype: str) -> Iterator[Case]:
    for x, weight, _, middle, _, scale, _, spread, count in _batches(rng, dtype):
        g = sample(rng, *x.shape, dtype=dtype)
        a = np.abs(g)
        sums = [(a * s).sum(axis=(0, 2)) for s in (spread, 1.0)]
        factor = scale if weight is None else scale * np.abs(weight)
        size = factor[:, None] * (a + (sums[1] / count)[:, None] + spread * (sums[0] / count)[:, None])
        given = (g, x, weight, middle.astype(dtype), scale.astype(dtype))
        yield Case(given, {}, tuple((count + 8, s) for s in (size, *sums)))


def attentions(rng: Rng, dtype: str) -> Iterator[tuple[Arrays, tuple[Any, ...]]]:
    """q, k, v and the rest of the arguments, of several shapes, masks and drop-outs."""
    no, one = (), (1,)
    for leading, n, m, d, e, causal, mask, p in [
        ((2, 1), 3, 4, 2, 3, False, None, 0.0),
        ((2,), 4, 3, 3, 2, True, (1, 3), 0.4),
        (no, 5, 6, 1, 1, True, (5, 6), 0.0),
        ((1, 2), 70, 130, 5, 33, False, (2, 1, 130), 0.25),
        (one, 67, 66, 32, 32, True, None, 0.0),
        ((2, 1, 2), 2, 3, 2, 2, False, (2, 1, 1, 2, 3), 0.5),
        ((2,), 0, 3, 2, 2, False, None, 0.0),
        ((2,), 3, 0, 2, 2, False, None, 0.0),
    ]:
        arrays = [sample(rng, *leading, *shape, dtype=dtype) for shape in ((n, d), (m, d), (m, e))]
        bias = None
        if mask is not None:
            bias = np.where(rng.random(mask) < 0.3, -np.inf, sample(rng, *mask, dtype=dtype)).astype(dtype)
            if mask == (5, 6):
                bias[2] = -np.inf  # a query that sees nothing
        seed = np.array(rng.integers(1 << 62)) if p else None
        yield arrays, (bias, seed, causal, 0.6, p)


def attention_sizes(q: Any, k: Any, v: Any, bias: Any, scale: float, p: float) -> tuple[float, float]:
    """By how many ulp of 1 a weight may be off, and the size of a weighted sum of values."""
    scores = scale * (np.abs(q) @ np.abs(k).swapaxes(-1, -2)).max(initial=0)
    finite = 0 if bias is None else np.abs(bias[np.isfinite(bias)]).max(initial=0)
    return 2 * (q.shape[-1] + 4) * (1 + scores + finite) + k.shape[-2] + 8, np.abs(v).max(initial=0) / (1 - p)


def attention_forward(rng: Rng, dtype: str) -> Iterator[Case]:
    for (q, k, v), rest in attentions(rng, dtype):
        ulps, size = attention_sizes(q, k, v, rest[0], rest[3], rest[4])
        yield Case((q, k, v, *rest), {}, ((ulps, size), (ulps, 1)))
        turned = [np.ascontiguousarray(a.swapaxes(-1, -2)).swapaxes(-1, -2) for a in (q, k, v)]
        yield Case((*turned, *rest), {}, ((ulps, size), (ulps, 1)))


def attention_backward(rng: Rng, dtype: str) -> Iterator[Case]:
    for (q, k, v), rest in attentions(rng, dtype):
        ulps, size = attention_sizes(q, k, v, rest[0], rest[3], rest[4])
        y, lse = attention.forward_reference(q, k, v, *rest)
        g = sample(rng, *y.shape, dtype=dtype)
        n, m = q.shape[-2], k.shape[-2]
        change = 2 * v.shape[-1] * np.abs(g).max(initial=0) * size
        spread = (
            (ulps + m, change * np.abs(k).max(initial=0)),
            (ulps + n, n * change * np.abs(q).max(initial=0)),
            (ulps + n, n * np.abs(g).max(initial=0) / (1 - rest[4])),
        )
        yield Case((g, y, lse, q, k, v, *rest), {}, spread)


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


def recurrent_inputs(rng: Rng, dtype: str, gates: int) -> Iterator[tuple[Any, list[Any], Any, bool]]:
    """The input's part, the arrays behind it (w, b of a GRU, the states), how far apart, the direction."""
    for times, n, width in [(3, 2, 4), (1, 1, 1), (5, 3, 9), (2, 0, 3), (2, 40, 70)]:
        a = 2 * sample(rng, times, n, gates * width, dtype=dtype)
        w = (sample(rng, gates * width, width, dtype=dtype) / np.sqrt(width)).astype(dtype)
        behind = [w, *([sample(rng, gates * width, dtype=dtype)] if gates == 3 else [])]
        behind += [sample(rng, n, width, dtype=dtype) for _ in range(2 if gates == 4 else 1)]
        for reverse in (False, True):
            yield a, behind, 8.0 * (width + 4) * 2**times, reverse
    if dtype == "float32":
        yield np.asfortranarray(a), behind, 8.0 * (width + 4) * 2**times, False


def recurrent_kernel(kind: str, gates: int, backward: bool) -> Callable[[Rng, str], Iterator[Case]]:
    def cases(rng: Rng, dtype: str) -> Iterator[Case]:
        for a, behind, ulps, reverse in recurrent_inputs(rng, dtype, gates):
            for more in ({"nonlinearity": "tanh"}, {"nonlinearity": "relu"}) if gates == 1 else ({},):
                options = {"reverse": reverse, **more}
                found = getattr(recurrent, f"{kind}_forward_reference")(a, *behind, **options)
                states = found if gates == 1 else found[0]
                size = 1 + np.abs(states).max(initial=0)
                if not backward:
                    yield Case((a, *behind), options, ((ulps, size),) * (1 if gates == 1 else 2))
                    continue
                g = sample(rng, *states.shape, dtype=dtype)
                saved = () if gates == 1 else (np.ascontiguousarray(found[1]),)
                sizes = size * (1 + np.abs(g).max(initial=0)) * (a.shape[1] + 1)
                args = (g, np.ascontiguousarray(states), *saved, behind[0])
                yield Case(args, options, ((ulps, sizes),) * (3 if gates == 1 else 4))

    return cases


def update(rule: str) -> Callable[[Rng, str], Iterator[Case]]:
    """test_updates.py has more of these, and compares with the formulas."""

    def cases(rng: Rng, dtype: str) -> Iterator[Case]:
        for shape in [(6, 7), (0,), (1030,), (1, 1)]:
            arrays = [np.abs(sample(rng, *shape, dtype=dtype)) for _ in range(2 + RULES[rule].states)]
            coefficients = rng.uniform(0.05, 0.95, len(RULES[rule].names)).astype(dtype)
            yield Case((*arrays, coefficients), in_place=True)
            yield Case((*(np.asfortranarray(a) for a in arrays), coefficients), in_place=True)

    return cases


def activation(name: str) -> Callable[[Rng, str], Iterator[Case]]:
    """What each entry's ulps refer to: sums of parts of size 1 times g, or a; Φ's own error grows with its exponent."""
    settings = {"leaky_relu": (0.1,), "elu": (1.3,)}.get(name.rsplit("_", 1)[0], ())
    exact = name.startswith(("relu", "leaky_relu", "hardswish"))

    def cases(rng: Rng, dtype: str) -> Iterator[Case]:
        edge = np.array([0.0, -0.0, 1e-30, -1e-6, 30.5, -30.5, 87.0, -89.0, 1e4, -1e4, np.inf, np.nan], dtype)
        for a in (sample(rng, 3, 5, dtype=dtype) * 4, edge, sample(rng, 0, 2, dtype=dtype),
                  sample(rng, 4, 6, dtype=dtype).T, sample(rng, 300, 130, dtype=dtype) * 3):  # fmt: skip
            g = sample(rng, *a.shape, dtype=dtype)
            if name.endswith("backward") and name.startswith(("relu", "sigmoid")):
                a = 1 / (1 + np.exp(-a.astype(float))).astype(dtype)
            size = np.abs(g.astype(float)) * (1 + np.abs(a)) if name.endswith("backward") else 1 + np.abs(a)
            spread = None if exact else ((16, size),)
            if name == "relu_forward":  # which of two zeros is the larger
                spread = ((0, 1),)
            given = (g, a) if name.endswith("backward") else (a,)
            yield Case((*given, *settings), spread=spread)

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
    **{name: activation(name) for name in activations.KERNELS},
    "embedding_gather": gather,
    "embedding_scatter_add": scatter_add,
    "normalize_forward": normalize_forward,
    "normalize_backward": normalize_backward,
    "normalize_batch_forward": normalize_batch_forward,
    "normalize_batch_backward": normalize_batch_backward,
    "attention_forward": attention_forward,
    "attention_backward": attention_backward,
    "matmul": matmul,
    "int8_matmul": int8_matmul,
    **pictures.CASES,
    **{
        f"{kind}_{way}": recurrent_kernel(kind, gates, way == "backward")
        for kind, gates in (("rnn", 1), ("gru", 3), ("lstm", 4))
        for way in ("forward", "backward")
    },
    **{rule: update(rule) for rule in RULES},
}
