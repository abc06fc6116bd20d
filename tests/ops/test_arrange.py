"""What moves or chooses entries: NumPy's own result in every option, and a gradient worked out by moving labels.

A function that moves entries is run by NumPy on labels in their place; the gradient of Σ w · f(t) is, for each label,
the sum of w where it came out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import assume, given, settings

import minigrad as mg
from minigrad import backend
from minigrad.errors import MinigradError, OperationError
from tests import strict_array  # noqa: F401  which enters the device

CONSTANTS = 1000.0  # labels are larger, what a function fills in is smaller
INTEGERS = st.integers(-3, 3)


def laid_out(a: np.ndarray, layout: str) -> np.ndarray:
    """The same numbers in another place in memory."""
    if layout == "fortran":
        return np.asfortranarray(a)
    if layout == "backwards":
        return np.ascontiguousarray(a[(slice(None, None, -1),) * a.ndim])[(slice(None, None, -1),) * a.ndim]
    if layout == "apart":
        wide = np.full([2 * n for n in a.shape], np.nan)
        wide[(slice(None, None, 2),) * a.ndim] = a
        return wide[(slice(None, None, 2),) * a.ndim]
    return a


LAYOUTS = ("contiguous", "fortran", "backwards", "apart")


def arrays(low: int = 0, high: int = 3, length: int = 3) -> st.SearchStrategy[np.ndarray]:
    shapes = st.lists(st.integers(0, length), min_size=low, max_size=high)
    return st.builds(
        lambda shape, layout, seed: laid_out(np.random.default_rng(seed).normal(size=shape), layout),
        shapes,
        st.sampled_from(LAYOUTS),
        st.integers(0, 9),
    )


def flat(result: Any) -> Any:
    """One vector of what may be several arrays."""
    return (
        np.concatenate([np.ravel(part) for part in result]) if isinstance(result, (tuple, list)) else result
    )


def tried(f: Callable[..., Any], *args: Any) -> tuple[Any, Exception | None]:
    try:
        return f(*args), None
    except Exception as error:
        return None, error


def check(f: Callable[..., Any], *inputs: np.ndarray) -> None:
    """Value, dtype, shapes and gradients of ``f`` on tensors; or an error of the kind that NumPy's is."""
    wanted, error = tried(f, *inputs)
    tensors = [mg.Tensor(a, requires_grad=True) for a in inputs]
    if error is not None:
        native = next(k for k in (ValueError, TypeError, IndexError) if isinstance(error, k))
        with pytest.raises((native, MinigradError)):
            f(*tensors)
        return
    got = f(*tensors)
    for mine, theirs in zip(
        *(x if isinstance(x, (tuple, list)) else [x] for x in (got, wanted)), strict=True
    ):
        assert isinstance(mine, mg.Tensor)
        assert (mine.shape, mine.dtype) == (np.shape(theirs), theirs.dtype)
        np.testing.assert_array_equal(mine.data, theirs)
    if isinstance(got, (list, tuple)) and not got:
        return
    starts = np.cumsum([CONSTANTS, *(a.size for a in inputs)])
    labels = np.ravel(
        flat(
            f(*(start + np.arange(a.size).reshape(a.shape) for start, a in zip(starts, inputs, strict=False)))
        )
    )
    result = np.ravel(flat(got))
    if not labels.size or not result.requires_grad:
        assert (labels < CONSTANTS).all()
        return
    w = np.arange(1.0, labels.size + 1)
    np.sum(result * w).backward()
    moved = labels >= CONSTANTS
    sums = np.bincount(
        (labels[moved] - CONSTANTS).astype(int), w[moved], minlength=int(starts[-1] - CONSTANTS)
    )
    for t, start in zip(tensors, starts - CONSTANTS, strict=False):
        if t.grad is None:
            assert not sums[int(start) : int(start) + t.size].any()
        else:
            np.testing.assert_array_equal(t.grad.data.reshape(-1), sums[int(start) : int(start) + t.size])


def axis_of(a: np.ndarray) -> st.SearchStrategy[int]:
    return st.integers(-a.ndim, a.ndim - 1) if a.ndim else st.just(0)


def axes_of(a: np.ndarray, low: int = 0) -> st.SearchStrategy[tuple[int, ...]]:
    every = st.lists(
        st.integers(0, max(a.ndim - 1, 0)), unique=True, min_size=min(low, a.ndim), max_size=a.ndim
    )
    return every.flatmap(
        lambda ks: st.tuples(*(st.sampled_from([k, k - a.ndim] if a.ndim else [0]) for k in ks))
    )


def places(length: int) -> st.SearchStrategy[Any]:
    """Indices along an axis: one, several, of either sign, as a list or an array."""
    if not length:
        return st.sampled_from([[], np.zeros((0, 2), int)])
    one = st.integers(-length, length - 1)
    several = st.lists(one, max_size=4)
    return st.one_of(
        one, several, several.map(lambda i: np.array(i, int)), several.map(lambda i: np.array([i, i], int))
    )


def options(draw: Any, name: str, a: np.ndarray) -> tuple[Any, ...] | dict[str, Any]:
    """The further arguments of one call: a tuple by position, a dict by name."""
    axis, axes = axis_of(a), axes_of(a)
    k = draw(axis)
    if name == "repeat":
        k = draw(st.one_of(st.none(), axis))
        n = a.size if k is None else a.shape[k] if a.ndim else 1
        return {
            "repeats": draw(st.one_of(INTEGERS, st.lists(st.integers(0, 3), min_size=n, max_size=n))),
            "axis": k,
        }
    if name == "roll":
        if a.ndim == 0:  # where NumPy stumbles over axis=()
            return (draw(INTEGERS),)
        some = draw(axes)
        shifts = st.one_of(INTEGERS, st.lists(INTEGERS, min_size=len(some), max_size=len(some)).map(tuple))
        return draw(
            st.sampled_from([(draw(INTEGERS),), (draw(INTEGERS), k), (draw(shifts), some), (5, (k, k))])
        )
    if name in ("take", "compress"):
        n = a.size if (k := draw(st.one_of(st.none(), axis))) is None else a.shape[k] if a.ndim else 1
        if name == "take":
            mode = draw(st.sampled_from(["raise", "wrap", "clip"]))
            return {"indices": draw(places(n if mode == "raise" or n == 0 else 5)), "axis": k, "mode": mode}
        return {"axis": k, "condition": draw(st.lists(st.booleans(), max_size=n))}
    if name == "delete":
        k = draw(st.one_of(st.none(), axis))
        n = a.size if k is None else a.shape[k] if a.ndim else 1
        masks = st.lists(st.booleans(), min_size=n, max_size=n).map(lambda m: np.array(m, bool))
        cuts = st.builds(slice, st.none() | INTEGERS, st.none() | INTEGERS, st.sampled_from([None, 1, 2, -1]))
        return {"obj": draw(st.one_of(places(n), masks, cuts)), "axis": k}
    shape = draw(st.permutations([*a.shape, 1]))
    table: dict[str, Callable[[], Any]] = {
        "tile": lambda: (draw(st.one_of(st.integers(0, 3), st.lists(st.integers(0, 2), max_size=4))),),
        "rot90": lambda: (draw(st.integers(-5, 5)), draw(axes_of(a, 2))[:2]),
        "flip": lambda: (draw(st.one_of(st.none(), axis, axes)),),
        "rollaxis": lambda: (k, draw(st.integers(-a.ndim, a.ndim))),
        "moveaxis": lambda: (k, draw(axis)),
        "swapaxes": lambda: (k, draw(axis)),
        "transpose": lambda: (draw(st.permutations(range(a.ndim))),),
        "expand_dims": lambda: (draw(st.integers(-a.ndim - 1, a.ndim)),),
        "squeeze": lambda: (draw(st.one_of(st.none(), axis)),),
        "diagonal": lambda: (draw(INTEGERS), k, draw(axis)),
        "diag": lambda: {"k": draw(INTEGERS)},
        "diagflat": lambda: (draw(INTEGERS),),
        "tril": lambda: (draw(INTEGERS),),
        "triu": lambda: {"k": draw(INTEGERS)},
        "resize": lambda: (tuple(draw(st.lists(st.integers(0, 3), max_size=3))),),
        "ravel": lambda: (draw(st.sampled_from("CF")),),
        "reshape": lambda: (shape, draw(st.sampled_from("CF"))),
        "unstack": lambda: {"axis": k},
        "split": lambda: (draw(st.one_of(st.integers(1, 3), st.lists(INTEGERS, max_size=3))), k),
        "array_split": lambda: (draw(st.one_of(st.integers(1, 4), st.lists(INTEGERS, max_size=3))), k),
        "hsplit": lambda: (draw(st.one_of(st.integers(1, 3), st.lists(INTEGERS, max_size=2))),),
        "copy": lambda: (draw(st.sampled_from("CFAK")),),
        "broadcast_to": lambda: ((2, *a.shape),),
        "sliding_window_view": lambda: (draw(st.integers(1, 2)), k),
        "extract": lambda: (),
    }
    table["vsplit"] = table["dsplit"] = table["hsplit"]
    return table.get(name, tuple)()


MOVES = (
    *(
        "repeat",
        "roll",
        "take",
        "compress",
        "delete",
        "tile",
        "rot90",
        "flip",
        "fliplr",
        "flipud",
        "rollaxis",
    ),
    *(
        "moveaxis",
        "swapaxes",
        "transpose",
        "matrix_transpose",
        "expand_dims",
        "squeeze",
        "diagonal",
        "diag",
        "diagflat",
    ),
    *(
        "tril",
        "triu",
        "resize",
        "ravel",
        "reshape",
        "unstack",
        "split",
        "array_split",
        "hsplit",
        "vsplit",
        "dsplit",
    ),
    *("copy", "broadcast_to", "sliding_window_view", "atleast_1d", "atleast_2d", "atleast_3d"),
)


@pytest.mark.parametrize("name", MOVES)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_one_array(name: str, data: Any) -> None:
    function = (
        np.lib.stride_tricks.sliding_window_view if name == "sliding_window_view" else getattr(np, name)
    )
    a = data.draw(arrays())
    given_ = options(data.draw, name, a)
    if isinstance(given_, dict):
        check(
            (lambda t: function(t, **given_)) if name != "compress" else lambda t: function(a=t, **given_), a
        )
    else:
        check(lambda t: function(t, *given_), a)


PAIRS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "concatenate": lambda draw, a, b: np.concatenate([a, b], axis=draw),
    "concatenate, positional": lambda draw, a, b: np.concat((a, b), draw),
    "stack": lambda draw, a, b: np.stack([a, b], axis=draw or 0),
    "append": lambda draw, a, b: np.append(a, b, axis=draw),
    "vstack": lambda draw, a, b: np.vstack((a, b)),
    "hstack": lambda draw, a, b: np.hstack([a, b, a]),
    "dstack": lambda draw, a, b: np.dstack([a, b]),
    "column_stack": lambda draw, a, b: np.column_stack([a, b]),
    "block, a row": lambda draw, a, b: np.block([a, b]),
    "block, rows": lambda draw, a, b: np.block([[a, b], [b, a]]),
    "block, three deep": lambda draw, a, b: np.block([[[a], [b]]]),
    "block, uneven": lambda draw, a, b: np.block([[a, b], a]),
    "broadcast_arrays": lambda draw, a, b: np.broadcast_arrays(a, b),
    "meshgrid": lambda draw, a, b: np.meshgrid(a, b, a),
    "meshgrid, ij": lambda draw, a, b: np.meshgrid(a, b, indexing="ij"),
    "meshgrid, sparse": lambda draw, a, b: np.meshgrid(a, b, sparse=True, copy=False),
    "atleast_2d": lambda draw, a, b: np.atleast_2d(a, b),
    "insert, one": lambda draw, a, b: np.insert(a, 1, b, axis=draw),
    "insert, two": lambda draw, a, b: np.insert(a, [1, 0], b, axis=draw),
    "insert, list of one": lambda draw, a, b: np.insert(a, [0], b, axis=draw),
    "insert, cut": lambda draw, a, b: np.insert(a, slice(0, 2), b, axis=draw),
    "where": lambda draw, a, b: np.where(np.ones(b.shape, bool), a, b),
    "choose": lambda draw, a, b: np.choose([[1], [0]], [a, b]),
    "choose, wrap": lambda draw, a, b: np.choose(-3, (a, b), mode="wrap"),
    "select": lambda draw, a, b: np.select(
        [[True, False, False], np.array([True, True, False])], [a, b], 7.0
    ),
}


@pytest.mark.parametrize("name", PAIRS)
@settings(max_examples=60, deadline=None)
@given(data=st.data(), like=st.booleans())
def test_two_arrays(name: str, data: Any, like: bool) -> None:
    a = data.draw(arrays())
    b = data.draw(
        st.sampled_from(LAYOUTS).map(lambda layout: laid_out(a + 0.5, layout)) if like else arrays()
    )
    axis = data.draw(st.one_of(st.none(), axis_of(a)))
    # of nothing, np.insert takes shapes that do not fit, and others it refuses
    assume(not name.startswith("insert") or (a.size and b.size))
    check(lambda t, u: PAIRS[name](axis, t, u), a, b)


def indices(shape: tuple[int, ...], draw: Any) -> Any:
    """An index of any of NumPy's kinds, mixed."""
    parts: list[Any] = []
    k, lengths = 0, draw(st.sampled_from([(), (1,), (2,), (2, 2)]))
    while k < len(shape):
        n = shape[k]
        kind = draw(
            st.sampled_from(["whole", "cut", "one", "list", "array", "mask", "new", "mask of two", "stop"])
        )
        if kind == "stop":
            break
        if kind == "new":
            parts.append(None)
            continue
        if kind == "mask of two" and k + 1 < len(shape):
            parts.append(np.random.default_rng(draw(st.integers(0, 5))).random(shape[k : k + 2]) < 0.4)
            k += 2
            continue
        if kind == "cut":
            parts.append(
                draw(
                    st.builds(
                        slice, st.none() | INTEGERS, st.none() | INTEGERS, st.sampled_from([1, -1, 2, -2])
                    )
                )
            )
        elif kind == "one" and n:
            parts.append(draw(st.sampled_from([int, np.int8, np.int64]))(draw(st.integers(-n, n - 1))))
        elif kind == "list" and n:
            parts.append(draw(st.lists(st.integers(-n, n - 1), min_size=1, max_size=2)))
        elif kind == "array" and n:
            parts.append(np.random.default_rng(draw(st.integers(0, 5))).integers(-n, n, lengths))
        elif kind == "mask":
            parts.append(np.random.default_rng(draw(st.integers(0, 5))).random(n) < 0.5)
        else:
            parts.append(slice(None))
        k += 1
    if draw(st.booleans()):
        parts.insert(
            draw(st.integers(0, len(parts))),
            draw(st.sampled_from([..., None, True, np.True_, False, np.array(True)])),
        )
    return parts[0] if len(parts) == 1 and draw(st.booleans()) else tuple(parts)


@settings(max_examples=400, deadline=None)
@given(data=st.data(), a=arrays(high=4))
def test_every_index(data: Any, a: np.ndarray) -> None:
    index = indices(a.shape, data.draw)
    tensors = (
        index
        if not isinstance(index, tuple)
        else tuple(
            mg.Tensor(part) if isinstance(part, np.ndarray) and data.draw(st.booleans()) else part
            for part in index
        )
    )
    check(lambda t: t[index if isinstance(t, np.ndarray) else tensors], a)


@settings(max_examples=150, deadline=None)
@given(data=st.data(), a=arrays())
def test_every_index_on_a_device(data: Any, a: np.ndarray) -> None:
    """Where there is no np.add.at for several indices, and where an index on the host is refused."""
    index = indices(a.shape, data.draw)
    wanted, error = tried(lambda: a[index])
    if error is not None:
        return
    there = tuple(on_a_device(part) for part in index) if isinstance(index, tuple) else on_a_device(index)
    t = mg.Tensor(a.copy(), device="strict", requires_grad=True)
    y = t[there]
    np.testing.assert_array_equal(y.numpy(), wanted)
    w = np.arange(1.0, wanted.size + 1).reshape(wanted.shape)
    y.backward(mg.Tensor(w, device="strict"))
    expected = np.zeros(a.shape)
    np.add.at(expected, index, w)
    np.testing.assert_array_equal(t.grad.numpy(), expected)


def on_a_device(part: Any) -> Any:
    return backend.to_device(part, "strict") if isinstance(part, np.ndarray) else part


PAD_OPTIONS: tuple[dict[str, Any], ...] = (
    *({"mode": mode} for mode in ("constant", "edge", "reflect", "symmetric", "wrap")),
    {"mode": "constant", "constant_values": 3.0},
    {"mode": "constant", "constant_values": ((1, 2),)},
)
WIDTHS = st.one_of(st.integers(0, 4), st.tuples(st.integers(0, 4), st.integers(0, 4)))


@settings(max_examples=150, deadline=None)
@given(a=arrays(), width=WIDTHS, given_=st.sampled_from(PAD_OPTIONS))
def test_borders_of_own_entries(a: np.ndarray, width: Any, given_: dict[str, Any]) -> None:
    check(lambda t: np.pad(t, width, **given_), a)


WORKED_OUT: tuple[dict[str, Any], ...] = (
    *({"mode": mode} for mode in ("linear_ramp", "maximum", "mean", "minimum")),
    {"mode": "linear_ramp", "end_values": (2.0, -1.0)},
    {"mode": "mean", "stat_length": 2},
    {"mode": "maximum", "stat_length": ((1, 5),)},
    {"mode": "minimum", "stat_length": (2, 1)},
)


@settings(max_examples=100, deadline=None)
@given(a=arrays(), width=WIDTHS, given_=st.sampled_from(WORKED_OUT))
def test_borders_that_are_worked_out(a: np.ndarray, width: Any, given_: dict[str, Any]) -> None:
    wanted, error = tried(lambda: np.pad(a, width, **given_))
    if error is not None:
        with pytest.raises((type(error), MinigradError)):
            np.pad(mg.Tensor(a, requires_grad=True), width, **given_)
        return
    got = np.pad(mg.Tensor(a, requires_grad=True), width, **given_)
    assert got.dtype == wanted.dtype
    np.testing.assert_allclose(got.data, wanted, rtol=1e-14, atol=1e-14)
    if a.size <= 6:
        mg.gradcheck(lambda t: np.pad(t, width, **given_) * 1.0, [a])


def test_tensors_as_a_borders_values_have_gradients() -> None:
    a = np.arange(6.0).reshape(2, 3)
    mg.gradcheck(
        lambda t, v: np.pad(t, 2, constant_values=v), [a, np.array([[1.0, 2.0], [3.0, 4.0]])], order=2
    )
    mg.gradcheck(
        lambda t, v: np.pad(t, (1, 2), mode="linear_ramp", end_values=v), [a, np.array(0.5)], order=2
    )


@pytest.mark.parametrize("mode", ["median", "empty", "nonsense", lambda *args: None])
def test_borders_without_a_gradient_are_refused(mode: Any) -> None:
    with pytest.raises(OperationError, match=r"MG-214 np.pad\(tensor, mode=.*'linear_ramp'"):
        np.pad(mg.Tensor([1.0, 2.0], requires_grad=True), 1, mode=mode)
    with pytest.raises(OperationError, match=r"MG-214 .*reflect_type='odd'"):
        np.pad(mg.Tensor([1.0, 2.0], requires_grad=True), 1, mode="reflect", reflect_type="odd")
