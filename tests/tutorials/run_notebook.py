"""Run one tutorial as a notebook would: cell by cell, each cell's last expression displayed. No Jupyter is needed.

Nothing can be imported but what tutorials/README.md has installed, and the two libraries that it calls optional.

Each cell is a file of its own for Python, as in Jupyter, so that source lines are found. Prints what the cells print.
"""

import ast
import builtins
import linecache
import os
import re
import sys
import tomllib
import traceback
import warnings
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
OPTIONAL = ("torch", "mpi4py")
FORMATS = ("_repr_html_", "_repr_svg_", "_repr_markdown_")


def cells(text):
    """The code cells of a percent-format source, each with its first line's number."""
    found, kind, start, body = [], None, 0, []
    for number, line in enumerate([*text.splitlines(), "# %%"], start=1):
        if line.startswith("# %%"):
            if kind == "code":
                found.append((start, "\n".join(body) + "\n"))
            kind, start, body = "markdown" if "[markdown]" in line else "code", number + 1, []
        else:
            body.append(line)
    return found


def display(*values, **options):
    """Ask each value for its representation, as Jupyter does."""
    for value in values:
        if hasattr(value, "_ipython_display_"):
            value._ipython_display_()
        elif hasattr(value, "_repr_mimebundle_"):
            assert value._repr_mimebundle_(include=None, exclude=None)
        else:
            made = [getattr(value, name)() for name in FORMATS if hasattr(value, name)]
            assert made or isinstance(repr(value), str)


def run(path):
    """Run the cells in one namespace."""
    namespace = {"__name__": "__main__", "display": display}
    for start, source in cells(path.read_text(encoding="utf-8")):
        name = f"<{path.name}, the cell from line {start}>"
        linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
        tree = ast.parse(source, name)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, name, "exec"), namespace)
        if last is not None:
            value = eval(compile(ast.Expression(last.value), name, "eval"), namespace)
            if value is not None:
                display(value)


def plain(name):
    """A distribution's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def installed_by(*asked):
    """The names of all distributions that pip installs for these requirements of this project."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    seen, todo = set(), [Requirement(text) for text in asked]
    while todo:
        wanted = todo.pop()
        name = plain(wanted.name)
        for extra in ("", *wanted.extras):
            if (name, extra) in seen:
                continue
            seen.add((name, extra))
            if name == plain(project["name"]):
                needs = project["optional-dependencies"][extra] if extra else project["dependencies"]
                todo += map(Requirement, needs)
                continue
            try:
                needs = metadata.requires(name) or ()
            except metadata.PackageNotFoundError:  # Jupyter need not be here
                continue
            found = map(Requirement, needs)
            todo += [r for r in found if r.marker is None or r.marker.evaluate({"extra": extra})]
    return {name for name, _ in seen}


def refused_outside(allowed):
    """The modules of all distributions that are here and not among these."""
    return {
        module
        for module, distributions in metadata.packages_distributions().items()
        if not any(plain(name) in allowed for name in distributions)
    }


class Fence:
    """A finder of modules that does not find the refused ones."""

    def __init__(self, finder, refused):
        self.finder, self.refused = finder, refused

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.refused:
            return None
        return self.finder.find_spec(name, path, target)

    def __getattr__(self, name):
        return getattr(self.finder, name)


if __name__ == "__main__":
    refused = refused_outside(installed_by("minigrad-engine[tutorials]", *OPTIONAL))
    sys.meta_path[:] = [Fence(finder, refused) for finder in sys.meta_path]
    os.environ["MPLBACKEND"] = "Agg"
    warnings.filterwarnings("ignore", message=".*non-interactive.*")  # plt.show() without a screen
    builtins.display = display
    try:
        run(Path(sys.argv[1]))
    except Exception:
        sys.exit(traceback.format_exc())  # unlike Python's own, this one shows the lines of the cells
