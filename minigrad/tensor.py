"""Tensor: an array, its gradient, and the record of how it was made. It does no maths of its own.

Operators and ``np.sin(t)`` arrive through NumPy's protocols, ``t.sum()`` through a ``_Method``; both look the
operation up in the table below, which ``minigrad.ops`` fills.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from operator import index
from types import MethodType
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin
from numpy.typing import DTypeLike

from minigrad import backend, messages, modes, registry, words
from minigrad.backend import Array
from minigrad.errors import DeviceError, DtypeError, GradientError, ShapeError, warn
from minigrad.source import SourceLocation, here
from minigrad.versions import Version, publish, version_of

if TYPE_CHECKING:
    from minigrad.operation import Record


class Tensor(NDArrayOperatorsMixin):
    """An n-dimensional array that remembers how it was computed.

    Parameters
    ----------
    data : numbers, nested lists, a NumPy or CuPy array. An array is used as it is, not copied, and keeps its
        dtype; Python floats become float32 (``mg.set_default_dtype``), Python integers stay integers. A write through
        any Tensor on that memory is noticed (MG-205), one into the bare array under ``mg.debug()`` alone.
    requires_grad : whether ``backward`` shall leave dL/d(this) in ``.grad``; needs a float dtype (MG-210).
    dtype, device : convert to this dtype, move to this device (``"cpu"``, ``"cuda"``, ``"cuda:1"``).
    name : shown in messages and graphs.
    """

    __slots__ = (
        "__weakref__",
        "_data",
        "_grad",
        "expected_passes",
        "grad_passes",
        "name",
        "record",
        "requires_grad",
        "retains_grad",
        "version",
    )
    __array_priority__ = 1000  # CuPy asks this before it claims an operator for itself

    _data: Array
    _grad: Tensor | Array | None  # a walk leaves bare arrays here
    name: str | None
    record: Record | None
    requires_grad: bool
    retains_grad: bool
    version: Version
    grad_passes: int
    expected_passes: int

    def __init__(
        self,
        data: Any,
        requires_grad: bool = False,
        dtype: DTypeLike | None = None,
        device: str | None = None,
        name: str | None = None,
    ) -> None:
        array = backend.as_array(data.data if isinstance(data, Tensor) else data, dtype)
        if device is not None:
            array = backend.to_device(array, device)
        self._fill(array, None, version_of(array))
        self.name = name
        self.requires_grad_(requires_grad)

    def _fill(self, data: Array, record: Record | None, version: Version) -> None:
        self._data = data
        self.record = record
        self.requires_grad = record is not None
        self.version = version
        self.name = self._grad = None
        self.retains_grad = False
        self.grad_passes = 0
        self.expected_passes = 1

    # -- what it holds ------------------------------------------------------------------------------------

    @property
    def data(self) -> Array:
        """The array itself, without a copy and without recording."""
        publish(self._data, self.version)
        return self._data

    @data.setter
    def data(self, value: Any) -> None:
        array = backend.as_array(value.data if isinstance(value, Tensor) else value)
        if array is self._data:  # t.data += 1 has written into it
            self.bump_version(how="data")
        else:
            self._data, self.version = array, version_of(array)
            self.version.location, self.version.how = here(), "data"

    @property
    def grad(self) -> Tensor | None:
        """dL/d(this), summed over the backward passes since it was last None.

        Only leaves keep theirs; MG-218 warns where the result of an operation is asked for one.
        """
        grad = self._grad
        if grad is None or isinstance(grad, Tensor):
            if grad is None and self.record is not None and not self.retains_grad:
                warn("MG-218", messages.no_leaf(self.label, self.name, self.record.location))
            return grad
        self._grad = wrapped = wrap(grad, None, Version())
        return wrapped

    @grad.setter
    def grad(self, value: Tensor | Array | None) -> None:
        if value is not None and not hasattr(value, "shape"):
            if np.shape(value) != self.shape:
                raise GradientError("MG-219", messages.no_gradient(self.label, self.name, self.shape, value))
            value = np.asarray(value, self.dtype)
        self._grad = value if value is None or isinstance(value, Tensor) else Tensor(value)
        self.grad_passes = 0 if value is None else 1

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes."""
        shape: tuple[int, ...] = self._data.shape
        return shape

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return int(self._data.ndim)

    @property
    def size(self) -> int:
        """Number of entries; called as in PyTorch, ``t.size()`` is the shape and ``t.size(0)`` one length of it."""
        return backend.Size(self._data)

    @property
    def dtype(self) -> np.dtype[Any]:
        """NumPy dtype of the entries."""
        dtype: np.dtype[Any] = self._data.dtype
        return dtype

    @property
    def device(self) -> str:
        """Where the array lives: ``"cpu"``, ``"cuda:0"`` …"""
        return backend.device_of(self._data)

    @property
    def is_leaf(self) -> bool:
        """Whether this was made by the user and not by an operation."""
        return self.record is None

    @property
    def T(self) -> Tensor:
        """The axes in reverse order."""
        transposed: Tensor = self.transpose()
        return transposed

    def numpy(self) -> np.ndarray[Any, Any]:
        """Return the entries as a NumPy array on the host, sharing memory where it can."""
        return backend.to_numpy(self.data)

    def item(self) -> float | int | bool:
        """Return the single entry as a Python number; ShapeError MG-104 where there is not exactly one."""
        if self._data.size != 1:
            raise ShapeError(
                "MG-104",
                f"{self.label} has shape {self.shape}, which is {self.size} numbers, not one. "
                "Pick one, t[0], or bring them down to one: t.mean(), t.sum().",
            )
        number: float | int | bool = backend.to_numpy(self._data).item()
        return number

    @property
    def label(self) -> str:
        """The name in quotes, or a description, for messages."""
        if self.name:
            return f"'{self.name}'"
        return "this tensor" if self.record is None else f"the result of {self.record.operation.name}"

    # -- gradients ----------------------------------------------------------------------------------------

    def backward(self, gradient: Any = None, retain_graph: bool = False, create_graph: bool = False) -> None:
        """Walk the tape back from here and leave dL/d(leaf) in the ``.grad`` of every leaf that asked for it.

        ``gradient`` is dL/d(this), of this tensor's shape; it may be left out for a single number (MG-202).
        The graph is consumed (MG-203 on a second walk) unless ``retain_graph``; with ``create_graph`` the
        gradients are themselves recorded, so that they can be differentiated again.
        """
        registry.methods["backward"](self, gradient, retain_graph=retain_graph, create_graph=create_graph)

    def requires_grad_(self, flag: bool = True) -> Self:
        """Switch the gradient of a leaf on or off; DtypeError MG-210 where the entries are no floats."""
        if flag and self._data.dtype.kind != "f":
            raise DtypeError(
                "MG-210",
                f"requires_grad needs floats; got {self.dtype}. "
                "Write Tensor([1., 2., 3.], requires_grad=True), with decimal points, or pass dtype='float32'.",
            )
        if not flag and self.record is not None:
            raise GradientError(
                "MG-206", f"{self.label} was computed from others and cannot forget it. Use .detach()."
            )
        self.requires_grad = flag
        return self

    def retain_grad(self) -> Self:
        """Keep ``.grad`` here although an operation made this tensor (a leaf keeps its own anyway)."""
        self.retains_grad = True
        return self

    def zero_grad(self) -> None:
        """Forget the gradient: ``.grad`` becomes None."""
        self._grad = None
        self.grad_passes = 0

    def detach(self) -> Tensor:
        """Return a tensor on the same memory that is not part of the graph."""
        return wrap(self._data, None, self.version)

    def bump_version(self, location: SourceLocation | None = None, how: str = "in place") -> None:
        """Note that the entries were written in place, so that a stale graph can say so (MG-205).

        ``how`` is a key of ``messages.WRITES``, which knows what to do instead.
        """
        self.version.written(location or here(), how)

    def check_writable(self, *sources: Any) -> None:
        """Raise MG-207 where writing ``sources`` into this tensor would go unnoticed by the graph."""
        if modes.recording.get() and any(isinstance(t, Tensor) and t.requires_grad for t in (self, *sources)):
            leaf = self.requires_grad and self.record is None
            raise GradientError("MG-207", messages.unseen_write(self.label, self.name, leaf))

    # -- NumPy's protocols --------------------------------------------------------------------------------

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method == "__call__":
            if "out" in kwargs:
                return _write(ufunc, inputs, **kwargs)
            operation = registry.functions.get(ufunc)
            if operation is not None and not kwargs:
                return operation(*inputs)
        raise words.no_rule(ufunc.__name__ + ("" if method == "__call__" else f".{method}"), kwargs)

    def __array_function__(
        self, function: Callable[..., Any], types: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        operation = registry.functions.get(function)
        if operation is None:
            module = function.__module__.partition(".")[2]
            raise words.no_rule(f"{module}.{function.__name__}".lstrip("."))
        return operation(*args, **kwargs)

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Callable[..., Any]:
            """What ``register_methods`` has added; a real __getattr__ would make every attribute far slower."""

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        if self.requires_grad:
            raise GradientError(
                "MG-208",
                f"{self.label} requires a gradient, and a bare NumPy array would lose its graph. Several tensors "
                "become one with np.stack([t0, t1]), which keeps the graph: np.mean(np.stack([t0, t1])). "
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

    # -- Python's protocols -------------------------------------------------------------------------------

    def __getitem__(self, index: Any) -> Tensor:
        picked: Tensor = registry.methods["getitem"](self, index)
        return picked

    def __setitem__(self, index: Any, value: Any) -> None:
        self.check_writable(value)
        self._data[unwrap(index)] = backend.operand(unwrap(value))
        self.bump_version(how="entry")

    def __len__(self) -> int:
        if self.ndim == 0:
            raise TypeError("a 0-dimensional tensor has no length")
        return self.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        return (self[i] for i in range(len(self)))

    def __bool__(self) -> bool:
        if self._data.size != 1:
            raise ShapeError("MG-104", messages.many_truths(self.label, self.shape))
        return bool(self.item())

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        number: Any = self.item()
        return index(number)

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec else str(self)

    __hash__ = object.__hash__  # == compares entries, so identity has to be asked for by name

    def __copy__(self) -> Self:
        return self._twin(self._data, self.version)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self._twin(self._data.copy(), Version())

    def _twin(self, data: Array, version: Version) -> Self:
        self._check_outside_graphs("copied", "copy .detach() instead")
        twin = type(self).__new__(type(self))
        twin._fill(data, None, version)
        twin.name, twin.requires_grad = self.name, self.requires_grad
        return twin

    def __reduce__(self) -> tuple[Any, ...]:
        self._check_outside_graphs("pickled", "pickle .detach(), or better save .numpy() with np.save")
        return type(self), (self._data, self.requires_grad, None, None, self.name)

    def _check_outside_graphs(self, done: str, instead: str) -> None:
        if self.record is not None:
            raise GradientError(
                "MG-206", f"{self.label} is part of a graph and cannot be {done} without it: {instead}."
            )

    def __repr__(self) -> str:
        entries = np.array2string(backend.to_numpy(self._data), separator=", ", precision=4, prefix="Tensor(")
        parts = [entries]
        if self.dtype != backend.default_dtype():
            parts.append(f"dtype={self.dtype}")
        if self.device != "cpu":
            parts.append(f"device='{self.device}'")
        if self.name:
            parts.append(f"name='{self.name}'")
        if self.record is not None:
            parts.append(f"from {self.record.operation.name}")
        elif self.requires_grad:
            parts.append("requires_grad=True")
        return f"Tensor({', '.join(parts)})"


class _Method:
    """A method of Tensors that stands in the table: ``t.sum`` is ``registry.methods["sum"]``, bound to t."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, tensor: Tensor | None, owner: type[Tensor]) -> Callable[..., Any]:
        method = registry.methods.get(self.name)
        if method is None:
            hint = words.instead_of_method(self.name)
            raise AttributeError(f"Tensor has no attribute {self.name!r}{hint}", name=self.name, obj=tensor)
        return method if tensor is None else MethodType(method, tensor)


def register_methods(**methods: Callable[..., Any]) -> None:
    """Let Tensors have these methods."""
    registry.methods.update(methods)
    for name in methods:
        if not hasattr(Tensor, name):
            setattr(Tensor, name, _Method(name))


_new = Tensor.__new__


def wrap(data: Array, record: Record | None, version: Version) -> Tensor:
    """Make a tensor around an array that is known to be one; this runs for every operation."""
    tensor = _new(Tensor)
    tensor._fill(data, record, version)
    return tensor


def unwrap(value: Any) -> Any:
    """Strip Tensors down to arrays, also inside tuples and lists (an index, say); MG-212 as in ``as_array``."""
    if isinstance(value, Tensor):
        return value._data
    if isinstance(value, (tuple, list)):
        return (tuple if isinstance(value, tuple) else list)(unwrap(part) for part in value)
    return backend.as_array(value) if isinstance(value, np.ndarray) else value


def _write(ufunc: np.ufunc, inputs: tuple[Any, ...], out: tuple[Any, ...], **kwargs: Any) -> Any:
    target = out[0]
    if len(out) != 1:
        raise words.no_rule(ufunc.__name__, ["out"])
    if isinstance(target, Tensor):
        target.check_writable(*inputs)
    else:
        for x in inputs:
            if isinstance(x, Tensor) and x.requires_grad and modes.recording.get():
                raise GradientError("MG-208", messages.into_an_array(ufunc.__name__, x.label))
    ufunc(
        *map(backend.operand, unwrap(inputs)),
        out=unwrap(target),
        **{name: unwrap(value) for name, value in kwargs.items()},
    )
    if isinstance(target, Tensor):
        target.bump_version()
    return target


for _word in words.refused():
    setattr(Tensor, _word, _Method(_word))
