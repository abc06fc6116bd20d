"""The lines of an optimizer's formula with their values: its source, read statement by statement and evaluated.

There is no second copy of any formula here, so what is shown is what ``optim/formulas.py`` says.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from minigrad import backend
from minigrad.optim import Update, formulas
from minigrad.viz.trace import Row


def rows(update: Update) -> tuple[Row, ...]:
    """Return the lines of one parameter's update.

    First what is given: theta, g, the old state and the coefficients; then each line of the formula, of which the last
    is the new theta. Where the gradient is clipped or has an L2 penalty's part added, the line that does so comes
    before the others. A formula whose source cannot be read gives its result alone.
    """
    optimizer = update.optimizer
    theta, g = backend.to_numpy(update.theta), backend.to_numpy(update.g)
    state = {name: backend.to_numpy(array) for name, array in update.state.items()}
    clip = update.clip if isinstance(update.clip, float) else backend.to_numpy(update.clip)
    corrections: dict[str, Any] = {"clip": clip, "l2": optimizer.l2}
    effective = formulas.effective_gradient(g, theta, **corrections)
    given: dict[str, Any] = {"theta": theta, "g": g, **state}
    lines: list[tuple[str, str, Any]] = []
    if not np.array_equal(effective, g, equal_nan=True):
        given |= corrections
        try:
            lines += _Reading(formulas.effective_gradient, (g, theta), corrections, ("g",)).lines
        except _Unreadable:
            lines.append(("g", "effective_gradient(g, theta, …)", effective))
    names = ("theta", *state)
    arguments, options = (theta, effective, *state.values()), {"rate": update.rate, "t": update.t}
    try:
        reading = _Reading(optimizer.formula, arguments, options, names)
    except _Unreadable:
        new = optimizer.formula(*arguments, rate=update.rate, t=update.t)
        given |= {"rate": update.rate}
        lines.append(("theta", "formula(theta, g, …)", new[0]))
    else:
        given |= {name: value for name, value in reading.coefficients.items() if name not in given}
        lines += reading.lines
    return (
        *(Row(name, "", host(value), given=True) for name, value in given.items()),
        *(Row(symbol, text, host(value)) for symbol, text, value in lines),
    )


def host(array: Any) -> Any:
    """Return a read-only copy on the host that nobody else holds."""
    copy = np.array(backend.to_numpy(array))
    copy.flags.writeable = False
    return copy


class _Unreadable(Exception):
    """The function is more than assignments, conditions and a return, or its source is not to be had."""


class _Reading:
    """A function evaluated from its source, with a line for each assignment and each entry of what it returns.

    A function that only hands its arguments on to one in ``formulas`` is passed through to that.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        arguments: Sequence[Any],
        options: Mapping[str, Any],
        returned: Sequence[str],
    ) -> None:
        self.lines: list[tuple[str, str, Any]] = []
        self.results: tuple[Any, ...] = ()
        self.returned = returned
        self._call(function, arguments, options)

    def _call(
        self, function: Callable[..., Any], arguments: Sequence[Any], options: Mapping[str, Any]
    ) -> None:
        self.source, body = _parsed(getattr(function, "__func__", function))
        bound = inspect.signature(function).bind(*arguments, **options)
        bound.apply_defaults()
        self.names: dict[str, Any] = dict(bound.arguments)
        self.coefficients = {
            name: value for name, value in bound.arguments.items() if type(value) in (int, float)
        }
        if hasattr(function, "__self__"):
            self.names["self"] = function.__self__
        self.globals: dict[str, Any] = getattr(function, "__globals__", {})
        self.lines = []
        if not self._run(body):
            raise _Unreadable

    def _run(self, body: Sequence[ast.stmt]) -> bool:
        """Evaluate statements until one returns; tell whether one did."""
        for statement in body:
            if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
                self._assign(statement.targets[0], statement.value)
            elif isinstance(statement, ast.If):
                if self._run(statement.body if self._value(statement.test) else statement.orelse):
                    return True
            elif isinstance(statement, ast.Return) and statement.value is not None:
                self._return(statement.value)
                return True
            elif not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)):
                raise _Unreadable
        return False

    def _assign(self, target: ast.expr, expression: ast.expr) -> None:
        value = self._value(expression)
        if isinstance(target, ast.Name):
            self.names[target.id] = value
            self.lines.append((target.id, self._text(expression), value))
        elif isinstance(target, ast.Tuple) and all(isinstance(part, ast.Name) for part in target.elts):
            parts = [part.id for part in target.elts if isinstance(part, ast.Name)]
            self.names.update(zip(parts, value, strict=True))
        else:
            raise _Unreadable

    def _return(self, expression: ast.expr) -> None:
        if isinstance(expression, ast.Call):
            function = self._value(expression.func)
            if inspect.isfunction(function) and function.__module__ == formulas.__name__:
                options = {k.arg: self._value(k.value) for k in expression.keywords if k.arg is not None}
                self._call(function, self._values(expression.args), options)
                return
        entries = expression.elts if isinstance(expression, ast.Tuple) else [expression]
        self.results = tuple(self._values(entries))
        if len(self.results) != len(self.returned) or any(isinstance(e, ast.Starred) for e in entries):
            raise _Unreadable
        found = [
            (name, self._text(entry), value)
            for name, entry, value in zip(self.returned, entries, self.results, strict=True)
            if not (isinstance(entry, ast.Name) and any(line[0] == entry.id for line in self.lines))
        ]
        self.lines += found[1:] + found[:1] if found and found[0][0] == self.returned[0] else found

    def _values(self, expressions: Sequence[ast.expr]) -> list[Any]:
        found: list[Any] = []
        for expression in expressions:
            if isinstance(expression, ast.Starred):
                found.extend(self._value(expression.value))
            else:
                found.append(self._value(expression))
        return found

    def _value(self, expression: ast.expr) -> Any:
        code = compile(ast.fix_missing_locations(ast.Expression(expression)), "<formula>", "eval")
        try:
            return eval(code, self.globals, self.names)
        except (NameError, RuntimeError) as error:  # a name of an enclosing function, super()
            raise _Unreadable from error

    def _text(self, expression: ast.expr) -> str:
        return " ".join((ast.get_source_segment(self.source, expression) or ast.unparse(expression)).split())


@cache
def _parsed(function: Any) -> tuple[str, list[ast.stmt]]:
    try:
        source = textwrap.dedent(inspect.getsource(function))
        tree = ast.parse(source)
    except (OSError, TypeError, SyntaxError) as error:
        raise _Unreadable from error
    definition = tree.body[0]
    if not isinstance(definition, ast.FunctionDef):
        raise _Unreadable
    return source, definition.body
