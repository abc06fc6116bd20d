"""``minigrad course lines``: what learners have solved on live pages, read from their lines and run again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from minigrad.claims import check_folder
from minigrad.cli import show

if TYPE_CHECKING:
    from minigrad.viz.lessons.binding import Bound


def lines(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE", help="Texts with learners' lines in them; what stands around does not matter."
        ),
    ],
    lesson: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE.toml",
            help="A lesson of yours that the lines may be of; may be repeated. Minigrad's own are known.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="LINES.csv", help="Write them as a table too.", show_default=False)
    ] = None,
) -> None:
    """Verify what learners have solved on a lesson's page; exit code 1 where a line does not hold.

    Each line has the changes that solved a challenge. They are made again here, on the lesson's step, and the
    condition is worked out anew. A line is no proof of who made it.
    """
    from minigrad.course.cells import decoded, read_bytes
    from minigrad.course.tables import write_table
    from minigrad.viz.lessons.lines import Solved, Verdict, read_lines, verify

    if out is not None:
        check_folder(out.parent)
    known = _Lessons(lesson or [])
    to = show.console()
    found: list[tuple[Solved, Verdict]] = []
    for path in files:
        for solved in read_lines(decoded(read_bytes(path))):
            bound = None if solved.fault else known.of(solved.lesson)
            if bound is not None:
                verdict = verify(solved, bound)
            else:
                unknown = f"there is no lesson {solved.lesson} here; name its file: --lesson FILE.toml"
                verdict = Verdict(False, solved.fault or unknown)
            found.append((solved, verdict))
            mark = ("✓", "green") if verdict.holds else ("✗", "bold red")
            parts = (solved.who or "nobody", f"{solved.lesson or '?'}/{solved.challenge or '?'}", verdict.why)
            to.print(Text("  ").join([Text(*mark), *map(show.plain, filter(None, parts))]), soft_wrap=True)
    held = sum(verdict.holds for _, verdict in found)
    to.print(Text(f"{held} of {len(found)} lines hold", style="bold green" if held == len(found) else "bold"))
    if out is not None:
        rows = [(s.who, s.lesson, s.challenge, "yes" if v.holds else "no", v.why) for s, v in found]
        write_table(out, ("name", "lesson", "challenge", "solved", "why"), rows)
        to.print(f"{out} is there.", markup=False, soft_wrap=True)
    if held < len(found):
        raise typer.Exit(1)


class _Lessons:
    """The lessons that lines may be of, each recorded once."""

    def __init__(self, own: list[str]) -> None:
        from minigrad.viz.lessons.reading import names, read

        self._lessons = {name: read(name) for name in names()} | {each.name: each for each in map(read, own)}
        self._bound: dict[str, Bound] = {}

    def of(self, name: str) -> Bound | None:
        from minigrad.cli.step import recorded
        from minigrad.viz import page_live
        from minigrad.viz.lessons.binding import bind

        if name not in self._lessons:
            return None
        if name not in self._bound:
            trace = recorded(self._lessons[name])
            self._bound[name] = bind(self._lessons[name], trace, *page_live.page(trace))
        return self._bound[name]
