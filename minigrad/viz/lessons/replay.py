"""A page's changes made again in Python: the step's program, run by NumPy on what a learner changed.

It does what ``assets/live.js`` does, from the same instructions. A change is a list of three, as a page's link has it:

    ["W1", 3, -2.0]          entry 3 of W1 becomes −2
    ["x", "rows", "0a3…"]    each row becomes this picture, a letter for each sixteenth
    ["x", "sample", 4]       each row becomes the recorded row 4
    ["labels", "fill", 7]    every entry becomes 7
    ["x", "recorded", 0]     the array becomes what was recorded
    ["", "eta", 0.3]         a setting of the optimizer
    ["", "optimizer", 2]     another formula
    ["", "step", 10]         ten steps
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, TypeAlias

import numpy as np

from minigrad.optim.clip import clip_factor
from minigrad.program.instructions import Listing, Value, mapped
from minigrad.viz.page_live import Page
from minigrad.viz.trace import Host, NewLoss, Trace, Update

Change: TypeAlias = Sequence[Any]
SIXTEENTHS = "0123456789abcdefg"
MOST_STEPS = 50_000


class NoChange(Exception):
    """What is wrong with a change, in a sentence."""


@dataclass(frozen=True, eq=False)
class State:
    """What a step begins with: arrays by name; by parameter settings, state, step count and formula."""

    values: dict[str, Host]
    settings: tuple[dict[str, float], ...]
    states: tuple[dict[str, Host], ...]
    t: tuple[int, ...]
    rule: tuple[int, ...]
    step: int = 0
    clips: bool = True  # as the recorded optimizers do; one that was chosen on the page does not


class Replay:
    """A page's step in Python: the recorded state, what a change makes of a state, and what follows from one."""

    def __init__(self, trace: Trace, page: Page) -> None:
        self.page, program = page, page.program
        self.fixed = {value.name: np.asarray(array) for value, array in program.constants}
        given = {value.name: np.array(trace.nodes[node].value) for node, value in program.given.items()}
        events = [trace.events[update["event"]] for update in page.updates]
        self.start = State(
            given,
            tuple(dict(update["settings"]) for update in page.updates),
            tuple(
                _state(event, page.rules[u["rule"]]["state"])
                for event, u in zip(events, page.updates, strict=True)
            ),
            tuple(update["t"] for update in page.updates),
            tuple(update["rule"] for update in page.updates),
        )
        self.has_outcome = any(isinstance(event, NewLoss) for event in trace.events)

    # -- what follows from a state --------------------------------------------------------------------------

    def worked_out(self, state: State) -> Worked:
        """Return all values of the step that begins with a state."""
        listing = self.page.program.listing
        with np.errstate(all="ignore"):
            values = {**self.fixed, **state.values}
            run(listing, ("forward", "backward"), values)
            factors = self._factors(values) if state.clips else [None] * len(state.t)
            updates = [self._update(state, i, values, factor) for i, factor in enumerate(factors)]
            after = None
            if self.has_outcome:
                new = {u["theta"]: self.new(state, i, updates[i]) for i, u in enumerate(self.page.updates)}
                after = {**self.fixed, **state.values, **new}
                run(listing, ("forward",), after)
        return Worked(self, state, values, updates, after)

    def _factors(self, values: dict[str, Any]) -> list[Any]:
        """By what each update's gradient is multiplied where its optimizer clips by a norm, and None elsewhere."""
        found: list[Any] = []
        for (_, most), group in groupby(self.page.updates, lambda u: (u["optimizer"], u["maxNorm"])):
            gradients = [values[update["gradient"]] for update in group]
            found += [None if most is None else clip_factor(gradients, most)] * len(gradients)
        return found

    def _update(self, state: State, i: int, values: dict[str, Any], factor: Any) -> dict[str, Any]:
        update, rule = self.page.updates[i], self.page.rules[state.rule[i]]
        inside = {"theta": state.values[update["theta"]], "g": values[update["gradient"]]}
        inside |= {**state.states[i], **state.settings[i], "t": state.t[i]}
        if factor is not None and rule["clips"]:
            inside["clip"] = factor
        elif factor is not None and factor < 1:
            inside["g"] = factor * inside["g"]
        run(self.page.formulas[state.rule[i]].listing, ("update",), inside)
        return inside

    def new(self, state: State, i: int, inside: dict[str, Any], symbol: str = "theta") -> Host:
        """Return what a formula's line makes of a parameter, or of its state."""
        lines = dict(self.page.rules[state.rule[i]]["lines"])
        return np.asarray(inside[lines[symbol]])

    # -- changes --------------------------------------------------------------------------------------------

    def states(self, changes: Sequence[Change]) -> Iterator[State]:
        """Yield the state after each change and each step; ``NoChange`` where one means nothing here."""
        state, taken = self.start, 0
        for change in changes:
            if not (isinstance(change, Sequence) and len(change) == 3 and isinstance(change[0], str)):
                raise NoChange(f"{change!r:.60} is no change")
            name, what, value = change
            if name:
                state = self._edited(state, name, what, value)
                yield state
            elif what == "step":
                taken += _whole(value, 1, MOST_STEPS)
                if taken > MOST_STEPS:
                    raise NoChange(f"more than {MOST_STEPS:,} steps are not run again")
                for _ in range(value):
                    state = self._stepped(state)
                    yield state
            else:
                state = self._chosen(state, what, value)
                yield state

    def _edited(self, state: State, name: str, what: Any, value: Any) -> State:
        if name not in state.values:
            raise NoChange(f"{name!r} is nothing that the step was given")
        old, recorded = state.values[name], self.start.values[name]
        new = old.copy()
        if what == "recorded":
            new = recorded
        elif what == "sample":
            new[...] = recorded[_whole(value, 0, len(recorded) - 1) if recorded.ndim else ()]
        elif what == "rows":
            new[...] = _picture(value, recorded)
        elif what == "fill":
            new[...] = _entry(value, recorded)
        else:
            new.reshape(-1)[_whole(what, 0, old.size - 1)] = _entry(value, recorded)
        return replace(state, values={**state.values, name: new})

    def _chosen(self, state: State, what: Any, value: Any) -> State:
        if what == "optimizer":
            rule = self.page.rules[_whole(value, 0, len(self.page.rules) - 1)]
            empty = tuple(
                {symbol: np.zeros_like(state.values[u["theta"]]) for symbol in rule["state"]}
                for u in self.page.updates
            )
            count = len(state.t)
            return replace(
                state,
                rule=(value,) * count, t=(1,) * count, states=empty, settings=(dict(rule["settings"]),) * count,
                clips=False,
            )  # fmt: skip
        if not isinstance(what, str) or not any(what in each for each in state.settings):
            raise NoChange(f"{what!r} is no setting of the optimizer")
        number = _number(value)
        return replace(
            state,
            settings=tuple({**each, what: number} if what in each else each for each in state.settings),
        )

    def _stepped(self, state: State) -> State:
        worked = self.worked_out(state)
        new = {u["theta"]: self.new(state, i, worked.updates[i]) for i, u in enumerate(self.page.updates)}
        states = tuple(
            {symbol: self.new(state, i, worked.updates[i], symbol) for symbol in state.states[i]}
            for i in range(len(state.t))
        )
        return replace(
            state,
            values={**state.values, **new}, states=states, t=tuple(t + 1 for t in state.t), step=state.step + 1,
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Worked:
    """All values of a step; calling it with a value's name on the page returns the value."""

    replay: Replay
    state: State
    values: dict[str, Any]
    updates: list[dict[str, Any]]
    after: dict[str, Any] | None

    def __call__(self, kind: str, name: str = "") -> Any:
        """Return a ``"value"``, what the update makes of a parameter (``"new"``), the ``"rate"``, the ``"step"``."""
        if kind == "step":
            return self.state.step
        if kind == "rate":
            settings = self.state.settings[0]
            return next(settings[key] for key in ("eta", "alpha") if key in settings)
        if kind == "new":
            i = next(i for i, update in enumerate(self.replay.page.updates) if update["theta"] == name)
            return self.replay.new(self.state, i, self.updates[i])
        if name.startswith("after."):
            assert self.after is not None
            return self.after[name.removeprefix("after.")]
        return self.values[name]


def run(listing: Listing, phases: tuple[str, ...], values: dict[str, Any]) -> None:
    """Run instructions; ``values`` has what they read by name, and gets what they make."""

    def look(x: Any) -> Any:
        return values[x.name] if isinstance(x, Value) else x

    for each in listing.instructions:
        if each.phase in phases:
            made = each.function.run(*mapped(each.arguments, look), **mapped(each.options, look))
            for value, part in zip(
                each.makes, made if isinstance(each.result, tuple) else (made,), strict=False
            ):
                values[value.name] = part


def _state(event: Any, symbols: Sequence[str]) -> dict[str, Host]:
    assert isinstance(event, Update)
    return {row.symbol: np.array(row.value) for row in event.rows if row.given and row.symbol in symbols}


def _whole(value: Any, low: int, high: int) -> int:
    if type(value) is not int or not low <= value <= high:
        raise NoChange(f"{value!r:.40} is no whole number from {low} to {high}")
    return value


def _number(value: Any) -> float:
    if type(value) not in (int, float) or not np.isfinite(value):
        raise NoChange(f"{value!r:.40} is no number")
    return float(value)


def _entry(value: Any, recorded: Host) -> float:
    """A number that an entry of an array can be; a label is one of those that there are."""
    number = _number(value)
    if recorded.dtype.kind in "iub" and not (
        number == int(number) and 0 <= number <= recorded.max(initial=0)
    ):
        raise NoChange(f"{number:g} is none of the labels 0 to {recorded.max(initial=0)}")
    return number


def _picture(text: Any, recorded: Host) -> Host:
    size = recorded[:1].size if recorded.ndim else 1
    if not isinstance(text, str) or len(text) != size or set(text) - set(SIXTEENTHS):
        raise NoChange(f"a picture here is {size} letters from 0 to g")
    return np.array([SIXTEENTHS.index(letter) / 16 for letter in text]).reshape(recorded[:1].shape)
