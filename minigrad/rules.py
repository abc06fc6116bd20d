"""What a differentiable operation is: a function of arrays, and for each input a gradient rule.

A rule is a plain function that asks for what it needs by name; its formula is printed from it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Sequence
from typing import Any

from minigrad.backend import Array
from minigrad.errors import MinigradError, OperationError
from minigrad.source import sealed

Formula = str | Callable[..., Any]
"""A formula as a text, or as the function from which the text is printed."""


class Rule:
    """The vector-Jacobian product of one operation with respect to one input.

    The function's parameter names say what it needs: ``g`` the incoming gradient, ``y`` the result, an
    input's name, an input's name with ``_shape``, something that the forward pass saved, or a parameter of the
    operation. An operation on any number of arrays offers ``i`` (which input), ``arrays`` (all of them) and
    ``shapes`` instead of input names.

    ``stated`` says the formula where it cannot be printed from the function: a text; or, where the function takes
    detours that keep it from overflowing, the plain function that a textbook has.
    """

    __slots__ = ("_arguments", "_formula", "_needed", "_params", "_variadic", "function", "name", "textbook")

    def __init__(
        self,
        name: str,
        stated: Formula | None,
        function: Callable[..., Any],
        *,
        inputs: Sequence[str],
        params: dict[str, Any],
        saves: Sequence[str] = (),
        variadic: bool = False,
    ) -> None:
        self.name, self.function, self._variadic = name, function, variadic
        self._formula = stated if isinstance(stated, str) else None
        self.textbook: Rule | None = None
        if stated is not None and not isinstance(stated, str):
            self.textbook = Rule(
                name, None, stated, inputs=inputs, params=params, saves=saves, variadic=variadic
            )
        positions = {"g": 0, "y": 1, **({"i": 2, "arrays": 3} if variadic else _numbered([*inputs, *saves]))}
        shapes = {"shapes": 3} if variadic else {f"{k}_shape": n for k, n in _numbered(inputs).items()}
        self._arguments: list[tuple[int, bool]] = []  # position in what is offered, whether only its shape
        self._params: list[str] = []
        for argument in inspect.signature(function).parameters:
            if argument in positions:
                self._arguments.append((positions[argument], False))
            elif argument in shapes:
                self._arguments.append((shapes[argument], True))
            elif argument in params:
                self._params.append(argument)
            else:
                raise OperationError(
                    "MG-603",
                    f"rule {name} asks for {argument!r}; it can have {', '.join([*positions, *shapes, *params])}.",
                )
        needed = {k - 2 for k, only_shape in self._arguments if k >= 1 and not only_shape}
        self._needed = tuple(k for k in needed if k < len(inputs))

    @property
    def formula(self) -> str:
        """The rule as a line of text, such as ``g · cos(a)``; a module may keep its formulas from readers."""
        if kept := sealed((self.textbook or self).function):
            return kept
        if self._formula is None:
            self._formula = printed((self.textbook or self).function, self._params)
        return self._formula

    def __call__(self, i: int, g: Any, y: Any, arrays: tuple[Any, ...], params: dict[str, Any]) -> Any:
        """Return the gradient for input ``i``."""
        offered = (g, y, i, arrays) if self._variadic else (g, y, *arrays)
        arguments = []  # no comprehensions: each is a call, and this runs for every record
        for k, only_shape in self._arguments:
            arguments.append(_shape(offered[k]) if only_shape else offered[k])
        if not self._params:
            return self.function(*arguments)
        given = {}
        for name in self._params:
            given[name] = params[name]
        return self.function(*arguments, **given)

    def needs(self, count: int) -> Sequence[int]:
        """Positions among ``count`` inputs, and -1 for the result, whose values the rule needs unchanged."""
        if self._variadic:
            return range(count) if (3, False) in self._arguments else ()
        return self._needed


class Primitive:
    """A differentiable operation on arrays: what it computes, and one gradient rule per input.

    ``rules`` holds one rule per input, None for an input without a gradient (an index, a condition); an
    operation on any number of arrays has a single rule, which also receives ``i``, the input asked for.
    ``saves`` names what ``forward`` returns beside the result because its rules need it, each with a function of the
    inputs which computes the same from operations, for a backward pass that shall itself be differentiable.
    ``joint_vjp(needs_grad, g, y, *inputs, *saved, **params)`` may give the gradients of all inputs in one go, as
    exactly as the rules, on bare arrays: a sequence of arrays, one for each input, of which those in ``needs_grad``
    count; new ones, or what ``forward`` saved, which the record needs no more.
    ``explain(error, *inputs, **params)`` may turn a failure of ``forward`` into a message that teaches.
    ``textbook(*inputs, **params)`` is the plain formula, where ``forward`` takes detours that keep it from overflowing:
    what is read where a formula is explained, and never run.
    """

    builtin = False
    entered: Sequence[tuple[dict[Any, Any], Any, Any, Any]] = ()
    """Where it was entered: a registry, the key, what stands there now and what stood there before."""

    joint_only = False
    """Whether there is ``joint_vjp`` alone, which then takes Tensors too; the rules say just what it needs."""

    def __init__(
        self,
        name: str,
        forward: Callable[..., Array],
        formula: str,
        rules: Sequence[Rule | None],
        inputs: Sequence[str],
        params: dict[str, Any],
        *,
        variadic: bool = False,
        saves: dict[str, Callable[..., Any]] | None = None,
        joint_vjp: Callable[..., Sequence[Array | None]] | None = None,
        explain: Callable[..., MinigradError | None] | None = None,
        textbook: Callable[..., Any] | None = None,
    ) -> None:
        self.saves, self.joint_vjp, self.textbook = saves or {}, joint_vjp, textbook
        self.name, self.forward, self.formula, self.rules = name, forward, formula, rules
        self.inputs, self.params, self.variadic, self.explain = inputs, params, variadic, explain
        self.differentiable = any(rules)
        needed = {i for rule in rules if rule is not None for i in rule.needs(len(inputs)) if i >= 0}
        self.needed: Collection[int] | None = None if variadic or saves else needed  # None: all inputs
        self.__name__ = name
        self.__doc__ = f"{name}: {formula}"

    def __repr__(self) -> str:
        return f"<operation {self.name}: {self.formula}>"

    def rule(self, i: int) -> Rule | None:
        """Return the rule for input ``i``."""
        return self.rules[0] if self.variadic else self.rules[i]


def printed(function: Callable[..., Any], params: Sequence[str] = ()) -> str:
    """Return what a function computes, as a formula of its arguments' names.

    Where that is no formula of single entries, it is what the function's docstring says first, or its name; and what
    its module says, where that keeps its formulas from readers.
    """
    if kept := sealed(function):
        return kept
    from minigrad import symbols  # which only those need who look at a formula
    from minigrad.symbols.readable import Table

    names = list(inspect.signature(function).parameters)
    try:
        given = {name: symbols.Symbol(name, scalar=name in params) for name in names}
        return Table().text(symbols.trace(function, **given).results[0])
    except Exception:  # what a function of the user's does with symbols is not known
        documented = inspect.getdoc(function)
        name = getattr(function, "__name__", "<lambda>")
        called = "a function" if name == "<lambda>" else name
        return documented.split("\n")[0].rstrip(".") if documented else f"{called} of {', '.join(names)}"


def _numbered(inputs: Sequence[str]) -> dict[str, int]:
    return {name: 2 + k for k, name in enumerate(inputs)}


def _shape(offered: Any) -> Any:
    return [a.shape for a in offered] if isinstance(offered, tuple) else offered.shape
