"""What a learner has solved, as a line of text: made by the page, read and run again here.

    minigrad:dead-units@1a2b3c4d:die:Ada:eyJjaGFu…:5d41402a

The lesson and its version, the challenge, who, the changes that solved it (JSON in base64), and a check code, the
CRC-32 of all before it. The code finds a line that was cut or mistyped; that it is solved is found by making the
changes.
"""

from __future__ import annotations

import base64
import json
import math
import re
import zlib
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote

from minigrad.errors import DataError
from minigrad.viz.lessons.binding import Bound
from minigrad.viz.lessons.conditions import SLACK
from minigrad.viz.lessons.replay import NoChange
from minigrad.viz.numbers import show

_LINE = re.compile(
    r"(?P<lesson>[a-z0-9-]+)@(?P<version>[0-9a-f]{8}):(?P<challenge>[a-z0-9-]+):(?P<who>[^:\s]*)"
    r":(?P<made>[A-Za-z0-9_-]*):(?P<code>[0-9a-f]{8})"
)
_START = "minigrad:"


@dataclass(frozen=True)
class Solved:
    """A line: which challenge of which lesson, who, the changes, and the answer where the challenge asks for one.

    ``fault`` says why a line cannot be read; the rest is as far as it could be.
    """

    lesson: str = ""
    version: str = ""
    challenge: str = ""
    who: str = ""
    changes: tuple[Any, ...] = ()
    answer: Any = None
    fault: str = ""


@dataclass(frozen=True)
class Verdict:
    """Whether a line holds, and in a sentence why not, or what to know about it."""

    holds: bool
    why: str = ""


def read_lines(text: str) -> list[Solved]:
    """Return every line in a text, whatever stands around it; one that a mail has broken into several is put together.

    DataError MG-658 where there is none.
    """
    _, *parts = text.split(_START)
    if not parts:
        raise DataError(
            "MG-658",
            f"there is no line here that begins with {_START} A learner copies them from the page: Copy lines.",
        )
    return [_read(re.sub(r"\s+>*\s*", "", part)) for part in parts]


def _read(text: str) -> Solved:
    found = _LINE.match(text)
    if found is None:
        return Solved(fault="the line is cut, or something in it was changed. Ask for it once more.")
    known = Solved(found["lesson"], found["version"], found["challenge"], unquote(found["who"]))
    told = _START + text[: found.start("code") - 1]
    if code(told) != found["code"]:
        fault = "its check code does not fit: something in it was changed. Ask for it once more."
        return replace(known, fault=fault)
    try:
        made = json.loads(base64.urlsafe_b64decode(found["made"] + "=" * (-len(found["made"]) % 4)))
        return replace(known, changes=tuple(made["changes"]), answer=made.get("answer"))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return replace(known, fault="its changes cannot be read.")


def code(text: str) -> str:
    """Return the check code of a line up to there."""
    return f"{zlib.crc32(text.encode()):08x}"


def verify(solved: Solved, bound: Bound) -> Verdict:
    """Make a line's changes in Python and tell whether they solve its challenge."""
    lesson = bound.lesson
    if solved.fault:
        return Verdict(False, solved.fault)
    if solved.lesson != lesson.name:
        return Verdict(False, f"it is of the lesson {solved.lesson}, not of {lesson.name}.")
    places = {each.name: k for k, each in enumerate(lesson.challenges)}
    if solved.challenge not in places:
        return Verdict(False, f"the lesson has no challenge {solved.challenge}.")
    k = places[solved.challenge]
    try:
        verdict = _replayed(solved, bound, _chain(bound, k, places))
    except NoChange as error:
        verdict = Verdict(False, f"{error}.")
    if verdict.holds and solved.version != lesson.version:
        return Verdict(True, "The lesson was changed since; it is solved in this version too.")
    if not verdict.holds and solved.version != lesson.version:
        return Verdict(False, f"{verdict.why} The lesson was changed since.")
    return verdict


def _chain(bound: Bound, k: int, places: dict[str, int]) -> list[int]:
    """The challenges that have to come about one after another, this one last."""
    before = bound.lesson.challenges[k].after
    return [*(_chain(bound, places[before], places) if before else []), k]


def _replayed(solved: Solved, bound: Bound, chain: list[int]) -> Verdict:
    *before, last = chain
    locked = {*bound.lock, *bound.locks[last]}
    touched = [key for key in map(_key, solved.changes) if key in locked]
    if touched:
        return Verdict(False, f"{touched[0].removeprefix(':')} was changed, which is locked.")
    state = bound.replay.start
    for state in bound.replay.states(solved.changes):
        if before and bound.worth(before[0], bound.replay.worked_out(state), SLACK):
            before.pop(0)
    if before:
        return Verdict(False, f"{bound.lesson.challenges[before[0]].name} has to come first.")
    challenge, found = bound.lesson.challenges[last], bound.worth(last, bound.replay.worked_out(state), SLACK)
    if challenge.answer and not _is_right(solved.answer, float(found)):
        return Verdict(False, f"{solved.answer!r:.20} was answered, and it is {show(float(found))}.")
    if challenge.condition and not found:
        return Verdict(False, f"with these changes {challenge.condition} does not hold.")
    return Verdict(True)


def _key(change: Any) -> str:
    """By what a lock knows a change."""
    if not (isinstance(change, list) and len(change) == 3):
        return ""
    return str(change[0]) or f":{change[1]}"


def _is_right(typed: Any, wanted: float) -> bool:
    """Tell whether an answer is right to three digits, as the page does."""
    if type(typed) not in (int, float) or not math.isfinite(wanted):
        return False
    unit = 10.0 ** (math.floor(math.log10(abs(wanted))) - 2) if wanted else 1e-9
    return bool(abs(typed - wanted) <= 0.5000001 * unit + SLACK * abs(wanted))
