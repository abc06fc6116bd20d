"""What becomes of each function of NumPy's, and of SciPy's special functions: the walk that tests and docs share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
import numpy.lib.stride_tricks  # a module that NumPy does not import by itself in every release

from minigrad import registry, unsupported
from minigrad.operation import Operation
from minigrad.rules import Primitive


@dataclass(frozen=True)
class Entry:
    """One public name: what it is, and what minigrad does with it."""

    name: str
    """With its module: ``"sin"``, ``"linalg.norm"``, ``"special.erf"``."""
    function: Any
    kind: str | None
    """``"gradient"``, ``"constant"`` (a result without one), ``"unsupported"``; None where nobody has said."""
    formula: str = ""
    rules: tuple[str, ...] = ()
    """The gradient of each input, where the function is an operation."""
    note: str = ""
    operation: str = ""
    """The operation's name, where it is one."""

    @property
    def spelling(self) -> str:
        """How a program writes it: ``np.sin``, ``scipy.special.erf``."""
        return f"scipy.{self.name}" if self.name.startswith("special.") else f"np.{self.name}"


def special() -> Any:
    """Return the family of special functions, which is entered when it is asked for."""
    import_module("scipy.special")
    registry.load()
    return import_module("minigrad.ops.special")


def public() -> Iterator[tuple[str, Any]]:
    """Return the public names of NumPy, ``numpy.linalg`` and ``scipy.special`` with what they stand for."""
    yield from ((name, getattr(np, name)) for name in dir(np) if not name.startswith("_"))
    for name in dir(np.linalg):
        if not name.startswith("_") and not _is_module(getattr(np.linalg, name)):
            yield f"linalg.{name}", getattr(np.linalg, name)
    yield "lib.stride_tricks.sliding_window_view", np.lib.stride_tricks.sliding_window_view
    functions = vars(import_module("scipy.special"))
    for name in sorted(functions):
        if isinstance(functions[name], np.ufunc) or (
            callable(functions[name]) and functions[name] in registry.functions
        ):
            yield f"special.{name}", functions[name]


def _is_module(value: Any) -> bool:
    return type(value).__name__ == "module"


def entries() -> list[Entry]:
    """Return every public name with what becomes of it, in NumPy's order."""
    reasons = getattr(special(), "UNSUPPORTED", {})
    return [_entry(name, function, reasons) for name, function in public()]


def _entry(name: str, function: Any, reasons: dict[str, str]) -> Entry:
    run = registry.functions.get(function) if callable(function) else None
    if run is None:
        short = name.removeprefix("special.")
        why = reasons.get(short) if short != name else unsupported.UNSUPPORTED.get(name)
        return Entry(name, function, None if why is None else "unsupported", note=why or "")
    operation = operation_of(function) or registry.operations.get(function.__name__)
    if function in registry.compositions:
        return Entry(name, function, "gradient", registry.compositions[function])
    if function in registry.constants:
        return Entry(name, function, "constant", note=registry.constants[function])
    if operation is None:
        return Entry(name, function, None)
    if not operation.differentiable:
        return Entry(name, function, "constant", note=operation.formula, operation=operation.name)
    rules = tuple(
        f"{of} ← {rule.formula}"
        for of, rule in zip(
            ["each"] if operation.variadic else operation.inputs, operation.rules, strict=False
        )
        if rule
    )
    return Entry(name, function, "gradient", operation.formula, rules, operation=operation.name)


def operation_of(function: Callable[..., Any]) -> Primitive | None:
    """Return the operation that runs for a NumPy function, where it is one alone."""
    run: Any = registry.functions.get(function)
    run = getattr(run, "__wrapped__", run)
    return run if isinstance(run, Operation) else None


def counts() -> dict[str, int]:
    """Return how many functions there are of each kind; one that has several names counts once."""
    kinds = {id(entry.function): entry.kind or "missing" for entry in entries()}
    return dict(Counter(kinds.values()))


if __name__ == "__main__":
    print(counts())
