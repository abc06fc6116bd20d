"""A folder of submissions: whose they are, which file counts, what is in it, and what is none."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from minigrad.course.cells import Cell, cells_of, read_bytes
from minigrad.course.texts import line, named
from minigrad.errors import DataError

_SUFFIXES = (".py", ".ipynb")
_ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar")
_TOOLS = ("__pycache__", "__MACOSX")  # folders that programs make
_DEEPEST = 5  # folders in a folder, each the only one
_MOST_FILES, _MOST_CELLS = 5, 1000  # that are read


@dataclass(frozen=True)
class Submission:
    """What one student has handed in. ``trouble`` says why there is nothing to grade, where that is so."""

    student: str
    path: Path | None
    digest: str = ""
    cells: list[Cell] = field(default_factory=list)
    trouble: str = ""

    @property
    def file(self) -> str:
        """The file's name."""
        return named(self.path.name) if self.path else ""


def submissions(folder: Path, assignment: str) -> list[Submission]:
    """Read every submission of a folder, by the students' names.

    ``alice.py`` or ``alice.ipynb`` is a submission of alice's, and so is a folder ``alice/`` with a file of the
    assignment's name in it, or with a single .py or .ipynb file. What cannot be graded, an archive or two files that
    differ among them, is a submission with a ``trouble``; nothing that lies in the folder is an error.
    Whatever else lies there is never read and never run: see ``passed_over``.

    Raises DataError MG-944 where the folder is missing, cannot be read, or has no submission.
    """
    found, others = _sorted_out(folder)
    if not found:
        there_is = f"; there is {_listed(list(others))}" if others else ""
        raise DataError(
            "MG-944", f"{folder} has no submission: no .py or .ipynb file, and no folder with one{there_is}."
        )
    return [_of_student(student, paths, assignment) for student, paths in found.items()]


def submission_of(student: str, path: Path, assignment: str) -> Submission:
    """Read one student's submission: a file, or a folder as it is among those of a class.

    Raises DataError MG-944 where there is neither.
    """
    if not path.exists():
        raise DataError(
            "MG-944", f"there is no file and no folder {path} that {student} could have handed in."
        )
    return _of_student(named(student), [path], assignment)


def passed_over(folder: Path) -> dict[str, str]:
    """Return the names of what lies in the folder and is no submission, and why."""
    return _sorted_out(folder)[1]


def _sorted_out(folder: Path) -> tuple[dict[str, list[Path]], dict[str, str]]:
    try:
        paths = sorted(folder.iterdir())
    except FileNotFoundError:
        raise DataError("MG-944", f"there is no folder {folder} of submissions.") from None
    except OSError as error:
        raise DataError("MG-944", f"{folder} is no folder that can be read: {error.strerror}.") from error
    found: dict[str, list[Path]] = {}
    maybe: list[tuple[str, Path]] = []
    others: dict[str, str] = {}
    for path in paths:
        student, what = _whose(path)
        if what == "theirs":
            found.setdefault(student, []).append(path)
        elif what == "maybe":
            maybe.append((student, path))
        else:
            others[named(path.name)] = what
    for student, path in maybe:
        if student in found:
            others[named(path.name)] = f"{student} has handed in {named(found[student][0].name)}"
        else:
            found[student] = [path]
    return dict(sorted(found.items())), others


def _whose(path: Path) -> tuple[str, str]:
    """Return the student, and "theirs", "maybe" (where nothing else is theirs), or why it is no submission."""
    name, suffix = path.name, path.suffix.casefold()
    if name.startswith("."):
        return "", "hidden files are none"
    if name in _TOOLS:
        return "", "programs make such folders"
    stem = name[: -len(suffix)] if suffix in (*_SUFFIXES, *_ARCHIVES) else name
    if _is_folder(path) or suffix in _SUFFIXES:
        return named(stem), "theirs"
    inner = Path(stem).suffix.casefold()
    if suffix in _ARCHIVES:
        return named(Path(stem).stem if inner in (*_SUFFIXES, ".tar") else stem), "maybe"
    inner = Path(path.stem).suffix.casefold().rstrip("~")
    if inner in _SUFFIXES or suffix.rstrip("~") in _SUFFIXES:  # alice.py.txt, bob.ipynb.json, carol.py~
        return named(Path(path.stem).stem if inner in _SUFFIXES else path.stem), "maybe"
    return "", "its name ends neither in .py nor in .ipynb"


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # a chain of links without end, a name that is too long
        return False


def _of_student(student: str, paths: Sequence[Path], assignment: str) -> Submission:
    try:
        files = [
            file for path in paths for file in (_chosen(path, assignment) if _is_folder(path) else [path])
        ]
        if not files:
            return Submission(student, None, trouble=_nothing_in(paths[0]))
    except OSError as error:
        return Submission(student, None, trouble=f"The folder cannot be read: {error.strerror}.")
    if len(files) > _MOST_FILES:
        return Submission(student, None, trouble=_unclear([file.name for file in files]))
    read = [read_submission(student, file) for file in files]
    fine = [one for one in read if not one.trouble]
    if len(read) > 1 and (not fine or any(_code(one) != _code(fine[0]) for one in read)):
        return Submission(student, None, trouble=_unclear([one.file for one in read]))
    return fine[0] if fine else read[0]


def _chosen(folder: Path, assignment: str) -> list[Path]:
    """Return a folder's files of the assignment's name, or all; where there are none, those of its only folder."""
    if folder.is_symlink():
        return [folder]
    for _ in range(_DEEPEST):
        entries = sorted(path for path in folder.iterdir() if path.name[0] not in "._")
        files = [path for path in entries if path.suffix.casefold() in _SUFFIXES]
        if files:
            return [path for path in files if path.stem.casefold() == assignment.casefold()] or files
        inner = [path for path in entries if not path.is_symlink() and path.is_dir()]
        if len(inner) != 1:
            break
        folder = inner[0]
    return []


def _code(one: Submission) -> list[str]:
    return ["No code", one.trouble] if one.trouble else [cell.source.strip() for cell in one.cells]


def _nothing_in(folder: Path) -> str:
    entries = sorted(path.name for path in folder.iterdir())
    there_is = f"it has {_listed(entries)}" if entries else "it is empty"
    return f"There is no .py or .ipynb file in the folder: {there_is}."


def _unclear(names: Sequence[str]) -> str:
    return f"It is not clear which file to grade: there are {_listed(names)}, and they differ."


def _listed(names: Sequence[str], most: int = 5) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(line(named(name), 80) for name in names[:most]) + more


def read_submission(student: str, path: Path) -> Submission:
    """Read one file as a student's submission; what is wrong with it becomes its ``trouble``."""
    trouble = _no_file(path)
    if trouble:
        return Submission(student, path, trouble=trouble)
    digest = ""
    try:
        content = read_bytes(path)
        digest = hashlib.sha256(content).hexdigest()
        cells = [
            cell for cell in cells_of(path, content, strict=False) if cell.kind == "code" and not cell.is_test
        ]
    except DataError as error:
        what = named(error.message.replace(str(path), path.name))
        return Submission(student, path, digest, trouble=line(f"The file cannot be graded: {what}"))
    if not cells:
        return Submission(student, path, digest, trouble="There is no code in the file.")
    if len(cells) > _MOST_CELLS:
        return Submission(
            student, path, digest, trouble=f"The file has more than {_MOST_CELLS} cells of code."
        )
    return Submission(student, path, digest, [_with_name(k, cell) for k, cell in enumerate(cells, 1)])


def _with_name(number: int, cell: Cell) -> Cell:
    name = line(cell.name, 60) or f"number {number}"
    return replace(cell, nbgrader={"grade_id": name, "solution": cell.is_solution})


def _no_file(path: Path) -> str:
    """Say why a path is no file that a student can have handed in; empty where it is one."""
    try:
        mode = os.lstat(path).st_mode
        if stat.S_ISLNK(mode) or path.parent.is_symlink():
            return "A link is no submission: hand in the file itself."
    except OSError as error:
        return f"The file cannot be read: {error.strerror}."
    if not stat.S_ISREG(mode):
        return "This is no file: a pipe, a device or a folder has its name."
    suffix = path.suffix.casefold()
    if suffix in _ARCHIVES:
        return "An archive is no submission: hand in the .py or .ipynb file itself."
    if suffix not in _SUFFIXES:
        return f"Its name has to end in .py or .ipynb, and it ends in {named(path.suffix)}."
    return ""
