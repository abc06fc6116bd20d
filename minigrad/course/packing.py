"""minigrad as a wheel, made from the package that is running, and the versions of all that it needs.

So an archive needs no index to find minigrad in, and what is graded with is what was tried.
"""

from __future__ import annotations

import base64
import hashlib
import io
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import minigrad_kernels

import minigrad
from minigrad.errors import ConfigError

_NAME = "minigrad-engine"
_OF_AN_INSTALLATION = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "WHEEL")
_LINUX = {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix", "extra": ""}
_BEGINNING = (1980, 1, 1, 0, 0, 0)  # of a zip file's time: the same files give the same bytes


def zipped(files: Mapping[str, bytes], programs: tuple[str, ...] = ()) -> bytes:
    """Return a zip file of these files; ``programs`` may be run."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, _BEGINNING)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix, whose rights these are
            entry.external_attr = (0o100755 if name in programs else 0o100644) << 16
            archive.writestr(entry, content)
    return made.getvalue()


def wheel() -> tuple[str, bytes]:
    """Return the file name and the content of a wheel of the minigrad that is running.

    ConfigError MG-961 where it is not installed: nothing then says what it needs.
    """
    ours = installed("MG-961")
    information = {
        "/".join(file.parts[1:]): Path(str(file.locate())).read_bytes()
        for file in ours.files or ()
        if file.parts[0].endswith(".dist-info") and file.name not in _OF_AN_INSTALLATION
    }
    return as_wheel(ours.version, ["py3"], dict(packages()), information)


def as_wheel(
    version: str, pythons: Sequence[str], files: Mapping[str, bytes], information: Mapping[str, bytes]
) -> tuple[str, bytes]:
    """Return the file name and the content of a wheel; ``information`` goes into its ``.dist-info``.

    ``pythons`` are the tags of those that it is for, ``py3`` or ``cp312``.
    """
    stem = f"{_NAME.replace('-', '_')}-{version}"
    tags = "".join(f"Tag: {python}-none-any\n" for python in pythons)
    information = {
        **information,
        "WHEEL": f"Wheel-Version: 1.0\nGenerator: minigrad\nRoot-Is-Purelib: true\n{tags}".encode(),
    }
    whole = {**files, **{f"{stem}.dist-info/{name}": content for name, content in information.items()}}
    record = f"{stem}.dist-info/RECORD"
    rows = [f"{name},sha256={_digest(content)},{len(content)}" for name, content in whole.items()]
    whole[record] = "\n".join([*rows, f"{record},,", ""]).encode()
    return f"{stem}-{'.'.join(pythons)}-none-any.whl", zipped(whole)


def packages() -> Iterator[tuple[str, bytes]]:
    """Yield each file of the packages that are running, by its path in a wheel."""
    for package in (minigrad, minigrad_kernels):
        folder = Path(str(package.__file__)).resolve().parent
        for path in sorted(folder.rglob("*")):
            parts = path.relative_to(folder.parent).parts
            if path.is_file() and not any(part[0] == "." or part == "__pycache__" for part in parts):
                yield "/".join(parts), path.read_bytes()


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")


def pins() -> list[str]:
    """Return ``NAME==VERSION`` of all that minigrad needs on Linux, and what that needs, as it is installed here."""
    from packaging.requirements import Requirement

    found: dict[str, str] = {}
    wanted = [installed("MG-961")]
    while wanted:
        for text in wanted.pop().requires or ():
            needed = Requirement(text)
            name = re.sub(r"[-_.]+", "-", needed.name).lower()
            if name in found or (needed.marker and not needed.marker.evaluate(_LINUX)):
                continue
            try:
                one = distribution(name)
            except PackageNotFoundError:  # of another system
                continue
            found[name] = one.version.partition("+")[0]  # without a local build's mark
            wanted.append(one)
    return [f"{name}=={version}" for name, version in sorted(found.items())]


def installed(code: str) -> Distribution:
    """Return minigrad as it is installed; ConfigError of this code where it is not."""
    try:
        return distribution(_NAME)
    except PackageNotFoundError as error:
        raise ConfigError(
            code,
            "minigrad runs from a folder and is not installed, so what it needs is not known. "
            "Install it, in its clone: pip install -e .",
        ) from error
