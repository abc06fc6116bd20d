"""Cases of the family ``comparison`` and of what else runs on bare arrays: each a function of one 2 x 3 tensor.

What comes back is compared with what the same call gives on the bare array.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad import registry
from minigrad.tensor import unwrap
from tests.ops.cases.core import Case, between, unary

registry.load()


def numpy_function(name: str) -> Any:
    """The function of NumPy's of that name ("argsort", "linalg.norm"); None in a release that has none."""
    found: Any = np
    for part in name.split("."):
        found = getattr(found, part, None)
    return found


N = between(-1, 1)
NUMBERS, OTHERS = np.array([0, 2, 2]), np.array([[1, 1], [0, 3]])

#: operations by their names
CASES: dict[str, list[Case]] = {}

#: functions made of operations, by the NumPy function's name with its module: "vstack", "linalg.norm"
COMPOSED: dict[str, list[Case]] = {
    "ravel": unary(np.ravel) + unary(lambda a: a.ravel() * a.flatten()),
    "bincount": [
        Case("contiguous", lambda w, i: np.bincount(i, w), (N((3,)), NUMBERS)),
        Case("contiguous", lambda w, i: np.bincount(i, weights=w, minlength=5), (N((3,)), NUMBERS)),
        Case("transposed", lambda w, i: np.bincount(i, w), (N((6,))[::-2], NUMBERS)),
        Case("broadcast", lambda w, i: np.bincount(i, w), (np.broadcast_to(N((1,)), (3,)), NUMBERS)),
        Case("size-0", lambda w, i: np.bincount(i, w), (N((0,)), NUMBERS[:0])),
        Case("size-1", lambda w, i: np.bincount(i, w), (N((1,)), NUMBERS[1:2])),
    ],
}


def whole(t: Any) -> Any:
    """Whole numbers from 0 to 3, on the device of t."""
    return np.abs(np.trunc(t * 2)).astype("int64") % 4


def flat(t: Any) -> Any:
    return np.ravel(t)


#: functions without a gradient by the NumPy function's name: each a function of one tensor
CONSTANT: dict[str, Callable[..., Any]] = {
    "allclose": lambda t: np.allclose(t, t + 1e-12, atol=1e-9),
    "argpartition": lambda t: np.argpartition(flat(t), 1)[:1],
    "argsort": lambda t: np.argsort(t, axis=0, kind="stable"),
    "argwhere": lambda t: np.argwhere(t > 0),
    "array2string": lambda t: np.array2string(t, precision=2),
    "array_equal": lambda t: np.array_equal(t, t),
    "array_equiv": lambda t: np.array_equiv(t, t[:1]),
    "array_repr": np.array_repr,
    "array_str": np.array_str,
    "can_cast": lambda t: np.can_cast(t, "float64"),
    "common_type": lambda t: np.common_type(t, t.astype("float32")),
    "count_nonzero": lambda t: np.count_nonzero(t > 0, axis=1),
    "diag_indices_from": lambda t: np.diag_indices_from(t[:, :2]),
    "digitize": lambda t: np.digitize(t, np.asarray([-1.0, 0.0, 1.0], like=unwrap(t))),
    "empty_like": lambda t: np.empty_like(t, dtype="int8").shape,
    "flatnonzero": lambda t: np.flatnonzero(t > 0),
    "full_like": lambda t: np.full_like(t, 2.5),
    "histogram": lambda t: np.histogram(t, bins=4, range=(-2, 2)),
    "histogram2d": lambda t: np.histogram2d(flat(t), flat(t) * 2, bins=3),
    "histogram_bin_edges": lambda t: np.histogram_bin_edges(t, 3),
    "histogramdd": lambda t: np.histogramdd(t, bins=2),
    "in1d": lambda t: np.in1d(t, t[0]),  # noqa: NPY201  there in NumPy 2.0 to 2.3
    "intersect1d": lambda t: np.intersect1d(t, t[:1], return_indices=True),
    "isclose": lambda t: np.isclose(t, 0.5, rtol=0.1),
    "isin": lambda t: np.isin(t, t[0], invert=True),
    "ix_": lambda t: np.ix_(whole(t[0]), whole(t[1])),
    "lexsort": lambda t: np.lexsort((t[0], t[1])),
    "may_share_memory": lambda t: np.may_share_memory(t, t[:1]),
    "min_scalar_type": lambda t: np.min_scalar_type(t),
    "nanargmax": lambda t: np.nanargmax(t, axis=1),
    "nanargmin": np.nanargmin,
    "ndim": np.ndim,
    "nonzero": lambda t: np.nonzero(t > 0),
    "ones_like": np.ones_like,
    "packbits": lambda t: np.packbits(t > 0, axis=1),
    "ravel_multi_index": lambda t: np.ravel_multi_index((whole(t), whole(t)), (4, 5)),
    "result_type": lambda t: np.result_type(t, np.float32),
    "searchsorted": lambda t: np.searchsorted(np.asarray([-1.0, 0.0, 1.0], like=unwrap(t)), t, side="right"),
    "setdiff1d": lambda t: np.setdiff1d(t, t[0]),
    "setxor1d": lambda t: np.setxor1d(t[0], t[1]),
    "shape": np.shape,
    "shares_memory": lambda t: np.shares_memory(t, t + 1),
    "size": lambda t: (np.size(t), np.size(t, 1)),
    "tril_indices_from": lambda t: np.tril_indices_from(t, k=1),
    "triu_indices_from": np.triu_indices_from,
    "union1d": lambda t: np.union1d(t, t * 2),
    "unique": lambda t: np.unique(np.trunc(t), return_inverse=True, return_counts=True),
    "unique_all": lambda t: np.unique_all(np.trunc(t)),
    "unique_counts": lambda t: np.unique_counts(np.trunc(t)),
    "unique_inverse": lambda t: np.unique_inverse(np.trunc(t)),
    "unique_values": lambda t: np.unique_values(np.trunc(t)),
    "unpackbits": lambda t: np.unpackbits(whole(t).astype("uint8"), axis=1),
    "unravel_index": lambda t: np.unravel_index(whole(t), (2, 2)),
    # of other families, which say why they have none
    "angle": np.angle,
    "bitwise_count": lambda t: np.bitwise_count(whole(t)),
    "einsum_path": lambda t: np.einsum_path("ij,kj->ik", t, t),
    "fix": np.fix,
    "gcd": lambda t: np.gcd(whole(t), 6),
    "imag": np.imag,
    "iscomplex": np.iscomplex,
    "iscomplexobj": np.iscomplexobj,
    "isneginf": np.isneginf,
    "isposinf": np.isposinf,
    "isreal": np.isreal,
    "isrealobj": np.isrealobj,
    "lcm": lambda t: np.lcm(whole(t), 6),
    "left_shift": lambda t: np.left_shift(whole(t), 1),
    "linalg.matrix_rank": lambda t: np.linalg.matrix_rank(t),
    "nextafter": lambda t: np.nextafter(t, 1.0),
    "right_shift": lambda t: np.right_shift(whole(t), 1),
    "signbit": np.signbit,
    "spacing": np.spacing,
    "zeros_like": lambda t: np.zeros_like(t, dtype="int32", shape=(2, 2)),
}
CONSTANT = {name: f for name, f in CONSTANT.items() if numpy_function(name) in registry.constants}
