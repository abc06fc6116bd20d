"""Write each tutorial's notebook beside its source: ``python -m tutorials.build``.

The sources are the ``NN_name.py`` files, in the percent format: what is edited, reviewed and tested. The notebooks
hold no outputs, and the same source always gives the same bytes: a cell's id is made from its text. ``--check``
writes nothing and fails where a notebook does not agree with its source.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Sequence
from pathlib import Path

import jupytext
import nbformat

FOLDER = Path(__file__).resolve().parent


def sources(folder: Path = FOLDER) -> list[Path]:
    """Return the tutorials' sources in reading order."""
    return sorted(folder.glob("[0-9][0-9]_*.py"))


def notebook(source: Path) -> str:
    """Return the notebook of one source, as the text of its .ipynb file."""
    made = jupytext.reads(source.read_text(encoding="utf-8"), fmt="py:percent")
    made.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )
    made.nbformat, made.nbformat_minor = 4, 5
    seen: dict[str, int] = {}
    for cell in made.cells:
        digest = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:12]
        seen[digest] = seen.get(digest, 0) + 1
        cell.id = digest if seen[digest] == 1 else f"{digest}-{seen[digest]}"
    nbformat.validate(made)
    return nbformat.writes(made).rstrip("\n") + "\n"


def build(check: bool = False, folder: Path = FOLDER) -> list[Path]:
    """Write the notebooks that differ from their sources (or only find them) and return their paths."""
    stale = []
    for source in sources(folder):
        text, path = notebook(source), source.with_suffix(".ipynb")
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(path)
            if not check:
                path.write_text(text, encoding="utf-8")
    return stale


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; its exit status is 1 where ``--check`` finds a notebook that does not agree."""
    parser = argparse.ArgumentParser(prog="python -m tutorials.build", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail where a notebook is stale")
    check = parser.parse_args(arguments).check
    stale = build(check)
    for path in stale:
        print(f"{path.name} {'does not agree with its source' if check else 'written'}")
    if not stale:
        print("every notebook agrees with its source")
    return int(check and bool(stale))


if __name__ == "__main__":
    raise SystemExit(main())
