"""A gradient rule: a plain function that asks for what it needs by name, and its formula as text."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from minigrad.errors import OperationError


class Rule:
    """The vector-Jacobian product of one operation with respect to one input.

    The function's parameter names say what it needs: ``g`` the incoming gradient, ``y`` the result, an
    input's name, an input's name with ``_shape``, or a parameter of the operation. An operation on any number
    of arrays offers ``i`` (which input), ``arrays`` (all of them) and ``shapes`` instead of input names.
    """

    __slots__ = ("_fetch", "_params", "_saved", "formula", "function")

    def __init__(
        self,
        name: str,
        formula: str,
        function: Callable[..., Any],
        *,
        inputs: Sequence[str],
        params: dict[str, Any],
        variadic: bool = False,
    ) -> None:
        function.__name__ = function.__qualname__ = name
        self.formula, self.function = formula, function
        self._fetch: list[Callable[..., Any]] = []
        self._params: list[str] = []
        self._saved: set[int] | None = set()  # positions of inputs, -1 for y; None for all inputs
        offered: dict[str, tuple[Callable[..., Any], int | None]] = {
            "g": (lambda i, g, y, arrays: g, None),
            "y": (lambda i, g, y, arrays: y, -1),
        }
        if variadic:
            offered["i"] = (lambda i, g, y, arrays: i, None)
            offered["arrays"] = (lambda i, g, y, arrays: arrays, None)
            offered["shapes"] = (lambda i, g, y, arrays: [a.shape for a in arrays], None)
        else:
            for k, key in enumerate(inputs):
                offered[key] = (lambda i, g, y, arrays, k=k: arrays[k], k)
                offered[f"{key}_shape"] = (lambda i, g, y, arrays, k=k: arrays[k].shape, None)
        for wanted in inspect.signature(function).parameters:
            if wanted in offered:
                fetch, saved = offered[wanted]
                self._fetch.append(fetch)
                if saved is not None and self._saved is not None:
                    self._saved.add(saved)
                if wanted == "arrays":
                    self._saved = None
            elif wanted in params:
                self._params.append(wanted)
            else:
                raise OperationError(
                    "MG-603",
                    f"rule {name} asks for {wanted!r}; it can have {', '.join([*offered, *params])}.",
                )

    def __call__(self, i: int, g: Any, y: Any, arrays: tuple[Any, ...], params: dict[str, Any]) -> Any:
        """Return the gradient for input ``i``."""
        arguments = [fetch(i, g, y, arrays) for fetch in self._fetch]
        if self._params:
            return self.function(*arguments, **{name: params[name] for name in self._params})
        return self.function(*arguments)

    def saves(self, count: int) -> range | set[int]:
        """Positions of the inputs, and -1 for the result, whose values the rule needs unchanged."""
        return range(count) if self._saved is None else self._saved
