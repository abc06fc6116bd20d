"""``minigrad export``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from minigrad.cli import show


def export(
    run: Annotated[Path, typer.Argument(help="The run's folder.", show_default=False)],
    file: Annotated[
        Path | None, typer.Argument(help="The file to write; RUN/model.onnx without.", show_default=False)
    ] = None,
) -> None:
    """Write a finished run's network as an ONNX file, for other programs to run.

    It is run in onnxruntime first: the file appears only where that gives the network's own outputs.
    """
    from minigrad.claims import claimed
    from minigrad.export import graph
    from minigrad.export.check import TOLERANCE
    from minigrad.export.run import export as write

    if file is None and run.is_dir():
        with claimed(run):
            done = write(run, run / "model.onnx")
    else:
        done = write(run, file or run / "model.onnx")
    found = done.agreement
    share = "" if found.share == 1 else f"{100 * found.share:.0f} % within {TOLERANCE:g}, "
    to = show.console()
    to.print()
    show.facts(
        to,
        {
            "file": f"{done.path}, {done.size / 1000:,.0f} kB, ONNX operator set {graph.OPERATORS}",
            "checked": f"{found.samples} inputs in onnxruntime, {share}at most {found.largest:.1e} off",
        },
    )
    to.print()
