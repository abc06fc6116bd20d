"""What a student gets back: a page that teaches, and never shows a hidden test; Gradescope's results.json."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

from minigrad.course.assignment import Assignment, Question, Test
from minigrad.course.grading import Result
from minigrad.course.late import late_in_words
from minigrad.course.running import PASSED, UNGRADED, UNWRITTEN, WRONG, Outcome, counted
from minigrad.course.tables import shown
from minigrad.course.texts import file_names, whole
from minigrad.files import atomic_write, write_json

_HIDDEN_WORDS = {  # of what went wrong in a hidden test: nothing that the student's code could have put there
    "missing": "A function that this test needs is not in your file, or its cell failed.",
    "unwritten": "Not written yet.",
    "syntax": "Python cannot read your cell.",
    "raised": "Your code raised an error.",
    "memory": "Your code ran out of memory.",
    "unplain": "Your code returned something that is neither numbers nor arrays.",
    "died": "Your code ended its process.",
    "time": "Your code ran for too long.",
    "trouble": "There was nothing to grade.",
}


_CLASSES = {PASSED: "passed", WRONG: "failed", UNGRADED: "ungraded", UNWRITTEN: "unwritten"}


class Line(NamedTuple):
    """One test as a student may see it: its name, and what there is to say as pairs of a label and a text."""

    name: str
    outcome: Outcome
    said: list[tuple[str, str]]


def lines(question: Question, result: Result) -> Iterator[Line]:
    """Give a question's tests as the student may see them: of a hidden one, its advice and the kind of failure.

    A hidden test's advice is about what it tries beyond the public ones, so it is given where these pass.
    """
    outcomes = {outcome.test: outcome for outcome in result.outcomes}
    advise = all(outcomes[test.name].passed for test in question.tests if not test.hidden)
    hidden = 0
    for test in question.tests:
        outcome = outcomes[test.name]
        hidden += test.hidden
        name = f"hidden test {hidden}" if test.hidden else test.name.replace("-", " ")
        yield Line(name, outcome, [] if outcome.passed else _said(test, outcome, advise))


def _said(test: Test, outcome: Outcome, advise: bool) -> list[tuple[str, str]]:
    if not test.hidden:
        return outcome.lines()
    advice = outcome.advice if advise else ""
    word = _HIDDEN_WORDS.get(outcome.kind, "" if advice else "The result is not right.")
    return [(label, text) for label, text in (("problem", word), ("advice", advice)) if text]


def page(assignment: Assignment, result: Result) -> str:
    """Return a student's feedback as one HTML page without scripts, which needs nothing beside it."""
    share = min(100, 100 * result.score / assignment.points)
    style = files("minigrad.course").joinpath("feedback.css").read_text(encoding="utf-8")
    person = result.settled.person
    student = person.shown if person and person.name else result.student
    title = f"{escape(assignment.title)}: {escape(student)}"
    parts = [
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>',
        f'<meta name="viewport" content="width=device-width"><style>{style}</style></head><body><main>',
        f"<header><h1>{escape(assignment.title)}</h1><p>{escape(student)}, {escape(result.file)}</p>",
        f'<p class="score"><b>{shown(result.score)}</b> of {assignment.points} points</p>{_late(result)}',
        f'<div class="bar"><div style="width:{share:.1f}%"></div></div>',
        f"<p>{escape(_summary(assignment, result))}</p>{_counts(result)}</header>",
    ]
    if result.trouble:
        parts.append(f'<p class="trouble">{escape(result.trouble)}</p>')
    parts += [f'<div class="trouble">{_problem(problem)}</div>' for problem in result.problems]
    parts += [_section(question, result) for question in assignment.questions]
    parts.append(_footer(result) + "</main></body></html>\n")
    return whole("".join(parts))


def _late(result: Result) -> str:
    late = result.settled.late
    if late is None:
        return ""
    said = [f"Due {late.deadline}", f"handed in {late.handed_in} ({late.source})" if late.source else ""]
    said += [f"extended {late.extension}" if late.extension else "", late.note]
    parts = [f"<p>{escape('; '.join(part for part in said if part))}</p>"]
    if late.days:
        cost = f"{shown(result.settled.penalty)} points: {shown(result.final)} points count"
        parts.append(f"<p>{escape(late_in_words(late))} of the {late.of}, {cost}.</p>")
    return "".join(parts)


def _summary(assignment: Assignment, result: Result) -> str:
    waiting = result.settled.waiting
    lost = [
        question
        for question in assignment.questions
        if result.points_of(question) < question.points
        and not question.is_bonus
        and question.name not in waiting
    ]
    if not lost and waiting:
        return "Every test passed. Your answers in words are still to be read."
    if not lost:
        return "Every test passed. Well done."
    if len(lost) == len(assignment.questions):
        return "The questions below show, one by one, what to look at."
    names = ", ".join(question.title for question in lost[:3]) + (" …" if len(lost) > 3 else "")
    count = f"{len(assignment.questions) - len(lost)} of {len(assignment.questions)} questions are complete"
    return f"{count}. Look at: {names}"


def _counts(result: Result) -> str:
    """Say how many tests were answered wrongly, and how many not at all: marks, words and numbers."""
    counts = "".join(
        f'<span class="{_CLASSES[verdict]}"><span class="mark">{verdict.mark}</span> {count} {verdict.word}</span> '
        for verdict, count in counted(result.outcomes)
    )
    return f'<p class="counts">{counts}</p>' if counts else ""


def _problem(problem: dict[str, Any]) -> str:
    place = f"line {problem['line']}: <code>{escape(problem['text'])}</code>" if problem["line"] else ""
    left_out = (
        "It was left out, and the rest was graded without it."
        if problem["kind"] in ("died", "time", "memory")
        else ""
    )
    message = problem["message"][:1].upper() + problem["message"][1:]
    end = "," if place else "" if message.endswith((".", "?", "!")) else "."
    what = f"<b>Cell {escape(problem['cell'])} did not run to its end.</b> {escape(message)}{end}"
    return f"<p>{what} {place} {left_out}</p>"


def _section(question: Question, result: Result) -> str:
    points = result.points_of(question)
    waits = question.name in result.settled.waiting
    complete = points == question.points
    got = "not graded yet" if waits else f"{shown(points)} / {question.points}"
    tests = "".join(_test(line) for line in lines(question, result))
    tests += "".join(f"<li>{escape(said)}</li>" for said in by_people(question, result))
    head = f"<h2>{escape(question.title)}<span>{got}</span></h2>"
    if complete:
        return f'<details class="complete"><summary>{head}</summary><ul>{tests}</ul></details>'
    return f"<section>{head}<ul>{tests}</ul></section>"


def by_people(question: Question, result: Result) -> list[str]:
    """Say what people have changed or given in one question; that a hidden test was changed, without its name."""
    hidden = {test.name for test in question.tests if test.hidden}
    changes = [change for change in result.settled.changes if change.question == question.name]
    return [
        change.said().replace(change.test, "a hidden test") if change.test in hidden else change.said()
        for change in changes
    ]


def _test(line: Line) -> str:
    verdict = line.outcome.verdict
    points = f"{line.outcome.score} / {line.outcome.points}"
    word = "" if line.outcome.passed else f" <em>{verdict.word}</em>"
    head = f'<p><span class="mark" title="{verdict.word}">{verdict.mark}</span> {escape(line.name)}{word}'
    head += f"<span>{points}</span></p>"
    said = "".join(_row(label, text) for label, text in line.said)
    return f'<li class="{_CLASSES[verdict]}">{head}' + (f"<dl>{said}</dl>" if said else "") + "</li>"


def _row(label: str, text: str) -> str:
    shown = f"<pre>{escape(text)}</pre>" if label in ("input", "expected", "got") else escape(text)
    return f"<dt>{label}</dt><dd>{shown}</dd>"


def _footer(result: Result) -> str:
    return (
        "<footer><p>A public test runs on your own machine too, and at once: "
        f"<code>minigrad course check {escape(result.file or 'FILE')}</code>. Hidden tests try other shapes, "
        "other numbers and your function inside the engine.</p></footer>"
    )


def gradescope(assignment: Assignment, result: Result) -> dict[str, Any]:
    """Return the result in the form of Gradescope's results.json; hidden tests say no more than on the page.

    They are shown when grades are published, and until then Gradescope shows no total either: an upload tells nothing
    of them. (Its visibility "hidden" would be wrong: it is for tests without points, and leaves the total visible.)
    """
    tests: list[dict[str, Any]] = []
    for number, question in enumerate(assignment.questions, 1):
        for k, (test, line) in enumerate(zip(question.tests, lines(question, result), strict=True), 1):
            verdict = line.outcome.verdict
            output = "\n".join(f"{label}: {text}" for label, text in line.said)
            if not line.outcome.passed:
                output = f"{verdict.mark} {verdict.word}\n{output}"
            tests.append(
                {
                    "name": f"{question.title}: {line.name}",
                    "number": f"{number}.{k}",
                    "score": line.outcome.score,
                    "max_score": line.outcome.points,
                    "status": "passed" if line.outcome.passed else "failed",
                    "output": output,
                    "visibility": "after_published" if test.hidden else "visible",
                }
            )
        tests += [
            {
                "name": f"{question.title}: points by hand",
                "number": f"{number}.0",
                "output": said,
                "visibility": "visible",
            }
            for said in by_people(question, result)
        ]
        if question.name in result.settled.waiting:
            waits = {
                "name": question.title,
                "number": f"{number}.0",
                "output": "Not graded yet.",
                "visibility": "visible",
            }
            tests.append(waits)
    late = result.settled.late
    counts = ", ".join(f"{count} {verdict.word}" for verdict, count in counted(result.outcomes))
    notes = [
        counts and f"Of {len(result.outcomes)} tests: {counts}.",
        result.trouble,
        late_in_words(late) if late else "",
        *(f"Cell {p['cell']}: {p['message']}" for p in result.problems),
    ]
    return {
        "score": result.final,
        "output": "\n".join(note for note in notes if note),
        "stdout_visibility": "hidden",
        "tests": tests,
    }


def write_feedback(folder: Path, assignment: Assignment, result: Result, name: str = "") -> None:
    """Write ``feedback/NAME.html`` and ``gradescope/NAME/results.json`` into ``folder``, by default the student's."""
    name = name or file_names([result.student])[result.student]
    atomic_write(folder / "feedback" / f"{name}.html", page(assignment, result))
    write_json(folder / "gradescope" / name / "results.json", gradescope(assignment, result))
