"""Plain values as bytes: how a grader and a student's process talk. Nothing is pickled, everything is checked.

A message is a header in JSON, which may be NaN or infinite where a number is, and behind it the bytes of arrays and
longer texts. What can be sent: None, booleans, numbers (fractions and decimals as floats), text, NumPy arrays of real
numbers, Tensors (as arrays), and lists, tuples, ranges and dicts of these, and what is derived from one of them. What
arrives is built anew out of bytes, so that it is exactly what it seems: no subclass, no object array, no half of a
character.
"""

from __future__ import annotations

import json
import math
import numbers
from collections import deque
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np

from minigrad.course.texts import whole
from minigrad.tensor import Tensor

DTYPES = (
    "bool",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "float16",
    "float32",
    "float64",
)
LARGEST_HEADER, LARGEST_BODY = 1 << 20, 1 << 26  # bytes
_DEEPEST, _LONGEST_IN_HEADER = 12, 32
_PLAIN: dict[type, Callable[[Any], Any]] = {  # what is as good as a plain value, and how it becomes one
    str: str.__str__,
    int: int.__int__,
    float: float.__float__,
    numbers.Rational: float,
    Decimal: float,
    tuple: tuple,
    list: list,
    range: list,
    deque: list,
    dict: dict,
}


class NotPlain(Exception):
    """A value that cannot be sent, or bytes that are no message."""


class Named:
    """A function of the student's, by its name: it can be sent to where the student's code is."""

    def __init__(self, name: str) -> None:
        self.name = name


def encode(value: Any) -> tuple[bytes, bytes]:
    """Return the header and the body that stand for ``value``; NotPlain where it cannot be sent."""
    body: list[bytes] = []
    header = json.dumps(_encoded(value, body, 0)).encode()
    whole = b"".join(body)
    if len(header) > LARGEST_HEADER or len(whole) > LARGEST_BODY:
        raise NotPlain("it is too large: 64 MB of numbers are the most")
    return header, whole


def _encoded(value: Any, body: list[bytes], depth: int) -> Any:
    if depth > _DEEPEST:
        raise NotPlain("it is nested too deeply")
    if value is None or value is True or value is False or type(value) is float:
        return value
    if type(value) is int:
        if abs(value) >= 1 << 63:
            raise NotPlain("an integer has more than 64 bits")
        return value
    if type(value) is str:
        if len(value) <= _LONGEST_IN_HEADER:
            return value
        body.append(value.encode("utf-8", "surrogatepass"))
        return {"text": len(body[-1])}
    if isinstance(value, Named):
        return {"named": value.name}
    if isinstance(value, Tensor):
        value = value.numpy()
    if isinstance(value, (np.ndarray, np.generic)) and not isinstance(value, str):
        return _encoded_array(value, body)
    if type(value) in (list, tuple):
        return {type(value).__name__: [_encoded(part, body, depth + 1) for part in value]}
    if type(value) is dict and all(type(key) is str for key in value):
        return {"dict": [[key, _encoded(part, body, depth + 1)] for key, part in value.items()]}
    for kind, plain in _PLAIN.items():
        if isinstance(value, kind):
            return _encoded(plain(value), body, depth + 1)
    raise NotPlain(f"a value of type {type(value).__name__} is neither a number nor an array")


def _encoded_array(value: Any, body: list[bytes]) -> Any:
    array = np.array(value, order="C", subok=False)
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    if array.dtype.kind == "f" and array.dtype.name not in DTYPES:  # long doubles
        array = array.astype(np.float64)
    if array.dtype.name not in DTYPES:
        raise NotPlain(f"an array of dtype {array.dtype} does not hold plain numbers")
    body.append(array.tobytes())
    return {"array": [array.dtype.name, list(array.shape), len(body[-1])]}


def decode(header: bytes, body: bytes) -> Any:
    """Build the value that a message stands for; NotPlain where the bytes are no message."""
    try:
        value, used = _decoded(json.loads(header), body, 0, 0)
    except (ValueError, TypeError, KeyError, IndexError, RecursionError, MemoryError, OverflowError) as error:
        raise NotPlain(f"these bytes are no message ({type(error).__name__})") from error
    if used != len(body):
        raise NotPlain("there are bytes that belong to no array")
    return value


def _decoded(part: Any, body: bytes, used: int, depth: int) -> tuple[Any, int]:
    if depth > _DEEPEST:
        raise NotPlain("it is nested too deeply")
    if not isinstance(part, dict):
        if part is None or type(part) in (bool, int, float, str):
            return whole(part) if type(part) is str else part, used
        raise NotPlain("a list without a name")
    ((kind, content),) = part.items()
    if kind == "array":
        return _decoded_array(*content, body=body, used=used)
    if kind == "named" and type(content) is str:
        return Named(content), used
    if kind == "text" and type(content) is int and 0 <= content <= len(body) - used:
        return whole(body[used : used + content].decode("utf-8", "surrogatepass")), used + content
    values = []
    for each in content if kind != "dict" else [pair[1] for pair in content]:
        value, used = _decoded(each, body, used, depth + 1)
        values.append(value)
    if kind in ("list", "tuple"):
        return (values if kind == "list" else tuple(values)), used
    if kind == "dict" and all(type(pair[0]) is str for pair in content):
        return dict(zip([whole(pair[0]) for pair in content], values, strict=True)), used
    raise NotPlain(f"an unknown kind of value, {str(kind)[:40]!r}")


def _decoded_array(name: Any, shape: Any, size: Any, *, body: bytes, used: int) -> tuple[Any, int]:
    if name not in DTYPES or type(shape) is not list or len(shape) > 16:
        raise NotPlain("this is no array of numbers")
    if any(type(n) is not int or n < 0 for n in shape) or type(size) is not int:
        raise NotPlain("this is no shape")
    if math.prod(shape) * np.dtype(name).itemsize != size or used + size > len(body):
        raise NotPlain("an array's size does not agree with its shape")
    array = np.frombuffer(body, name, count=math.prod(shape), offset=used).reshape(shape).copy()
    return array, used + size
