"""``minigrad bench``."""

from __future__ import annotations

import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from minigrad.claims import claimed
from minigrad.cli import show


def bench(
    peers: Annotated[
        str | None,
        typer.Option(
            help="torch, torch.compile, jax, jax.scan, autograd, tinygrad, numpy, c; several with commas.",
            show_default=False,
        ),
    ] = None,
    kinds: Annotated[
        str | None,
        typer.Option(help="minigrad's own: eager, compiled, epoch; several with commas.", show_default=False),
    ] = None,
    full: Annotated[
        bool,
        typer.Option("--full/--quick", help="All 46 rows (half an hour), or a few of them (two minutes)."),
    ] = False,
    network: Annotated[
        str | None,
        typer.Option(
            help="Of all rows those of 784-128-10, lenet, gpt …; several with commas.", show_default=False
        ),
    ] = None,
    batch: Annotated[
        str | None, typer.Option(help="Of all rows those with batch 1, 32 …", show_default=False)
    ] = None,
    optimizer: Annotated[
        str | None, typer.Option(help="Of all rows those with sgd, or with adam.", show_default=False)
    ] = None,
    rounds: Annotated[
        int | None,
        typer.Option(
            min=1, help="Turns of each framework on each row; 3, or 2 where quick.", show_default=False
        ),
    ] = None,
    seconds: Annotated[
        float | None,
        typer.Option(
            min=0.001, help="How long a turn is timed; 0.2, or 0.3 where quick.", show_default=False
        ),
    ] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda, cuda:1 …")] = "cpu",
    threads: Annotated[int, typer.Option(min=1, help="Threads for each framework.")] = 2,
    out: Annotated[
        Path | None, typer.Option(help="Folder for bench.json, bench.png and bench.md.", show_default=False)
    ] = None,
) -> None:
    """Time a training step here, eager and compiled, and in other frameworks, and beside the machine's own limit.

    Each framework runs in a process of its own, and they take turns. All of them get the same data, weights and
    threads, and have to find the same losses before they are timed.
    """
    from minigrad.bench import grid, report, run
    from minigrad.bench import peers as known
    from minigrad.train.run import next_folder

    to = show.console()
    plan = replace(run.FULL if full else run.QUICK, device=device, threads=threads)
    plan = replace(plan, rounds=rounds or plan.rounds, seconds=seconds or plan.seconds)
    if network or batch or optimizer:
        rows = grid.chosen(_listed(network), _listed(batch), _listed(optimizer))
        plan = replace(plan, rows=rows, compiling=tuple(row for row in rows if row in grid.COMPILED))
    chosen, left_out = known.choose(_listed(peers), device, slow=full, kinds=_listed(kinds))
    folder = out or next_folder("bench", "full" if full else "quick")
    command = shlex.join(["minigrad", *sys.argv[1:]])
    for name, reason in left_out.items():
        to.print(Text(f"Left out: {name} ({reason})", "dim"), soft_wrap=True)
    with claimed(folder), to.status("starting") as status:
        try:
            for results in run.run(plan, chosen, left_out, lambda what: status.update(Text(what))):
                report.write(results, folder, command)
        except KeyboardInterrupt as stop:
            stop.add_note(f"The rows that were finished are in {folder}")
            raise
    report.show(results, to)
    to.print()
    show.facts(
        to,
        {
            **results["machine"],
            "folder": folder,
            "look at": ", ".join(file.name for file in sorted(folder.iterdir())),
        },
    )
    to.print()


def _listed(text: str | None) -> list[str] | None:
    return None if text is None else [part.strip() for part in text.split(",")]
