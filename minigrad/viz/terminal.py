"""The stepper in a terminal: the line, the tensors and the formula of one event at a time."""

from __future__ import annotations

import os
import sys
from typing import Any

from rich.console import Console, Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from minigrad.escape import printable
from minigrad.viz.explain import explain
from minigrad.viz.page_arrays import brief, shape_text
from minigrad.viz.page_data import PHASES, entries, notes, rule, title, where
from minigrad.viz.page_graph import NOT_YET, timelines
from minigrad.viz.page_groups import parts
from minigrad.viz.trace import Backward, Event, Host, Trace

_COLOURS = {"forward": "green", "backward": "magenta", "update": "white"}
_AROUND = 3
_NEXT, _BACK = ("n", " ", "\r", "\n", "\x1b[C", "\x1b[B"), ("b", "p", "\x1b[D", "\x1b[A")
_FIRST, _LAST = ("g", "\x1b[H", "\x1b[1~"), ("G", "\x1b[F", "\x1b[4~")


def run(trace: Trace, console: Console) -> None:
    """Step through a trace with n, b, q, arrows, Home and End; where nobody can press keys, print all events."""
    if not (console.is_terminal and sys.stdin.isatty()):
        print_all(trace, console)
        return
    position, last = 0, len(trace.events) - 1
    with console.screen(hide_cursor=True) as screen:
        while True:
            screen.update(frame(trace, position))
            key = _key()
            if key in _NEXT:
                position = min(position + 1, last)
            elif key in _BACK:
                position = max(position - 1, 0)
            elif key in _FIRST:
                position = 0
            elif key in _LAST:
                position = last
            elif key in ("q", "Q", "\x1b", "\x03", "\x04", ""):
                return


def print_all(trace: Trace, console: Console) -> None:
    """Print every event with its formula, one below the other, without cutting a line."""
    for event in trace.events:
        console.print(
            Text.assemble("\n", _heading(trace, event), "  ", (where(trace, event), "dim")), soft_wrap=True
        )
        for line in _formula(trace, event):
            console.print(Text("  ").append_text(line), soft_wrap=True)


def frame(trace: Trace, position: int) -> Group:
    """Return everything about one event: program, tensors as they stand after it, formula."""
    event = trace.events[position]
    colour = _COLOURS[PHASES[event.kind]]
    parts: list[Any] = []
    if event.line is not None:
        parts.append(
            Panel(
                _program(trace, event, colour),
                title=Text(where(trace, event)),
                title_align="left",
                border_style="dim",
            )
        )
    parts.append(_tensors(trace, event, colour))
    text = Text("\n").join([_heading(trace, event), *_formula(trace, event)])
    parts.append(Panel(text, title="formula", title_align="left", border_style=colour))
    several = f"   step {_step(trace, event) + 1} of {len(trace.steps)}" if len(trace.steps) > 1 else ""
    keys = (
        f" {position + 1} of {len(trace.events)}{several}   n/→ next   b/← back   g first   G last   q quit"
    )
    return Group(*parts, Text(keys, style="dim"))


def _heading(trace: Trace, event: Event) -> Text:
    added = isinstance(event, Backward) and not event.first
    return Text.assemble(
        (f"{event.index + 1:>3} {event.kind}", f"bold {_COLOURS[PHASES[event.kind]]}"),
        (" + added" if added else "", "bold"),
        "  ",
        (title(trace, event), "bold"),
    )


def _formula(trace: Trace, event: Event) -> list[Text]:
    lines = [Text(rule(trace, event), style="dim")]
    for place in entries(trace, event)[:1]:
        explanation = explain(trace, event, place)
        numbers = explanation.numbers.split("\n")
        for symbols, below in zip(explanation.symbols.split("\n"), numbers, strict=True):
            lines += [Text(symbols), Text(below, style="bold")]
    return [*lines, *(Text(note, style="italic") for note in notes(trace, event))]


def _program(trace: Trace, event: Event, colour: str) -> Text:
    assert event.line is not None
    lines, at = trace.source.get(event.line.file, []), event.line.number
    shown = Text()
    for number in range(max(1, at - _AROUND), min(len(lines), at + _AROUND) + 1):
        mark, style = ("▶", f"bold {colour}") if number == at else (" ", "")
        shown.append(f"{mark} {number:>3}  {lines[number - 1].rstrip()}\n", style=style)
    shown.rstrip()
    return shown


def _tensors(trace: Trace, event: Event, colour: str) -> Table:
    values, gradients = timelines(trace)
    target = event.input if isinstance(event, Backward) else event.node
    table = Table(box=None, padding=(0, 2), header_style="dim", expand=False)
    for name in ("", "tensor", "shape", "value", "gradient"):
        table.add_column(name, no_wrap=True, overflow="ellipsis")
    part = parts(trace)[_step(trace, event)]
    for node in trace.nodes:
        if node.index not in {target, *part.made, *part.taken}:
            continue
        known = gradients.get(node.index)
        table.add_row(
            "▶" if node.index == target else "",
            Text(printable(node.name)),
            Text(shape_text(node.shape)),
            _cell(values[node.index], event.index),
            Text("none", style="dim") if known is None else _cell(known, event.index),
            style=f"bold {colour}" if node.index == target else "",
        )
    return table


def _step(trace: Trace, event: Event) -> int:
    return next(k for k, events in enumerate(trace.steps) if event.index in events)


def _cell(line: list[tuple[int, Host]], now: int) -> Text:
    known = [array for k, array in line if k <= now]
    return Text(brief(known[-1], 24)) if known else Text(NOT_YET, style="dim italic")


def _key() -> str:
    """Return the next key, an arrow as its escape sequence; where keys cannot be read singly, a typed line."""
    try:
        import termios
        import tty
    except ImportError:
        return (input() or "n")[:1]
    stream = sys.stdin.fileno()
    before = termios.tcgetattr(stream)
    try:
        tty.setcbreak(stream)
        return os.read(stream, 8).decode(errors="replace")
    finally:
        termios.tcsetattr(stream, termios.TCSADRAIN, before)
