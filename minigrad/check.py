"""Gradcheck: the gradients that the rules give, beside central differences of the function itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from minigrad import backend, modes
from minigrad.errors import ConfigError, DtypeError, GradientError
from minigrad.functional.evaluation import name_of, pulled_back
from minigrad.functional.reverse import gradients
from minigrad.functional.trees import branches, joined, leaves, rebuilt
from minigrad.nn.calling import functional_call
from minigrad.nn.module import Module
from minigrad.tensor import Tensor

_MODES = ("auto", "full", "random")
_FULL = 2_500  # entries of a Jacobian that "auto" still compares whole
_DIRECTIONS = 8  # random directions where it is larger
_FEW = 2  # and along which "random" moves all the inputs at once
_ROWS = 6  # lines of the printed table

Numbers = np.ndarray[Any, Any]
Function = Callable[..., Any]


class _Entry(NamedTuple):
    """One number of the Jacobian, d(output)/d(input), found in both ways; or one along a random direction."""

    name: str
    source: str
    target: str
    yours: float
    numeric: float
    tolerance: float

    @property
    def excess(self) -> float:
        """By how many tolerances the two differ; NaN counts as infinitely many."""
        excess = abs(self.yours - self.numeric) / self.tolerance
        return float(np.inf if np.isnan(excess) else excess)


def gradcheck(
    f: Function,
    inputs: Any,
    order: int = 1,
    *,
    mode: str = "auto",
    eps: float = 1e-6,
    rtol: float = 1e-6,
    atol: float = 1e-8,
    rng: np.random.Generator | None = None,
) -> None:
    """Compare f's gradients with central differences, (f(x + h) - f(x - h)) / 2h with h = eps · max(1, |x|).

    ``inputs`` is the list of f's arguments, or the only one where it is an array, a number or a dict: float64 arrays,
    Tensors, Python numbers, or dicts, lists and tuples of these, nested. A list of numbers is an array; integers,
    booleans, texts and None are handed to f as they are. f returns a Tensor of any shape, or a tree of Tensors. Of a
    Module its parameters are checked too, by name, with ``inputs`` for its forward: copies in float64, so that the
    model stays as it is.

    ``mode``: "full" compares every entry of the Jacobian; "auto" does so up to 2,500 entries for an input, and beyond
    them products with 8 random directions; "random" moves all inputs together along 2 random directions, which takes
    7 evaluations of f, however many inputs and entries there are. Where a direction differs, the entry that does is
    looked for, by halves. ``order=2`` goes on to the gradient of the gradient: it differentiates a random projection of
    the first gradients, with respect to the inputs and to the incoming gradient.

    An entry passes within ``atol + rtol · |numeric|``, so a rule that is wrong by more than one part in a
    million, and a zero where the derivative is larger than 1e-8, cannot pass. Along random directions it is
    v · J · u that passes, within τ = ``atol · √outputs + rtol · Σ |v_j · (J u)_j|``; a single wrong entry among n
    shows there if it is off by more than about n parts in a million. As u and v are normally distributed, an entry that
    is wrong by d passes one direction with the probability (2δ/π) · (ln(2/δ) + 0.42), δ = τ/d, or less: 0.5 % where
    d is 1,000 τ, and 0.003 % for both. The differences themselves are good to about 2e-10 · |f| (rounding) and
    eps² · |f'''| / 6 (truncation): keep |f| below 50.

    Raises GradientError MG-601 with both numbers where they differ, DtypeError MG-213 on other float dtypes, and
    GradientError MG-623 where f gives other numbers at the same inputs (dropout in training).
    """
    if mode not in _MODES:
        raise ConfigError("MG-802", f"gradcheck has the modes {', '.join(_MODES)}, and no {mode!r}.")
    rng = rng or np.random.default_rng(0)
    title = f"gradcheck '{name_of(f)}'"
    f, arrays, names = _flattened(f, inputs)
    f, place_of_output = _joined(title, f, arrays)
    for level in range(1, order + 1):
        where = title if level == 1 else f"{title} (order {level})"
        floats = [k for k, x in enumerate(arrays) if _is_float(x)]
        for group in [floats] if mode == "random" and floats else [[k] for k in floats]:
            beside = _Comparison(f, arrays, group, names, place_of_output, (eps, rtol, atol), rng)
            if mode == "full" or (mode == "auto" and beside.size <= _FULL):
                entries, hint = list(beside.whole()), None
            else:
                entries = list(beside.along_directions(_FEW if mode == "random" else _DIRECTIONS))
                hint = "along random directions"
            wrong = [entry for entry in entries if entry.excess > 1]
            if wrong:
                found = beside.located() if hint else None
                raise GradientError("MG-601", _message(where, entries, wrong, found))
        if level < order:
            f, arrays = _projected_gradient(f, arrays, rng)
            names.append("the incoming gradient" if level == 1 else f"the incoming gradient of order {level}")
            place_of_output = _place


# -- what is checked, as a function of arrays that gives one array --------------------------------------------


def _flattened(f: Function, inputs: Any) -> tuple[Function, list[Any], list[str]]:
    """Return f as a function of the leaves of its arguments, the leaves, and what to call them."""
    arguments: list[Any] = list(inputs) if type(inputs) in (list, tuple) else [inputs]
    arguments = [_settled(argument) for argument in arguments]
    heads = [f"input {k}" for k in range(len(arguments))]
    if isinstance(f, Module):
        model = f
        state = {name: _in_float64(tensor.data) for name, tensor in model._state().items()}
        parameters = {name: state[name] for name, _ in model.named_parameters()}
        arguments, heads = [parameters, *arguments], ["parameter ", *heads]

        def f(parameters: Any, *args: Any) -> Any:
            return functional_call(model, {**state, **parameters}, *args)

    given = [
        (head, path, leaf) for head, tree in zip(heads, arguments, strict=True) for path, leaf in leaves(tree)
    ]
    names = [head + (path.strip("[]") if head == "parameter " else path) for head, path, _ in given]
    arrays = [_checked(name, leaf) for name, (_, _, leaf) in zip(names, given, strict=True)]
    function = f

    def flat(*parts: Any) -> Any:
        return function(*rebuilt(arguments, iter(parts)))

    return flat, arrays, names


def _settled(tree: Any) -> Any:
    """Make arrays of lists of numbers in a tree."""
    parts = branches(tree)
    if (
        parts
        and not isinstance(tree, dict)
        and all(isinstance(leaf, (int, float)) for _, leaf in leaves(tree))
    ):
        return np.asarray(tree)
    return tree if parts is None else joined(tree, [_settled(part) for _, part in parts])


def _in_float64(array: Any) -> Any:
    return array.astype("float64") if array.dtype.kind == "f" else array


def _is_float(x: Any) -> bool:
    return getattr(x, "dtype", None) == np.float64


def _checked(name: str, x: Any) -> Any:
    data = x.data if isinstance(x, Tensor) else x
    if isinstance(data, float):
        data = np.asarray(data)
    if backend.backend_of(data) is not None and data.dtype.kind == "f" and not _is_float(data):
        raise DtypeError(
            "MG-213",
            f"gradcheck works in float64; {name} is {data.dtype}. A central difference divides rounding errors by "
            f"2e-6, which leaves no digit of {data.dtype} right. Check x.astype('float64').",
        )
    return data


def _joined(title: str, f: Function, arrays: list[Any]) -> tuple[Function, Callable[[Any], str]]:
    """Return f such that it gives one Tensor, with a function that says where in f's own value an index of it lies."""
    first, second = ([(path, y) for path, y in leaves(_at(f, arrays))] for _ in range(2))
    for path, y in first:
        if not isinstance(y, Tensor):
            raise GradientError(
                "MG-202",
                f"gradcheck needs a function that returns a Tensor, not {type(y).__name__}{path and ' at ' + path}.",
            )
    for (path, y), (_, again) in zip(first, second, strict=True):
        if not np.array_equal(y.numpy(), again.numpy(), equal_nan=True):
            gap = np.nanmax(np.abs(y.numpy() - again.numpy()))
            raise GradientError(
                "MG-623",
                f"{title}: output{path} of shape {y.shape} differs by up to {gap:.3g} when it is computed once more "
                "at the same inputs, so differences say nothing of its gradient. Does it draw random numbers? Call "
                "model.eval() first, or make the generator anew in f.",
            )
    if len(first) == 1 and first[0][0] == "":
        return f, _place
    starts = np.cumsum([0, *(y.size for _, y in first)])

    def place(index: tuple[int, ...]) -> str:
        k = int(np.searchsorted(starts, index[0], side="right")) - 1
        path, y = first[k]
        return path + _place(np.unravel_index(index[0] - starts[k], y.shape)) if y.shape else path

    def together(*parts: Any) -> Any:
        return np.concatenate([y.reshape(-1) for _, y in leaves(f(*parts))])

    return together, place


def _at(f: Function, arrays: Sequence[Any]) -> Any:
    with modes.no_grad():
        return f(*(Tensor(x) if _is_float(x) else x for x in arrays))


# -- the two derivatives, beside each other -------------------------------------------------------------------


class _Comparison:
    """d(f)/d(inputs of a group): by the rules, and by differences."""

    def __init__(
        self,
        f: Function,
        arrays: list[Any],
        group: list[int],
        names: list[str],
        place_of_output: Callable[[Any], str],
        bounds: tuple[float, float, float],
        rng: np.random.Generator,
    ) -> None:
        self.f, self.arrays, self.group, self.names, self.rng = f, arrays, group, names, rng
        self.place_of_output = place_of_output
        self.eps, self.rtol, self.atol = bounds
        xs = [Tensor(x, requires_grad=True) if _is_float(x) else x for x in arrays]
        with modes.enable_grad():
            self.y: Tensor = f(*xs)
        self.inputs: list[Tensor] = [xs[k] for k in group]
        self.size = sum(x.size for x in self.inputs) * self.y.size

    def pulled_back(self, v: Numbers) -> list[Numbers]:
        """V · J for each input, by the rules."""
        cotangent = Tensor(backend.to_device(v, self.y.device))
        return [x.numpy() for x in pulled_back([self.y], [cotangent], self.inputs, create_graph=False)]

    def difference(self, steps: list[Numbers]) -> Numbers:
        """J · steps, by evaluating f twice."""
        return np.asarray(self._value(steps, 1) - self._value(steps, -1)) / 2

    def _value(self, steps: list[Numbers], sign: int) -> Numbers:
        """f with its inputs moved by the steps; each keeps its layout in memory."""
        moved = list(self.arrays)
        for k, step in zip(self.group, steps, strict=True):
            moved[k] = moved[k].copy(order="K")
            moved[k] += backend.to_device(sign * step, backend.device_of(moved[k]))
        value: Numbers = _at(self.f, moved).numpy()
        return value

    def _still(self) -> list[Numbers]:
        return [np.zeros(x.shape) for x in self.inputs]

    def column(self, n: int, i: tuple[int, ...]) -> Numbers:
        """d(f)/d(entry i of input n), by differences."""
        steps, x = self._still(), self.inputs[n].numpy()
        h = self.eps * max(1.0, abs(float(x[i])))
        steps[n][i] = h
        return self.difference(steps) / h

    def whole(self) -> Iterator[_Entry]:
        """Every entry of the Jacobian: row by row from the rules, column by column from the differences."""
        rows = {j: self.pulled_back(_unit(self.y.shape, j)) for j in np.ndindex(self.y.shape)}
        for n, x in enumerate(self.inputs):
            for i in np.ndindex(x.shape):
                column = self.column(n, i)
                for j, row in rows.items():
                    yield self._entry(n, i, j, float(row[n][i]), float(column[j]))

    def _entry(self, n: int, i: Any, j: Any, yours: float, numeric: float) -> _Entry:
        tolerance = self.atol + self.rtol * abs(numeric)
        name = self.names[self.group[n]]
        return _Entry(name, _place(i), self.place_of_output(j), yours, numeric, tolerance)

    def along_directions(self, count: int) -> Iterator[_Entry]:
        """v · J · u for random v and u."""
        name = self.names[self.group[0]] if len(self.group) == 1 else "the inputs"
        for n in range(count):
            v = self.rng.standard_normal(self.y.shape)
            us = [self.rng.standard_normal(x.shape) * np.maximum(1.0, np.abs(x.numpy())) for x in self.inputs]
            products = v * self.difference([self.eps * u for u in us]) / self.eps
            tolerance = self.atol * float(np.sqrt(v.size)) + self.rtol * float(np.sum(np.abs(products)))
            yours = sum(float(np.sum(row * u)) for row, u in zip(self.pulled_back(v), us, strict=True))
            direction = f"along random direction {n}"
            yield _Entry(name, direction, direction, yours, float(np.sum(products)), tolerance)

    def located(self) -> _Entry | None:
        """Follow the larger difference, half by half, to one entry that differs; None where it gets lost.

        2 evaluations of f for each halving of the inputs, 1 walk back for each halving of the outputs.
        """
        v = self.rng.standard_normal(self.y.shape)
        us = [self.rng.standard_normal(x.shape) * np.maximum(1.0, np.abs(x.numpy())) for x in self.inputs]
        rows = self.pulled_back(v)
        starts = np.cumsum([0, *(x.size for x in self.inputs)])

        def gap(low: int, high: int) -> float:
            steps, yours = self._still(), 0.0
            for n, (row, u) in enumerate(zip(rows, us, strict=True)):
                part = slice(max(low - starts[n], 0), max(high - starts[n], 0))
                steps[n].reshape(-1)[part] = self.eps * u.reshape(-1)[part]
                yours += float(np.sum(row.reshape(-1)[part] * u.reshape(-1)[part]))
            return abs(float(np.sum(v * self.difference(steps))) / self.eps - yours)

        place = _halved(int(starts[-1]), gap)
        n = int(np.searchsorted(starts, place, side="right")) - 1
        i = tuple(int(m) for m in np.unravel_index(place - starts[n], self.inputs[n].shape))
        column = self.column(n, i)

        def gap_of_output(low: int, high: int) -> float:
            part = np.zeros(v.size)
            part[low:high] = v.reshape(-1)[low:high]
            some = part.reshape(v.shape)
            return abs(float(np.sum(some * column)) - float(self.pulled_back(some)[n][i]))

        j = tuple(int(m) for m in np.unravel_index(_halved(v.size, gap_of_output), v.shape))
        found = self._entry(n, i, j, float(self.pulled_back(_unit(v.shape, j))[n][i]), float(column[j]))
        return found if found.excess > 1 else None


def _halved(size: int, gap: Callable[[int, int], float]) -> int:
    """Return a place among ``size``: of the two halves always the one with the larger gap, which NaN is."""
    low, high = 0, size
    while high - low > 1:
        middle = (low + high) // 2
        left, right = (np.nan_to_num(gap(*ends), nan=np.inf) for ends in ((low, middle), (middle, high)))
        low, high = (low, middle) if left >= right else (middle, high)
    return low


def _unit(shape: tuple[int, ...], index: tuple[int, ...]) -> Numbers:
    unit = np.zeros(shape)
    unit[index] = 1
    return unit


def _place(index: Sequence[Any]) -> str:
    return "[" + ",".join(str(n) for n in index) + "]"


def _projected_gradient(
    f: Function, arrays: list[Any], rng: np.random.Generator
) -> tuple[Function, list[Any]]:
    """Return Σ_k w_k · d(Σ v · f)/dx_k as a function of the inputs and v, and its inputs."""
    floats = [k for k, x in enumerate(arrays) if _is_float(x)]
    y = _at(f, arrays)
    weights = [backend.to_device(rng.standard_normal(arrays[k].shape), y.device) for k in floats]

    def projected(*args: Any) -> Tensor:
        *xs, v = args
        differentiated = modes.is_grad_enabled()
        for k in floats:
            xs[k] = xs[k] if differentiated else Tensor(xs[k], requires_grad=True)
        with modes.enable_grad():
            projection = np.sum(f(*xs) * v)
        firsts = gradients(
            projection, [xs[k] for k in floats], create_graph=differentiated, allow_constant=True
        )
        total: Tensor = np.sum(v * 0.0)
        for weight, first in zip(weights, firsts, strict=True):
            total = total + np.sum(weight * first)
        return total

    return projected, [*arrays, backend.to_device(rng.standard_normal(y.shape), y.device)]


def _message(title: str, entries: list[_Entry], wrong: list[_Entry], found: _Entry | None) -> str:
    places, wrong_places = {entry.source for entry in entries}, {entry.source for entry in wrong}
    worst = found or max(wrong, key=lambda entry: entry.excess)
    at = worst.source if worst.source.startswith("along") else f"at {worst.source}"
    shown = [found, *wrong] if found else wrong
    table = [("input", "output", "yours", "numeric"), *(_row(entry) for entry in shown[:_ROWS])]
    widths = [max(len(row[column]) for row in table) for column in range(4)]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in table]
    rest = len(shown) - _ROWS
    share = f"{len(wrong_places)} of {len(places)} {'random directions' if found else 'entries'} differ."
    return "\n".join(
        [
            f"{title} {worst.name} {at}: yours {worst.yours:.5f}, numeric {worst.numeric:.5f}. {share}",
            *("    " + line for line in lines),
            *([f"    … and {rest} more"] if rest > 0 else []),
            "The gradient rule does not belong to the forward computation, unless f has a kink at its inputs: "
            "move them off it.",
        ]
    )


def _row(entry: _Entry) -> tuple[str, str, str, str]:
    source, target = (text.removeprefix("along random ") for text in (entry.source, entry.target))
    return source, target, f"{entry.yours:.8g}", f"{entry.numeric:.8g}"
