"""The student's code where it runs: loaded cell by cell, then asked to call a function or to run a small program.

This is the far side of ``student.py``. In grading it lives in a process of its own; in ``check`` and in a notebook
it is here. It answers with values and with what went wrong, and never with a verdict.
"""

from __future__ import annotations

import inspect
import linecache
import sys
import traceback
from collections.abc import Callable, Sequence
from types import CodeType, ModuleType
from typing import Any

import numpy as np

import minigrad
from minigrad.course import stand_ins, texts, values
from minigrad.course.cells import Cell
from minigrad.course.install import installed
from minigrad.course.interactive import AWAIT, NOTHING, Shell, as_python
from minigrad.course.places import neutral

_FILE = "<solution"


class Missing(Exception):
    """A name that the student's file does not define."""


class TookTooLong(BaseException):
    """Raised from outside in code that ran for too long; no Exception, so that ``except Exception`` lets it through."""


class Theirs:
    """A student's namespace, and beside it the assignment's own one, in which programs run."""

    def __init__(self, namespace: dict[str, Any] | None = None, shared: dict[str, Any] | None = None) -> None:
        if namespace is None:
            module = ModuleType("solution")
            sys.modules["solution"] = module
            namespace = module.__dict__
        self.namespace = namespace
        self.shared = {"np": np, "mg": minigrad} if shared is None else shared
        self.loaded: dict[str, Cell] = {}

    def load(
        self, cells: Sequence[Cell], before: Callable[[int], None] = lambda number: None
    ) -> list[dict[str, Any]]:
        """Run the cells one by one, like a notebook: one that fails takes nothing else with it.

        ``before`` hears the number of each cell that is about to run. Returns what went wrong.
        """
        problems = []
        shell = Shell(lambda source: self._execute(_compiled(Cell("code", source), "<magic>")))
        stand_ins.shell = shell
        self.namespace |= {"get_ipython": lambda: shell, "display": NOTHING}
        for number, cell in enumerate(cells):
            before(number)
            name = f"{_FILE} {number}>"
            self.loaded[name] = cell
            try:
                self._execute(_compiled(cell, name))
            except BaseException as error:
                problems.append(
                    self.problem(error) | {"cell": cell.name or f"number {number + 1}", "number": number}
                )
        return problems

    def _execute(self, code: CodeType) -> None:
        """Run a cell's code; one that awaits something at its top level runs in a loop of its own."""
        if code.co_flags & inspect.CO_COROUTINE:
            import asyncio  # takes a tenth of a second, and few need it

            asyncio.run(eval(code, self.namespace))
        else:
            exec(code, self.namespace)

    def share(self, cells: Sequence[Cell]) -> None:
        """Run the assignment's own cells, for programs to find their imports and helpers."""
        for cell in cells:
            exec(compile(as_python(cell.source), "<assignment>", "exec"), self.shared)

    def answer(self, header: bytes, body: bytes) -> tuple[bytes, bytes]:
        """Do what a message asks for and return the message that answers it."""
        request = values.decode(header, body)
        try:
            value = self._run(**request) if "source" in request else self._call(**request)
        except BaseException as error:
            return values.encode({"problem": self.problem(error)})
        try:
            return values.encode({"value": value})
        except Exception as error:
            unplain = {"kind": "unplain", "message": _short(error), "line": 0, "text": ""}
            return values.encode({"problem": unplain})

    def _call(self, name: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        return self._found(name)(*map(self._resolved, args), **kwargs)

    def _run(self, source: str, name: str, args: list[Any], install: list[Any]) -> Any:
        scope = dict(self.shared)
        exec(compile(source, "<program>", "exec"), scope)
        with installed([tuple(map(self._resolved, part)) for part in install]):
            return scope[name](*map(self._resolved, args))

    def _resolved(self, value: Any) -> Any:
        return self._found(value.name) if isinstance(value, values.Named) else value

    def _found(self, name: str) -> Any:
        if name not in self.namespace:
            raise Missing(name)
        return self.namespace[name]

    def problem(self, error: BaseException) -> dict[str, Any]:
        """Say what was raised, and in which of the student's lines."""
        kind = next((kind for type_, kind in _KINDS.items() if isinstance(error, type_)), "raised")
        line, text = 0, ""
        try:
            message = f"{error}" if kind in ("missing", "time") else f"{type(error).__name__}: {error}"
            if isinstance(error, SyntaxError) and error.filename in self.loaded:
                line, text, message = int(error.lineno or 0), str(error.text or ""), str(error.msg)
        except BaseException:  # their __str__ may raise too
            message = "an error that cannot be printed"
        message = texts.whole(neutral(message)[:500]).rstrip(": .")
        for frame in traceback.extract_tb(error.__traceback__):
            if frame.filename in self.loaded or "ipykernel" in frame.filename:
                line = frame.lineno or 0
                text = self._text(frame.filename, line)
        return {"kind": kind, "message": message, "line": line, "text": texts.whole(text.strip()[:200])}

    def _text(self, filename: str, line: int) -> str:
        cell = self.loaded.get(filename)
        if cell is None:
            return linecache.getline(filename, line)
        lines = cell.source.split("\n")
        return lines[line - cell.line] if 0 <= line - cell.line < len(lines) else ""


def _short(error: Exception) -> str:
    return neutral(str(error) or type(error).__name__)[:200]


def _compiled(cell: Cell, name: str) -> CodeType:
    """Compile a cell so that its lines have the numbers that they have in the file."""
    source = "\n" * (cell.line - 1) + as_python(cell.source)
    code: CodeType = compile(source, name, "exec", AWAIT, dont_inherit=True)
    return code


_KINDS: dict[type[BaseException], str] = {
    Missing: "missing",
    TookTooLong: "time",
    NotImplementedError: "unwritten",
    SyntaxError: "syntax",
    MemoryError: "memory",
}
