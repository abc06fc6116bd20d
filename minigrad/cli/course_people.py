"""``minigrad course``: what an instructor needs around grading, from points changed by hand to scores for Canvas."""

from __future__ import annotations

import getpass
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from minigrad.claims import claimed
from minigrad.cli import show

if TYPE_CHECKING:
    from minigrad.course.assignment import Assignment
    from minigrad.course.regrading import Regrade
    from minigrad.course.results import Result
    from minigrad.course.settling import Around

_ASSIGNMENT = typer.Argument(metavar="ASSIGNMENT", help="A1 … A8, or the path of an assignment's source.")
_GRADES = typer.Argument(metavar="GRADES.csv", help="The table that grade has written.")


class System(StrEnum):
    """Where scores are imported."""

    canvas = "canvas"
    moodle = "moodle"


def override(
    assignment: Annotated[str, _ASSIGNMENT],
    grades: Annotated[Path, _GRADES],
    student: Annotated[str, typer.Argument(metavar="STUDENT", help="Login, number, address or name.")],
    question: Annotated[str, typer.Argument(metavar="QUESTION", help="A question, or one of its tests.")],
    points: Annotated[str, typer.Argument(metavar="POINTS", help="What it is to give.")],
    reason: Annotated[str, typer.Option(help="Why; the student gets to read it.", show_default=False)],
    by: Annotated[str, typer.Option(metavar="NAME", help="Who says so; you.", show_default=False)] = "",
) -> None:
    """Change one student's points for a question or a test by hand.

    It is a line in overrides.csv beside the results, with its reason, and stays through every regrading.
    """
    from minigrad.course.adjusting import OVERRIDES, add_override, checked
    from minigrad.course.assignment import find, load
    from minigrad.course.settling import Around

    one, folder = load(find(assignment)), grades.with_suffix("")
    around = Around.stored(one, folder)
    cells = {
        "student": student, "question": question, "points": points, "reason": " ".join(reason.split()),
        "by": by or _user(), "when": "",
    }  # fmt: skip
    made = checked("the override", one, cells, around)
    with claimed(folder):
        add_override(folder / OVERRIDES, made)
    update(assignment, grades)


def update(assignment: Annotated[str, _ASSIGNMENT], grades: Annotated[Path, _GRADES]) -> None:
    """Write the table and the pages anew, with the overrides and the points by hand as they are now.

    No student's code is run.
    """
    from minigrad.course.assignment import find, load
    from minigrad.course.feedback import write_feedback
    from minigrad.course.results import read_results
    from minigrad.course.settling import Around, settled, write_csv
    from minigrad.course.texts import file_names

    one, folder = load(find(assignment)), grades.with_suffix("")
    around = Around.stored(one, folder)
    results = settled(around, read_results(folder / "results", one))
    names = file_names(result.student for result in results)
    with claimed(folder):
        for result in results:
            write_feedback(folder, one, result, names[result.student])
        write_csv(grades, one, results)
    show.console().print(
        f"{grades} and the pages of {len(results)} students are written anew", markup=False, soft_wrap=True
    )
    tell_around(around, results)


def scores(
    assignment: Annotated[str, _ASSIGNMENT],
    grades: Annotated[Path, _GRADES],
    out: Annotated[Path, typer.Argument(metavar="OUT.csv", help="The file to import there.")],
    system: Annotated[System, typer.Option("--for", help="Where it is imported.", show_default=False)],
    into: Annotated[
        Path | None,
        typer.Option(
            metavar="EXPORT.csv",
            help="Fill the scores into this: Canvas's exported gradebook, or Moodle's grading worksheet.",
            show_default=False,
        ),
    ] = None,
    column: Annotated[
        str, typer.Option(metavar="NAME", help="What the assignment is called there.", show_default=False)
    ] = "",
) -> None:
    """Write the scores that count in the columns that Canvas or Moodle imports."""
    from minigrad.course.assignment import find, load
    from minigrad.course.results import read_results
    from minigrad.course.scores import write_scores
    from minigrad.course.settling import Around, settled
    from minigrad.errors import ConfigError

    for path in (grades, into):
        if path is not None and out.resolve() == path.resolve():
            raise ConfigError(
                "MG-802", f"{out} is what the scores are made from; write them into another file."
            )
    one, folder = load(find(assignment)), grades.with_suffix("")
    around = Around.stored(one, folder)
    results = settled(around, read_results(folder / "results", one))
    count, notes = write_scores(
        out,
        system.value,
        one,
        results,
        column=column,
        into=into,
        student=around.student,
        numbers=around.numbers,
    )
    to = show.console()
    to.print(f"{out}: {count} scores for {system.value.capitalize()}", markup=False, soft_wrap=True)
    for note in notes:
        to.print(f"  {note}", markup=False, soft_wrap=True)


def regrade_of(assignment: Assignment, questions: Sequence[str], may_lose: bool) -> Regrade:
    """Return what ``--question`` and ``--may-lose`` ask for; ConfigError MG-802 where the second stands alone."""
    from minigrad.course.adjusting import question_with_tests
    from minigrad.course.regrading import Regrade
    from minigrad.errors import ConfigError

    if may_lose and not questions:
        raise ConfigError(
            "MG-802", "--may-lose goes with --question NAME: grading everything anew asks nobody."
        )
    return Regrade(
        tuple(dict.fromkeys(question_with_tests(assignment, name) for name in questions)), may_lose
    )


def require_alone(**options: object) -> None:
    """Refuse beside ``--student`` what is of a class; ConfigError MG-802."""
    from minigrad.errors import ConfigError

    given = [f"--{name}" for name, value in options.items() if value]
    if given:
        raise ConfigError(
            "MG-802",
            f"--student grades one submission by itself, and {', '.join(given)} says something of a class. "
            "Leave --student out, and give the folder of all submissions.",
        )


def check_stored(regrade: Regrade, forges: bool) -> None:
    """Refuse to grade one question where what is stored of the others is not to be trusted; DataError MG-945."""
    from minigrad.errors import DataError

    if regrade.questions and forges:
        raise DataError(
            "MG-945",
            "the other questions' stored results cannot be taken up: students' code can write there on this machine. "
            "Grade without --question, or where Landlock or another user keeps it away.",
        )


def tell_around(around: Around, results: Sequence[Result]) -> None:
    """Say who is missing, what a person has yet to grade, and every note on roster, times, overrides and points."""
    tell("missing", [result.student for result in results if result.settled.missing])
    waiting = [result.student for result in results if result.settled.waiting]
    if waiting:
        tell(f"not graded yet, points go into {around.folder / 'by_hand.csv'}", waiting)
    for note in around.notes[:20]:
        show.console().print(note, markup=False, soft_wrap=True)
    tell("more of these", [f"{len(around.notes) - 20}"] if len(around.notes) > 20 else [])


def tell_moved(folder: Path, results: Sequence[Result], digests: Mapping[str, str], regrade: Regrade) -> None:
    """Say who gained and who lost by a regrading, and write it down."""
    from minigrad.course.regrading import in_words, moved, write_moved

    if not regrade.questions:
        return
    found = moved(results, digests, regrade.questions)
    for kind, items in in_words(found).items():
        tell(kind, items)
    for question in regrade.questions:
        write_moved(
            folder / "regraded" / f"{question}.csv", [each for each in found if each.question == question]
        )
    if any(not each.taken for each in found):
        show.console().print("these lose their points too with --may-lose", markup=False, soft_wrap=True)
    if not found:
        anew = ", ".join(regrade.questions)
        show.console().print(f"{anew} graded anew: nobody's points change", markup=False, soft_wrap=True)


def tell(what: str, items: Sequence[str], most: int = 20) -> None:
    """Print a list on one line."""
    if items:
        more = f" and {len(items) - most} more" if len(items) > most else ""
        show.console().print(f"{what}: {', '.join(items[:most])}{more}", markup=False, soft_wrap=True)


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # nobody of that number is known here
        return ""
