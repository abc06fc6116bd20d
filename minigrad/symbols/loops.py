"""A formula as the body of a loop over entries: what is worked out before it, its statements, what they leave."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence

from minigrad.symbols.expression import COMPARISONS, Call, Expression, NoExpression, Number, Symbol, key
from minigrad.symbols.printing import ATOM, Printer, Text
from minigrad.symbols.python import MULTIPLY
from minigrad.symbols.tracing import Traced, calls

EXACT = COMPARISONS | frozenset(
    (
        *(
            "add",
            "subtract",
            "multiply",
            "divide",
            "negative",
            "sqrt",
            "square",
            "reciprocal",
            "absolute",
            "sign",
        ),
        *("maximum", "minimum", "where", "floor", "ceil", "trunc"),
    )
)
"""Functions that are rounded alike, to the last bit, by NumPy, by Numba and by CUDA."""


class Body:
    """A formula over the entries of ``arrays``, whose results go into ``targets``, names of some of them.

    - coefficients: (name, expression) of each plain number, worked out once in float64 and then rounded
    - statements: (local name, expression), in the formula's order
    - stores: (array, local name), after all of them

    The entry of the array ``m`` goes by ``entry``, ``m_i``, and its new value by ``changed``: the same, unless the old
    one is still needed. Raises NoExpression for a function that is not among ``functions``: by default those that a
    compiled loop rounds as NumPy does.
    """

    def __init__(
        self,
        traced: Traced,
        arrays: Sequence[str],
        targets: Sequence[str],
        *,
        entry: str = "{}_i",
        changed: str = "{}_i",
        functions: Collection[str] = EXACT,
    ) -> None:
        self.entry = entry
        self.coefficients: list[tuple[str, Expression]] = []
        self.statements: list[tuple[str, Call]] = []
        self.stores: list[tuple[str, Expression]] = []
        self.locals: dict[Expression, str] = {}
        self.loaded: list[str] = []  # arrays whose entries the formula reads
        self._names = {key(node): name for node, name in traced.names.items() if node.scalar}
        self._coefficient_of: dict[tuple[object, ...], str] = {}
        self._taken = {*arrays, *map(entry.format, arrays), *map(changed.format, arrays)}

        computed = calls(traced.results)
        entries = [node for node in computed if not node.scalar]
        for node in entries:
            if node.function not in functions:
                raise NoExpression(f"np.{node.function} is not rounded alike in a compiled loop")
            if node.function not in COMPARISONS and not any(map(_has_a_dtype, _operands(node))):
                raise NoExpression(
                    f"np.{node.function} of conditions and plain numbers alone is of float64, whatever theta is of"
                )
            for argument in node.arguments:
                if argument.scalar:
                    self._coefficient(argument)
                elif isinstance(argument, Call) and _as_number(node.function, argument):
                    self._coefficient(Number(1))
                    self._coefficient(Number(0))
        self._state(traced, entries, targets)
        reads = [self._read_by(node) for _, node in self.statements]
        left = [node.name for node in traced.results if isinstance(node, Symbol)]
        self.loaded = [name for name in arrays if any(name in names for names in [*reads, left])]
        for k, (name, node) in enumerate(self.statements):
            old_is_read = any(name in names for names in [*reads[k + 1 :], left])
            reused = name in arrays and (changed != entry or not old_is_read)
            local = changed.format(name) if reused else self._free(name)
            self.statements[k] = (local, node)
            self.locals[node] = local
        for target, result in zip(targets, traced.results, strict=True):
            if result.scalar:
                self._coefficient(result)
            if not (isinstance(result, Symbol) and result.name == target):
                self.stores.append((target, result))

    def _state(self, traced: Traced, entries: Sequence[Call], targets: Sequence[str]) -> None:
        """Find what gets a statement: what the formula names, returns, or needs more than once."""
        uses = Counter(argument for node in entries for argument in node.arguments)
        goes_to = {node: target for target, node in reversed(list(zip(targets, traced.results, strict=True)))}
        for node in entries:
            shared = uses[node] > 1 and node.function not in COMPARISONS
            if node in traced.names or node in goes_to or shared:
                name = traced.names.get(node) or goes_to.get(node) or "part"
                self.statements.append((name, node))
                self.locals[node] = name

    def _read_by(self, statement: Call) -> set[str]:
        """The arrays whose entries a statement reads itself."""
        found: set[str] = set()
        pending = list(statement.arguments)
        while pending:
            node = pending.pop()
            if isinstance(node, Symbol) and not node.scalar:
                found.add(node.name)
            elif isinstance(node, Call) and node not in self.locals:
                pending.extend(node.arguments)
        return found

    def _coefficient(self, tree: Expression) -> None:
        if key(tree) not in self._coefficient_of:
            name = self._free(self._names.get(key(tree)) or _slug(tree))
            self._coefficient_of[key(tree)] = name
            self.coefficients.append((name, tree))

    def coefficient(self, tree: Expression) -> str:
        """Return the name of a plain number."""
        return self._coefficient_of[key(tree)]

    def _free(self, name: str) -> str:
        found, k = name, 2
        while found in self._taken:
            found, k = f"{name}_{k}", k + 1
        self._taken.add(found)
        return found


_WORDS = {
    "add": "plus",
    "subtract": "minus",
    "multiply": "times",
    "divide": "over",
    "power": "to",
    "remainder": "mod",
}
_DIGITS = {0: "zero", 1: "one", 2: "two", 3: "three", 4: "four"}


def _slug(tree: Expression) -> str:
    """A name for a plain number from what it is: ``one_minus_beta1_to_t``."""
    if isinstance(tree, Symbol):
        return re.sub(r"\W+", "_", tree.name).strip("_")
    if isinstance(tree, Number):
        text = _DIGITS.get(tree.value) or f"number_{tree.value!r}"  # type: ignore[call-overload]
        return re.sub(r"\W", "_", text)
    assert isinstance(tree, Call)
    parts = [_slug(argument) for argument in tree.arguments]
    if tree.function in _WORDS:
        return f"_{_WORDS[tree.function]}_".join(parts)
    return "_".join([tree.function, *parts])


def _operands(node: Call) -> tuple[Expression, ...]:
    return node.arguments[1:] if node.function == "where" else node.arguments


def _has_a_dtype(tree: Expression) -> bool:
    """Tell whether an operand is an array of floats, whose dtype the result then has."""
    return not tree.scalar and not (isinstance(tree, Call) and tree.function in COMPARISONS)


def _as_number(function: str, argument: Call) -> bool:
    """Tell whether a condition is calculated with, where it counts as 1 or 0."""
    return (
        not argument.scalar
        and argument.function in COMPARISONS
        and function not in COMPARISONS
        and function != "where"
    )


class LoopPrinter(Printer):
    """Prints what stands in a loop: entries and coefficients by their names, conditions as such."""

    def __init__(self, body: Body) -> None:
        super().__init__(body.locals)
        self.body = body

    def inside(self, tree: Expression, needed: int = 0) -> str:
        """See ``Printer.inside``."""
        if tree.scalar:
            return self.body.coefficient(tree)
        return super().inside(tree, needed)

    def square(self, factor: Expression, function: str) -> Text:
        """Return the square of a name as a product, and of anything else by a function."""
        text = self.inside(factor, ATOM)
        return (
            (f"{text} * {text}", MULTIPLY)
            if text.isidentifier()
            else (f"{function}({self.inside(factor)})", ATOM)
        )

    def left(self, result: Expression) -> str:
        """Return what a result goes by once all statements have run."""
        return self.inside(result)

    def _unnamed(self, tree: Expression) -> Text:
        if isinstance(tree, Symbol):
            return self.body.entry.format(tree.name), ATOM
        if isinstance(tree, Call):
            arguments = tuple(
                Call("where", (argument, Number(1), Number(0)))
                if isinstance(argument, Call) and _as_number(tree.function, argument)
                else argument
                for argument in tree.arguments
            )
            if any(new is not old for new, old in zip(arguments, tree.arguments, strict=True)):
                tree = Call(tree.function, arguments)
        return super()._unnamed(tree)
