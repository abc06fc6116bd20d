"""When something was handed in: times as people and systems write them, never guessed; tables of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime, tzinfo
from pathlib import Path

from minigrad.course.roster import COLUMNS
from minigrad.course.tables import Row, Table, read_table
from minigrad.errors import DataError

TIME_COLUMNS = (
    "time", "handedin", "handedinat", "submitted", "submittedat", "submissiontime", "submissiondate", "timestamp",
    "lastmodifiedsubmission", "zuletztgeandertabgabe", "abgabezeit", "abgegeben", "zeit", "date", "datum",
)  # fmt: skip
_NEVER = ("", "-", "–", "never", "nosubmission")
_GERMAN = {"januar": "january", "februar": "february", "märz": "march", "mai": "may", "juni": "june", "juli": "july",
           "oktober": "october", "dezember": "december"}  # fmt: skip
_WEEKDAY = re.compile(r"^[^\W\d_]+\.?,\s*(?=\d|[^\W\d_]+\.? \d)")


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
