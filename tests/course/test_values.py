"""Plain values as bytes: what goes in comes out, and bytes that are no message are refused."""

from __future__ import annotations

import enum
import json
import math
from collections import OrderedDict, defaultdict, deque, namedtuple
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

import minigrad as mg
from minigrad.course.values import DTYPES, Named, NotPlain, decode, encode

ARRAYS = npst.arrays(
    st.sampled_from(DTYPES), npst.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)
)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(1 << 62), 1 << 62),
    st.floats(),
    st.text(max_size=20),
    ARRAYS,
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.tuples(inner, inner),
        st.dictionaries(st.text(max_size=5), inner, max_size=3),
    ),
    max_leaves=6,
)


def equal(a, b):
    if isinstance(a, np.ndarray):
        return type(b) is np.ndarray and (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes())
    if isinstance(a, float):
        return type(b) is float and (a == b or (math.isnan(a) and math.isnan(b)))
    if isinstance(a, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(map(equal, a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(equal(a[key], b[key]) for key in a)
    return type(a) is type(b) and a == b


@settings(max_examples=40)
@given(VALUES)
def test_what_goes_in_comes_out(value):
    assert equal(value, decode(*encode(value)))


def test_tensors_views_and_subclasses_arrive_as_plain_arrays():
    class Odd(np.ndarray):
        pass

    a = np.arange(6.0).reshape(2, 3)
    for value in (mg.Tensor(a, requires_grad=True), a.T.copy().T, a.view(Odd), a[::-1][::-1]):
        got = decode(*encode(value))
        assert type(got) is np.ndarray
        assert got.tolist() == a.tolist()
    assert decode(*encode(np.float64(1.5))).shape == ()
    assert decode(*encode([Named("f")]))[0].name == "f"


class Sly(float):
    def __float__(self):
        return 7.0


class Color(enum.IntEnum):
    RED = 2


class Word(enum.StrEnum):
    V = "v"


Pair = namedtuple("Pair", "theta b")


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (Sly(1), 1.0),
        (Color.RED, 2),
        (Word.V, "v"),
        (np.str_("v"), "v"),
        (Pair(1.0, [2]), (1.0, [2])),
        (OrderedDict(a=1), {"a": 1}),
        (defaultdict(list, a=[1]), {"a": [1]}),
        (range(3), [0, 1, 2]),
        (deque([1, 2]), [1, 2]),
        (Fraction(1, 4), 0.25),
        (Decimal("0.5"), 0.5),
    ],
)
def test_what_is_as_good_as_plain_arrives_plain(value, plain):
    assert equal(plain, decode(*encode(value)))


@pytest.mark.parametrize("dtype", [">f8", np.longdouble])
def test_numbers_of_another_kind_arrive_as_float64(dtype):
    got = decode(*encode(np.arange(3).astype(dtype)))
    assert got.dtype == np.float64
    assert got.tolist() == [0.0, 1.0, 2.0]


@pytest.mark.parametrize(
    "value",
    [object(), {1: 2}, 1 << 64, np.array([object()]), np.array(["text"]), np.zeros(2, "datetime64[s]"), {1}, 1j,
     np.zeros(3, complex), np.zeros(2, [("a", float)]), np.zeros((1 << 23) + 1)],
)  # fmt: skip
def test_what_is_not_plain_is_not_sent(value):
    with pytest.raises(NotPlain):
        encode(value)


@pytest.mark.parametrize(
    ("header", "body"),
    [
        ({"array": ["float64", [2], 8]}, bytes(8)),
        ({"array": ["float64", [1], 16]}, bytes(16)),
        ({"array": ["float64", [1], 8]}, bytes(4)),
        ({"array": ["float64", [1], 8]}, bytes(16)),
        ({"array": ["float64", [-1], -8]}, b""),
        ({"array": ["float64", [1 << 40, 1 << 40], 8]}, bytes(8)),
        ({"array": ["object", [1], 8]}, bytes(8)),
        ({"array": ["O", [1], 8]}, bytes(8)),
        ({"array": ["float64", [True], 8]}, bytes(8)),
        ({"array": ["float64", 1, 8]}, bytes(8)),
        ({"array": ["float64", [1] * 17, 8]}, bytes(8)),
        ({"array": ["float64", [1]]}, bytes(8)),
        ({"array": 3}, b""),
        ({"list": 3}, b""),
        ({"dict": [[1, 2]]}, b""),
        ({"dict": [["a"]]}, b""),
        ({"named": 3}, b""),
        ({"a": 1, "b": 2}, b""),
        ({}, b""),
        ([1, 2], b""),
        ({"set": [1]}, b""),
    ],
)
def test_bytes_that_are_no_message_are_refused(header, body):
    with pytest.raises(NotPlain):
        decode(json.dumps(header).encode(), body)


@settings(max_examples=200)
@given(st.binary(max_size=60), st.binary(max_size=20))
def test_rubbish_is_refused_or_plain(header, body):
    try:
        value = decode(header, body)
    except NotPlain:
        return
    assert value is None or type(value) in (bool, int, float, str, list, tuple, dict, np.ndarray)


def test_a_deep_message_is_refused():
    with pytest.raises(NotPlain):
        decode(b'{"list":[' * 5000 + b"]}" * 5000, b"")
    with pytest.raises(NotPlain):
        decode(b"[" * 100_000, b"")
    with pytest.raises(NotPlain):
        decode(b"9" * 100_000, b"")
