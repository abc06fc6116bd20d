"""Where things lie on the grader's machine, and neutral names for that: no student's page tells of it."""

from __future__ import annotations

import os
import re
import sys
import sysconfig
import tempfile
from functools import lru_cache
from pathlib import Path

import minigrad_kernels

import minigrad

SCRATCH = "minigrad-course-"
"""What the names of the folders begin with in which students' processes have theirs."""

_MOST = 20_000  # characters that are looked through; more is never shown


def neutral(text: str) -> str:
    """Put neutral names for the machine's folders: ``.`` for a process's own, ``python``, ``packages``, ``~``.

    Of a path that was cut off within such a name, that part is cut off too.
    """
    found, cut, names = _patterns(_own(), tempfile.gettempdir(), os.environ.get("HOME", ""))
    return cut.sub("…", found.sub(lambda match: names[str(match.lastgroup)], text[:_MOST]))


def _own() -> str:
    try:
        return os.getcwd()
    except OSError:  # somebody has removed it
        return ""


@lru_cache(8)
def _patterns(own: str, temporary: str, home: str) -> tuple[re.Pattern[str], re.Pattern[str], dict[str, str]]:
    packages = {str(Path(str(module.__file__)).parents[1]) for module in (minigrad, minigrad_kernels)}
    packages |= {path for path in sys.path if path.endswith(("site-packages", "dist-packages"))}
    python = {sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix}
    python |= {str(Path(sysconfig.get_path("stdlib")).parents[1])}
    named = [(".", {own}), ("packages", packages), ("python", python), ("~", {home}), ("/tmp", {temporary})]
    names = {
        each: name
        for name, folders in named
        for folder in folders
        if folder
        for each in (folder, os.path.realpath(folder))
        if each not in (os.sep, "/tmp")
    }
    bases = map(re.escape, {temporary, os.path.realpath(temporary), "/tmp"})
    # a process's own folder in one of the grader's, or that alone
    own_folders = "|".join(f"{base}/{SCRATCH}" + r"\w*(?:/\w+)?" for base in bases)
    alternatives = [f"(?P<own>{own_folders})"]
    groups, heads = {"own": "."}, []
    for number, folder in enumerate(sorted(names, key=len, reverse=True)):
        # a name of one part may be within another one: /root in /tmp/root
        alone = r"(?<![\w.~-])" if folder.count(os.sep) == 1 else ""
        alternatives.append(rf"(?P<f{number}>{alone}{re.escape(folder)}(?![\w-]|\.\w))")
        groups[f"f{number}"] = names[folder]
        heads.append(_beginnings(folder))
    return re.compile("|".join(alternatives)), re.compile("|".join(filter(None, heads)) or r"(?!)"), groups


def _beginnings(folder: str) -> str:
    """Return a pattern for beginnings of a folder's name, from its second part on, at the end of what was cut."""
    second = folder.find(os.sep, 1) + 1
    if second < 2:
        return ""
    rest = ""
    for c in reversed(folder[second:-1]):
        rest = f"(?:{re.escape(c)}{rest})?"
    return re.escape(folder[:second]) + rest + "(?:…|$)"
