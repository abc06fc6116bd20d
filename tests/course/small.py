"""A small assignment with everything that there is around tests: a hidden test, a text, a bonus; and a class for it."""

from __future__ import annotations

import json
from pathlib import Path

from minigrad.course.assignment import Assignment, load


def _head(kind: str, name: str, **fields: object) -> str:
    usual = {"grade": False, "locked": False, "schema_version": 3, "solution": False, "task": False}
    return f"# %%{kind} nbgrader={json.dumps(usual | {'grade_id': name} | fields)}\n"


def _question(name: str, right: str) -> str:
    solution = _head("", name, solution=True)
    body = f"def {name}(x):\n    ### BEGIN SOLUTION\n    return {right}\n    ### END SOLUTION\n\n"
    return solution + body


def _test(name: str, of: str, expected: str, points: int, hidden: bool = False) -> str:
    code = (
        f'@test\ndef {name.replace("-", "_")}(student, rng):\n    """Look at {of} again."""\n'
        f"    x = rng.normal(size=3)\n    close(student.{of}(x), {expected}, x=x)\n"
    )
    if hidden:
        code = f"### BEGIN HIDDEN TESTS\n{code}### END HIDDEN TESTS\n"
    return _head("", name, grade=True, locked=True, points=points) + code + "\n\n"


def source(*, double: str = "2 * x", double_points: int = 2) -> str:
    """The assignment's source; ``double`` is what the hidden test of the first question takes for right."""
    return (
        "# %% [markdown]\n# # Small numbers\n\n"
        + _head("", "imports", locked=True)
        + "import numpy as np\n\nfrom minigrad.course import close, test\n\n"
        + "# %% [markdown]\n# ## 1. Double\n\n"
        + _question("double", "2 * x")
        + _test("double-numbers", "double", "2 * x", 1)
        + _test("double-hidden", "double", double, double_points, hidden=True)
        + "# %% [markdown]\n# ## 2. Why\n#\n# Why is doubling linear?\n\n"
        + _head(" [markdown]", "why", grade=True, solution=True, points=4)
        + "# f(a + b) = f(a) + f(b), and f(c a) = c f(a).\n\n"
        + "# %% [markdown]\n# ## 3. Square (bonus)\n\n"
        + _question("square", "x * x")
        + _test("square-numbers", "square", "x * x", 3)
    )


def assignment(folder: Path, **changes: object) -> Assignment:
    """Write the source into a folder and load it."""
    path = folder / "s1_small.py"
    path.write_text(source(**changes))  # type: ignore[arg-type]
    return load(path)


def handed_in(double: str = "2 * x", square: str = "x * x", why: str = "f(a + b) = f(a) + f(b)") -> str:
    """What a student hands in."""
    text = source().replace("return 2 * x", f"return {double}").replace("return x * x", f"return {square}")
    lines = "\n".join(f"# {line}" for line in why.split("\n"))
    return text.replace("# f(a + b) = f(a) + f(b), and f(c a) = c f(a).", lines)


EVERYTHING = 1 + 2 + 4  # to be had; the square's 3 come on top
