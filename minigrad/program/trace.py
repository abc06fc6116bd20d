"""The trace: a step runs once on the real engine, and all that is done to its arrays is noted down.

Every function runs on the real arrays as it would without a trace, so that the traced step is a step like any other.
Arrays and tracers go by pairs: where a function returns an array that it was given, its tracer comes back, so that
what the engine decides by identity (``part is incoming``) it decides as always.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from keyword import kwlist
from threading import get_ident
from typing import Any

import numpy as np
from minigrad_kernels.launch import is_cupys, kernels

from minigrad.backend import Array, device_of
from minigrad.errors import ProgramError
from minigrad.program import messages, updating
from minigrad.program.closed import Closed
from minigrad.program.functions import Check, Function, Method, Moved, OfKernel, OfNumPy, OfPython, Product
from minigrad.program.instructions import Instruction, Memory, Value, mapped, values
from minigrad.program.origin import origin
from minigrad.program.sources import Constant, Object, Source
from minigrad.program.tracer import TracedNumber, Tracer, is_array
from minigrad.source import here
from minigrad.tensor import Tensor
from minigrad.versions import forget


class Trace:
    """What was noted down of one step: what went in (``given``, by source), and the instructions, in their order."""

    def __init__(self) -> None:
        self.given: list[tuple[Value, Source]] = []
        self.instructions: list[Instruction] = []
        self.draws: list[np.random.Generator] = []
        self.failed: BaseException | None = None
        self.closed = False
        self.device = "cpu"
        self.updated: dict[int, Tensor] = {}
        self.optimizers: list[Any] = []
        self.idle: list[tuple[Any, list[Any]]] = []
        self.losses: list[tuple[Tracer, list[Tensor]]] = []
        self.writes_before: list[tuple[Any, Any]] = []
        self._thread = get_ident()
        self._tracers: dict[int, Tracer] = {}  # by the id of the array, which the tracer keeps alive
        self._objects: dict[int, tuple[Any, Value]] = {}
        self._memories: dict[int, tuple[Any, Memory]] = {}
        self._lifted: list[tuple[Tensor, Array]] = []
        self._closed: dict[Value, Closed] = {}  # what was made where nobody is to read how
        self._count = 0
        self._names = dict.fromkeys((*kernels, *_TAKEN, *kwlist), 1)

    # -- what goes in -------------------------------------------------------------------------------------

    def give(self, value: Any, name: str, source: Source) -> Tracer:
        """Return what stands for an array, or a number, that is there before the step."""
        known = self._tracers.get(id(value))
        if known is not None:
            return known
        self._note_device(value, name)
        tracer = self._tracer(value, self.free(name))
        tracer.node.memory.made = False
        self.given.append((tracer.node, source))
        self._tracers[id(value)] = tracer
        return tracer

    def _note_device(self, value: Any, name: str) -> None:
        """Remember on which GPU the step works; MG-637 where that is none that programs are made for."""
        if is_array(value) and not isinstance(value, np.ndarray):
            where = device_of(value)
            if not is_cupys(value) or self.device not in ("cpu", where):
                raise ProgramError("MG-637", messages.on_device(name, value, where, self.device))
            self.device = where

    def lift(self, tensor: Tensor, name: str, source: Source) -> None:
        """Let a tensor hold what stands for its array, until the trace is closed."""
        array = tensor._data
        if not isinstance(array, Tracer):
            tensor._data = self.give(array, name, source)
            self._lifted.append((tensor, array))

    def enter(self, inputs: Sequence[Any]) -> None:
        """Lift the tensors among an operation's inputs that nobody has found before; ``operation.apply`` calls this."""
        if get_ident() == self._thread:
            for x in inputs:
                if isinstance(x, Tensor) and not isinstance(x._data, Tracer):
                    self.lift(x, x.name or "constant", Constant(x._data))

    def object(self, thing: Any, name: str) -> Value:
        """Return what stands for an object of the host's, a generator or an optimizer."""
        known = self._objects.get(id(thing))
        if known is None:
            known = thing, Value(self.free(name), None, None, Memory(False, 0))
            self._objects[id(thing)] = known
            self.given.append((known[1], Object(thing)))
        return known[1]

    # -- what is done -------------------------------------------------------------------------------------

    def record(
        self,
        function: Function,
        args: tuple[Any, ...],
        options: dict[str, Any] | None = None,
        writes: Sequence[Tracer] = (),
    ) -> Any:
        """Run a function on the real arrays and note it down; return what stands for its result."""
        options = options or {}
        if function.name in _PRODUCTS and len(args) == 2 and not options and self.device != "cpu":
            function = _PRODUCT
        if self.closed:
            raise ProgramError("MG-631", messages.leaked(function.name))
        if get_ident() != self._thread:
            return function.run(*mapped(args, _real), **mapped(options, _real))
        for tracer in writes:
            self._save(tracer)
        try:
            result = function.run(*mapped(args, _real), **mapped(options, _real))
        except BaseException as error:
            self.failed = error
            raise
        phase, location, closed = origin(sys._getframe(1), self._closed)
        written = []
        for tracer in writes:
            tracer.node.memory.written += 1
            written.append(tracer.node.memory)
        before = len(self._tracers)
        arguments, choices = mapped(args, self._node), mapped(options, self._node)
        standing = mapped(result, self._standing)
        made = None if writes and len(self._tracers) == before else mapped(standing, _value)
        if closed is not None:
            self._closed.update(dict.fromkeys(values(made), closed))
            closed = None if isinstance(function, _NAMES) else closed
        self.instructions.append(
            Instruction(function, arguments, choices, made, tuple(written), phase, location, closed)
        )
        return standing

    def ufunc(self, ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
        """See ``Tracer.__array_ufunc__``."""
        out = tuple(each for each in options.get("out", ()) if each is not None)
        for each in out:
            if not isinstance(each, Tracer):
                raise ProgramError("MG-632", messages.into_bare(ufunc.__name__, each))
        writes = (inputs[0],) if method == "at" else out
        return self.record(OfNumPy(ufunc, method), inputs, options, writes)

    def function(self, function: Callable[..., Any], args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        """See ``Tracer.__array_function__``."""
        if function in _STATIC:
            return function(*mapped(args, _real), **mapped(options, _real))
        out = options.get("out")
        writes = [each for each in (out if isinstance(out, tuple) else (out,)) if each is not None]
        if function in _WRITING:
            writes.append(args[0])
        for each in writes:
            if not isinstance(each, Tracer):
                raise ProgramError("MG-632", messages.into_bare(function.__name__, each))
        return self.record(OfNumPy(function), args, options, writes)

    def kernel(self, kernel: Any, arrays: tuple[Any, ...], options: dict[str, Any]) -> Any:
        """See ``Tracer.__kernel__``."""
        out = options.get("out")
        writes = [each for each in (out if isinstance(out, tuple) else (out,)) if isinstance(each, Tracer)]
        if hasattr(kernel, "states"):  # an update rule writes its parameter and its state
            theta, _, *state = arrays[:-1]
            writes += [theta, *state]
        result = self.record(OfKernel(kernel), arrays, options, writes)
        which, of = _GRADIENT.get(kernel.name, (0, None))
        if of is not None and isinstance(arrays[of], Tracer):
            self.rename(result[which], f"d_{arrays[of].node.name}")
        return result

    def draw(self, rng: np.random.Generator, how: str, *args: Any, **options: Any) -> Any:
        """Draw random numbers by a method of the generator's; a replayed step draws the next ones."""
        self.draws.append(rng)
        return self.record(Method(how), (_Host(self.object(rng, "rng"), rng), *args), options)

    def check(self, wrong: Tracer, what: str) -> bool:
        """Tell whether a mask holds anywhere; a replayed step raises then, so that the step is run by itself."""
        if get_ident() == self._thread and not self.closed and not wrong.value.any():
            self.record(_CHECK, (wrong, what))
            return False
        found = bool(wrong.value.any())
        if found and self.failed is None:
            self.failed = ValueError(what)  # who says which number it is may look at it
        return found

    def move(self, tracer: Tracer, device: str) -> Any:
        """Copy what the host has to a GPU, anew in every step; the other way it would have to be waited for."""
        if device_of(tracer) != "cpu":
            return self.refused(tracer, f".to({device!r})")
        moved = self.record(Moved(device), (tracer,))
        self._note_device(moved.value, tracer.node.name)
        return moved

    def host(
        self, function: Function, thing: Any, name: str, *args: Any, writes: Sequence[Tracer] = ()
    ) -> Any:
        """Let an object of the host's, an optimizer, do something in every step."""
        return self.record(function, (_Host(self.object(thing, name), thing), *args), None, writes)

    def update(self, optimizer: Any, work: Sequence[Any], idle: Sequence[Any]) -> None:
        """See ``switches.Tracing.update``."""
        updating.update(self, optimizer, work, idle)

    def arrived(self, loss: Any, leaves: Sequence[Any]) -> None:
        """See ``switches.Tracing.arrived``."""
        if isinstance(loss, Tracer) and loss.size == 1 and device_of(loss) == "cpu":
            self.losses.append((loss, list(leaves)))

    def refused(self, tracer: Tracer, how: str) -> Any:
        """Refuse to give numbers away; after an error, which may want to say them, they are free."""
        if self.closed:
            raise ProgramError("MG-631", messages.leaked(how))
        if self.failed is None and get_ident() == self._thread:
            raise ProgramError("MG-630", messages.data_dependent(tracer.node, how, here()))
        return tracer.value

    # -- when it ends -------------------------------------------------------------------------------------

    def close(self) -> None:
        """Give the lifted tensors their arrays back; nothing is noted down any more."""
        for tensor, array in self._lifted:
            data = tensor._data
            if isinstance(data, Tracer):
                tensor._data = array if data is self._tracers.get(id(array)) else data.value
        forget(self._tracers.values())
        self.closed = True

    def undo(self) -> None:
        """Write the numbers back that memory had which was there before the step."""
        for array, before in self.writes_before:
            array[...] = before

    def _save(self, tracer: Tracer) -> None:
        memory = tracer.node.memory
        if not memory.made and not memory.written:
            whole = next(whole for whole, known in self._memories.values() if known is memory)
            self.writes_before.append((whole, whole.copy()))

    def standing_for(self, array: Any) -> Any:
        """Return what stands for an array, or the array itself where nothing does."""
        return self._tracers.get(id(array), array)

    def tracer_of(self, array: Any) -> Tracer | None:
        """Return what stands for an array, or None."""
        return self._tracers.get(id(array))

    def original(self, tensor: Tensor) -> Any:
        """Return the array that a tensor had before it was lifted."""
        return next((array for lifted, array in self._lifted if lifted is tensor), tensor._data)

    @property
    def values(self) -> dict[Value, Any]:
        """The array of each value in this step."""
        return {tracer.node: tracer.value for tracer in self._tracers.values()}

    @property
    def tracers(self) -> list[Tracer]:
        """Everything that stands for an array."""
        return list(self._tracers.values())

    # -- names, values and places -------------------------------------------------------------------------

    def free(self, name: str) -> str:
        """Return a name that nothing has yet and that is one of Python's."""
        name = "".join(c if c.isalnum() else "_" for c in name).strip("_") or "v"
        if name[0].isdigit():  # a layer's weight in a Sequential is "0.weight"
            name = re.sub(r"^([\d_]+)_(.+)", r"\2_\1", name)
        name = f"_{name}" if name[0].isdigit() else name
        count = self._names.get(name, 0)
        self._names[name] = count + 1
        return self.free(f"{name}_{count}") if count else name

    def take(self, name: str) -> None:
        """Let no value go by a name that is taken elsewhere."""
        self._names.setdefault(name, 1)

    def _next(self) -> str:
        self._count += 1
        return self.free(f"v{self._count}")

    def rename(self, tracer: Any, name: str) -> None:
        """Give what an instruction has made a name that says what it is."""
        if isinstance(tracer, Tracer) and tracer.node.name[1:].isdecimal():
            tracer.node.name = self.free(name)

    def _tracer(self, value: Any, name: str) -> Tracer:
        if isinstance(value, np.generic) or is_array(value):
            in_order = value.flags.c_contiguous
            node = Value(name, value.shape, value.dtype, self._memory(value), in_order)
            return Tracer(value, node, self)
        return TracedNumber(value, Value(name, None, type(value), Memory(True, 0)), self)

    def _memory(self, array: Any) -> Memory:
        if isinstance(array, np.generic):
            return Memory(True, array.nbytes)
        whole: Any = array
        below: Any = array
        while (below := getattr(below, "base", None)) is not None:
            whole = below if is_array(below) else whole
        known = self._memories.get(id(whole))
        if known is None:
            known = whole, Memory(True, whole.nbytes)
            self._memories[id(whole)] = known
        return known[1]

    def _node(self, x: Any) -> Any:
        if isinstance(x, (Tracer, _Host)):
            return x.node
        if is_array(x):
            return self.give(x, "constant", Constant(x)).node
        return x

    def _standing(self, result: Any) -> Any:
        if is_array(result):
            known = self._tracers.get(id(result))
            if known is None:
                known = self._tracers[id(result)] = self._tracer(result, self._next())
            return known
        if isinstance(result, (np.generic, bool, int, float)):
            tracer = self._tracer(result, self._next())
            self._tracers[id(tracer)] = tracer  # by an id that no array has while the tracer is there
            return tracer
        return result


_GRADIENT = {"linear_backward": (0, 2), "softmax_xent_mean_forward_backward": (1, 0)}
"""Which of a kernel's results is the gradient of which of its arguments."""

_PRODUCTS = frozenset({"@", "np.matmul"})
_PRODUCT = Product()

_NAMES = (OfKernel, OfPython)
"""Functions of which a program has the name alone; what a kernel does is closed where it is."""

_TAKEN = ("np", "scipy", "abs", "slice", "float", "to_device", "graph")
"""Names that a program's text uses itself."""


class _Host:
    """An object of the host's among a function's arguments, and what stands for it."""

    def __init__(self, node: Value, thing: Any) -> None:
        self.node, self.thing = node, thing


_CHECK = Check()

_STATIC = frozenset(
    {
        np.shape,
        np.ndim,
        np.size,
        np.result_type,
        np.can_cast,
        np.iscomplexobj,
        np.isrealobj,
        np.may_share_memory,
    }
)
"""Functions whose result does not depend on the numbers."""

_WRITING = frozenset({np.copyto, np.put, np.put_along_axis, np.place, np.putmask, np.fill_diagonal})
"""Functions that write into what they are given first."""


def _real(x: Any) -> Any:
    if isinstance(x, Tracer):
        return x.value
    return x.thing if isinstance(x, _Host) else x


def _value(x: Any) -> Any:
    return x.node if isinstance(x, Tracer) else None
