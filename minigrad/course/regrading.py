"""One question graded anew for all, after its tests were mended: the others stay, and what changes is listed."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from minigrad.course.assignment import Assignment
from minigrad.course.results import Result
from minigrad.course.tables import shown, write_table
from minigrad.errors import DataError


@dataclass(frozen=True)
class Regrade:
    """Which questions to grade anew, whatever is stored, and whether students may lose points by it."""

    questions: tuple[str, ...] = ()
    may_lose: bool = False


NOTHING_ANEW = Regrade()


class Moved(NamedTuple):
    """What a regrading does to one student's question; not ``taken`` where it would cost points and may not."""

    student: str
    question: str
    before: float
    after: float
    taken: bool


def outdated(result: Result | None, key: Mapping[str, Any], regrade: Regrade) -> list[str] | None:
    """Return the questions that have to be run; None for the whole submission.

    ``key`` is what a result of today would depend on. Where questions are asked for, those and no others are run for
    whoever has a result of the same submission.
    """
    if result is None or result.key.get("failed"):
        return None
    if regrade.questions:
        same = all(result.key.get(part) == key[part] for part in ("assignment", "submission", "trouble"))
        return [name for name in regrade.questions if not result.trouble] if same else None
    base, stored = ({k: v for k, v in each.items() if k != "questions"} for each in (key, result.key))
    theirs = result.key.get("questions", {})
    if base != stored or set(theirs) - set(key["questions"]):
        return None
    return [
        name
        for name, digest in key["questions"].items()
        if digest not in (theirs.get(name), result.spared.get(name))
    ]


def merged(
    assignment: Assignment,
    stored: Result,
    fresh: Result,
    names: Iterable[str],
    key: Mapping[str, Any],
    regrade: Regrade,
) -> Result:
    """Return the stored result with some questions' outcomes replaced by fresh ones, its key and history with them.

    Raises DataError MG-958 where points are to be kept that tests gave which the question does not have any more.
    """
    made = copy.deepcopy(stored)
    made.problems = fresh.problems
    made.held = {name: can or fresh.held[name] for name, can in stored.held.items() if name in fresh.held}
    old = {outcome.test: outcome for outcome in stored.outcomes}
    new = {outcome.test: outcome for outcome in fresh.outcomes}
    for question in assignment.questions:
        if question.name not in names:
            continue
        tests = [test.name for test in question.tests]
        digest = key["questions"][question.name]
        earlier = [
            each for each in made.regraded if (each["question"], each["source"]) == (question.name, digest)
        ]
        before = sum(old[test].score for test in tests if test in old)
        after = sum(new[test].score for test in tests)
        spared = bool(regrade.questions) and after < before and not regrade.may_lose
        if spared and not set(tests) <= set(old):
            raise DataError(
                "MG-958",
                f"question {question.name!r} has tests that it had not when it was graded: "
                f"{', '.join(sorted(set(tests) - set(old)))}. What a student had cannot simply stay: take the new "
                "points with --may-lose, or grade all again.",
            )
        if spared:
            new |= {test: old[test] for test in tests}
            made.spared[question.name] = digest
        else:
            made.spared.pop(question.name, None)
            made.key = made.key | {"questions": made.key.get("questions", {}) | {question.name: digest}}
        if earlier and earlier[0]["taken"]:
            before = earlier[0]["before"]  # a run that was stopped in between had taken it already
        made.regraded = [each for each in made.regraded if each not in earlier]
        made.regraded.append(
            {
                "question": question.name,
                "source": digest,
                "before": before,
                "after": after,
                "taken": not spared,
            }
        )
    together = old | new
    made.outcomes = [together[test.name] for test in assignment.tests if test.name in together]
    return made


def moved(results: Iterable[Result], key: Mapping[str, str], names: Iterable[str]) -> list[Moved]:
    """Return whom a regrading moves; ``key`` has the questions' digests of today."""
    return [
        Moved(result.student, each["question"], each["before"], each["after"], each["taken"])
        for result in results
        for each in result.regraded
        if each["question"] in names
        and each["source"] == key[each["question"]]
        and each["before"] != each["after"]
    ]


def write_moved(path: Path, found: Iterable[Moved]) -> None:
    """Write whom a regrading moves as a table."""
    rows = [[*each[:4], "taken" if each.taken else "not taken: the student would lose"] for each in found]
    write_table(path, ["student", "question", "before", "after", ""], rows)


def in_words(found: Iterable[Moved]) -> dict[str, list[str]]:
    """Return who gained, who lost and who was spared, in words."""
    lines: dict[str, list[str]] = {"gained": [], "lost": [], "would lose, and keep what they had": []}
    for each in found:
        kind = (
            "gained"
            if each.after > each.before
            else "lost"
            if each.taken
            else "would lose, and keep what they had"
        )
        lines[kind].append(f"{each.student} ({each.question}: {shown(each.before)} → {shown(each.after)})")
    return lines
