"""Deadlines, when something was handed in, and what being late costs: one policy that can be read, alike for all."""

from __future__ import annotations

import difflib
import math
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from minigrad.course.cells import decoded, read_bytes
from minigrad.course.roster import COLUMNS, HandedIn
from minigrad.course.tables import Row, Table, number, one_line, read_table, write_table
from minigrad.errors import DataError

TIME_COLUMNS = (
    "time", "handedin", "handedinat", "submitted", "submittedat", "submissiontime", "submissiondate", "timestamp",
    "lastmodifiedsubmission", "zuletztgeandertabgabe", "abgabezeit", "abgegeben", "zeit", "date", "datum",
)  # fmt: skip
FILE_TIME = "the file's own time"
_NEVER = ("", "-", "–", "never", "nosubmission")
_POLICY = {"percent_per_day": 0.0, "grace_minutes": 0.0, "free_days": 0.0, "max_percent": 100.0}
_GERMAN = {"januar": "january", "februar": "february", "märz": "march", "mai": "may", "juni": "june", "juli": "july",
           "oktober": "october", "dezember": "december"}  # fmt: skip
_WEEKDAY = re.compile(r"^[^\W\d_]+\.?,\s*(?=\d|[^\W\d_]+\.? \d)")


@dataclass(frozen=True)
class Extension:
    """A later deadline for one student, and why."""

    student: str
    until: datetime
    reason: str


@dataclass(frozen=True)
class Policy:
    """What a course does about late work; ``of`` says of what the percents are: the ``score`` or all ``points``."""

    path: Path
    deadline: datetime
    zone: tzinfo
    percent_per_day: float = 0.0
    grace_minutes: float = 0.0
    free_days: int = 0
    max_percent: float = 100.0
    of: str = "score"
    extensions: Mapping[str, Extension] = field(default_factory=dict)
    others: Mapping[str, datetime] = field(default_factory=dict)  # the other assignments' deadlines

    def days_late(self, handed_in: datetime, deadline: datetime) -> int:
        """Return the days begun after the deadline; none within the minutes of grace."""
        late = handed_in - deadline
        if late <= timedelta(minutes=self.grace_minutes):
            return 0
        return math.ceil(late / timedelta(days=1))

    def percent(self, days: int) -> float:
        """Return what so many days cost, as percents."""
        return min(days * self.percent_per_day, self.max_percent)


@dataclass(frozen=True)
class Lateness:
    """When one student handed in, where that comes from, and what it costs."""

    deadline: str
    handed_in: str = ""
    source: str = ""
    days: int = 0
    free: int = 0
    percent: float = 0.0
    of: str = "score"
    extension: str = ""
    note: str = ""

    def penalty(self, score: float, points: float) -> float:
        """Return the points that are taken off a score, which never falls below 0."""
        base = score if self.of == "score" else points
        return round(min(max(score, 0.0), base * self.percent / 100), 2)


def read_policy(path: Path, assignment: str, student: Callable[[str], str] = str) -> Policy:
    """Read deadlines, policy and extensions from a TOML file, for one assignment.

    ``student`` turns whatever names a student there into their key, or raises. Raises DataError MG-957 where the file
    is no TOML, says something that is not known, or has no deadline for the assignment.
    """
    try:
        content = tomllib.loads(decoded(read_bytes(path)))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataError("MG-957", f"{path} is no TOML: {error}.") from error
    _known(path, content, ("zone", "deadlines", "policy", "extensions"), "")
    zone = _zone(path, content.get("zone"))
    deadlines = {
        str(name): _moment(path, f"the deadline of {name}", value, zone)
        for name, value in _section(path, content, "deadlines").items()
    }
    mine = [name for name in deadlines if _same(name, assignment)]
    if len(mine) != 1:
        raise DataError(
            "MG-957",
            f"{path} has {len(mine) or 'no'} deadline{'s' if mine else ''} for {assignment}, and has deadlines for "
            f"{', '.join(deadlines) or 'nothing'}. Write one under [deadlines]: {assignment} = 2026-10-20T23:59:00",
        )
    policy = _section(path, content, "policy")
    _known(path, policy, (*_POLICY, "of"), "policy.")
    numbers = {name: _amount(path, name, policy.get(name, usual)) for name, usual in _POLICY.items()}
    if numbers["free_days"] != int(numbers["free_days"]):
        raise DataError(
            "MG-957", f"{path}: free_days are whole days, and {numbers['free_days']:g} are given."
        )
    of = policy.get("of", "score")
    if of not in ("score", "points"):
        raise DataError("MG-957", f"{path}: of = {of!r}; percents are of the 'score' or of all 'points'.")
    extensions = {
        each.student: each
        for entry in content.get("extensions", [])
        if (each := _extension(path, entry, assignment, zone, student))
    }
    return Policy(
        path, deadlines.pop(mine[0]), zone, numbers["percent_per_day"], numbers["grace_minutes"],
        int(numbers["free_days"]), numbers["max_percent"], of, extensions, deadlines,
    )  # fmt: skip


def _same(name: str, assignment: str) -> bool:
    return name.casefold() in (assignment.casefold(), assignment.partition("_")[0].casefold())


def _section(path: Path, content: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    section = content.get(name, {})
    if not isinstance(section, dict):
        raise DataError("MG-957", f"{path}: {name} is a section of its own: [{name}]")
    return section


def _known(path: Path, content: Mapping[str, Any], names: Sequence[str], before: str) -> None:
    for name in content:
        if name not in names:
            near = difflib.get_close_matches(name, names, 1)
            hint = f"Is {near[0]!r} meant?" if near else f"Known are {', '.join(names)}."
            raise DataError("MG-957", f"{path} says {before}{name}, which is not known. {hint}")


def _amount(path: Path, name: str, value: object) -> float:
    most = 100.0 if name.endswith("percent") or name.startswith("percent") else math.inf
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= most:
        up_to = f" from 0 to {most:g}" if most < math.inf else ", 0 or more"
        raise DataError("MG-957", f"{path}: {name} = {value!r} is to be a number{up_to}.")
    return float(value)


def _zone(path: Path, name: object) -> tzinfo:
    if name is None:
        return datetime.now().astimezone().tzinfo or UTC
    try:
        return ZoneInfo(str(name))
    except (OSError, ValueError, KeyError) as error:
        raise DataError(
            "MG-957", f"{path}: there is no time zone {name!r}. Write one like 'Europe/Berlin'."
        ) from error


def _moment(path: Path, what: str, value: object, zone: tzinfo) -> datetime:
    if isinstance(value, str):
        found = read_times([value], zone)
        value = found[0] if found else value
    if not isinstance(value, datetime):
        raise DataError(
            "MG-957", f"{path}: {what} is {value!s}. Write a day and a time of day: 2026-10-20T23:59:00"
        )
    return value if value.tzinfo else value.replace(tzinfo=zone)


def _extension(
    path: Path, entry: object, assignment: str, zone: tzinfo, student: Callable[[str], str]
) -> Extension | None:
    needed = ("student", "assignment", "until", "reason")
    if not isinstance(entry, dict) or any(not entry.get(name) for name in needed):
        raise DataError("MG-957", f"{path}: an extension has {', '.join(needed)}; one of yours is {entry!r}.")
    _known(path, entry, needed, "extensions.")
    if not _same(str(entry["assignment"]), assignment):
        return None
    until = _moment(path, f"the extension of {entry['student']}", entry["until"], zone)
    return Extension(student(str(entry["student"])), until, one_line(str(entry["reason"])))


def read_times(texts: Sequence[str], zone: tzinfo) -> list[datetime] | None:
    """Read times that people or systems have written, all in one manner; None where that is not possible.

    ``03/04/2026`` alone could be two days; with others beside it that only one manner can read, it is that. A time
    without a zone is of the course's ``zone``. A day without a time of day is none.
    """
    read = [[_read(text, day_first) for text in texts] for day_first in (True, False)]
    fits = [times for times in read if all(times)]
    if not fits or (len(fits) == 2 and fits[0] != fits[1]):
        return None
    return [time if time.tzinfo else time.replace(tzinfo=zone) for time in fits[0] if time]


def _read(text: str, day_first: bool) -> datetime | None:
    from dateutil import parser

    text = _WEEKDAY.sub("", " ".join(text.split()))
    for german, english in _GERMAN.items():
        text = re.sub(rf"\b{german}\b", english, text, flags=re.IGNORECASE)
    text = re.sub(r"(?<=\d) (?:um|at|à) | ?Uhr\b", " ", text).strip()
    if re.match(r"\d{4}\D", text):
        day_first = False
    if re.match(r"\d{1,2}\.\d{1,2}\.\d{4}", text):
        day_first = True
    read = []
    for other in (datetime(2000, 1, 1, 1), datetime(2003, 2, 2, 2)):  # what a text leaves out shows
        try:
            read.append(parser.parse(text, dayfirst=day_first, default=other))
        except (ValueError, OverflowError, TypeError):
            return None
    return read[0] if read[0] == read[1] and _in_order(text, read[0], day_first) else None


def _in_order(text: str, time: datetime, day_first: bool) -> bool:
    """Whether the day stands where it was said to stand: the library would rather change them than refuse."""
    found = re.match(r"(\d{1,2})[/.-](\d{1,2})[/.-]\d{4}", text)
    return found is None or time.day == int(found[1] if day_first else found[2])


def read_hand_ins(
    path: Path, zone: tzinfo, student: Callable[[str], str | None]
) -> tuple[dict[str, datetime], list[str]]:
    """Read when who handed in: a table with a column that names students and one with times, Moodle's worksheet too.

    Returns the times by student, and notes on rows that name nobody. Raises DataError MG-957 where a column is
    missing, a time cannot be read or could be two, or two rows are of one student.
    """
    table = read_table(path, "MG-957")
    place = table.find(TIME_COLUMNS)
    who = who_columns(table)
    if place is None or not who:
        lacks = (
            "times: time, submitted, Last modified (submission)"
            if place is None
            else "students: login, id, email, name"
        )
        raise DataError(
            "MG-957",
            f"{path} has no column of {lacks} …; its columns are {', '.join(map(repr, table.columns))}.",
        )
    rows = [row for row in table.rows if row.cells[place].casefold().replace(" ", "") not in _NEVER]
    times = read_times([row.cells[place] for row in rows], zone)
    if times is None:
        raise DataError("MG-957", _unread(path, rows, place, zone))
    found: dict[str, datetime] = {}
    lines: dict[str, int] = {}
    notes = []
    for row, time in zip(rows, times, strict=True):
        key = whose(row, who, student)
        if key is None:
            notes.append(f"{path.name} line {row.line}: {row.cells[who[0]]!r} is nobody in this class")
        elif found.setdefault(key, time) != time:
            raise DataError(
                "MG-957",
                f"{path} lines {lines[key]} and {row.line} give {key} two times. Keep the one that counts.",
            )
        else:
            lines.setdefault(key, row.line)
    return found, notes


def who_columns(table: Table) -> list[int]:
    """Return the columns that can name a student, the surest first."""
    kinds = (
        ("student", "code"),
        COLUMNS["login"],
        COLUMNS["id"],
        COLUMNS["email"],
        ("identifier",),
        COLUMNS["name"],
    )
    places = [table.find(names) for names in kinds]
    return list(dict.fromkeys(place for place in places if place is not None))


def whose(row: Row, who: Sequence[int], student: Callable[[str], str | None]) -> str | None:
    """Return the first student that one of a row's cells names."""
    return next((key for place in who if row.cells[place] and (key := student(row.cells[place]))), None)


def _unread(path: Path, rows: Sequence[Row], place: int, zone: tzinfo) -> str:
    for row in rows:
        if not any(_read(row.cells[place], day_first) for day_first in (True, False)):
            return f"{path} line {row.line}: {row.cells[place]!r} is no day with a time of day. Write 2026-10-20 23:59."
    return (
        f"{path}: {rows[0].cells[place]!r} could be two days, and the other rows do not tell which comes first, day or "
        "month. Write 2026-10-20 23:59."
    )


def lateness(
    policy: Policy,
    student: str,
    told: Sequence[HandedIn],
    times: Mapping[str, datetime] | None,
    file: Path | None,
) -> Lateness:
    """Say how late one student is, without free days.

    A time from the table counts; then Canvas's mark; then the file's time. Where Canvas says LATE and no time says
    how late, nothing is taken off, and the note says so.
    """
    extension = policy.extensions.get(student)
    deadline = extension.until if extension else policy.deadline
    why = f"until {_shown(deadline, policy.zone)}: {extension.reason}" if extension else ""
    made = Lateness(_shown(deadline, policy.zone), extension=why, of=policy.of)
    if file is None:
        return made
    time, source, note = (times or {}).get(student), "the table of times", ""
    marked = any(each.late for each in told)
    if time is None:
        time, source = _of_file(file, policy.zone), FILE_TIME
        if any(each.system == "Canvas" for each in told):
            late = time is not None and policy.days_late(time, deadline) > 0
            if not marked or not late:
                time, source = None, f"Canvas's mark: {'late' if marked else 'in time'}"
                if marked and not extension:
                    note = "Canvas says LATE, and not how late: nothing is taken off until a table of times says it."
            else:
                source = f"{FILE_TIME}, and Canvas's mark LATE"
        elif times is not None:
            time, source = None, ""
            note = "The table of times does not say when: nothing is taken off."
    days = policy.days_late(time, deadline) if time else 0
    handed_in = _shown(time, policy.zone) if time else ""
    return Lateness(
        made.deadline,
        handed_in,
        source if time or marked or told else "",
        days,
        0,
        policy.percent(days),
        policy.of,
        why,
        note,
    )


def _of_file(file: Path, zone: tzinfo) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(file.lstat().st_mtime), zone)
    except (OSError, ValueError, OverflowError):
        return None


def _shown(time: datetime, zone: tzinfo) -> str:
    return time.astimezone(zone).strftime("%Y-%m-%d %H:%M")


def late_in_words(late: Lateness) -> str:
    """Say by how many days somebody was late, and what that costs; nothing where nobody was."""
    if not late.days:
        return ""
    free = f", {late.free} of them free" if late.free else ""
    return f"{late.days} day{'s' if late.days > 1 else ''} late{free}: {late.percent:g} %"


def with_free_days(
    policy: Policy, assignment: str, found: Mapping[str, Lateness], folder: Path
) -> tuple[dict[str, Lateness], list[str]]:
    """Use up free days, the earliest deadline's first, and return what is left to pay for, and notes.

    The late days of this course's other assignments are in the tables in ``folder``, which ``write_days`` writes.
    """
    if not policy.free_days:
        return dict(found), []
    before: dict[str, int] = {}
    after: dict[str, int] = {}
    later = []
    for name, deadline in policy.others.items():
        days = _read_days(folder / f"{_file_of(name, folder)}.csv")
        earlier = (deadline, name) < (policy.deadline, assignment)
        later += [] if earlier or not days else [name]
        for student, count in days.items():
            (before if earlier else after)[student] = (before if earlier else after).get(student, 0) + count
    made, changed = {}, []
    for student, late in found.items():
        free = min(late.days, max(0, policy.free_days - before.get(student, 0)))
        made[student] = (
            Lateness(**{**vars(late), "free": free, "percent": policy.percent(late.days - free)})
            if late.days
            else late
        )
        if free and after.get(student):
            changed.append(student)
    notes = []
    if changed:
        notes.append(
            f"free days of {', '.join(changed[:5])} are used here first: grade {', '.join(later)} again"
        )
    return made, notes


def _file_of(name: str, folder: Path) -> str:
    there = [path.stem for path in sorted(folder.glob("[!.]*.csv")) if _same(name, path.stem)]
    return there[0] if there else name


def _read_days(path: Path) -> dict[str, int]:
    if not path.exists():
        return {}
    table = read_table(path, "MG-957")
    who, days = table.find(("student",)), table.find(("dayslate",))
    if who is None or days is None:
        raise DataError(
            "MG-957", f"{path} is to have the columns student and days_late. Remove it, and grade again."
        )
    return {row.cells[who]: int(number(row.cells[days]) or 0) for row in table.rows}


def write_days(folder: Path, assignment: str, found: Mapping[str, Lateness]) -> None:
    """Write who was late by how many days in this assignment, for the free days of the others."""
    rows = [[student, late.days] for student, late in sorted(found.items()) if late.days]
    write_table(folder / f"{assignment}.csv", ["student", "days_late"], rows)
