"""On Gradescope: the one submission that is there is graded, and its results.json written.

``run_autograder`` has put a result that says that the grader failed where this one's goes. It stays where this program
does not come to its end, in whatever way.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from minigrad.course.assignment import Assignment, load
from minigrad.course.cells import Cell
from minigrad.course.feedback import gradescope
from minigrad.course.gradescope import Plan
from minigrad.course.grading import Grader, Settings, grade_class
from minigrad.course.holding import holding
from minigrad.course.remote import Forks
from minigrad.course.results import Result
from minigrad.course.submissions import Submission, submission_of
from minigrad.course.texts import line, whole
from minigrad.errors import ConfigError, MinigradError
from minigrad.files import atomic_write


def main(root: Path) -> int:
    """Grade what lies in ``root/submission``; return 1 where it could not be graded.

    What is printed is for the instructor: students do not see it.
    """
    plan = Plan(**json.loads(root.joinpath("source", "plan.json").read_bytes()))
    about = metadata(root / "submission_metadata.json")
    one = load(root / "source" / plan.assignment)
    submission = submission_of(student(about), root / "submission", one.name)
    print(f"{submission.student}: {submission.file or submission.trouble}")
    result = graded(one, plan, submission, root)
    for note in [result.trouble, *result.notes]:
        if note:
            print(note)
    if result.key.get("failed"):
        return 1
    write(root / "results" / "results.json", content(one, result, about))
    return 0


def graded(one: Assignment, plan: Plan, submission: Submission, root: Path) -> Result:
    """Grade one submission, after a look at what students' code could do here; raises what ``look`` raises."""
    grader = Grader(one, Settings(plan.secret.encode("latin-1"), plan.seconds, plan.memory))
    with tempfile.TemporaryDirectory(prefix="minigrad-results-") as folder:
        if not submission.trouble:
            look(root, Path(folder))
        try:
            return grade_class(grader, [submission], Path(folder), jobs=1)[0]
        finally:
            grader.close()


def look(root: Path, results: Path) -> None:
    """Say what students' code can do on this machine; ConfigError MG-962 where it could read what lies in ``root``."""
    for sentence in holding(results).sentences():
        print(sentence)
    ours = [*root.joinpath("source").rglob("*"), *root.glob("results/*"), *root.glob("*.json")]
    found = readable(path for path in ours if path.is_file())
    if found:
        raise ConfigError(
            "MG-962",
            f"students' code could read {len(found)} files of the autograder here, such as {found[0]}: grade as root, "
            "as Gradescope does, or where Linux has Landlock.",
        )
    print("What lies in the autograder's own folders it cannot read.")


_PROBE = """
def readable(paths):
    found = []
    for path in paths:
        try:
            with open(path, "rb"):
                found.append(path)
        except OSError:
            pass
    return found
"""


def readable(paths: Iterable[Path]) -> list[str]:
    """Return those of these files that students' code can read here."""
    forks = Forks(seconds=20)
    try:
        with forks.session([Cell("code", _PROBE)], []) as student:
            found: list[str] = student.readable([str(path) for path in paths])
    finally:
        forks.close()
    return found


def metadata(path: Path) -> dict[str, Any]:
    """Read what Gradescope says about a submission; nothing where it says nothing that can be read."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        print(f"{path.name} cannot be read: {error}")
        return {}
    return found if isinstance(found, dict) else {}


def student(about: dict[str, Any]) -> str:
    """Return whose submission it is: the number of a user, or those of a group, in order; their inputs come of it."""
    users = about.get("users")
    users = [user for user in users if isinstance(user, dict)] if isinstance(users, list) else []
    names = [str(user.get("id") or user.get("email") or user.get("name") or "") for user in users]
    return line("-".join(sorted(name for name in names if name)), 200) or "student"


def late(about: dict[str, Any]) -> int:
    """Return by how many seconds a submission came after the day it was due; 0 where that is not known."""
    due = about.get("assignment")
    with suppress(KeyError, TypeError, ValueError):
        created, until = (datetime.fromisoformat(text) for text in (about["created_at"], due["due_date"]))  # type: ignore[index]
        return max(0, round((created - until).total_seconds()))
    return 0


def content(one: Assignment, result: Result, about: dict[str, Any]) -> dict[str, Any]:
    """Return results.json: the feedback's own; how late it was; what to hand in, where there was nothing to grade."""
    found = gradescope(one, result)
    if result.trouble:
        found["output"] = (
            f"{found['output']}\nHand in {one.name}.py, or {one.name}.ipynb: the file that you were given, "
            "with your work in it."
        )
    return found | {"extra_data": {"graded": not result.trouble, "late_seconds": late(about)}}


def write(path: Path, result: dict[str, Any]) -> None:
    """Write results.json; on a full disk into the room that the file there has."""
    text = _encoded(result)
    try:
        atomic_write(path, text)
    except MinigradError as error:
        print(error)
        room = path.stat().st_size
        if len(text) > room:  # what is written in part would be no JSON
            kept = [{**test, "output": ""} for test in result["tests"]]
            text = _encoded(result | {"tests": kept, "output": line(result["output"])})
        if len(text) > room:
            raise
        with open(path, "r+b") as file:
            file.write(text.ljust(room))


def _encoded(result: dict[str, Any]) -> bytes:
    return json.dumps(_plain(result), allow_nan=False).encode()


def _plain(value: Any) -> Any:
    """Take out of all texts what a database does not: NUL, and halves of characters."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return whole(value).replace("\0", "\\0") if isinstance(value, str) else value


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
