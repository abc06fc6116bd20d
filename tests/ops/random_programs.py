"""Random programs of up to ten functions out of the table, against finite differences of NumPy's own functions.

``python -m tests.ops.random_programs 1000`` runs as many and prints the worst error. A program is built on bare arrays,
so that NumPy itself computes it; the same calls on Tensors must give the same value and, walked back, the slope that
differences of NumPy's values have along a random direction. Inputs have axes of length 0 and 1, negative strides and
Fortran's order. Which functions there are is read from the table: one that is added takes part.
"""

from __future__ import annotations

import inspect
import random
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

import minigrad as mg
from minigrad import catalogue
from minigrad.errors import MinigradError

LENGTH = 10
LARGEST = 48
SHAPES = [(), (1,), (3,), (2, 3), (3, 3), (3, 1), (1, 4), (2, 2, 2), (2, 1, 3), (0,), (0, 3), (2, 0)]

# what is given for a parameter of this name; the entries of arrays come from the program's further inputs
ARGUMENTS: dict[str, Callable[[random.Random, Any], Any]] = {
    "axis": lambda draw, x: draw.choice([None, *range(-x.ndim, x.ndim)]),
    "axis1": lambda draw, x: 0,
    "axis2": lambda draw, x: x.ndim - 1,
    "source": lambda draw, x: 0,
    "destination": lambda draw, x: -1,
    "start": lambda draw, x: 0,
    "keepdims": lambda draw, x: draw.random() < 0.5,
    "reps": lambda draw, x: draw.choice([2, (2, 1)]),
    "shift": lambda draw, x: draw.choice([1, -2]),
    "indices": lambda draw, x: np.zeros((2,) * max(x.ndim, 1), dtype=int),
    "q": lambda draw, x: draw.choice([0.3, 0.75]),
    "repeats": lambda draw, x: 2,
    "kth": lambda draw, x: 0,
    "k": lambda draw, x: draw.choice([-1, 0, 1]),
    "n": lambda draw, x: 1,
    "ddof": lambda draw, x: 0,
    "pad_width": lambda draw, x: 1,
    "obj": lambda draw, x: 0,
    "indices_or_sections": lambda draw, x: 1,
    "shape": lambda draw, x: draw.choice([(x.size,), (x.size, 1), (2, *x.shape)]),
    "newshape": lambda draw, x: (x.size,),
    "new_shape": lambda draw, x: (2, x.size),
    "window_shape": lambda draw, x: (1,) * x.ndim,
    "a_min": lambda draw, x: -0.7,
    "a_max": lambda draw, x: 0.9,
    "dtype": lambda draw, x: "float64",
}
OPERANDS = ("b", "y", "v", "x2", "values", "weights")
LISTS = ("arrays", "tup", "seq", "array_list")
SYMMETRIC = {"linalg.cholesky", "linalg.eigh", "linalg.eigvalsh"}
WEIGHTS = {"weights", "b"}
NOT_SMOOTH = {
    "unwrap",  # jumps by the period
    "linalg.eigh",  # the signs, and the phases within equal values, are free
    "linalg.svd",
    "linalg.lstsq",  # ranks and residuals come and go
    "special.softmax",
}
KINDS = ["numpy", "numpy", "numpy", "numpy", "linalg", "special"]
REFUSALS = ("MG-103", "MG-214", "MG-610")
"""What NumPy allows and minigrad refuses: products of stacks, an option, an argument without a formula."""
STEEPEST = 1e6
"""Steeper are poles and matrices that are singular but for rounding, where no difference is near the slope."""
NO_SLOPE = "MG-617"
"""What a rule says at a singular matrix, where a slope of the factors (of ``qr``) is infinite."""
DOMAINS: tuple[Callable[[Any], Any], ...] = (
    lambda x: x,
    lambda x: np.sqrt(x * x + 0.25),
    lambda x: 0.9 * np.tanh(x),
    lambda x: 1.25 + x * x,
    lambda x: 0.5 + 0.4 * np.tanh(x),
)


@dataclass
class Program:
    """Calls on a value, one after another; each may take a further input."""

    inputs: list[np.ndarray] = field(default_factory=list)
    steps: list[Callable[..., Any]] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def __call__(self, *inputs: Any) -> Any:
        value = inputs[0]
        for step in self.steps:
            value = step(value, inputs)
        return value


@cache
def functions() -> dict[str, list[tuple[str, Callable[..., Any]]]]:
    """The functions with a gradient, once each, by where they come from."""
    found: dict[str, dict[Any, str]] = {kind: {} for kind in KINDS}
    for entry in catalogue.entries():
        kind = entry.name.partition(".")[0]
        known = found[kind if kind in found else "numpy"]
        if entry.kind == "gradient" and entry.name not in NOT_SMOOTH:
            known.setdefault(entry.function, entry.name)
    named = {kind: [(name, function) for function, name in known.items()] for kind, known in found.items()}
    return {kind: some or named["numpy"] for kind, some in named.items()}


def array(draw: random.Random, shape: tuple[int, ...]) -> np.ndarray:
    """Distinct numbers, in one of the ways to lie in memory."""
    numbers = np.random.default_rng(draw.randrange(2**32))
    a = numbers.uniform(0.2, 1.8, shape) * numbers.choice([-1, 1], shape)
    way = draw.randrange(4)
    if way == 1:
        return np.asfortranarray(a)
    if way == 2 and a.ndim:
        return np.flip(np.flip(a).copy())
    return np.repeat(a, 2, axis=-1)[..., ::2] if way == 3 and a.ndim else a


def operand_shapes(shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    return [shape, shape[::-1], shape[1:], tuple(1 if k else n for k, n in enumerate(shape)), shape[-1:], ()]


def calls(
    draw: random.Random, function: Callable[..., Any], x: np.ndarray, k: int
) -> Iterator[tuple[Any, Any]]:
    """Ways to call a function on x: (the call, the shape of its further input, or None)."""
    shapes = operand_shapes(x.shape)
    draw.shuffle(shapes)
    if isinstance(function, np.ufunc):
        if function.nin == 1:
            yield (lambda value, inputs: function(value)), None
        elif function.nin == 2:
            for shape in shapes[:3]:
                yield (lambda value, inputs: function(value, inputs[k])), shape
                yield (lambda value, inputs: function(inputs[k], value)), shape
        return
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except ValueError:
        return
    if not parameters:
        return
    first, *others = parameters
    needed = [p for p in others if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD]
    wanted = [
        p
        for p in others
        if p.default is not p.empty and p.name in ("axis", "keepdims") and draw.random() < 0.5
    ]
    options = {p.name: ARGUMENTS[p.name](draw, x) for p in (*needed, *wanted) if p.name in ARGUMENTS}
    missing = [p.name for p in needed if p.name not in options]
    if first.name in LISTS or first.kind is first.VAR_POSITIONAL:
        for shape in shapes[:2]:
            if first.kind is first.VAR_POSITIONAL:
                yield (lambda value, inputs: function(value, inputs[k], **options)), shape
            else:
                yield (lambda value, inputs: function([value, inputs[k]], **options)), shape
    elif not missing:
        yield (lambda value, inputs: function(value, **options)), None
    elif len(missing) == 1 and missing[0] in OPERANDS:
        for shape in shapes[:4]:
            yield (lambda value, inputs: function(value, **{missing[0]: inputs[k]}, **options)), shape


def part(draw: random.Random, result: Any) -> Callable[[Any], Any] | None:
    """What picks an array of floats out of a result."""
    if isinstance(result, (tuple, list)):
        floats = [i for i, each in enumerate(result) if getattr(each, "dtype", None) == np.float64]
        chosen = draw.choice(floats) if floats else None
        return None if chosen is None else lambda value: value[chosen]
    return (lambda value: value) if getattr(result, "dtype", None) == np.float64 else None


def full_rank(a: np.ndarray) -> bool:
    """Whether the columns, or the rows where there are fewer, of each matrix point in directions of their own."""
    if a.ndim < 2 or not a.size:
        return True
    return bool(np.all(np.linalg.matrix_rank(a, rtol=1e-6) == min(a.shape[-2:])))


def grown(draw: random.Random, program: Program) -> bool:
    """Add one call that NumPy can make and whose result is finite and not too large; say whether one was found."""
    name, function = draw.choice(functions()[draw.choice(KINDS)])
    value = program(*program.inputs)
    k = len(program.inputs)
    domains = DOMAINS
    if name in SYMMETRIC:
        if value.ndim != 2:
            return False
        domains = (lambda x: x @ x.T + np.eye(len(value)),)
    if name == "linalg.qr":  # which has no slope where columns depend on one another, as equal ones do
        domains = tuple(f for f in DOMAINS if full_rank(f(value)))
    for call, shape in calls(draw, function, value, k):
        further = [] if shape is None else [array(draw, shape)]
        for domain in domains:
            inputs = [*program.inputs, *further]
            try:
                result = call(domain(value), inputs)
            except Exception:  # NumPy cannot: another call, or another function
                break
            pick = part(draw, result)
            if pick is None or np.size(pick(result)) > LARGEST:
                break
            result = pick(result)
            if not np.all(np.isfinite(result)):
                continue
            if refused(program, name, call, domain, pick, value, inputs):
                return False
            size = float(np.max(np.abs(result), initial=0.0))
            scale = 2 / size if size > 3 else 1.0
            program.inputs += further
            program.steps.append(
                lambda x, inputs, domain=domain, call=call, pick=pick, scale=scale: (
                    pick(call(domain(x), inputs)) * scale
                )
            )
            program.names.append(name)
            return True
    return False


def refused(
    program: Program,
    name: str,
    call: Any,
    domain: Any,
    pick: Any,
    value: np.ndarray,
    inputs: list[np.ndarray],
) -> bool:
    """Whether a call has no gradient: refused with a reason, a result alone, or a slope too steep for differences."""
    leaves = [mg.Tensor(a, requires_grad=True) for a in (value, *inputs)]
    try:
        result = pick(call(domain(leaves[0]), leaves[1:]))
        if result.requires_grad:
            found = mg.gradients(np.sum(result), leaves)
            return not all(np.all(np.abs(g.data) < STEEPEST) for g in found)
    except MinigradError as error:
        if str(error).startswith(NO_SLOPE):
            return True
        if not str(error).startswith(REFUSALS):
            error.add_note(f"{name} of shape {value.shape}")
            raise
    program.refused.append(name)
    return True


def build(draw: random.Random) -> Program:
    """A program of up to ten calls."""
    program = Program([array(draw, draw.choice(SHAPES))])
    for _ in range(8 * LENGTH):
        grown(draw, program)
        if len(program.steps) == LENGTH:
            break
    return program


def slope(f: Callable[[float], float], h: float) -> float:
    """f'(0) by differences of order six, which are wrong by O(h⁶)."""
    ends = [(f(k * h) - f(-k * h)) * w for k, w in ((1, 45), (2, -9), (3, 1))]
    return sum(ends) / (60 * h)


def error_of(draw: random.Random, program: Program) -> float | None:
    """How far the gradient is from the differences, in parts of 1 + |slope|; None at a kink."""
    numbers = np.random.default_rng(draw.randrange(2**32))
    value = np.asarray(program(*program.inputs))
    weights = numbers.uniform(0.5, 1.5, value.shape)
    along = [numbers.uniform(-1, 1, a.shape) for a in program.inputs]

    def moved(by: float) -> float:
        inputs = [a + by * d for a, d in zip(program.inputs, along, strict=True)]
        return float(np.sum(program(*inputs) * weights))

    tensors = [mg.Tensor(a, requires_grad=True) for a in program.inputs]
    result = program(*tensors)
    assert isinstance(result, mg.Tensor)
    np.testing.assert_allclose(result.data, value, rtol=1e-9, atol=1e-11)
    if not result.requires_grad:
        raise AssertionError("no graph came out")
    found = mg.gradients(np.sum(result * weights), tensors)
    ours = sum(float(np.sum(g.data * d)) for g, d in zip(found, along, strict=True))
    try:
        slopes = [slope(moved, h) for h in (4e-4, 2e-4, 1e-4)]
    except np.linalg.LinAlgError:  # beside a singular matrix there may be one that NumPy refuses
        return None
    size = 1 + abs(slopes[1])
    if not np.all(np.isfinite(slopes)) or max(slopes) - min(slopes) > 1e-7 * size:
        return None
    return abs(ours - slopes[1]) / size


def run(count: int, seed: int = 0) -> tuple[int, float, int, Counter[str], Counter[str]]:
    """Run ``count`` programs: that number, the worst error, how many stood at a kink, what was used, and refused."""
    used: Counter[str] = Counter()
    refusals: Counter[str] = Counter()
    worst, kinks, done = 0.0, 0, 0
    while done < count:
        draw = random.Random(seed)
        seed += 1
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            program = Program([])
            try:
                program = build(draw)
                error = error_of(draw, program)
            except Exception as failure:
                failure.add_note(
                    f"program {seed - 1}: {' > '.join(program.names)}, from {program.inputs[:1]}"
                )
                raise
        refusals.update(program.refused)
        if error is None:
            kinks += 1
            continue
        if not error <= TOLERANCE:  # nan too
            raise AssertionError(f"program {seed - 1}: {' > '.join(program.names)} is wrong by {error:.1e}")
        done += 1
        worst = max(worst, error)
        used.update(program.names)
    return done, worst, kinks, used, refusals


TOLERANCE = 1e-6

if __name__ == "__main__":
    total = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    ran, worst_error, at_kinks, names, refusals = run(total, int(sys.argv[2]) if len(sys.argv) > 2 else 0)
    known = set().union(*functions().values())
    print(
        f"{ran} programs of up to {LENGTH} functions, {len(names)} different ones of {len(known)}: "
        f"worst error {worst_error:.1e}; {at_kinks} more stood at a kink and were left out; "
        f"calls that are refused with a reason: {dict(refusals.most_common())}"
    )
