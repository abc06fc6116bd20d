"""From what the tests say to what a student gets: the roster, days late, overrides and points by hand, in one place."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from minigrad.course import by_hand
from minigrad.course.adjusting import OVERRIDES, Change, Override, changes, read_overrides
from minigrad.course.assignment import Assignment
from minigrad.course.late import (
    FILE_TIME,
    Lateness,
    lateness,
    read_policy,
    with_free_days,
    write_days,
)
from minigrad.course.results import Result, Settled, read_results
from minigrad.course.roster import Names, Person, Roster, read_roster
from minigrad.course.running import UNGRADED, UNWRITTEN, WRONG, counted
from minigrad.course.submissions import Submission
from minigrad.course.tables import plain_name, write_table
from minigrad.course.texts import line
from minigrad.course.times import read_hand_ins
from minigrad.errors import ConfigError, DataError
from minigrad.files import atomic_write, read_json, write_json

_COUNTED = (WRONG, UNGRADED, UNWRITTEN)  # columns of the table

CLASS = "class.json"
MISSING = "missing: nothing was handed in"


@dataclass
class Around:
    """What there is around one assignment's tests; ``settle`` brings a result together with it.

    All of it is read, and checked, before any student's code runs.
    """

    assignment: Assignment
    folder: Path
    roster: Roster | None = None
    students: list[str] = field(default_factory=list)
    late: dict[str, Lateness] = field(default_factory=dict)
    numbers: dict[str, str] = field(default_factory=dict)  # Moodle's of its participants
    missing: set[str] = field(default_factory=set)
    overrides: list[Override] = field(default_factory=list)
    sheet: by_hand.Sheet = field(default_factory=by_hand.Sheet)
    notes: list[str] = field(default_factory=list)
    of_students: dict[str, list[str]] = field(default_factory=dict)  # notes
    _before: dict[Path, bytes | None] = field(default_factory=dict)
    _given: list[Submission] = field(default_factory=list)

    @classmethod
    def stored(cls, assignment: Assignment, folder: Path) -> Around:
        """Read what the last grading has left beside the results, and overrides and points by hand as they are now."""
        around = cls(assignment, folder)
        if (folder / CLASS).exists():
            try:
                content = read_json(folder / CLASS)
                if content["assignment"] != assignment.name:
                    raise KeyError(f"it is of {content['assignment']}")
                entries: dict[str, dict[str, Any]] = content["students"]
                people = [Person(**each["person"]) for each in entries.values() if each["person"]]
                around.roster = Roster(people) if content["roster"] else None
                around.late = {key: Lateness(**each["late"]) for key, each in entries.items() if each["late"]}
                around.numbers = {key: each["number"] for key, each in entries.items() if each["number"]}
                around.missing = {key for key, each in entries.items() if each["missing"]}
                around.of_students = {key: list(each["notes"]) for key, each in entries.items()}
                around.students = list(entries)
            except (KeyError, TypeError, AttributeError) as error:
                raise DataError(
                    "MG-945", f"{folder / CLASS} cannot be read ({error}). Grade again."
                ) from error
        else:
            around.students = [result.student for result in read_results(folder / "results", assignment)]
        around._read_by_hand()
        return around

    @classmethod
    def read(
        cls, assignment: Assignment, folder: Path, given: list[Submission], names: Names, *,
        late: Path | None = None, times: Path | None = None,
    ) -> Around:  # fmt: skip
        """Read everything for submissions that are to be graded; ``given`` gets those of the roster who have none."""
        around = cls(assignment, folder, names.roster)
        around._add_missing(given, names)
        if late is not None:
            around._read_late(late, times, given, names)
        elif times is not None:
            raise DataError(
                "MG-957",
                f"{times} says when who handed in, and nothing says until when: give --late FILE.toml too.",
            )
        around._read_by_hand()
        around._compare_with_the_last()
        around._given = given
        around._before = {
            folder / name: _content(folder / name) for name in (OVERRIDES, by_hand.SHEET, by_hand.CODES)
        }
        return around

    def whose(self) -> Names:
        """Return what names submissions as they were named when they were graded."""
        return Names(self.roster)

    def student(self, named: str) -> str | None:
        """Return the key of the one student whom this names; None where it is nobody, or several."""
        if named in self.students:
            return named
        plain = [student for student in self.students if student.casefold() == named.casefold()]
        found = self.roster.match(named) if self.roster else []
        return plain[0] if len(plain) == 1 else found[0].key if len(found) == 1 else None

    def nobody(self, named: str) -> str:
        """Say that something names no student, or several, and who may be meant."""
        people = self.roster.people if self.roster else []
        could_be = [
            person.shown or person.key for person in (self.roster.match(named) if self.roster else [])
        ]
        if could_be:
            return f"{named!r} could be {' or '.join(could_be[:4])}."
        names = {student.casefold(): student for student in self.students}
        for person in people:
            names |= {each.casefold(): person.shown for each in (person.name, *person.name.split()) if each}
        near = [names[each] for each in difflib.get_close_matches(named.casefold(), names, 3)]
        hint = f" Is {' or '.join(dict.fromkeys(near))} meant?" if near else ""
        return f"there is no student {named!r} in this class of {len(self.students)}.{hint}"

    def settle(self, result: Result) -> None:
        """Bring a result together with what people have said about this student."""
        key = result.student
        scores = {outcome.test: float(outcome.score) for outcome in result.outcomes}
        mine = [each for each in self.overrides if each.student == key]
        whole = {each.question for each in mine if not each.test}
        found, waiting = changes(mine, scores, self.assignment.questions), []
        for question in by_hand.questions(self.assignment):
            given = self.sheet.rows.get((key, question.name))
            if question.name in whole:
                continue
            if given is not None and given.points is not None:
                reason = line(given.comment)
                found.append(Change(question.name, "", 0.0, given.points, reason, graded=True))
            elif not result.trouble:
                waiting.append(question.name)
        person = self.roster.by_key.get(key) if self.roster else None
        late = self.late.get(key)
        result.settled = Settled(person, found, waiting, late, missing=key in self.missing)
        result.settled.penalty = late.penalty(result.score, self.assignment.points) if late else 0.0
        for note in self.of_students.get(key, ()):
            if note not in result.notes:
                result.notes.append(note)

    def finish(self, *, anonymous: bool) -> None:
        """Write who is who, and the table for graders with all answers, beside the results.

        What students' code has changed there meanwhile is put back as it was, which a note says.
        """
        for path, before in self._before.items():
            if _content(path) != before:
                self.notes.append(f"{path} was changed while students' code ran: it was put back as it was")
                if before is None:
                    path.unlink(missing_ok=True)
                else:
                    atomic_write(path, before)
        read = {
            one.student: by_hand.answers(self.assignment, one)
            for one in self._given
            if one.path and not one.trouble
        }
        anonymous = anonymous or (self.folder / by_hand.CODES).exists()
        self.notes += by_hand.write_sheet(self.folder, self.assignment, self.sheet, read, anonymous=anonymous)
        people = self.roster.by_key if self.roster else {}
        entries = {
            key: {
                "person": asdict(people[key]) if key in people else None,
                "late": asdict(self.late[key]) if key in self.late else None,
                "number": self.numbers.get(key, ""),
                "missing": key in self.missing,
                "notes": self.of_students.get(key, []),
            }
            for key in self.students
        }
        if self.roster or self.late or self.numbers:
            content = {
                "assignment": self.assignment.name,
                "roster": self.roster is not None,
                "students": entries,
            }
            write_json(self.folder / CLASS, content)
        else:
            (self.folder / CLASS).unlink(missing_ok=True)

    def require_no_others(self, student: str) -> None:
        """Where one student is graded alone, refuse to lose what stands here of the others; ConfigError MG-802."""
        others = {key for key, _ in self.sheet.rows} - {student}
        if student and (others or (self.folder / CLASS).exists()):
            raise ConfigError(
                "MG-802",
                f"{self.folder} holds a class with a roster, late days or points by hand, which would be lost by "
                f"grading {student} alone there. Give another --out, or grade all submissions.",
            )

    def _add_missing(self, given: list[Submission], names: Names) -> None:
        notes = names.notes()
        self.of_students = {student: [note] for student, note in notes.items()}
        if self.roster is not None:
            self.notes += self.roster.notes
            there = {one.student for one in given}
            self.missing = {key for key in self.roster.by_key if key not in there}
            given += [
                Submission(key, None, trouble=MISSING) for key in self.roster.by_key if key in self.missing
            ]
            given.sort(key=lambda one: one.student)
        self.students = [one.student for one in given]
        for student in self.students:
            numbers = [each.number for each in names.handed_in(student) if each.system == "Moodle"]
            self.numbers |= {student: numbers[0]} if numbers else {}

    def _read_late(self, path: Path, times: Path | None, given: Sequence[Submission], names: Names) -> None:
        def known(named: str) -> str:
            key = self.student(named)
            if key is None:
                raise DataError("MG-957", f"{path} gives an extension, and {self.nobody(named)}")
            return key

        policy = read_policy(path, self.assignment.name, known)
        found_times = None
        if times is not None:
            found_times, notes = read_hand_ins(times, policy.zone, self._whose_time)
            self.notes += notes
        found = {
            one.student: lateness(policy, one.student, names.handed_in(one.student), found_times, one.path)
            for one in given
        }
        folder = path.with_name(path.stem + "-days")
        self.late, notes = with_free_days(policy, self.assignment.name, found, folder)
        self.notes += notes
        write_days(folder, self.assignment.name, found)
        unsure = sum(each.source.startswith(FILE_TIME) for each in self.late.values())
        if unsure:
            self.notes.append(
                f"when {unsure} handed in is known from the files alone: give --times TIMES.csv"
            )
        for student, each in self.late.items():
            if each.note:
                self.of_students.setdefault(student, []).append(each.note)

    def _compare_with_the_last(self) -> None:
        """Note what the last run had: whoever forgets an option would lose what it gave."""
        with suppress(DataError, KeyError, TypeError, AttributeError):
            content = read_json(self.folder / CLASS)
            had = {
                "--roster": content["roster"],
                "--late": any(each["late"] for each in content["students"].values()),
            }
            has = {"--roster": self.roster, "--late": self.late}
            self.notes += [
                f"the last run had {option}, and this one has not"
                for option in had
                if had[option] and not has[option]
            ]

    def _whose_time(self, named: str) -> str | None:
        number = (
            plain_name(named).removeprefix("participant")
            if named.casefold().startswith("participant")
            else ""
        )
        if number:
            return next((key for key, theirs in self.numbers.items() if theirs == number), None)
        return self.student(named)

    def _read_by_hand(self) -> None:
        self.overrides, notes = read_overrides(self.folder / OVERRIDES, self.assignment, self)
        self.notes += notes
        self.sheet = by_hand.read_sheet(self.folder, self.assignment, self.student)
        self.notes += self.sheet.notes


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def named_by(roster: Path | None) -> Names:
    """Return what names submissions, by a roster where there is one."""
    return Names(read_roster(roster) if roster else None)


def write_csv(path: Path, assignment: Assignment, results: Sequence[Result]) -> None:
    """Write one row per student: points of each question and of all, what being late costs, tests not passed, notes.

    Columns of the roster and of days late are there where these were given; points that wait for a person say so.
    """
    with_people = any(result.settled.person for result in results)
    with_late = any(result.settled.late for result in results)
    people = ["name", "id", "email", "section"] if with_people else []
    late = ["handed_in", "time_from", "days_late", "free_days", "penalty", "final"] if with_late else []
    names = [question.name for question in assignment.questions]
    counts = [verdict.word for verdict in _COUNTED]
    columns = ["student", *people, "file", "score", "points", *late, *names, *counts, "note"]
    write_table(path, columns, (_row(assignment, result, bool(people), bool(late)) for result in results))


def _row(assignment: Assignment, result: Result, with_people: bool, with_late: bool) -> list[object]:
    settled = result.settled
    cells: list[object] = [result.student]
    if with_people:
        person = settled.person or Person("")
        cells += [person.name, person.id, person.email, person.section]
    cells += [result.file, result.score, assignment.points]
    if with_late:
        late = settled.late or Lateness("")
        cells += [late.handed_in, late.source, late.days, late.free, settled.penalty, float(result.final)]
    for question in assignment.questions:
        cells.append("not graded yet" if question.name in settled.waiting else result.points_of(question))
    counts = dict(counted([] if settled.missing else result.outcomes))
    cells += [counts.get(verdict, 0) for verdict in _COUNTED]
    return [*cells, line("; ".join(notes(result)), 2000)]


def notes(result: Result) -> list[str]:
    """Return everything that there is to say of one result, for the instructor."""
    settled = result.settled
    problems = [f"cell {problem['cell']}: {problem['message']}" for problem in result.problems]
    remarks = [result.trouble] if result.trouble else problems
    remarks += [change.in_words() for change in settled.changes if not change.graded]
    if settled.waiting:
        remarks.append(f"not graded yet: {', '.join(settled.waiting)}")
    if settled.late and settled.late.extension:
        remarks.append(f"extended {settled.late.extension}")
    return [*remarks, *result.notes]


def settled(around: Around, results: Iterable[Result]) -> list[Result]:
    """Settle all results and return them."""
    made = list(results)
    for result in made:
        around.settle(result)
    return made
