"""``minigrad course``: release an assignment, check a solution, grade a class."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from minigrad.claims import check_folder, claimed
from minigrad.cli import show
from minigrad.cli.course_lines import lines
from minigrad.cli.course_people import (
    check_stored,
    override,
    regrade_of,
    require_alone,
    scores,
    tell_around,
    tell_moved,
    update,
)
from minigrad.cli.course_people import tell as _tell
from minigrad.cli.guard import Command

if TYPE_CHECKING:
    from minigrad.course.running import Outcome

course = typer.Typer(
    name="course",
    help="Assignments: release them, check a solution, grade a class.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)

for command in (override, update, scores, lines):
    course.command(cls=Command)(command)

_AROUND = "Around grading"
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
    from minigrad.course.running import counted

    to = show.console()
    checked = Check.of(file, tests)
    if checked.unlike:
        to.print(Text(checked.unlike, style="yellow"), soft_wrap=True)
    for problem in checked.problems:
        place = f"line {problem['line']}: {problem['text']}" if problem["line"] else f"cell {problem['cell']}"
        to.print(
            Text.assemble(("This cell could not run. ", "bold red"), f"{problem['message']}, in {place}")
        )
    every: list[Outcome] = []
    for question, outcomes in checked.outcomes():
        if outcomes:
            to.print(Text(question.title, style="bold"))
        for outcome in outcomes:
            to.print(_styled(outcome), soft_wrap=True)
        every += outcomes
    passed, total = sum(outcome.passed for outcome in every), len(every)
    to.print(
        Text(", ").join(
            Text(f"{count} {verdict.word}", style=_STYLES[verdict.word]) for verdict, count in counted(every)
        )
    )
    hidden = f"; {checked.hidden} hidden run at grading" if checked.hidden else ""
    to.print(
        Text(f"{passed}/{total} public passed{hidden}", style="bold green" if passed == total else "bold")
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
    roster: Annotated[
        Path | None,
        show.option("Who is in the course: name, id, email, login, section.", _AROUND, metavar="CLASS.csv"),
    ] = None,
    late: Annotated[
        Path | None, show.option("Deadlines, what late days cost, extensions.", _AROUND, metavar="LATE.toml")
    ] = None,
    times: Annotated[
        Path | None,
        show.option("When who handed in; Moodle's grading worksheet too.", _AROUND, metavar="TIMES.csv"),
    ] = None,
    anonymous: Annotated[
        bool,
        typer.Option("--anonymous", rich_help_panel=_AROUND, help="Answers in words by code, not by name."),
    ] = False,
    question: Annotated[
        list[str] | None,
        show.option("Grade this one anew for all, and leave the others.", _AROUND, metavar="NAME"),
    ] = None,
    may_lose: Annotated[
        bool,
        typer.Option("--may-lose", rich_help_panel=_AROUND, help="With --question: take points away, too."),
    ] = False,
) -> None:
    """Grade a folder of submissions. Stopped at any time, the same command goes on where it was.

    Each test runs in a process of its own with limits on time and memory, and its verdict is reached outside of it.
    That stops accidents and simple tricks. It is NOT a sandbox: grade strangers' code in a container, as the
    guide shows.
    """
    from minigrad.course.assignment import find, load
    from minigrad.course.feedback import write_feedback
    from minigrad.course.grading import Grader, Settings, grade_class
    from minigrad.course.holding import holding
    from minigrad.course.results import Result, remove_others, without_missing
    from minigrad.course.seeds import secret_in
    from minigrad.course.settling import Around, named_by, settled, write_csv
    from minigrad.course.submissions import passed_over, submission_of
    from minigrad.course.submissions import submissions as read
    from minigrad.course.texts import file_names
    from minigrad.course.variant import differ

    if student:
        require_alone(roster=roster, late=late, times=times, anonymous=anonymous, question=question)
    one = load(find(assignment), variant)
    regrade = regrade_of(one, question or [], may_lose)
    whose = named_by(roster)
    given = [submission_of(student, submissions, one.name)] if student else read(submissions, one.name, whose)
    others = {} if student else passed_over(submissions, whose)
    folder = out.with_suffix("")
    around = Around.read(one, folder, given, whose, late=late, times=times)
    around.require_no_others(student)
    names = file_names(submission.student for submission in given)
    check_folder(out.parent)
    to = show.console()
    with claimed(folder), show.progress(to) as bar:
        settings = Settings(secret_in(secret or folder / "secret"), seconds, memory << 20)
        held = holding(folder / "results")
        for sentence in held.sentences():
            to.print(sentence, style="dim", markup=False)
        check_stored(regrade, held.forges)
        grader = Grader(one, settings, held._asdict())
        task = bar.add_task(f"grading {one.name}", total=len(given))

        def done(result: Result, kept: bool) -> None:
            bar.advance(task)
            around.settle(result)
            write_feedback(folder, one, result, names[result.student])

        try:
            results = grade_class(
                grader,
                given,
                folder / "results",
                jobs=jobs or os.cpu_count() or 1,
                trust_stored=not held.forges,
                regrade=regrade,
                done=done,
            )
        except KeyboardInterrupt as stop:
            stop.add_note("The results so far are kept; the same command goes on from there.")
            raise
        finally:
            grader.close()
    gone = [] if student else remove_others(folder, names)
    around.finish(anonymous=anonymous)
    write_csv(out, one, settled(around, results))
    there = without_missing(results)
    mean = sum(result.score for result in there) / max(1, len(there))
    missing = f"; {len(results) - len(there)} missing" if len(results) > len(there) else ""
    to.print(
        f"{len(there)} submissions, {mean:.1f} of {one.points} points on average{missing}",
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
            if note and not result.settled.missing:
                to.print(Text.assemble((f"{result.student}: ", "bold yellow"), note), soft_wrap=True)
    _tell(
        "handed in with other numbers than those that they were graded by (is it another --variant?)",
        [submission.student for submission in given if differ(one.cells, submission.cells)],
    )
    _tell("passed over", [f"{name} ({why})" for name, why in others.items()])
    _tell("removed from the results, for no submission is theirs any more", gone)
    tell_around(around, results)
    tell_moved(folder, results, grader.digests, regrade)


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
    from minigrad.course.report import percent, statistics, write_report
    from minigrad.course.results import read_results, without_missing
    from minigrad.course.settling import Around, settled
    from minigrad.course.submissions import submissions as read

    one = load(find(assignment))
    around = Around.stored(one, grades.with_suffix(""))
    results = settled(around, read_results(grades.with_suffix("") / "results", one))
    given = read(submissions, one.name, around.whose()) if submissions else []
    folder = out or grades.with_suffix("") / "report"
    with claimed(folder):
        page = write_report(folder, one, results, given)
    to = show.console()
    table = show.table("question", "points", "mean", "all", "none")
    for row in statistics(one, without_missing(results)):
        shares = map(percent, (row.mean, row.full, row.none))
        table.add_row(show.plain(row.title), str(row.points), *shares)
    to.print(table)
    there = f"{len(without_missing(results))} of {len(results)} students"
    to.print(f"\n{there}; the whole report is {page}", markup=False, soft_wrap=True)


@course.command(cls=Command)
def gradescope(
    assignment: Annotated[str, _ASSIGNMENT],
    out: Annotated[Path, typer.Argument(metavar="OUT.zip", help="The archive to upload.")],
    secret: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The secret that tests' inputs are drawn from, and the student's number; drawn anew.",
            show_default=False,
        ),
    ] = None,
    variant: Annotated[str, _VARIANT] = "",
    seconds: Annotated[float, typer.Option(min=0.5, max=20, help="A test's time limit.")] = 10.0,
    memory: Annotated[int, typer.Option(min=64, max=65536, help="A test's memory limit, in MB.")] = 512,
) -> None:
    """Build the archive of a Gradescope autograder. It holds the solutions: give it to nobody else."""
    import secrets

    from minigrad.course.assignment import find, load
    from minigrad.course.gradescope import archive
    from minigrad.course.seeds import secret_in

    one = load(find(assignment), variant)
    chosen = secrets.token_hex(32).encode() if secret is None else secret_in(secret)
    archive(one, out, secret=chosen, seconds=seconds, memory=memory << 20)
    show.console().print(
        f"{out} is there: {one.points} points. Upload it under Configure Autograder. It holds the solutions, the "
        "hidden tests and the secret of their inputs.",
        markup=False,
        soft_wrap=True,
    )


_STYLES = {
    "passed": "bold green",
    "wrong": "bold red",
    "could not be graded": "bold magenta",
    "not written yet": "dim",
}


def _styled(outcome: Outcome) -> Text:
    verdict = outcome.verdict
    style = _STYLES[verdict.word]
    styled = Text.assemble((f"  {verdict.mark} ", style), outcome.test)
    if outcome.passed:
        return styled
    styled.append(f"  {verdict.word}", style)
    for label, text in outcome.lines():
        styled.append(f"\n    {label:<8}  ", "dim")
        styled.append(text.replace("\n", "\n" + " " * 14), "bold" if label == "hint" else "")
    return styled
