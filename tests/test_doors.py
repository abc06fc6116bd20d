"""Every way in which numbers come in, tried with what looks like an array of numbers and is none."""

from __future__ import annotations

import decimal
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.sparse

import minigrad as mg
from minigrad import nn, ops
from minigrad.data import Dataset
from minigrad.errors import DataError, DtypeError


class Metres(np.ndarray):
    """An array with a unit: what ``*`` means is its own affair."""

    def __array_ufunc__(self, *args: Any, **kwargs: Any) -> Any:
        return NotImplemented


class Named(np.ndarray):
    """A subclass that changes no meaning."""

    title = "mine"


MASKED = np.ma.array([1.0, 2.0, 3.0], mask=[0, 1, 0])
NO_NUMBERS: dict[str, tuple[Any, str]] = {
    # what comes in, and what the message tells to write
    "masked": (MASKED, "m.filled(0)"),
    "a masked array of float32": (MASKED.astype("float32"), "keep.sum()"),
    "matrix": (np.matrix([[1.0, 2.0, 3.0]]), "np.asarray(x)"),
    "unit": (np.ones(3).view(Metres), "np.asarray(x)"),
    "complex": (np.array([1j, 2, 3]), "np.real"),
    "complex64": (np.ones(3, "complex64"), "np.real"),
    "object": (np.array([1.0, None, 2.0], object), "np.array(x, dtype='float32')"),
    "objects that are numbers": (np.array([1.0, 2, 3], object), "np.array(x, dtype='float32')"),
    "text": (np.array(["1", "2", "3"]), "np.unique(x, return_inverse=True)"),
    "bytes": (np.array([b"1", b"2", b"3"]), "x.astype('float32')"),
    "dates": (np.array(["2020-01-01"] * 3, "M8[D]"), "np.timedelta64(1, 'D')"),
    "durations": (np.array([1, 2, 3], "m8[s]"), "np.timedelta64(1, 's')"),
    "structured": (np.zeros(3, [("a", int), ("b", float)]), "x['a']"),
    "records": (np.rec.array([(1, 2.0)] * 3, dtype=[("a", int), ("b", float)]), "x['a']"),
    "raw bytes": (np.zeros(3, "V4"), "view"),
    "longdouble": (np.array([1, 2, 3], np.longdouble), "float64"),
    "sparse": (scipy.sparse.csr_matrix(np.eye(3)), "toarray()"),
    "a list with a masked array": ([MASKED, MASKED], "m.filled(0)"),
    "a list in a list": (([[1.0, 2.0, 3.0]], [np.ma.array([1.0, 2.0, 3.0])]), "m.filled(0)"),
    "a list with a masked entry": ([1.0, np.ma.masked, 3.0], "m.filled(0)"),
    "a list with a matrix": ([np.matrix([[1.0]]), np.matrix([[2.0]])], "np.asarray(x)"),
    "a list of complex numbers": ([1j, 2.0, 3.0], "np.real"),
    "a complex number": (1j, "np.real"),
    "NumPy's complex number": (np.complex128(1j), "np.real"),
    "a decimal number": (decimal.Decimal(1), "np.array(x, dtype='float32')"),
}
if hasattr(np.dtypes, "StringDType"):
    NO_NUMBERS["variable text"] = (np.array(["a", "b"], np.dtypes.StringDType()), "np.unique")


def leaf() -> mg.Tensor:
    return mg.Tensor(np.ones(3), requires_grad=True)


def set_entries(value: Any) -> None:
    mg.Tensor(np.ones(3))[...] = value


def add_in_place(value: Any) -> None:
    t = mg.Tensor(np.ones(3))
    t += value


def set_data(value: Any) -> None:
    mg.Tensor(np.ones(3)).data = value


def as_keyword_input(value: Any) -> None:
    ops.linear(mg.Tensor(np.ones((1, 3))), np.ones((3, 3)), b=value)


DOORS: dict[str, Callable[[Any], Any]] = {
    "Tensor": mg.Tensor,
    "Tensor with a dtype": lambda v: mg.Tensor(v, dtype="float32"),
    "Parameter": nn.Parameter,
    "Buffer": nn.Buffer,
    "data": set_data,
    "entries": set_entries,
    "in place": add_in_place,
    "beside a tensor": lambda v: np.maximum(leaf(), v),
    "t * v": lambda v: leaf() * v,
    "where": lambda v: np.where(np.array([True, False, True]), leaf(), v),
    "joined": lambda v: np.concatenate([leaf(), v]),
    "a bound": lambda v: np.clip(leaf(), v, None),
    "an upper bound": lambda v: leaf().clip(max=v),
    "padding": lambda v: np.pad(leaf(), 1, constant_values=v),
    "an input by name": as_keyword_input,
    "a layer's input": lambda v: nn.Linear(3, 2)(v),
    "ids": lambda v: nn.Embedding(4, 2)(v),
    "a target": lambda v: nn.mse(leaf(), v),
    "a target of mae": lambda v: nn.mae(leaf(), v),
    "a target of bce": lambda v: nn.bce_with_logits(leaf(), v),
    "labels": lambda v: nn.cross_entropy(leaf() * np.ones((3, 1)), v),
    "value_and_grad": lambda v: mg.grad(lambda x: np.sum(x))(v),
}


@pytest.mark.parametrize("what", NO_NUMBERS)
@pytest.mark.parametrize("door", DOORS)
def test_no_door_lets_it_in_and_the_message_says_what_to_write(door: str, what: str) -> None:
    value, instead = NO_NUMBERS[what]
    with pytest.raises(DtypeError, match="MG-212") as caught:
        DOORS[door](value)
    assert instead in str(caught.value)


@pytest.mark.parametrize(
    "what", ["masked", "unit", "complex", "objects that are numbers", "longdouble", "dates"]
)
def test_gradients_too(what: str) -> None:
    value, instead = NO_NUMBERS[what]
    t = leaf()
    with pytest.raises(DtypeError, match="MG-212") as caught:
        (t * 2).backward(value)
    assert instead in str(caught.value)
    with pytest.raises(DtypeError, match="MG-212"):
        t.grad = value
    assert t.grad is None


def test_a_masked_array_on_the_left_does_not_cut_the_graph() -> None:
    for combine in (
        lambda a, b: a * b,
        lambda a, b: a - b,
        np.ma.add,
        lambda a, b: a / b,
        lambda a, b: a > b,
    ):
        with pytest.raises(DtypeError, match=r"MG-212 'w' .*filled"):
            combine(MASKED, mg.Tensor([1.0, 2.0, 3.0], requires_grad=True, name="w"))


def test_a_tensor_has_no_mask_to_anybody_else() -> None:
    assert not hasattr(leaf(), "_mask")


def test_a_matrix_on_the_left_is_refused() -> None:
    with pytest.raises(DtypeError, match="MG-212"):
        np.matrix([[1.0, 2.0, 3.0]]) * leaf()


def test_what_is_asked_for_is_looked_at_too() -> None:
    for dtype in ("complex64", "O", "U3", "M8[s]", np.longdouble, [("a", int)]):
        for ask in (
            lambda d: mg.Tensor([1.0], dtype=d),
            leaf().astype,
            lambda d: np.zeros_like(leaf(), dtype=d),
        ):
            with pytest.raises(DtypeError, match="MG-212"):
                ask(dtype)
    with pytest.raises(DtypeError, match="MG-212"):
        leaf().to("complex64")


@pytest.mark.parametrize("what", ["masked", "unit", "complex", "objects that are numbers", "longdouble"])
def test_weights_are_refused_by_their_name(what: str) -> None:
    layer = nn.Linear(3, 1, bias=False)
    before = layer.weight.numpy().copy()
    with pytest.raises(DataError, match="MG-713") as caught:
        layer.load_state_dict({"weight": NO_NUMBERS[what][0]})
    assert "wrong dtype: weight" in str(caught.value)
    np.testing.assert_array_equal(layer.weight.numpy(), before)


@pytest.mark.parametrize("field", ["x", "y"])
def test_a_dataset_is_such_a_door(field: str) -> None:
    arrays = {"x": np.ones((3, 2), "float32"), "y": np.array([0, 1, 0])}
    masked = np.ma.array(arrays[field], mask=np.ones(arrays[field].shape, bool))
    with pytest.raises(DataError, match=f"MG-701 .*{field}: this is a masked array"):
        Dataset(**arrays | {field: masked})
    with pytest.raises(DataError, match="MG-701"):
        Dataset(**arrays | {field: arrays[field].astype(np.longdouble)})
    kept = Dataset(**arrays)
    assert kept.x is arrays["x"]
    assert kept.y is arrays["y"]


def test_a_masked_entry_no_longer_counts_in_silence() -> None:
    # by hand: two of three entries are there, so d(mean of squares)/dp is 2 (p - t) / 2
    p, m = mg.Tensor([2.0, 5.0, 7.0], requires_grad=True), MASKED.astype("float32")
    keep = (~np.ma.getmaskarray(m)).astype("float32")
    ((keep * np.square(p - m.filled(0))).sum() / keep.sum()).backward()
    np.testing.assert_array_equal(p.grad.data, [1.0, 0.0, 4.0])


def test_a_file_in_memory_is_used_as_it_is(tmp_path) -> None:
    on_disk = np.memmap(tmp_path / "weights", dtype="float32", mode="w+", shape=(3,))
    t = mg.Tensor(on_disk, requires_grad=True)
    assert type(t.data) is np.ndarray
    assert np.shares_memory(t.data, on_disk)
    with mg.no_grad():
        t += 2
    np.testing.assert_array_equal(on_disk, [2, 2, 2])
    np.square(t).sum().backward()
    mg.optim.SGD([t], lr=0.25).step()
    np.testing.assert_array_equal(np.fromfile(tmp_path / "weights", "float32"), on_disk)
    np.testing.assert_array_equal(on_disk, [1, 1, 1])


def test_a_subclass_that_changes_no_meaning_becomes_an_array() -> None:
    mine = np.ones(3).view(Named)
    for t in (mg.Tensor(mine), mg.Tensor(np.ones(3)) * mine, np.maximum(mine, mg.Tensor(np.zeros(3)))):
        assert type(t.data) is np.ndarray
    assert np.shares_memory(mg.Tensor(mine).data, mine)


@pytest.mark.parametrize("dtype", [">f2", ">f4", ">f8", ">i2", ">i8", ">u4", "<f4"])
def test_the_other_order_of_bytes_is_converted(dtype: str) -> None:
    numbers = np.array([1, 2, 300], dtype)
    native = np.dtype(dtype).newbyteorder("=")
    for t in (
        mg.Tensor(numbers),
        mg.Tensor([1, 2, 300], dtype=dtype),
        mg.Tensor(np.ones(3, "int8")).astype(dtype),
    ):
        assert t.dtype == native
        assert t.dtype.isnative
    np.testing.assert_array_equal(mg.Tensor(numbers).data, [1, 2, 300])
    if native.kind == "f":
        x = mg.Tensor(np.ones(3, native), requires_grad=True)
        (x * numbers).sum().backward()
        np.testing.assert_array_equal(x.grad.data, [1, 2, 300])
        assert x.grad.dtype.isnative
        mg.optim.Adam([x]).step()


def test_bfloat16_is_named() -> None:
    ml_dtypes = pytest.importorskip("ml_dtypes")
    for dtype in (ml_dtypes.bfloat16, ml_dtypes.float8_e4m3fn):
        with pytest.raises(DtypeError, match=r"MG-212 .*float8|MG-212 .*bfloat16") as caught:
            mg.Tensor(np.ones(3, dtype))
        assert "x.astype('float32')" in str(caught.value)


def test_what_is_a_number_still_comes_in() -> None:
    t = leaf()
    for value in (
        2,
        2.0,
        True,
        np.float32(2),
        np.float64(2),
        np.int8(2),
        np.bool_(True),
        [1, 2, 3],
        (1.0, 2.0, 3.0),
    ):
        assert (t * value).dtype == np.float64
    assert mg.Tensor([np.float32(1), 2.0]).dtype == np.float32
    assert mg.Tensor(np.float64(3)).dtype == np.float64
    assert mg.Tensor([]).dtype == np.float32
    assert mg.Tensor([np.ones(2, "float32"), np.ones(2, "float32")]).dtype == np.float32
    x = mg.Tensor(np.ones(3, "float32"))
    assert (x * np.float32(2)).dtype == (x * 2.0).dtype == np.float32
