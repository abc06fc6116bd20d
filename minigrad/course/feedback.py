"""What a student gets back: a page that teaches, and never shows a hidden test; Gradescope's results.json."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from minigrad.course.assignment import Assignment, Question, Test
from minigrad.course.late import late_in_words
from minigrad.course.pages import document, folded, text
from minigrad.course.results import Result
from minigrad.course.running import PASSED, UNGRADED, UNWRITTEN, WRONG, Outcome, Verdict, counted
from minigrad.course.tables import shown
from minigrad.course.texts import file_names
from minigrad.files import atomic_write, write_json
from minigrad.markup import Markup, fragment, tag

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
    messages: list[tuple[str, str]]


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
        yield Line(name, outcome, [] if outcome.passed else _messages(test, outcome, advise))


def _messages(test: Test, outcome: Outcome, advise: bool) -> list[tuple[str, str]]:
    if not test.hidden:
        return outcome.lines()
    advice = outcome.advice if advise else ""
    word = _HIDDEN_WORDS.get(outcome.kind, "" if advice else "The result is not right.")
    return [(label, message) for label, message in (("problem", word), ("advice", advice)) if message]


def page(assignment: Assignment, result: Result) -> str:
    """Return a student's feedback as one HTML page without scripts, which needs nothing beside it."""
    share = min(100, 100 * result.score / assignment.points)
    person = result.settled.person
    student = person.shown if person and person.name else result.student
    return document(
        f"{assignment.title}: {student}",
        tag(
            "header",
            tag("h1", assignment.title),
            tag("p", text(f"{student}, {result.file}")),
            tag("p", tag("b", shown(result.score)), f" of {assignment.points} points", class_="score"),
            _late(result),
            tag("div", tag("div", style=f"width:{share:.1f}%"), class_="bar"),
            tag("p", _summary(assignment, result)),
            _counts(result),
        ),
        tag("p", text(result.trouble), class_="trouble") if result.trouble else None,
        (tag("div", _problem(problem), class_="trouble") for problem in result.problems),
        (_section(question, result) for question in assignment.questions),
        _footer(result),
    )


def _late(result: Result) -> list[Markup]:
    late = result.settled.late
    if late is None:
        return []
    notes = [f"Due {late.deadline}", f"handed in {late.handed_in} ({late.source})" if late.source else ""]
    notes += [f"extended {late.extension}" if late.extension else "", late.note]
    parts = [tag("p", text("; ".join(filter(None, notes))))]
    if late.days:
        cost = f"{shown(result.settled.penalty)} points: {shown(result.final)} points count"
        parts.append(tag("p", f"{late_in_words(late)} of the {late.of}, {cost}."))
    return parts


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


def _counts(result: Result) -> Markup | None:
    """Say how many tests were answered wrongly, and how many not at all: marks, words and numbers."""
    counts = [
        tag("span", _mark(verdict), f" {count} {verdict.word}", class_=_CLASSES[verdict])
        for verdict, count in counted(result.outcomes)
    ]
    return tag("p", fragment(*counts, between=" "), class_="counts") if counts else None


def _mark(verdict: Verdict, title: str | None = None) -> Markup:
    return tag("span", verdict.mark, class_="mark", title=title)


def _problem(problem: dict[str, Any]) -> Markup:
    place = (
        fragment(f"line {problem['line']}: ", tag("code", text(problem["text"]))) if problem["line"] else None
    )
    left_out = (
        "It was left out, and the rest was graded without it."
        if problem["kind"] in ("died", "time", "memory")
        else ""
    )
    message = problem["message"][:1].upper() + problem["message"][1:]
    end = "," if place else "" if message.endswith((".", "?", "!")) else "."
    what = tag("b", text(f"Cell {problem['cell']} did not run to its end."))
    return tag("p", what, " ", text(message), end, " ", place, " ", left_out)


def _section(question: Question, result: Result) -> Markup:
    points = result.points_of(question)
    waits = question.name in result.settled.waiting
    got = "not graded yet" if waits else f"{shown(points)} / {question.points}"
    tests = tag(
        "ul",
        (_test(line) for line in lines(question, result)),
        (tag("li", text(change)) for change in by_people(question, result)),
    )
    head = tag("h2", question.title, tag("span", got))
    if points == question.points:
        return folded(head, tests, class_="complete")
    return tag("section", head, tests)


def by_people(question: Question, result: Result) -> list[str]:
    """Say what people have changed or given in one question; that a hidden test was changed, without its name."""
    hidden = {test.name for test in question.tests if test.hidden}
    changes = [change for change in result.settled.changes if change.question == question.name]
    return [
        change.in_words().replace(change.test, "a hidden test")
        if change.test in hidden
        else change.in_words()
        for change in changes
    ]


def _test(line: Line) -> Markup:
    outcome = line.outcome
    verdict = outcome.verdict
    head = tag(
        "p",
        _mark(verdict, verdict.word),
        f" {line.name}",
        None if outcome.passed else fragment(" ", tag("em", verdict.word)),
        tag("span", f"{outcome.score} / {outcome.points}"),
    )
    rows = [_row(label, message) for label, message in line.messages]
    return tag("li", head, tag("dl", rows) if rows else None, class_=_CLASSES[verdict])


def _row(label: str, message: str) -> Markup:
    shown = text(message)
    is_value = label in ("input", "expected", "got")
    return fragment(tag("dt", label), tag("dd", tag("pre", shown) if is_value else shown))


def _footer(result: Result) -> Markup:
    return tag(
        "footer",
        tag(
            "p",
            "A public test runs on your own machine too, and at once: ",
            tag("code", text(f"minigrad course check {result.file or 'FILE'}")),
            ". Hidden tests try other shapes, other numbers and your function inside the engine.",
        ),
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
            output = "\n".join(f"{label}: {message}" for label, message in line.messages)
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
                "output": change,
                "visibility": "visible",
            }
            for change in by_people(question, result)
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
