"""The students' wheel: the minigrad that is running, without texts of what assignments ask for."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from email import message_from_string
from fnmatch import fnmatchcase
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import minigrad_kernels

import minigrad
from minigrad.course.sealing import ANSWERS, files_of, is_module, sealed, tag
from minigrad.errors import ConfigError
from minigrad.files import atomic_path

_NAME = "minigrad-engine"
_BEGINNING = (1980, 1, 1, 0, 0, 0)  # of a zip file's time: the same files give the same bytes


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
    ours = _distribution()
    closed = files_of(without)
    files: dict[str, bytes] = {}
    left_out: list[str] = []
    for path, content in _packages():
        if not any(fnmatchcase(path, pattern) for pattern in closed):
            files[path] = content
            continue
        left_out.append(path)
        if is_module(path):
            files |= sealed(path, content.decode(), pythons)
    version = f"{ours.version.partition('+')[0]}+students"
    tags = sorted({tag(python).replace("cpython-", "cp") for python in pythons}) if left_out else ["py3"]
    info = f"{_NAME.replace('-', '_')}-{version}.dist-info"
    files |= {f"{info}/{name}": content for name, content in _information(ours, version, tags).items()}
    record = f"{info}/RECORD"
    rows = [f"{name},sha256={_digest(content)},{len(content)}" for name, content in files.items()]
    files[record] = "\n".join([*rows, f"{record},,", ""]).encode()
    wheel = out / f"{info.removesuffix('.dist-info')}-{'.'.join(tags)}-none-any.whl"
    _write(wheel, files)
    return wheel, left_out


def _packages() -> Iterator[tuple[str, bytes]]:
    for package in (minigrad, minigrad_kernels):
        folder = Path(str(package.__file__)).resolve().parent
        for path in sorted(folder.rglob("*")):
            parts = path.relative_to(folder.parent).parts
            if path.is_file() and not any(part[0] == "." or part == "__pycache__" for part in parts):
                yield "/".join(parts), path.read_bytes()


def _information(ours: Distribution, version: str, tags: Sequence[str]) -> dict[str, bytes]:
    metadata = message_from_string(ours.read_text("METADATA") or "")
    metadata.replace_header("Version", version)
    del metadata["Description-Content-Type"]
    metadata.set_payload("")  # the README shows what an assignment asks for, and leads to the rest
    named = "".join(f"Tag: {each}-none-any\n" for each in tags)
    found = {
        "METADATA": metadata.as_bytes(),
        "WHEEL": f"Wheel-Version: 1.0\nGenerator: minigrad\nRoot-Is-Purelib: true\n{named}".encode(),
    }
    for name in ("entry_points.txt", "licenses/LICENSE"):
        text = ours.read_text(name)
        if text:
            found[name] = text.encode()
    return found


def _write(wheel: Path, files: Mapping[str, bytes]) -> None:
    with atomic_path(wheel) as path, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, _BEGINNING)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, content)


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")


def _distribution() -> Distribution:
    try:
        return distribution(_NAME)
    except PackageNotFoundError as error:
        raise ConfigError(
            "MG-953",
            "minigrad runs from a folder and is not installed, so what it needs is not known. "
            "Install it, in its clone: pip install -e .",
        ) from error
