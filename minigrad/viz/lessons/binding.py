"""A lesson on a recorded step: what its names stand for there, and whether its conditions can be worked out."""

from __future__ import annotations

import re
from collections.abc import Callable
from difflib import get_close_matches
from typing import Any, NoReturn

import numpy as np

from minigrad.errors import DataError
from minigrad.viz.lessons.conditions import Tree, Unfit, parse, worth
from minigrad.viz.lessons.reading import Challenge, Lesson
from minigrad.viz.lessons.replay import Replay, Worked
from minigrad.viz.page_live import Page
from minigrad.viz.trace import AccumulateGrad, Backward, Forward, NewLoss, Node, Seed, Trace, Update

_WORDS = ("parameters", "data", "rate", "settings", "optimizer", "steps")


class Bound:
    """A lesson whose names are those of a recorded step; ``trees`` and ``locks`` are by challenge.

    DataError MG-657 where a condition cannot be worked out on this step, is no single truth, or holds from the start.
    """

    def __init__(self, lesson: Lesson, trace: Trace, page: Page) -> None:
        self.lesson, self.page = lesson, page
        self.replay = Replay(trace, page)
        self._names, self._trace = _Names(trace, page), trace
        self._start = self.replay.worked_out(self.replay.start)
        self.lock = [
            *self._locked(None, lesson.lock),
            ":add",
            ":remove",
        ]  # points are as many as were recorded
        self.locks = [self._locked(k, each.lock) for k, each in enumerate(lesson.challenges)]
        self.trees = [self._tree(k, each) for k, each in enumerate(lesson.challenges)]
        self._shown = [self._event(k, each) for k, each in enumerate(lesson.challenges)]

    def data(self) -> dict[str, Any]:
        """Return what the page's script reads."""
        return {
            "name": self.lesson.name,
            "version": self.lesson.version,
            "title": self.lesson.title,
            "about": self.lesson.about,
            "lock": self.lock,
            "challenges": [
                {
                    "name": each.name, "title": each.title, "text": each.text, "hint": each.hint, "ask": each.ask,
                    "after": each.after, "tree": tree, "lock": lock, "locked": list(each.lock), "show": shown,
                }
                for each, tree, lock, shown in zip(
                    self.lesson.challenges, self.trees, self.locks, self._shown, strict=True
                )
            ],
        }  # fmt: skip

    def worth(self, k: int, worked: Worked, slack: float) -> Any:
        """Return what the n-th challenge's condition, or answer, is worth in a step."""
        with np.errstate(all="ignore"):
            return worth(self.trees[k], worked, self._start, slack)

    def _fail(self, k: int | None, key: str, what: str) -> NoReturn:
        raise DataError("MG-657", f"{self.lesson.where(k, key)}: {what}")

    def _tree(self, k: int, challenge: Challenge) -> Tree:
        key = "condition" if challenge.condition else "answer"
        text = challenge.condition or challenge.answer
        try:
            tree = parse(text, self._names)
            with np.errstate(all="ignore"):
                found = np.asarray(worth(tree, self._start, self._start))
        except Unfit as error:
            self._fail(k, key, f"{text!r}: {error}.")
        except Exception as error:  # NumPy's word on shapes and places
            self._fail(k, key, f"{text!r} cannot be worked out on this step: {error}.")
        if found.size != 1:
            shape = "×".join(map(str, found.shape))
            self._fail(
                k,
                key,
                f"{text!r} is an array ({shape}). Say of which entries: all(…), any(…), max(…), or x[0, 1].",
            )
        if key == "condition" and found.dtype != bool:
            self._fail(k, key, f"{text!r} is a number. A condition compares: {text} < 0.1")
        if key == "condition" and found.item() and not challenge.after:
            self._fail(
                k,
                key,
                f"{text!r} holds before anything is changed. Say what has to come before it: after = …",
            )
        return tree

    def _locked(self, k: int | None, names: tuple[str, ...]) -> list[str]:
        """Return by what a change is known that touches one of these: an array's name, ``:eta`` for a setting."""
        found: list[str] = []
        settings = [f":{symbol}" for rule in self.page.rules for symbol in rule["settings"]]
        given = {value.name: self._trace.nodes[i] for i, value in self.page.program.given.items()}
        for name in names:
            if name == "parameters":
                found += [key for key, node in given.items() if node.role == "parameter"]
            elif name == "data":
                found += [key for key, node in given.items() if node.role != "parameter"]
            elif name == "rate":
                found += [":eta", ":alpha"]
            elif name in ("optimizer", "settings"):
                found += settings if name == "settings" else [":optimizer"]
            elif name == "steps":
                found.append(":step")
            elif matches := [key for key, node in given.items() if node.name == name]:
                found += matches
            elif f":{name}" in settings:
                found.append(f":{name}")
            else:
                there = dict.fromkeys(node.name for node in given.values())
                self._fail(
                    k,
                    "lock",
                    f"{name!r} is nothing that can be locked; there are {', '.join((*_WORDS, *there))}.",
                )
        return list(dict.fromkeys(found))

    def _event(self, k: int, challenge: Challenge) -> int | None:
        """Return the event at which the page shows a tensor, its gradient or its update."""
        if not challenge.show:
            return None
        match = re.fullmatch(r"(?:(grad|new)\((.+)\)|(.+))", challenge.show)
        assert match is not None
        try:
            node = self._names.node(match[2] or match[3])
        except Unfit as error:
            self._fail(k, "show", f"{error}.")
        kinds: tuple[Any, ...] = {"grad": (Backward, AccumulateGrad, Seed), "new": (Update,)}.get(
            match[1], (Forward,)
        )
        made = [
            event.index
            for event in self._trace.events
            if isinstance(event, kinds)
            and (event.input if isinstance(event, Backward) else event.node) == node.index
        ]
        uses = [e.index for e in self._trace.events if isinstance(e, Forward) and self._uses(e, node)]
        found = made or (uses if not match[1] else [])
        if not found:
            self._fail(k, "show", f"nothing on the page shows {challenge.show}.")
        return found[-1] if match[1] else found[0]

    def _uses(self, event: Forward, node: Node) -> bool:
        return node.index in self._trace.nodes[event.node].inputs


class _Names:
    """The names of a recorded step; see ``conditions.Names``."""

    def __init__(self, trace: Trace, page: Page) -> None:
        self.trace, self.page = trace, page

    def node(self, name: str) -> Node:
        for node in self.trace.nodes:
            if node.name == name:
                return node
        there = list(dict.fromkeys(node.name for node in self.trace.nodes))
        near = get_close_matches(name, there, 3) or there[:12]
        raise Unfit(f"there is no tensor {name}; there {'is' if len(near) == 1 else 'are'} {', '.join(near)}")

    def value(self, name: str) -> str:
        return self._called(self.node(name).value, name)

    def gradient(self, name: str) -> str:
        found = self.trace.gradient(self.node(name).index)
        if found is None:
            known = [node.name for node in self.trace.nodes if self.trace.gradient(node.index) is not None]
            raise Unfit(f"no gradient came to {name}; those that got one are {', '.join(known[:12])}")
        return self._called(found, f"grad({name})")

    def updated(self, name: str) -> str:
        updates = {u["event"]: u["theta"] for u in self.page.updates}
        node = self.node(name).index
        for event in self.trace.events:
            if isinstance(event, Update) and event.node == node:
                return str(updates[event.index])
        raise Unfit(f"no optimizer updates {name}")

    def loss(self, *, after: bool) -> str:
        loss = self.page.program.loss
        if loss is None or (after and not any(isinstance(e, NewLoss) for e in self.trace.events)):
            raise Unfit("this step has no loss" + (" that is worked out again" if after else ""))
        return f"after.{loss.name}" if after else loss.name

    def _called(self, array: Any, name: str) -> str:
        found = self.page.program.values.get(id(array))
        if found is None:
            raise Unfit(f"{name} is not worked out on the page")
        return found.name


def bind(lesson: Lesson, trace: Trace, page: Page | None, still: str = "") -> Bound:
    """Return a lesson on a recorded step, with what ``page_live.page`` returns of it.

    DataError MG-657 where the step's page is not live, which ``still`` gives the reason of, where there are several
    steps, or as in ``Bound``.
    """
    opened = "example" if lesson.example else "program" if lesson.program else "source"
    if page is None:
        raise DataError(
            "MG-657",
            f"{lesson.where(None, opened)}: the page of this step is not live, so nothing on it can be changed: "
            f"{still or 'it was made with live=False.'}",
        )
    if page.batches:
        raise DataError(
            "MG-657",
            f"{lesson.where(None, opened)}: a lesson is about one step, and {len(page.batches) + 1} are recorded.",
        )
    return Bound(lesson, trace, page)


def on_page(lesson: Lesson) -> Callable[[Trace, Page | None, str], dict[str, Any]]:
    """Return what puts a lesson on a page: ``trace.save("lesson.html", lesson=on_page(read("first-quarter")))``."""
    return lambda trace, page, still: bind(lesson, trace, page, still).data()
