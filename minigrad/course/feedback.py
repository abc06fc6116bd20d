"""What a student gets back: a page that teaches, and never shows a hidden test; Gradescope's results.json."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

from minigrad.course.assignment import Assignment, Question, Test
from minigrad.course.grading import Result
from minigrad.course.running import Outcome
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
    share = 100 * result.score / result.points
    style = files("minigrad.course").joinpath("feedback.css").read_text(encoding="utf-8")
    title = f"{escape(assignment.title)}: {escape(result.student)}"
    parts = [
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>',
        f'<meta name="viewport" content="width=device-width"><style>{style}</style></head><body><main>',
        f"<header><h1>{escape(assignment.title)}</h1><p>{escape(result.student)}, {escape(result.file)}</p>",
        f'<p class="score"><b>{result.score}</b> of {result.points} points</p>',
        f'<div class="bar"><div style="width:{share:.1f}%"></div></div>',
        f"<p>{escape(_summary(assignment, result))}</p></header>",
    ]
    if result.trouble:
        parts.append(f'<p class="trouble">{escape(result.trouble)}</p>')
    parts += [f'<div class="trouble">{_problem(problem)}</div>' for problem in result.problems]
    parts += [_section(question, result) for question in assignment.questions]
    parts.append(_footer(result) + "</main></body></html>\n")
    return whole("".join(parts))


def _summary(assignment: Assignment, result: Result) -> str:
    lost = [question for question in assignment.questions if _points(question, result) < question.points]
    if not lost:
        return "Every test passed. Well done."
    if len(lost) == len(assignment.questions):
        return "The questions below show, one by one, what to look at."
    names = ", ".join(question.title for question in lost[:3]) + (" …" if len(lost) > 3 else "")
    count = f"{len(assignment.questions) - len(lost)} of {len(assignment.questions)} questions are complete"
    return f"{count}. Look at: {names}"


def _points(question: Question, result: Result) -> int:
    return result.of([test.name for test in question.tests])


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
    got, complete = _points(question, result), _points(question, result) == question.points
    tests = "".join(_test(line) for line in lines(question, result))
    head = f"<h2>{escape(question.title)}<span>{got} / {question.points}</span></h2>"
    if complete:
        return f'<details class="complete"><summary>{head}</summary><ul>{tests}</ul></details>'
    return f"<section>{head}<ul>{tests}</ul></section>"


def _test(line: Line) -> str:
    mark, word = ("✓", "passed") if line.outcome.passed else ("✗", "failed")
    points = f"{line.outcome.score} / {line.outcome.points}"
    head = f'<p><span class="mark" title="{word}">{mark}</span> {escape(line.name)}<span>{points}</span></p>'
    said = "".join(_row(label, text) for label, text in line.said)
    return f'<li class="{word}">{head}' + (f"<dl>{said}</dl>" if said else "") + "</li>"


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
    """Return the result in the form of Gradescope's results.json; hidden tests say no more than on the page."""
    tests = []
    for number, question in enumerate(assignment.questions, 1):
        for k, line in enumerate(lines(question, result), 1):
            output = "\n".join(f"{label}: {text}" for label, text in line.said)
            tests.append(
                {
                    "name": f"{question.title}: {line.name}",
                    "number": f"{number}.{k}",
                    "score": line.outcome.score,
                    "max_score": line.outcome.points,
                    "status": "passed" if line.outcome.passed else "failed",
                    "output": output,
                    "visibility": "visible",
                }
            )
    notes = [result.trouble, *(f"Cell {p['cell']}: {p['message']}" for p in result.problems)]
    return {
        "score": result.score,
        "output": "\n".join(note for note in notes if note),
        "stdout_visibility": "hidden",
        "tests": tests,
    }


def write_feedback(folder: Path, assignment: Assignment, result: Result, name: str = "") -> None:
    """Write ``feedback/NAME.html`` and ``gradescope/NAME/results.json`` into ``folder``, by default the student's."""
    name = name or file_names([result.student])[result.student]
    atomic_write(folder / "feedback" / f"{name}.html", page(assignment, result))
    write_json(folder / "gradescope" / name / "results.json", gradescope(assignment, result))
