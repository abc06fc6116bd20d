"""What the commands have in common on the screen: headings, facts, scores, big numbers."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import typer
from rich.console import Console, ConsoleOptions, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from minigrad.escape import printable

_GLYPHS = {
    "0": ("█▀█", "█ █", "▀▀▀"),
    "1": ("▀█ ", " █ ", "▀▀▀"),
    "2": ("▀▀█", "█▀▀", "▀▀▀"),
    "3": ("▀▀█", " ▀█", "▀▀▀"),
    "4": ("█ █", "▀▀█", "  ▀"),
    "5": ("█▀▀", "▀▀█", "▀▀▀"),
    "6": ("█▀▀", "█▀█", "▀▀▀"),
    "7": ("▀▀█", "  █", "  ▀"),
    "8": ("█▀█", "█▀█", "▀▀▀"),
    "9": ("█▀█", "▀▀█", "▀▀▀"),
    ".": (" ", " ", "▀"),
    "%": ("▀ █", " █ ", "▀ ▀"),
    " ": (" ", " ", " "),
}


class Screen(Console):
    """A console that shows hidden characters, whoever wrote them, instead of obeying them."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Render without what a terminal would take for an order."""
        for segment in super().render(renderable, options):
            clean = segment.text if segment.control else printable(segment.text, keep="\n")
            yield segment if clean == segment.text else Segment(clean, segment.style)


def console(*, stderr: bool = False) -> Console:
    """Return a console on standard output, whatever that is now, or on standard error."""
    return Screen(highlight=False, stderr=stderr)


def plain(text: object) -> Text:
    """Return what comes from a file or a person for a place of one line: no markup, no order to the terminal."""
    return Text(printable(text))


def path(folder: Path) -> None:
    """Print a path alone, byte for byte, for another program to read."""
    typer.echo(os.fsencode(folder))


def facts(to: Console, rows: Mapping[str, object]) -> None:
    """Print names and what belongs to them, in two columns; nothing is cut."""
    width = max(map(len, rows))
    for name, value in rows.items():
        for number, line in enumerate(str(value).split("\n")):
            label = name if number == 0 else ""
            to.print(Text.assemble("  ", (f"{label:<{width}}", "dim"), "  ", line), soft_wrap=True)


def big(to: Console, number: str, meaning: str) -> None:
    """Print a number large, with what it means beside it; on one plain line where there is no terminal."""
    if not to.is_terminal:
        to.print(f"{number} {meaning}", soft_wrap=True)
        return
    for row in range(3):
        line = " ".join(_GLYPHS[character][row] for character in number)
        to.print(Text.assemble("  ", (line, "bold green"), f"   {meaning}" if row == 1 else ""))


def accuracy(to: Console, share: float) -> None:
    """Print an accuracy on the test set large."""
    big(to, f"{100 * share:.2f} %", "test accuracy")


def commands(to: Console, *lines: str) -> None:
    """Print commands to go on with, ready to copy."""
    for number, line in enumerate(lines):
        to.print(Text.assemble("  ", ("next  " if number == 0 else "      ", "dim"), line), soft_wrap=True)


def progress(to: Console) -> Progress:
    """Return a bar that counts things done and the time that is left; it is gone when it is done."""
    columns = (TextColumn("{task.description}", markup=False), BarColumn(bar_width=30), MofNCompleteColumn())
    return Progress(
        *columns, TimeRemainingColumn(compact=True), TextColumn("left"), console=to, transient=True
    )


def settings_in_words(settings: Mapping[str, Any], without: Collection[str] = ()) -> str:
    """Say how a run trains: ``60 epochs, batch 32, adam, rate 0.001`` and whatever else is set."""
    from minigrad.train.config import Config

    chosen = Config.from_dict(settings)
    batch = f"batch {chosen.batch_size}" if chosen.batch_size else "full batch"
    first = {"epochs": f"{chosen.epochs} epochs", "batch_size": batch, "optimizer": chosen.optimizer}
    first["lr"] = f"rate {chosen.lr:g}"
    words = [word for name, word in first.items() if name not in without]
    shown = {
        "recipe",
        "data",
        "epochs",
        "batch_size",
        "optimizer",
        "lr",
        "seed",
        "validation",
        "device",
        "start_from",
    }
    for name, value in chosen.to_dict().items():
        if name not in {*shown, *without} and value != getattr(Config, name):
            words.append(_setting(name, value))
    return ", ".join(words)


def _setting(name: str, value: Any) -> str:
    words = name.replace("_", " ")
    if name == "schedule":
        return f"{value} schedule"
    return words if value is True else f"{words} {value if isinstance(value, str) else f'{value:g}'}"


def table(*columns: str, right: bool = True) -> Table:
    """Return an empty table: a bold head, no lines, numbers to the right of a first column of names."""
    made = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    for number, name in enumerate(columns):
        made.add_column(name, justify="right" if right and number else "left", no_wrap=right)
    return made


def option(text: str, panel: str, *names: str, metavar: str | None = None) -> Any:
    """Return a command's option, in a panel of its help, without the default that only stands for "not given"."""
    return typer.Option(*names, help=text, rich_help_panel=panel, show_default=False, metavar=metavar)
