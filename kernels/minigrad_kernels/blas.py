"""BLAS's products in the driver's table: NumPy's own inner loop of ``np.matmul``, called by its address.

NumPy hands that loop out to compilers (``ufunc._get_strided_loop``); it calls the BLAS that NumPy brings with it, with
the strides that it is given, and needs nothing of Python's. So the bits are NumPy's. That they are those of ``np.dot``
too, which the kernels call, is tried on random numbers for each shape: where BLAS is called otherwise, Python does it.
"""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from minigrad_kernels.driver import address_of, address_of_text, run
from minigrad_kernels.objects import has_numba


class _Inner(ctypes.Structure):
    """What NumPy tells of an inner loop, from its ``ufunc_call_info``."""

    _fields_ = [
        ("loop", ctypes.c_void_p),
        ("context", ctypes.c_void_p),
        ("auxiliary", ctypes.c_void_p),
        ("requires_python", ctypes.c_bool),
        ("no_floating_point_errors", ctypes.c_bool),
    ]


_OWN = 4  # words in front of the arrays' addresses: status, loop, context, auxiliary
_DIMENSIONS = 4  # products, and m, k, n of one
_STRIDES = 9  # from product to product, three; and of the axes of each matrix, six


class Product(NamedTuple):
    """The product of two matrices as a line of the table; ``kept`` has to stay."""

    inner: Any
    kept: Any

    def words(self, a: Any, b: Any, out: Any) -> list[int]:
        """Return the status, the loop, the arrays' addresses, the lengths and the strides."""
        (m, k), n = a.shape, b.shape[1]
        head = [0, self.inner.loop, self.inner.context, self.inner.auxiliary or 0]
        arrays = [address_of(each) for each in (a, b, out)]
        return [*head, *arrays, 1, m, k, n, 0, 0, 0, *a.strides, *b.strides, *out.strides]

    @property
    def address(self) -> int:
        """The address of the function that calls the loop with such words."""
        return _address()


_ENTRY = f"""(words):
    arrays = words + {8 * _OWN}
    lengths = arrays + {8 * 3}
    status = call_inner(word(words, 1), word(words, 2), arrays, lengths, lengths + {8 * _DIMENSIONS}, word(words, 3))
    put(words, 0, status)
"""


@cache
def _address() -> int:
    return address_of_text("entry_of_matmul", _ENTRY, "void(int64)", _names)


def _names() -> dict[str, Any]:
    from llvmlite import ir
    from numba import types
    from numba.extending import intrinsic

    word_type = ir.IntType(64)

    @intrinsic  # type: ignore[untyped-decorator]
    def call_inner(
        typing: Any, loop: Any, context: Any, arrays: Any, lengths: Any, strides: Any, auxiliary: Any
    ) -> Any:
        def generate(target: Any, builder: Any, call: Any, values: Any) -> Any:
            function = ir.FunctionType(ir.IntType(32), [word_type] * 5).as_pointer()
            status = builder.call(builder.inttoptr(values[0], function), values[1:])
            return builder.sext(status, word_type)

        return types.int64(*[types.int64] * 6), generate

    return {"call_inner": call_inner}


@cache
def _inner(dtype: np.dtype[Any]) -> tuple[Any, Any] | None:
    try:
        dtypes, context = np.matmul._resolve_dtypes_and_context((dtype, dtype, dtype))  # type: ignore[attr-defined]
        np.matmul._get_strided_loop(context)  # type: ignore[attr-defined]
        pointer = ctypes.pythonapi.PyCapsule_GetPointer
        pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
        found = _Inner.from_address(pointer(context, b"numpy_1.24_ufunc_call_info"))
    except Exception:  # another NumPy's
        return None
    if dtypes != (dtype, dtype, dtype) or found.requires_python or not found.loop:
        return None
    return found, context


def find(a: Any, b: Any, out: Any) -> Product | None:
    """Return the product of matrices like these as a line of the table; None where it is not np.dot's to the bit."""
    alike = a.dtype == b.dtype == out.dtype and a.dtype.char in "fd" and a.ndim == b.ndim == out.ndim == 2
    inner = _inner(a.dtype) if alike and a.size and b.size and has_numba() else None
    if inner is None:
        return None
    found = Product(inner[0], inner[1])
    layouts = tuple((each.shape, each.strides) for each in (a, b, out))
    return found if _is_dot(a.dtype, layouts) else None


@cache
def _is_dot(dtype: np.dtype[Any], layouts: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]) -> bool:
    """Tell whether the loop gives np.dot's bits on matrices that lie so."""
    rng = np.random.default_rng(0)
    pieces = [_lying(dtype, *layout) for layout in layouts]
    if any(piece is None for piece in pieces):
        return False
    a, b, out = pieces
    inner = _inner(dtype)
    assert inner is not None
    product = Product(*inner)
    for _ in range(3):
        a[...], b[...] = rng.standard_normal(a.shape), rng.standard_normal(b.shape)
        words = np.array(product.words(a, b, out), np.int64)
        run(np.array([(product.address, address_of(words))], np.int64))
        expected = np.empty(out.shape, dtype)
        np.dot(a, b, out=expected)
        if out.tobytes() != expected.tobytes():
            return False
    return True


def _lying(dtype: np.dtype[Any], shape: tuple[int, ...], strides: tuple[int, ...]) -> Any:
    """Return a matrix that lies so, in one piece; None where that is none."""
    for matrix in (np.empty(shape, dtype), np.empty(shape[::-1], dtype).T):
        if matrix.strides == strides:
            return matrix
    return None
