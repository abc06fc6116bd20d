"""What NumPy asks of a tensor: ``np.sin(t)``, ``a + b``, ``np.add(a, b, out=t)`` and ``np.asarray(t)`` arrive here.

Operators come through NumPy's mixin as ufuncs. Each is looked up in the registry, which ``minigrad.ops`` fills.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import MethodType
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin
from numpy.typing import DTypeLike

from minigrad import backend, messages, registry, switches, words
from minigrad.errors import DeviceError, DtypeError, GradientError, ShapeError
from minigrad.variable import Variable


def _in_place(ufunc: np.ufunc) -> Callable[[Any, Any], Any]:
    """Return the operator that writes into a tensor, or where the graph must see it makes a new one of the same name.

    ``h += p`` on what was computed is ``h = h + p`` in h's dtype and shape: whoever holds the old tensor keeps that.
    """

    def operator(tensor: Variable, other: Any) -> Any:
        if not tensor.rebinds(other):
            return ufunc(tensor, other, out=(tensor,))
        result = ufunc(tensor, other)
        if result.shape != tensor.shape:
            raise ShapeError("MG-103", messages.outgrown(ufunc.__name__, tensor.shape, result.shape))
        return result if result.dtype == tensor.dtype else result.astype(tensor.dtype)

    return operator


class ArrayProtocols(Variable, NDArrayOperatorsMixin):
    """Stands in for an array in NumPy's own functions."""

    __slots__ = ()
    __array_priority__ = 1000  # CuPy asks this before it claims an operator for itself

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method == "__call__":
            if "out" in kwargs:
                return _write(ufunc, inputs, **kwargs)
            operation = registry.functions.get(ufunc) or registry.find(registry.functions, ufunc)
            if operation is None:
                if _wants_gradient((inputs, kwargs)):
                    raise words.no_rule(ufunc.__name__, kwargs)
                return registry.on_arrays(ufunc)(*inputs, **kwargs)
            if not kwargs or registry.options.get(ufunc, set()).issuperset(kwargs):
                return operation(*inputs, **kwargs)
        run = registry.find(registry.methods_of_ufuncs, method)
        assert run is not None  # see minigrad.ops.methods_of_ufuncs
        return run(ufunc, *inputs, **kwargs)

    def __array_function__(
        self, function: Callable[..., Any], types: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        operation = registry.functions.get(function) or registry.find(registry.functions, function)
        if operation is None:
            module = function.__module__.partition(".")[2]
            name = f"{module}.{function.__name__}".lstrip(".")
            if _wants_gradient((args, kwargs)) or isinstance(kwargs.get("out"), Variable):
                raise words.no_rule(name)
            operation = registry.on_arrays(function)
        return operation(*args, **kwargs)

    __iadd__, __isub__, __imul__ = _in_place(np.add), _in_place(np.subtract), _in_place(np.multiply)
    __itruediv__, __ifloordiv__ = _in_place(np.divide), _in_place(np.floor_divide)
    __imod__, __ipow__, __imatmul__ = _in_place(np.remainder), _in_place(np.power), _in_place(np.matmul)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        if self.requires_grad and switches.recording.get():
            instead = words.in_scipy_special(sys._getframe(1)) or (
                "Several tensors become one with np.stack([t0, t1]), which keeps the graph: "
                "np.mean(np.stack([t0, t1]))."
            )
            raise GradientError(
                "MG-208",
                f"{self.label} requires a gradient, and a bare NumPy array would lose its graph. {instead} "
                "Write .numpy() where the numbers alone are meant.",
            )
        if self.device != "cpu":
            raise DeviceError(
                "MG-301", f"{self.label} is on {self.device}. Nothing is copied automatically: .numpy()."
            )
        return np.array(self.data, dtype=dtype, copy=copy)

    @property
    def _mask(self) -> Any:
        """Refuse what np.ma asks for in ``masked * t``, where it would take the bare numbers and lose the graph."""
        if not sys._getframe(1).f_globals.get("__name__", "").startswith("numpy.ma"):
            raise AttributeError("a tensor has no mask")
        raise DtypeError(
            "MG-212",
            f"{self.label} beside a masked array: np.ma would lose its graph. Write m.filled(0) for the masked array.",
        )


def unwrap(value: Any) -> Any:
    """Strip Tensors down to arrays, also inside tuples and lists (an index, say); MG-212 as in ``as_array``."""
    if isinstance(value, Variable):
        return value._data
    if isinstance(value, (tuple, list)):
        return (tuple if isinstance(value, tuple) else list)(unwrap(part) for part in value)
    return backend.as_array(value) if isinstance(value, np.ndarray) else value


def _wants_gradient(value: Any) -> bool:
    """Whether a Tensor that requires a gradient is among the arguments of a call, and recording is on."""
    if isinstance(value, Variable):
        return value.requires_grad and switches.recording.get()
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, (tuple, list)) else ()
    return any(map(_wants_gradient, parts))


def _write(ufunc: np.ufunc, inputs: tuple[Any, ...], out: tuple[Any, ...], **kwargs: Any) -> Any:
    target = out[0]
    if len(out) != 1:
        raise words.no_rule(ufunc.__name__, ["out"])
    if isinstance(target, Variable):
        target.check_writable(*inputs)
    else:
        for x in inputs:
            if isinstance(x, Variable) and x.requires_grad and switches.recording.get():
                raise GradientError("MG-208", messages.into_an_array(ufunc.__name__, x.label))
    ufunc(
        *map(backend.operand, unwrap(inputs)),
        out=unwrap(target),
        **{name: unwrap(value) for name, value in kwargs.items()},
    )
    if isinstance(target, Variable):
        target.bump_version()
    return target


class Method:
    """A method of Tensors that stands in the registry: ``t.sum`` is ``registry.methods["sum"]``, bound to t."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, tensor: Variable | None, owner: type[Variable]) -> Callable[..., Any]:
        method = registry.methods.get(self.name) or registry.find(registry.methods, self.name)
        if method is None:
            hint = words.instead_of_method(self.name)
            raise AttributeError(f"Tensor has no attribute {self.name!r}{hint}", name=self.name, obj=tensor)
        return method if tensor is None else MethodType(method, tensor)
