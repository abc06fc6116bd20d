"""``minigrad course``: release an assignment, check a solution, grade a class."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from minigrad.cli import show

if TYPE_CHECKING:
    from minigrad.course.running import Outcome

course = typer.Typer(
    name="course",
    help="Assignments: release them, check a solution, grade a class.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)

_ASSIGNMENT = typer.Argument(metavar="ASSIGNMENT", help="A1 … A8, or the path of an assignment's source.")


@course.command()
def release(
    assignment: Annotated[str, _ASSIGNMENT],
    out: Annotated[Path, typer.Argument(metavar="FOLDER", help="The folder that students get.")],
    notebook: Annotated[
        bool, typer.Option("--notebook", help="As a notebook instead of a .py file.")
    ] = False,
) -> None:
    """Write what students get: no solutions, no hidden tests."""
    from minigrad.course.assignment import find, load
    from minigrad.course.release import release as write

    path = write(load(find(assignment)), out, notebook=notebook)
    to = show.console()
    to.print(f"{path} and {path.with_name('README.md')} are there.", markup=False, soft_wrap=True)
    show.commands(to, f"minigrad course check {path}")


@course.command()
def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Your solution, .py or .ipynb.")],
) -> None:
    """Run the public tests on your solution; exit code 1 where one fails."""
    from minigrad.course.checking import Check

    to = show.console()
    checked = Check.of(file)
    for problem in checked.problems:
        place = f"line {problem['line']}: {problem['text']}" if problem["line"] else f"cell {problem['cell']}"
        to.print(
            Text.assemble(("This cell could not run. ", "bold red"), f"{problem['message']}, in {place}")
        )
    passed = total = 0
    for question, outcomes in checked.outcomes():
        if outcomes:
            to.print(Text(question.title, style="bold"))
        for outcome in outcomes:
            total, passed = total + 1, passed + outcome.passed
            to.print(_told(outcome), soft_wrap=True)
    hidden = f"; {checked.hidden} hidden run at grading" if checked.hidden else ""
    to.print(
        Text(f"\n{passed}/{total} public passed{hidden}", style="bold green" if passed == total else "bold")
    )
    if passed < total:
        raise typer.Exit(1)


def _told(outcome: Outcome) -> Text:
    if outcome.passed:
        return Text.assemble(("  ✓ ", "bold green"), outcome.test)
    told = Text.assemble(("  ✗ ", "bold red"), outcome.test)
    for label, text in outcome.lines():
        told.append(f"\n    {label:<8}  ", "dim")
        told.append(text.replace("\n", "\n" + " " * 14), "bold" if label == "hint" else "")
    return told
