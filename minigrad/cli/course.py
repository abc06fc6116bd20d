"""``minigrad course``: release an assignment, check a solution, grade a class."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from minigrad.claims import check_folder, claimed
from minigrad.cli import show
from minigrad.cli.guard import Command

if TYPE_CHECKING:
    from minigrad.course.running import Outcome

course = typer.Typer(
    name="course",
    help="Assignments: release them, check a solution, grade a class.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)

_VARIANT = typer.Option(
    metavar="SEED",
    help="Draw the assignment's numbers and shapes from this text; keep it to yourself, and give it to release and "
    "grade alike.",
    show_default=False,
)
_ASSIGNMENT = typer.Argument(metavar="ASSIGNMENT", help="A1 … A8, or the path of an assignment's source.")


@course.command(cls=Command)
def release(
    assignment: Annotated[str, _ASSIGNMENT],
    out: Annotated[Path, typer.Argument(metavar="FOLDER", help="The folder that students get.")],
    notebook: Annotated[
        bool, typer.Option("--notebook", help="As a notebook instead of a .py file.")
    ] = False,
    variant: Annotated[str, _VARIANT] = "",
    everything: Annotated[
        bool, typer.Option("--source", help="With solutions and hidden tests: for you alone, as a source.")
    ] = False,
) -> None:
    """Write what students get: no solutions, no hidden tests."""
    from minigrad.course.assignment import find, load
    from minigrad.course.release import release as write
    from minigrad.course.release import write_source

    one = load(find(assignment), variant)
    to = show.console()
    if everything:
        with claimed(out):
            path = write_source(one, out, notebook=notebook)
        to.print(f"{path} is there, for you alone: solutions are in it.", markup=False, soft_wrap=True)
        return
    with claimed(out):
        path = write(one, out, notebook=notebook)
    to.print(f"{path} and {path.with_name('README.md')} are there.", markup=False, soft_wrap=True)
    show.commands(to, f"minigrad course check {path}")


@course.command(cls=Command)
def wheel(
    out: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where to write it.")] = Path("."),
    without: Annotated[
        list[str] | None,
        typer.Option(
            metavar="A6",
            help="Only this assignment's answers are closed; may be repeated.",
            show_default="all",
        ),
    ] = None,
    python: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PYTHON",
            help="An interpreter of a version that students have; may be repeated.",
            show_default="this one",
        ),
    ] = None,
) -> None:
    """Build minigrad for students: what assignments ask for is in it compiled, and cannot be read as text.

    It keeps nobody from using it, and not everybody from taking it apart: the guide says what it does and does not.
    """
    from minigrad.course.sealing import ANSWERS
    from minigrad.course.wheel import students_wheel

    with claimed(out):
        path, closed = students_wheel(out, without or tuple(ANSWERS), python or ("",))
    to = show.console()
    to.print(
        f"{path} is there; {len(closed)} files are in it compiled, or not at all:",
        markup=False,
        soft_wrap=True,
    )
    to.print(f"  {', '.join(closed)}", style="dim", markup=False, soft_wrap=True)
    show.commands(to, f"pip install {path}")


@course.command(cls=Command)
def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Your solution, .py or .ipynb.")],
    tests: Annotated[
        Path | None,
        typer.Option(
            metavar="RELEASED", help="Take the tests from this file, as it was released.", show_default=False
        ),
    ] = None,
) -> None:
    """Run the public tests on your solution, as grading does; exit code 1 where one fails.

    What your code prints is not shown: run the file or its cells for that.
    """
    from minigrad.course.checking import Check

    to = show.console()
    checked = Check.of(file, tests)
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


@course.command(cls=Command)
def grade(
    assignment: Annotated[str, _ASSIGNMENT],
    submissions: Annotated[
        Path, typer.Argument(metavar="SUBMISSIONS", help="alice.py, bob.ipynb, carol/a1_rules.py …")
    ],
    out: Annotated[Path, typer.Option(metavar="GRADES.csv", help="The table of all grades.")] = Path(
        "grades.csv"
    ),
    jobs: Annotated[int, typer.Option(min=0, max=64, help="Submissions at a time; 0: one per core.")] = 0,
    secret: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The secret that tests' inputs are drawn from, and the student's name. Made where there is none, "
            "by default as GRADES/secret; keep it to yourself.",
            show_default=False,
        ),
    ] = None,
    variant: Annotated[str, _VARIANT] = "",
    student: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="SUBMISSIONS is this one student's own file or folder, and the table has this one row.",
        ),
    ] = "",
    seconds: Annotated[float, typer.Option(min=0.5, max=600, help="A test's time limit.")] = 10.0,
    memory: Annotated[int, typer.Option(min=64, max=65536, help="A test's memory limit, in MB.")] = 1024,
) -> None:
    """Grade a folder of submissions. Stopped at any time, the same command goes on where it was.

    Each test runs in a process of its own with limits on time and memory, and its verdict is reached outside of it.
    That stops accidents and simple tricks. It is NOT a sandbox: grade strangers' code in a container, as the
    guide shows.
    """
    from minigrad.course.assignment import find, load
    from minigrad.course.feedback import write_feedback
    from minigrad.course.grading import Grader, Result, Settings, grade_class, remove_others, write_csv
    from minigrad.course.holding import holding
    from minigrad.course.seeds import secret_in
    from minigrad.course.submissions import passed_over, submission_of
    from minigrad.course.submissions import submissions as read
    from minigrad.course.texts import file_names
    from minigrad.course.variant import differ

    one = load(find(assignment), variant)
    given = [submission_of(student, submissions, one.name)] if student else read(submissions, one.name)
    others = {} if student else passed_over(submissions)
    names = file_names(submission.student for submission in given)
    folder = out.with_suffix("")
    check_folder(out.parent)
    to = show.console()
    with claimed(folder), show.progress(to) as bar:
        grader = Grader(one, Settings(secret_in(secret or folder / "secret"), seconds, memory << 20))
        held = holding(folder / "results")
        for sentence in held.sentences():
            to.print(sentence, style="dim", markup=False)
        task = bar.add_task(f"grading {one.name}", total=len(given))

        def done(result: Result, kept: bool) -> None:
            bar.advance(task)
            write_feedback(folder, one, result, names[result.student])

        try:
            results = grade_class(
                grader,
                given,
                folder / "results",
                jobs=jobs or os.cpu_count() or 1,
                trust_stored=not held.forges,
                done=done,
            )
        except KeyboardInterrupt as stop:
            stop.add_note("The results so far are kept; the same command goes on from there.")
            raise
        finally:
            grader.close()
    gone = [] if student else remove_others(folder, names)
    write_csv(out, one, results)
    mean = sum(result.score for result in results) / len(results)
    to.print(
        f"{len(results)} submissions, {mean:.1f} of {one.points} points on average",
        markup=False,
        soft_wrap=True,
    )
    for what, where in (
        ("grades", out),
        ("pages for students", folder / "feedback"),
        ("for Gradescope", folder / "gradescope"),
    ):
        to.print(f"  {what:<18}  {where}", markup=False, soft_wrap=True)
    for result in results:
        for note in [result.trouble, *result.notes]:
            if note:
                to.print(Text.assemble((f"{result.student}: ", "bold yellow"), note), soft_wrap=True)
    _tell(
        "handed in with other numbers than those that they were graded by (is it another --variant?)",
        [submission.student for submission in given if differ(one.cells, submission.cells)],
    )
    _tell("passed over", [f"{name} ({why})" for name, why in others.items()])
    _tell("removed from the results, for no submission is theirs any more", gone)


@course.command(cls=Command)
def report(
    assignment: Annotated[str, _ASSIGNMENT],
    grades: Annotated[Path, typer.Argument(metavar="GRADES.csv", help="The table that grade has written.")],
    submissions: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="List those that are alike, too.", show_default=False),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Where to write it; beside the table.", show_default=False),
    ] = None,
) -> None:
    """Show how a class did: questions, tests, pictures, and which solutions are alike."""
    from minigrad.course.assignment import find, load
    from minigrad.course.grading import read_results
    from minigrad.course.report import statistics, write_report
    from minigrad.course.submissions import submissions as read

    one = load(find(assignment))
    results = read_results(grades.with_suffix("") / "results", one)
    given = read(submissions, one.name) if submissions else []
    folder = out or grades.with_suffix("") / "report"
    with claimed(folder):
        page = write_report(folder, one, results, given)
    to = show.console()
    table = show.table("question", "points", "mean", "all", "none")
    for row in statistics(one, results):
        shares = (f"{100 * share:.0f} %" for share in (row.mean, row.full, row.none))
        table.add_row(show.plain(row.title), str(row.points), *shares)
    to.print(table)
    to.print(f"\n{len(results)} students; the whole report is {page}", markup=False, soft_wrap=True)


def _tell(what: str, items: list[str], most: int = 20) -> None:
    if items:
        more = f" and {len(items) - most} more" if len(items) > most else ""
        show.console().print(f"{what}: {', '.join(items[:most])}{more}", markup=False, soft_wrap=True)


def _told(outcome: Outcome) -> Text:
    if outcome.passed:
        return Text.assemble(("  ✓ ", "bold green"), outcome.test)
    told = Text.assemble(("  ✗ ", "bold red"), outcome.test)
    for label, text in outcome.lines():
        told.append(f"\n    {label:<8}  ", "dim")
        told.append(text.replace("\n", "\n" + " " * 14), "bold" if label == "hint" else "")
    return told
