"""The lines of an optimizer's formula with their values, computed from its expressions.

There is no second copy of any formula here, so what is shown is what ``optim/formulas.py`` says, or a user's own.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad import backend
from minigrad.optim import Update, formulas
from minigrad.symbols import Expression, evaluate
from minigrad.symbols.python import Python
from minigrad.viz.trace import Row


def rows(update: Update) -> tuple[Row, ...]:
    """Return the lines of one parameter's update.

    First what is given: theta, g, the old state and the coefficients; then each line of the formula, of which the last
    is the new theta. Where the gradient is clipped or has an L2 penalty's part added, the line that does so comes
    before the others. A formula that is no expression of single entries, or whose text is kept from readers, gives
    its result alone.
    """
    optimizer, program = update.optimizer, update.optimizer.reading.program
    given = {"theta": update.theta, "g": update.g, **update.state}
    given = {name: backend.to_numpy(array) for name, array in given.items()}
    clip = update.clip if isinstance(update.clip, float) else backend.to_numpy(update.clip)
    if program is None or sealed(update):
        corrections: dict[str, Any] = {"clip": clip, "l2": optimizer.l2}
        effective = formulas.effective_gradient(given["g"], given["theta"], **corrections)
        changed: tuple[Row, ...] = ()
        if not np.array_equal(effective, given["g"], equal_nan=True):
            given |= corrections
            changed = (Row("g", "clip * g + l2 * theta", host(effective)),)
        new = Row("theta", "formula(theta, g, …)", host(update.tensor.data))
        return *_given({**given, "rate": update.rate}), *changed, new

    settings = {program.rate: update.rate, **update.settings}
    values: dict[Any, Any] = {**given, "clip": clip, "l2": optimizer.l2, "t": update.t, **settings}
    found = []
    with np.errstate(all="ignore"):
        for name, tree in program.lines:
            values[tree] = evaluate(tree, values)
            found.append((name, tree, values[tree]))
    name, tree, effective = found[0]
    tree_of_g: Expression | None = tree
    used = {name: values[name] for name in ("t", *settings) if name in program.numbers}
    if name == "g" and np.array_equal(effective, given["g"], equal_nan=True):
        del found[0]
        values = {**given, **used}
    else:
        tree_of_g, values = None, {**given, "clip": clip, "l2": optimizer.l2, **used}
    printer = Python(program.traced.names)
    lines = (Row(name, printer.text(tree), host(value), tree=tree) for name, tree, value in found)
    return *_given(values, g=tree_of_g), *lines


def sealed(update: Update) -> str:
    """Return what stands in the place of the optimizer's formula where that is kept from readers, else nothing."""
    program = update.optimizer.reading.program
    return "" if program is None else program.traced.sealed


def _given(values: dict[str, Any], **trees: Expression | None) -> tuple[Row, ...]:
    return tuple(
        Row(name, "", host(value), given=True, tree=trees.get(name), setting=isinstance(value, (int, float)))
        for name, value in values.items()
    )


def host(array: Any) -> Any:
    """Return a read-only copy on the host that nobody else holds."""
    copy = np.array(backend.to_numpy(array))
    copy.flags.writeable = False
    return copy
