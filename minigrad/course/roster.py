"""Who is in the course, and whose a submission is, whatever the file is called that it came in."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from minigrad.course.tables import Row, Table, folded, one_line, plain_name, read_table
from minigrad.errors import DataError

COLUMNS: dict[str, tuple[str, ...]] = {
    "name": (
        "name", "student", "studentname", "fullname", "displayname", "vollstandigername", "namevollstandig",
        "nomcomplet", "nombrecompleto", "nomecompleto", "teilnehmer", "teilnehmerin", "studierende",
    ),
    "last": (
        "lastname", "last", "surname", "familyname", "nachname", "familienname", "apellidos", "apellido", "cognome",
        "nomdefamille", "achternaam", "efternamn", "zuname",
    ),
    "first": (
        "firstname", "first", "givenname", "givennames", "forename", "vorname", "vornamen", "prenom", "nombre",
        "voornaam", "fornamn",
    ),
    "id": (
        "sisuserid", "studentid", "studentnumber", "studentno", "studentidnumber", "idnumber", "id", "sid",
        "matriculationnumber", "matriculation", "matrikelnummer", "matrikelnr", "matrikel", "matrnr",
        "universityid", "orgdefinedid", "registrationnumber", "idnummer", "numeroetudiant", "numerodidentification",
        "numerodeid", "matricola", "personnummer", "number",
    ),
    "email": (
        "email", "emailaddress", "mail", "emailadresse", "mailadresse", "studentemail", "universityemail",
        "adressedecourriel", "courriel", "correo", "direcciondecorreo", "correoelectronico", "indirizzoemail",
    ),
    "login": (
        "sisloginid", "login", "loginid", "loginname", "username", "user", "netid", "uniqname", "account",
        "accountname", "kerberos", "kennung", "unikennung", "benutzername", "anmeldename", "nomdutilisateur",
        "nombredeusuario",
    ),
    "section": (
        "section", "sections", "sectionname", "group", "groups", "groupname", "tutorial", "lab", "gruppe", "gruppen",
        "ubungsgruppe", "ubung", "sektion", "groupe", "grupo", "seccion",
    ),
    "role": ("role", "roles", "rolle", "rollen"),
}  # fmt: skip
"""What a column may be called, as ``tables.plain_name`` gives it: small letters and digits alone, without accents."""

_STAFF = re.compile(
    r"teacher|instructor|lecturer|manager|assistant|\bta\b|tutor|observer|lehr|trainer|dozent|enseignant|profesor"
)
_TEST_STUDENTS = ("student, test", "test student")  # Canvas's own
_CANVAS = re.compile(r"(?P<name>[^\W_]+)_(?P<late>LATE_)?(?P<number>\d+)_\d+_.+", re.IGNORECASE)
_MOODLE = re.compile(
    r"(?P<name>.+?)_(?P<number>\d+)_assignsubmission_(?:file|onlinetext)(?:_.*)?", re.IGNORECASE | re.DOTALL
)
_SHORTENED = re.compile(r"\d[.,]?\d*E\+?\d+", re.IGNORECASE)


@dataclass(frozen=True)
class Person:
    """One on the roster. ``key`` is what all files and tables of this course call them."""

    key: str
    name: str = ""
    id: str = ""
    email: str = ""
    login: str = ""
    section: str = ""
    canvas: str = ""  # Canvas's own number of a user
    line: int = 0

    @property
    def shown(self) -> str:
        """The name, with what tells two of the same name apart."""
        return self.name if self.name in ("", self.key) else f"{self.name} ({self.key})"


@dataclass(frozen=True)
class HandedIn:
    """What the name of a file or folder says: whose it may be, and whether Canvas calls it late."""

    name: str
    system: str = ""  # Canvas, Moodle, or neither
    number: str = ""  # Canvas's of the user, Moodle's of the participant
    late: bool = False

    @classmethod
    def of(cls, stem: str) -> HandedIn:
        """Read a name as Canvas's or Moodle's download of all submissions gives it, or as it is."""
        if found := _MOODLE.fullmatch(stem):
            return cls(found["name"], "Moodle", found["number"])
        if found := _CANVAS.fullmatch(stem):
            return cls(found["name"], "Canvas", found["number"], found["late"] is not None)
        return cls(stem)


class Roster:
    """All who are in the course, found by whatever names them."""

    def __init__(self, people: Iterable[Person], notes: Iterable[str] = ()) -> None:
        self.people = list(people)
        self.notes = list(notes)
        self.by_key = {person.key: person for person in self.people}
        self._own: dict[str, list[Person]] = {}  # login, number, address
        self._weak: dict[str, list[Person]] = {}  # parts of these
        self._canvas: dict[str, list[Person]] = {}
        self._names = {person.key: _names(person.name) for person in self.people}
        self._words: dict[tuple[str, ...], list[Person]] = {}
        self._joined: dict[str, list[Person]] = {}
        for person in self.people:
            for name in (person.key, person.login, person.id, person.email):
                _add(self._own, _folded(name), person)
            for name in (person.id.lstrip("0"), person.email.partition("@")[0], person.canvas):
                _add(self._weak, _folded(name), person)
            _add(self._canvas, person.canvas, person)
            for words in self._names[person.key]:
                _add(self._words, tuple(sorted(words)), person)
                for k in range(len(words)):
                    _add(self._joined, "".join([*words[k:], *words[:k]]), person)

    def match(self, stem: str) -> list[Person]:
        """Return those whose a name may be: one where it is clear, several or none where it is not.

        The name is a login, a number, an address or a person's name, whatever stands around it, or what Canvas and
        Moodle make of one.
        """
        return self.surely(stem) or self._perhaps(HandedIn.of(stem))

    def surely(self, stem: str) -> list[Person]:
        """Return those whom the whole of a name names; nobody where a part of it alone does."""
        handed_in = HandedIn.of(stem)
        if handed_in.system == "Canvas" and handed_in.number in self._canvas:
            return self._canvas[handed_in.number]
        named = self._by_name(handed_in.name)
        if handed_in.system:
            numbered = [person for person in named if handed_in.number in (person.id, person.id.lstrip("0"))]
            return numbered or named
        return self._exactly(stem) or named

    def _perhaps(self, handed_in: HandedIn) -> list[Person]:
        if handed_in.system == "Canvas":
            whole = "".join(_folded(handed_in.name).split())
            return [
                person
                for person in self.people
                if handed_in.number in (person.id, person.id.lstrip("0"))
                and any(
                    len(word) > 2 and word in whole for words in self._names[person.key] for word in words
                )
            ] or self._partly(handed_in.name)
        return self._partly(handed_in.name) or ([] if handed_in.system else self.in_parts(handed_in.name))

    def _exactly(self, name: str) -> list[Person]:
        return self._own.get(_folded(name)) or self._weak.get(_folded(name)) or []

    def _by_name(self, name: str) -> list[Person]:
        for words in _names(name):
            if found := self._words.get(tuple(sorted(words))) or self._joined.get("".join(words)):
                return found
        return []

    def _partly(self, name: str) -> list[Person]:
        mine = [set(words) for words in _names(name)]
        return [
            person
            for person in self.people
            if any(
                len(theirs & each) >= 2 and (theirs <= each or each <= theirs)
                for each in mine
                for theirs in map(set, self._names[person.key])
            )
        ]

    def in_parts(self, name: str) -> list[Person]:
        """Return those whose login, number or address stands in a name."""
        parts = [part for part in re.split(r"[_\s]+", name) if len(part) > 2]
        found = [person for part in parts for person in self._exactly(part)]
        return list(dict.fromkeys(found))


def _add(index: dict[Any, list[Person]], name: Any, person: Person) -> None:
    found = index.setdefault(name, []) if name else []
    if person not in found:
        found.append(person)


def _folded(text: str) -> str:
    return folded(text)[0]


def _names(name: str) -> list[list[str]]:
    """Return a name's words, spelled in each way that ``folded`` knows."""
    made = [[word for word in re.split(r"[\W_]+", each) if word] for each in folded(name)]
    return [words for words in made if words]


def read_roster(path: Path) -> Roster:
    """Read a class list as Canvas, Moodle, a registry or a spreadsheet exports it.

    Its columns are found by name (``COLUMNS``), in any order; others are left alone. Needed is one that tells people
    apart: a login, a number, an address or names. Raises DataError MG-956 where there is none, where two rows are of
    one person and do not agree, or a spreadsheet has shortened the numbers.
    """
    table = read_table(path, "MG-956")
    where = {kind: table.find(names) for kind, names in COLUMNS.items()}
    if all(where[kind] is None for kind in ("name", "last", "id", "email", "login")):
        raise DataError(
            "MG-956",
            f"{path} has no column that names students. Its columns are {', '.join(map(repr, table.columns))}; wanted "
            "is one of name, last name, id, email, login, in the first row.",
        )
    is_canvas = table.find(("sisloginid", "sisuserid")) is not None
    canvas = table.find(("id",)) if is_canvas else None
    people: list[Person] = []
    notes: list[str] = []
    for row in table.rows:
        person, why = _person(table, row, where, canvas)
        if person is None:
            notes += [f"{path.name} line {row.line}: {why}"] if why else []
            continue
        people.append(person)
    if not people:
        raise DataError(
            "MG-956",
            f"{path} names nobody: below its columns {', '.join(map(repr, table.columns))} stands no student.",
        )
    return Roster(_told_apart(path, people, notes), notes)


def _person(
    table: Table, row: Row, where: dict[str, int | None], canvas: int | None
) -> tuple[Person | None, str]:
    def cell(kind: str) -> str:
        place = where[kind]
        return "" if place is None else one_line(row.cells[place])

    name = cell("name") or " ".join(part for part in (cell("first"), cell("last")) if part)
    if "pointspossible" in plain_name(name):
        return None, ""
    if name.casefold() in _TEST_STUDENTS:
        return None, "Canvas's test student is left out"
    if _STAFF.search(_folded(cell("role"))) and "student" not in _folded(cell("role")):
        return None, f"{name or cell('email')} is left out, being no student ({cell('role')})"
    number, own = cell("id"), "" if canvas is None else one_line(row.cells[canvas])
    if where["id"] == canvas:
        number = ""
    for each in (number, own):
        if _SHORTENED.fullmatch(each):
            raise DataError(
                "MG-956",
                f"{table.path} line {row.line}: the id {each!r} was shortened by a spreadsheet, and its last digits "
                "are lost. Export the list anew, or give that column the format 'text' before it is pasted.",
            )
    person = Person(
        "", name, re.sub(r"\.0$", "", number), cell("email"), cell("login"), cell("section"), own, row.line
    )
    key = person.login or person.id or person.email or person.name or person.canvas
    return (replace(person, key=key), "") if key else (None, "names nobody, and is left out")


def _told_apart(path: Path, people: list[Person], notes: list[str]) -> list[Person]:
    """Join rows of one person; MG-956 where two share what should be one's own and are not the same."""
    kept: list[Person] = []
    seen: dict[tuple[str, str], int] = {}
    for person in people:
        own = [
            (kind, _folded(getattr(person, kind)))
            for kind in ("login", "id", "email", "canvas", "key")
            if getattr(person, kind)
        ]
        same = {seen[each] for each in own if each in seen}
        if not same:
            seen |= dict.fromkeys(own, len(kept))
            kept.append(person)
            continue
        first = kept[min(same)]
        differ = [
            kind
            for kind in ("login", "id", "email", "canvas", "name")
            if getattr(first, kind)
            and getattr(person, kind)
            and _folded(getattr(first, kind)) != _folded(getattr(person, kind))
        ]
        if differ or len(same) > 1 or first.key == first.name:
            shared = next(kind for kind, value in own if (kind, value) in seen)
            raise DataError(
                "MG-956",
                f"{path} lines {first.line} and {person.line} have the same {shared if shared != 'key' else 'name'} "
                f"{getattr(person, shared)!r}"
                + (
                    f", and differ in {differ[0]}: {getattr(first, differ[0])!r} and {getattr(person, differ[0])!r}. "
                    "One of them is mistaken."
                    if differ
                    else ". Nothing else tells them apart: add a column with a login, a number or an address."
                ),
            )
        sections = list(dict.fromkeys(part for part in (first.section, person.section) if part))
        filled = {
            kind: getattr(first, kind) or getattr(person, kind)
            for kind in ("login", "id", "email", "canvas", "name")
        }
        kept[kept.index(first)] = replace(first, **filled, section=", ".join(sections))
        seen |= dict.fromkeys(own, min(same))
        notes.append(
            f"{path.name} line {person.line}: {first.shown or first.key} stands in line {first.line} already"
        )
    return kept


@dataclass
class Names:
    """Names submissions by the roster as they are read, and remembers what they were called."""

    roster: Roster | None = None
    called: dict[str, list[str]] = field(default_factory=dict)  # by student

    def __call__(self, stem: str) -> str:
        """Return the key of the one person whose this is, or the name as it is."""
        found = self.roster.match(stem) if self.roster else []
        student = found[0].key if len(found) == 1 else stem
        seen = self.called.setdefault(student, [])
        if stem not in seen:
            seen.append(stem)
        return student

    def notes(self) -> dict[str, str]:
        """Say, by student, where a submission is nobody's, could be several people's, or is taken for somebody's."""
        if self.roster is None:
            return {}
        notes = {}
        for student, stems in self.called.items():
            if student in self.roster.by_key:
                taken = [
                    stem for stem in stems if not self.roster.surely(stem) and not self.roster.in_parts(stem)
                ]
                if taken:
                    notes[student] = f"{' and '.join(map(repr, taken))} names only in part whose it is."
                continue
            found = self.roster.match(student)
            could_be = ", ".join(person.shown or person.key for person in found[:4])
            notes[student] = f"It could be of {could_be}: rename it." if found else "Not on the roster."
        return notes

    def handed_in(self, student: str) -> list[HandedIn]:
        """Return what the names of a student's files say."""
        return [HandedIn.of(stem) for stem in self.called.get(student, ())]
