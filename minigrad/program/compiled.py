"""``mg.compile``: a step that is traced at its first call and replayed by its program from then on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import update_wrapper
from threading import RLock
from types import MethodType
from typing import Any

from minigrad import switches
from minigrad.blocks import switched
from minigrad.errors import ConfigError, ProgramError
from minigrad.nn.module import Module
from minigrad.program import arguments, messages, verifying
from minigrad.program.capture import Capture
from minigrad.program.program import Program

PROGRAMS = 4


class Compiled:
    """A function, a training step most often, that runs as a program; ``mg.compile`` makes it.

    There is one program for each case of shapes, dtypes and layouts, of modes and of whatever else the step depends
    on; ``why()`` says which there are and why. What changes from call to call (arrays, rate, schedule, dropout's random
    numbers …) changes for the program too.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        *,
        verify: bool = True,
        grads: bool = False,
        programs: int = PROGRAMS,
        strict: bool = False,
    ) -> None:
        self.function, self.verify, self.grads, self.limit = function, verify, grads, programs
        self.strict = strict  # whether a side effect is an error, and not only told
        self._run = function if not isinstance(function, Module) else _without_graph(function)
        self._programs: dict[tuple[Any, ...], list[Program]] = {}
        self._last: Program | None = None
        self._lock = RLock()
        update_wrapper(self, function, updated=())
        self.name: str = getattr(function, "__name__", type(function).__name__)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the step: by its program where there is one for this case, else traced."""
        if is_watched():
            return self._run(*args, **kwargs)
        with self._lock:  # a program has one set of buffers
            return self._call(args, kwargs)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        """Be a method, where it is defined in a class; each object has programs of its own."""
        return self if instance is None else MethodType(self, instance)

    def _call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        case, leaves = arguments.split(args, kwargs)
        broken = ""
        for program in self._programs.get(case, ()):
            broken = program.guards.broken()
            if not broken:
                self._last = program
                program.calls += 1
                if self.verify and _is_due(program.calls):
                    return verifying.run(program, self._run, args, kwargs, leaves, self.grads)
                try:
                    return program.run(leaves)
                except Exception as error:
                    return self._fail(error, args, kwargs)
        return self._trace(case, args, kwargs, broken)

    def over(self, batches: Iterable[Any]) -> list[Any]:
        """Run the step on every batch, a tuple of its arguments or the only one, and return what it returned for each.

        It is looked once for each program whether that holds, and not before every batch: nothing but the step and
        what gives the batches runs in between.
        """
        with self._lock:
            return self._over(batches)

    def _over(self, batches: Iterable[Any]) -> list[Any]:
        held: set[int] = set()
        results = []
        for batch in batches:
            args = (
                batch if isinstance(batch, tuple) else tuple(batch) if isinstance(batch, list) else (batch,)
            )
            case, leaves = arguments.split(args, {})
            program = next((each for each in self._programs.get(case, ()) if id(each) in held), None)
            if program is None or is_watched() or (self.verify and _is_due(program.calls + 1)):
                results.append(self(*args))
                held.add(id(self._last))
                continue
            program.calls += 1
            try:
                results.append(program.run(leaves))
            except Exception as error:
                results.append(self._fail(error, args, {}))
        return results

    def _trace(self, case: tuple[Any, ...], args: Any, kwargs: Any, broken: str) -> Any:
        reason = broken or ("the first call" if not self._programs else "other arguments")
        if self._count >= self.limit:
            known = [f"{arguments.described(each.case)} ({each.reason})" for each in self]
            new = f"{arguments.described(case)} ({reason})"
            raise ProgramError("MG-634", messages.too_many(self.name, self.limit, known, new))
        captured = Capture(self._run, args, kwargs, grads=self.grads, strict=self.strict)
        self._last = captured.program
        self._last.reason = reason
        self._programs.setdefault(case, []).insert(0, self._last)
        return captured.result

    def _fail(self, error: Exception, args: Any, kwargs: Any) -> Any:
        """Let the step itself fail, which says more than a kernel does; nothing has changed meanwhile."""
        Capture(self._run, args, kwargs, grads=self.grads, again=True).rewind()
        raise error

    def __iter__(self) -> Iterator[Program]:
        return (program for programs in self._programs.values() for program in programs)

    @property
    def _count(self) -> int:
        return sum(map(len, self._programs.values()))

    @property
    def program(self) -> Program:
        """The program of the last call; ProgramError MG-640 before the first."""
        if self._last is None:
            raise ProgramError("MG-640", messages.no_program(self.name))
        return self._last

    def why(self) -> str:
        """Return which programs there are, for which case each, why it was made, how long that took."""
        if not self._programs:
            return f"{self.name}: no program yet; the first call makes one."
        lines = [f"{self.name}: {self._count} of at most {self.limit} programs"]
        lines += [f"  {program.told}" for program in self]
        lines.append(
            "A further one comes with other shapes, dtypes or layouts, another mode (train, eval), other parameters "
            "that require gradients, and wherever a number or an object that the step reads is another one."
        )
        return "\n".join(lines)


def compile(
    function: Callable[..., Any] | None = None,
    *,
    verify: bool = True,
    grads: bool = False,
    programs: int = PROGRAMS,
) -> Any:
    """Make a step run as a program: traced once, and replayed with other numbers from then on.

    ::

        @mg.compile
        def step(x, y):
            optimizer.zero_grad()
            loss = loss_of(model(x), y)
            loss.backward()
            optimizer.step()
            return loss

    Parameters
    ----------
    function : a step, a function that is made of tensors' operations, or a Module, whose results then have no graph.
    verify : run the second, third, fourth, eighth … call eagerly too, and compare (MG-635 where they differ).
    grads : leave gradients that an optimizer has used in ``.grad``, as the eager step does.
    programs : how many programs there may be; one more raises MG-634.

    While somebody watches (``mg.hooks``, ``mg.record``, ``mg.debug``, ``mg.unfused``) the step itself runs. Raises
    ProgramError where the step does what no program can do: decide by the numbers of an array (MG-630), say.
    """
    if function is None:
        return lambda function: compile(function, verify=verify, grads=grads, programs=programs)
    if not callable(function):
        raise ConfigError("MG-802", f"mg.compile needs a function or a Module, not {function!r:.60}.")
    return Compiled(function, verify=verify, grads=grads, programs=programs)


def _is_due(calls: int) -> bool:
    """Tell whether this call is one that is compared with the eager step: 2, 3, 4, 8, 16 …"""
    return calls == 3 or calls & (calls - 1) == 0


def _without_graph(module: Module) -> Callable[..., Any]:
    def forward(*inputs: Any, **options: Any) -> Any:
        with switched(switches.recording, False):
            return module(*inputs, **options)

    forward.__name__ = type(module).__name__
    return forward


def is_watched() -> bool:
    """Tell whether somebody looks at every operation, or the step is part of one that is being traced."""
    return (
        not switches.fusing.get()
        or switches.checksumming.get()
        or any(switches.hooked.get())
        or switches.tracing.get() is not None
    )
