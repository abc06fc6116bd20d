"""Update formulas as LaTeX, printed from their expressions: what the documentation shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from minigrad.optim.signature import Signature
from minigrad.symbols import Call, Expression, NoExpression, Symbol, trace
from minigrad.symbols.formula import Latex, latex_name
from minigrad.symbols.printing import ATOM, Text


def latex(rule: Callable[..., Any], **flags: bool) -> str:
    r"""Return a rule of ``formulas``, or one like these, as aligned lines: ``m_t &= \\beta_{1} m_{t-1} + …``.

    Arrays as they come in have the index t-1, as they go out t. ``flags`` are the rule's settings that are true or
    false. Raises NoExpression where the rule is more than arithmetic entry by entry. What is kept from readers is a
    text that says so.
    """
    own = Signature(rule)
    given = [*map(Symbol, own.arrays), *([Symbol("t", scalar=True)] if own.takes_t else [])]
    flags = {name: value for name, value in own.defaults.items() if isinstance(value, bool)} | flags
    options = {name: flags.get(name, Symbol(name, scalar=True)) for name in own.numbers}
    traced = trace(rule, *given, **options)
    if traced.sealed:
        return rf"\text{{{traced.sealed}}}"
    targets = [name for name in own.arrays if name != "g"] if len(traced.results) > 1 else [own.arrays[0]]
    if len(targets) != len(traced.results):
        raise NoExpression(f"it returns {len(traced.results)} values for {', '.join(targets)}")
    names: dict[Expression, str] = {node: name for name, node in traced.lines}
    first, *others = zip(targets, traced.results, strict=True)
    names |= {node: name for name, node in others if isinstance(node, Call)}
    lines = sorted((node for node in names if isinstance(node, Call) and node is not first[1]), key=_serial)
    printer = _InTime(names, gradient=r"\nabla J(\theta_{t-1})" if targets == ["g"] else "g_{t}")
    shown = [(names[node], node) for node in lines] + [first]
    return " \\\\\n".join(f"{_at(name, _when(node))} &= {printer.text(node)}" for name, node in shown)


def _serial(node: Expression) -> int:
    assert isinstance(node, Call)
    return node.serial


def _when(node: Expression) -> str:
    return "" if node.scalar else "t"


def _at(name: str, when: str) -> str:
    text = latex_name(name)
    if when and text.endswith("_{t}"):
        return text
    if not when:
        return text
    return f"{{{text}}}_{{{when}}}" if "_" in text else f"{text}_{{{when}}}"


class _InTime(Latex):
    """Arrays that are given have the index t-1, those that are computed t; the gradient is today's."""

    def __init__(self, names: Mapping[Expression, str], gradient: str) -> None:
        self.gradient = gradient
        super().__init__({node: _at(name, _when(node)) for node, name in names.items()})

    def name(self, name: str) -> str:
        """See ``Printer.name``; what is computed has its name already."""
        return name

    def _unnamed(self, tree: Expression) -> Text:
        if isinstance(tree, Symbol) and tree.name == "g":
            return self.gradient, ATOM
        if isinstance(tree, Symbol):
            return _at(tree.name, "" if tree.scalar else "t-1"), ATOM
        return super()._unnamed(tree)
