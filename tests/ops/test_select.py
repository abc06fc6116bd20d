"""What moves or chooses entries: PyTorch's meaning where it has the function, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import registry
from minigrad.errors import GradientError, MinigradError, OperationError
from minigrad.ops.select import IN_PLACE

torch = pytest.importorskip("torch")

A = np.sin(np.arange(12.0)).reshape(3, 4)
B = A + 0.013  # off the kinks
CUBE = np.cos(np.arange(24.0)).reshape(2, 3, 4)
PLACES = np.array([[2, 0], [1, 1]])
windows = np.lib.stride_tricks.sliding_window_view

# a line: how minigrad says it, and how PyTorch does, of t (3 x 4), c (2 x 3 x 4) and whole numbers i; v is t[0]
ALIKE = """
np.tile(t, (2, 3)) | torch.tile(t, (2, 3))
np.tile(t, (2, 1, 2)) | t.repeat(2, 1, 2)
np.roll(t, 5) | torch.roll(t, 5)
np.roll(c, (1, -2), axis=(0, 2)) | torch.roll(c, (1, -2), dims=(0, 2))
np.rot90(c, 3, (1, 2)) | torch.rot90(c, 3, (1, 2))
np.rot90(t, -2) | torch.rot90(t, -2)
np.flip(c, (0, 2)) | torch.flip(c, (0, 2))
np.fliplr(t) | torch.fliplr(t)
np.flipud(t) | torch.flipud(t)
windows(t, 3, axis=1) | t.unfold(1, 3, 1)
windows(c, 2, axis=1)[:, ::2] | c.unfold(1, 2, 2)
np.diag(v, -2) | torch.diag(v, -2)
np.diag(t, 1) | torch.diag(t, 1)
np.diagflat(t, 1) | torch.diagflat(t, 1)
np.diagonal(c, 1, 0, 2) | torch.diagonal(c, 1, 0, 2)
np.diagonal(c, -1, 2, 1) | torch.diagonal(c, -1, 2, 1)
np.stack([np.diag(row) for row in t]) | torch.diag_embed(t)
np.tril(c, 1) | torch.tril(c, 1)
np.triu(c, -1) | torch.triu(c, -1)
np.vander(v) | torch.stack([v**3, v**2, v, v**0], dim=1)
np.vander(v, 3, increasing=True) | torch.stack([v**0, v, v**2], dim=1)
np.take(t, i) | torch.take(t, i)
np.take(c, i[0], axis=1) | torch.index_select(c, 1, i[0])
np.take_along_axis(t[:2], i, axis=1) | torch.gather(t[:2], 1, i)
np.take_along_axis(t, i[:1, :1], axis=0) | torch.take_along_dim(t, i[:1, :1], dim=0)
np.repeat(t, 3) | torch.repeat_interleave(t, 3)
np.repeat(t, 2, axis=0) | torch.repeat_interleave(t, 2, dim=0)
np.repeat(c, [2, 0, 1], axis=1) | torch.repeat_interleave(c, torch.tensor([2, 0, 1]), dim=1)
np.extract(t > 0, t) | torch.masked_select(t, t > 0)
t[t > 0] | t[t > 0]
c[:, i] | c[:, i]
c[i - 1, :, i] | c[i - 1, :, i]
c[:, :2][i > 0] | c[:, :2][i > 0]
np.meshgrid(v, t[:, 0], indexing="ij")[0] * 2 | torch.meshgrid(v, t[:, 0], indexing="ij")[0] * 2
np.meshgrid(v, t[:, 0])[1] | torch.meshgrid(v, t[:, 0], indexing="xy")[1]
np.vstack([t, v]) | torch.vstack([t, v])
np.hstack([t, t * 2]) | torch.hstack([t, t * 2])
np.dstack([t, t * 2]) | torch.dstack([t, t * 2])
np.column_stack([v, v * 2]) | torch.column_stack([v, v * 2])
np.atleast_3d(t) | torch.atleast_3d(t)
np.array_split(t, 3, axis=1)[0] | torch.tensor_split(t, 3, dim=1)[0]
np.hsplit(t, 2)[1] | torch.hsplit(t, 2)[1]
np.vsplit(t, [1])[1] | torch.vsplit(t, [1])[1]
np.dsplit(c, 2)[1] | torch.dsplit(c, 2)[1]
np.unstack(c, axis=1)[2] | torch.unbind(c, 1)[2]
np.broadcast_arrays(t, v)[1] | torch.broadcast_tensors(t, v)[1]
np.moveaxis(c, 0, -1) | torch.movedim(c, 0, -1)
np.rollaxis(c, 2) | torch.movedim(c, 2, 0)
np.matrix_transpose(c) | c.mT
np.pad(c, ((0, 0), (0, 0), (1, 2)), mode="reflect") | F.pad(c, (1, 2), mode="reflect")
np.pad(c, ((0, 0), (0, 0), (3, 2)), mode="edge") | F.pad(c, (3, 2), mode="replicate")
np.pad(c, ((0, 0), (0, 0), (1, 4)), mode="wrap") | F.pad(c, (1, 4), mode="circular")
np.pad(t, ((1, 0), (2, 3)), constant_values=7.0) | F.pad(t, (2, 3, 1, 0), value=7.0)
np.full_like(t, v[0]) | v[0].expand(3, 4)
np.select([t > 0.5, t < 0], [t * t, -t], 1.0) | torch.where(t > 0.5, t * t, torch.where(t < 0, -t, 1.0))
np.reshape(t, (2, 6), order="F") | t.T.reshape(6, 2).T
"""
LINES = ALIKE.strip().splitlines()


def evaluated(form: str, make: Callable[..., Any]) -> list[Any]:
    """A form's value, and the gradients of its entries times 1, 2, 3 … with respect to t and c."""
    t, c = make(A, True), make(CUBE, True)
    names = {
        "t": t,
        "c": c,
        "v": t[0],
        "i": make(PLACES, False),
        "np": np,
        "torch": torch,
        "windows": windows,
    }
    value = eval(form, {**names, "F": torch.nn.functional})
    weights = make(np.arange(1.0, int(np.prod(value.shape)) + 1).reshape(tuple(value.shape)), False)
    (value * weights).sum().backward()
    grads = [np.zeros(x.shape) if x.grad is None else x.grad.detach().numpy() for x in (t, c)]
    return [value.detach().numpy(), *grads]


@pytest.mark.parametrize("line", LINES)
def test_it_means_what_it_means_in_pytorch(line: str) -> None:
    ours, theirs = line.split(" | ")
    got = evaluated(ours, lambda a, grad: mg.Tensor(a.copy(), requires_grad=grad))
    wanted = evaluated(theirs, lambda a, grad: torch.tensor(a.copy(), requires_grad=grad))
    for mine, other in zip(got, wanted, strict=True):
        assert mine.shape == other.shape
        np.testing.assert_allclose(mine, other, rtol=1e-10, atol=1e-12)


class TestSelectionNeverMultiplies:
    """An infinity or a nan that is not chosen leaves the gradients of what is chosen alone, and its own is 0."""

    @pytest.mark.parametrize(
        ("choose", "expected"),
        [
            (lambda t: np.tril(t), [[1, 0], [1, 1]]),
            (lambda t: np.triu(t, 1), [[0, 1], [0, 0]]),
            (lambda t: np.select([np.isfinite(t)], [t], 0.0), [[1, 0], [0, 1]]),
            (lambda t: np.choose([[0, 1], [1, 0]], [t, 2.0]), [[1, 0], [0, 1]]),
            (lambda t: np.piecewise(t, [np.isfinite(t)], [lambda x: x]), [[1, 0], [0, 1]]),
            (lambda t: np.extract([[1, 0], [0, 1]], t), [[1, 0], [0, 1]]),
            (lambda t: np.compress([True, False], t, axis=1), [[1, 0], [1, 0]]),
            (lambda t: np.diag(t), [[1, 0], [0, 1]]),
            (lambda t: np.delete(t, 0, axis=0), [[0, 0], [1, 1]]),
        ],
    )
    @pytest.mark.parametrize("holes", [(np.inf, -np.inf), (np.nan, np.inf)])
    def test_what_is_not_chosen(self, choose: Any, expected: Any, holes: tuple[float, float]) -> None:
        t = mg.Tensor(np.array([[1.0, holes[0]], [holes[1], 2.0]]), requires_grad=True)
        y = choose(t)
        np.testing.assert_array_equal(y.data, choose(t.data))
        y.backward(np.ones(y.shape))
        np.testing.assert_array_equal(t.grad.data, expected)

    def test_a_piece_is_worked_out_on_its_own_entries_alone(self) -> None:
        t = mg.Tensor(np.array([-1.0, 0.0, 4.0]), requires_grad=True)
        y = np.piecewise(t, [t > 0], [np.sqrt, -3.0])
        np.testing.assert_array_equal(y.data, [-3, -3, 2])
        with np.errstate(all="raise"):
            y.sum().backward()
        np.testing.assert_array_equal(t.grad.data, [0, 0, 0.25])


class TestPiecewise:
    @pytest.mark.parametrize(
        "conditions",
        [
            lambda t: [t < 0, t >= 0.5],
            lambda t: t < 0,
            lambda t: [[[True, False, False, True]] * 3],
            lambda t: False,
        ],
    )
    @pytest.mark.parametrize(
        "functions", [[lambda x: x * x], [2.5, lambda x, k=1: k * x], [1, lambda x: 0.1, np.exp]]
    )
    def test_as_numpy(self, conditions: Any, functions: list[Any]) -> None:
        try:
            wanted = np.piecewise(B, conditions(B), functions)
        except (ValueError, IndexError) as error:
            with pytest.raises(type(error)):
                np.piecewise(mg.Tensor(B), conditions(B), functions)
            return
        np.testing.assert_array_equal(
            np.piecewise(mg.Tensor(B), conditions(mg.Tensor(B)), functions).data, wanted
        )
        mg.gradcheck(lambda t: np.piecewise(t, conditions(t), functions), [B.copy()])

    def test_further_arguments_and_a_single_number(self) -> None:
        t = mg.Tensor(np.array(0.7), requires_grad=True)
        y = np.piecewise(t, [t < 0, t >= 0], [lambda x, k, m: x, lambda x, k, m: k * x + m], 3.0, m=0.1)
        np.testing.assert_allclose(y.data, 3 * 0.7 + 0.1, rtol=1e-15)
        y.backward()
        assert t.grad.data == 3.0


@pytest.mark.parametrize("axis", [None, 0, 1])
@pytest.mark.parametrize("trim", ["f", "b", "fb", "F"])
def test_zeros_at_the_ends(trim: str, axis: int | None) -> None:
    a = np.array([[0.0, 0, 0, 0], [0, 2, 0, 0], [0, 3, 0, 0]])
    samples = [a, a[1], a[0]] if axis is None else [a]
    for sample in samples:
        wanted = np.trim_zeros(sample, trim, axis)
        t = mg.Tensor(sample, requires_grad=True)
        got = np.trim_zeros(t, trim, axis)
        np.testing.assert_array_equal(got.data, wanted)
        got.backward(np.ones(got.shape))
        assert t.grad.data.sum() == wanted.size


@pytest.mark.parametrize("dtype", [None, "float32", int])
@pytest.mark.parametrize("shape", [None, (), (2, 0), 5])
@pytest.mark.parametrize(
    "like", [np.zeros_like, np.ones_like, np.empty_like, lambda a, **o: np.full_like(a, 2.5, **o)]
)
def test_arrays_like_a_tensor(like: Any, shape: Any, dtype: Any) -> None:
    wanted = like(A.astype("float32"), dtype=dtype, shape=shape, order="F", subok=False, device="cpu")
    got = like(mg.Tensor(A, dtype="float32"), dtype=dtype, shape=shape, order="F", subok=False, device="cpu")
    assert (got.shape, got.dtype, got.requires_grad) == (wanted.shape, wanted.dtype, False)
    if like is not np.empty_like:
        np.testing.assert_array_equal(got.data, wanted)


def test_one_argument_of_where_gives_places() -> None:
    for got, wanted in zip(np.where(mg.Tensor(A) > 0), np.where(A > 0), strict=True):
        assert isinstance(got, mg.Tensor)
        np.testing.assert_array_equal(got.data, wanted)


@pytest.mark.parametrize("dtype", ["bool", "int8", "int64", "float16", "float32"])
@pytest.mark.parametrize(
    "f",
    [
        *(lambda t: np.tril(t), lambda t: np.diag(t[0]), lambda t: np.roll(t, 1), lambda t: np.copy(t)),
        *(
            lambda t: np.append(t, t),
            lambda t: np.insert(t, 1, 1),
            lambda t: np.pad(t, 1),
        ),
        *(lambda t: np.pad(t, 1, mode="mean"), lambda t: np.pad(t, 1, mode="edge"), lambda t: np.tile(t, 2)),
        *(
            lambda t: np.repeat(t, 2),
            lambda t: np.choose([0, 1], [t[0, :2], t[1, :2]]),
            lambda t: np.take(t, [0, 3]),
        ),
        *(lambda t: np.select([t > 0], [t], 0), lambda t: np.resize(t, (5,)), lambda t: np.block([[t], [t]])),
        *(lambda t: np.piecewise(t, [t > 0], [1, 0]), lambda t: np.trim_zeros(t[0])),
    ],
)
def test_dtypes_are_numpys(f: Any, dtype: str) -> None:
    a = (A * 3).astype(dtype)
    wanted, got = f(a), f(mg.Tensor(a))
    assert got.dtype == wanted.dtype
    np.testing.assert_allclose(got.data, wanted, rtol=1e-2)


class TestLists:
    """A list or a number beside a tensor is of the tensor's dtype."""

    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    def test_their_dtype(self, dtype: str) -> None:
        t = mg.Tensor(A[0], dtype=dtype, requires_grad=True)
        for y in (
            np.vstack([t, [1, 2, 3, 4]]),
            np.append(t, 0.1),
            np.insert(t, [0, 2], [0.1, 0.2]),
            np.block([t, 0.1]),
            np.select([t > 0], [0.1], t),
            np.pad(t, 1, constant_values=[0.1, 0.2]),
            np.column_stack([t, [0.1, 0.2, 0.3, 0.4]]),
        ):
            assert y.dtype == dtype
            assert y.requires_grad
        assert np.append(t, 0.1).data[-1] == np.array(0.1, dtype)


WRITES: dict[str, tuple[str, dict[str, Any]]] = {
    "copyto": ("np.copyto(t, src, where=where)", {"src": A + 5, "where": A > 0}),
    "fill_diagonal": ("np.fill_diagonal(t, val)", {"val": 9.0}),
    "place": ("np.place(t, mask, vals)", {"mask": A > 0.5, "vals": np.arange(float((A > 0.5).sum()))}),
    "put": ("np.put(t, ind, v)", {"ind": [5, 0, 11], "v": np.array([1.0, 2.0, 3.0])}),
    "put_along_axis": (
        "np.put_along_axis(t, indices, values, axis)",
        {"indices": np.array([[0], [3], [1]]), "values": np.array([[7.0], [8.0], [9.0]]), "axis": 1},
    ),
    "putmask": ("np.putmask(t, mask, values)", {"mask": A > 0, "values": A * 9}),
}


@pytest.mark.parametrize("function", list(IN_PLACE), ids=lambda f: f.__name__)
class TestWritingInPlace:
    def test_where_no_graph_would_miss_it(self, function: Any) -> None:
        call, names = WRITES[function.__name__]
        wanted = A.copy()
        eval(call, {"np": np, "t": wanted, **names})
        t = mg.Tensor(A.copy(), requires_grad=True)
        y = t * t
        with mg.no_grad():
            assert eval(call, {"np": np, "t": t, **names}) is None
        np.testing.assert_array_equal(t.data, wanted)
        with pytest.raises(GradientError, match="MG-205"):
            y.sum().backward()
        u = mg.Tensor(A.copy())
        eval(call, {"np": np, "t": u, **names})
        np.testing.assert_array_equal(u.data, wanted)

    def test_it_is_refused_elsewhere_and_what_to_write_is_right(self, function: Any) -> None:
        call, names = WRITES[function.__name__]
        wanted = A.copy()
        eval(call, {"np": np, "t": wanted, **names})
        t = mg.Tensor(A.copy(), requires_grad=True, name="t")
        with pytest.raises(GradientError, match=r"MG-207 .*'t'") as caught:
            eval(call, {"np": np, "t": t, **names})
        np.testing.assert_array_equal(t.data, A)
        assert IN_PLACE[function] in str(caught.value)
        space = {"np": np, "mg": mg, "t": t, **names}
        exec(IN_PLACE[function], space)
        np.testing.assert_allclose(space["t"].data, wanted, rtol=1e-14)
        space["t"].sum().backward()
        np.testing.assert_allclose(t.grad.data, (wanted == A).astype(float), atol=1e-15)


def test_a_tensor_is_not_written_into_a_bare_array() -> None:
    t = mg.Tensor(np.ones(4), requires_grad=True, name="t")
    with pytest.raises(GradientError, match=r"MG-208 np\.copyto writes 't'"):
        np.copyto(np.zeros(4), t)
    target = np.zeros(4)
    with mg.no_grad():
        np.copyto(target, t)
    np.testing.assert_array_equal(target, 1.0)


@pytest.mark.parametrize(
    ("call", "code", "part"),
    [
        (lambda t: np.take(t, [0], axis=4), "MG-216", "take of shape (3, 4): there is no axis 4"),
        (lambda t: np.repeat(t, [1, 2], axis=0), "MG-103", "3 counts, or one; 2 were given"),
        (lambda t: np.repeat(t, -1), "MG-215", "whole numbers from 0 on"),
        (lambda t: np.repeat(t, 1.5), "MG-215", "not 1.5"),
        (lambda t: np.roll(t, 1, axis=2), "MG-216", "roll of shape (3, 4): there is no axis 2"),
        (lambda t: np.rot90(t, axes=(0, 2)), "MG-216", "rot90"),
        (lambda t: np.rot90(t, axes=(1, 1)), "MG-103", "two axes"),
        (lambda t: np.fliplr(t[0]), "MG-216", "fliplr of shape (4,)"),
        (lambda t: np.diag(t[None]), "MG-103", "not an array of shape (1, 3, 4)"),
        (lambda t: np.diagonal(t[0]), "MG-103", "two or more axes"),
        (lambda t: np.diagonal(t, 0, 1, 1), "MG-103", "both 1"),
        (lambda t: np.tril(t[0, 0]), "MG-103", "tril"),
        (lambda t: np.block([[t], t]), "MG-103", "1 deep at arrays[1], and 2 deep at arrays[0]"),
        (lambda t: np.block([t, []]), "MG-103", "arrays[1] is empty"),
        (lambda t: np.meshgrid(t, t, indexing="yx"), "MG-215", "'xy' or 'ij'"),
        (lambda t: np.broadcast_arrays(t, t.T), "MG-103", "(3, 4) and (4, 3)"),
        (lambda t: np.hsplit(t[0, 0], 1), "MG-103", "hsplit"),
        (lambda t: np.array_split(t, 0), "MG-103", "at least 1 part"),
        (lambda t: windows(t, 9, axis=1), "MG-103", "no window of 9 fits into axis 1"),
        (lambda t: windows(t, 2), "MG-103", "1 lengths of windows for 2 axes"),
        (lambda t: np.take(t, [0], mode="nearest"), "MG-215", "'nearest'"),
        (lambda t: np.choose([0, -1], [t[0, :2], t[1, :2]]), "MG-103", "negative"),
        (lambda t: np.select([t > 0], [t, t]), "MG-103", "1 conditions for 2 choices"),
        (lambda t: np.select([t], [t]), "MG-215", "condition 0"),
        (lambda t: np.piecewise(t, [t > 0], [1, 2, 3]), "MG-103", "1 conditions go with 1 functions"),
        (lambda t: np.compress([[True]], t), "MG-103", "compress"),
        (lambda t: np.ravel(t, order="K"), "MG-214", "order='K'"),
        (lambda t: np.reshape(t, (4, 3), order="A"), "MG-214", "order='A'"),
        (lambda t: np.vstack([t, t], dtype="float32"), "MG-214", "dtype"),
        (lambda t: np.take(t, [0], out=np.zeros(1)), "MG-214", "out"),
        (lambda t: np.pad(t, 1, mode="mean", stat_length=0), "MG-215", "stat_length"),
        (lambda t: np.lib.stride_tricks.as_strided(t, (2,), (8,)), "MG-208", "would lose its graph"),
    ],
)
def test_errors(call: Any, code: str, part: str) -> None:
    with pytest.raises(MinigradError, match=code) as caught:
        call(mg.Tensor(A.copy(), requires_grad=True))
    assert part in str(caught.value)


def test_whatever_was_refused_before_has_a_rule_now() -> None:
    for name in ("vstack", "roll", "take", "diag", "tril", "select", "block", "insert"):
        assert registry.compositions[getattr(np, name)]
    with pytest.raises(OperationError, match="MG-602"):
        np.fft.fft(mg.Tensor(A, requires_grad=True))


@pytest.mark.parametrize("shape", [(0, 3), (0, 0), (2, 0, 0)])
def test_take_from_nothing_is_nothing_as_numpy_has_it(shape):
    a, index = np.zeros(shape), np.array([[7, 0]])
    t = mg.Tensor(a, requires_grad=True)
    found = np.take(t, index, axis=-1)
    assert found.shape == np.take(a, index, axis=-1).shape
    np.sum(found).backward()
    assert t.grad.shape == shape
