"""The loops over entries that NumPy's and SciPy's own functions consist of, by their addresses.

A ufunc holds, for each combination of dtypes, the address of a loop ``(args, counts, steps, data)``, and NumPy's C
interface promises where: so a table of addresses computes with NumPy's very instructions, without NumPy's ado.
"""

from __future__ import annotations

import ctypes
import platform
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from minigrad_kernels.driver import address_of_text
from minigrad_kernels.loops import Intrinsic
from minigrad_kernels.objects import has_numba


class Inner(NamedTuple):
    """A loop over entries: its address, what it is given beside them, the dtypes of its operands and of its result."""

    address: int
    data: int
    dtypes: tuple[np.dtype[Any], ...]
    may_use_threads: bool


class _Ufunc(ctypes.Structure):
    """The beginning of a ufunc as C knows it, from numpy/ufuncobject.h."""

    _fields_ = [
        ("head", ctypes.c_byte * object.__basicsize__),
        ("nin", ctypes.c_int),
        ("nout", ctypes.c_int),
        ("nargs", ctypes.c_int),
        ("identity", ctypes.c_int),
        ("functions", ctypes.POINTER(ctypes.c_void_p)),
        ("data", ctypes.POINTER(ctypes.c_void_p)),
        ("ntypes", ctypes.c_int),
        ("reserved", ctypes.c_int),
        ("name", ctypes.c_char_p),
        ("types", ctypes.POINTER(ctypes.c_byte)),
    ]  # fmt: skip


_RAISING = "obl_", "pro_"
"""SciPy's functions that may raise, for want of memory, which their loops cannot tell."""


def _is_quiet() -> bool:
    """Tell whether SciPy's functions keep silent about singular places and the like, as they do by default."""
    from scipy import special

    return all(what == "ignore" for error, what in special.geterr().items() if error != "memory")


def inner(ufunc: np.ufunc, dtypes: tuple[np.dtype[Any], ...]) -> Inner | None:
    """Return the loop of a ufunc for operands of these dtypes, none of which it converts; None where there is none."""
    found = _loop(ufunc, dtypes)
    return found if found is None or found.may_use_threads or _is_quiet() else None


@cache
def _loop(ufunc: np.ufunc, dtypes: tuple[np.dtype[Any], ...]) -> Inner | None:
    if not has_numba() or platform.python_implementation() != "CPython" or ufunc.nout != 1:
        return None
    from_numpy = getattr(np, ufunc.__name__, None) is ufunc
    if not from_numpy and ufunc.__name__.startswith(_RAISING):
        return None
    if len(dtypes) != ufunc.nin or not dtypes or ufunc.signature is not None:
        return None
    held = _Ufunc.from_address(id(ufunc))
    known = (held.nin, held.nout, held.nargs, held.ntypes) == (ufunc.nin, 1, ufunc.nargs, ufunc.ntypes)
    if not known or held.name != ufunc.__name__.encode():
        return None
    wanted = "".join(dtype.char for dtype in dtypes)
    for k, text in enumerate(ufunc.types):
        operands, _, result = text.partition("->")
        if operands != wanted or not held.functions[k]:
            continue
        numbers = [held.types[k * held.nargs + i] for i in range(held.nargs)]
        if numbers != [np.dtype(char).num for char in operands + result]:
            return None
        data = (held.data[k] if held.data else 0) or 0
        # SciPy's may want to report an error, for which a thread would wait for Python's lock
        return Inner(held.functions[k], data, (*dtypes, np.dtype(result)), from_numpy)
    return None


def _call_inner() -> Any:
    from llvmlite import ir
    from numba import types
    from numba.extending import intrinsic

    @intrinsic  # type: ignore[untyped-decorator]
    def call(context: Any, address: Any, args: Any, counts: Any, steps: Any, data: Any) -> Any:
        def generate(context: Any, builder: Any, call: Any, values: Any) -> Any:
            word = ir.IntType(64)
            function = ir.FunctionType(ir.VoidType(), [word] * 4).as_pointer()
            builder.call(builder.inttoptr(values[0], function), values[1:])
            return context.get_dummy_value()

        return types.void(*[types.int64] * 5), generate

    return call


call_inner = Intrinsic(_call_inner)
"""``call(address, args, counts, steps, data)``, for loops of ours to call one of these."""

_WHERE = """(args, counts, steps, data):
    n = word(counts, 0)
    one, other = min(word(steps, 1), 1), min(word(steps, 2), 1)
    condition, out = carray(pointer_bool(word(args, 0)), (n,)), carray(pointer(word(args, 3)), (n,))
    a, b = carray(pointer(word(args, 1)), (n,)), carray(pointer(word(args, 2)), (n,))
    if one and other:
        for i in range(n):
            out[i] = a[i] if condition[i] else b[i]
    else:
        for i in range(n):
            out[i] = a[i * one] if condition[i] else b[i * other]
"""
"""out = a where the condition holds, else b, of which either may be a single number (a step of 0)."""


@cache
def inner_where(dtype: np.dtype[Any]) -> Inner | None:
    """Return ``np.where`` for numbers of a dtype, which is no ufunc, as such a loop."""
    if not has_numba() or dtype.char not in "fd":
        return None
    text = _WHERE.replace("pointer(", f"pointer_{dtype.name}(")
    address = address_of_text("where", text, "void(int64, int64, int64, int64)")
    return Inner(address, 0, (np.dtype(bool), dtype, dtype, dtype), True)
