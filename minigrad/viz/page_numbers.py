"""An entry's formula with places for its numbers, ``= ⟦3:0⟧ · ⟦4:2⟧ = ⟦5:0⟧``: array and flat place on the page.

Where a page's numbers have changed its script fills them in.
"""

from __future__ import annotations

import numpy as np

from minigrad.symbols import Call, Expression, NoExpression, Number
from minigrad.symbols.formula import Unicode
from minigrad.symbols.printing import ATOM, Text
from minigrad.symbols.terms import Entry, Over
from minigrad.viz.entries import Index, Numbers
from minigrad.viz.formulas import expression
from minigrad.viz.numbers import SHOWN, show
from minigrad.viz.page_arrays import Store
from minigrad.viz.page_graph import answer
from minigrad.viz.trace import Backward, Event, Forward, Host, NewLoss, Trace, Update


def template(trace: Trace, event: Event, index: Index, store: Store) -> str | None:
    """Return how the entry's numbers are written; None where that depends on the numbers, on which are largest say."""
    result = _place(store, answer(trace, event), index)
    if isinstance(event, NewLoss):
        return f"{_place(store, event.old, index)} → {result}"
    if isinstance(event, Update):
        return _update(event, index, store)
    if not isinstance(event, Forward | Backward):
        return None
    try:
        tree = expression(trace, event, index)
        text = Places(store).text(tree)
    except NoExpression:
        return None
    if isinstance(event, Forward) or event.first:
        return f"= {text} = {result}"
    before = next(
        (
            each.total
            for each in reversed(trace.events[: event.index])
            if isinstance(each, Backward) and each.input == event.input
        ),
        None,
    )
    return None if before is None else f"= {_place(store, before, index)} + ({text}) = {result}"


def _update(event: Update, index: Index, store: Store) -> str | None:
    """The lines of an optimizer's formula."""
    names: dict[Expression, str] = {row.tree: row.symbol for row in event.rows if row.tree is not None}
    values: dict[str, str] = {}
    lines = []
    for row in event.rows:
        place = _place(store, row.value, index if row.value.ndim else ())
        if not row.given:
            if row.tree is None:
                return None
            lines.append(f"= {Unicode(names, values.__getitem__, show).text(row.tree)} = {place}")
        values[row.symbol] = place
    return "\n".join(lines)


def _place(store: Store, array: Host, index: Index) -> str:
    flat = int(np.ravel_multi_index(index, array.shape)) if index else 0
    return f"⟦{store.add(array)}:{flat}⟧"


class Places(Numbers):
    """Entries by where their numbers are; NoExpression where what is written depends on the numbers."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self.store = store

    def counted(self, tree: Call) -> Text:
        """See ``Readable.counted``."""
        raise NoExpression("a condition")

    def _unnamed(self, tree: Expression) -> Text:
        if isinstance(tree, Entry):
            if not tree.name:
                return super()._unnamed(tree)
            return f"⟦{self._at(tree)}⟧", ATOM
        if isinstance(tree, Over) and (tree.count > SHOWN or self.depth):
            raise NoExpression("a long sum")
        if isinstance(tree, Call) and tree.function == "where":
            return self._where(tree)
        return super()._unnamed(tree)

    def _at(self, tree: Expression) -> str:
        if isinstance(tree, Number):
            return repr(float(tree.value))
        if (
            not isinstance(tree, Entry)
            or not tree.name
            or not self.store.named(tree.array)
            or tree.places.size != 1
        ):
            raise NoExpression("a number that is not on the page")
        return f"{self.store.add(tree.array)}:{int(tree.places.flat[0])}"

    def _where(self, tree: Call) -> Text:
        condition, chosen, other = tree.arguments
        if not isinstance(condition, Call) or condition.function not in _SIGNS:
            raise NoExpression("a condition")
        left, right = map(self._at, condition.arguments)
        return f"⟦{left} {_SIGNS[condition.function]} {right} ? {self._at(chosen)} ! {self._at(other)}⟧", ATOM


_SIGNS = {"greater": ">", "greater_equal": "≥", "less": "<", "less_equal": "≤"}
