"""What a page needs to work a recorded step out anew: its program in JavaScript, and which array is which value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import cache
from itertools import groupby
from typing import Any

import numpy as np

from minigrad import modes, optim
from minigrad.errors import ProgramError
from minigrad.optim.clip import clip_factor
from minigrad.program import javascript
from minigrad.program.javascript_names import TYPES
from minigrad.tensor import Tensor
from minigrad.viz import several
from minigrad.viz.live import FIX, Live, Rule, live, rule_of
from minigrad.viz.page_arrays import Store
from minigrad.viz.page_pictures import pictures
from minigrad.viz.page_rows import Printed, printed
from minigrad.viz.pixels import Pixels, pixels
from minigrad.viz.several import Batch
from minigrad.viz.trace import AccumulateGrad, NewLoss, Trace, Update
from minigrad.viz.update_rows import rows, sealed

CHOICE: dict[str, Callable[..., optim.Optimizer]] = {
    "GD": optim.GD,
    "SGD": optim.SGD,
    "SGD with momentum": lambda w: optim.SGD(w, momentum=0.9),
    "AdaGrad": lambda w: optim.AdaGrad(w, lr=0.1),
    "RMSprop": optim.RMSprop,
    "Adam": optim.Adam,
    "Adam as printed": optim.AdamAsPrinted,
}
"""The optimizers to which a page may change."""


@dataclass(slots=True)
class Page:
    """A step's program as a page has it.

    ``rules`` are the optimizers' formulas as the page is told of them, ``formulas`` the same as programs.

    - step: the recorded step, the first of several
    - batches: what those behind it are given
    - names: by an array's id the name of its value
    """

    step: Trace
    program: Live
    batches: list[Batch]
    rules: list[dict[str, Any]]
    formulas: list[Rule]
    updates: list[dict[str, Any]]
    printed: Printed
    text: str
    pixels: Pixels | None
    names: dict[int, str] = field(default_factory=dict)

    def data(self, store: Store) -> dict[str, Any] | None:
        """Return what the page's script reads, or None where the numbers of an array do not fit on the page."""
        trace = self.step
        given: list[list[Any]] = [
            [value.name, node, store.add(trace.nodes[node].value), TYPES[trace.nodes[node].dtype]]
            for node, value in self.program.given.items()
        ]
        longer = self.printed.constants
        constants: list[list[Any]] = [
            [
                value.name,
                value.name in longer,
                store.add(longer.get(value.name, array)),
                TYPES[array.dtype.name],
            ]
            for value, array in self.program.constants
        ]
        states = [k for update in self.updates for k in self._states(trace, update, store)]
        pad = self._pad(store)
        further: list[dict[str, Any]] = [
            {
                "arrays": [[name, store.add(a), TYPES[a.dtype.name]] for name, a in batch.arrays.items()],
                "settings": batch.settings,
            }
            for batch in self.batches
        ]
        wanted = [k for _, _, k, _ in given + constants + (pad["constants"] if pad else [])] + states
        wanted += [k for batch in further for _, k, _ in batch["arrays"]]
        if trace.loss is not None:
            store.fill([store.add(trace.nodes[trace.loss].value)])
        store.fill(wanted, exact=True)
        if not all(store.has(k) for k in wanted) or self.program.loss is None:
            return None
        return {
            "given": given,
            "constants": constants,
            "loss": self.program.loss.name,
            "lossArray": store.add(trace.nodes[trace.loss].value) if trace.loss is not None else None,
            "updates": self.updates,
            "batches": further,
            "see": None if self.printed.seen is None else asdict(self.printed.seen),
            **pictures(trace, self.program),
            "pad": pad,
            "rules": self.rules,
            "outcome": next((e.index for e in trace.events if isinstance(e, NewLoss)), None),
        }

    def _pad(self, store: Store) -> dict[str, Any] | None:
        """What can be drawn on: the pictures, what is made of them, and what that needs beside the step's arrays."""
        if self.pixels is None:
            return None
        found, given = self.pixels, self.program.given
        return {
            "x": given[found.picture].name,
            "shape": list(found.shape),
            "labels": None if found.labels is None else given[found.labels].name,
            "results": [[node, value.name] for node, value in found.results.items()],
            "gradient": found.gradient.name,
            "constants": [[v.name, None, store.add(a), TYPES[a.dtype.name]] for v, a in found.constants],
        }

    def _states(self, trace: Trace, update: dict[str, Any], store: Store) -> list[int]:
        event = trace.events[update["event"]]
        assert isinstance(event, Update)
        symbols = self.rules[update["rule"]]["state"]
        found = {
            row.symbol: store.add(row.value) for row in event.rows if row.given and row.symbol in symbols
        }
        update["state"] = found
        return list(found.values())


def page(trace: Trace) -> tuple[Page | None, str]:
    """Return a recorded step's program for its page, with the batches of the steps behind it.

    None where there is none (MG-650, MG-670 and MG-671); behind that stands why.
    """
    step = several.first(trace)
    try:
        program = live(step)
        batches = several.batches(trace, step, program)
        made = printed(step, program)
        drawn = pixels(step)
        on_pad = "null" if drawn is None else javascript.phases_text(drawn.listing)
        rules, names = _Rules(), {key: value.name for key, value in program.values.items()}
        events = [event for event in step.events if isinstance(event, Update)]
        _require_clipped(step, events)
        updates = [_update(step, event, program, rules, names) for event in events]
    except ProgramError as error:
        return None, f"{error.message} ({error.code})"
    if updates:
        for label, (rule, event) in _choice().items():
            rules.add(rule, event, label)
    for each in step.events:
        if isinstance(each, NewLoss) and program.loss is not None:
            names[id(each.old)], names[id(each.new)] = program.loss.name, f"after.{program.loss.name}"
    text = (
        f"const program = {made.text};\nconst rules = [{','.join(rules.texts)}];\nconst pixels = {on_pad};\n"
    )
    return Page(step, program, batches, rules.listed, rules.formulas, updates, made, text, drawn, names), ""


NOT_LIVE = "const program = null, rules = [], pixels = null;\n"


class _Rules:
    """The formulas on a page, each once."""

    def __init__(self) -> None:
        self.listed: list[dict[str, Any]] = []
        self.formulas: list[Rule] = []
        self.texts: list[str] = []

    def add(self, rule: Rule, event: Update, label: str) -> int:
        """Enter a formula and return its number."""
        text = javascript.rule_text(rule.listing)
        if text in self.texts:
            return self.texts.index(text)
        self.texts.append(text)
        self.formulas.append(rule)
        numbers = {row.symbol: row.value.item() for row in event.rows if row.setting}
        self.listed.append(
            {
                "name": label,
                "state": list(rule.state),
                "lines": [[symbol, value.name] for symbol, value in rule.lines],
                "clips": any(row.symbol == "clip" for row in event.rows),
                "settings": {key: number for key, number in numbers.items() if key != "t"},
            }
        )
        return len(self.texts) - 1


def _require_clipped(step: Trace, events: list[Update]) -> None:
    """Raise MG-671 where a gradient is clipped by another norm than that of all gradients of its kind of optimizer."""
    gradients = {event.node: event.total for event in step.events if isinstance(event, AccumulateGrad)}
    for (_, most), group in groupby(events, lambda event: (event.optimizer, event.max_norm)):
        together = list(group)
        if most is None:
            continue
        factor = float(clip_factor([gradients[event.node] for event in together], most))
        for event in together:
            used = next((row.value.item() for row in event.rows if row.symbol == "clip"), 1.0)
            if not np.isclose(used, factor, rtol=1e-5):
                raise ProgramError(
                    "MG-671",
                    f"{event.optimizer} clips by a norm, max_norm, that is not of these gradients. {FIX}",
                )


def _update(
    trace: Trace, event: Update, program: Live, rules: _Rules, names: dict[int, str]
) -> dict[str, Any]:
    rule = rule_of(event)
    number = rules.add(rule, event, event.optimizer)
    prefix, lines, called_rows = f"u{event.index}.", iter(rule.lines), []
    for row in event.rows:
        called = prefix + (row.symbol if row.given else next(lines)[1].name)
        names[id(row.value)] = called
        called_rows.append(called)
    if event.node not in program.given or event.node not in program.gradients:
        raise ProgramError("MG-671", f"{trace.nodes[event.node].name} is not what the step was given.")
    return {
        "event": event.index,
        "theta": program.given[event.node].name,
        "gradient": program.gradients[event.node].name,
        "rule": number,
        "t": event.t,
        "maxNorm": event.max_norm,
        "optimizer": event.optimizer,
        "settings": {row.symbol: row.value.item() for row in event.rows if row.setting and row.symbol != "t"},
        "rows": called_rows,
    }


@cache
def _choice() -> dict[str, tuple[Rule, Update]]:
    found: dict[str, tuple[Rule, Update]] = {}
    for label, make in CHOICE.items():
        w = Tensor(np.ones(1, "float32"), requires_grad=True, name="theta")
        optimizer = make([w])

        seen: list[Any] = []
        with modes.hooks(update=seen.append):
            (w * w).sum().backward()
            optimizer.step()
        if not sealed(seen[0]):
            event = Update(0, None, 0, type(optimizer).__name__, 1, rows(seen[0]))
            found[label] = rule_of(event), event
    return found


def as_script(made: Page | None) -> str:
    """Return the lines of the page's script that hold the program."""
    return NOT_LIVE if made is None else made.text
