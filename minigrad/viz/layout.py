"""A layered drawing of a graph: ranks from top to bottom, few crossings, straight edges.

The four steps of Sugiyama, Tagawa & Toda (1981): every node gets a rank below the nodes that it comes from; an
edge over several ranks gets a bend in each; the order inside the ranks is improved by barycentres and swaps of
neighbours; each rank is then placed at the weighted least-squares distance from its neighbours in that order.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass

Point = tuple[float, float]
Links = list[list[tuple[int, int]]]  # by item: neighbours, each with a weight


@dataclass(frozen=True)
class Layout:
    """Where everything goes; y grows downwards, as in SVG.

    positions : the centre of every node. width, height : of the whole drawing, which starts at (0, 0).
    paths : for every edge, in the order given, the points from its source's bottom to its target's top.
    """

    positions: tuple[Point, ...]
    width: float
    height: float
    paths: tuple[tuple[Point, ...], ...]


def layered(
    edges: Sequence[tuple[int, int]],
    sizes: Sequence[tuple[float, float]],
    *,
    across: float = 22.0,
    along: float = 40.0,
) -> Layout:
    """Place ``len(sizes)`` boxes of (width, height) so that every edge (source, target) points downwards.

    ``across`` is the least gap between boxes of one rank, ``along`` the gap between ranks. An edge may be given
    several times and is then drawn several times. ValueError for a cycle and for a node that is not there.
    """
    ranks = _ranks(edges, len(sizes))
    rank_of, up, trunks, chains = _with_bends(edges, ranks)
    layers = _ordered(rank_of, up, ranks)
    extents = [*sizes] + [(0.0, 0.0)] * (len(rank_of) - len(sizes))
    xs = _across(layers, up, [width for width, _ in extents], across)
    tops, bottoms, y = [], [], 0.0
    for layer in layers:
        tops.append(y)
        bottoms.append(y + max(extents[item][1] for item in layer))
        y = bottoms[-1] + along
    positions = [(xs[n], (tops[rank] + bottoms[rank]) / 2) for n, rank in enumerate(ranks)]
    paths = []
    leaving, arriving = _ports(edges, trunks, chains, xs, sizes)
    for k, (source, target) in enumerate(edges):
        below, above = bottoms[ranks[source]], tops[ranks[target]]
        points = [(leaving[k], min(below, positions[source][1] + sizes[source][1] / 2)), (leaving[k], below)]
        for bend in chains[k]:
            points += [(xs[bend], tops[rank_of[bend]]), (xs[bend], bottoms[rank_of[bend]])]
        points.append((arriving[k], above))
        points.append((arriving[k], max(above, positions[target][1] - sizes[target][1] / 2)))
        paths.append(tuple(p for i, p in enumerate(points) if i == 0 or p != points[i - 1]))
    right = max([x + extent[0] / 2 for x, extent in zip(xs, extents, strict=True)], default=0.0)
    return Layout(tuple(positions), right, max(0.0, y - along), tuple(paths))


def curve(points: Sequence[Point]) -> str:
    """Return the ``d`` of an SVG path through the points that is vertical at each of them."""
    x, y = points[0]
    parts = [f"M{x:.1f} {y:.1f}"]
    for nx, ny in points[1:]:
        middle = (y + ny) / 2
        bend = f"C{x:.1f} {middle:.1f} {nx:.1f} {middle:.1f} {nx:.1f} {ny:.1f}"
        parts.append(f"V{ny:.1f}" if nx == x else bend)
        x, y = nx, ny
    return "".join(parts)


def _ranks(edges: Sequence[tuple[int, int]], count: int) -> list[int]:
    """Longest path from a source; then what has more targets than sources is drawn down to its targets."""
    targets: list[list[int]] = [[] for _ in range(count)]
    waiting = [0] * count
    for source, target in edges:
        if not (0 <= source < count and 0 <= target < count):
            raise ValueError(f"edge {(source, target)} leads to a node that is not there: there are {count}")
        targets[source].append(target)
        waiting[target] += 1
    indegree, ranks = list(waiting), [0] * count
    order = [n for n in range(count) if not waiting[n]]
    for n in order:
        for target in targets[n]:
            ranks[target] = max(ranks[target], ranks[n] + 1)
            waiting[target] -= 1
            if not waiting[target]:
                order.append(target)
    if len(order) < count:
        raise ValueError("the graph has a cycle, so it has no layers")
    for n in reversed(order):
        if len(targets[n]) > indegree[n]:
            ranks[n] = min(ranks[target] for target in targets[n]) - 1
    return ranks


def _with_bends(
    edges: Sequence[tuple[int, int]], ranks: list[int]
) -> tuple[list[int], Links, list[int | None], list[list[int]]]:
    """Add a bend per rank that a long edge passes; the edges of one source share theirs, like a trunk.

    Returns the rank of every item, its links upwards, the first bend of every source, the bends of every edge.
    """
    rank_of, up = list(ranks), [[] for _ in ranks]  # type: tuple[list[int], Links]
    bends: dict[tuple[int, int], int] = {}
    trunks: list[int | None] = [None] * len(ranks)
    chains = []
    for source, target in edges:
        chain, last = [], source
        for rank in range(ranks[source] + 1, ranks[target]):
            bend = bends.get((source, rank))
            if bend is None:
                bend = bends[source, rank] = len(rank_of)
                rank_of.append(rank)
                up.append([(last, 1 if last == source else 8)])
                trunks[source] = bend if last == source else trunks[source]
            chain.append(bend)
            last = bend
        up[target].append((last, 1 if last == source else 2))
        chains.append(chain)
    return rank_of, up, trunks, chains


def _down(up: Links) -> Links:
    down: Links = [[] for _ in up]
    for item, links in enumerate(up):
        for above, weight in links:
            down[above].append((item, weight))
    return down


def _ordered(rank_of: list[int], up: Links, ranks: list[int]) -> list[list[int]]:
    """The ranks' items from left to right: depth first from the ends, then improved while edges cross.

    That is done twice, once with ties kept and once with ties turned round, and the better outcome is taken.
    """
    down = _down(up)
    best = start = _depth_first(rank_of, up, down, max(ranks, default=-1) + 1)
    fewest = crossings(best, up)
    for turn in (False, True):
        layers = [list(layer) for layer in start]
        for sweep in range(10):
            if not fewest:
                return best
            links = down if sweep % 2 else up
            place = _places(layers, len(rank_of))
            for layer in reversed(layers) if sweep % 2 else layers:
                mean = {
                    n: sum(place[m] for m, _ in links[n]) / len(links[n]) if links[n] else float(place[n])
                    for n in layer
                }
                if turn:
                    layer.reverse()
                layer.sort(key=mean.__getitem__)
                for i, item in enumerate(layer):
                    place[item] = i
            _swap_neighbours(layers, up, down, place)
            now = crossings(layers, up)
            if now < fewest:
                best, fewest = [list(layer) for layer in layers], now
    return best


def _depth_first(rank_of: list[int], up: Links, down: Links, count: int) -> list[list[int]]:
    layers: list[list[int]] = [[] for _ in range(count)]
    seen = [False] * len(rank_of)
    pending = [item for item in range(len(rank_of) - 1, -1, -1) if not down[item]]
    while pending:
        item = pending.pop()
        if not seen[item]:
            seen[item] = True
            layers[rank_of[item]].append(item)
            pending.extend(above for above, _ in reversed(up[item]))
    return layers


def _places(layers: list[list[int]], count: int) -> list[int]:
    place = [0] * count
    for layer in layers:
        for i, item in enumerate(layer):
            place[item] = i
    return place


def _swap_neighbours(layers: list[list[int]], up: Links, down: Links, place: list[int]) -> None:
    for _ in range(8):
        improved = False
        for layer in layers:
            for i in range(len(layer) - 1):
                left, right = layer[i], layer[i + 1]
                gain = 0
                for links in (up, down):
                    a, b = (sorted(place[m] for m, _ in links[n]) for n in (left, right))
                    gain += sum(bisect_left(b, m) for m in a) - sum(bisect_left(a, m) for m in b)
                if gain > 0:
                    layer[i], layer[i + 1] = right, left
                    place[left], place[right] = i + 1, i
                    improved = True
        if not improved:
            return


def crossings(layers: list[list[int]], up: Links) -> int:
    """How many pairs of edges between neighbouring ranks cross."""
    place = _places(layers, len(up))
    total = 0
    for layer in layers:
        ends: list[int] = []
        for item in layer:
            above = [place[m] for m, _ in up[item]]
            total += sum(len(ends) - bisect_right(ends, end) for end in above)
            for end in above:
                insort(ends, end)
    return total


def _across(layers: list[list[int]], up: Links, widths: list[float], gap: float) -> list[float]:
    """x of every item: each rank in turn as near to its neighbours as its order and the gaps allow."""
    down = _down(up)
    xs = [0.0] * len(widths)
    offsets = []
    for layer in layers:
        x, row = 0.0, []
        for i, item in enumerate(layer):
            x += (widths[layer[i - 1]] + widths[item]) / 2 + gap if i else 0.0
            row.append(x)
            xs[item] = x
        offsets.append(row)
        for item in layer:
            xs[item] -= x / 2
    for sweep in range(24):
        sides = (up, down) if sweep >= 12 else ((down,) if sweep % 2 else (up,))
        numbered = list(enumerate(layers))
        for rank, layer in reversed(numbered) if sweep % 2 else numbered:
            wanted, weights = [], []
            for item, offset in zip(layer, offsets[rank], strict=True):
                links = [link for side in sides for link in side[item]]
                weight = sum(w for _, w in links)
                mean = sum(xs[m] * w for m, w in links) / weight if weight else xs[item]
                wanted.append(mean - offset)
                weights.append(max(weight, 0.1))
            for item, offset, base in zip(layer, offsets[rank], _rising(wanted, weights), strict=True):
                xs[item] = base + offset
    left = min((x - w / 2 for x, w in zip(xs, widths, strict=True)), default=0.0)
    return [x - left for x in xs]


def _rising(wanted: list[float], weights: list[float]) -> list[float]:
    """The non-decreasing numbers nearest to ``wanted`` (isotonic regression by pooling neighbours)."""
    pools: list[tuple[float, float, int]] = []  # mean, weight, how many
    for value, weight in zip(wanted, weights, strict=True):
        count = 1
        while pools and pools[-1][0] > value:
            mean, heavy, many = pools.pop()
            value = (mean * heavy + value * weight) / (heavy + weight)
            weight, count = weight + heavy, count + many
        pools.append((value, weight, count))
    return [mean for mean, _, count in pools for _ in range(count)]


def _ports(
    edges: Sequence[tuple[int, int]],
    trunks: list[int | None],
    chains: list[list[int]],
    xs: list[float],
    sizes: Sequence[tuple[float, float]],
) -> tuple[list[float], list[float]]:
    """x at which each edge leaves its source and enters its target: side by side, in the order of the other end."""
    leaving, arriving = [0.0] * len(edges), [0.0] * len(edges)
    outgoing: list[dict[int, tuple[float, list[int]]]] = [{} for _ in sizes]
    incoming: list[list[tuple[float, int]]] = [[] for _ in sizes]
    for k, (source, target) in enumerate(edges):
        trunk = trunks[source] if chains[k] else None
        slot = -1 - k if trunk is None else trunk
        outgoing[source].setdefault(slot, (xs[target if trunk is None else trunk], []))[1].append(k)
        incoming[target].append((xs[chains[k][-1] if chains[k] else source], k))
    for n, (width, _) in enumerate(sizes):
        slots = sorted(outgoing[n].values())
        step = min(12.0, width / (len(slots) + 1))
        for i, (_, owners) in enumerate(slots):
            for k in owners:
                leaving[k] = xs[n] + (i - (len(slots) - 1) / 2) * step
        ends = sorted(incoming[n])
        step = min(12.0, width / (len(ends) + 1))
        for i, (_, k) in enumerate(ends):
            arriving[k] = xs[n] + (i - (len(ends) - 1) / 2) * step
    return leaving, arriving
