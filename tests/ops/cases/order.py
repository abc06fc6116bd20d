"""Cases of the families ``order`` and ``quantiles``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.tensor import unwrap
from tests.ops.cases.core import Case, apart, reduction, unary


def spread_out(f: Callable[..., Any], empty_axis: bool = False) -> list[Case]:
    """A reduction that has a kink where entries are equal: a stretched array has such along axis 0 alone."""
    sample = apart()
    return [
        *(case for case in reduction(f, sample, empty_axis) if case.layout != "broadcast"),
        Case("broadcast", lambda a: f(a, axis=1), (np.broadcast_to(sample((3,)), (2, 3)),)),
    ]


def holed(f: Callable[..., Any]) -> Callable[..., Any]:
    """f of an array, where there are several entries without the last: a nan lies there."""

    def of_holed(a: Any, *args: Any, **options: Any) -> Any:
        if a.size < 3:
            return f(a, *args, **options)
        places = np.cumsum(np.ones_like(unwrap(a)).reshape(-1)).reshape(a.shape)
        return f(np.where(places == a.size, np.nan, a), *args, **options)

    return of_holed


def quantiles(f: Callable[..., Any], whole: float) -> list[Case]:
    sample = apart()
    return [
        *spread_out(lambda a, **options: f(a, 0.3 * whole, **options)),
        *unary(lambda a: f(a, 0.8 * whole, axis=-1, method="hazen"), sample),
        *unary(lambda a: f(a, 0.8 * whole, axis=1, method="lower"), sample),
        Case("contiguous", lambda a, q: f(a, q * whole, axis=0), (sample((4, 2)), np.array([0.31, 0.62]))),
    ]


#: operations by their names
CASES: dict[str, list[Case]] = {}

#: functions made of operations, by the NumPy function's name with its module: "vstack", "linalg.norm"
COMPOSED: dict[str, list[Case]] = {
    "sort": unary(np.sort, apart())
    + unary(lambda a: np.sort(a, axis=0), apart(), skip=("broadcast",))
    + unary(lambda a: np.sort(a, axis=None, kind="stable"), apart(), skip=("broadcast",)),
    "partition": unary(lambda a: np.sort(np.partition(a, min(1, a.shape[-1] - 1))[..., :2]), apart())
    + unary(lambda a: np.partition(a, -1, axis=-1)[..., -1:], apart()),
    "median": spread_out(np.median),
    "nanmedian": spread_out(holed(np.nanmedian)),
    "quantile": quantiles(np.quantile, 1),
    "percentile": quantiles(np.percentile, 100),
    "nanquantile": quantiles(holed(np.nanquantile), 1),
    "nanpercentile": quantiles(holed(np.nanpercentile), 100),
    "ptp": spread_out(np.ptp),
    "nanmax": spread_out(holed(np.nanmax)),
    "nanmin": spread_out(holed(np.nanmin)),
}

#: operations without a gradient: each a function of one tensor
CONSTANT: dict[str, Callable[..., Any]] = {}
