"""``mg.compile``: a step that is traced at its first call and replayed by its program from then on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import update_wrapper
from threading import RLock
from time import perf_counter
from types import MethodType
from typing import Any

from minigrad import switches
from minigrad.blocks import switched
from minigrad.errors import ConfigError, ProgramError
from minigrad.nn.module import Module
from minigrad.program import arguments, messages, verifying
from minigrad.program import batches as batches_ahead
from minigrad.program.batches import Results
from minigrad.program.capture import Capture
from minigrad.program.program import Program
from minigrad.program.stretches import Stretches

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
        self._eager = function if not isinstance(function, Module) else _without_graph(function)
        self._programs: dict[tuple[Any, ...], list[Program]] = {}
        self._last: Program | None = None
        self.lock = RLock()  # a program has one set of buffers
        update_wrapper(self, function, updated=())
        self.name: str = getattr(function, "__name__", type(function).__name__)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the step: by its program where there is one for this case, else traced."""
        if switches.is_watched():
            return self._eager(*args, **kwargs)
        with self.lock:
            return self._call(args, kwargs)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        """Be a method, where it is defined in a class; each object has programs of its own."""
        return self if instance is None else MethodType(self, instance)

    def _call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        program = self._last
        leaves = None if program is None or kwargs else program.takes(args)
        if program is not None and leaves is not None:
            case = program.case  # as nearly always, and without taking the arguments apart
        else:
            case, leaves = arguments.split(args, kwargs)
        if program is None or program.case != case or program.guards.broken():
            program, broken = self.find(case)
            if program is None:
                return self._trace(case, args, kwargs, broken)
        return self.run(program, leaves, args, kwargs)

    def programs_for(self, case: tuple[Any, ...]) -> Sequence[Program]:
        """Return the programs for a case of arguments, of which at most one holds at present."""
        return self._programs.get(case, ())

    def find(self, case: tuple[Any, ...]) -> tuple[Program | None, str]:
        """Return the program that holds for a case, or None and what does not hold of the one that was last."""
        broken = ""
        for program in self.programs_for(case):
            if not (broken := program.guards.broken()):
                self._last = program
                return program, ""
        return None, broken

    def run(
        self, program: Program, leaves: Sequence[Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Run a program that holds; ``leaves`` are the arrays and numbers among the arguments."""
        program.calls += 1
        if self.verify and verifying.is_due(program.calls):
            return verifying.run(program, self._eager, args, kwargs, leaves, self.grads)
        try:
            return program.run(leaves)
        except Exception as error:
            return self._fail(error, args, kwargs)

    def over(
        self, batches: Iterable[Any], progress: Callable[[Sequence[Any]], None] | None = None
    ) -> Sequence[Any]:
        """Run the step on every batch, a tuple of its arguments or the only one, and return what it returned for each.

        It is looked once for each program whether that holds, and not before every batch. Where the batches lie in a
        list or come from a ``DataLoader`` (without a transform), and the whole step is loops, many batches are one call
        of the driver: Python sees to Ctrl-C, to ``progress`` and to a loss that is NaN, and nothing else.

        ``progress(results)`` is called about ten times a second, and at the end, with the results so far.
        """
        results, reported = Results(), perf_counter()
        stretches = Stretches(self, batches_ahead.of(batches))
        with self.lock:
            while found := stretches.run():
                results.add(found)
                if progress is not None and perf_counter() - reported > 0.1:
                    progress(results)
                    reported = perf_counter()
                    stretches.look_again()
        if progress is not None:
            progress(results)
        return results

    def _trace(self, case: tuple[Any, ...], args: Any, kwargs: Any, broken: str) -> Any:
        reason = broken or ("the first call" if not self._programs else "other arguments")
        if self._count >= self.limit:
            known = [f"{arguments.described(each.case)} ({each.reason})" for each in self]
            new = f"{arguments.described(case)} ({reason})"
            raise ProgramError("MG-634", messages.too_many(self.name, self.limit, known, new))
        captured = Capture(self._eager, args, kwargs, grads=self.grads, strict=self.strict)
        self._last = captured.program
        self._last.reason = reason
        self._programs.setdefault(case, []).insert(0, self._last)
        return captured.result

    def _fail(self, error: Exception, args: Any, kwargs: Any) -> Any:
        """Let the step itself fail, which says more than a kernel does; nothing has changed meanwhile."""
        Capture(self._eager, args, kwargs, grads=self.grads, again=True).rewind()
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
        lines += [f"  {program.summary}" for program in self]
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


def _without_graph(module: Module) -> Callable[..., Any]:
    def forward(*inputs: Any, **options: Any) -> Any:
        with switched(switches.recording, False):
            return module(*inputs, **options)

    forward.__name__ = type(module).__name__
    return forward
