"""Functions of NumPy that give results alone, without a gradient: places, counts, yes or no.

They run on the bare arrays of Tensors, whether those require a gradient or not.
"""

from __future__ import annotations

import numpy as np

from minigrad.operation import without_gradient

_PLACES = "places are whole numbers"
_TRUTH = "yes or no"
_COUNTS = "counts are whole numbers"
_SETS = "which entries there are, each once: a set"
_TYPES = "about types"
_TEXT = "text"

for _why, _names in {
    _PLACES: (
        *(
            "argpartition",
            "argsort",
            "argwhere",
            "diag_indices_from",
            "digitize",
            "flatnonzero",
            "ix_",
            "lexsort",
        ),
        *("nanargmax", "nanargmin", "nonzero", "ravel_multi_index", "searchsorted", "tril_indices_from"),
        *("triu_indices_from", "unravel_index"),
    ),
    _TRUTH: (
        *("allclose", "array_equal", "array_equiv", "can_cast", "in1d", "isclose", "isin"),
        *("may_share_memory", "shares_memory"),
    ),
    _COUNTS: ("count_nonzero", "packbits", "unpackbits"),
    _SETS: ("intersect1d", "setdiff1d", "setxor1d", "union1d"),
    _TYPES: ("common_type", "min_scalar_type", "result_type"),
    _TEXT: ("array2string", "array_repr", "array_str"),
}.items():
    for _name in _names:
        if hasattr(np, _name):  # some came with later releases, and some went
            without_gradient(getattr(np, _name), _why)
