"""The arrays below the tensors: ``libraries.py`` knows whose they are, ``numeric.py`` which numbers they may hold."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.libraries import Array as Array
from minigrad.libraries import Backend as Backend
from minigrad.libraries import backend_of as backend_of
from minigrad.libraries import device_of as device_of
from minigrad.libraries import found as found
from minigrad.libraries import in_order as in_order
from minigrad.libraries import is_numpy as is_numpy
from minigrad.libraries import register as register
from minigrad.libraries import register_type as register_type
from minigrad.libraries import seed as seed
from minigrad.libraries import special as special
from minigrad.libraries import to_device as to_device
from minigrad.libraries import to_numpy as to_numpy
from minigrad.libraries import uniform as uniform
from minigrad.numeric import as_array as as_array
from minigrad.numeric import default_dtype as default_dtype
from minigrad.numeric import holds as holds
from minigrad.numeric import narrow as narrow
from minigrad.numeric import operand as operand
from minigrad.numeric import real as real
from minigrad.numeric import set_default_dtype as set_default_dtype


def as_0d_array(value: Any) -> Any:
    """Make an array again of the scalar that NumPy turns a 0-dimensional result into, and that cannot be added into."""
    if type(value) is np.ndarray:
        return value
    if isinstance(value, np.generic):
        return np.asarray(value)
    make = getattr(value, "as_0d_array", None)  # of a tracer, which stands for either
    return value if make is None else make()


def one_like(array: Array) -> Array:
    """Return ones where ``array`` lives; NumPy's ones_like takes twice as long for its own arrays."""
    if type(array) is not np.ndarray:
        return np.ones_like(array)
    one = np.empty(array.shape, array.dtype)
    one.fill(1)
    return one


def generator(seed: int | np.random.Generator) -> np.random.Generator:
    """Return a seeded PCG64 generator; one that is given already is handed back."""
    return seed if isinstance(seed, np.random.Generator) else np.random.default_rng(seed)
