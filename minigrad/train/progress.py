"""What a person sees while a network trains: a live bar in a terminal, plain lines in a log, or nothing."""

from __future__ import annotations

import math
import time
from typing import Any, Literal

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from minigrad.train.callbacks import Callback
from minigrad.train.training import Training

Mode = Literal["auto", "live", "plain", "quiet"]
ROWS = 20
"""At most about so many epochs get a line of their own; the others pass in the bar."""
_REFRESH = 0.1  # seconds


class ShowProgress(Callback):
    """Shows epoch, loss, validation loss and accuracy, learning rate and time.

    ``live`` draws a bar with the time left below the lines, ``plain`` prints the lines alone, ``quiet`` prints
    nothing; ``auto`` is live in a terminal and plain elsewhere.
    """

    def __init__(self, mode: Mode = "auto", console: Console | None = None) -> None:
        self.console = console or Console()
        self.mode = ("live" if self.console.is_terminal else "plain") if mode == "auto" else mode
        self.bar: Progress | None = None

    def on_train_begin(self, trainer: Training) -> None:
        """Print the head of the table and start the bar."""
        if self.mode == "quiet":
            return
        self.drawn = time.monotonic()
        self.every = -(-trainer.epochs // ROWS)
        self.headed = False
        if trainer.epoch:
            self.console.print(f"Going on after epoch {trainer.epoch}.", style="dim", highlight=False)
        if self.mode == "live":
            self.bar = Progress(
                TextColumn("[bold]epoch {task.fields[epoch]}/{task.fields[epochs]}"),
                BarColumn(bar_width=30),
                TextColumn("loss {task.fields[loss]}"),
                TimeRemainingColumn(compact=True),
                TextColumn("left"),
                console=self.console,
                transient=True,
            )
            self.task = self.bar.add_task(
                "", total=trainer.epochs, completed=trainer.epoch, epoch=trainer.epoch + 1, epochs=trainer.epochs,
                loss="…",
            )  # fmt: skip
            self.bar.start()

    def on_epoch_begin(self, trainer: Training) -> None:
        """Remember where the epoch starts, since epochs may differ in length."""
        self.first = trainer.step

    def on_step_end(self, trainer: Training) -> None:
        """Move the bar, ten times a second at most."""
        if self.bar is None:
            return
        now = time.monotonic()
        if now - self.drawn < _REFRESH:
            return
        self.drawn = now
        part = (trainer.step - self.first) * trainer.accumulate / len(trainer.loader)
        self.bar.update(
            self.task,
            completed=trainer.epoch + min(part, 1.0),
            epoch=trainer.epoch + 1,
            loss=_loss(trainer.last_loss).strip(),
        )

    def needs_gradients(self, trainer: Training) -> bool:
        """Never."""
        return False

    def looks_at(self, trainer: Training) -> float:
        """Never: the loss is handed on, and a stretch of updates is shorter than the bar stays as it is."""
        return math.inf

    def on_epoch_end(self, trainer: Training) -> None:
        """Print a line for the first, the last and about twenty epochs between."""
        if self.mode == "quiet":
            return
        last = trainer.epoch == trainer.epochs or trainer.stopping
        if trainer.epoch % self.every == 0 or trainer.epoch == 1 or last:
            row = {name: values[-1] for name, values in trainer.history.items()}
            self._line(row, trainer.seconds())

    def _line(self, row: dict[str, Any], seconds: float) -> None:
        columns = {"epoch": f"{row['epoch']:>5}", "loss": _loss(row["loss"])}
        if row["val_loss"] is not None:
            columns["val loss"] = _loss(row["val_loss"])
        if row["val_accuracy"] is not None:
            columns["val acc"] = f"{100 * row['val_accuracy']:>7.2f}%"
        columns |= {"rate": f"{row['lr']:>9.3g}", "time": f"{seconds:>6.1f}s"}
        if not self.headed:
            self.headed = True
            head = "  ".join(f"{name:>{len(text)}}" for name, text in columns.items())
            self.console.print(head, style="bold", highlight=False)
        self.console.print("  ".join(columns.values()), highlight=False)

    def close(self) -> None:
        """Take the bar away, also when training was interrupted."""
        if self.bar is not None:
            self.bar.stop()
            self.bar = None

    def on_train_end(self, trainer: Training) -> None:
        """Take the bar away."""
        self.close()


def _loss(value: float) -> str:
    return f"{value:>9.4f}" if value < 1000 else f"{value:>9.3g}"
