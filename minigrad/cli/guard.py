"""What stands between a command and the shell: errors without tracebacks, exit codes, signals, warnings."""

from __future__ import annotations

import os
import re
import shlex
import sys
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn, TextIO, get_args, get_type_hints

import typer
from rich.text import Text
from typer.core import TyperCommand, TyperGroup

from minigrad import stopping
from minigrad.claims import FULL, refused
from minigrad.cli import show
from minigrad.environment import MISUSED
from minigrad.errors import ConfigError, DeviceError, MinigradError, MinigradWarning
from minigrad.escape import printable
from minigrad.stopping import exit_code

WRONG = 1

_PLACE = re.compile(r" \(\S+\.py line \d+\)")
"""A line of the user's program; the command line has none."""


class Guard(TyperGroup):
    """The group of all commands: turns what they raise into a message on stderr and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            warnings.simplefilter("always", MinigradWarning)
            warnings.simplefilter("ignore", RuntimeWarning)  # NumPy's, of what MG-403 tells better
            try:
                with stopping.Raising():
                    return super().invoke(ctx)
            except KeyboardInterrupt as stop:
                _tell("\nInterrupted.", *getattr(stop, "__notes__", ()))
                raise typer.Exit(exit_code(stop)) from stop
            except BrokenPipeError:
                raise
            except (MinigradError, OSError, MemoryError) as error:
                if os.environ.get("MINIGRAD_TRACEBACK"):
                    raise
                _fail(error)


class Command(TyperCommand):
    """A command that does not take an empty path, as the shell makes of an unset variable, for the current folder."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the command line; ConfigError MG-802 where a path is empty."""
        given, _, _ = self.make_parser(ctx).parse_args(list(args))
        kinds = get_type_hints(self.callback)
        for param in self.params:
            kind = kinds.get(str(param.name))
            if given.get(str(param.name)) == "" and Path in (kind, *get_args(kind)):
                raise ConfigError(
                    "MG-802", f"{param.opts[0]} is an empty path. Name it, or write . for the current folder."
                )
        return super().parse_args(ctx, args)


def prepare_process() -> None:
    """Take signals, and let no terminal's encoding end a training."""
    stopping.watch()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def _fail(error: MinigradError | OSError | MemoryError) -> NoReturn:
    if isinstance(error, OSError) and error.errno in FULL:
        error = refused(error.filename or "what is printed", error)
    if not isinstance(error, MinigradError):
        what = (
            f"{error.filename}: {error.strerror}" if isinstance(error, OSError) and error.filename else error
        )
        _tell(f"error: {what}." if str(what) else "error: there is not enough memory for this.")
        raise typer.Exit(WRONG) from error
    from minigrad.explain import codes

    message = _PLACE.sub("", error.message)
    _tell(
        Text.assemble(("error: ", "bold red"), (error.code, "bold"), f" {message}"),
        *([f"To read more: minigrad explain {error.code}"] if error.code in codes() else []),
    )
    raise typer.Exit(MISUSED if isinstance(error, (ConfigError, DeviceError)) else WRONG) from error


def _tell(first: str | Text, *more: str) -> None:
    console = show.console(stderr=True)
    console.print(first, markup=False, soft_wrap=not console.is_terminal)
    for line in more:
        console.print(line, markup=False, soft_wrap=True, style="dim")


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Show minigrad's own warnings as a sentence; others as Python shows them."""
    if issubclass(category, MinigradWarning):
        _tell(Text.assemble(("warning: ", "bold yellow"), str(message)))
    else:
        sys.stderr.write(
            printable(warnings.formatwarning(message, category, filename, lineno, line), keep="\n")
        )


def resume_alone(what: str, names: Iterable[str]) -> None:
    """Raise ConfigError MG-803 where parameters, by their ``names`` in Python, are given beside ``--resume``."""
    written = {"recipe": "RECIPE", "run": "RUN", "start_from": "--from", "setting": "--set"}
    options = ", ".join(written.get(name, f"--{name.replace('_', '-')}") for name in names)
    if options:
        raise ConfigError(
            "MG-803",
            f"--resume goes on with a {what} as it was started, so {options} cannot change. "
            "Leave out either --resume or the rest.",
        )


@contextmanager
def resumable(command: str, begun: Path) -> Iterator[None]:
    """Add to an interruption how to go on, where the file ``begun`` says that there is something to go on with."""
    try:
        yield
    except KeyboardInterrupt as stop:
        if begun.exists():
            stop.add_note(f"Go on with: minigrad {command} --resume {shlex.quote(str(begun.parent))}")
        raise
