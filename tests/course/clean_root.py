"""The archive in a clean Debian, from end to end as on Gradescope: ``python -m tests.course.clean_root FOLDER``.

Needs root, ``debootstrap`` (a Debian package) and the machine's mirror of Debian. In FOLDER it builds a system that has
no Python (kept for the next time), unpacks the archive into ``/autograder/source``, runs ``setup.sh`` in it once, and
then ``run_autograder`` for every submission below, in a chroot with processes of its own. What pip is told here (its
configuration and environment) it is told there.

Each is graded three times: with all rights of root; with those that a container of Docker's has, so without
namespaces; and with those on a kernel without Landlock.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from minigrad.course.assignment import Assignment, find, load, released
from minigrad.course.cells import to_notebook, to_percent
from minigrad.course.gradescope import archive
from tests.course import readers
from tests.course.autograders import METADATA, SECRET, WITHOUT_LANDLOCK, read, submit, unpack

_OF_DOCKER = (
    "chown dac_override fowner fsetid kill setgid setuid setpcap net_bind_service net_raw sys_chroot mknod "
    "audit_write setfcap"
)
_RIGHTS = f"setpriv --bounding-set=-all,{','.join(f'+{name}' for name in _OF_DOCKER.split())} "
MACHINES = {"root": ("", False), "container": (_RIGHTS, False), "container, no Landlock": (_RIGHTS, True)}


def mirror() -> str:
    """Return the mirror of Debian that this machine's apt uses."""
    places = [Path("/etc/apt/sources.list"), *Path("/etc/apt/sources.list.d").glob("*")]
    text = "\n".join(place.read_text() for place in places if place.is_file())
    found = re.search(r"^(?:URIs:|deb(?: \[.*?\])?) *(\S+/(?:debian|ubuntu)/?)\s", text, re.MULTILINE)
    if not found:
        sys.exit("this machine's apt names no mirror; give one with --mirror")
    return found[1]


def of_pip(root: Path) -> tuple[dict[str, str], list[str]]:
    """Return what pip is told here, as variables, and the folders in it; its files are copied into ``root``."""
    told = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
    ).stdout
    variables = {
        name: value for name, value in os.environ.items() if re.search("^PIP_|_proxy$", name, re.IGNORECASE)
    }
    for name, value in re.findall(r"^(?:global|install)\.([\w-]+)='(.*)'$", told, re.MULTILINE):
        variables.setdefault(f"PIP_{name.replace('-', '_').upper()}", value)
    folders = set()
    for name, value in variables.items():
        for path in (Path(part.removeprefix("file://")) for part in value.split()):
            if path.is_absolute() and path.is_file():
                shutil.copy(path, root / "mnt" / path.name)
                variables[name] = value.replace(str(path), f"/mnt/{path.name}")
            elif path.is_absolute() and path.is_dir():
                folders.add(str(Path(*path.parts[:3])))  # an index's pages link to what lies beside them
    return variables, sorted(folders)


class Root:
    """A system in a folder; each command runs in a chroot, with mounts and processes of its own."""

    def __init__(self, folder: Path, variables: dict[str, str], shown: list[str]) -> None:
        self.folder, self.variables = folder, variables
        mounts = [f"mount -t proc proc {folder}/proc", f"mount --rbind /dev {folder}/dev"]
        for path in shown:
            (folder / path.lstrip("/")).mkdir(parents=True, exist_ok=True)
            mounts.append(f"mount --bind {path} {folder}{path}")
        self.mounts = " && ".join(mounts)

    def run(self, command: str, **variables: str) -> str:
        """Run a command, and return what it prints."""
        inside = f"{self.mounts} && exec chroot {self.folder} {command}"
        done = subprocess.run(
            ["unshare", "--mount", "--pid", "--fork", "sh", "-c", inside],
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", **self.variables, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if done.returncode:
            sys.exit(f"{done.stdout}\n{command} ended with exit code {done.returncode}")
        return done.stdout


def build(folder: Path, suite: str, source: str) -> Path:
    """Return a new system, a copy of a clean one that is made where it is not there yet."""
    base, root = folder / f"base-{suite}", folder / "root"
    if not base.exists():
        made = folder / "partial"
        shutil.rmtree(made, ignore_errors=True)
        subprocess.run(
            ["debootstrap", "--variant=minbase", suite, made, source], check=True, stdout=subprocess.DEVNULL
        )
        made.rename(base)
    shutil.rmtree(root, ignore_errors=True)
    subprocess.run(["cp", "-a", base, root], check=True)
    for name in ("resolv.conf", "hosts"):
        shutil.copy(f"/etc/{name}", root / "etc" / name)
    return root


def lay_out(one: Assignment, folder: Path, root: Path) -> Path:
    """Unpack the archive as Gradescope does."""
    place = root / "autograder"
    archive(one, folder / "out.zip", secret=SECRET)
    unpack(folder / "out.zip", place / "source")
    shutil.copy(place / "source" / "run_autograder", place / "run_autograder")
    return place


def submissions(one: Assignment) -> dict[str, tuple[dict[str, str], Callable[[dict[str, Any]], bool]]]:
    """Return the files of each submission, and what its results.json has to say."""
    of_students = released(one)
    release = Assignment(one.name, one.title, of_students, one.questions)
    texts = {line.strip() for line in to_percent(one.cells).split("\n")} - {
        line.strip() for line in to_percent(of_students).split("\n")
    }
    secrets = {text for text in texts if len(text) > 20} | {SECRET.decode(), "CANARY"}
    file = f"{one.name}.py"

    def full(result: dict[str, Any]) -> bool:
        return result["score"] == one.points == sum(test["max_score"] for test in result["tests"])

    def nothing(result: dict[str, Any]) -> bool:
        return (
            result["score"] == 0 and result["extra_data"]["graded"] and len(result["tests"]) == len(one.tests)
        )

    def absent(result: dict[str, Any]) -> bool:
        return (
            result["score"] == 0
            and f"Hand in {file}" in result["output"]
            and not result["extra_data"]["graded"]
        )

    def kept_out(result: dict[str, Any]) -> bool:
        shown = "\n".join(readers.texts(result))
        tried = f"{readers.TRIED} {len(readers.LOOKS)}" in shown
        return tried and result["score"] == 0 and not any(secret in shown for secret in secrets)

    return {
        "the solution": ({file: to_percent(one.submitted)}, full),
        "the solution as a notebook": ({f"{one.name}.ipynb": to_notebook(one.submitted)}, full),
        "the release": ({file: to_percent(of_students)}, nothing),
        "no file": ({"notes.txt": "I will hand in tomorrow."}, absent),
        "a reader": ({file: readers.submission(release, "/autograder", "CANARY")}, kept_out),
    }


def main() -> None:
    """Build, set up, grade, and say what came out; exit code 1 where something did that should not have."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--assignment", default="A4")
    parser.add_argument("--suite", default="bookworm")
    parser.add_argument("--mirror", default="")
    given = parser.parse_args()
    folder = given.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    one = load(find(given.assignment))
    place = build(folder, given.suite, given.mirror or mirror())
    root = Root(place, *of_pip(place))
    autograder = lay_out(one, folder, place)
    begun = time.monotonic()
    print(root.run("/usr/bin/bash /autograder/source/setup.sh"))
    print(f"setup.sh took {time.monotonic() - begun:.0f} s\n")
    module = next(place.glob("opt/minigrad/lib/python3*/site-packages/minigrad/course/landlock.py"))
    whole, wrong = module.read_text(), 0
    for machine, (rights, without) in MACHINES.items():
        module.write_text(whole + WITHOUT_LANDLOCK * without)
        for what, (files, is_right) in submissions(one).items():
            submit(autograder, files, METADATA)
            begun = time.monotonic()
            printed = root.run(
                f"{rights}/autograder/run_autograder", GRADESCOPE_KEY="CANARY of the environment"
            )
            result = read(autograder)
            found = {line.split(readers.GOT)[1].split()[0] for line in readers.found_in(result)}
            right = is_right(result)
            wrong += not right
            points = f"{result['score']} of {one.points}"
            print(f"{machine:<24}{what:<28}{points:<10}{'as it should be' if right else 'WRONG':<17}", end="")
            print(
                f"{time.monotonic() - begun:.1f} s",
                *([f"found: {', '.join(sorted(found))}"] if found else []),
            )
            if what == "the solution":
                print(*(f"    {line}" for line in printed.splitlines()[1:]), sep="\n")
            if not right:
                print(printed, json.dumps(result, indent=1)[:4000])
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
