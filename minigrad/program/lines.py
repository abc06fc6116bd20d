"""What an instruction is in a replay on the processor: its kernel's loops, a small loop, or a line of Python."""

from __future__ import annotations

from typing import Any

import numpy as np
from minigrad_kernels import entrywise, softmax_xent

from minigrad.program.functions import Function, Method, OfKernel, OfNumPy, Operator, literal
from minigrad.program.instructions import Instruction
from minigrad.program.steps import Step
from minigrad.program.updating import Coefficients

_NOTED = frozenset(
    {
        "linear_forward", "linear_backward", "linear_backward_input", "linear_backward_weight",
        "linear_backward_bias", "linear_backward_activation", "dropout",
        "softmax_xent_mean_forward_backward", "softmax_xent_mean_backward",
    }
)  # fmt: skip
"""Kernels that do all of their arithmetic in loops, and in functions of NumPy's that they name as a ``Host``."""

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


def as_loop(function: Function, args: Any, options: Any, result: Any) -> Step | None:
    """Return a small array's function as a loop with NumPy's bits, where there is one."""
    if not isinstance(result, np.ndarray):
        return None
    if function.name == "np.mean" and not result.ndim:
        a = args[0]
        few = a.flags.c_contiguous and 0 < a.size <= softmax_xent.AT_ONCE and a.dtype.char in "fd"
        plain = all(each is None or each is False for each in (*args[1:], *options.values()))
        return Step(softmax_xent.mean_of_few, (a.reshape(-1), result.reshape(1))) if few and plain else None
    found = None if options else entrywise.find(function.name, args, result)
    return None if found is None else Step(*found)


def into(instruction: Instruction, function: Function, args: Any, result: Any) -> str:
    """Return the statement that computes a result into the array that it has."""
    name, (arguments, options) = instruction.result.name, (instruction.arguments, instruction.options)
    call = function.text(arguments, options)
    if not isinstance(result, np.ndarray):
        return f"{name} = {call}"
    if isinstance(function, OfNumPy) and function.is_ufunc:
        return f"{call[:-1]}, out={name})"
    if isinstance(function, Coefficients):
        optimizer, clip, _ = args
        if type(clip) is float and function.own.is_all_of(optimizer) and function.is_constant(optimizer):
            return f"{function.name}_into({', '.join(map(literal, arguments[:2]))}, {name})"
        return f"{name}[:] = {function.name}_as_numbers({', '.join(map(literal, arguments[:2]))})"
    if isinstance(function, Operator) and function.name in _UFUNCS and len(arguments) == 2:
        return f"{_UFUNCS[function.name]}({', '.join(map(literal, arguments))}, out={name})"
    if isinstance(function, Method) and function.name == ".random":
        return f"{literal(arguments[0])}.random(dtype={literal(options['dtype'])}, out={name})"
    return f"{name}[...] = {call}"
