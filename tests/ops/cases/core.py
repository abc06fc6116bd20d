"""The cases on which every operation is checked: a function and its inputs, by the operation's name.

Each operation is tried on five kinds of input: contiguous, transposed (not contiguous), broadcast (stretched views,
or operands that stretch each other), size-0 and size-1. Arrays are inputs, never hidden in the function,
so that the same cases run on other array types.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minigrad import ops, registry
from minigrad.ops import fused

LAYOUTS = ("contiguous", "transposed", "broadcast", "size-0", "size-1")

Sampler = Callable[[tuple[int, ...]], np.ndarray]


@dataclass
class Case:
    layout: str
    f: Callable[..., Any]
    inputs: tuple[Any, ...] = field(repr=False)


_seeds = itertools.count(20)


def rng() -> np.random.Generator:
    """A generator of its own for every sampler: two operands are never the same numbers."""
    return np.random.default_rng(next(_seeds))


def between(low: float, high: float) -> Sampler:
    """Numbers in a range."""
    draw = rng()
    return lambda shape: draw.uniform(low, high, shape)


def apart(gap: float = 0.1) -> Sampler:
    """Numbers of both signs that are all different by at least ``gap`` / 2, and none within it of 0."""
    draw = rng()

    def sample(shape: tuple[int, ...]) -> np.ndarray:
        size = int(np.prod(shape))
        ranks = draw.permutation(size) - size // 2
        return ((ranks + 0.5 + draw.uniform(-0.1, 0.1, size)) * gap * 2).reshape(shape)

    return sample


def layouts(sample: Sampler) -> dict[str, np.ndarray]:
    """One matrix of each kind."""
    return {
        "contiguous": sample((2, 3)),
        "transposed": sample((3, 2)).T,
        "broadcast": np.broadcast_to(sample((1, 3)), (2, 3)),
        "size-0": sample((0, 3)),
        "size-1": sample((1, 1)),
    }


def unary(f: Callable[..., Any], sample: Sampler | None = None, skip: tuple[str, ...] = ()) -> list[Case]:
    """f on one array of each kind."""
    arrays = layouts(sample or between(-2, 2))
    return [Case(layout, f, (a,)) for layout, a in arrays.items() if layout not in skip]


def binary(f: Callable[..., Any], left: Sampler | None = None, right: Sampler | None = None) -> list[Case]:
    """f on two arrays, which stretch each other in the broadcast cases."""
    left, right = left or between(-2, 2), right or between(-2, 2)
    a, b = layouts(left), layouts(right)
    return [
        *(Case(layout, f, (a[layout], b[layout])) for layout in LAYOUTS),
        Case("broadcast", f, (left((2, 1)), right((1, 3)))),
        Case("broadcast", f, (left((3,)), right((2, 3)))),
        Case("broadcast", f, (left((2, 3)), right(()))),
        Case("size-0", f, (left((1, 3)), right((0, 3)))),
        Case("size-1", f, (left(()), right(()))),
    ]


def reduction(f: Callable[..., Any], sample: Sampler | None = None, empty_axis: bool = True) -> list[Case]:
    """f over all axes, over one, over two, and with the axis kept."""
    sample = sample or between(-2, 2)
    return [
        *unary(f, sample, skip=() if empty_axis else ("size-0",)),
        *unary(lambda a: f(a, axis=1), sample),
        *unary(lambda a: f(a, axis=-1, keepdims=True), sample),
        *unary(lambda a: f(a, axis=(0, 1)), sample, skip=() if empty_axis else ("size-0",)),
        Case("contiguous", lambda a: f(a, axis=(0, 2)), (sample((2, 3, 2)),)),
        Case("transposed", lambda a: f(a, axis=(-1, 0), keepdims=True), (sample((2, 3, 2)).T,)),
        Case("size-1", f, (sample(()),)),
    ]


def extreme(f: Callable[..., Any]) -> list[Case]:
    """max or min; a stretched array is full of equal entries, where neither has a derivative, but along axis 1."""
    sample = apart()
    return [
        *(case for case in reduction(f, sample, empty_axis=False) if case.layout != "broadcast"),
        Case("broadcast", lambda a: f(a, axis=1), (np.broadcast_to(sample((3,)), (2, 3)),)),
    ]


def matrices(f: Callable[..., Any]) -> list[Case]:
    """All the shapes that a product of matrices takes."""
    n = between(-1, 1)
    return [
        Case("contiguous", f, (n((2, 3)), n((3, 4)))),
        Case("contiguous", f, (n((3,)), n((3,)))),
        Case("contiguous", f, (n((3,)), n((3, 2)))),
        Case("contiguous", f, (n((2, 3)), n((3,)))),
        Case("contiguous", f, (n((2, 2, 3)), n((2, 3, 2)))),
        Case("transposed", f, (n((3, 2)).T, n((4, 3)).T)),
        Case("transposed", f, (n((3, 2, 2)).T, n((2, 2, 3)).swapaxes(1, 2))),
        Case("broadcast", f, (n((2, 2, 3)), n((3, 2)))),
        Case("broadcast", f, (n((2, 1, 2, 3)), n((1, 2, 3, 2)))),
        Case("broadcast", f, (n((3,)), n((2, 3, 2)))),
        Case("broadcast", f, (n((2, 2, 3)), n((3,)))),
        Case("broadcast", f, (np.broadcast_to(n((3,)), (2, 3)), np.broadcast_to(n((3, 1)), (3, 2)))),
        Case("size-0", f, (n((0, 3)), n((3, 2)))),
        Case("size-0", f, (n((2, 0)), n((0, 3)))),
        Case("size-0", f, (n((0, 2, 3)), n((3, 2)))),
        Case("size-1", f, (n((1, 1)), n((1, 1)))),
        Case("size-1", f, (n((1,)), n((1,)))),
    ]


def einsums() -> list[Case]:
    n = between(-1, 1)

    def case(layout: str, subscripts: str, *shapes: tuple[int, ...], transposed: bool = False) -> Case:
        arrays = tuple(n(shape[::-1]).T if transposed else n(shape) for shape in shapes)
        return Case(layout, lambda *xs: np.einsum(subscripts, *xs), arrays)

    return [
        case("contiguous", "ij,jk->ik", (2, 3), (3, 2)),
        case("contiguous", "ij,jk", (2, 3), (3, 2)),  # implicit output
        case("contiguous", "ba", (2, 3)),  # implicit output in the letters' order: a transpose
        case("contiguous", "ij->", (2, 3)),
        case("contiguous", "i,j->ij", (2,), (3,)),
        case("contiguous", "ij,ij->i", (2, 3), (2, 3)),
        case("contiguous", "ij,jk,kl->il", (2, 3), (3, 2), (2, 2)),
        case("contiguous", "ii->i", (3, 3)),  # a diagonal
        case("contiguous", "ii", (3, 3)),  # a trace
        case("contiguous", "iij,jk->ik", (2, 2, 3), (3, 2)),
        case("contiguous", "ij,kl->il", (2, 3), (2, 2)),  # j and k in one operand only
        case("transposed", "ij,jk->ik", (2, 3), (3, 2), transposed=True),
        case("transposed", "...ij,...jk->...ik", (2, 2, 3), (2, 3, 2), transposed=True),
        case("broadcast", "...ij,...jk->...ik", (2, 2, 3), (3, 2)),
        case("broadcast", "...i,i", (2, 3), (3,)),
        case("broadcast", "i...,i...->...", (3, 2), (3, 1)),
        case("broadcast", "ij,ij->ij", (1, 3), (2, 3)),  # a length of 1 stretches
        case("broadcast", "ij,jk->ik", (2, 1), (3, 2)),
        case("size-0", "ij,jk->ik", (2, 0), (0, 3)),
        case("size-0", "ij->i", (0, 3)),
        case("size-1", "ij,jk->ik", (1, 1), (1, 1)),
        case("size-1", ",->", (), ()),
    ]


def indexed() -> list[Case]:
    n = between(-2, 2)

    def case(layout: str, a: np.ndarray, index: Callable[..., Any], *arrays: np.ndarray) -> Case:
        return Case(layout, lambda a, *arrays: a[index(*arrays)], (a, *arrays))

    rows, columns = np.array([1, 0, 1]), np.array([2, 2, 2])
    return [
        *unary(lambda a: a[:, 0]),
        *unary(lambda a: a[..., ::-1]),
        case("contiguous", n((2, 3)), lambda: 1),
        case("contiguous", n((2, 3)), lambda: (-1, slice(None, None, -2))),
        case("contiguous", n((2, 3)), lambda: (None, slice(1, None), ..., None)),
        case("contiguous", n((2, 3)), lambda: slice(0, 0)),
        case("contiguous", n((2, 3)), lambda i: i, rows),  # an index twice: the gradients add up
        case("contiguous", n((2, 3)), lambda i, j: (i, j), rows, columns),
        case("contiguous", n((2, 3)), lambda i: (slice(None), i), columns),
        case("contiguous", n((2, 3)), lambda m: m, np.array([[True, False, True], [False, False, True]])),
        case("contiguous", n((2, 3)), lambda m: m, np.array([True, False])),
        case("transposed", n((3, 2)).T, lambda i: (i, slice(1, 3)), rows),
        case("broadcast", n((2, 3)), lambda i, j: (i, j), np.array([[0], [1]]), columns),
        case("size-0", n((2, 3)), lambda i: i, np.array([], dtype=int)),
        case("size-1", n(()), lambda: ...),
        case("size-1", n((1,)), lambda i: i, np.array([0, 0])),
    ]


def along_axis() -> list[Case]:
    n = between(-2, 2)
    take = lambda a, i: np.take_along_axis(a, i, axis=1)  # noqa: E731
    return [
        Case("contiguous", take, (n((2, 3)), np.array([[0, 2], [1, 1]]))),
        Case("contiguous", lambda a, i: np.take_along_axis(a, i, axis=0), (n((2, 3)), np.array([[0, 1, 1]]))),
        Case("contiguous", lambda a, i: np.take_along_axis(a, i), (n((2, 3)), np.array([[-1], [0]]))),
        Case("transposed", take, (n((3, 2)).T, np.array([[0, 2], [1, 1]]))),
        Case("broadcast", take, (n((2, 3)), np.array([[0, 2]]))),
        Case("broadcast", take, (n((1, 3)), np.array([[0, 2], [1, 1]]))),
        Case("size-0", take, (n((0, 3)), np.zeros((0, 2), dtype=int))),
        Case("size-0", take, (n((2, 3)), np.zeros((2, 0), dtype=int))),
        Case("size-1", take, (n((1, 1)), np.array([[0]]))),
    ]


def put() -> list[Case]:
    n = between(-2, 2)
    f = lambda a, i: ops.put_along_axis(a, i, axis=1, length=4)  # noqa: E731
    return [
        Case("contiguous", f, (n((2, 3)), np.array([[0, 2, 2], [1, 1, 1]]))),
        Case("transposed", f, (n((3, 2)).T, np.array([[0, 2, 3], [1, 1, 0]]))),
        Case("broadcast", f, (n((2, 3)), np.array([[0, 2, 2]]))),
        Case("size-0", f, (n((0, 3)), np.zeros((0, 3), dtype=int))),
        Case("size-1", f, (n((1, 1)), np.array([[3]]))),
    ]


def joined(f: Callable[..., Any], axis_in_all: bool) -> list[Case]:
    n = between(-2, 2)
    cases = [
        Case("contiguous", lambda a, b: f([a, b]), (n((2, 3)), n((2, 3)))),
        Case("contiguous", lambda a, b, c: f([a, b, c], axis=-1), (n((2, 2)), n((2, 2)), n((2, 2)))),
        Case("contiguous", lambda a: f([a, a], axis=1), (n((2, 3)),)),
        Case("transposed", lambda a, b: f([a, b], axis=1), (n((3, 2)).T, n((2, 3)))),
        Case("broadcast", lambda a, b: f([a, b], axis=1), (np.broadcast_to(n((3,)), (2, 3)), n((2, 3)))),
        Case("size-0", lambda a, b: f([a, b]), (n((0, 3)), n((0, 3)))),
        Case("size-1", lambda a, b: f([a, b]), (n((1, 1)), n((1, 1)))),
    ]
    if axis_in_all:
        cases += [
            Case("contiguous", lambda a, b: f([a, b], axis=0), (n((1, 3)), n((2, 3)))),
            Case("size-0", lambda a, b: f([a, b], axis=0), (n((0, 3)), n((2, 3)))),
        ]
    return cases


def linears(f: Callable[..., Any] = ops.linear) -> list[Case]:
    n = between(-1, 1)
    return [
        Case("contiguous", f, (n((2, 3)), n((4, 3)), n((4,)))),
        Case("contiguous", f, (n((2, 3)), n((4, 3)))),
        Case("contiguous", f, (n((2, 3)), n((4, 3)), None)),
        Case("contiguous", f, (n((3,)), n((2, 3)), n((2,)))),
        Case("contiguous", f, (n((2, 2, 3)), n((2, 3)), n((2,)))),
        Case("contiguous", lambda x, w, b: f(x, w, b=b), (n((2, 3)), n((2, 3)), n((2,)))),
        Case("transposed", f, (n((3, 2)).T, n((3, 4)).T, n((4,)))),
        Case("broadcast", f, (np.broadcast_to(n((3,)), (2, 3)), n((4, 3)), np.broadcast_to(n(()), (4,)))),
        Case("size-0", f, (n((0, 3)), n((4, 3)), n((4,)))),
        Case("size-0", f, (n((2, 0)), n((4, 0)), n((4,)))),
        Case("size-1", f, (n((1, 1)), n((1, 1)), n((1,)))),
    ]


def linear_gradients(f: Callable[..., Any], samples: bool) -> list[Case]:
    """a @ w, w (4, 3), for each sample; or aᵀ @ x, the sum over the ``samples`` x (…, 3)."""
    n = between(-1, 1)

    def other(*shape: int) -> np.ndarray:
        return n((*shape, 3) if samples else (4, 3))

    return [
        Case("contiguous", f, (n((2, 4)), other(2))),
        Case("contiguous", f, (n((4,)), other())),
        Case("contiguous", f, (n((2, 2, 4)), other(2, 2))),
        Case("transposed", f, (n((4, 2)).T, np.asfortranarray(other(2)))),
        Case("broadcast", f, (np.broadcast_to(n((4,)), (2, 4)), np.broadcast_to(n((3,)), other(2).shape))),
        Case("size-0", f, (n((0, 4)), other(0))),
        Case("size-1", f, (n((1, 1)), n((1, 1)))),
    ]


def cross_entropies(f: Callable[..., Any] = ops.softmax_cross_entropy) -> list[Case]:
    n = between(-2, 2)
    return [
        Case("contiguous", f, (n((2, 3)), np.array([0, 2]))),
        Case("contiguous", f, (n((2, 3)), np.array([1, 1], dtype=np.uint8))),
        Case("transposed", f, (n((3, 2)).T, np.array([0, 2, 1, 0])[::2])),
        Case("broadcast", f, (np.broadcast_to(n((3,)), (2, 3)), np.broadcast_to(np.array(1), (2,)))),
        Case("size-0", f, (n((0, 3)), np.zeros(0, dtype=int))),
        Case("size-1", f, (n((1, 1)), np.array([0]))),
    ]


def dropouts() -> list[Case]:
    n, draw = between(-2, 2), np.random.default_rng(3)

    def case(layout: str, x: np.ndarray) -> Case:
        percent = draw.integers(0, 100, x.shape)  # whole numbers, which have no gradient
        return Case(layout, lambda x, percent: fused.dropout(x, percent / 100, p=0.4), (x, percent))

    return [case(layout, x) for layout, x in layouts(n).items()]


def embeddings() -> list[Case]:
    n, f = between(-2, 2), fused.embedding
    ids = np.array([[0, 2], [2, 1]])
    return [
        Case("contiguous", f, (n((3, 2)), ids)),
        Case("contiguous", f, (n((3, 2)), np.array([1, 1], dtype=np.uint8))),
        Case("transposed", f, (n((2, 3)).T, ids.T)),
        Case("broadcast", f, (np.broadcast_to(n((2,)), (3, 2)), np.broadcast_to(np.array(1), (2,)))),
        Case("size-0", f, (n((3, 2)), np.zeros(0, dtype=int))),
        Case("size-1", f, (n((1, 1)), np.array([0]))),
    ]


def embedding_gradients() -> list[Case]:
    n = between(-2, 2)

    def f(rows: np.ndarray, ids: np.ndarray) -> np.ndarray:
        return fused.embedding_gradient(rows, ids, count=3)

    return [
        Case("contiguous", f, (n((2, 2, 2)), np.array([[0, 2], [2, 1]]))),
        Case("transposed", f, (n((2, 4)).T, np.array([0, 2, 2, 1]))),
        Case("broadcast", f, (np.broadcast_to(n((2,)), (3, 2)), np.broadcast_to(np.array(1), (3,)))),
        Case("size-0", f, (n((0, 2)), np.zeros(0, dtype=int))),
        Case("size-1", f, (n((1, 1)), np.array([0]))),
    ]


def conditional() -> list[Case]:
    n = between(-2, 2)
    full, column = np.array([[True, False, True], [False, False, True]]), np.array([[True], [False]])
    return [
        Case("contiguous", np.where, (full, n((2, 3)), n((2, 3)))),
        Case("transposed", np.where, (full, n((3, 2)).T, n((3, 2)).T)),
        Case("broadcast", np.where, (column, n((3,)), n((2, 3)))),
        Case("broadcast", np.where, (full, n(()), n((2, 1)))),
        Case("broadcast", lambda c, a: np.where(c, a, 0.0), (full, n((3,)))),
        Case("size-0", np.where, (np.zeros((0, 3), bool), n((0, 3)), n((1, 3)))),
        Case("size-1", np.where, (np.array([[True]]), n((1, 1)), n((1, 1)))),
    ]


def power() -> list[Case]:
    positive, n = between(0.5, 2), between(-2, 2)
    return [
        *binary(np.power, positive, n),
        *unary(lambda a: a**2),
        *unary(lambda a: a**3),
        *unary(lambda a: a**-1.5, positive),
        *unary(lambda b: 2.0**b),
        Case("contiguous", lambda a: a**0, (np.array([0.0, 1.5, -1.0]),)),
        Case("contiguous", lambda a: a**1, (np.array([0.0, 1.5, -1.0]),)),
        Case("contiguous", lambda a: a**2, (np.array([0.0, 1.5, -1.0]),)),
        Case("contiguous", np.power, (np.array([1.5, 2.0]), np.array([0.0, 1.0]))),
    ]


def clips() -> list[Case]:
    away = lambda shape: np.round(apart(0.37)(shape), 3) + 0.011  # noqa: E731  never within eps of a bound
    bounds = (np.array([-0.5, -0.2, -1.0]), np.array([[0.5], [0.7]]))
    return [
        *unary(lambda a: np.clip(a, -0.5, 0.5), away),
        *unary(lambda a: a.clip(-0.5), away),
        *unary(lambda a: np.clip(a, None, 0.5), away),
        *unary(lambda a: np.clip(a, min=-0.5, max=0.5), away),
        *unary(lambda a: np.clip(a, None, None), away),
        Case("broadcast", lambda a, low, high: np.clip(a, low, high), (away((2, 3)), *bounds)),
    ]


CASES: dict[str, list[Case]] = {
    "add": binary(np.add),
    "subtract": binary(np.subtract),
    "multiply": binary(np.multiply),
    "divide": binary(np.divide, None, between(0.5, 2)),
    "power": power(),
    "negative": unary(np.negative),
    "positive": unary(np.positive),
    "abs": unary(np.abs, apart()),
    "square": unary(np.square),
    "sqrt": unary(np.sqrt, between(0.5, 2)),
    "exp": unary(np.exp),
    "expm1": unary(np.expm1),
    "log": unary(np.log, between(0.5, 2)),
    "log1p": unary(np.log1p, between(-0.5, 2)),
    "sin": unary(np.sin),
    "cos": unary(np.cos),
    "tanh": unary(np.tanh),
    "maximum": binary(np.maximum) + unary(lambda a: np.maximum(a, 0.0), apart()),
    "minimum": binary(np.minimum) + unary(lambda a: np.minimum(a, 0.0), apart()),
    "where": conditional(),
    "clip": clips(),
    "astype": unary(lambda a: a.astype("float64") * a),
    "relu": unary(ops.relu, apart()),
    "leaky_relu": unary(lambda a: ops.leaky_relu(a, slope=0.2), apart()) + unary(ops.leaky_relu, apart()),
    "sigmoid": unary(ops.sigmoid),
    "softplus": unary(ops.softplus),
    "normal_cdf": unary(ops.normal_cdf),
    "gelu": unary(ops.gelu),
    "logsumexp": reduction(ops.logsumexp, empty_axis=False),
    "softmax": unary(ops.softmax) + unary(lambda a: ops.softmax(a, axis=0), skip=("size-0",)),
    "log_softmax": unary(ops.log_softmax) + unary(lambda a: ops.log_softmax(a, axis=0), skip=("size-0",)),
    "sum": reduction(np.sum),
    "mean": reduction(np.mean, empty_axis=False),
    "var": reduction(np.var, empty_axis=False)
    + unary(lambda a: np.var(a, axis=1, ddof=1), skip=("size-1",))
    + unary(lambda a: np.var(a[:0] * 1.0, axis=1)),
    "std": [case for case in reduction(np.std, empty_axis=False) if case.layout != "size-1"]
    + [Case("size-1", lambda a, b: np.std(a * b, axis=-1), (np.array([[0.7]]), np.array([[1.0, 2.0]])))],
    "max": extreme(np.max),
    "min": extreme(np.min),
    "prod": [
        *reduction(np.prod),
        Case("contiguous", lambda a: np.prod(a, axis=1), (np.array([[2.0, 0, 3], [0, 0, 5], [0, 0, 0]]),)),
        Case("contiguous", np.prod, (between(0.5, 1.5)((2, 3, 2)),)),
    ],
    "cumsum": unary(np.cumsum)
    + unary(lambda a: np.cumsum(a, axis=0))
    + unary(lambda a: np.cumsum(a, axis=-1))
    + [Case("size-1", np.cumsum, (np.array(0.5),))],
    "reshape": unary(lambda a: a.reshape(-1)[:0].reshape(0, 5))
    + unary(lambda a: np.reshape(a, (a.size,)))
    + [Case("contiguous", lambda a: a.reshape(3, -1), (between(-1, 1)((2, 3)),))],
    "transpose": unary(np.transpose)
    + unary(lambda a: a.T)
    + unary(lambda a: a.transpose(-1, 0))
    + [
        Case("contiguous", lambda a: np.transpose(a, (2, 0, 1)), (between(-1, 1)((2, 3, 2)),)),
        Case("contiguous", lambda a: a.transpose((1, -1, 0)), (between(-1, 1)((2, 3, 2)),)),
    ],
    "swapaxes": unary(lambda a: np.swapaxes(a, 0, -1)),
    "moveaxis": [
        *unary(lambda a: np.moveaxis(a, 0, -1)),
        Case("contiguous", lambda a: np.moveaxis(a, (0, 1), (-1, 0)), (between(-1, 1)((2, 3, 2)),)),
    ],
    "broadcast_to": [
        *unary(lambda a: np.broadcast_to(a, (2, *a.shape))),
        Case("broadcast", lambda a: np.broadcast_to(a, (2, 3)), (between(-1, 1)((2, 1)),)),
        Case("size-0", lambda a: np.broadcast_to(a, (0, 3)), (between(-1, 1)((1, 3)),)),
        Case("size-1", lambda a: np.broadcast_to(a, (2, 3)), (between(-1, 1)(()),)),
    ],
    "squeeze": unary(lambda a: np.squeeze(a[None], 0)) + unary(lambda a: np.squeeze(a[:, None])),
    "expand_dims": unary(lambda a: np.expand_dims(a, 1)) + unary(lambda a: np.expand_dims(a, (0, -1))),
    "flip": unary(np.flip) + unary(lambda a: np.flip(a, axis=-1)) + unary(lambda a: np.flip(a, (0, 1))),
    "concatenate": joined(np.concatenate, axis_in_all=True),
    "stack": joined(np.stack, axis_in_all=False),
    "pad": unary(lambda a: np.pad(a, 1))
    + unary(lambda a: np.pad(a, ((1, 0), (0, 2)), constant_values=3.0))
    + unary(lambda a: np.pad(a, (0, 1), mode="constant")),
    "getitem": indexed(),
    "scatter": [
        *unary(lambda a: ops.scatter(a, index=(slice(1, 1 + len(a)),), shape=(4, a.shape[1]))),
        Case(
            "contiguous",
            lambda a, i: ops.scatter(a, index=i, shape=(3, 3)),
            (np.ones((2, 3)), np.array([1, 1])),
        ),
    ],
    "take_along_axis": along_axis(),
    "put_along_axis": put(),
    "matmul": [*matrices(np.matmul), Case("contiguous", np.dot, (np.ones(3), np.ones((3, 2))))],
    "einsum": einsums(),
    "linear": linears(),
    "linear_input_gradient": linear_gradients(fused.linear_input_gradient, samples=False),
    "linear_relu": linears(ops.linear_relu),
    "linear_weight_gradient": linear_gradients(fused.linear_weight_gradient, samples=True),
    "softmax_cross_entropy": cross_entropies(),
    "mean_cross_entropy": [
        case for case in cross_entropies(ops.mean_cross_entropy) if case.layout != "size-0"
    ],
    "dropout": dropouts(),
    "embedding": embeddings(),
    "embedding_gradient": embedding_gradients(),
    "to_device": unary(lambda a: ops.to(a, a.device) * a),
    "alias": unary(lambda a: registry.operations["alias"](a)),
}

#: public functions that are put together from operations, checked like them
COMPOSED: dict[str, list[Case]] = {
    "split": unary(lambda a: np.split(a, 3 if a.shape[1] == 3 else 1, axis=1)[-1] * 2, skip=("transposed",))
    + unary(lambda a: np.concatenate([p * (k + 1) for k, p in enumerate(np.split(a, [1], axis=-1))], axis=1)),
    "to": unary(lambda a: a.to("cpu") if a.device == "cpu" else a) + unary(lambda a: ops.to(a, "float64")),
    "dot": [*matrices(np.dot)[:4], Case("size-1", np.dot, (np.array(2.0), np.ones((2, 3))))],
    "naive_sigmoid": unary(ops.naive_sigmoid),
    "naive_softmax": unary(ops.naive_softmax),
    "naive_logsumexp": unary(ops.naive_logsumexp, skip=("size-0",)),
    "naive_gelu": [],
}

#: operations that are piecewise constant: they give results, and no gradient
CONSTANT: dict[str, Callable[..., Any]] = {
    **{name: lambda t, name=name: getattr(np, name)(t, 0.5) for name in ("equal", "not_equal", "less")},
    **{
        name: lambda t, name=name: getattr(np, name)(t, 0.5)
        for name in ("less_equal", "greater", "greater_equal")
    },
    **{name: lambda t, name=name: getattr(np, name)(t > 0, t < 1) for name in ("logical_and", "logical_or")},
    **{name: lambda t, name=name: getattr(np, name)(t > 0, t < 1) for name in ("logical_xor", "bitwise_xor")},
    **{name: lambda t, name=name: getattr(np, name)(t > 0, t < 1) for name in ("bitwise_and", "bitwise_or")},
    **{name: lambda t, name=name: getattr(np, name)(t > 0) for name in ("invert", "logical_not")},
    **{name: lambda t, name=name: getattr(np, name)(t) for name in ("isnan", "isinf", "isfinite", "sign")},
    **{name: lambda t, name=name: getattr(np, name)(t) for name in ("floor", "ceil", "rint", "trunc")},
    **{
        name: lambda t, name=name: getattr(np, name)(t, axis=0) for name in ("argmax", "argmin", "any", "all")
    },
    "floor_divide": lambda t: t // 2,
}
