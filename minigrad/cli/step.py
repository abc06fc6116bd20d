"""``minigrad step``: one training step, number by number, as a page or in the terminal."""

from __future__ import annotations

import ast
import os
import sys
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from minigrad.claims import check_folder
from minigrad.cli import show
from minigrad.errors import ConfigError, DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.table import Table

    from minigrad.viz.lessons.reading import Lesson
    from minigrad.viz.recording import Recording


def step(
    program: Annotated[
        str,
        typer.Argument(
            metavar="[EXAMPLE|FILE.py]",
            help="An example (--list shows them); or a program of yours, with a step() or as it is.",
        ),
    ] = "diamond",
    arguments: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[-- ARGUMENTS]", help="What your program finds in sys.argv.", show_default=False
        ),
    ] = None,
    at: Annotated[int, typer.Option(metavar="STEP", min=1, help="The step to begin with.")] = 1,
    steps: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=1, max=100, help="How many steps: 1, or an example's own.", show_default=False
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="PAGE.html", help="Where to write the page.", show_default=False)
    ] = None,
    terminal: Annotated[bool, typer.Option("--terminal", help="Step in the terminal.")] = False,
    listed: Annotated[bool, typer.Option("--list", help="Show the examples.")] = False,
    lesson: Annotated[
        str,
        typer.Option(
            metavar="NAME|FILE.toml",
            help="A page with challenges: one of minigrad's lessons, or yours. It says itself which step it opens.",
            show_default=False,
        ),
    ] = "",
) -> None:
    """Step through one training step, number by number, forwards and backwards.

    Of a program with a training loop the first step is recorded, up to the optimizer's update, and the program is
    stopped there. On the page every number can be changed, and the step gone on with.
    """
    if listed:
        show.console().print(_listing())
        return
    page = out or Path(f"{'lesson' if lesson else 'step'}-{Path(lesson or program).stem}.html")
    if out is not None or not terminal:
        check_folder(page.parent)
    recorded = _lesson(lesson) if lesson else None
    recorded = recorded or _example(program, at, steps) or _program(program, arguments or [], at, steps or 1)
    trace = recorded.trace
    to = show.console()
    if out is not None or not terminal:
        trace.save(page, **recorded.page)
        to.print(f"{len(trace.events)} events of {trace.title} are in {page}", soft_wrap=True, markup=False)
        for line in recorded.messages:
            to.print(line, soft_wrap=True, markup=False)
        if not terminal and not _open(page):
            to.print(f"Open it in a browser: {page.resolve().as_uri()}", soft_wrap=True, markup=False)
    if terminal:
        from minigrad.viz.terminal import run

        run(trace, to)
        for line in recorded.messages:
            to.print(line, soft_wrap=True, markup=False)


class _Recorded(NamedTuple):
    trace: Recording
    messages: tuple[str, ...] = ()
    """What was recorded of the program, in sentences."""
    page: dict[str, Any] = {}  # noqa: RUF012 (what its page shows beside the step; nothing writes into it)


def _lesson(name: str) -> _Recorded:
    from minigrad.viz.lessons.binding import on_page
    from minigrad.viz.lessons.reading import read

    lesson = read(name)
    trace = recorded(lesson)
    done = f"It has {len(lesson.challenges)} challenges; minigrad course lines reads what learners hand in."
    return _Recorded(trace, (done,), {"lesson": on_page(lesson)})


def recorded(lesson: Lesson) -> Recording:
    """Return the step that a lesson opens."""
    from minigrad.viz import examples, program

    if lesson.program is not None:
        return _program(str(lesson.program), [], lesson.at, 1).trace
    if lesson.example:
        found = _example(lesson.example, lesson.at, 1)
        if found is None:
            raise DataError(
                "MG-656",
                f"{lesson.where(None, 'example')}: there is no example {lesson.example!r}; there are "
                f"{', '.join(examples.NAMES)}.",
            )
        return found.trace
    try:
        names = examples.run(lesson.source, lesson.name, "<minigrad lesson>")
        step = names["step"]
    except Exception as error:  # the instructor's program may do anything
        what = f"{type(error).__name__}: {error}" if not isinstance(error, KeyError) else "it has no step()"
        raise DataError(
            "MG-656", f"{lesson.where(None, 'source')}: the program cannot be run: {what}."
        ) from error
    return program.call(step, lesson.title, at=lesson.at)


def _example(name: str, at: int, steps: int | None) -> _Recorded | None:
    from minigrad.viz import examples

    if name not in examples.NAMES:
        return None
    trace = examples.record(name, at=at, steps=steps)
    taken = len(trace.steps)
    return _Recorded(trace, (f"{_which(at, taken)} recorded.",) if at > 1 or taken > 1 else ())


def _listing() -> Table:
    """The examples, each with what it is and what there is to try."""
    from rich.table import Table
    from rich.text import Text

    from minigrad.viz import examples

    table = Table(box=None, padding=(0, 2, 1, 0), show_header=False)
    table.add_column(no_wrap=True)
    table.add_column()
    for name in examples.NAMES:
        what, hint = examples.about(examples.docstring(name))
        told = Text.assemble((examples.EXAMPLES[name].title, "bold"), f"\n{what}")
        if hint:
            told.append(f"\n{hint}", "italic")
        table.add_row(Text(name, "bold cyan"), told)
    table.caption = (
        "minigrad step NAME makes the page of one of them, minigrad step mine.py that of a program of yours."
    )
    table.caption_justify = "left"
    return table


def _program(file: str, arguments: list[str], at: int, steps: int) -> _Recorded:
    from minigrad.viz import examples, program

    path = Path(file)
    if not path.is_file():
        raise ConfigError(
            "MG-912",
            f"{file!r} is neither a file nor an example; the examples are {', '.join(examples.NAMES)}.",
        )
    tree, code = _compiled(path)
    given = _step_in(tree)
    calls_itself = given is None or bool(_unfit(given))
    name = "__main__" if calls_itself else path.stem
    with _Progress(path.name, at, steps) as progress, _own_traceback(path):
        run, names = program.run(
            code, path, name, at=at, steps=steps, arguments=arguments,
            inside="" if calls_itself else "step", progress=progress,
        )  # fmt: skip
        trace, taken = run.trace, run.taken
        if not calls_itself and not run.ended:
            if not callable(names.get("step")):
                raise ConfigError(
                    "MG-946", f"step() in {path.name} is gone when the program has run through."
                )
            trace = program.call(names["step"], path.name, at=at, steps=steps, progress=progress)
            taken = at + steps - 1
    if given is not None and calls_itself and trace.loss is None:
        raise ConfigError("MG-946", f"{_unfit(given)} {_OFFER.format(name=path.name)}")
    if not trace.events and taken < at and taken:
        raise ConfigError(
            "MG-947",
            f"{path.name} takes {taken} step{'s' if taken > 1 else ''} of training, so there is no step {at}. "
            f"Choose one up to {taken}, or let it run for longer.",
        )
    if not trace.events:
        raise DataError(
            "MG-913",
            f"{file} did nothing that could be recorded: no operation ran on a tensor that requires a gradient. "
            "Give one requires_grad=True, or define step() to say what to record.",
        )
    trace.about = _about(tree)
    return _Recorded(trace, tuple(_outcome(path.name, at, steps, taken, stopped=run.ended)))


def _outcome(name: str, at: int, steps: int, taken: int, *, stopped: bool) -> Iterator[str]:
    if stopped:
        yield f"{_which(at, steps)} of its training recorded; {name} was stopped there."
        if at == steps == 1:
            yield "--at STEP records a later one, --steps N records several."
    elif taken < at + steps - 1:
        yield f"{_which(at, taken - at + 1)} recorded: {name} takes no more than {taken}."
    elif at > 1 or steps > 1:
        yield f"{_which(at, steps)} recorded."


def _which(at: int, steps: int) -> str:
    return f"Steps {at} to {at + steps - 1}" if steps > 1 else f"Step {at}"


# -- reading the program ------------------------------------------------------------------------------------

_OFFER = (
    "minigrad step calls it without arguments. Give the parameters defaults, or call it in {name} with what it needs: "
    "the first call that trains is recorded."
)


def _compiled(path: Path) -> tuple[ast.Module, Any]:
    try:
        tree = ast.parse(path.read_bytes(), str(path.resolve()))
        return tree, compile(tree, str(path.resolve()), "exec")
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        raise DataError(
            "MG-912", f"{path}{f' line {line}' if line else ''} is no Python program: {error}."
        ) from error


def _step_in(tree: ast.Module) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return next(
        (part for part in reversed(tree.body) if isinstance(part, kinds) and part.name == "step"), None
    )


def _unfit(step: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """Say why a step() cannot be called just so; nothing where it can."""
    given = step.args
    needed = [*given.posonlyargs, *given.args]
    needed = needed[: len(needed) - len(given.defaults)]
    needed += [
        name for name, default in zip(given.kwonlyargs, given.kw_defaults, strict=True) if default is None
    ]
    if needed:
        names = [argument.arg for argument in needed]
        missing = f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
        return f"step({ast.unparse(given)}) in line {step.lineno} needs {missing}, but"
    if isinstance(step, ast.AsyncFunctionDef):
        return f"step() in line {step.lineno} is a coroutine, which runs only where it is awaited, and"
    if any(isinstance(part, ast.Yield | ast.YieldFrom) for part in ast.walk(step)):
        return f"step() in line {step.lineno} is a generator, which runs only where it is looped over, and"
    return ""


def _about(tree: ast.Module) -> str:
    """The first paragraph of what the program says about itself."""
    return (ast.get_docstring(tree) or "").split("\n\n")[0]


# -- while it runs ------------------------------------------------------------------------------------------


class _Progress:
    """One line on stderr that counts the steps, where that is a terminal; else a line at the start alone."""

    def __init__(self, name: str, at: int, steps: int) -> None:
        self.last = at + steps - 1
        self.announcement = f"running {name} up to step {self.last} of its training"
        self.shown = 0.0

    def __enter__(self) -> Callable[[int], None]:
        if self.last > 1 or sys.stderr.isatty():
            print(self.announcement, "…", file=sys.stderr, flush=True)
        return self._show

    def _show(self, step: int) -> None:
        if sys.stderr.isatty() and time.monotonic() - self.shown > 0.2 and step < self.last:
            self.shown = time.monotonic()
            print(f"\r\x1b[Kstep {step} of {self.last} …", end="", file=sys.stderr, flush=True)

    def __exit__(self, *_: object) -> None:
        if self.shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


class _own_traceback:
    """Shows what the program raises as Python would, without the frames of minigrad, and ends with exit code 1."""

    def __init__(self, path: Path) -> None:
        self.file = str(path.resolve())

    def __enter__(self) -> None: ...

    def __exit__(self, kind: Any, error: BaseException | None, _: Any) -> None:
        if not isinstance(error, Exception) or os.environ.get("MINIGRAD_TRACEBACK"):
            return
        shown = traceback.TracebackException.from_exception(error)
        if not any(frame.filename == self.file for frame in shown.stack):
            return
        part: traceback.TracebackException | None = shown
        while part is not None:
            part.stack = traceback.StackSummary.from_list([f for f in part.stack if not _is_ours(f.filename)])
            part = part.__cause__ or part.__context__
        print("".join(shown.format()), end="", file=sys.stderr)
        code = getattr(error, "code", "")
        if isinstance(code, str) and code.startswith("MG-"):
            print(f"To read more: minigrad explain {code}", file=sys.stderr)
        raise typer.Exit(1) from error


def _is_ours(file: str) -> bool:
    import minigrad

    return file.startswith(os.path.dirname(os.path.abspath(minigrad.__file__)) + os.sep)


def _open(page: Path) -> bool:
    """Open a page where there is a screen with a browser; tell whether that was so."""
    import webbrowser

    if sys.platform.startswith("linux") and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        return False  # a browser for the terminal is none that can step
    try:
        return webbrowser.open(page.resolve().as_uri())
    except webbrowser.Error:
        return False
