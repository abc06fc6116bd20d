"""Cases of the families ``statistics``, ``masked``, ``running``, ``weights`` and ``sampled``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.ops.cases.core import Case, between, binary, extreme, layouts, reduction, unary
from tests.ops.cases.order import holed

n, positive = between(-2, 2), between(0.5, 2)


def running(f: Callable[..., Any]) -> list[Case]:
    return [
        *unary(f),
        *unary(lambda a: f(a, axis=0)),
        *unary(lambda a: f(a, axis=-1)),
        Case("contiguous", lambda a: f(a, axis=1), (n((2, 5, 2)),)),
        Case("size-1", f, (np.array([0.5]),)),
    ]


def in_a_row(f: Callable[..., Any]) -> list[Case]:
    """f of one line of each kind."""
    return [
        Case("contiguous", f, (n((5,)),)),
        Case("transposed", f, (n((10,))[::-2],)),
        Case("broadcast", f, (np.broadcast_to(n(()), (4,)),)),
        Case("size-0", f, (n((0,)),)),
        Case("size-1", f, (n((1,)),)),
    ]


def averages() -> list[Case]:
    def weighted(a: Any, w: Any) -> Any:
        return np.average(a, axis=-1, weights=w)

    return [
        *unary(np.average, skip=("size-0",)),
        *(Case(layout, weighted, (a, positive(a.shape))) for layout, a in layouts(n).items()),
        Case("contiguous", lambda a, w: np.average(a, weights=w), (n((2, 3)), positive((2, 3)))),
        Case("contiguous", lambda a, w: np.average(a, axis=0, weights=w), (n((2, 3)), positive((2,)))),
        Case(
            "contiguous",
            lambda a, w: np.average(a, axis=(2, 0), weights=w, keepdims=True),
            (n((2, 3, 4)), positive((4, 2))),
        ),
        Case(
            "contiguous",
            lambda a, w: np.prod(np.stack(np.average(a, axis=0, weights=w, returned=True))),
            (n((2, 3)), positive((2,))),
        ),
    ]


def bincounts() -> list[Case]:
    def count(x: Any, w: Any) -> Any:
        return np.bincount(x, w, minlength=3)

    return [
        Case("contiguous", count, (np.array([0, 2, 2, 1]), n((4,)))),
        Case("transposed", count, (np.array([0, 2, 2, 5])[::-1], n((8,))[::-2])),
        Case("broadcast", count, (np.array([0, 2, 2]), np.broadcast_to(n(()), (3,)))),
        Case("size-0", count, (np.array([], dtype=int), n((0,)))),
        Case("size-1", count, (np.array([4]), n((1,)))),
    ]


def correlations(f: Callable[..., Any], modes: tuple[str, ...]) -> list[Case]:
    cases = []
    for mode in modes:

        def of(a: Any, v: Any, mode: str = mode) -> Any:
            return f(a, v, mode)

        cases += [
            Case("contiguous", of, (n((5,)), n((3,)))),
            Case("contiguous", of, (n((2,)), n((4,)))),
            Case("transposed", of, (n((8,))[::-2], n((3,))[::-1])),
            Case("broadcast", of, (np.broadcast_to(n(()), (4,)), n((2,)))),
            Case("size-1", of, (n((1,)), n((1,)))),
        ]
    return cases


def interpolations() -> list[Case]:
    xp = np.array([-1.5, -0.25, 0.5, 1.75])
    x = np.array([[-1.1, 0.2, 1.3], [-3.0, 0.9, 2.4]])
    return [
        Case("contiguous", np.interp, (x, xp, n((4,)))),
        Case("contiguous", lambda x, xp, f, e: np.interp(x, xp, f, e[0], e[1]), (x, xp, n((4,)), n((2,)))),
        Case("contiguous", lambda x, xp, f: np.interp(x, xp, f, period=4.0), (x, xp, n((4,)))),
        Case("transposed", np.interp, (x.T, xp[::-1][::-1], n((8,))[::2])),
        Case("broadcast", np.interp, (np.broadcast_to(x[0], (2, 3)), xp, np.broadcast_to(n(()), (4,)))),
        Case("size-0", np.interp, (n((0, 3)), xp, n((4,)))),
        Case("size-1", np.interp, (np.array(0.3), xp, n((4,)))),
        Case("size-1", np.interp, (np.array([0.3]), np.array([0.1]), n((1,)))),
    ]


def slopes() -> list[Case]:
    rows = np.array([0.0, 0.4, 1.0, 1.2])
    return [
        *unary(lambda a: np.gradient(a, axis=1), skip=("size-1",)),
        *unary(lambda a: np.gradient(a, 0.5, axis=-1, edge_order=2), skip=("size-1",)),
        Case("size-1", lambda a: np.gradient(np.concatenate([a, a * a])), (n((1,)),)),
        Case("contiguous", lambda a: np.multiply(*np.gradient(a, 0.5, 2.0)), (n((4, 3)),)),
        Case("contiguous", lambda a, x: np.gradient(a, x, axis=0), (n((4, 3)), rows)),
        Case("contiguous", lambda a, x: np.gradient(a, x, axis=0, edge_order=2), (n((4, 3)), rows)),
        Case("contiguous", lambda a, h: np.gradient(a, h), (n((4,)), positive(()))),
    ]


def covariances(f: Callable[..., Any]) -> list[Case]:
    return [
        Case("contiguous", f, (n((2, 5)),)),
        Case("contiguous", f, (n((2, 5)), n((2, 5)))),
        Case("transposed", lambda a: f(a, rowvar=False), (n((2, 5)).T,)),
        Case("transposed", f, (n((5, 2)).T,)),
        Case("broadcast", f, (np.broadcast_to(n((5,)), (2, 5)),)),
        Case("size-0", f, (n((0, 5)),)),
    ]


def covs() -> list[Case]:
    times = np.array([1, 2, 0, 1, 3])
    return [
        *covariances(np.cov),
        Case("contiguous", lambda a, w: np.cov(a, aweights=w), (n((2, 5)), positive((5,)))),
        Case(
            "contiguous",
            lambda a, w, k: np.cov(a, fweights=k, aweights=w, ddof=0),
            (n((2, 5)), positive((5,)), times),
        ),
        Case("contiguous", lambda a, k: np.cov(a, fweights=k), (n((2, 5)), times)),
        Case("size-1", lambda a: np.cov(a, bias=True), (n((1, 1)),)),
    ]


def points(f: Callable[..., Any], sample: Any) -> list[Case]:
    return [
        *binary(lambda a, b: f(a, b, 4), sample, sample),
        Case("contiguous", lambda a, b: f(a, b, 3, endpoint=False, axis=-1), (sample((2,)), sample((2,)))),
    ]


#: operations by their names
CASES: dict[str, list[Case]] = {
    "cumprod": [
        *running(np.cumprod),
        Case("contiguous", lambda a: np.cumprod(a, axis=1), (np.array([[2.0, 0, 3, 4], [0, 5, 0, 2]]),)),
    ],
    "correlation": [
        *correlations(np.correlate, ("full",)),
        Case("size-0", lambda a: np.correlate(a, a)[:0], (n((3,)),)),
    ],
}

#: functions made of operations, by the NumPy function's name with its module: "vstack", "linalg.norm"
COMPOSED: dict[str, list[Case]] = {
    "amax": extreme(np.amax),
    "amin": extreme(np.amin),
    "nansum": reduction(holed(np.nansum)),
    "nanprod": reduction(holed(np.nanprod)),
    "nanmean": reduction(holed(np.nanmean), empty_axis=False),
    "nanvar": reduction(holed(np.nanvar), empty_axis=False),
    "nanstd": [c for c in reduction(holed(np.nanstd), empty_axis=False) if c.layout != "size-1"]
    + [Case("size-1", lambda a: np.nanstd(np.concatenate([a, a * a])), (np.array([0.7]),))],
    "nancumsum": running(holed(np.nancumsum)),
    "nancumprod": running(holed(np.nancumprod)),
    "cumulative_sum": unary(lambda a: np.cumulative_sum(a, axis=0, include_initial=True))
    + in_a_row(np.cumulative_sum),
    "cumulative_prod": unary(lambda a: np.cumulative_prod(a, axis=0, include_initial=True))
    + in_a_row(np.cumulative_prod),
    "diff": unary(np.diff)
    + unary(lambda a: np.diff(a, n=2, axis=-1))
    + [
        Case(
            "contiguous",
            lambda a, b, c: np.diff(a, axis=0, prepend=b, append=c),
            (n((2, 3)), n((1, 3)), n(())),
        )
    ],
    "ediff1d": [
        *unary(np.ediff1d),
        Case("contiguous", lambda a, b: np.ediff1d(a, to_begin=b, to_end=b[:1] * 2), (n((2, 3)), n((2,)))),
    ],
    "trapezoid": unary(np.trapezoid)
    + unary(lambda a: np.trapezoid(a, dx=0.5, axis=1))
    + [
        Case("contiguous", np.trapezoid, (n((2, 3)), np.array([0.0, 0.5, 2.0]))),
        Case("contiguous", lambda y, x: np.trapezoid(y, x, axis=0), (n((2, 3)), n((2, 3)))),
    ],
    "gradient": [*slopes(), Case("size-0", lambda a: np.gradient(a, axis=1), (n((0, 3)),))],
    "average": averages(),
    "bincount": bincounts(),
    "cov": covs(),
    "corrcoef": [
        # rows that are stretched alone have a correlation of exactly 1, where it is cut off
        *(case for case in covariances(np.corrcoef) if case.layout != "broadcast"),
        Case("broadcast", lambda a, b: np.corrcoef(a * b), (np.broadcast_to(n((5,)), (2, 5)), n((2, 5)))),
        Case("size-1", lambda a: np.corrcoef(a) * a[0, 0], (n((1, 3)),)),
    ],
    "histogram": [
        Case(
            layout,
            lambda w, x: np.histogram(x, bins=3, range=(0, 1), weights=w)[0],
            (w, np.full(w.shape, 0.4)),
        )
        for layout, w in layouts(n).items()
    ],
    "correlate": [
        *correlations(np.correlate, ("valid", "same", "full")),
        Case("size-0", lambda a: np.correlate(a, a)[:0], (n((3,)),)),
    ],
    "convolve": [
        *correlations(np.convolve, ("full", "same", "valid")),
        Case("size-0", lambda a: np.convolve(a, a)[:0], (n((3,)),)),
    ],
    "interp": interpolations(),
    "polyval": [
        *(Case(layout, np.polyval, (n((3,)), x)) for layout, x in layouts(n).items()),
        Case("contiguous", np.polyval, (n((3,)), n((2, 2)))),
    ],
    "linspace": [*points(np.linspace, n), Case("contiguous", lambda a: np.linspace(0.5, a, 3), (n((2,)),))],
    "logspace": points(
        lambda a, b, *args, **options: np.logspace(a, b, *args, base=2.0, **options), between(-1, 1)
    ),
    "geomspace": points(np.geomspace, positive),
    "apply_along_axis": unary(lambda a: np.apply_along_axis(np.cumsum, 1, a), skip=("size-0",))
    + unary(lambda a: np.apply_along_axis(np.prod, -1, a), skip=("size-0",))
    + [Case("size-0", lambda a: np.apply_along_axis(np.sum, 0, a), (n((0, 3)),))],
    "apply_over_axes": unary(lambda a: np.apply_over_axes(np.sum, a, [0, 1])),
}

#: operations without a gradient: each a function of one tensor
CONSTANT: dict[str, Callable[..., Any]] = {}
