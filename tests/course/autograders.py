"""An autograder as Gradescope lays it out, in a folder: the archive unpacked, a submission, its results."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path
from typing import Any

from minigrad.course.assignment import Assignment
from minigrad.course.gradescope import archive
from tests.course.gradescope_format import faults

SECRET = b"7046029254386353131 and some more"
METADATA = {
    "id": 123456,
    "created_at": "2026-11-02T00:30:00.000000-07:00",
    "assignment": {
        "due_date": "2026-11-01T23:00:00.000000-07:00",
        "group_submission": False,
        "total_points": "17.0",
    },
    "users": [{"email": "ada@example.org", "id": 1234, "name": "Ada"}],
    "previous_submissions": [{"score": 3.0, "results": {"output": "CANARY of before"}}],
}
WITHOUT_LANDLOCK = "\n\ndef version() -> int:\n    return 0\n"
WITHOUT_NAMESPACES = "\n\ndef available() -> bool:\n    return False\n"
"""What makes ``landlock.py`` and ``namespaces.py`` those of a kernel without them."""


def unpack(zipped: Path, folder: Path) -> None:
    """Unpack as ``unzip`` does, with the files' rights."""
    with zipfile.ZipFile(zipped) as content:
        for entry in content.infolist():
            path = Path(content.extract(entry, folder))
            path.chmod(entry.external_attr >> 16)


def submit(root: Path, files: dict[str, str], metadata: Any = METADATA) -> None:
    """Lay a submission where Gradescope does, and an empty folder for its results."""
    for name in ("submission", "results"):
        shutil.rmtree(root / name, ignore_errors=True)
        (root / name).mkdir()
    for name, text in files.items():
        root.joinpath("submission", name).write_text(text)
    root.joinpath("submission_metadata.json").write_text(
        metadata if isinstance(metadata, str) else json.dumps(metadata)
    )


def read(root: Path) -> dict[str, Any]:
    """Return results.json, which Gradescope understands."""
    written = root.joinpath("results", "results.json").read_bytes()
    assert faults(written) == []
    result: dict[str, Any] = json.loads(written)
    return result


def everybodys_python() -> str | None:
    """Return a Python of this one's version that lies where every user may read it, as on Gradescope."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for found in (os.path.realpath(sys.executable), f"/usr/bin/{version}"):
        if os.path.exists(found) and all(
            place.stat().st_mode & 0o005 == 0o005 for place in (Path(found), *Path(found).parents)
        ):
            return found
    return None


class Autograder:
    """An archive that was unpacked into ``folder``; minigrad comes out of its wheel, what it needs from this Python."""

    def __init__(self, one: Assignment, folder: Path) -> None:
        self.root, self.home = folder / "autograder", folder / "home"
        archive(one, folder / "out.zip", secret=SECRET)
        self.root.mkdir(parents=True)
        unpack(folder / "out.zip", self.root / "source")
        subprocess.run(
            [everybodys_python() or sys.executable, "-m", "venv", "--without-pip", self.home], check=True
        )
        packages = next(self.home.glob("lib/python3*/site-packages"))
        (wheel,) = self.root.glob("source/*.whl")
        unpack(wheel, packages)
        packages.joinpath("rest.pth").write_text(sysconfig.get_path("purelib"))
        self.package = packages / "minigrad"

    def run(self, files: dict[str, str], metadata: Any = METADATA, **environment: str) -> dict[str, Any]:
        """Grade a submission, and return results.json."""
        submit(self.root, files, metadata)
        self.printed = self.start(**environment)
        return read(self.root)

    def start(self, *rights: str, **environment: str) -> str:
        """Run ``run_autograder`` on what is there, through a program that changes its rights; return what it prints."""
        done = subprocess.run(
            [*rights, self.root / "source" / "run_autograder"],
            env={
                **os.environ,
                "MINIGRAD_AUTOGRADER": str(self.root),
                "MINIGRAD_HOME": str(self.home),
                **environment,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=True,
        )
        return done.stdout
