"""The archive that Gradescope's autograder is made from: setup.sh, run_autograder, minigrad and the assignment."""

from __future__ import annotations

import json
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

from minigrad.course.assignment import HIDDEN, STUB, Assignment
from minigrad.course.cells import to_percent
from minigrad.course.packing import pins, wheel, zipped
from minigrad.errors import ConfigError
from minigrad.files import atomic_write

LIMIT = 540
"""Seconds that ``run_autograder`` takes at most: Gradescope ends it after ten minutes, and shows nothing then.

Loading a submission and running its tests ends before, with a test's limit of 20 s at most.
"""
ROOM = 256 << 10
"""Bytes that results.json has from the beginning, so that a full disk does not keep the result out."""

_FAILED = (
    "Your work could not be graded: the grader did not come to its end. This is NOT your fault and says nothing about "
    "your work. Submit it again; if the same comes back, tell your instructor."
)
_PROGRAMS = ("setup.sh", "run_autograder")


class Plan(NamedTuple):
    """How the archive grades: the file of the assignment in it, the secret, and each test's limits."""

    assignment: str
    secret: str
    seconds: float
    memory: int


def archive(
    assignment: Assignment, out: Path, *, secret: bytes, seconds: float = 10.0, memory: int = 512 << 20
) -> None:
    """Write the archive that is uploaded to Gradescope, with solutions, hidden tests and the secret of the inputs.

    Raises ConfigError MG-961 where it could not work: another ending than .zip, or a release, which has neither
    solutions nor hidden tests.
    """
    if out.suffix != ".zip":
        raise ConfigError("MG-961", f"Gradescope takes a .zip file, and {out.name} is none by its name.")
    source = to_percent(assignment.cells)
    if STUB[0] in source or HIDDEN in source:
        raise ConfigError(
            "MG-961",
            f"{assignment.name} is a release, without solutions and hidden tests: give the assignment's source.",
        )
    plan = Plan(f"assignment/{assignment.name}.py", secret.decode("latin-1"), seconds, memory)
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    contents: dict[str, bytes] = {}
    for name in _PROGRAMS:
        text = files("minigrad.course").joinpath("autograder_files", name).read_text(encoding="utf-8")
        contents[name] = text.replace("@PYTHON@", python).replace("@SECONDS@", str(LIMIT)).encode()
    name, made = wheel()
    contents |= {
        name: made,
        "pins.txt": "".join(f"{pin}\n" for pin in pins()).encode(),
        "plan.json": json.dumps(plan._asdict()).encode(),
        "failed.json": json.dumps(failed()).encode().ljust(ROOM),
        plan.assignment: source.encode(),
    }
    atomic_write(out, zipped(contents, _PROGRAMS))


def failed() -> dict[str, Any]:
    """Return the result of a submission that the grader could not grade."""
    return {
        "score": 0,
        "output": _FAILED,
        "stdout_visibility": "hidden",
        "extra_data": {"graded": False, "failed": "grader"},
    }
