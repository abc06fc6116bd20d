"""What an instruction is in a replay on the processor: its kernel's loops, a small loop, or a line of Python."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from math import prod
from typing import Any

import numpy as np
from minigrad_kernels import blas, entrywise, moving, products
from minigrad_kernels.chains import Chain
from minigrad_kernels.driver import address_of
from minigrad_kernels.launch import Host, Loop
from minigrad_kernels.reductions import REDUCTIONS, reducing

from minigrad.program.functions import (
    Function,
    InPlace,
    Method,
    OfKernel,
    OfNumPy,
    Operator,
    SetItem,
    literal,
)
from minigrad.program.instructions import Instruction, Value
from minigrad.program.passes.chain import as_they_lie, single, stretched, unstretched
from minigrad.program.steps import Step
from minigrad.program.updating import Coefficients

_NOTED = frozenset(
    {
        "linear_forward", "linear_backward", "linear_backward_input", "linear_backward_weight",
        "linear_backward_bias", "linear_backward_activation", "dropout",
        "softmax_xent_mean_forward_backward", "softmax_xent_mean_backward",
        "normalize_forward", "normalize_backward", "normalize_batch_forward", "normalize_batch_backward",
        "embedding_gather", "embedding_scatter_add", "attention_forward", "attention_backward",
        "conv_forward", "conv_backward_input", "conv_backward_weight", "conv_backward_bias",
        "max_pool", "max_pool_backward", "mean_pool", "mean_pool_backward",
        "rnn_forward", "rnn_backward", "gru_forward", "gru_backward", "lstm_forward", "lstm_backward",
    }
)  # fmt: skip
"""Kernels that do all of their arithmetic in loops, and in functions of NumPy's that they name as a ``Host``."""

_COPIES = frozenset(
    {".copy", ".reshape", "np.reshape", "np.copy", "np.ascontiguousarray", ".ravel", "np.ravel"}
)
"""Functions whose result holds the entries of their first argument in its order."""

_ZEROS, _EMPTY = frozenset({"np.zeros_like", "np.zeros"}), frozenset({"np.empty_like", "np.empty"})

_UFUNCS = {
    "+": "np.add", "-": "np.subtract", "*": "np.multiply", "/": "np.true_divide", "@": "np.matmul",
    "<": "np.less", "<=": "np.less_equal", ">": "np.greater", ">=": "np.greater_equal",
}  # fmt: skip


def is_noted(function: OfKernel, args: Any, options: Any) -> bool:
    """Tell whether what a kernel does with these arrays is all in loops, and in what it names as a ``Host``."""
    kernel = function.kernel
    picked = kernel.pick(*args, **options)
    if picked is kernel.reference:
        return False
    in_one_piece = all(each.flags.c_contiguous for each in args if isinstance(each, np.ndarray))
    of_loops = hasattr(kernel.cpu, "loops") and in_one_piece  # those that it names, and nothing else
    return kernel.name in _NOTED or hasattr(kernel, "states") or of_loops


def as_step(what: Loop | Host, arguments: tuple[Any, ...]) -> Step:
    """Return what a kernel has run as a step; a function of NumPy's as the loop that does the same, if any."""
    if isinstance(what, Loop):
        return Step(what, arguments)
    product = blas.find(*arguments) if what is products.blas else None
    if product is not None:
        return Step(product, arguments)
    return Step(*(what.as_loop(*arguments) or (what, arguments)))


def alone(instruction: Instruction, env: Mapping[Value, Any], result: Any) -> Step | None:
    """Return a function of single entries as a chain of its own, where it is one."""
    function = single(instruction)
    args = [env[value] for value in (instruction.reads if function is None else function.given)]
    args = args if function is None else [unstretched(each) for each in args]
    if not all(each.flags.c_contiguous for each in (*args, result)):
        flat = None if function is None else as_they_lie((*args, result))
        if flat is None or function is None:
            return None
        chain, numbers = function.chain()
        return Step(Chain("chain", chain.links, flat[-1].shape), (*flat[:-1], *numbers, flat[-1]))
    if function is None:
        found = stretched(instruction, args, result)
        return None if found is None else Step(*found)
    chain, numbers = function.chain()
    return Step(chain, (*args, *numbers, result))


def as_steps(function: Function, args: Any, options: Any, result: Any) -> list[Step] | None:
    """Return what a function does as loops with NumPy's bits; None where Python has to do it."""
    if isinstance(function, SetItem):
        return _set(*args)
    if isinstance(function, InPlace):
        return _in_place(function.name.removesuffix("="), args, args[0])
    if "out" in options and len(options) == 1:
        (out,) = options["out"] if isinstance(options["out"], tuple) else (options["out"],)
        return _in_place(function.name, args, out)
    return _made(function, args, options, result) if isinstance(result, np.ndarray) else None


def _in_place(name: str, args: Any, out: Any) -> list[Step] | None:
    if any(isinstance(each, np.ndarray) and _overlap(each, out) for each in args):
        return None
    added = [each for each in args if each is not out] if name in ("+", "np.add") else []
    if len(added) == 1 and out.size == 1 and type(added[0]) is int:  # a count
        added = [np.full(out.shape, added[0], out.dtype)]
    if len(added) == 1 and isinstance(added[0], np.ndarray) and added[0].dtype == out.dtype:
        call = moving.add.as_loop(out, added[0])
    else:
        call = entrywise.find(name, args, out)
    return None if call is None else [Step(*call)]


def _overlap(a: Any, out: Any) -> bool:
    """Tell whether writing into an array may change entries of another one before they are read."""
    alike = a.shape == out.shape and a.strides == out.strides and address_of(a) == address_of(out)
    return np.may_share_memory(a, out) and not alike


def _set(array: Any, place: Any, new: Any) -> list[Step] | None:
    """Write into entries that lie in a view."""
    parts = place if isinstance(place, tuple) else (place,)
    if not all(each is None or each is ... or type(each) in (int, slice) for each in parts):
        return None
    view = array[parts if ... in parts else (*parts, ...)]
    return _copied(view, np.full(1, new, array.dtype) if isinstance(new, (int, float)) else new)


def _copied(out: Any, a: Any) -> list[Step] | None:
    overlap = isinstance(a, np.ndarray) and np.may_share_memory(out, a)
    call = None if overlap else moving.assign.as_loop(out, a)
    return None if call is None else [Step(*call)]


def _made(function: Function, args: Any, options: Any, result: Any) -> list[Step] | None:
    name = function.name
    if name in _EMPTY:
        return []
    if name in _ZEROS and not result.any():
        return _copied(result, np.zeros(1, result.dtype))
    if name in _COPIES and not options and result.flags.c_contiguous and args[0].size == result.size:
        in_order = not any(isinstance(each, str) for each in args)
        return _copied(result.reshape(args[0].shape), args[0]) if in_order else None
    if name == "np.concatenate" and result.ndim:
        axis = args[1] if len(args) > 1 else options.get("axis", 0)
        ends = np.cumsum([each.shape[axis] for each in args[0]])
        parts = [_copied(*pair) for pair in zip(np.split(result, ends[:-1], axis), args[0], strict=True)]
        return [step for part in parts for step in part or ()] if None not in parts else None
    if name in REDUCTIONS:
        return _reduced(name, result, *args, **options)
    found = None if options else entrywise.find(name, args, result)
    return None if found is None else [Step(*found)]


def _reduced(
    name: str, result: Any, a: Any, axis: Any = None, dtype: Any = None, keepdims: Any = False, **others: Any
) -> list[Step] | None:
    """Sum, or the like, over the last axes or over all, or sum over the first ones, where NumPy adds row after row."""
    if dtype is not None or others or not isinstance(a, np.ndarray) or not a.size or a.dtype != result.dtype:
        return None
    axes = range(a.ndim) if axis is None else axis if isinstance(axis, (tuple, list)) else (axis,)
    places = sorted(axis % a.ndim for axis in axes)
    if places == list(range(a.ndim - len(places), a.ndim)):
        call = reducing(name, a, result)
        return None if call is None else [Step(*call)]
    leading = places == list(range(len(places))) and name == "np.sum"
    if not (
        leading and a.flags.c_contiguous and a.dtype.char in "fd" and _by_rows(a.shape, len(places), a.dtype)
    ):
        return None
    return [Step(moving.sum_rows, (a.reshape(-1, result.size), result.reshape(-1)))]


@cache
def _by_rows(shape: tuple[int, ...], axes: int, dtype: np.dtype[Any]) -> bool:
    """Tell whether NumPy sums such an array over its first axes row after row."""
    rows = np.random.default_rng(0).standard_normal((prod(shape[:axes]), prod(shape[axes:]))).astype(dtype)
    total = rows[0].copy()
    for row in rows[1:]:
        total += row
    return bool(total.tobytes() == rows.reshape(shape).sum(axis=tuple(range(axes))).tobytes())


def into(instruction: Instruction, function: Function, args: Any, result: Any) -> str:
    """Return the statement that computes a result into the array that it has."""
    name, (arguments, options) = instruction.result.name, (instruction.arguments, instruction.options)
    call = function.text(arguments, options)
    if not isinstance(result, np.ndarray):
        return f"{name} = {call}"
    if isinstance(function, OfNumPy) and function.is_ufunc:
        return f"{call[:-1]}, out={name})"
    if isinstance(function, Coefficients):
        optimizer, clip = args[0], arguments[1]
        if type(clip) is float and function.own.is_all_of(optimizer) and function.is_constant(optimizer):
            return f"{function.name}_into({', '.join(map(literal, arguments[:2]))}, {name})"
        return f"{name}[:] = {function.name}_as_numbers({', '.join(map(literal, arguments[:2]))})"
    if isinstance(function, Operator) and function.name in _UFUNCS and len(arguments) == 2:
        return f"{_UFUNCS[function.name]}({', '.join(map(literal, arguments))}, out={name})"
    if isinstance(function, Method) and function.name == ".random":
        return f"{literal(arguments[0])}.random(dtype={literal(options['dtype'])}, out={name})"
    return f"{name}[...] = {call}"
