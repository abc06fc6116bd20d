"""A lesson as an instructor writes it, in TOML: which step to open, and what to try on it."""

from __future__ import annotations

import hashlib
import re
import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import Any, NoReturn

from minigrad.errors import ConfigError, DataError

_LIBRARY = files(__package__) / "library"
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_LESSON = ("lesson", "title", "about", "example", "program", "source", "at", "lock", "challenge")
_CHALLENGE = ("name", "title", "text", "hint", "condition", "ask", "answer", "after", "lock", "show")


@dataclass(frozen=True)
class Challenge:
    """What to bring about on the page (``condition``), or a number to say (``ask`` and its ``answer``).

    It counts only once the challenge ``after`` has come about on the way, and where nothing in ``lock`` was changed.
    ``show`` names what the page turns to.
    """

    name: str
    title: str
    text: str
    hint: str
    condition: str
    ask: str
    answer: str
    after: str
    lock: tuple[str, ...]
    show: str


@dataclass(frozen=True)
class Lesson:
    """A step to open, by the name of an ``example``, the path of a ``program`` or its ``source``, and challenges.

    ``version`` is made from the contents, so that a learner's line says which lesson it is of.
    """

    file: str
    text: str
    name: str
    title: str
    about: str
    example: str
    program: Path | None
    source: str
    at: int
    lock: tuple[str, ...]
    challenges: tuple[Challenge, ...]
    version: str

    def where(self, challenge: int | None, key: str) -> str:
        """Return the file and the line in which a key of the lesson, or of its n-th challenge, stands."""
        return f"{self.file}{_line(self.text, challenge, key)}"


def names() -> list[str]:
    """Return the lessons that come with minigrad, in alphabetical order."""
    return sorted(
        entry.name.removesuffix(".toml") for entry in _LIBRARY.iterdir() if entry.name.endswith(".toml")
    )


def read(lesson: str) -> Lesson:
    """Return a lesson of minigrad's by its name, or one from a file.

    DataError MG-656 where there is none, or where it is not what a lesson is: what, in which line, and what to do.
    """
    if lesson in names():
        return parse((_LIBRARY / f"{lesson}.toml").read_text(encoding="utf-8"), f"{lesson}.toml")
    path = Path(lesson)
    if not path.is_file():
        raise ConfigError(
            "MG-656",
            f"{lesson!r} is neither a file nor a lesson that comes with minigrad; those are {', '.join(names())}.",
        )
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise DataError("MG-656", f"{path} is no text in UTF-8: {error}. Save it as UTF-8.") from error
    return parse(text, path.name, path.parent)


def parse(text: str, file: str, folder: Path | None = None) -> Lesson:
    """Return the lesson that a text says; a program's path begins in ``folder``. DataError MG-656 as in ``read``."""
    text = text.replace("\r\n", "\n")
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DataError("MG-656", f"{file} is no TOML: {error}.") from error
    part = _Part(file, text, content, None, _LESSON)
    name = part.name("lesson")
    opened = [key for key in ("example", "program", "source") if key in content]
    if len(opened) != 1:
        part.fail(
            opened[-1] if opened else "lesson",
            f"a lesson opens one step, and says {' and '.join(opened) or 'none'}. "
            "Write example = \"mlp\", program = \"mine.py\" or source = '''…'''.",
        )
    program = folder / part.text("program") if "program" in content and folder is not None else None
    if program is not None and not program.is_file():
        part.fail("program", f"there is no file {program}. Give its path as it is from the lesson's folder.")
    at = content.get("at", 1)
    if type(at) is not int or at < 1:
        part.fail("at", f"at is the number of the step to open, from 1 on, and {at!r} is given.")
    tables = content.get("challenge")
    if not isinstance(tables, list) or not tables or not all(isinstance(each, dict) for each in tables):
        part.fail("challenge", "a lesson has challenges, each below a line [[challenge]].")
    challenges = [_challenge(_Part(file, text, each, k, _CHALLENGE)) for k, each in enumerate(tables)]
    _check_names(file, text, challenges)
    contents = text.encode() + (program.read_bytes() if program is not None else b"")
    return Lesson(
        file, text, name, part.text("title"), part.text("about", ""), part.text("example", ""), program,
        part.text("source", ""), at, part.texts("lock"), tuple(challenges), hashlib.sha256(contents).hexdigest()[:8],
    )  # fmt: skip


def _challenge(part: _Part) -> Challenge:
    wants = [key for key in ("condition", "answer") if key in part.content]
    if len(wants) != 1:
        part.fail(
            wants[-1] if wants else "name",
            f"a challenge has a condition or an answer, and this one has {'both' if wants else 'neither'}. "
            'Write condition = "loss < 0.01", or ask = "dL/dW1[0,0] =" and answer = "grad(W1)[0, 0]".',
        )
    if ("ask" in part.content) != ("answer" in part.content):
        part.fail("ask" if "ask" in part.content else "answer", "ask and answer go together.")
    return Challenge(
        part.name("name"), part.text("title"), part.text("text"), part.text("hint", ""), part.text("condition", ""),
        part.text("ask", ""), part.text("answer", ""), part.text("after", ""), part.texts("lock"),
        part.text("show", ""),
    )  # fmt: skip


def _check_names(file: str, text: str, challenges: list[Challenge]) -> None:
    seen: list[str] = []
    for k, each in enumerate(challenges):
        part = _Part(file, text, {}, k, _CHALLENGE)
        if each.name in seen:
            part.fail("name", f"two challenges are called {each.name!r}. Give each a name of its own.")
        if each.after and each.after not in seen:
            part.fail(
                "after",
                f"no challenge above this one is called {each.after!r}; above are {', '.join(seen) or 'none'}.",
            )
        seen.append(each.name)


class _Part:
    """A table of the file: the lesson, or its n-th challenge."""

    def __init__(
        self, file: str, text: str, content: dict[str, Any], challenge: int | None, known: tuple[str, ...]
    ) -> None:
        self.file, self.whole, self.content, self.challenge = file, text, content, challenge
        for key in content:
            if key not in known:
                near = get_close_matches(key, known, 1)
                meant = f"Did you mean {near[0]}?" if near else f"There are {', '.join(known)}."
                self.fail(key, f"{self._whose} has no {key!r}. {meant}")

    def fail(self, key: str, what: str) -> NoReturn:
        raise DataError("MG-656", f"{self.file}{_line(self.whole, self.challenge, key)}: {what}")

    @property
    def _whose(self) -> str:
        return "a lesson" if self.challenge is None else f"challenge {self.challenge + 1}"

    def text(self, key: str, otherwise: str | None = None) -> str:
        found = self.content.get(key, otherwise)
        if found is None:
            self.fail(key, f'{self._whose} needs a {key}. Write {key} = "…".')
        if not isinstance(found, str):
            self.fail(key, f'{key} is a text, and {found!r:.40} is given. Write {key} = "…".')
        return str(found).strip() if key != "source" else str(found)

    def texts(self, key: str) -> tuple[str, ...]:
        found = self.content.get(key, [])
        if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
            self.fail(key, f'{key} is a list of names. Write {key} = ["W1", "rate"].')
        return tuple(found)

    def name(self, key: str) -> str:
        found = self.text(key)
        if not _NAME.fullmatch(found):
            self.fail(key, f"{found!r} is no name: small letters, digits and hyphens, such as dead-unit.")
        return found


def _line(text: str, challenge: int | None, key: str) -> str:
    """Return `` line 12`` for a key of the lesson or of its n-th challenge, or for the challenge where it is absent."""
    section, start, found = -1, 0, 0
    for number, line in enumerate(text.split("\n"), 1):
        if re.match(r"\s*\[\[\s*challenge\s*\]\]", line):
            section += 1
            start = number if section == challenge else start
        elif section == (-1 if challenge is None else challenge) and re.match(
            rf"\s*[\"']?{re.escape(key)}\b", line
        ):
            found = found or number
    return f" line {found or start}" if found or start else ""
