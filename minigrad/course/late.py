"""Deadlines, when something was handed in, and what being late costs: one policy that can be read, alike for all."""

from __future__ import annotations

import difflib
import math
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from dateutil import tz

from minigrad.course.cells import decoded, read_bytes
from minigrad.course.roster import HandedIn
from minigrad.course.tables import number, one_line, read_table, write_table
from minigrad.course.times import read_times
from minigrad.errors import DataError

FILE_TIME = "the file's own time"
_POLICY = {"percent_per_day": 0.0, "grace_minutes": 0.0, "free_days": 0.0, "max_percent": 100.0}


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
        late = handed_in.astimezone(self.zone) - deadline.astimezone(
            self.zone
        )  # by the clock, not by the sun
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
        local: tzinfo = tz.tzlocal()
        return local
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


def lateness(
    policy: Policy,
    student: str,
    uploads: Sequence[HandedIn],
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
    marked = any(each.late for each in uploads)
    if time is None:
        time, source = _of_file(file, policy.zone), FILE_TIME
        if any(each.system == "Canvas" for each in uploads):
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
        source if time or marked or uploads else "",
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
