"""The students' wheel: the minigrad that is running, without texts of what assignments ask for."""

from __future__ import annotations

from collections.abc import Sequence
from email import message_from_string
from fnmatch import fnmatchcase
from importlib.metadata import Distribution
from pathlib import Path

from minigrad.course.packing import as_wheel, installed, packages
from minigrad.course.sealing import ANSWERS, files_of, is_module, sealed, tag
from minigrad.errors import ConfigError
from minigrad.files import atomic_write


def students_wheel(
    out: Path, without: Sequence[str] = tuple(ANSWERS), pythons: Sequence[str] = ("",)
) -> tuple[Path, list[str]]:
    """Write the wheel into ``out``; return its path, and the files that are in it compiled or not at all.

    It is made of the package that is running, from a clone or installed. ``without`` names the assignments whose
    answers are not to be read, ``pythons`` the interpreters that students have, empty for this one.

    Raises ConfigError MG-953 where it is not installed, or is a students' wheel itself; where there is no such
    assignment, a Python cannot be run, or ``out`` has the name of a wheel.
    """
    if out.suffix == ".whl":
        raise ConfigError(
            "MG-953", f"a wheel's name is fixed: give the folder that it goes into, not {out.name}."
        )
    ours = installed("MG-953")
    closed = files_of(without)
    files: dict[str, bytes] = {}
    left_out: list[str] = []
    for path, content in packages():
        if not any(fnmatchcase(path, pattern) for pattern in closed):
            files[path] = content
            continue
        left_out.append(path)
        if is_module(path):
            files |= sealed(path, content.decode(), pythons)
    version = f"{ours.version.partition('+')[0]}+students"
    tags = sorted({tag(python).replace("cpython-", "cp") for python in pythons}) if left_out else ["py3"]
    name, made = as_wheel(version, tags, files, _information(ours, version))
    atomic_write(out / name, made)
    return out / name, left_out


def _information(ours: Distribution, version: str) -> dict[str, bytes]:
    metadata = message_from_string(ours.read_text("METADATA") or "")
    metadata.replace_header("Version", version)
    del metadata["Description-Content-Type"]
    metadata.set_payload("")  # the README shows what an assignment asks for, and leads to the rest
    found = {"METADATA": metadata.as_bytes()}
    for name in ("entry_points.txt", "licenses/LICENSE"):
        text = ours.read_text(name)
        if text:
            found[name] = text.encode()
    return found
