"""A matrix's rows as arrays in one piece, where the matrix itself is none."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from minigrad_kernels.launch import Loop, numba


def row_loop(a: Any, i: int) -> Any:
    """The i-th row of a matrix whose rows are contiguous, which Numba does not know of one of any layout."""
    return a[i]


class _Row(Loop):
    def _compile(self) -> Any:
        module = numba()
        if module is None or module.config.DISABLE_JIT:
            return self.function
        from numba import types
        from numba.extending import intrinsic

        tools: Any = import_module("numba.core.cgutils")
        arrays: Any = import_module("numba.np.arrayobj")

        def generate(context: Any, builder: Any, call: Any, values: Any) -> Any:
            matrix = context.make_array(call.args[0])(context, builder, values[0])
            length = tools.unpack_tuple(builder, matrix.shape)[1]
            start = builder.mul(values[1], tools.unpack_tuple(builder, matrix.strides)[0])
            made = context.make_array(call.return_type)(context, builder)
            arrays.populate_array(
                made,
                data=tools.pointer_add(builder, matrix.data, start),
                shape=[length],
                strides=[matrix.itemsize],
                itemsize=matrix.itemsize,
                meminfo=None,  # the matrix outlives it
            )
            return made._getvalue()

        def typed(context: Any, a: Any, i: Any) -> Any:
            return types.Array(a.dtype, 1, "C", readonly=not a.mutable)(a, types.int64), generate

        return intrinsic(typed)


row = _Row(row_loop)
