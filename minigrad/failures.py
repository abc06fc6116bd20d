"""What to say where an operation's ``forward`` fails: which one it was, what it was given, and what is wrong."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad import backend, messages
from minigrad.backend import Array
from minigrad.errors import (
    AxisError,
    ConfigError,
    DeviceError,
    DtypeError,
    MinigradError,
    OperationError,
    ShapeError,
)
from minigrad.forms import short, usage
from minigrad.rules import Primitive


def explained(
    operation: Primitive, error: Exception, inputs: tuple[Any, ...], arrays: list[Any], params: dict[str, Any]
) -> MinigradError | None:
    """Return the error that says what went wrong in an operation's ``forward``; None where its own says all.

    The built-in type stays that of the original: whoever catches a ValueError catches this.
    """
    names = dict(enumerate(operation.inputs))
    devices = {
        getattr(x, "name", None) or names.get(i, f"input {i}"): backend.device_of(a)
        for i, (x, a) in enumerate(zip(inputs, arrays, strict=True))
        if backend.backend_of(a) is not None
    }
    if len(set(devices.values())) > 1:
        places = ", ".join(f"{name} is on {device}" for name, device in devices.items())
        return DeviceError(
            "MG-301",
            f"{operation.name}: {places}. Nothing is copied automatically: move one with x.to(device).",
        )
    for a in arrays:
        if backend.backend_of(a) is None and hasattr(a, "__array__"):
            return OperationError("MG-608", messages.another_library(type(a)))
    if isinstance(error, (TypeError, AttributeError)):
        optional = getattr(operation.forward, "__defaults__", None) or ()
        for i, x in enumerate(inputs):
            number = isinstance(x, (list, tuple, int, float)) or hasattr(x, "dtype")
            if not number and not (x is None and None in optional):
                name = names.get(i, f"input {i}")
                return OperationError("MG-609", messages.no_operand(operation.name, name, x))
    if operation.explain is not None:
        explained = operation.explain(error, *arrays, **params)
        if explained is not None:
            return explained
    shapes = " and ".join(str(np.shape(a)) for a in arrays if a is not None)
    reason = str(error).strip().rstrip(".")
    if isinstance(error, np.exceptions.AxisError):
        return AxisError(
            "MG-216",
            f"{operation.name} of shape {shapes}: {reason}. Axes are counted from 0, or from the last, -1, backwards.",
        )
    if isinstance(error, ValueError) and _ABOUT_SHAPES.search(reason):
        return ShapeError("MG-103", f"{operation.name} cannot work on shapes {shapes}: {reason}.")
    if type(error) is TypeError and not _fits(operation.forward, arrays, params):
        return OperationError("MG-215", f"{operation.name}: {usage(operation, len(arrays), params)}")
    if isinstance(operation.forward, np.ufunc) and isinstance(error, (TypeError, ValueError)):
        kind = OperationError if isinstance(error, TypeError) else ConfigError
        dtypes = " and ".join(str(np.asarray(a).dtype if np.isscalar(a) else a.dtype) for a in arrays)
        return kind("MG-215", f"{operation.name} of {dtypes} cannot be computed: {reason}.")
    if params and type(error) in (TypeError, ValueError):
        asked = ", ".join(f"{name}={short(value)}" for name, value in params.items())
        kind = OperationError if isinstance(error, TypeError) else ConfigError
        return kind(
            "MG-215", f"{operation.name} of shape {shapes} cannot be computed with {asked}: {reason}."
        )
    return None


def with_origin(error: DtypeError, inputs: tuple[Any, ...]) -> DtypeError:
    """Return the error of two dtypes in one product (MG-211), with the operation that brought the wider one in."""
    origin = next(filter(None, map(_widened, inputs)), None) if error.code == "MG-211" else None
    if origin is None:
        return error
    record, i = origin
    x = record.inputs[i]
    culprit = getattr(x, "label", None) or f"an array of shape {np.shape(x)}"
    return DtypeError(
        error.code,
        f"{error.message} {record.value.dtype} came in at {record.operation.name} ({record.location}): {culprit} is "
        f"{record.arrays[i].dtype}, what it meets is narrower. Cast it there.",
    )


def _widened(x: Any) -> tuple[Any, int] | None:
    """Return the record behind x at which a wider dtype came in, and the place of the input that has it."""
    pending, seen = [x], set()
    while pending:
        record = getattr(pending.pop(), "record", None)
        if record is None or record in seen or record.value is None:
            continue
        seen.add(record)
        floats = [
            i for i, a in enumerate(record.arrays) if getattr(getattr(a, "dtype", None), "kind", "") == "f"
        ]
        wide = [i for i in floats if record.arrays[i].dtype == record.value.dtype]
        sources = [i for i in wide if getattr(record.inputs[i], "record", None) is None]
        if sources and len(wide) < len(floats):
            return record, sources[0]
        pending += [record.inputs[i] for i in wide]
    return None


_ABOUT_SHAPES = re.compile("shape|broadcast|dimension|size|match|squeeze|empty|too many subscripts|equal")


def _fits(forward: Callable[..., Array], arrays: list[Any], params: dict[str, Any]) -> bool:
    """Tell whether a function can be called with these arguments at all."""
    try:
        inspect.signature(forward).bind(*arrays, **params)
    except ValueError:  # a ufunc has no signature
        return True
    except TypeError:
        return False
    return True
