"""Tensor: an array, its gradient, and the record of how it was made. It does no maths of its own.

Operators and ``np.sin(t)`` arrive through NumPy's protocols, ``t.sum()`` through a ``Method``; both look the
operation up in the registry below, which ``minigrad.ops`` fills.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike

from minigrad import backend, messages, peers, registry, switches, words
from minigrad.array_protocols import ArrayProtocols, Method
from minigrad.array_protocols import unwrap as unwrap
from minigrad.backend import Array
from minigrad.errors import DtypeError, GradientError, warn
from minigrad.methods import Methods
from minigrad.object_protocols import ObjectProtocols
from minigrad.records import Record, Version
from minigrad.tape import Step, arrive, walk
from minigrad.versions import version_of


class Tensor(ArrayProtocols, ObjectProtocols, Methods):
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

    __slots__ = ()

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

    # -- what it holds ------------------------------------------------------------------------------------

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
        self.grad_passes, self.stepped_passes = 0 if value is None else 1, 0

    @property
    def T(self) -> Tensor:
        """The axes in reverse order."""
        transposed: Tensor = self.transpose()
        return transposed

    # -- gradients ----------------------------------------------------------------------------------------

    def backward(self, gradient: Any = None, retain_graph: bool = False, create_graph: bool = False) -> None:
        """Walk the tape back from here and leave dL/d(leaf) in the ``.grad`` of every leaf that asked for it.

        ``gradient`` is dL/d(this), of this tensor's shape; it may be left out for a single number (MG-202).
        The graph is consumed (MG-203 on a second walk) unless ``retain_graph``; with ``create_graph`` the
        gradients are themselves recorded, so that they can be differentiated again.
        """
        for _ in steps(self, gradient, retain_graph=retain_graph, create_graph=create_graph, watched=False):
            pass

    def requires_grad_(self, flag: bool = True) -> Self:
        """Switch the gradient of a leaf on or off; DtypeError MG-210 where the entries are no floats."""
        if flag and self._data.dtype.kind != "f":
            raise DtypeError("MG-210", messages.no_floats(self.dtype))
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
        self.grad_passes = self.stepped_passes = 0

    def detach(self) -> Tensor:
        """Return a tensor on the same memory that is not part of the graph."""
        return wrap(self._data, None, self.version)

    # -- entries and methods ------------------------------------------------------------------------------

    def __getitem__(self, index: Any) -> Tensor:
        picked: Tensor = registry.methods["getitem"](self, index)
        return picked

    def __iter__(self) -> Iterator[Tensor]:
        return (self[i] for i in range(len(self)))

    def __dir__(self) -> list[str]:
        # a Method of the class itself that the registry lacks answers with advice, or was withdrawn
        return [
            name
            for name in super().__dir__()
            if name in registry.methods or not isinstance(vars(Tensor).get(name), Method)
        ]


def register_methods(**methods: Callable[..., Any]) -> None:
    """Let Tensors have these methods."""
    registry.methods.update(methods)
    for name in methods:
        if not hasattr(Tensor, name):
            setattr(Tensor, name, Method(name))


_new = Tensor.__new__


def wrap(data: Array, record: Record | None, version: Version) -> Tensor:
    """Make a tensor around an array that is known to be one; this runs for every operation."""
    tensor = _new(Tensor)
    tensor._fill(data, record, version)
    return tensor


def steps(
    root: Tensor,
    gradient: Any = None,
    *,
    retain_graph: bool = False,
    create_graph: bool = False,
    watched: bool = True,
) -> Iterator[Step]:
    """Walk back from ``root`` one step at a time; the leaves receive their ``.grad`` after the last step."""
    first, passes = seed(root, gradient, create_graph), switches.accumulated_passes.get()
    gradients = {root: first if passes == 1 else backend.as_0d_array(first * (1.0 / passes))}
    yield from walk(gradients, retain_graph=retain_graph, create_graph=create_graph, watched=watched)
    arrive(root, gradients)


def seed(root: Tensor, gradient: Any, create_graph: bool) -> Any:
    """Return dL/d(root), with which a walk begins: 1 unless another ``gradient`` is given."""
    if not root.requires_grad:
        raise GradientError("MG-204", messages.no_graph(root, switches.recording.get()))
    if gradient is None:
        if root._data.size != 1:
            raise GradientError("MG-202", messages.many_outputs(root.label, root.shape))
        first: Any = backend.one_like(root._data)
    elif np.shape(gradient) != root.shape:
        raise GradientError(
            "MG-202", f"gradient= has shape {np.shape(gradient)}, but {root.label} has shape {root.shape}."
        )
    elif isinstance(gradient, Tensor):
        first = gradient if gradient.dtype == root.dtype else gradient.astype(root.dtype)
    else:
        first = backend.as_array(gradient, root.dtype)
    if not create_graph:
        first = first._data if isinstance(first, Tensor) else first
    elif not isinstance(first, Tensor):
        first = wrap(first.copy(), None, Version())  # the graph of the gradient outlives this call
    return first


for _word in (*words.METHODS, *peers.METHODS):
    setattr(Tensor, _word, Method(_word))
