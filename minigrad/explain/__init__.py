"""One short page per error code: what it means, an example that triggers it, why, and the fix.

A page is the Markdown file ``pages/MG-101.md``. Its first line is ``# MG-101 Title``; its first ``python``
block triggers the error or warning and its second one runs clean. To add a page, add a file: the tests run
every one.
"""

from __future__ import annotations

from difflib import SequenceMatcher
from importlib.resources import files

from minigrad.errors import ConfigError

_PAGES = files(__name__) / "pages"


def page(code: str) -> str:
    """Return the Markdown page of an error code; ``"mg-101"`` and ``"101"`` mean ``"MG-101"``.

    Raises:
        ConfigError: MG-801, there is no such page; the nearest codes are named.
    """
    wanted = f"MG-{code.strip().upper().removeprefix('MG-')}"
    titles = codes()
    if wanted not in titles:
        near = sorted(titles, key=lambda known: -SequenceMatcher(None, wanted, known).ratio())[:3]
        raise ConfigError(
            "MG-801", f"there is no page for the code {code!r}. The nearest: {', '.join(near)}."
        )
    return (_PAGES / f"{wanted}.md").read_text(encoding="utf-8")


def codes() -> dict[str, str]:
    """Return every code that has a page, in order, with its title."""
    names = sorted(entry.name for entry in _PAGES.iterdir() if entry.name.endswith(".md"))
    return dict(_heading(name) for name in names)


def _heading(name: str) -> tuple[str, str]:
    first_line = (_PAGES / name).read_text(encoding="utf-8").partition("\n")[0]
    code, title = first_line.removeprefix("# ").split(" ", 1)
    return code, title
