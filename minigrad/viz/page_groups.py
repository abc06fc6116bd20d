"""Which tensors of a trace share a box in the stepper's graph: each its own, or a layer's together where they are many.

A layer begins at an operation that takes weights, and goes on as long as one operation hands its result to one next.
Where there are many layers still, those of a module share a box: a Transformer's block, a residual one.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from minigrad.viz.page_blocks import Block, levels
from minigrad.viz.trace import Backward, Forward, Node, Seed, Trace

MANY = 40
"""More tensors than this, and layers share a box unless it is asked for otherwise."""
FEW = 24
"""More boxes of layers than this, and those of a module are folded into one."""
MOST = 120
"""More boxes than this are not drawn: what lies farthest from the loss shares one."""


@dataclass(eq=False)
class Part:
    """What is drawn of one step: the tensors that it computes, and those that it takes from elsewhere."""

    made: set[int]
    taken: set[int]


def _everything(trace: Trace) -> Part:
    made = {node.index for node in trace.nodes if node.operation is not None}
    return Part(made, {node.index for node in trace.nodes} - made)


def parts(trace: Trace) -> list[Part]:
    """Return a part for each recorded step; a tensor that several steps take is in each of them."""
    steps = trace.steps
    at: dict[int, int] = {}
    for number, events in enumerate(steps):
        for event in (trace.events[k] for k in events):
            if isinstance(event, Forward):
                at[event.node] = number
            else:
                at.setdefault(event.node, number)
                if isinstance(event, Backward):
                    at.setdefault(event.input, number)
    for node in reversed(trace.nodes):  # what was computed before the recording belongs to who takes it
        for i in node.inputs:
            if i is not None:
                at.setdefault(i, at.setdefault(node.index, 0))
    made: list[Part] = [Part(set(), set()) for _ in steps]
    for node in trace.nodes:
        part = made[at.setdefault(node.index, 0)]
        (part.made if node.operation is not None else part.taken).add(node.index)
    used = {i for node in trace.nodes for i in node.inputs}
    for part in made:
        part.taken = {i for i in part.taken if i not in used}
        part.taken |= {i for n in part.made for i in trace.nodes[n].inputs if i is not None} - part.made
    return made


@dataclass(eq=False)
class Group:
    """Tensors that share a box. ``shown`` is whose value it shows while no other of them is in play."""

    members: list[int]
    shown: int
    title: str = ""
    """What the box is called; empty for a tensor of its own."""


def groups(
    trace: Trace, collapse: bool | None = None, most: int = MOST, part: Part | None = None
) -> list[Group]:
    """Return the boxes of a part, by default of all, in the order of their first tensors; every tensor is in one.

    ``collapse`` makes a layer one box; None does so where there are more than ``MANY`` tensors. Where more than ``FEW``
    boxes are left, modules are folded: those farthest in with which there are as few, or the outermost. Beyond
    ``most`` boxes with an operation the earliest become one, then also without ``collapse``.
    """
    part = part or _everything(trace)
    wanted = len(part.made) + len(part.taken) > MANY if collapse is None else collapse
    made = _boxes(trace, wanted, most, part, [])
    if not wanted or len(made) <= FEW:
        return made
    for blocks in reversed(levels(trace, part.made)):
        made = _boxes(trace, wanted, most, part, blocks)
        if len(made) <= FEW:
            break
    return made


def _boxes(trace: Trace, wanted: bool, most: int, part: Part, blocks: list[Block]) -> list[Group]:
    chains = _Chains(trace, wanted, part, blocks)
    titles = {id(chain): title for chain, (title, _) in zip(chains.operations, blocks, strict=False)}
    chains.operations.sort(key=lambda chain: chain[0])
    hidden = chains.operations[: len(chains.operations) - most] if most < len(chains.operations) else []
    of = {i: chain for chain in chains.operations for i in chain}
    far = set(map(id, hidden))
    rest: list[int] = [i for chain in hidden for i in chain]
    alone: list[list[int]] = []
    for node in (trace.nodes[i] for i in sorted(part.taken)):
        takers = {id(of[user]): of[user] for user in chains.users[node.index]}
        if takers and all(key in far for key in takers):
            rest.append(node.index)
        elif len(takers) == 1 and node.role == "parameter" and node.operation is None and wanted:
            next(iter(takers.values())).append(node.index)
        else:
            alone.append([node.index])
    made = [
        _group(trace, chain, titles.get(id(chain), "")) for chain in chains.operations if id(chain) not in far
    ]
    made += [Group(one, one[0]) for one in alone]
    if rest:
        made.append(Group(sorted(rest), hidden[-1][-1], f"the first {len(rest)} tensors"))
    return sorted(made, key=lambda group: group.members[0])


class _Chains:
    """Operations one after another: ``operations`` by chain, ``users`` of every tensor."""

    def __init__(self, trace: Trace, collapse: bool, part: Part, blocks: list[Block]) -> None:
        self.trace, self.part = trace, part
        self.losses = {event.node for event in trace.events if isinstance(event, Seed)}
        self.users: dict[int, list[int]] = {i: [] for i in part.made | part.taken}
        nodes = [trace.nodes[i] for i in sorted(part.made)]
        for node in nodes:
            for i in dict.fromkeys(i for i in node.inputs if i is not None and i != node.index):
                self.users[i].append(node.index)
        self.operations: list[list[int]] = [list(members) for _, members in blocks]
        folded = {i for _, members in blocks for i in members}
        self._open: dict[
            int, tuple[list[int], str]
        ] = {}  # by the last tensor: a layer that may go on, and its name
        for node in nodes:
            if node.index not in folded:
                self._place(node, collapse)

    def _place(self, node: Node, collapse: bool) -> None:
        weights = self._weights(node)
        name = _layer(weights)
        results = [i for i in node.inputs if i in self.part.made]
        last = results[0] if len(results) == 1 and len(self.users[results[0]]) == 1 else None
        chain, before = self._open.get(last, (None, "")) if last is not None else (None, "")
        only = all(i is None or i in results or self.trace.nodes[i] in weights for i in node.inputs)
        same = last is not None and self.trace.nodes[last].shape == node.shape
        bias = all(len(w.shape) < 2 for w in weights) and (not weights or name in ("", before))
        if chain is None or not (only and same and bias) or node.index in self.losses:
            chain, before = [], name
            self.operations.append(chain)
            if not weights:
                collapse = False
        chain.append(node.index)
        if collapse and node.index not in self.losses:
            self._open[node.index] = (chain, before)

    def _weights(self, node: Node) -> list[Node]:
        taken = (self.trace.nodes[i] for i in node.inputs if i is not None)
        return [x for x in taken if x.role == "parameter" and x.operation is None]


def _layer(weights: list[Node]) -> str:
    """``fc1`` for ``fc1.weight`` and ``fc1.bias``; nothing where the weights are not those of one layer."""
    names = {w.name.rpartition(".")[0] for w in weights}
    return names.pop() if len(names) == 1 else ""


def _group(trace: Trace, chain: list[int], title: str) -> Group:
    nodes = [trace.nodes[i] for i in chain]
    operations = [node for node in nodes if node.operation is not None]
    if len(nodes) == 1:
        return Group(chain, chain[0])
    if title:
        return Group(sorted(chain), operations[-1].index, title)
    counts = Counter(str(node.operation).replace("_", " ") for node in operations)
    counted = " · ".join(name if n == 1 else f"{name} ×{n}" for name, n in counts.items())
    name = _layer([node for node in nodes if node.operation is None])
    return Group(sorted(chain), operations[-1].index, f"{name}: {counted}" if name else counted)
