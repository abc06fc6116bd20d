"""A class at a glance: how each question and test went, with pictures, and which solutions are alike."""

from __future__ import annotations

import base64
import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from minigrad.course.assignment import Assignment, released
from minigrad.course.borrowed import Use, borrowed
from minigrad.course.cells import Cell
from minigrad.course.holding import Holding
from minigrad.course.late import late_in_words
from minigrad.course.pages import document, folded, note, table, text, under
from minigrad.course.results import Result, without_missing
from minigrad.course.similarity import Pair, similar
from minigrad.course.submissions import Submission
from minigrad.course.tables import shown
from minigrad.files import atomic_write
from minigrad.markup import Markup, tag


class QuestionStatistics(NamedTuple):
    """One question over a class. ``mean`` is a share of its points; ``full`` and ``none`` are shares of the students.

    ``discrimination`` is the correlation of the points here with the points everywhere else: near 0, or below, the
    question says nothing about who knows the subject. It is NaN where all have the same.
    """

    name: str
    title: str
    points: int
    mean: float
    full: float
    none: float
    discrimination: float


def statistics(assignment: Assignment, results: Sequence[Result]) -> list[QuestionStatistics]:
    """Return the statistics of every question."""
    rows = []
    for question in assignment.questions:
        graded = [result for result in results if question.name not in result.settled.waiting]
        totals = np.array([result.score for result in graded], dtype=float)
        scores = np.array([result.points_of(question) for result in graded], dtype=float)
        share = scores / question.points if graded else np.array([np.nan])
        rows.append(
            QuestionStatistics(
                question.name, question.title, question.points, float(share.mean()), float(np.mean(share == 1)),
                float(np.mean(share == 0)), _correlation(scores, totals - scores),
            )
        )  # fmt: skip
    return rows


def percent(share: float) -> str:
    """Write a share; nothing for one that is not known."""
    return "" if np.isnan(share) else f"{100 * share:.0f} %"


def passed(assignment: Assignment, results: Sequence[Result]) -> dict[str, float]:
    """Return the share of students who passed, by test."""
    by_test: dict[str, list[bool]] = {test.name: [] for test in assignment.tests}
    for result in results:
        for outcome in result.outcomes:
            by_test.setdefault(outcome.test, []).append(outcome.passed)
    return {name: float(np.mean(values)) if values else float("nan") for name, values in by_test.items()}


def _correlation(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    if len(a) < 3 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return float("nan")
    return float(np.corrcoef(a, b)[0, 1])


def write_report(
    folder: Path, assignment: Assignment, results: Sequence[Result], given: Sequence[Submission] = ()
) -> Path:
    """Write ``report.html``, two pictures and ``questions.csv`` into ``folder`` and return the page's path.

    Whoever has handed in nothing is named, and counts in no mean. With the submissions themselves, the page also
    lists those that are alike, and what they take from the engine.
    """
    everybody, results = results, without_missing(results)
    rows = statistics(assignment, results)
    folder.mkdir(parents=True, exist_ok=True)
    draw_scores(folder / "scores.png", assignment, results)
    draw_questions(folder / "questions.png", rows)
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(QuestionStatistics._fields)
    writer.writerows([*row[:3], *(f"{value:.4f}" for value in row[3:])] for row in rows)
    atomic_write(folder / "questions.csv", lines.getvalue())
    solutions = {one.student: one.cells for one in given if one.cells}
    pairs = similar(solutions, released(assignment))
    page = _page(folder, assignment, everybody, rows, pairs, solutions, borrowed(assignment, solutions))
    atomic_write(folder / "report.html", page)
    return folder / "report.html"


def draw_scores(path: Path, assignment: Assignment, results: Sequence[Result]) -> None:
    """Draw how many students have each score."""
    from minigrad.viz.style import BLUE, ORANGE, drawing

    scores = [result.score for result in results]
    most = max([assignment.points, *scores])
    step = max(1, assignment.points // 25)
    with drawing(7, 2.6, path) as figure:
        from matplotlib.ticker import MaxNLocator

        axes = figure.add_subplot()
        edges = [float(edge) for edge in np.arange(-0.5, most + step, step)]
        axes.hist(scores, bins=edges, color=BLUE, rwidth=0.85)
        axes.axvline(float(np.mean(scores)), color=ORANGE, linewidth=1.2)
        axes.annotate(
            f"mean {np.mean(scores):.1f}", (float(np.mean(scores)), 1.0), xycoords=("data", "axes fraction"),
            xytext=(4, 2), textcoords="offset points", color=ORANGE, fontsize=8,
        )  # fmt: skip
        axes.set(xlabel=f"points of {assignment.points}", ylabel="students", xlim=(-0.5, most + 0.5))
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(axis="y")


def draw_questions(path: Path, rows: Sequence[QuestionStatistics]) -> None:
    """Draw, question by question, the shares of students with all, some and none of the points."""
    from minigrad.viz.style import BLUE, GREY, ORANGE, PALE, drawing

    with drawing(7, 0.7 + 0.32 * len(rows), path) as figure:
        axes = figure.add_subplot()
        places = np.arange(len(rows))[::-1]
        full, none = np.array([(row.full, row.none) for row in rows]).T
        for left, width, color, label in (
            (0 * full, full, BLUE, "all points"),
            (full, 1 - full - none, PALE, "some"),
            (1 - none, none, ORANGE, "none"),
        ):
            axes.barh(places, 100 * width, left=100 * left, color=color, label=label, height=0.62)
        for place, row in zip(places, rows, strict=True):
            axes.text(
                101, float(place), f"{percent(row.mean)} on average", va="center", fontsize=7.5, color=GREY
            )
        axes.set_yticks(places, [row.title for row in rows])
        axes.set(xlim=(0, 100), xlabel="% of the students")
        axes.legend(
            ncols=3, frameon=False, loc="lower left", bbox_to_anchor=(0, 1), fontsize=8, borderaxespad=0
        )


def _page(
    folder: Path,
    assignment: Assignment,
    everybody: Sequence[Result],
    rows: Sequence[QuestionStatistics],
    pairs: Sequence[Pair],
    solutions: Mapping[str, Sequence[Cell]],
    uses: Sequence[Use],
) -> str:
    results = without_missing(everybody)
    scores = np.array([result.score for result in results])
    facts = f"mean {scores.mean():.1f}, median {np.median(scores):g}, of {assignment.points} points"
    questions = [
        [row.title, row.points, percent(row.mean), percent(row.full), percent(row.none),
         "" if np.isnan(row.discrimination) else f"{row.discrimination:.2f}"]
        for row in rows
    ]  # fmt: skip
    rates = passed(assignment, results)
    tests = [
        [question.title, test.name, "hidden" if test.hidden else "public", test.points, f"{100 * rate:.0f} %"]
        for question in assignment.questions
        for test in question.tests
        for rate in [rates[test.name]]
    ]
    return document(
        f"{assignment.title}: the class",
        tag("header", tag("h1", assignment.title), tag("p", f"{len(results)} students, {facts}")),
        _picture(folder / "scores.png", "how many students have each score"),
        _picture(folder / "questions.png", "shares of students with all, some and none of the points"),
        under(
            "Questions",
            table(["question", "points", "mean", "all", "none", "discrimination"], questions),
            note(
                "Discrimination is the correlation of a question's points with the points everywhere else. "
                "Near 0, or below, look at the question before you look at the students."
            ),
        ),
        under("Tests", table(["question", "test", "", "points", "passed"], tests)),
        _by_people(everybody),
        _alike(pairs, solutions) if solutions else None,
        _taken(uses) if solutions else None,
        _held(results),
        wide=True,
    )


def _by_people(results: Sequence[Result]) -> list[Markup]:
    """List what no test has decided: who is missing, what is still to be read, what people changed, who was late."""
    missing = [result for result in results if result.settled.missing]
    people = [result.settled.person for result in missing]
    names = ", ".join(
        person.shown if person and person.name else result.student
        for person, result in zip(people, missing, strict=True)
    )
    waiting = Counter(question for result in results for question in result.settled.waiting)
    parts = [under("Missing", tag("p", text(f"{len(missing)}: {names}")))] if missing else []
    if waiting:
        counts = ", ".join(f"{name}: {count}" for name, count in waiting.items())
        parts.append(under("Not graded yet", tag("p", text(counts))))
    changed = [
        [result.student, change.test or change.question, shown(change.before), shown(change.points), change.reason,
         change.by, change.when]
        for result in results
        for change in result.settled.changes
        if not change.graded
    ]  # fmt: skip
    if changed:
        head = ["student", "question", "before", "after", "reason", "by", "when"]
        parts.append(under("Changed by hand", table(head, changed)))
    late = [
        [result.student, each.handed_in, each.source, late_in_words(each), shown(result.settled.penalty),
         each.extension or each.note]
        for result in results
        if (each := result.settled.late) and (each.days or each.extension or each.note)
    ]  # fmt: skip
    if late:
        head = ["student", "handed in", "known from", "", "points off", "note"]
        parts.append(under("Late", table(head, late)))
    return parts


def _alike(pairs: Sequence[Pair], solutions: Mapping[str, Sequence[Cell]]) -> Markup:
    about = note(
        "Pairs of solutions that share pieces which few others have, names and comments left aside. "
        "Short answers are alike by nature, and friends explain things to each other: this is where to look, and "
        "proof of nothing."
    )
    if not pairs:
        return under("Alike", about, tag("p", "No two solutions share anything rare."))
    blocks = []
    for pair in pairs:
        sides = [
            tag("div", tag("b", text(student)), tag("pre", text(_code(solutions[student], pair.questions))))
            for student in (pair.one, pair.other)
        ]
        head = tag(
            "h2",
            text(f"{pair.one} and {pair.other}: {', '.join(pair.questions)}"),
            tag("b", f"{100 * pair.share:.0f} % of what is rare"),
        )
        blocks.append(folded(head, tag("div", sides, class_="sides")))
    return under("Alike", about, blocks)


def _taken(uses: Sequence[Use]) -> Markup:
    about = note(
        "Names of the engine that stand in a student's cells and in no cell of the assignment. Whoever "
        "calls the engine's own rule has written none; whoever tries his own against it has done well."
    )
    rows = [[use.student, use.question, use.what, use.line] for use in uses]
    found = table(["student", "cell", "what", "line"], rows) if rows else tag("p", "Nothing.")
    return under("Taken from the engine", about, found)


def _held(results: Sequence[Result]) -> Markup | None:
    """What was found to keep students' code in as they were graded, which need not have been here, nor all at once."""
    found: dict[tuple[tuple[str, bool], ...], int] = {}
    for result in results:
        if not result.trouble:  # of that, no code has run
            kind = tuple(result.held.items())
            found[kind] = found.get(kind, 0) + 1
    parts = []
    for kind, count in found.items():
        held = Holding.stored(dict(kind))
        of_all = "" if len(found) == 1 else f"{count} submission{'s' * (count > 1)}: "
        where = "On the machine that graded them" if len(found) > 1 else "On the machine that graded"
        what = " ".join(held.sentences(where)) if held else "What held as they were graded was not looked at."
        parts.append(tag("p", of_all, text(what)))
    return under("What kept students' code in", parts) if parts else None


def _code(cells: Sequence[Cell], questions: Sequence[str]) -> str:
    return "\n\n".join(cell.source for cell in cells if cell.name in questions)


def _picture(path: Path, alt: str) -> Markup:
    content = base64.b64encode(path.read_bytes()).decode()
    return tag("p", tag("img", alt=alt, src=f"data:image/png;base64,{content}"))
