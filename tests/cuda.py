"""Whether there is a GPU for the tests that need one, and where not, why."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest


def _missing() -> str | None:
    try:
        import cupy
    except ImportError:
        return "CuPy is not installed"
    return None if cupy.cuda.is_available() else "there is no CUDA GPU"


MISSING = _missing()
needed = pytest.mark.skipif(MISSING is not None, reason=str(MISSING))
DEVICES = ["strict", pytest.param("cuda:0", marks=needed)]
"""The stand-in of ``tests.strict_array``, and a GPU where there is one."""


def host(array: Any) -> np.ndarray[Any, Any]:
    """Return an array of either library, or NumPy's scalar, on the host."""
    return array.get() if hasattr(array, "get") else np.asarray(array)
