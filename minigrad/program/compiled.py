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
from minigrad.program.batches import Batches, Results
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
        program, broken = self._last, ""
        leaves: Sequence[Any] = args
        if program is not None and not kwargs and program.takes(args):
            case = program.case  # as nearly always, and without taking the arguments apart
        else:
            case, leaves = arguments.split(args, kwargs)
        if program is None or program.case != case or program.guards.broken():
            for program in self._programs.get(case, ()):
                if not (broken := program.guards.broken()):
                    self._last = program
                    break
            else:
                return self._trace(case, args, kwargs, broken)
        program.calls += 1
        if self.verify and _is_due(program.calls):
            return verifying.run(program, self._run, args, kwargs, leaves, self.grads)
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
        with self._lock:
            return self._over(batches_ahead.of(batches), progress)

    def _over(self, batches: Batches, progress: Callable[[Sequence[Any]], None] | None) -> Sequence[Any]:
        held: set[int] = set()
        results, reported, pace = Results(), perf_counter(), Pace()
        while (args := batches.peek()) is not None:
            case, leaves = arguments.split(args, {})
            program = next((each for each in self._programs.get(case, ()) if id(each) in held), None)
            began = perf_counter()
            if program is None or is_watched() or (self.verify and _is_due(program.calls + 1)):
                results.add([self(*args)])
                held.add(id(self._last))
                pace.took(1, perf_counter() - began)
                batches.advance(1)
            elif not self._rounds(program, batches, leaves, results, pace):
                program.calls += 1
                try:
                    results.add([program.run(leaves)])
                except Exception as error:
                    self._fail(error, args, {})
                pace.took(1, perf_counter() - began)
                batches.advance(1)
            if progress is not None and perf_counter() - reported > 0.1:
                progress(results)
                reported = perf_counter()
                held.clear()  # it may have changed anything
        if progress is not None:
            progress(results)
        return results

    def _rounds(self, program: Program, batches: Batches, leaves: Any, results: Results, pace: Pace) -> bool:
        """Run as many rounds as are known ahead, at a stretch that Ctrl-C can wait for; tell whether there were any."""
        if (rounds := program.rounds) is None:
            return False
        most = min(pace.rounds, rounds.most, _before_due(program.calls) if self.verify else pace.rounds)
        ahead = batches.ahead(program.case, most) if most > 1 else None
        if ahead is None:
            return False
        began = perf_counter()
        done, returned = rounds.run(ahead, leaves)
        pace.took(done, perf_counter() - began)
        program.calls += done
        if done:
            results.add(returned)
            batches.advance(done)
        return done > 0

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


def _is_due(calls: int) -> bool:
    """Tell whether this call is one that is compared with the eager step: 2, 3, 4, 8, 16 …"""
    return calls == 3 or calls & (calls - 1) == 0


def _before_due(calls: int) -> int:
    """Return how many calls may come before the next one that is compared."""
    return 0 if calls < 4 else (1 << calls.bit_length()) - 1 - calls


class Pace:
    """How many rounds to run without looking up: about as many as take ``SECONDS``."""

    SECONDS = 0.03

    def __init__(self) -> None:
        self.rounds = 1

    def took(self, rounds: int, seconds: float) -> None:
        """Learn from how long some rounds took."""
        if rounds:
            fitting = int(rounds * self.SECONDS / max(seconds, 1e-6))
            self.rounds = max(1, min(fitting, 64 * self.rounds))


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
