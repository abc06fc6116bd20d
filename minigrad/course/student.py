"""What a test sees of the student: functions that can be called and programs that can be run, wherever they are."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable, Sequence
from typing import Any

from minigrad.course import values
from minigrad.course.install import Description
from minigrad.course.places import neutral

Ask = Callable[[bytes, bytes], tuple[bytes, bytes]]


class Problem(Exception):
    """The student's code did not give a value: ``kind`` says why, ``line`` and ``text`` where.

    Kinds: missing (no such function), unwritten, syntax, raised, memory, unplain (a result that is no number and no
    array); and where it has a process of its own: died, time, forged.
    """

    def __init__(self, kind: str, message: str = "", line: int = 0, text: str = "") -> None:
        super().__init__(message or kind)
        self.kind, self.message, self.line, self.text = kind, message, line, text


class Function(values.Named):
    """A function of the student's; calling it gives what it returned, made of plain values.

    The arguments that it gets are copies, and so is what it returns. It may itself be an argument of a program.
    """

    def __init__(self, student: Student, name: str) -> None:
        super().__init__(name)
        self._student = student

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it with plain values; raises Problem where it gives none back."""
        self._student.called_ = self.name
        return self._student._asked({"name": self.name, "args": list(args), "kwargs": kwargs})


class Student:
    """``student.f`` is the student's function f; ``student.run`` runs a program where their code is."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self.called_ = ""  # which of their functions were asked for last, in words

    def __getattr__(self, name: str) -> Function:
        if name.startswith("_"):
            raise AttributeError(name)
        return Function(self, name)

    def run(self, program: Callable[..., Any], *args: Any, install: Sequence[Description] = ()) -> Any:
        """Run ``program(*args)`` where the student's code is, with their functions in the engine as ``install`` says.

        The program travels as text: it may use ``np``, ``mg``, its arguments (student's functions among them) and what
        the assignment's own cells define, and it returns plain values. Called here as it is, the same program
        gives what the engine's own functions lead to.
        """
        used = [*args, *(part for description in install for part in description)]
        names = dict.fromkeys(part.name for part in used if isinstance(part, values.Named))
        self.called_ = f"{', '.join(names)} in a small program"
        source = textwrap.dedent(inspect.getsource(program))
        request = {"source": source, "name": program.__name__, "args": list(args), "install": list(install)}
        return self._asked(request)

    def perhaps(self, function: Callable[..., Any], *args: Any) -> Any:
        """Call one of the student's functions that another question is about; None where it gives no value.

        What is being tested stays what was called last.
        """
        before = self.called_
        try:
            return function(*args)
        except Problem:
            return None
        finally:
            self.called_ = before

    def _asked(self, request: dict[str, Any]) -> Any:
        try:
            reply = values.decode(*self._ask(*values.encode(request)))
            if type(reply) is dict and list(reply) == ["value"]:
                return reply["value"]
            problem = reply["problem"]
            kind, message, line, text = (problem[key] for key in ("kind", "message", "line", "text"))
        except (values.NotPlain, KeyError, TypeError) as error:
            raise Problem("forged", f"the answer was no answer ({error})") from error
        if not (type(kind) is type(message) is type(text) is str and type(line) is int):
            raise Problem("forged", "the answer was no answer")
        raise Problem(kind, neutral(message)[:500], line, neutral(text)[:200])
