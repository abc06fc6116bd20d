"""What Canvas and Moodle do with a file of grades, after their documentation; strict where they are.

Canvas (guide "How do I import grades in the Gradebook?", and what its importer accepts): the first columns
are Student, ID, then SIS User ID and SIS Login ID or the latter alone, perhaps Integration ID and Root
Account, then Section. What follows are assignments, ``Title (number)`` or a new title; calculated columns
are passed over. A row ``Points Possible`` holds the points. A user is who has the ID, otherwise the SIS
user ID, the login, at last exactly the name. An empty cell takes a grade away.

Moodle (Grade import; Offline grading worksheet): in the gradebook one column is mapped to the user (id
number, address or username, exactly as in the profile), one to the grade, one to the feedback; an unknown
user, a grade that is no number, or one above 100 ends the import. The worksheet is UTF-8 with commas;
Identifier, Grade and Last modified (grade) have to be there, and ``Participant`` stands before the number
of the user.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path


def rows_of(path: Path) -> list[list[str]]:
    return list(csv.reader(path.read_text("utf-8").splitlines(), strict=True))


@dataclass
class CanvasUser:
    id: str
    name: str  # as "Last, First"
    sis: str = ""
    login: str = ""


class Refused(Exception):
    """The import ends, and nothing of it is taken."""


def canvas_import(path: Path, users: list[CanvasUser], assignments: dict[str, str]) -> tuple[dict, dict]:
    """Import into a gradebook; ``assignments`` are titles by number. Returns grades, and points possible by title."""
    head, *rows = rows_of(path)
    if len(head) < 4 or "Student" not in head[0] or "ID" not in head[1]:
        raise Refused("Invalid header row")
    places = {"id": 1}
    k = 2
    if re.search(r"SIS\s+Login\s+ID", head[k]):
        places["login"], k = k, k + 1
    elif re.search(r"SIS\s+User\s+ID", head[k]) and re.search(r"SIS\s+Login\s+ID", head[k + 1]):
        places |= {"sis": k, "login": k + 1}
        k += 2
        k += "Integration ID" in head[k]
        k += "Root Account" in head[k]
    if "Section" not in head[k]:
        raise Refused("Invalid header row")
    found, points = {}, {}
    columns = {}
    for place in range(k + 1, len(head)):
        if re.search(r"(Current|Final|Override) (Score|Points|Grade|Status)", head[place]):
            continue
        named = re.fullmatch(r"(.*) \((\d+)\)", head[place])
        title = assignments[named[2]] if named and named[2] in assignments else head[place]
        columns[place] = title
    for row in rows:
        if len(row) != len(head):
            raise Refused(f"a row of {len(row)} cells")
        if "Points Possible" in row[0]:
            points = {title: float(row[place]) for place, title in columns.items() if row[place]}
            continue
        candidates = [
            [user for user in users if row[1] and user.id == row[1]],
            [
                user
                for user in users
                if "sis" in places and row[places["sis"]] and user.sis == row[places["sis"]]
            ],
            [
                user
                for user in users
                if "login" in places and row[places["login"]] and user.login == row[places["login"]]
            ],
            [user for user in users if row[0] in (user.name, " ".join(reversed(user.name.split(", "))))],
        ]
        user = next((each[0] for each in candidates if each), None)
        if user is None:
            raise Refused(f"{row[0]!r} is a student whom Canvas does not know")
        for place, title in columns.items():
            grade = row[place].strip()
            if not re.fullmatch(r"-?[0-9.,]*%?", grade):
                raise Refused(f"{grade!r} is no grade")
            found[title, user.id] = float(grade) if grade else None
    return found, points


def moodle_import(
    path: Path, users: dict[str, str], by: str, grade: str, feedback: str, most: float = 100
) -> dict:
    """Import into the gradebook; ``users`` are numbers by what identifies them. Returns grade and feedback."""
    head, *rows = rows_of(path)
    who, what, why = (head.index(name) for name in (by, grade, feedback))
    found = {}
    for row in rows:
        if not row[who]:
            continue  # a row without a user is passed over
        if row[who] not in users:
            raise Refused(f"user mapping error: {by} {row[who]!r}")
        if row[what] not in ("", "-") and not re.fullmatch(r"\d+(\.\d+)?", row[what]):
            raise Refused(f"bad grade {row[what]!r}")
        if row[what] not in ("", "-") and float(row[what]) > most:
            raise Refused(f"grade {row[what]} is above {most}")
        found[users[row[who]]] = (None if row[what] in ("", "-") else float(row[what]), row[why])
    return found


def worksheet_import(path: Path, participants: set[str], decimal: str = ".") -> dict:
    """Upload a grading worksheet; returns grade and comment by participant's number, where there is a grade."""
    head, *rows = rows_of(path)
    try:
        who, what = head.index("Identifier"), head.index("Grade")
        head.index("Last modified (grade)")
    except ValueError as error:
        raise Refused(str(error)) from error
    why = head.index("Feedback comments") if "Feedback comments" in head else None
    found = {}
    for row in rows:
        number = row[who].removeprefix("Participant ")
        if number not in participants:
            continue
        if row[what]:
            value = row[what].replace(decimal, ".")
            if not re.fullmatch(r"\d+(\.\d+)?", value):
                raise Refused(f"bad grade {row[what]!r}")
            found[number] = (float(value), row[why] if why is not None else "")
    return found
