"""PyTorch's names for methods, each made of operations that are there: what it means there, it means here.

Where NumPy's arrays have a method of the same name, NumPy's meaning stays wherever the two meet. What is not here,
``minigrad.words`` knows another word for.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import update_wrapper
from importlib import import_module
from typing import Any, NamedTuple, SupportsIndex

import numpy as np

from minigrad import messages, registry, words
from minigrad.errors import OperationError, ShapeError, warn
from minigrad.methods import IN_PLACE, NAMES
from minigrad.ops import shape
from minigrad.ops.elementwise import clip
from minigrad.ops.move import to
from minigrad.ops.reduce import max as largest
from minigrad.ops.reduce import min as smallest
from minigrad.ops.shape import ravel, reshape, transpose
from minigrad.tensor import Tensor, register_methods, unwrap

# fmt: off
RENAMED: dict[str, str] = {
    # a method's name: the function of NumPy's, or the operation, that it is
    "neg": "negative", "mul": "multiply", "pow": "power", "eq": "equal", "ne": "not_equal", "lt": "less",
    "le": "less_equal", "gt": "greater", "ge": "greater_equal",
    "bitwise_not": "invert", "mm": "matmul", "bmm": "matmul", "mv": "matmul",
    "ger": "outer", "det": "linalg.det", "slogdet": "linalg.slogdet", "inverse": "linalg.inv",
    "pinverse": "linalg.pinv", "cholesky": "linalg.cholesky", "qr": "linalg.qr", "matrix_power": "linalg.matrix_power",
    "view": "reshape",
    "repeat_interleave": "repeat", "take_along_dim": "take_along_axis", "tensor_split": "array_split",
}
SPECIAL: dict[str, str] = {
    # a method's name: the function of SciPy's, which is imported when the method is first called
    "erf": "erf", "erfc": "erfc", "erfinv": "erfinv", "lgamma": "gammaln", "digamma": "psi", "logit": "logit",
    "xlogy": "xlogy", "igamma": "gammainc", "igammac": "gammaincc",
}
DTYPES: dict[str, str] = {
    # PyTorch's method that converts: NumPy's dtype
    "double": "float64", "float": "float32", "half": "float16",
    "long": "int64", "int": "int32", "short": "int16", "char": "int8", "byte": "uint8", "bool": "bool",
}
# fmt: on


class Extreme(NamedTuple):
    """What ``t.max(dim=1)`` gives in PyTorch: the largest entries along an axis, and their places."""

    values: Any
    indices: Any


def _extreme(reduce: Callable[..., Any], place: Callable[..., Any], pairwise: Callable[..., Any]) -> Any:
    def extreme(t: Any, *args: Any, **params: Any) -> Any:
        if "dim" in params:
            axis, keep = params.pop("dim"), params.pop("keepdim", False)
            places = np.expand_dims(place(unwrap(t), axis=axis), axis)
            values = np.take_along_axis(t, places, axis)
            both = (values, Tensor(places))
            return Extreme(*(both if keep else (np.squeeze(part, axis) for part in both)), **params)
        if "other" in params or (args and isinstance(args[0], Tensor)):
            return pairwise(t, *args, *params.values())
        return reduce(t, *args, **params)

    return extreme


def add(t: Any, other: Any, alpha: float = 1) -> Any:
    """Return t + alpha · other."""
    return np.add(t, other if alpha == 1 else other * alpha)


def _sub(t: Any, other: Any, alpha: float = 1) -> Any:
    return np.subtract(t, other if alpha == 1 else other * alpha)


def _div(t: Any, other: Any, rounding_mode: str | None = None) -> Any:
    quotient = np.divide(t, other)
    return (
        quotient if rounding_mode is None else {"floor": np.floor, "trunc": np.trunc}[rounding_mode](quotient)
    )


def norm(t: Any, p: Any = 2, dim: Any = None, keepdim: bool = False) -> Any:
    """Return (Σ |a|^p)^(1/p); at 0, where it has no derivative, its gradient is 0."""
    p = 2 if p == "fro" else p
    if p == 1:
        return np.sum(np.abs(t), axis=dim, keepdims=keepdim)
    if p == float("inf"):
        return np.max(np.abs(t), axis=dim, keepdims=keepdim)
    total = np.sum(np.abs(t) ** p, axis=dim, keepdims=keepdim)
    zero = unwrap(total) == 0  # there the root has no derivative, and 0 is taken
    return np.where(zero, 0, np.where(zero, 1, total) ** (1 / p))


def axes_of(axes: Sequence[Any]) -> Sequence[int]:
    """Return axes, or lengths, that were given one by one or all in a sequence."""
    return axes[0] if len(axes) == 1 and isinstance(axes[0], (tuple, list)) else axes


_own_transpose = registry.methods["transpose"]


def _transpose(t: Any, *axes: Any, dim0: int | None = None, dim1: int | None = None) -> Any:
    named = [dim for dim in (dim0, dim1) if dim is not None]
    if named:
        return np.swapaxes(t, *axes, *named)
    if len(axes) == 2:
        if t.ndim != 2:  # to NumPy, two axes of more are an error
            return np.swapaxes(t, *axes)
        if axes[0] % 2 == 0 and axes[1] % 2 == 1:
            warn("MG-607", messages.same_order(axes, t.shape))
    return _own_transpose(t, *axes)


def _flatten(t: Any, start_dim: int = 0, end_dim: int = -1, order: str = "C") -> Any:
    if isinstance(start_dim, str) or order != "C" or t.ndim == 0:  # NumPy's
        return ravel(t, start_dim if isinstance(start_dim, str) else order)
    start, end = start_dim % t.ndim, end_dim % t.ndim
    return reshape(t, shape=(*t.shape[:start], int(np.prod(t.shape[start : end + 1])), *t.shape[end + 1 :]))


def _expand(t: Any, *sizes: Any) -> Any:
    wanted = axes_of(sizes)
    own = (1,) * (len(wanted) - t.ndim) + t.shape
    return np.broadcast_to(t, tuple(n if m == -1 else m for n, m in zip(own, wanted, strict=False)))


def _unbind(t: Any, dim: int = 0) -> tuple[Any, ...]:
    return tuple(np.moveaxis(t, dim, 0))


def _split(t: Any, split_size: Any, dim: int = 0) -> tuple[Any, ...]:
    length = t.shape[dim]
    if isinstance(split_size, SupportsIndex):
        sizes = [int(split_size)] * -(-length // int(split_size))
    else:
        sizes = [int(size) for size in split_size]
        if sum(sizes) != length:
            raise ShapeError(
                "MG-103", f"the axis has {length} entries; parts of {sizes} are {sum(sizes)} together."
            )
    return tuple(np.split(t, [int(n) for n in np.cumsum(sizes)[:-1]], axis=dim))


def _chunk(t: Any, chunks: int, dim: int = 0) -> tuple[Any, ...]:
    return _split(t, -(-t.shape[dim] // chunks), dim)


def narrow(t: Any, dim: int, start: int, length: int) -> Any:
    """Return ``length`` entries along an axis, from ``start`` on."""
    return t[(slice(None),) * (dim % t.ndim) + (slice(start, start + length),)]


def _mask(method: str, mask: Any) -> Any:
    """Return a mask; OperationError MG-215 where its entries are numbers, as those of tinygrad's ``mask.where`` are."""
    dtype = mask.dtype if hasattr(mask, "dtype") else np.asarray(mask).dtype
    if dtype.kind != "b":
        raise OperationError(
            "MG-215",
            f"t.{method} takes a mask of bools; it got {dtype}. Write a comparison: t.where(t > 0, u) has t where it "
            "is true, and so has np.where(t > 0, t, u).",
        )
    return mask


def _select(t: Any, dim: int, index: Any) -> Any:
    return t[(slice(None),) * (dim % t.ndim) + (unwrap(index),)]


def _clone(t: Any) -> Any:
    return Tensor(unwrap(t).copy()) if t.dtype == bool else np.positive(t)


def _to(t: Any, target: Any = None, *, device: str | None = None, dtype: Any = None) -> Any:
    for wanted in (target, device, dtype):
        t = t if wanted is None else to(t, _known(wanted))
    return t


def _known(target: Any) -> Any:
    """A dtype of PyTorch's by its name; NumPy's, and devices, as they are."""
    name = str(target)
    return name.removeprefix("torch.") if type(target).__module__ == "torch" else target


def _fill(t: Tensor, value: Any) -> Tensor:
    t[...] = value
    return t


def _in_place(method: Callable[..., Any]) -> Callable[..., Tensor]:
    def write(t: Tensor, *args: Any, **params: Any) -> Tensor:
        t.check_writable(*args, *params.values())
        result = unwrap(method(t.detach(), *args, **params))
        np.copyto(t._data, result, casting="same_kind")
        t.bump_version()
        return t

    return write


def concatenate(arrays: Sequence[Any], axis: int = 0, *, dim: int | None = None) -> Any:
    """Join arrays along an axis that they have; ``np.concatenate``, and with ``dim`` PyTorch's ``cat``."""
    return shape.concatenate(arrays, axis if dim is None else dim)


def stack(arrays: Sequence[Any], axis: int = 0, *, dim: int | None = None) -> Any:
    """Join arrays of one shape along a new axis; ``np.stack``, and with ``dim`` PyTorch's."""
    return shape.stack(arrays, axis if dim is None else dim)


_METHODS: dict[str, Callable[..., Any]] = {
    "add": add,
    "sub": _sub,
    "subtract": _sub,
    "div": _div,
    "norm": norm,
    "reciprocal": lambda t: 1 / t,
    "amax": largest,
    "amin": smallest,
    "rsqrt": lambda t: 1 / np.sqrt(t),
    "clamp": lambda t, min=None, max=None: clip(t, min, max),
    "clamp_min": lambda t, min: clip(t, min, None),
    "clamp_max": lambda t, max: clip(t, None, max),
    "where": lambda t, condition, other: np.where(_mask("where", condition), t, other),
    "masked_fill": lambda t, mask, value: np.where(_mask("masked_fill", mask), value, t),
    "masked_select": lambda t, mask: t[unwrap(_mask("masked_select", mask))],
    "max": _extreme(largest, np.argmax, np.maximum),
    "min": _extreme(smallest, np.argmin, np.minimum),
    "equal": lambda t, other: bool(np.array_equal(unwrap(t), unwrap(other))),
    "allclose": lambda t, other, rtol=1e-5, atol=1e-8: bool(
        np.allclose(unwrap(t), unwrap(other), rtol, atol)
    ),
    "view_as": lambda t, other: reshape(t, shape=other.shape),
    "reshape_as": lambda t, other: reshape(t, shape=other.shape),
    "unsqueeze": lambda t, dim: np.expand_dims(t, dim),
    "permute": lambda t, *axes, dims=None: transpose(t, axes=dims or axes_of(axes)),
    "t": lambda t: transpose(t, axes=None),
    "transpose": _transpose,
    "movedim": lambda t, source, destination: np.moveaxis(t, source, destination),
    "swapdims": lambda t, dim0, dim1: np.swapaxes(t, dim0, dim1),
    "flatten": _flatten,
    "flip": lambda t, *axes, dims=None: np.flip(t, tuple(dims or axes_of(axes)) or None),
    "expand": _expand,
    "expand_as": lambda t, other: np.broadcast_to(t, other.shape),
    "broadcast_to": lambda t, *shape: np.broadcast_to(t, tuple(axes_of(shape))),
    "unbind": _unbind,
    "split": _split,
    "chunk": _chunk,
    "narrow": narrow,
    "select": _select,
    "index_select": _select,
    "gather": lambda t, dim, index: np.take_along_axis(t, index, dim),
    "clone": _clone,
    "copy": _clone,
    "contiguous": lambda t: t,
    "to": _to,
    "cpu": lambda t: to(t, "cpu"),
    "cuda": lambda t, device=0: to(t, device if isinstance(device, str) else f"cuda:{device}"),
    "type": lambda t, dtype: _to(t, dtype),
    "type_as": lambda t, other: to(t, other.dtype),
    "tolist": lambda t: t.numpy().tolist(),
    "dim": lambda t: t.ndim,
    "ndimension": lambda t: t.ndim,
    "numel": lambda t: int(t.size),
    "nelement": lambda t: int(t.size),
    "element_size": lambda t: t.dtype.itemsize,
    "is_floating_point": lambda t: t.dtype.kind == "f",
    "new_zeros": lambda t, *shape: Tensor(np.zeros_like(unwrap(t), shape=axes_of(shape))),
    "new_ones": lambda t, *shape: Tensor(np.ones_like(unwrap(t), shape=axes_of(shape))),
    "zero_": lambda t: _fill(t, 0),
    "fill_": _fill,
    "fill": _fill,
    "copy_": _fill,
    "new_full": lambda t, size, fill_value: Tensor(np.full_like(unwrap(t), fill_value, shape=size)),
    "new_tensor": lambda t, data: Tensor(data, dtype=t.dtype, device=t.device),
    "is_contiguous": lambda t: bool(unwrap(t).flags.c_contiguous),
    "is_nonzero": lambda t: bool(t),
    "is_same_size": lambda t, other: t.shape == other.shape,
}


def _special(name: str) -> Callable[..., Any]:
    return lambda t, *args: getattr(import_module("scipy.special"), name)(t, *args)


def _spoken(name: str, function: Callable[..., Any], run: Callable[..., Any]) -> Callable[..., Any]:
    """Return a method that takes PyTorch's words for the parameters of NumPy's function."""
    if isinstance(function, np.ufunc):
        return run
    known = list(inspect.signature(function).parameters)[1:]
    own = _OWN_WORDS.get(name, {})

    def method(t: Any, *args: Any, **params: Any) -> Any:
        if params and not params.keys() <= {*known}:
            params = words.translated(name, known, {own.get(word, word): v for word, v in params.items()})
        return run(t, *args, **params)

    update_wrapper(method, function, (), ())
    operation = registry.operations.get(function.__name__)
    what = registry.compositions.get(function) or registry.constants.get(function)
    what = what or (operation.formula if operation else "")
    module = function.__module__.replace("numpy", "np").removeprefix("np.lib")
    method.__doc__ = f"``{module}.{function.__name__}`` of this tensor{f': {what}' * bool(what)}."
    method.__name__ = method.__qualname__ = name
    return method


_OWN_WORDS = {"diagonal": {"dim1": "axis1", "dim2": "axis2"}, "quantile": {"interpolation": "method"}}


def function_of(name: str) -> Any:
    """Return the function of NumPy's that a method of this name is, or None."""
    found: Any = np
    for part in RENAMED.get(name, name).split("."):
        found = getattr(found, part, None)
    return None if isinstance(found, type) else found


def _method(name: str) -> Any:
    """Return what the table has for a method's name by now."""
    function = function_of(name)
    run = None if function is None else registry.functions.get(function)
    return registry.operations.get(RENAMED.get(name, name)) if run is None else _spoken(name, function, run)


def enter() -> None:
    """Let Tensors have the methods whose functions are in the table by now; the others wait until they are."""
    for name in NAMES:
        method = None if name in registry.methods else _method(name)
        if method is not None:
            registry.methods[name] = method
    for name in IN_PLACE:
        if name in registry.methods:
            registry.methods.setdefault(f"{name}_", _in_place(registry.methods[name]))


for _name, _run in _METHODS.items():
    _run.__name__ = _run.__qualname__ = _name  # for Python's own messages: "unsqueeze() missing …"
register_methods(**_METHODS, view=registry.methods["reshape"])
register_methods(**{name: (lambda t, dtype=dtype: to(t, dtype)) for name, dtype in DTYPES.items()})
register_methods(**{name: _special(function) for name, function in SPECIAL.items()})
enter()
