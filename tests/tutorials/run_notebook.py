"""Run one tutorial as a notebook would: cell by cell, each cell's last expression displayed. No Jupyter is needed.

Each cell is a file of its own for Python, as in Jupyter, so that source lines are found. Prints what the cells print.
"""

import ast
import builtins
import linecache
import os
import sys
import traceback
import warnings
from pathlib import Path

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


if __name__ == "__main__":
    os.environ["MPLBACKEND"] = "Agg"
    warnings.filterwarnings("ignore", message=".*non-interactive.*")  # plt.show() without a screen
    builtins.display = display
    try:
        run(Path(sys.argv[1]))
    except Exception:
        sys.exit(traceback.format_exc())  # unlike Python's own, this one shows the lines of the cells
