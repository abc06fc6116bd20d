"""Tracer: what stands for an array while a step is traced. It computes what the array would, and notes it down.

NumPy's functions and operators arrive here by the protocols for which kernels, rules and formulas are written; nothing
gives its numbers away, so that nothing can be decided by them that a replayed step would decide anew.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad import backend
from minigrad.program.functions import Attribute, Function, InPlace, Item, Method, OfNumPy, Operator, SetItem

if TYPE_CHECKING:
    from minigrad.program.instructions import Value
    from minigrad.program.trace import Trace


class Tracer:
    """An array of a traced step: ``value`` is what it is this time, ``node`` what it is in every step."""

    __slots__ = ("__weakref__", "node", "trace", "value")
    __array_priority__ = 900  # a Tensor comes first

    def __init__(self, value: Any, node: Value, trace: Trace) -> None:
        self.value, self.node, self.trace = value, node, trace

    # -- what does not depend on the numbers --------------------------------------------------------------

    shape = property(lambda self: self.value.shape)
    dtype = property(lambda self: self.value.dtype)
    ndim = property(lambda self: self.value.ndim)
    size = property(lambda self: self.value.size)
    strides = property(lambda self: self.value.strides)
    flags = property(lambda self: self.value.flags)
    nbytes = property(lambda self: self.value.nbytes)
    itemsize = property(lambda self: self.value.itemsize)

    @property
    def base(self) -> Any:
        """What stands for the array on which this is a view, or None."""
        below = getattr(self.value, "base", None)
        return None if below is None else self.trace.standing_for(below)

    def __len__(self) -> int:
        return len(self.value)

    def __iter__(self) -> Any:
        if not self.value.ndim:
            raise TypeError("iteration over a 0-d array")
        return (self[i] for i in range(len(self)))

    # -- what is noted down -------------------------------------------------------------------------------

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if any(map(_has_precedence, inputs)):
            return NotImplemented
        return self.trace.ufunc(ufunc, method, inputs, options)

    def __array_function__(
        self, function: Callable[..., Any], types: Any, args: tuple[Any, ...], options: dict[str, Any]
    ) -> Any:
        if any(hasattr(kind, "record") for kind in types):
            return NotImplemented
        return self.trace.function(function, args, options)

    def __kernel__(self, kernel: Any, arrays: tuple[Any, ...], options: dict[str, Any]) -> Any:
        """Run a kernel; the launcher asks for this where an array is not one that a kernel takes."""
        if any(hasattr(array, "record") for array in arrays):  # Tensors, which note the reference down
            return kernel.reference(*arrays, **options)
        return self.trace.kernel(kernel, arrays, options)

    def __getitem__(self, place: Any) -> Any:
        return self.trace.record(_ITEM, (self, place))

    def __setitem__(self, place: Any, new: Any) -> None:
        if new is not self or place is not Ellipsis:  # as w[...] += 1 ends
            self.trace.record(_SET_ITEM, (self, place, new), writes=(self,))

    def as_0d_array(self) -> Any:
        """Return what stands for an array of no axes, where this is one of NumPy's scalars; see ``backend``."""
        return self.trace.record(_AS_ARRAY, (self,)) if isinstance(self.value, np.generic) else self

    @property
    def T(self) -> Any:
        """The axes in reverse order."""
        return self.trace.record(_TRANSPOSED, (self,))

    @property
    def flat(self) -> Any:
        """The entries in order."""
        return self.reshape(-1)

    def copy(self, order: str = "C") -> Any:
        """Return a copy."""
        return self.trace.record(_COPY, (self,) if order == "C" else (self, order))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name in _TOLD or not hasattr(np.ndarray, name):
            raise AttributeError(f"an array has no attribute {name!r}", name=name, obj=self)
        if name in _TELLING:
            return lambda *_, **__: self._refused(f".{name}()")
        method = Method(name)
        writes = (self,) if name in _WRITING else ()
        return lambda *args, **options: self.trace.record(method, (self, *args), options, writes)

    # -- what would give its numbers away -----------------------------------------------------------------

    def _refused(self, how: str) -> Any:
        return self.trace.refused(self, how)

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return np.array(self._refused("np.asarray"), dtype=dtype)

    def __bool__(self) -> bool:
        return bool(self._refused("if"))

    def __float__(self) -> float:
        return float(self._refused("float"))

    def __int__(self) -> int:
        return int(self._refused("int"))

    def __index__(self) -> int:
        return operator.index(self._refused("index"))

    def __complex__(self) -> complex:
        return complex(self._refused("complex"))

    def __repr__(self) -> str:
        return repr(self._refused("print"))

    def __str__(self) -> str:
        return str(self._refused("print"))

    def __format__(self, spec: str) -> str:
        return format(self._refused("print"), spec)

    def __contains__(self, item: Any) -> bool:
        return item in self._refused("in")

    def __copy__(self) -> Any:
        return self.copy()

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return self.copy()

    def __reduce__(self) -> Any:
        return self._refused("pickle")

    __hash__ = object.__hash__


class TracedNumber(Tracer):
    """A number of Python's, which takes the dtype of the arrays that it meets; it is no array."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"a number has no attribute {name!r}", name=name, obj=self)


_AS_ARRAY = OfNumPy(np.asarray)
_ITEM, _SET_ITEM, _TRANSPOSED, _COPY = Item(), SetItem(), Attribute("T"), Method("copy")
_TOLD = frozenset({"shape", "dtype", "ndim", "size", "strides", "flags", "nbytes", "itemsize"})
_TELLING = frozenset({"item", "tolist", "tobytes", "tofile", "dump", "dumps", "__dlpack__"})
_WRITING = frozenset({"fill", "sort", "partition", "put", "itemset", "resize", "byteswap"})


def _has_precedence(x: Any) -> bool:
    """Tell whether another type, a Tensor or an expression, has to say what comes of an operator."""
    return not isinstance(x, _KNOWN) and hasattr(x, "__array_ufunc__")


_KNOWN = (Tracer, np.ndarray, np.generic, int, float)


def _operators(name: str, symbol: str) -> None:
    function = Operator(symbol, getattr(operator, name))

    def on_left(self: Tracer, other: Any) -> Any:
        return NotImplemented if _has_precedence(other) else self.trace.record(function, (self, other))

    def on_right(self: Tracer, other: Any) -> Any:
        return NotImplemented if _has_precedence(other) else self.trace.record(function, (other, self))

    plain = name.rstrip("_")
    setattr(Tracer, f"__{plain}__", on_left)
    if plain not in ("lt", "le", "gt", "ge", "eq", "ne"):
        setattr(Tracer, f"__r{plain}__", on_right)
        inside = InPlace(f"{symbol}=", getattr(operator, f"i{plain}"))

        def in_place(self: Tracer, other: Any) -> Any:
            if is_array(self.value):
                return self.trace.record(inside, (self, other), writes=(self,))
            return on_left(self, other)

        setattr(Tracer, f"__i{plain}__", in_place)


for _name, _symbol in {
    "add": "+", "sub": "-", "mul": "*", "truediv": "/", "floordiv": "//", "mod": "%", "pow": "**", "matmul": "@",
    "and_": "&", "or_": "|", "xor": "^", "lshift": "<<", "rshift": ">>",
    "lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!=",
}.items():  # fmt: skip
    _operators(_name, _symbol)


def _unary(name: str, symbol: str) -> None:
    function = Operator(symbol, getattr(operator, name))
    setattr(Tracer, f"__{name}__", lambda self: self.trace.record(function, (self,)))


for _name, _symbol in {"neg": "-", "pos": "+", "invert": "~"}.items():
    _unary(_name, _symbol)

Tracer.__abs__ = lambda self: self.trace.record(Function("abs", abs), (self,))  # type: ignore[attr-defined]


def is_array(x: Any) -> bool:
    """Tell whether something is an array, of whatever library, and not what stands for one."""
    return type(x) is np.ndarray or (not isinstance(x, Tracer) and backend.backend_of(x) is not None)


class _Traced:
    """What ``backend`` knows of tracers: they lie where their arrays lie, and hand no numbers over."""

    def device(self, array: Tracer) -> str:
        return backend.device_of(array.value)

    def from_numpy(self, array: np.ndarray[Any, Any], device: str) -> Any:
        return array

    def to_numpy(self, array: Tracer) -> Any:
        return array.trace.refused(array, "numpy")

    def to_device(self, array: Tracer, device: str) -> Any:
        return array.trace.move(array, device)

    def special(self) -> Any:
        import scipy.special

        return scipy.special

    def uniform(self, rng: np.random.Generator, like: Tracer) -> Any:
        drawn = like.trace.draw(rng, "random", like.shape, dtype=np.float32)
        return backend.to_device(drawn, backend.device_of(like))

    def seed(self, rng: np.random.Generator, like: Tracer) -> Any:
        drawn = like.trace.draw(rng, "integers", 1 << 63).as_0d_array()
        return backend.to_device(drawn, backend.device_of(like))

    def in_order(self, array: Tracer) -> Any:
        return array if array.flags.c_contiguous else array.copy()

    def found(self, wrong: Tracer, what: str) -> bool:
        return wrong.trace.check(wrong, what)


backend.register_type(Tracer, _Traced())
