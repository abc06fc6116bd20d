"""Run one tutorial as a notebook would: cell by cell, each cell's last expression displayed. No Jupyter is needed.

Each cell is a file of its own for Python, as in Jupyter, so that source lines are found. Prints what the cells print.
With ``--alone``, only those packages can be imported that tutorials/README.md has installed.
"""

import ast
import builtins
import importlib.util
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


def installed_with(extra):
    """The distributions that ``pip install -e ".[extra]"`` brings, by their normalised names."""
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))["project"]
    own, found = project["name"], set()
    pending = [Requirement(f"{own}[{extra}]")]
    while pending:
        wanted = pending.pop()
        if wanted.marker and not any(wanted.marker.evaluate({"extra": e}) for e in (*wanted.extras, "")):
            continue
        for e in (*wanted.extras, ""):
            name = re.sub(r"[-_.]+", "-", wanted.name).lower()
            if (name, e) in found:
                continue
            found.add((name, e))
            if name == own:
                texts = project["optional-dependencies"][e] if e else project["dependencies"]
                pending += map(Requirement, texts)
                continue
            try:
                parts = [Requirement(text) for text in metadata.requires(name) or ()]
            except metadata.PackageNotFoundError:
                continue
            pending += [part for part in parts if not part.marker or part.marker.evaluate({"extra": e})]
    return {name for name, _ in found}


class Alone:
    """Refuses what is installed here and would not be in an environment of the tutorials' own."""

    def __init__(self):
        allowed = installed_with("tutorials") | {"pip", "setuptools", "packaging"}
        self.refused = {
            module
            for module, owners in metadata.packages_distributions().items()
            if not any(re.sub(r"[-_.]+", "-", owner).lower() in allowed for owner in owners)
        }
        looked = importlib.util.find_spec
        importlib.util.find_spec = lambda name, *more: None if self.refuses(name) else looked(name, *more)

    def refuses(self, name):
        return name.partition(".")[0] in self.refused

    def find_spec(self, name, *_):
        if self.refuses(name):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


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


if __name__ == "__main__":
    os.environ["MPLBACKEND"] = "Agg"
    warnings.filterwarnings("ignore", message=".*non-interactive.*")  # plt.show() without a screen
    builtins.display = display
    if "--alone" in sys.argv:
        sys.meta_path.insert(0, Alone())
    try:
        run(Path(sys.argv[1]))
    except Exception:
        sys.exit(traceback.format_exc())  # unlike Python's own, this one shows the lines of the cells
