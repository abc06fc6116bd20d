"""What a person sees while a search goes on: a line for each trial, and in a terminal a bar below them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

from minigrad.train.progress import Mode
from minigrad.train.search.plan import Plan
from minigrad.train.search.study import Asked, Trial


def in_words(point: dict[str, Any]) -> str:
    """Return a point as a person would write it: ``lr 0.0123, hidden 64``."""
    return ", ".join(
        f"{name.replace('_', ' ')} {f'{value:.4g}' if isinstance(value, float) else value}"
        for name, value in point.items()
    )


class SearchProgress:
    """Shows each trial when it ends, and which are under way; the modes are those of ``ShowProgress``."""

    def __init__(self, mode: Mode = "auto", console: Console | None = None) -> None:
        self.console = console or Console()
        self.mode = ("live" if self.console.is_terminal else "plain") if mode == "auto" else mode
        self.best: Trial | None = None
        self.bar: Progress | None = None
        self.under_way: dict[int, TaskID] = {}

    @contextmanager
    def showing(self, plan: Plan, before: Sequence[Trial]) -> Iterator[None]:
        """Show the head of the table and the bar; take the bar away at the end, also when interrupted."""
        self.epochs, self.headed = plan.config.epochs, False
        for trial in before:
            self._compare(trial)
        if before and self.mode != "quiet":
            self.console.print(f"Going on after {len(before)} trials.", style="dim", highlight=False)
        if self.mode == "live":
            self.bar = Progress(
                TextColumn("[bold]{task.description}"),
                BarColumn(bar_width=30),
                TextColumn("{task.fields[note]}", markup=False),
                TimeRemainingColumn(compact=True),
                console=self.console,
                transient=True,
            )
            self.whole = self.bar.add_task(
                "all trials", total=plan.count(), completed=len(before), note=self._note()
            )
            self.bar.start()
        try:
            yield
        finally:
            if self.bar is not None:
                self.bar.stop()
                self.bar = None

    def _note(self) -> str:
        return "" if self.best is None else f"best {self.best.outcome.loss:.4f} in trial {self.best.number}"

    def _compare(self, trial: Trial) -> bool:
        """Keep the best; tell whether it is this one."""
        if trial.outcome.state != "complete":
            return False
        held = self.best
        if held is None or (trial.outcome.loss, trial.number) < (held.outcome.loss, held.number):
            self.best = trial
        return self.best is trial

    def begun(self, asked: Asked) -> None:
        """Give a trial a bar."""
        if self.bar is not None:
            self.under_way[asked.number] = self.bar.add_task(
                f"trial {asked.number}", total=asked.config.epochs, note=in_words(asked.point)
            )

    def reported(self, asked: Asked, epoch: int, loss: float) -> None:
        """Move its bar."""
        if self.bar is not None:
            self.bar.update(self.under_way[asked.number], completed=epoch)

    def ended(self, trial: Trial) -> None:
        """Print its line and take its bar away."""
        is_best = self._compare(trial)
        if self.bar is not None:
            self.bar.remove_task(self.under_way.pop(trial.number))
            self.bar.update(self.whole, advance=1, note=self._note())
        if self.mode != "quiet":
            self._line(trial, is_best)

    def _line(self, trial: Trial, is_best: bool) -> None:
        outcome = trial.outcome
        columns = {
            "trial": f"{trial.number:>5}",
            "val loss": f"{'—':>9}" if outcome.loss is None else f"{outcome.loss:>9.4f}",
            "epochs": f"{outcome.epochs:>6}",
            "time": f"{outcome.seconds:>6.1f}s",
        }
        if not self.headed:
            self.headed = True
            self.console.print(
                "  ".join(f"{name:>{len(text)}}" for name, text in columns.items()),
                style="bold",
                highlight=False,
            )
        notes = {
            "complete": "  ← best so far" if is_best else "",
            "pruned": "  pruned",
            "diverged": "  diverged",
        }
        line = Text(f"{'  '.join(columns.values())}  {in_words(trial.point)}{notes[outcome.state]}")
        line.stylize("green" if is_best else "" if outcome.state == "complete" else "dim")
        self.console.print(line, soft_wrap=True, highlight=False)
