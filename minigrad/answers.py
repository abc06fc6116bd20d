"""A student's answer beside what is right: whether the numbers agree, and which slip leads to those that came."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray


class NotYet(AssertionError):
    """An answer that is not right yet; a notebook shows what there is to say in the place of a traceback."""

    def _render_traceback_(self) -> list[str]:
        return ["not yet", *str(self).split("\n")]


def agree(got: NDArray[Any], wanted: NDArray[Any], rtol: float, atol: Any, equal_nan: bool = True) -> bool:
    """Tell whether two arrays have one shape, and every entry is within atol + rtol · |wanted|."""
    return got.shape == wanted.shape and bool(
        np.allclose(got, wanted, rtol=rtol, atol=atol, equal_nan=equal_nan)
    )


def slip(slips: Mapping[str, Any] | None, came: Callable[[Any], bool]) -> str | None:
    """Return the hint of the first slip whose numbers ``came``; None where it is no known one.

    ``slips`` maps hints to the numbers that likely mistakes lead to.
    """
    for hint, numbers in (slips or {}).items():
        if came(numbers):
            return hint
    return None
