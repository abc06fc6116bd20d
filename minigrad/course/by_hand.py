"""Answers in words: taken out of all files to be read side by side, and the points that are entered for them."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from minigrad.course.assignment import TEXT_STUB, Assignment, Question, released
from minigrad.course.cells import Cell, cells_of, read_bytes
from minigrad.course.pages import document, folded, note, passage, text
from minigrad.course.submissions import Submission
from minigrad.course.tables import number, one_line, read_table, shown, write_table
from minigrad.course.texts import whole
from minigrad.errors import DataError
from minigrad.files import atomic_write
from minigrad.markup import Markup, tag

SHEET, PAGE, CODES = "by_hand.csv", "by_hand.html", "by_hand_codes.csv"
_COLUMNS = ("student", "question", "of", "points", "comment", "answer")
_LONGEST = 20_000  # characters of an answer


@dataclass(frozen=True)
class Given:
    """What a grader has entered for one student's answer; no points: not yet. ``answer`` marks what was read."""

    student: str
    question: str
    points: float | None
    comment: str = ""
    answer: str = ""


@dataclass
class Sheet:
    """The table that graders fill in: by student and question, with the columns that they have added."""

    rows: dict[tuple[str, str], Given] = field(default_factory=dict)
    extra: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    columns: list[str] = field(default_factory=list)  # of ``extra``
    notes: list[str] = field(default_factory=list)


def questions(assignment: Assignment) -> list[Question]:
    """Return the questions whose answer is a text."""
    return [question for question in assignment.questions if question.by_hand]


def answers(assignment: Assignment, submission: Submission) -> dict[str, str]:
    """Return a student's texts by question, empty where there is none.

    A text is known by its cell's tag; where an editor has dropped that, it is what stands below the question's heading
    and was not handed out.
    """
    asked = questions(assignment)
    if not asked or submission.trouble or submission.path is None:
        return {}
    try:
        cells = cells_of(submission.path, read_bytes(submission.path), strict=False)
    except DataError:
        return {}
    given = {cell.name: cell.source for cell in cells if cell.is_text}
    return {
        question.name: _cut(
            given[question.name] if question.name in given else _below(assignment, question, cells)
        )
        for question in asked
    }


def _cut(text: str) -> str:
    text = whole(text).replace(TEXT_STUB, "").strip()
    return text if len(text) <= _LONGEST else text[:_LONGEST] + " … (cut)"


def _below(assignment: Assignment, question: Question, cells: Sequence[Cell]) -> str:
    ours = {_plain(cell.source) for cell in released(assignment)}
    heads = {_plain(each.title) for each in assignment.questions}
    inside, found = False, []
    for cell in cells:
        titles = [_plain(title) for title in re.findall(r"^#+ (.*)$", cell.source, re.MULTILINE)]
        if cell.kind == "markdown" and any(title in heads for title in titles):
            inside = _plain(question.title) in titles
        if inside and cell.kind == "markdown" and _plain(cell.source) not in ours:
            found.append(cell.source)
    return "\n\n".join(found)


def _plain(text: str) -> str:
    return "".join(text.split())


def mark(answer: str) -> str:
    """Return what tells an answer from a later one; never a number to a spreadsheet."""
    return "a-" + hashlib.sha256(answer.encode()).hexdigest()[:8] if answer else "none"


def read_sheet(folder: Path, assignment: Assignment, student: Callable[[str], str | None]) -> Sheet:
    """Read what graders have entered; students may stand there by code (``read_codes``).

    Raises DataError MG-959 where points are no number from 0 to what there is to be had, or a student or a question
    does not exist, or stands there twice with other points.
    """
    path, sheet = folder / SHEET, Sheet()
    if not path.exists():
        return sheet
    table = read_table(path, "MG-959")
    where = {name: table.find((name,)) for name in _COLUMNS}
    for name in ("student", "question", "points"):
        if where[name] is None:
            raise DataError(
                "MG-959",
                f"{path} lacks the column {name!r}; its columns are {', '.join(map(repr, table.columns))}.",
            )
    own = [k for k in range(len(table.columns)) if k not in where.values()]
    sheet.columns = [table.columns[k] for k in own]
    codes = {code.casefold(): key for key, code in read_codes(folder).items()}
    asked = {question.name: question for question in questions(assignment)}
    lines: dict[tuple[str, str], int] = {}
    for row in table.rows:
        cells = {name: "" if place is None else row.cells[place] for name, place in where.items()}
        at = f"{path} line {row.line}"
        key = codes.get(cells["student"].casefold()) or student(cells["student"])
        if key is None and cells["points"] == "" and cells["comment"] == "":
            continue  # somebody who has gone, and of whom nothing would be lost
        question = asked.get(cells["question"].casefold())
        if question is None:
            raise DataError(
                "MG-959",
                f"{at}: no question {cells['question']!r} is graded by hand; there "
                f"{'is' if len(asked) == 1 else 'are'} {', '.join(asked) or 'none'}.",
            )
        points = number(cells["points"])
        if cells["points"] and (points is None or not 0 <= points <= question.by_hand):
            raise DataError(
                "MG-959",
                f"{at}: {cells['points']!r} is to be {cells['student']}'s points for {question.name}, a number from "
                f"0 to {question.by_hand}. Leave the cell empty for not graded yet.",
            )
        if key is None:
            sheet.notes.append(f"{path.name} line {row.line}: {cells['student']!r} is nobody in this class")
        given = Given(key or cells["student"], question.name, points, cells["comment"], cells["answer"])
        place = (given.student, given.question)
        if place in lines and (sheet.rows[place].points, sheet.rows[place].comment) != (
            points,
            given.comment,
        ):
            raise DataError(
                "MG-959",
                f"{path} lines {lines[place]} and {row.line} differ: {cells['student']}'s {question.name}.",
            )
        lines[place] = row.line
        sheet.rows[place] = given
        sheet.extra[place] = [row.cells[k] for k in own]
    return sheet


def read_codes(folder: Path) -> dict[str, str]:
    """Return the students' codes, where graders are not to see names: by student."""
    path = folder / CODES
    if not path.exists():
        return {}
    table = read_table(path, "MG-959")
    code, who = table.find(("code",)), table.find(("student",))
    if code is None or who is None:
        raise DataError(
            "MG-959", f"{path} is to have the columns code and student: it says whose points are whose."
        )
    return {row.cells[who]: row.cells[code] for row in table.rows}


def write_sheet(
    folder: Path,
    assignment: Assignment,
    sheet: Sheet,
    read: Mapping[str, Mapping[str, str]],
    *,
    anonymous: bool,
) -> list[str]:
    """Write the table for graders, with everything that stands in it already, and the page with all answers.

    ``read`` holds the answers, by student and question. Whoever has points there keeps them, answer or not. Returns
    notes on answers that have changed since they were graded.
    """
    asked = questions(assignment)
    if not asked:
        return []
    codes = _codes(folder, [*read, *(key for key, _ in sheet.rows)]) if anonymous else {}
    rows, notes = [], []
    for question in asked:
        keys = dict.fromkeys([*read, *(key for key, name in sheet.rows if name == question.name)])
        for key in sorted(keys, key=lambda each: codes.get(each, each)):
            answer = read.get(key, {}).get(question.name)
            given = sheet.rows.get((key, question.name), Given(key, question.name, None))
            entered = given.points is not None or given.comment != ""
            if answer is None and not entered:
                continue
            now = given.answer if answer is None else mark(answer)
            if entered and given.answer and now != given.answer:
                notes.append(
                    f"{codes.get(key, key)}'s answer to {question.name} has changed since it was graded: read it "
                    f"again, then empty the cell 'answer' in {SHEET}"
                )
                now = given.answer
            points = "" if given.points is None else shown(given.points)
            rows.append(
                [codes.get(key, key), question.name, question.by_hand, points, given.comment, now,
                 *sheet.extra.get((key, question.name), [""] * len(sheet.columns))]
            )  # fmt: skip
    write_table(folder / SHEET, [*_COLUMNS, *sheet.columns], rows, edited=True)
    atomic_write(folder / PAGE, _page(assignment, sheet, read, codes))
    return notes


def _codes(folder: Path, students: Iterable[str]) -> dict[str, str]:
    codes = read_codes(folder)
    letters = "BCDFGHJKLMNPQRSTVWXZ"
    for student in dict.fromkeys(students):
        while student not in codes:
            code = "".join(secrets.choice(letters) for _ in range(5))
            if code not in codes.values():
                codes[student] = code
    by_code = sorted((code, student) for student, code in codes.items())
    write_table(folder / CODES, ["code", "student"], by_code, edited=True)
    return codes


def _page(
    assignment: Assignment, sheet: Sheet, read: Mapping[str, Mapping[str, str]], codes: Mapping[str, str]
) -> str:
    title = f"{assignment.title}: answers"
    parts: list[Markup] = []
    for question in questions(assignment):
        parts.append(tag("h3", f"{question.title}, {question.by_hand} points"))
        parts += [note(passage(above)) for above in _asked(assignment, question)]
        if question.sample:
            parts.append(folded(tag("h2", "what is expected"), tag("p", passage(question.sample))))
        for key in sorted(read, key=lambda each: codes.get(each, each)):
            answer = read[key].get(question.name)
            if answer is None:
                continue
            given = sheet.rows.get((key, question.name))
            entered = None if given is None else given.points
            points = "" if entered is None else f"{shown(entered)} / {question.by_hand}"
            comment = note(text(one_line(given.comment))) if given and given.comment else None
            words = passage(answer) if answer else tag("i", "nothing is written here")
            head = tag("h2", text(codes.get(key, key)), tag("b", points))
            parts.append(tag("section", head, tag("ul", tag("li", words, comment))))
    header = tag("header", tag("h1", title), tag("p", f"Points and comments go into {SHEET}."))
    return document(title, header, parts, wide=True)


def _asked(assignment: Assignment, question: Question) -> list[str]:
    """Return the text above a question's cell, from its heading on."""
    above: list[str] = []
    for cell in assignment.cells:
        if cell.name == question.name:
            break
        above = [*above, cell.source] if cell.kind == "markdown" and not cell.nbgrader else []
    return above
