"""Scores in the columns that Canvas and Moodle import: made from the roster, or filled into what they have exported.

Canvas's gradebook: Student, ID, SIS User ID, SIS Login ID, Section, then one column for each assignment, called
``Name (number)``; the row ``Points Possible`` below. Users are found by ID, then by the SIS columns, then by name; a
new name makes a new assignment. Moodle's gradebook takes any columns, and asks which of them is the user's (username,
ID number or address), the grade, the feedback; a user whom it does not know ends the whole import. Its grading
worksheet has Identifier (``Participant 123``), Grade and Last modified (grade), which have to stay as they came.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from minigrad.course.assignment import Assignment
from minigrad.course.feedback import by_people
from minigrad.course.late import late_in_words
from minigrad.course.results import Result
from minigrad.course.roster import COLUMNS
from minigrad.course.tables import Row, Table, number, one_line, plain_name, read_table, shown, write_table
from minigrad.errors import DataError

_CANVAS = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
_CALCULATED = ("score", "points", "grade", "status")  # Current Score, Unposted Final Grade …: Canvas's own
_IDENTIFIER = ("identifier", "kennung")
_GRADE, _MAXIMUM = ("grade", "bewertung"), ("maximumgrade", "bestwertung")
_MODIFIED = ("lastmodifiedgrade", "zuletztgeandertbewertung")
_CHANGEABLE = ("gradecanbechanged", "bewertungkanngeandertwerden")
_COMMENTS = ("feedbackcomments", "feedbackalskommentar")


class Written(NamedTuple):
    """How many scores a file has, and what else there is to say."""

    scores: int
    notes: list[str]


def write_scores(
    out: Path,
    system: str,
    assignment: Assignment,
    results: Sequence[Result],
    *,
    column: str = "",
    into: Path | None = None,
    student: Callable[[str], str | None] = str,
    numbers: dict[str, str] | None = None,
) -> Written:
    """Write the scores that count for ``canvas`` or ``moodle``.

    ``column`` is the assignment's name there; ``into`` a gradebook that Canvas has exported, or Moodle's grading
    worksheet, from which everything but the scores is taken. ``student`` finds who is named in it, ``numbers`` are
    Moodle's of its participants. Whoever waits for a person to grade is left out, and keeps the score that is there.

    Raises DataError MG-960 where there is no roster, or ``into`` has not the columns or more than one that fits.
    """
    scored = {result.student: result for result in results if not result.settled.waiting}
    waiting = [result.student for result in results if result.settled.waiting]
    notes = [f"left out, not graded yet: {_listed(waiting)}"] if waiting else []
    if into is None:
        columns, rows, count, more = _from_roster(system, assignment, scored, column or assignment.title)
    elif system == "canvas":
        columns, rows, count, more = _into_canvas(
            read_table(into, "MG-960"), assignment, scored, column, student
        )
    else:
        columns, rows, count, more = _into_moodle(
            read_table(into, "MG-960"), assignment, scored, student, numbers or {}
        )
    above = [key for key, result in scored.items() if result.final > assignment.points]
    if above:
        notes.append(
            f"more than {assignment.points} points, with bonus: {_listed(above)}; "
            + (
                "Canvas takes them"
                if system == "canvas"
                else "Moodle takes no more than the item's maximum grade"
            )
        )
    write_table(out, columns, rows)
    return Written(count, [*notes, *more])


Made = tuple[list[str], list[list[object]], int, list[str]]


def _from_roster(system: str, assignment: Assignment, scored: dict[str, Result], column: str) -> Made:
    people = [(result.settled.person, result) for result in scored.values()]
    listed = [(person, result) for person, result in people if person]
    if not listed:
        raise DataError(
            "MG-960",
            "there is no roster: whose a score is there, nothing says. Grade with --roster CLASS.csv, or give a file "
            "that was exported there with --into.",
        )
    notes = _unknown(
        [result.student for person, result in people if person is None], "not on the roster, left out"
    )
    if system == "canvas":
        rows: list[list[object]] = [["    Points Possible", "", "", "", "", assignment.points]]
        rows += [[p.name, p.canvas, p.id, p.login, p.section, result.final] for p, result in listed]
        only = [p.key for p, _ in listed if not (p.canvas or p.id or p.login)]
        notes += _unknown(only, "found by name alone there")
        return [*_CANVAS, column], rows, len(listed), notes
    kinds = [kind for kind in ("login", "id", "email") if any(getattr(p, kind) for p, _ in listed)]
    heads = {"login": "Username", "id": "ID number", "email": "Email address"}
    whole = [kind for kind in kinds if all(getattr(p, kind) for p, _ in listed)]
    if whole:
        notes.append(f"map '{heads[whole[-1]]}' to the user")
    else:
        notes.append("no column names everybody: Moodle ends its import at a user without one")
    columns = ["Full name", *(heads[kind] for kind in kinds), column, f"{column} (feedback)"]
    made: list[list[object]] = [
        [p.name, *(getattr(p, kind) for kind in kinds), result.final, _comment(assignment, result)]
        for p, result in listed
    ]
    return columns, made, len(made), notes


def _into_canvas(
    table: Table,
    assignment: Assignment,
    scored: dict[str, Result],
    column: str,
    student: Callable[[str], str | None],
) -> Made:
    section, first = table.find(("section",)), table.find(("student",))
    if first != 0 or section is None:
        raise DataError(
            "MG-960",
            f"{table.path} is no gradebook of Canvas's: it begins with {', '.join(map(repr, table.columns[:5]))}, and "
            f"not with {', '.join(_CANVAS)}.",
        )
    place = _assignments_column(table, section + 1, assignment, column)
    people = [result.settled.person for result in scored.values() if result.settled.person]
    kinds = [
        "sisloginid",
        "sisuserid",
        *(["id"] if any(person.canvas for person in people) else []),
        "student",
    ]
    who = [where for kind in kinds if (where := table.find((kind,))) is not None]
    rows: list[list[object]] = []
    notes: list[str] = []
    seen: set[str] = set()
    for row in table.rows:
        kept: list[object] = [*row.cells[: section + 1], row.cells[place]]
        if "pointspossible" in plain_name(row.cells[0]):
            kept[0] = "    Points Possible"
            rows.append(kept)
            notes += _other_maximum("Canvas", number(row.cells[place]), assignment)
            continue
        key = _found(row, who, student, scored)
        if key is None:
            continue
        seen.add(key)
        rows.append([*row.cells[: section + 1], scored[key].final])
    notes += _unknown([key for key in scored if key not in seen], f"not in {table.path.name}")
    return [*table.columns[: section + 1], table.columns[place]], rows, len(seen), notes


def _assignments_column(table: Table, start: int, assignment: Assignment, column: str) -> int:
    places = [
        k
        for k in range(start, len(table.columns))
        if not re.search(
            rf"\b(?:Current|Final|Override|Unposted).*(?:{'|'.join(_CALCULATED)})", table.columns[k], re.I
        )
    ]
    names = {
        plain_name(name) for name in (assignment.name, assignment.title, assignment.name.partition("_")[0])
    }
    wanted = {plain_name(column)} if column else names

    def fits(k: int) -> bool:
        whole, bare = (
            plain_name(table.columns[k]),
            plain_name(re.sub(r"\s*\(\d+\)\s*$", "", table.columns[k])),
        )
        return whole in wanted or bare in wanted

    found = [k for k in places if fits(k)]
    if len(found) != 1:
        there = ", ".join(repr(table.columns[k]) for k in places[:12]) or "none"
        raise DataError(
            "MG-960",
            f"{table.path} has {len(found) or 'no'} column{'s' if found else ''} for "
            f"{column or assignment.title!r}; its assignments are {there}. Say which one: --column 'NAME (NUMBER)'",
        )
    return found[0]


def _into_moodle(
    table: Table,
    assignment: Assignment,
    scored: dict[str, Result],
    student: Callable[[str], str | None],
    numbers: dict[str, str],
) -> Made:
    identifier, grade, modified = (table.find(names) for names in (_IDENTIFIER, _GRADE, _MODIFIED))
    if identifier is None or grade is None or modified is None:
        raise DataError(
            "MG-960",
            f"{table.path} is no grading worksheet of Moodle's: it has {', '.join(map(repr, table.columns[:6]))}, and "
            "one has Identifier, Grade and Last modified (grade). Without --into, a table for the gradebook is made.",
        )
    maximum, changeable, comments = (table.find(names) for names in (_MAXIMUM, _CHANGEABLE, _COMMENTS))
    who = [
        where for kind in ("login", "id", "email", "name") if (where := table.find(COLUMNS[kind])) is not None
    ]
    by_number = {number_: key for key, number_ in numbers.items()}
    seen: set[str] = set()
    fixed, rows, maxima = [], [], set()
    for row in table.rows:
        cells = list(row.cells)
        rows.append(cells)
        key = by_number.get("".join(re.findall(r"\d+", cells[identifier])))
        key = key if key in scored else _found(row, [k for k in who if k != identifier], student, scored)
        if key is None:
            continue
        seen.add(key)
        if changeable is not None and cells[changeable].casefold() in ("no", "nein"):
            fixed.append(key)
            continue
        most = cells[maximum] if maximum is not None else ""
        maxima.add(number(most))
        cells[grade] = shown(scored[key].final).replace(".", "," if "," in most else ".")
        comment = _comment(assignment, scored[key])
        if comments is not None and comment:
            cells[comments] = comment
    notes = [note for most in maxima for note in _other_maximum("Moodle", most, assignment)]
    notes += _unknown(fixed, "whose grade can no more be changed there")
    notes += _unknown([key for key in scored if key not in seen], f"not in {table.path.name}")
    return table.columns, [list(cells) for cells in rows], len(seen) - len(fixed), notes


def _found(
    row: Row, who: Sequence[int], student: Callable[[str], str | None], scored: dict[str, Result]
) -> str | None:
    """Return whom a row is of: all cells that name somebody have to name the same."""
    keys = dict.fromkeys(key for place in who if row.cells[place] and (key := student(row.cells[place])))
    return next(iter(keys)) if len(keys) == 1 and next(iter(keys)) in scored else None


def _other_maximum(system: str, most: float | None, assignment: Assignment) -> list[str]:
    if most is None or most == assignment.points:
        return []
    return [
        f"{system} has {shown(most)} points for it, and the assignment {assignment.points}: set the same there"
    ]


def _comment(assignment: Assignment, result: Result) -> str:
    settled = result.settled
    comment = [result.trouble, late_in_words(settled.late) if settled.late else ""]
    comment += [each for question in assignment.questions for each in by_people(question, result)]
    return one_line("; ".join(part for part in comment if part))


def _unknown(keys: Sequence[str], what: str) -> list[str]:
    return [f"{what}: {_listed(keys)}"] if keys else []


def _listed(keys: Sequence[str], most: int = 10) -> str:
    return ", ".join(keys[:most]) + (f" and {len(keys) - most} more" if len(keys) > most else "")
