"""An optimizer's formula as expressions, and from these its kernel: ready-made where it is a rule that is known.

The formula is the one text that says what an optimizer does. ``program`` reads it, by calling it with symbols;
``rule_text`` and ``cuda_text`` print it as loops. Those of the optimizers here stand in
``minigrad_kernels/update_rules.py`` and ``cuda/updates.cu``, which ``python -m minigrad.optim.generate`` writes; those
of a user's own are made when it takes its first step.
"""

from __future__ import annotations

import inspect
import os
import sys
import textwrap
import zlib
from collections.abc import Callable, Mapping, Sequence
from functools import cache, cached_property
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import MethodType, ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

from minigrad_kernels import gpu, updates

from minigrad.files import atomic_write
from minigrad.optim import formulas
from minigrad.symbols import Call, Expression, NoExpression, Symbol, Traced, trace
from minigrad.symbols.cuda import statements
from minigrad.symbols.formula import SYMBOLS, Unicode
from minigrad.symbols.loops import Body
from minigrad.symbols.numba import loop, whole
from minigrad.symbols.python import Python
from minigrad.symbols.tracing import calls

if TYPE_CHECKING:
    from minigrad.optim.optimizer import Optimizer

CLIP, L2, T = (Symbol(name, scalar=True) for name in ("clip", "l2", "t"))


class Program:
    """What an optimizer computes from ``theta``, ``g`` and its state, entry by entry.

    - kind: the name of the optimizer's class
    - traced: its expressions, whose results are the new theta and the new state; the line ``g``, where clipping and
      the penalty come in, is the first
    - state: the names of its state
    - rate: what its formula calls the learning rate
    - settings: the numbers of the optimizer that it reads, by name
    - flags: whatever else it reads, by which it may branch, with what it was
    """

    def __init__(self, optimizer: Optimizer) -> None:
        settings = _Settings(optimizer)
        self.kind = type(optimizer).__name__
        self.state, self.rate = tuple(optimizer.state_names), optimizer.rate_name
        rate = Symbol(self.rate, scalar=True)
        theta, g, *state = (Symbol(name) for name in self.arrays)
        effective: Any = formulas.effective_gradient(g, theta, clip=CLIP, l2=L2)  # type: ignore[arg-type]
        for function in (optimizer.rule, type(optimizer).formula):
            if function is not None:
                _require_no_outer_numbers(function)
        self.traced: Traced = trace(settings.optimizer.formula, theta, effective, *state, rate=rate, t=T)
        if len(self.traced.results) != 1 + len(self.state):
            raise NoExpression(
                f"it returns {len(self.traced.results)} values, not the new parameter and its state of "
                f"{len(self.state)}"
            )
        self._name_results(effective)
        self.settings, self.flags = settings.numbers, settings.flags

    def _name_results(self, effective: Call) -> None:
        """Call the gradient g, and each new state as the old one, unless that is still read afterwards."""
        names, (theta, *state) = self.traced.names, self.traced.results
        names[effective] = "g"
        named = {effective}
        for name, node in zip(self.state, state, strict=True):
            if isinstance(node, Call) and not node.scalar and node not in named:
                names[node] = name
                named.add(node)
        last = _own_part(theta, names)
        for name, node in zip(self.state, state, strict=True):
            readers = [c for c in calls(self.traced.results) if any(_is_symbol(a, name) for a in c.arguments)]
            if names.get(node) == name and any(c.serial > node.serial or c in last for c in readers):
                names[node] = f"new_{name}"

    def holds(self, optimizer: Optimizer) -> bool:
        """Tell whether the optimizer's flags, by which its formula branches, are what they were."""
        return all(getattr(optimizer, name, None) is value for name, value in self.flags)

    @property
    def numbers(self) -> set[str]:
        """The names of the plain numbers that the formula reads."""
        arguments = [a for node in calls(self.traced.results) for a in node.arguments]
        return {a.name for a in arguments if isinstance(a, Symbol) and a.scalar}

    @property
    def lines(self) -> list[tuple[str, Expression]]:
        """What the formula computes, by name: what it names itself, and then each result, the new theta last."""
        theta, *state = self.traced.results
        named = [(name, tree) for name, tree in self.traced.lines if tree is not theta]
        given = {id(tree) for _, tree in named}
        returned = [
            (name, tree)
            for name, tree in zip(self.state, state, strict=True)
            if id(tree) not in given and not (isinstance(tree, Symbol) and tree.name == name)
        ]
        return [*named, *returned, ("theta", theta)]

    @property
    def arrays(self) -> tuple[str, ...]:
        """The names of the arrays that a loop works on."""
        return ("theta", "g", *self.state)

    @cached_property
    def kernel(self) -> updates.UpdateRule:
        """The kernel, ready-made or made now; NoExpression where there can be none."""
        import minigrad_kernels.update_rules  # noqa: F401 (enters those that are ready-made)

        text = checksum(self)
        return updates.rules.get(text) or _made(text, self)

    def body(self, **names: str) -> Body:
        """Return the program as the body of a loop; NoExpression where a loop would round otherwise."""
        return Body(self.traced, self.arrays, ("theta", *self.state), **names)


def _is_symbol(node: Expression, name: str) -> bool:
    return isinstance(node, Symbol) and node.name == name


def _own_part(root: Expression, named: Mapping[Expression, str]) -> set[Expression]:
    """What of an expression is computed in its own line: all of it but what has a name."""
    found: set[Expression] = set()
    pending = [root]
    while pending:
        node = pending.pop()
        found.add(node)
        if isinstance(node, Call):
            pending.extend(argument for argument in node.arguments if argument not in named)
    return found


def program(optimizer: Optimizer) -> Program:
    """Return an optimizer's program, read once for each class and its flags; NoExpression where it has none."""
    known = _programs.setdefault(type(optimizer), [])
    for each in known:
        if each.holds(optimizer) and each.state == tuple(optimizer.state_names):
            return each
    known.append(Program(optimizer))
    return known[-1]


_programs: WeakKeyDictionary[type, list[Program]] = WeakKeyDictionary()


class _Settings:
    """An optimizer whose numbers are symbols, so that a formula reads their names rather than their values."""

    def __init__(self, optimizer: Optimizer) -> None:
        self.numbers: list[str] = []
        self.flags: list[tuple[str, Any]] = []
        kind = type(optimizer)
        settings = self

        class Symbolic(kind):  # type: ignore[valid-type, misc]
            def __getattribute__(self, name: str) -> Any:
                return settings.read(optimizer, self, name)

        self.optimizer: Optimizer = object.__new__(Symbolic)

    def read(self, optimizer: Optimizer, symbolic: Any, name: str) -> Any:
        """Return what stands for an attribute while the formula is read."""
        if name in ("lr", "t"):
            raise NoExpression(f"self.{name}; the formula is given rate and t")
        if name == "rate":
            return Symbol(optimizer.rate_name, scalar=True)
        if name == "l2":
            return L2
        value = getattr(optimizer, name)
        if isinstance(value, MethodType) and value.__self__ is optimizer:
            return MethodType(value.__func__, symbolic)
        if type(value) in (int, float):
            self.numbers.append(name)
            return Symbol(name, scalar=True)
        if isinstance(value, (tuple, list)) and all(type(each) in (int, float) for each in value):
            names = [f"{name}[{k}]" for k in range(len(value))]
            self.numbers += names
            return tuple(Symbol(each, scalar=True) for each in names)
        if not name.startswith("__") and name not in _OF_THE_RULE:
            self.flags.append((name, value))
        return value


_OF_THE_RULE = ("_signature", "setting_names", "rate_name", "state_names")
"""What follows from the rule, which is a flag itself."""


def _require_no_outer_numbers(function: Callable[..., Any]) -> None:
    """Refuse numbers that a formula takes from around it: they may change, and nobody would see."""
    outer = inspect.getclosurevars(inspect.unwrap(function))
    for name, value in {**outer.globals, **outer.nonlocals}.items():
        if type(value) in (int, float):
            raise NoExpression(f"the number {name} from outside; make it a setting of the optimizer")


def rule_text(name: str, program: Program) -> str:
    """Return a rule as Python: its reference for NumPy, its loop for Numba, and its coefficients."""
    return _rule_text(name, program, formula_lines(program))


def _rule_text(name: str, program: Program, lines: Sequence[str]) -> str:
    body = program.body()
    whole_body = program.body(entry="{}", changed="new_{}")
    arrays = program.arrays
    numbers = _Coefficients(program)
    values = "".join(f"        {numbers.text(tree)},  # {each}\n" for each, tree in body.coefficients)
    return "\n\n".join(
        [
            whole(f"{name}_reference", whole_body, arrays, "; ".join(lines) + "."),
            loop(f"{name}_loop", body, arrays),
            f"def {name}_coefficients(settings, clip, l2, rate, t):\n    return (\n{values}    )\n",
        ]
    )


def formula_lines(program: Program) -> list[str]:
    """Return the lines of a formula as one writes them: ``m ← β₁ · m + (1 − β₁) · g`` …, that of θ the last.

    What is kept from readers is one line that says so.
    """
    return [program.traced.sealed] if program.traced.sealed else _lines(program)


def _lines(program: Program) -> list[str]:
    printer = Unicode(program.traced.names)
    known = set(program.arrays)
    lines = []
    for name, tree in program.lines:
        sign = "←" if name in known else "="
        lines.append(f"{SYMBOLS.get(name, name)} {sign} {printer.text(tree)}")
    return lines


def cuda_text(name: str, program: Program) -> str:
    """Return a rule's kernel as CUDA, for cuda/updates.cuh."""
    body = program.body()
    parameters = ["const long long *table", "int parameters", "const real *given_or_null", "int all"]
    coefficients = [each for each, _ in body.coefficients]
    parameters += [f"real {each}" for each in coefficients]
    lines = statements(body, program.arrays)
    if program.state:
        given = ", ".join(f"{each}_i = state[{k}]" for k, each in enumerate(program.state))
        back = " ".join(f"state[{k}] = {each}_i;" for k, each in enumerate(program.state))
        lines = [f"real {given};", *lines, back]
    head = f'extern "C" __global__ void {name}(\n{listed(parameters)}) {{'
    others = [f"{each} = given_or_null[{k}];" for k, each in enumerate(coefficients) if k]
    there = f"    if (all) {{\n{listed(others, ' ')}\n    }}"
    call = f"    update<{len(program.state)}>(table, parameters, given_or_null, clip,"
    rule = "              [=](real clip, real &theta_i, real g_i, real *state) {"
    return "\n".join([head, there, call, rule, *(f"        {line}" for line in lines), "    });", "}", ""])


def listed(parts: Sequence[str], between: str = ", ") -> str:
    """Return parts with commas between them, on lines of their own."""
    lines = textwrap.wrap(between.join(part.replace(" ", "\0") for part in parts), 110)
    return "\n".join(f"        {line}" for line in lines).replace("\0", " ")


class _Coefficients(Python):
    """Prints a coefficient: what the step is given by its name, the optimizer's own numbers as its attributes."""

    def __init__(self, program: Program) -> None:
        super().__init__()
        self.program = program

    def name(self, name: str) -> str:
        """See ``Printer.name``."""
        if name == self.program.rate:
            return "rate"
        return f"settings.{name}" if name in self.program.settings else name


class Read(NamedTuple):
    """What reading a formula gave: its program and kernel, or why it has none; and the flags that it holds for."""

    program: Program | None
    rule: updates.UpdateRule | None
    why: str
    flags: list[tuple[str, Any]]


def read(optimizer: Optimizer) -> Read:
    """Return the kernel of an optimizer's formula, made where there is none yet, or why there is none."""
    found = None
    try:
        found = program(optimizer)
        return Read(found, found.kernel, "", found.flags)
    except NoExpression as reason:
        return Read(found, None, str(reason), found.flags if found else [])


def checksum(program: Program) -> str:
    """Return what tells rules apart: a checksum of the rule's text, whatever its name."""
    return f"{zlib.crc32(_rule_text('rule', program, _lines(program)).encode()):08x}"


def _made(text: str, program: Program) -> updates.UpdateRule:
    name = f"{program.kind.lower()}_{text}"
    whole_text = f"import math\n\nimport numpy as np\n\n\n{rule_text(name, program)}"
    sealed = program.traced.sealed
    module = _unwritten(name, whole_text, sealed) if sealed else _module(name, whole_text)
    gpu.texts[name] = f'#include "updates.cuh"\n\n{cuda_text(name, program)}'
    return updates.update_rule(
        name,
        text,
        [each for each, _ in program.body().coefficients],
        getattr(module, f"{name}_reference"),
        getattr(module, f"{name}_loop"),
        getattr(module, f"{name}_coefficients"),
        source=name,
    )


def _module(name: str, text: str) -> ModuleType:
    """Import a text as a module, from a file where one can be written: Numba keeps what it compiles beside it."""
    path = _folder() / f"{name}.py"
    try:
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            atomic_write(path, text)
    except OSError:
        return _unwritten(name, text)
    spec = spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _unwritten(name: str, text: str, sealed: str = "") -> ModuleType:
    module = ModuleType(name)
    module.__dict__["__sealed__"] = sealed
    exec(compile(text, f"<{name}>", "exec"), module.__dict__)
    return module


@cache
def _folder() -> Path:
    import pooch

    return Path(os.environ.get("NUMBA_CACHE_DIR") or pooch.os_cache("minigrad")) / "update_rules"


def numbers(optimizer: Optimizer, program: Program) -> dict[str, float]:
    """Return the optimizer's numbers that its formula reads, as they are for its next step, by their names there."""
    found = {}
    for name in program.settings:
        base, _, index = name.partition("[")
        value = getattr(optimizer, base)
        found[name] = value[int(index.rstrip("]"))] if index else value
    return found
