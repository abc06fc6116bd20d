"""What students get: the assignment without its solutions and hidden tests, in a folder to work in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from minigrad.course.assignment import Assignment, released
from minigrad.course.cells import Cell, decoded, read_bytes, to_notebook, to_percent
from minigrad.files import atomic_write

_README = """# {title}

{questions} questions, {points} points{bonus}. Write your solutions into `{file}`, where it says `YOUR CODE HERE`;
leave the lines that begin with `# %%` and the tests as they are.
{read}
Check your work as often as you like:

    minigrad course check {file}

It runs the {public} public tests ({public_points} points) and shows, for each that fails, a hint, the input, what
is expected and what came. {hidden} other tests ({hidden_points} points) run when your work is graded: they try
other shapes, other numbers and your function inside the engine. Hand in `{file}`.

minigrad has to be installed (Python 3.11 or newer): see its README.
"""

_READ = """Where it says `YOUR ANSWER HERE`, answer in words; a person reads it ({points} points). In a .py file each
line of an answer begins with `# `.
"""


def release(assignment: Assignment, out: Path, *, notebook: bool = False) -> Path:
    """Write the student's file into ``out``, and what it is into the README there; return the file's path.

    What else the README says, on other assignments too, stays. An existing file is kept back.
    Raises FileExistsError where the student's file is there already.
    """
    readme = out / "README.md"
    before = decoded(read_bytes(readme)) if readme.exists() else ""
    path = _written(assignment.name, released(assignment), out, notebook)
    public = [test for test in assignment.tests if not test.hidden]
    points = sum(test.points for test in public)
    by_hand = [question for question in assignment.questions if question.by_hand]
    read = f"\n{_READ.format(points=sum(each.by_hand for each in by_hand))}" if by_hand else ""
    bonus = f" and {assignment.bonus} more to be had on top" if assignment.bonus else ""
    text = _README.format(
        title=assignment.title,
        questions=len(assignment.questions),
        points=assignment.points,
        bonus=bonus,
        read=read,
        file=path.name,
        public=len(public),
        public_points=points,
        hidden=len(assignment.tests) - len(public),
        hidden_points=sum(test.points for test in assignment.tests if test.hidden),
    )
    atomic_write(readme, _with_section(before, path.name, text))
    return path


def write_source(assignment: Assignment, out: Path, *, notebook: bool = False) -> Path:
    """Write all of an assignment into ``out``, with the numbers that it was loaded with: for the instructor alone.

    Raises FileExistsError where it is there already.
    """
    return _written(assignment.name, assignment.cells, out, notebook)


def _written(name: str, cells: Sequence[Cell], out: Path, notebook: bool) -> Path:
    path = out / f"{name}{'.ipynb' if notebook else '.py'}"
    if path.exists():
        raise FileExistsError(
            17, "is there already; a release never overwrites what somebody may have worked in", str(path)
        )
    atomic_write(path, to_notebook(cells) if notebook else to_percent(cells))
    return path


def _with_section(before: str, name: str, text: str) -> str:
    """Put a section into a README: in the place of the one of that name, or behind everything else."""
    begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"
    head, found, rest = before.partition(begin)
    _, ended, tail = rest.partition(end)
    section = f"{begin}{text}{end}"
    if found and ended:
        return head + section + tail
    return f"{before.rstrip()}\n\n{section}" if before.strip() else section
