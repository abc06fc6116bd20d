"""What a differentiable operation is: a function of arrays, and for each input a gradient rule.

A rule is a plain function that asks for what it needs by name; its formula stands beside it as text.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Sequence
from typing import Any

from minigrad.backend import Array
from minigrad.errors import MinigradError, OperationError


class Rule:
    """The vector-Jacobian product of one operation with respect to one input.

    The function's parameter names say what it needs: ``g`` the incoming gradient, ``y`` the result, an
    input's name, an input's name with ``_shape``, something that the forward pass saved, or a parameter of the
    operation. An operation on any number of arrays offers ``i`` (which input), ``arrays`` (all of them) and
    ``shapes`` instead of input names.
    """

    __slots__ = ("_arguments", "_needed", "_params", "_variadic", "formula", "function")

    def __init__(
        self,
        name: str,
        formula: str,
        function: Callable[..., Any],
        *,
        inputs: Sequence[str],
        params: dict[str, Any],
        saves: Sequence[str] = (),
        variadic: bool = False,
    ) -> None:
        function.__name__ = function.__qualname__ = name
        self.formula, self.function, self._variadic = formula, function, variadic
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

    def __call__(self, i: int, g: Any, y: Any, arrays: tuple[Any, ...], params: dict[str, Any]) -> Any:
        """Return the gradient for input ``i``."""
        offered = (g, y, i, arrays) if self._variadic else (g, y, *arrays)
        arguments = [_shape(offered[k]) if only_shape else offered[k] for k, only_shape in self._arguments]
        if self._params:
            return self.function(*arguments, **{name: params[name] for name in self._params})
        return self.function(*arguments)

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
    ``joint_vjp(needs_grad, g, y, *inputs, *saved)`` may give the gradients of all inputs in one go, as exactly as the
    rules, on bare arrays: a sequence of arrays, one for each input, of which those in ``needs_grad`` count; new
    ones, or what ``forward`` saved, which the record needs no more.
    ``explain(error, *inputs, **params)`` may turn a failure of ``forward`` into a message that teaches.
    """

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
    ) -> None:
        self.saves, self.joint_vjp = saves or {}, joint_vjp
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


def _numbered(inputs: Sequence[str]) -> dict[str, int]:
    return {name: 2 + k for k, name in enumerate(inputs)}


def _shape(offered: Any) -> Any:
    return [a.shape for a in offered] if isinstance(offered, tuple) else offered.shape
