"""Gradcheck: the gradients that the rules give, beside central differences of the function itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from minigrad import backend, modes
from minigrad.errors import DtypeError, GradientError
from minigrad.functional import gradients
from minigrad.tensor import Tensor

_FULL = 2_500  # entries of a Jacobian that is still compared whole
_DIRECTIONS = 8  # random directions where it is larger
_ROWS = 6  # lines of the printed table

Numbers = np.ndarray[Any, Any]
Function = Callable[..., Tensor]
Linear = Callable[[Numbers], Numbers]


class _Entry(NamedTuple):
    """One number of the Jacobian, d(output)/d(input), found in both ways."""

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
    inputs: Sequence[Any],
    order: int = 1,
    *,
    eps: float = 1e-6,
    rtol: float = 1e-6,
    atol: float = 1e-8,
    rng: np.random.Generator | None = None,
) -> None:
    """Compare f's gradients with central differences, (f(x + h) - f(x - h)) / 2h with h = eps · max(1, |x|).

    ``inputs`` are float64 arrays, Tensors or Python numbers; integers, booleans and None are handed to f as they are.
    f returns a Tensor of any shape. Up to 2,500 entries the whole Jacobian is compared, beyond that
    products with random directions. ``order=2`` goes on to the gradient of the gradient: it differentiates a
    random projection of the first gradients, with respect to the inputs and to the incoming gradient.

    An entry passes within ``atol + rtol · |numeric|``, so a rule that is wrong by more than one part in a
    million, and a zero where the derivative is larger than 1e-8, cannot pass. Along random directions it is
    v · J · u that passes, within ``atol · √outputs + rtol · Σ |v_j · (J u)_j|``; a single wrong entry among n
    shows there if it is off by more than about n parts in a million. The differences themselves are good to
    about 2e-10 · |f| (rounding) and eps² · |f'''| / 6 (truncation): keep |f| below 50.

    Raises GradientError MG-601 with both numbers where they differ, DtypeError MG-213 on other float dtypes.
    """
    rng = rng or np.random.default_rng(0)
    arrays = [_checked(k, x) for k, x in enumerate(inputs)]
    names = [f"input {k}" for k in range(len(arrays))]
    title = f"gradcheck '{getattr(f, '__name__', type(f).__name__)}'"
    for level in range(1, order + 1):
        for k in [k for k, x in enumerate(arrays) if _is_float(x)]:
            entries = _entries(f, arrays, k, rng, (eps, rtol, atol))
            wrong = [entry for entry in entries if entry.excess > 1]
            if wrong:
                place = title if level == 1 else f"{title} (order {level})"
                raise GradientError("MG-601", _message(f"{place} {names[k]}", entries, wrong))
        if level < order:
            f, arrays = _projected_gradient(f, arrays, rng)
            names.append("the incoming gradient" if level == 1 else f"the incoming gradient of order {level}")


def _is_float(x: Any) -> bool:
    return getattr(x, "dtype", None) == np.float64


def _checked(k: int, x: Any) -> Any:
    data = x.data if isinstance(x, Tensor) else x
    if isinstance(data, (float, list, tuple)):
        data = np.asarray(data)
    if backend.backend_of(data) is not None and data.dtype.kind == "f" and not _is_float(data):
        raise DtypeError(
            "MG-213",
            f"gradcheck works in float64; input {k} is {data.dtype}. A central difference divides rounding errors by "
            f"2e-6, which leaves no digit of {data.dtype} right. Check x.astype('float64').",
        )
    return data


def _entries(
    f: Function, arrays: list[Any], k: int, rng: np.random.Generator, bounds: tuple[float, float, float]
) -> list[_Entry]:
    """Compare d(f)/d(input k), entry by entry or direction by direction."""
    xs = [Tensor(x, requires_grad=True) if _is_float(x) else x for x in arrays]
    with modes.enable_grad():
        y = f(*xs)
    if not isinstance(y, Tensor):
        raise GradientError(
            "MG-202", f"gradcheck needs a function that returns a Tensor, not {type(y).__name__}."
        )

    def pulled_back(v: Numbers) -> Numbers:
        """V · J, by the rules."""
        with modes.enable_grad():
            projection = np.sum(y * backend.to_device(v, y.device))
        return gradients(projection, xs[k], allow_constant=True)[0].numpy()

    def difference(step: Numbers) -> Numbers:
        """J · step, by evaluating f twice."""
        return np.asarray(_value(f, arrays, k, step) - _value(f, arrays, k, -step)) / 2

    x = xs[k].numpy()
    if x.size * y.size <= _FULL:
        return list(_whole(x, y.shape, pulled_back, difference, bounds))
    return list(_along_directions(x, y.shape, pulled_back, difference, bounds, rng))


def _whole(
    x: Numbers,
    shape: tuple[int, ...],
    pulled_back: Linear,
    difference: Linear,
    bounds: tuple[float, float, float],
) -> Iterator[_Entry]:
    """Every entry of the Jacobian: row by row from the rules, column by column from the differences."""
    eps, rtol, atol = bounds
    rows = {j: pulled_back(_unit(shape, j)) for j in np.ndindex(shape)}
    for i in np.ndindex(x.shape):
        h = eps * max(1.0, abs(float(x[i])))
        column = difference(_unit(x.shape, i) * h) / h
        for j, row in rows.items():
            numeric = float(column[j])
            yield _Entry(_place(i), _place(j), float(row[i]), numeric, atol + rtol * abs(numeric))


def _along_directions(
    x: Numbers,
    shape: tuple[int, ...],
    pulled_back: Linear,
    difference: Linear,
    bounds: tuple[float, float, float],
    rng: np.random.Generator,
) -> Iterator[_Entry]:
    """v · J · u for random v and u."""
    eps, rtol, atol = bounds
    for n in range(_DIRECTIONS):
        v = rng.standard_normal(shape)
        u = rng.standard_normal(x.shape) * np.maximum(1.0, np.abs(x))
        products = v * difference(eps * u) / eps
        tolerance = atol * float(np.sqrt(v.size)) + rtol * float(np.sum(np.abs(products)))
        direction = f"along random direction {n}"
        yield _Entry(
            direction, direction, float(np.sum(pulled_back(v) * u)), float(np.sum(products)), tolerance
        )


def _value(f: Function, arrays: list[Any], k: int, step: Numbers) -> Numbers:
    """f with input k moved by ``step``; the input keeps its layout in memory."""
    moved = arrays[k].copy(order="K")
    moved += backend.to_device(step, backend.device_of(moved))
    xs = [*arrays[:k], moved, *arrays[k + 1 :]]
    with modes.no_grad():
        return f(*(Tensor(x) if _is_float(x) else x for x in xs)).numpy()


def _unit(shape: tuple[int, ...], index: tuple[int, ...]) -> Numbers:
    unit = np.zeros(shape)
    unit[index] = 1
    return unit


def _place(index: tuple[int, ...]) -> str:
    return "[" + ",".join(str(n) for n in index) + "]"


def _projected_gradient(
    f: Function, arrays: list[Any], rng: np.random.Generator
) -> tuple[Function, list[Any]]:
    """Return Σ_k w_k · d(Σ v · f)/dx_k as a function of the inputs and v, and its inputs."""
    floats = [k for k, x in enumerate(arrays) if _is_float(x)]
    with modes.no_grad():
        y = f(*(Tensor(x) if _is_float(x) else x for x in arrays))
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


def _message(title: str, entries: list[_Entry], wrong: list[_Entry]) -> str:
    places, wrong_places = {entry.source for entry in entries}, {entry.source for entry in wrong}
    worst = max(wrong, key=lambda entry: entry.excess)
    at = worst.source if worst.source.startswith("along") else f"at {worst.source}"
    table = [("input", "output", "yours", "numeric"), *(_row(entry) for entry in wrong[:_ROWS])]
    widths = [max(len(row[column]) for row in table) for column in range(4)]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in table]
    rest = len(wrong) - _ROWS
    return "\n".join(
        [
            f"{title} {at}: yours {worst.yours:.5f}, numeric {worst.numeric:.5f}. "
            f"{len(wrong_places)} of {len(places)} entries differ.",
            *("    " + line for line in lines),
            *([f"    … and {rest} more"] if rest > 0 else []),
            "The gradient rule does not belong to the forward computation, unless f has a kink at its inputs: "
            "move them off it.",
        ]
    )


def _row(entry: _Entry) -> tuple[str, str, str, str]:
    source, target = (text.removeprefix("along random ") for text in (entry.source, entry.target))
    return source, target, f"{entry.yours:.8g}", f"{entry.numeric:.8g}"
