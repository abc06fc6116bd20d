"""Random graphs of random operations and shapes: values and gradients equal PyTorch's.

A graph is a small program: leaves, and steps that each apply one operation to earlier values. Hypothesis draws the
operations, their operands and shapes; both engines run the program. The loss is a randomly weighted sum of every
value in it, leaves included, so no part is left out and every gradient is of order 1 or larger.

The numbers are kept where both engines must agree to rounding: arguments that would overflow, or leave the domain of
a root or a logarithm, pass through tanh or softplus first, and what has a kink gets a fixed offset added, so that
values that are equal in exact arithmetic (and differ by rounding) do not meet at it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

import minigrad as mg
from minigrad import ops

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
F = torch.nn.functional

RELATIVE = 1e-10


def tame(x):
    """Into (-1, 1)."""
    return torch.tanh(x) if isinstance(x, torch.Tensor) else np.tanh(x)


def positive(x):
    """Above 1/2, and growing no faster than x."""
    return 0.5 + (F.softplus(x, threshold=1e9) if isinstance(x, torch.Tensor) else ops.softplus(x))


def off(x):
    """Moved off the kinks, each entry by another amount."""
    shape = tuple(x.shape)
    offsets = np.cos(1.7 * np.arange(int(np.prod(shape))) + 0.3).reshape(shape)
    return x + (torch.from_numpy(offsets) if isinstance(x, torch.Tensor) else offsets)


def spread(x):
    """Numbers that cannot all be equal."""
    steps = 3.0 * np.arange(int(np.prod(x.shape)), dtype=float).reshape(tuple(x.shape))
    return tame(x) + (torch.from_numpy(steps) if isinstance(x, torch.Tensor) else steps)


def torch_prod(x, axis, keepdims):
    return torch.prod(0.5 * tame(x) + 1, dim=axis, keepdim=keepdims)


Pair = tuple[Callable[..., Any], Callable[..., Any]]

UNARY: dict[str, Pair] = {
    "negative": (lambda x: -x, lambda x: -x),
    "abs": (lambda x: abs(off(x)), lambda x: abs(off(x))),
    "square": (lambda x: np.square(tame(x)), lambda x: torch.square(tame(x))),
    "cube": (lambda x: tame(x) ** 3, lambda x: tame(x) ** 3),
    "sqrt": (lambda x: np.sqrt(positive(x)), lambda x: torch.sqrt(positive(x))),
    "exp": (lambda x: np.exp(tame(x)), lambda x: torch.exp(tame(x))),
    "expm1": (lambda x: np.expm1(tame(x)), lambda x: torch.expm1(tame(x))),
    "log": (lambda x: np.log(positive(x)), lambda x: torch.log(positive(x))),
    "log1p": (lambda x: np.log1p(positive(x)), lambda x: torch.log1p(positive(x))),
    "sin": (np.sin, torch.sin),
    "cos": (np.cos, torch.cos),
    "tanh": (np.tanh, torch.tanh),
    "sigmoid": (ops.sigmoid, torch.sigmoid),
    "softplus": (ops.softplus, lambda x: F.softplus(x, threshold=1e9)),
    "relu": (lambda x: ops.relu(off(x)), lambda x: F.relu(off(x))),
    "leaky_relu": (lambda x: ops.leaky_relu(off(x), 0.1), lambda x: F.leaky_relu(off(x), 0.1)),
    "gelu": (lambda x: ops.gelu(2 * tame(x)), lambda x: F.gelu(2 * tame(x))),
    "normal_cdf": (lambda x: ops.normal_cdf(tame(x)), lambda x: torch.special.ndtr(tame(x))),
    "reciprocal": (lambda x: 1 / positive(x), lambda x: 1 / positive(x)),
    "clip": (lambda x: np.clip(off(x), -0.7, 0.9), lambda x: torch.clamp(off(x), -0.7, 0.9)),
    "transpose": (lambda x: x.T, lambda x: x.permute(tuple(range(x.ndim))[::-1])),
    "flatten": (lambda x: x.reshape(-1), lambda x: x.reshape(-1)),
    "expand_dims": (lambda x: np.expand_dims(x, 0), lambda x: x.unsqueeze(0)),
    "squeeze": (np.squeeze, torch.squeeze),
    "broadcast": (lambda x: np.broadcast_to(x, (2, *x.shape)), lambda x: x.expand(2, *x.shape)),
    "stack": (lambda x: np.stack([x, np.sin(x)], axis=-1), lambda x: torch.stack([x, torch.sin(x)], dim=-1)),
    "outer": (
        lambda x: np.einsum("i,j->ij", x.reshape(-1)[:3], tame(x.reshape(-1))),
        lambda x: torch.einsum("i,j->ij", x.reshape(-1)[:3], tame(x.reshape(-1))),
    ),
}

ALONG_AXIS: dict[str, Pair] = {
    "softmax": (lambda x, axis: ops.softmax(x, axis), lambda x, axis: torch.softmax(x, axis)),
    "log_softmax": (lambda x, axis: ops.log_softmax(x, axis), lambda x, axis: torch.log_softmax(x, axis)),
    "cumsum": (lambda x, axis: np.cumsum(tame(x), axis), lambda x, axis: torch.cumsum(tame(x), axis)),
    "flip": (lambda x, axis: np.flip(x, axis), lambda x, axis: torch.flip(x, (axis,))),
    "moveaxis": (lambda x, axis: np.moveaxis(x, axis, 0), lambda x, axis: torch.movedim(x, axis, 0)),
    "swapaxes": (lambda x, axis: np.swapaxes(x, axis, -1), lambda x, axis: torch.swapaxes(x, axis, -1)),
    "concatenate": (
        lambda x, axis: np.concatenate([x, np.cos(x)], axis=axis),
        lambda x, axis: torch.cat([x, torch.cos(x)], dim=axis),
    ),
    "split": (
        lambda x, axis: np.split(x, [1], axis=axis)[0] * 2,
        lambda x, axis: torch.split(x, 1, dim=axis)[0] * 2,
    ),
    "pad": (
        lambda x, axis: np.pad(
            x, [(1, 2) if k == axis else (0, 0) for k in range(x.ndim)], constant_values=0.5
        ),
        lambda x, axis: F.pad(
            x, [n for k in reversed(range(x.ndim)) for n in ((1, 2) if k == axis else (0, 0))], value=0.5
        ),
    ),
    "take": (
        lambda x, axis: x[(slice(None),) * axis + (np.array([0, -1, 0]),)],
        lambda x, axis: x[(slice(None),) * axis + (torch.tensor([0, -1, 0]),)],
    ),
    "mask": (
        lambda x, axis: x[(slice(None),) * axis + (np.arange(x.shape[axis]) % 2 == 0,)],
        lambda x, axis: x[(slice(None),) * axis + (torch.arange(x.shape[axis]) % 2 == 0,)],
    ),
    "slice": (
        lambda x, axis: x[(slice(None),) * axis + (slice(None, None, 2), None)],
        lambda x, axis: x[(slice(None),) * axis + (slice(None, None, 2), None)],
    ),
    "take_along_axis": (
        lambda x, axis: np.take_along_axis(x, np.zeros(x.shape, dtype=int), axis),
        lambda x, axis: torch.gather(x, axis, torch.zeros(x.shape, dtype=torch.int64)),
    ),
}

REDUCTIONS: dict[str, Pair] = {
    "sum": (
        lambda x, a, k: np.sum(tame(x), axis=a, keepdims=k),
        lambda x, a, k: torch.sum(tame(x), dim=a, keepdim=k),
    ),
    "mean": (lambda x, a, k: np.mean(x, axis=a, keepdims=k), lambda x, a, k: torch.mean(x, dim=a, keepdim=k)),
    "var": (
        lambda x, a, k: np.var(tame(x), axis=a, keepdims=k),
        lambda x, a, k: torch.var(tame(x), dim=a, correction=0, keepdim=k),
    ),
    "std": (
        lambda x, a, k: np.std(spread(np.stack([x, x], axis=a)), axis=a, keepdims=k),
        lambda x, a, k: torch.std(spread(torch.stack([x, x], dim=a)), dim=a, correction=0, keepdim=k),
    ),
    "max": (
        lambda x, a, k: np.max(off(x), axis=a, keepdims=k),
        lambda x, a, k: torch.amax(off(x), a, keepdim=k),
    ),
    "min": (
        lambda x, a, k: np.min(off(x), axis=a, keepdims=k),
        lambda x, a, k: torch.amin(off(x), a, keepdim=k),
    ),
    "logsumexp": (lambda x, a, k: ops.logsumexp(x, a, k), lambda x, a, k: torch.logsumexp(x, a, keepdim=k)),
    "prod": (lambda x, a, k: np.prod(0.5 * tame(x) + 1, axis=a, keepdims=k), torch_prod),
}

BINARY: dict[str, Pair] = {
    "add": (lambda a, b: a + b, lambda a, b: a + b),
    "subtract": (lambda a, b: a - b, lambda a, b: a - b),
    "multiply": (lambda a, b: a * tame(b), lambda a, b: a * tame(b)),
    "divide": (lambda a, b: a / positive(b), lambda a, b: a / positive(b)),
    "power": (lambda a, b: positive(tame(a)) ** tame(b), lambda a, b: positive(tame(a)) ** tame(b)),
    "maximum": (lambda a, b: np.maximum(off(a), b), lambda a, b: torch.maximum(off(a), b)),
    "minimum": (lambda a, b: np.minimum(off(a), b), lambda a, b: torch.minimum(off(a), b)),
    "where": (lambda a, b: np.where(off(a) > 0, a, b), lambda a, b: torch.where(off(a) > 0, a, b)),
}

PRODUCTS: dict[str, Pair] = {
    "matmul": (lambda a, b: tame(a) @ b, lambda a, b: tame(a) @ b),
    "linear": (lambda a, b: ops.linear(tame(a), b.T), lambda a, b: F.linear(tame(a), b.T)),
    "einsum": (
        lambda a, b: np.einsum("...i,ij->j...", tame(a), b),
        lambda a, b: torch.einsum("...i,ij->j...", tame(a), b),
    ),
    "cross_entropy": (
        lambda a, b: ops.softmax_cross_entropy((a @ b).reshape(-1, b.shape[1]), _labels(a, b)),
        lambda a, b: F.cross_entropy(
            (a @ b).reshape(-1, b.shape[1]), torch.from_numpy(_labels(a, b)), reduction="none"
        ),
    ),
}


def _labels(a, b) -> np.ndarray:
    samples = int(np.prod(tuple(a.shape)[:-1]))
    return np.arange(samples) % b.shape[1]


@dataclass
class Step:
    name: str
    operands: tuple[int, ...]
    params: tuple[Any, ...]
    pair: Pair = field(repr=False)

    def run(self, engine: int, values: list[Any]) -> Any:
        return self.pair[engine](*(values[k] for k in self.operands), *self.params)


@dataclass
class Program:
    """Leaf shapes, by the position of the leaf among the values; and the steps in between."""

    seed: int
    parts: list[tuple[int, ...] | Step] = field(default_factory=list)
    shapes: list[tuple[int, ...]] = field(default_factory=list)

    def leaf(self, shape: tuple[int, ...]) -> int:
        self.parts.append(shape)
        self.shapes.append(shape)
        return len(self.shapes) - 1

    def step(self, step: Step) -> None:
        shape = np.shape(step.run(0, [np.full(s, 0.5) for s in self.shapes]))
        if len(shape) <= 4 and int(np.prod(shape)) <= 200:
            self.parts.append(step)
            self.shapes.append(shape)


shapes = st.lists(st.integers(1, 4), max_size=3).map(tuple)


@st.composite
def programs(draw: st.DrawFn) -> Program:
    program = Program(draw(st.integers(0, 2**32 - 1)))
    for shape in draw(st.lists(shapes, min_size=1, max_size=3)):
        program.leaf(shape)
    for _ in range(draw(st.integers(2, 14))):
        k = draw(st.integers(0, len(program.shapes) - 1))
        shape = program.shapes[k]
        tables = [UNARY, BINARY] + ([ALONG_AXIS, REDUCTIONS, PRODUCTS] if shape else [])
        table = draw(st.sampled_from(tables))
        name = draw(st.sampled_from(sorted(table)))
        operands, params = (k,), ()
        if table is BINARY:
            operands = draw(st.permutations((k, draw(partners(program, shape)))))
        elif table is PRODUCTS:
            operands = (k, program.leaf((shape[-1], draw(st.integers(1, 3)))))
        elif table is not UNARY:
            params = (draw(st.integers(0, len(shape) - 1)),)
            if table is REDUCTIONS:
                params += (draw(st.booleans()),)
        program.step(Step(name, tuple(operands), params, table[name]))
    return program


@st.composite
def partners(draw: st.DrawFn, program: Program, shape: tuple[int, ...]) -> int:
    """A value that broadcasts against ``shape``: an earlier one, or a new leaf with axes of 1, fewer or more."""
    fitting = [k for k, other in enumerate(program.shapes) if _broadcast(shape, other)]
    if draw(st.booleans()):
        return draw(st.sampled_from(fitting))
    stretched = [draw(st.sampled_from((n, 1))) for n in shape]
    dropped = draw(st.integers(0, len(shape)))
    return program.leaf(tuple(stretched[dropped:]))


def _broadcast(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    try:
        np.broadcast_shapes(a, b)
    except ValueError:
        return False
    return True


def run(program: Program, engine: int, leaves: dict[int, Any], weights: list[Any]) -> tuple[list[Any], Any]:
    values: list[Any] = []
    for k, part in enumerate(program.parts):
        values.append(part.run(engine, values) if isinstance(part, Step) else leaves[k])
    loss = sum((weight * value).sum() for weight, value in zip(weights, values, strict=True))
    return values, loss


def assert_equal(ours: np.ndarray, theirs: np.ndarray, what: str) -> None:
    assert ours.shape == theirs.shape, what
    scale = np.abs(theirs).max(initial=0.0)
    assert np.isfinite(scale), what
    difference = np.abs(ours - theirs).max(initial=0.0)
    assert difference <= RELATIVE * scale, f"{what}: {difference:.3g} apart, size {scale:.3g}"


def compare(program: Program) -> None:
    rng = np.random.default_rng(program.seed)
    arrays = {k: rng.normal(size=part) for k, part in enumerate(program.parts) if not isinstance(part, Step)}
    weights = [rng.normal(size=shape) for shape in program.shapes]
    ours = {k: mg.Tensor(a, requires_grad=True) for k, a in arrays.items()}
    values, loss = run(program, 0, ours, weights)
    loss.backward()

    theirs = {k: torch.tensor(a, requires_grad=True) for k, a in arrays.items()}
    their_values, their_loss = run(program, 1, theirs, [torch.from_numpy(np.asarray(w)) for w in weights])
    their_loss.backward()

    for k, (a, b) in enumerate(zip(values, their_values, strict=True)):
        assert_equal(a.numpy(), b.detach().numpy(), f"value {k}")
    for k in arrays:
        assert_equal(ours[k].grad.numpy(), theirs[k].grad.numpy(), f"gradient of leaf {k}")


@settings(max_examples=500, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(programs())
def test_values_and_gradients_equal_pytorchs(program: Program) -> None:
    for k, (part, shape) in enumerate(zip(program.parts, program.shapes, strict=True)):
        note(f"{k}: {part} -> {shape}")
    compare(program)


@pytest.mark.parametrize("table", [UNARY, ALONG_AXIS, REDUCTIONS, BINARY, PRODUCTS])
def test_every_operation_of_the_strategy_runs_on_both(table: dict[str, Pair]) -> None:
    """So that no operation is in the strategy by name only."""
    for name, pair in table.items():
        program = Program(seed=1)
        for shape in (
            ((2, 3), (3, 2)) if table is PRODUCTS else ((2, 3), (2, 3)) if table is BINARY else ((2, 3),)
        ):
            program.leaf(shape)
        params = {id(ALONG_AXIS): (1,), id(REDUCTIONS): (1, True)}.get(id(table), ())
        program.step(Step(name, tuple(range(len(program.shapes))), params, pair))
        assert isinstance(program.parts[-1], Step)
        compare(program)
