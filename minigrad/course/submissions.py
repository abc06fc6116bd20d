"""A folder of submissions: whose they are, which file counts, what is in it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from minigrad.course.cells import LARGEST, Cell, read_cells
from minigrad.errors import DataError

_SUFFIXES = (".py", ".ipynb")


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
        return self.path.name if self.path else ""


def submissions(folder: Path, assignment: str) -> list[Submission]:
    """Read every submission of a folder, by the students' names.

    ``alice.py`` or ``alice.ipynb`` is a submission of alice's, and so is a folder ``alice/`` with a file of the
    assignment's name in it, or with a single .py or .ipynb file. Whatever else lies there is never read and never run.

    Raises DataError MG-944 where the folder is missing or has no submission, or where two are one student's.
    """
    if not folder.is_dir():
        raise DataError("MG-944", f"there is no folder {folder} of submissions.")
    found: dict[str, Submission] = {}
    for path in sorted(folder.iterdir()):
        if path.name.startswith((".", "_")) or not (path.is_dir() or path.suffix in _SUFFIXES):
            continue
        student = path.name if path.is_dir() else path.stem
        if student in found:
            raise DataError("MG-944", f"{folder} has two submissions of {student!r}; remove one.")
        found[student] = _read(student, _chosen(path, assignment) if path.is_dir() else [path])
    if not found:
        raise DataError(
            "MG-944", f"{folder} has no submission: no .py or .ipynb file, and no folder with one."
        )
    return list(found.values())


def _chosen(folder: Path, assignment: str) -> list[Path]:
    files = [
        path for path in sorted(folder.iterdir()) if path.suffix in _SUFFIXES and path.name[0] not in "._"
    ]
    named = [path for path in files if path.stem == assignment]
    return named[:1] or files


def _read(student: str, candidates: Sequence[Path]) -> Submission:
    if len(candidates) != 1:
        names = ", ".join(path.name for path in candidates) or "no .py or .ipynb file"
        return Submission(student, None, trouble=f"It is not clear which file to grade: there is {names}.")
    path = candidates[0]
    if path.is_symlink() or path.parent.is_symlink():
        return Submission(student, path, trouble="A link is no submission: hand in the file itself.")
    try:
        digest = hashlib.sha256(path.read_bytes() if path.stat().st_size <= LARGEST else b"").hexdigest()
        cells = [cell for cell in read_cells(path) if cell.kind == "code" and not cell.is_test]
    except OSError as error:
        return Submission(student, path, trouble=f"The file cannot be read: {error.strerror}.")
    except DataError as error:
        return Submission(student, path, digest, trouble=f"The file cannot be graded: {error.message}")
    return Submission(student, path, digest, cells)
