"""The chart ``bench.png``: one panel per network, one group of bars per batch size and optimizer."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from minigrad.bench.grid import row_of
from minigrad.bench.peers import OURS
from minigrad.bench.results import Results, RowResult
from minigrad.bench.rows import OPTIMIZERS
from minigrad.bench.summary import BASE, speed
from minigrad.viz.palette import BLUE, GREEN, GREY, INK, NAVY, ORANGE, PURPLE, SKY, YELLOW
from minigrad.viz.style import drawing

_COLOURS = {
    "minigrad": SKY,
    "mg.compile": BLUE,
    "torch.compile": ORANGE,
    "jax": GREEN,
    "autograd": PURPLE,
    "tinygrad": YELLOW,
    "numpy": GREY,
    "c": NAVY,
}
_TICKS = (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50)


def draw(results: Results, path: Path) -> bool:
    """Write the chart to ``path``; return False, and write nothing, where PyTorch was timed on no row.

    A bar's height is the speed relative to PyTorch eager (PyTorch's time over the framework's), on a logarithmic
    axis on which 1 is PyTorch itself: bars that go up are faster, bars that go down slower. Frameworks that do
    many steps in one call are left to the tables, save the C program.
    """
    panels: dict[str, list[RowResult]] = {}
    for result in results["rows"]:
        if BASE in result["peers"]:
            panels.setdefault(row_of(result["row"]).network, []).append(result)
    if not panels:
        return False
    peers = [name for name in results["peers"] if name in _COLOURS]
    most = max(map(len, panels.values()))
    with drawing(max(5.0, 1.1 * most + 1.5), 1.9 * len(panels) + 0.9, path) as figure:
        figure.set_layout_engine("constrained")
        axes = figure.subplots(len(panels), squeeze=False, sharey=True)[:, 0]
        for axis, (network, rows) in zip(axes, panels.items(), strict=True):
            _panel(axis, network, rows, peers, most)
        axes[-1].set_xlabel("batch and optimizer")
        figure.suptitle("Speed of a training step; PyTorch eager is 1, higher is faster", x=0.01, ha="left")
        handles, names = axes[0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside lower center", ncols=len(peers), frameon=False)
    return True


def _panel(axis: Any, network: str, rows: list[RowResult], peers: list[str], most: int) -> None:
    from matplotlib.ticker import FixedLocator, NullLocator

    axis.set_title(network, loc="left", weight="bold", size=10)
    axis.set_yscale("log")
    axis.grid(axis="y")
    axis.axhline(1, color=INK, linewidth=0.8)
    width = 0.8 / len(peers)
    for k, peer in enumerate(peers):
        heights = [speed(row, BASE, peer) for row in rows]
        places = [place - 0.4 + width * (k + 0.5) for place in range(len(rows))]
        heights = [1.0 if math.isnan(height) else height for height in heights]
        colour = _COLOURS[peer]
        bars = axis.bar(places, [h - 1 for h in heights], 0.92 * width, bottom=1, color=colour, label=peer)
        if peer == peers[0] or peer == OURS["compiled"]:
            axis.bar_label(bars, [f"{h:.2g}" for h in heights], size=7, color=colour, padding=1)
    labels = [f"{row['row']['batch']}\n{OPTIMIZERS[row['row']['optimizer']]}" for row in rows]
    axis.set_xticks(range(len(rows)), labels)
    axis.set_xlim(-0.6, most - 0.4)
    axis.tick_params(length=0)
    axis.yaxis.set_major_locator(FixedLocator(_TICKS))
    axis.yaxis.set_minor_locator(NullLocator())
    axis.yaxis.set_major_formatter(lambda value, _: f"{value:g}×")
