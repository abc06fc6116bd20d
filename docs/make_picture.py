"""Draw ``docs/train.svg``, the README's picture: what ``minigrad train`` prints.

python docs/make_picture.py
"""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme

from minigrad.cli import app, show

THEME = TerminalTheme(
    (255, 255, 255),
    (40, 44, 52),
    [
        (40, 44, 52),
        (200, 60, 60),
        (0, 128, 96),
        (160, 110, 0),
        (0, 100, 180),
        (150, 60, 150),
        (0, 130, 140),
        (90, 90, 90),
    ],
)


def main() -> None:
    """Train the default network with a console that records, and write the picture."""
    recorder = Console(record=True, force_terminal=True, width=76, highlight=False)
    show.console = lambda: recorder
    recorder.print("[bold]$ minigrad train[/bold]")
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        app(["train", "--plain"], standalone_mode=False)
    Path(__file__).resolve().with_name("train.svg").write_text(
        recorder.export_svg(title="minigrad", theme=THEME)
    )


if __name__ == "__main__":
    main()
