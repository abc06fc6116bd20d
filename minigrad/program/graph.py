"""The third target: a CUDA graph, for a program whose arrays are CuPy's.

The program runs once more, instruction by instruction, and every array that it makes stays. Then it runs again in a
stream that captures: nothing is worked out, and CUDA notes down each launch with its addresses. From then on the step
is one launch of the graph. What the host gives it (coefficients, random numbers, a batch) goes into buffers of the
graph's own before that. A graph does not know whose memory its addresses are: all of it is held here.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from minigrad_kernels import gpu
from minigrad_kernels.captured import OwnProducts
from minigrad_kernels.updates import UpdateRule, update_all

from minigrad.errors import ProgramError
from minigrad.optim.optimizer import Optimizer
from minigrad.program import messages, source
from minigrad.program.functions import Moved, OfKernel, OfNumPy, Operator, SetItem
from minigrad.program.instructions import Instruction, Listing, Memory, Value, arrays_of, mapped, values
from minigrad.program.steps import root_of
from minigrad.program.tracer import is_array


def is_for(listing: Listing, given: Sequence[Any]) -> bool:
    """Tell whether a program works on a GPU."""
    return any(map(_is_there, given)) or any(isinstance(i.function, Moved) for i in listing.instructions)


class Graph:
    """A listing captured with ``given`` as the first arrays; ``first`` is what it kept of them.

    ``changing`` says of each value that is given whether it is another array in every call.
    """

    def __init__(self, listing: Listing, given: Sequence[Any], changing: Sequence[bool]) -> None:
        self._listing = listing
        self._copied = {value for value, often in zip(listing.given, changing, strict=True) if often}
        self._fixed: list[tuple[int, Any]] = []
        self._held: list[Any] = []
        self._used: Any = None
        self._replay: Any = None
        self.first = self._capture(given)

    def run(self, given: Sequence[Any]) -> tuple[Any, ...]:
        """Launch the graph; return what the program keeps. Where a parameter lies elsewhere, it is captured anew."""
        moved = [k for k, array in self._fixed if given[k] is not array]
        if moved:
            found = [self._listing.given[k] for k in moved]
            self._copied.update(value for value in found if not value.memory.written)
            return self._capture(given)
        stream = gpu.xp().cuda.get_current_stream()
        if stream != self._used:
            stream.wait_event(self._used.record())
            self._used = stream
        kept: tuple[Any, ...] = self._replay(*given)
        return kept

    # -- making it ----------------------------------------------------------------------------------------

    def _capture(self, given: Sequence[Any]) -> tuple[Any, ...]:
        """Run the program, and capture it; everything is as it was where that fails."""
        cuda = gpu.xp().cuda
        before = [
            (each, _copied(value, each)) for value, each in zip(self._listing.given, given, strict=True)
        ]
        self._held = []
        self._pool = cuda.MemoryPool()  # what is made for a moment while it captures lies here for good
        self._used = cuda.get_current_stream()
        own = cuda.Stream(non_blocking=True)
        own.wait_event(self._used.record())
        try:
            with (
                own,
                cuda.using_allocator(self._pool.malloc),
                gpu.using(OwnProducts(gpu.device(), self._held)),
            ):
                making = _Making(self._listing, given, self._copied)
                graph = _captured(own, making.work)
        except BaseException:
            for each, saved in before:
                _put_back(each, saved)
            raise
        self._used.wait_event(own.record())
        self._held.append(making.env)
        self._fixed = [
            (k, each)
            for k, (value, each) in enumerate(zip(self._listing.given, given, strict=True))
            if _is_there(each) and value not in self._copied
        ]
        self.text = making.text(as_read=True)
        scope = {**source.scope(self._listing), **making.scope, "graph": graph}
        exec(compile(making.text(), "<graph>", "exec"), scope)
        self._replay = scope["replay"]
        return making.kept()


class _Making:
    """The run before the capture: each value gets its array, and the replay the lines that the host does."""

    def __init__(self, listing: Listing, given: Sequence[Any], copied: set[Value]) -> None:
        self.env: dict[Value, Any] = {}
        self.scope: dict[str, Any] = {}
        self.work: list[_Work] = []
        self._read: dict[str, str] = {}  # what is read in the place of a line of the host's
        self._listing, self._before, self._after = listing, list[str](), list[str]()
        self._roots: set[int] = set()
        self._memories: set[Memory] = set()
        self._back: list[tuple[Any, Any]] = []
        self._own: set[Memory] = set()
        self._buffers: dict[tuple[Value, Any], Any] = {}
        self._taken = {v.name for each in listing.instructions for v in (*each.reads, *each.makes)}
        self._taken |= {value.name for value in listing.given}
        for value, each in zip(listing.given, given, strict=True):
            self._give(value, each, value in copied)
        for part in _parts(listing.instructions):
            self._do(part)
        while self._before and self._before[-1].endswith(".t += 1"):  # what fails before it has done no step
            self._after.append(self._before.pop())

    def text(self, as_read: bool = False) -> str:
        """The replay as Python; ``as_read`` by people, who see no line of a formula that is closed."""
        names = ", ".join(value.name for value in self._listing.given)
        done = ", ".join(each.instruction.name for each in self.work)
        lines = [*self._before, f"graph.launch()  # {done}", *self._after]
        lines = [self._read.get(line, line) for line in lines] if as_read else lines
        lines.append(f"return ({''.join(f'{self._kept_text(value)}, ' for value in self._listing.kept)})")
        return "\n".join([*source.wrapped("def replay(", names), *(f"    {line}" for line in lines), ""])

    def kept(self) -> tuple[Any, ...]:
        """What the program has kept in this run; what it wrote into arguments goes back there."""
        for each, buffer in self._back:
            each[...] = buffer
        return tuple(
            self.env[value].copy() if value.memory in self._own else self.env[value]
            for value in self._listing.kept
        )

    def _kept_text(self, value: Value) -> str:
        if value in self._listing.given or not _is_there(self.env[value]):
            return value.name
        name = self._named(f"{value.name}_there", self.env[value])
        return f"{name}.copy()" if value.memory in self._own else name

    # -- what is given ------------------------------------------------------------------------------------

    def _give(self, value: Value, each: Any, copied: bool) -> None:
        self._memories.add(value.memory)
        if _is_there(each) and copied:
            buffer = gpu.xp().empty_like(each)
            buffer[...] = each
            name = self._named(f"{value.name}_in", buffer)
            self._before.append(f"{name}[...] = {value.name}")
            if value.memory.written:
                self._after.append(f"{value.name}[...] = {name}")
                self._back.append((each, buffer))
            self._own.add(value.memory)
            each = buffer
        self._bind(value, each)

    def _there(self, value: Value, instruction: Instruction) -> Any:
        """Return what an instruction of the graph reads: an array on the device, which the host may fill before."""
        found = self.env[value]
        if value.dtype is None or _is_there(found):
            return found
        if value.shape is None and not isinstance(instruction.function, (Operator, SetItem, OfNumPy)):
            raise ProgramError("MG-660", messages.frozen(value.name, instruction, source.place(instruction)))
        dtype = _weak(found, instruction, self.env) if value.shape is None else found.dtype
        key = value, dtype
        if key not in self._buffers:
            self._buffers[key] = self._filled(value, dtype)
        return self._buffers[key]

    def _filled(self, value: Value, dtype: Any) -> Any:
        """Return a new buffer on the device, into which what the host has is written here and in every replay."""
        found = self.env[value]
        buffer = gpu.xp().empty(np.shape(found), dtype)
        buffer.set(np.asarray(found, dtype))
        name = self._named(f"{value.name}_in", buffer)
        self._before.append(f"{name}.set(np.asarray({value.name}, {name}.dtype))")
        return buffer

    def _named(self, name: str, array: Any) -> str:
        while name in self._taken or self.scope.setdefault(name, array) is not array:
            name += "_"
        return name

    def _bind(self, value: Value, found: Any) -> None:
        self.env[value] = found
        if _is_there(found):
            self._roots.add(id(root_of(found)))

    # -- what is done -------------------------------------------------------------------------------------

    def _do(self, part: Sequence[Instruction]) -> None:
        first = part[0]
        function = first.function
        if isinstance(function, Moved):
            value = next(first.reads)
            self._memories.add(first.result.memory)
            self._own.add(first.result.memory)
            self._bind(first.result, self._filled(value, self.env[value].dtype))
            return
        if not any(_is_there(self.env[value]) for value in first.reads):
            for each in part:
                self._by_host(each)
            return
        arguments = [self._real(each, each.arguments) for each in part]
        options = self._real(first, first.options)
        if len(part) > 1:
            theta, coefficients = arguments[0][0], arguments[0][-1]
            rule = function.kernel  # type: ignore[attr-defined]
            alike = [[*each[:-1]] for each in arguments]
            if all(a.flags.c_contiguous and a.dtype == theta.dtype for each in alike for a in each):
                update = _Work(first, lambda: update_all(rule.name, alike, coefficients, rule.source))
                update.again()
                self.work.append(update)
                return
            for each in part:
                self._do([each])
            return
        self._by_device(first, arguments[0], options)

    def _by_host(self, instruction: Instruction) -> None:
        args, options = self._real(None, instruction.arguments), self._real(None, instruction.options)
        found = instruction.function.run(*args, **options)
        self._before.append(instruction.code())
        self._read[instruction.code()] = instruction.text()
        for value, each in zip(instruction.makes, arrays_of(instruction.result, found), strict=True):
            self._bind(value, each)
        for memory in instruction.writes:  # who reads it afterwards wants other numbers
            self._buffers = {key: each for key, each in self._buffers.items() if key[0].memory is not memory}

    def _by_device(self, instruction: Instruction, args: Any, options: Any) -> None:
        function = instruction.function
        found = function.run(*args, **options)
        targets: list[Any] = []
        is_new = False
        for value, each in zip(instruction.makes, arrays_of(instruction.result, found), strict=True):
            if value in self.env or value.memory in self._memories:  # given back, or a view of what stays
                targets.append(None)
            else:
                each = each.copy() if id(root_of(each)) in self._roots else each
                self._memories.add(value.memory)
                self._own.add(value.memory)
                targets.append(each)
                is_new = True
            if value not in self.env:
                self._bind(value, each)
        if is_new or instruction.writes or not targets:
            self.work.append(_Work(instruction, _again(instruction, args, options, targets)))

    def _real(self, instruction: Instruction | None, structure: Any) -> Any:
        def leaf(x: Any) -> Any:
            if not isinstance(x, Value):
                return x
            return self.env[x] if instruction is None else self._there(x, instruction)

        return mapped(structure, leaf)


class _Work:
    """An instruction of the graph, and how it is done once more on the same arrays."""

    __slots__ = ("again", "instruction")

    def __init__(self, instruction: Instruction, again: Callable[[], Any]) -> None:
        self.instruction, self.again = instruction, again


def _again(instruction: Instruction, args: Any, options: Any, targets: Sequence[Any]) -> Callable[[], Any]:
    """Return what does an instruction into the arrays that it has made the first time."""
    function = instruction.function
    if (
        isinstance(function, OfKernel)
        and _takes_out(function, options)
        and targets
        and all(each is not None for each in targets)
    ):
        into = dict(zip(instruction.makes, targets, strict=True))
        out = mapped(instruction.result, into.get)
        return lambda: function.run(*args, **options, out=out)
    ufunc: Any = _UFUNCS.get(function.name) if isinstance(function, Operator) else None
    if isinstance(function, OfNumPy) and function.is_ufunc and function.home == "numpy":
        ufunc = function.run
    is_single = isinstance(instruction.result, Value) and targets[0] is not None
    if ufunc is not None and is_single and "out" not in options:
        return lambda: ufunc(*args, **options, out=targets[0])

    def do() -> None:
        found = arrays_of(instruction.result, function.run(*args, **options))
        for target, each in zip(targets, found, strict=True):
            if target is not None:
                target[...] = each

    return do


def _takes_out(function: OfKernel, options: Any) -> bool:
    return "out" not in options and "out" in inspect.signature(function.kernel.reference).parameters


_UFUNCS = {"+": np.add, "-": np.subtract, "*": np.multiply, "/": np.true_divide}


def _captured(stream: Any, work: Sequence[_Work]) -> Any:
    """Return the graph of this work; MG-659 where something in it cannot be captured."""
    stream.begin_capture()
    for each in work:
        try:
            each.again()
        except Exception as error:
            _give_up(stream)
            where = source.place(each.instruction)
            raise ProgramError("MG-659", messages.not_captured(each.instruction, where, error)) from error
        except BaseException:
            _give_up(stream)
            raise
    return stream.end_capture()


def _give_up(stream: Any) -> None:
    try:
        stream.end_capture()
    except Exception:  # what could not be captured has made it invalid, and it ends by saying so
        return


def _parts(instructions: Sequence[Instruction]) -> Iterator[list[Instruction]]:
    """Yield the instructions, those together that update parameters by one rule and the same coefficients."""
    part: list[Instruction] = []
    for each in instructions:
        if part and not (_is_update(each) and _is_update(part[0]) and _numbers(each) == _numbers(part[0])):
            yield part
            part = []
        part.append(each)
    if part:
        yield part


def _is_update(instruction: Instruction) -> bool:
    function = instruction.function
    return isinstance(function, OfKernel) and isinstance(function.kernel, UpdateRule)


def _numbers(update: Instruction) -> tuple[str, Any]:
    return update.function.name, update.arguments[-1]


def _is_there(x: Any) -> bool:
    return is_array(x) and not isinstance(x, np.ndarray)


def _weak(number: Any, instruction: Instruction, env: dict[Value, Any]) -> Any:
    """Return the dtype that a Python number takes among arrays: theirs, if it can hold a number of that kind."""
    arrays = [env[value] for value in values(instruction.arguments) if _is_there(env[value])]
    dtype = np.result_type(*(each.dtype for each in arrays))
    return dtype if dtype.kind == "f" or isinstance(number, int) else np.dtype(np.float64)


def _copied(value: Value, each: Any) -> Any:
    if isinstance(each, np.random.Generator):
        return each.bit_generator.state
    if isinstance(each, Optimizer):
        return each.t
    return each.copy() if value.memory.written and is_array(each) else None


def _put_back(each: Any, saved: Any) -> None:
    if isinstance(each, np.random.Generator):
        each.bit_generator.state = saved
    elif isinstance(each, Optimizer):
        each.t = saved
    elif saved is not None:
        each[...] = saved
