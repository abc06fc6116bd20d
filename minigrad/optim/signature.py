"""What a formula's signature says of it: its arrays, whether it takes t, its numbers and their defaults."""

from __future__ import annotations

from collections.abc import Callable
from inspect import Parameter, signature
from typing import Any


class Signature:
    """Of ``rule(theta, g, *state[, t], *, eta, …)``: ``arrays`` before the ``*``, ``numbers`` behind it.

    ``state`` are the arrays but the first two; ``takes_t`` tells whether t, the number of the step, is behind them.
    """

    def __init__(self, rule: Callable[..., Any] | None) -> None:
        parameters = [] if rule is None else list(signature(rule).parameters.values())
        arrays = [p.name for p in parameters if p.kind is not Parameter.KEYWORD_ONLY]
        numbers = [p for p in parameters if p.kind is Parameter.KEYWORD_ONLY]
        self.takes_t = arrays[-1:] == ["t"]
        self.arrays = tuple(arrays[:-1] if self.takes_t else arrays)
        self.state = self.arrays[2:]
        self.numbers = tuple(p.name for p in numbers)
        self.defaults = {p.name: p.default for p in numbers if p.default is not Parameter.empty}
