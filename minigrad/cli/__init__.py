"""The command line: a thin face over ``minigrad.train`` and ``minigrad.bench``, without any maths of its own.

Exit codes: 0 all went well; 1 something is wrong with the data, a file or the training; 2 a wrong option or
setting; 130 interrupted with Ctrl-C; 143 terminated; 129 the terminal is gone. ``MINIGRAD_TRACEBACK=1`` shows where
an error came from.
Whatever takes long to import is imported inside the commands, so that ``minigrad --help`` is there at once.
"""

from __future__ import annotations

from typing import Annotated

import typer

from minigrad.cli.about import explain, info, recipes
from minigrad.cli.bench import bench
from minigrad.cli.compress import prune, quantize
from minigrad.cli.course import course
from minigrad.cli.export import export
from minigrad.cli.guard import Command, Guard, prepare_process
from minigrad.cli.launch import launch
from minigrad.cli.sample import sample
from minigrad.cli.search import search
from minigrad.cli.step import step
from minigrad.cli.training import train
from minigrad.cli.using import evaluate, predict

app = typer.Typer(
    name="minigrad",
    cls=Guard,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["--help", "-h"]},
    epilog="Start with: [bold]minigrad train[/bold]",
)
for command in (
    train, search, evaluate, predict, sample, prune, quantize, export, recipes, step, bench, explain, info,
):  # fmt: skip
    app.command(cls=Command)(command)
app.add_typer(course)
app.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})(launch)


def _show_version(wanted: bool) -> None:
    if wanted:
        from minigrad import __version__

        typer.echo(f"minigrad {__version__}")
        raise typer.Exit


@app.callback()
def _minigrad(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Train neural networks with an engine that you can read."""


def main() -> None:
    """Run the command line and exit with its code."""
    from minigrad.parallel.joining import ending_together

    prepare_process()
    with ending_together():
        app()
