"""From the figures to what people look at: the table in the terminal, and the files of a results folder."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from minigrad.bench import chart, page, summary
from minigrad.bench.peers import OURS
from minigrad.bench.results import Results
from minigrad.bench.summary import Sheet
from minigrad.files import atomic_write, write_json

JSON, CHART, PAGE = "bench.json", "bench.png", "bench.md"
_ANY_WIDTH = 1000


def write(results: Results, folder: Path, command: str) -> None:
    """Write ``bench.json``, ``bench.png`` (where PyTorch was timed) and ``bench.md`` into ``folder``."""
    write_json(folder / JSON, results)
    drawn = chart.draw(results, folder / CHART)
    atomic_write(folder / PAGE, page.render(results, command, CHART if drawn else None))


def show(results: Results, to: Console) -> None:
    """Print the tables, what they say in sum, where minigrad loses, and what is missing."""
    for kind in summary.kinds(results):
        _title(to, f"{OURS[kind]} is so many times as fast as", "its own column and the limit: µs per step")
        _print_table(summary.ratios(results, kind), to)
    sheets = (
        ("What compiling costs", "and after how many steps it has paid", summary.compiling(results)),
        ("Steps a second", "of tiny networks", summary.rates(results)),
        ("Share of the limit's speed", "", summary.shares(results)),
    )
    for title, explained, sheet in sheets:
        if sheet.rows:
            _title(to, title, explained)
            _print_table(sheet, to)
    for kind in summary.kinds(results):
        to.print()
        for verdict in summary.verdicts(results, kind):
            to.print(Text.assemble("  ", (OURS[kind], "bold green"), f" is {verdict}"), soft_wrap=True)
        for each in summary.behind(results, kind):
            line = f"  slower than {each.peer} on {each.row.name}: {each.speed:.2f} of its speed"
            to.print(Text(line, "yellow"), soft_wrap=True)
    for line in summary.passed(results):
        to.print(Text(f"  faster than the limit, which is none there: {line}", "yellow"), soft_wrap=True)
    for name, reason in results["left_out"].items():
        to.print(Text(f"  left out: {name} ({reason})", "dim"), soft_wrap=True)
    for failure in summary.failures(results):
        to.print(Text(f"  not timed: {failure}", "red"), soft_wrap=True)


def _title(to: Console, title: str, explained: str) -> None:
    to.print()
    to.print(Text(title, "bold"), Text(f"({explained})" if explained else "", "dim"), soft_wrap=True)


def _print_table(sheet: Sheet, to: Console) -> None:
    """Print it as wide as it is: where the terminal is too narrow, lines wrap and no figure is cut."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column, name in enumerate(sheet.head):
        table.add_column(name, justify="right" if column else "left", no_wrap=True)
    for row in sheet.rows:
        table.add_row(*map(_coloured, row))
    before = to.width
    to.width = max(before, Measurement.get(to, to.options.update(max_width=_ANY_WIDTH), table).maximum)
    to.print(table, crop=False)
    to.width = before


def _coloured(cell: str) -> Text:
    if not cell.endswith("×"):
        return Text(cell)
    return Text(cell, "green" if float(cell[:-1].replace(",", "")) >= 1 else "yellow")
