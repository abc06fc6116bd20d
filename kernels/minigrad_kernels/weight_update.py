"""A dense layer's weights, updated by the parts of their gradient dw = gᵀ·x while these lie in the cache.

Where dw is needed for the update alone, it never exists as a whole: some rows of some panels are worked out by the
tiles of ``products``, and the rule's own loop goes over these entries of the weights and of their state. The tiles and
the rule do the same operations in the same order as before, so that the bits are those of two passes.
"""

from __future__ import annotations

from functools import cache
from math import prod
from typing import Any

from minigrad_kernels import launch, products
from minigrad_kernels.launch import Kernel, Loop, workers_for
from minigrad_kernels.linear import backward_weight_reference
from minigrad_kernels.loops import scratch
from minigrad_kernels.teams import Team
from minigrad_kernels.tiles import Tile, pack_panels, size, tile
from minigrad_kernels.updates import UpdateRule
from minigrad_kernels.work_queue import next_task, shared_out

HEIGHT, WIDTH = 32, 4096
"""Rows and columns of a part: whole rows, so that the update goes along pieces that are long, and as few rows as the
second cache holds beside the panels."""

SAMPLES = 256
"""Samples up to which one pass pays: for more the product takes so long that the update is nothing beside it."""

ROWS = COLUMNS = 0  # of a tile, where a loop is compiled; and what it calls there
straight: Any = None
pack: Any = None
loop: Any = None
update: Any = None


def update_0(
    i: int, stop: int, j: int, end: int, p: int, q: int, g: Any, theta: Any, coefficients: Any
) -> None:
    """Run ``loop``, of a rule without a state, on theta[i:stop, j:end], whose gradient lies in g from p, q on."""
    for k in range(stop - i):
        loop(theta[i + k, j:end], g[p + k, q : q + end - j], coefficients)


def update_1(
    i: int, stop: int, j: int, end: int, p: int, q: int, g: Any, theta: Any, coefficients: Any, s: Any
) -> None:
    """Run ``loop``, of a rule with one state, on theta[i:stop, j:end], whose gradient lies in g from p, q on."""
    for k in range(stop - i):
        loop(theta[i + k, j:end], g[p + k, q : q + end - j], s[i + k, j:end], coefficients)


def update_2(
    i: int, stop: int, j: int, end: int, p: int, q: int, g: Any, theta: Any, coefficients: Any, s: Any, u: Any
) -> None:
    """Run ``loop``, of a rule with two states, on theta[i:stop, j:end], whose gradient lies in g from p, q on."""
    for k in range(stop - i):
        loop(theta[i + k, j:end], g[p + k, q : q + end - j], s[i + k, j:end], u[i + k, j:end], coefficients)


def update_3(
    i: int,
    stop: int,
    j: int,
    end: int,
    p: int,
    q: int,
    g: Any,
    theta: Any,
    coefficients: Any,
    s: Any,
    u: Any,
    v: Any,
) -> None:
    """Run ``loop``, of a rule with three states, on theta[i:stop, j:end], whose gradient lies in g from p, q on."""
    for k in range(stop - i):
        loop(
            theta[i + k, j:end],
            g[p + k, q : q + end - j],
            s[i + k, j:end],
            u[i + k, j:end],
            v[i + k, j:end],
            coefficients,
        )


_UPDATES = (update_0, update_1, update_2, update_3)


def pack_loop(worker: int, workers: int, b: Any, panels: Any) -> None:
    """panels = the columns of b, as many as a tile has in each, as far as it is this worker's share."""
    for k in range(worker, len(panels), workers):
        pack(b, k * COLUMNS, panels[k : k + 1])


def by_tiles_loop(
    worker: int,
    queue: Any,
    a: Any,
    b: Any,
    panels: Any,
    parts: Any,
    theta: Any,
    coefficients: Any,
    *state: Any,
) -> None:
    """Update theta by the gradient a·b, as far as it is this worker's share of the parts, or left by others.

    a and b may be larger than theta, filled up with zeros to a tile. ``panels`` are b's columns where they are packed,
    and ``parts`` has room for each worker.
    """
    m, n = theta.shape
    last_row, last_column = a.shape[0] - ROWS, b.shape[1] - COLUMNS
    copied = len(panels) > 0
    heights = (m + HEIGHT - 1) // HEIGHT
    task = next_task(queue, worker)
    while task >= 0:
        group, piece = divmod(task, heights)
        i, j = piece * HEIGHT, group * WIDTH
        rows, columns = min(HEIGHT, m - i), min(WIDTH, n - j)
        top, left = max(i - ROWS, 0), max(j - COLUMNS, 0)  # a tile at an edge begins further in
        below = a[top:]
        for q in range(0, columns, COLUMNS):
            k = min(j + q, last_column)
            for p in range(i, i + rows, ROWS):
                r = min(p, last_row) - top
                if copied:
                    straight(below, r, panels[(j + q) // COLUMNS], 0, parts[worker], k - left)
                else:
                    straight(below, r, b, k, parts[worker], k - left)
        update(i, i + rows, j, j + columns, i - top, j - left, parts[worker], theta, coefficients, *state)
        task = next_task(queue, worker)


@cache
def _packing() -> Team:
    fitting = size()
    assert fitting is not None
    return Team(Loop(pack_loop, pack=Tile(pack_panels, fitting), COLUMNS=fitting.columns))


@cache
def _by_tiles(serial: Loop) -> Team:
    fitting = size()
    assert fitting is not None
    names: dict[str, Any] = {
        "ROWS": fitting.rows,
        "COLUMNS": fitting.columns,
        "HEIGHT": HEIGHT,
        "WIDTH": WIDTH,
    }
    return Team(
        Loop(
            by_tiles_loop,
            straight=Tile(tile, fitting),
            update=Loop(_UPDATES[_states(serial)], loop=serial),
            **names,
        )
    )


def _states(serial: Loop) -> int:
    return int(serial.function.__code__.co_argcount) - 3  # type: ignore[attr-defined]


def pays(rule: UpdateRule, theta: Any, g: Any, x: Any) -> bool:
    """Tell whether the gradient is a product for tiles; arguments need nothing but a shape and a dtype."""
    samples = prod(g.shape[:-1])
    return bool(
        1 < samples <= SAMPLES
        and rule.states < len(_UPDATES)
        and theta.shape == (g.shape[-1], x.shape[-1])
        and theta.dtype == g.dtype == x.dtype
        and products.fits(*theta.shape, samples, theta.dtype)
    )


class ByProduct(Kernel):
    """The kernel ``(theta, g, x, *state, coefficients)`` that updates theta by a rule with the gradient gᵀ·x."""

    __slots__ = ("names", "rule", "states", "team")

    def __init__(self, rule: UpdateRule) -> None:
        super().__init__(f"{rule.name}_by_product", self._by_reference, self._by_tiles, fits=self._fits)
        self.rule, self.states, self.names = rule, rule.states, rule.names
        self.team = None
        if size() is not None:  # here, so that ``noted`` knows them
            self.team, _ = _by_tiles(rule.cpu), _packing()

    def _by_reference(self, theta: Any, g: Any, x: Any, *rest: Any) -> None:
        self.rule.reference(theta, backward_weight_reference(g, x), *rest)

    def _by_tiles(self, theta: Any, g: Any, x: Any, *rest: Any) -> None:
        assert self.team is not None
        *state, coefficients = rest
        a, b = g.reshape(-1, len(theta)).T, x.reshape(-1, theta.shape[1])
        _update(self.team, theta, a, b, coefficients, state)

    def _fits(self, theta: Any, g: Any, x: Any, *rest: Any) -> bool:
        return pays(self.rule, theta, g, x)


def _update(team: Team, theta: Any, a: Any, b: Any, coefficients: Any, state: list[Any]) -> None:
    (m, n), depth, fitting = theta.shape, len(b), size()
    assert fitting is not None
    workers = max(
        workers_for(m * n * depth, products.PARALLEL_FROM), workers_for(theta.size, launch.PARALLEL_FROM)
    )
    a = products.turned(a, workers > 1)
    a, b = products.padded(a, fitting.rows, 0), products.padded(b, 0, fitting.columns)
    copied = b.strides[0] % products.COPIED[fitting.lanes][0] == 0
    panels = scratch((-(-n // fitting.columns) if copied else 0, depth, fitting.columns), b.dtype)
    if copied:
        packers = workers if b.size >= products.MOVED_FROM else 1
        _packing()(packers, packers, b, panels)
    width = min(WIDTH, b.shape[1])
    parts = scratch((workers, HEIGHT + fitting.rows, width + fitting.columns), b.dtype)
    queue = shared_out(-(-m // HEIGHT) * -(-n // WIDTH), workers)
    team(workers, queue, a, b, panels, parts, theta, coefficients, *state)
