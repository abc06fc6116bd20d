"""``minigrad step``: one training step, number by number, as a page or in the terminal."""

from __future__ import annotations

import ast
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from minigrad.claims import check_folder
from minigrad.cli import show
from minigrad.errors import ConfigError, DataError

if TYPE_CHECKING:
    from minigrad.viz.trace import Trace


def step(
    program: Annotated[
        str,
        typer.Argument(
            metavar="[EXAMPLE|FILE.py]",
            help="diamond, line, mlp or digits; or a program of yours, with a step() or as it is.",
        ),
    ] = "diamond",
    out: Annotated[
        Path | None, typer.Option(metavar="PAGE.html", help="Where to write the page.", show_default=False)
    ] = None,
    terminal: Annotated[bool, typer.Option("--terminal", help="Step in the terminal.")] = False,
) -> None:
    """Step through one training step, number by number, forwards and backwards."""
    page = out or Path(f"step-{Path(program).stem}.html")
    if out is not None or not terminal:
        check_folder(page.parent)
    trace = _recorded(program)
    if not trace.events:
        raise DataError(
            "MG-913",
            f"{program} did nothing that could be recorded: no operation ran on a tensor that requires a gradient. "
            "Give one requires_grad=True, or define step() to say what to record.",
        )
    to = show.console()
    if out is not None or not terminal:
        trace.save(page)
        to.print(f"{len(trace.events)} events of {trace.title} are in {page}", soft_wrap=True, markup=False)
        if not terminal and not _open(page):
            to.print(f"Open it in a browser: {page.resolve().as_uri()}", soft_wrap=True, markup=False)
    if terminal:
        from minigrad.viz.terminal import run

        run(trace, to)


def _recorded(program: str) -> Trace:
    from minigrad.viz import examples
    from minigrad.viz.recorder import record

    if program in examples.NAMES:
        made: Trace = record(examples.load(program)["step"], title=program)
        return made
    path = Path(program)
    if not path.is_file():
        raise ConfigError(
            "MG-912",
            f"{program!r} is neither a file nor an example; the examples are {', '.join(examples.NAMES)}.",
        )
    code = _compiled(path)
    sys.path.insert(0, str(path.resolve().parent))
    try:
        if _defines_step(code[0]):
            names: dict[str, Any] = {"__name__": path.stem, "__file__": str(path)}
            exec(code[1], names)
            made = record(names["step"], title=path.name)
        else:
            with record(title=path.name) as made:
                exec(code[1], {"__name__": "__main__", "__file__": str(path)})
        return made
    finally:
        sys.path.pop(0)


def _compiled(path: Path) -> tuple[ast.Module, Any]:
    try:
        tree = ast.parse(path.read_bytes(), str(path.resolve()))
        return tree, compile(tree, str(path.resolve()), "exec")
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        raise DataError(
            "MG-912", f"{path}{f' line {line}' if line else ''} is no Python program: {error}."
        ) from error


def _defines_step(tree: ast.Module) -> bool:
    return any(isinstance(part, ast.FunctionDef) and part.name == "step" for part in tree.body)


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
