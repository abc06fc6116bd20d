"""Which tensors of a trace belong together because one module made them: a Transformer's block, an LSTM.

Modules stand within modules: ``h.0.attn.c_attn`` within ``h.0.attn`` within ``h.0``. So a drawing may fold the
outermost of them, or those one level further in, and so on; what holds everything is no level.
"""

from __future__ import annotations

from collections.abc import Collection
from itertools import groupby

from minigrad.viz.trace import Node, Trace

Block = tuple[str, list[int]]
"""A module's name and class, and the tensors that it made one after another."""


def levels(trace: Trace, made: Collection[int]) -> list[list[Block]]:
    """Return the blocks of two tensors and more by level, the outermost modules first.

    A block's tensors came one after another, so that what leads into one block never leads out of it and in again.
    """
    nodes = [trace.nodes[i] for i in sorted(made)]
    paths = {node.index: _path(trace, node) for node in nodes}
    inside = [path for path in paths.values() if path]
    around = 0
    while inside and all(len(path) > around and path[around] == inside[0][around] for path in inside):
        around += 1
    found = []
    for depth in range(around, max(map(len, inside), default=0)):
        runs = groupby(nodes, lambda node: "".join(paths[node.index][depth : depth + 1]))  # noqa: B023 -- at once
        named = [(name, [node.index for node in run]) for name, run in runs]
        found.append([(f"{name}: {trace.layers[name]}", run) for name, run in named if name and len(run) > 1])
    return found


def _path(trace: Trace, node: Node) -> list[str]:
    """The modules in which a tensor was made, the outermost first."""
    parts = node.layer.split(".") if node.layer else []
    names = (".".join(parts[:k]) for k in range(1, len(parts) + 1))
    return [name for name in names if name in trace.layers]
