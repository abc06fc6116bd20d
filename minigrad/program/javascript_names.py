"""What NumPy's functions are called on a page, and what they take there; see ``javascript``."""

from __future__ import annotations

import json
from typing import NoReturn

import numpy as np

from minigrad.errors import ProgramError
from minigrad.program import messages, source
from minigrad.program.functions import Attribute, Function, InPlace, Method, OfNumPy, Operator
from minigrad.program.instructions import Instruction, Value

OPERATORS = {
    "+": "add", "-": "subtract", "*": "multiply", "/": "divide", "@": "matmul", "**": "power", "//": "floor_divide",
    "%": "remainder", "<": "less", "<=": "less_equal", ">": "greater", ">=": "greater_equal", "==": "equal",
    "!=": "not_equal", "&": "logical_and", "|": "logical_or", "^": "logical_xor",
}  # fmt: skip
SIGNS = {"-": "negative", "+": "positive", "~": "logical_not"}

ENTRYWISE = frozenset({
    "absolute", "add", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh", "cbrt", "ceil",
    "copysign", "cos", "cosh", "degrees", "divide", "equal", "erf", "erfc", "exp", "exp2", "expit", "expm1", "fabs",
    "floor", "floor_divide", "fmax", "fmin", "greater", "greater_equal", "hypot", "isfinite", "isnan", "less",
    "less_equal", "log", "log10", "log1p", "log2", "logaddexp", "logaddexp2", "logical_and", "logical_not",
    "logical_or", "logical_xor", "matmul", "maximum", "minimum", "multiply", "ndtr", "negative", "not_equal",
    "positive", "power", "radians", "reciprocal", "remainder", "rint", "sign", "signbit", "sin", "sinh", "sqrt",
    "square", "subtract", "tan", "tanh", "trunc", "where",
})  # fmt: skip

EXPRESSIONS = {
    "add": "{} + {}", "subtract": "{} - {}", "multiply": "{} * {}", "divide": "{} / {}", "negative": "-{}",
    "positive": "{}", "square": "{0} * {0}", "reciprocal": "1 / {}", "where": "{} ? {} : {}", "greater": "{} > {}",
    "greater_equal": "{} >= {}", "less": "{} < {}", "less_equal": "{} <= {}", "equal": "{} === {}",
    "not_equal": "{} !== {}",
    **{name: f"Math.{other}({{}})" for name, other in {
        "sqrt": "sqrt", "exp": "exp", "log": "log", "tanh": "tanh", "absolute": "abs", "sin": "sin", "cos": "cos",
        "floor": "floor", "ceil": "ceil", "log1p": "log1p", "expm1": "expm1",
    }.items()},
}  # fmt: skip
"""What JavaScript has a sign or a function of its own for; all others of ``ENTRYWISE`` are in ``numpy.entries``."""

_FOLDING = "axis keepdims"
_LIKE = "dtype shape"
OPTIONS = {
    "sum": "axis dtype keepdims", "mean": _FOLDING, "max": "axis keepdims initial", "min": "axis keepdims initial",
    "var": "axis ddof keepdims", "std": "axis ddof keepdims", "prod": _FOLDING, "any": _FOLDING, "all": _FOLDING,
    "argmax": _FOLDING, "argmin": _FOLDING, "cumsum": "axis dtype", "cumprod": "axis",
    "ones_like": _LIKE, "zeros_like": _LIKE, "empty_like": _LIKE, "full_like": _LIKE,
    "take": "axis", "take_along_axis": "axis", "put_along_axis": "axis",
}  # fmt: skip
"""The options that a function takes in an object behind its arrays, whether they stood by name or by place."""

ARRAYS = {"full_like": 2, "take": 2, "take_along_axis": 2, "put_along_axis": 3}
"""How many arrays a function takes, where that is not one."""

PLACES = {
    "sum": "axis dtype out keepdims", "mean": "axis dtype out keepdims", "max": "axis out keepdims",
    "min": "axis out keepdims", "var": "axis dtype out ddof", "std": "axis dtype out ddof",
    "prod": "axis dtype out keepdims", "any": "axis out keepdims", "all": "axis out keepdims", "argmax": "axis out",
    "argmin": "axis out", "cumsum": "axis dtype out", "cumprod": "axis dtype out", "take": "axis out",
    "take_along_axis": "axis", "put_along_axis": "axis", "ones_like": "dtype", "zeros_like": "dtype",
    "empty_like": "dtype", "full_like": "dtype",
}  # fmt: skip
"""What stands behind a function's arrays by place, as NumPy has it."""

SHAPING = {
    "reshape": "shape", "transpose": "axes", "swapaxes": "axis1 axis2", "moveaxis": "source destination",
    "expand_dims": "axis", "squeeze": "axis", "broadcast_to": "shape", "flip": "axis", "concatenate": "axis",
    "stack": "axis", "pad": "pad_width constant_values", "copy": "", "astype": "dtype", "asarray": "dtype", "ravel": "",
    "clip": "a_min a_max", "sliding_window_view": "window_shape axis",
}  # fmt: skip
"""Functions whose arguments stand by place in JavaScript, those behind the array as named here."""

OTHERWISE = {
    "amax": "max", "amin": "min", "abs": "absolute", "true_divide": "divide", "add.reduce": "sum",
    "maximum.reduce": "max", "minimum.reduce": "min", "add.at": "add_at", "multiply.reduce": "prod",
    "bitwise_and": "logical_and", "bitwise_or": "logical_or", "invert": "logical_not", "deg2rad": "radians",
    "rad2deg": "degrees", "flatten": "ravel", "float_power": "power", "ascontiguousarray": "asarray",
    "array": "copy", "pow": "power",
}  # fmt: skip
"""Names under which a page has a function of NumPy's that is called otherwise."""

IGNORED = frozenset({"casting", "order", "subok", "copy", "optimize", "writeable"})
"""Options that change no number."""

TYPES = {
    "float32": "float32", "float64": "float64", "bool": "bool",
    **dict.fromkeys(("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"), "int64"),
}  # fmt: skip
"""What a dtype is on a page; whole numbers are exact up to 2⁵³."""


def called(function: Function, count: int) -> str:
    """Return what a page calls a function of so many arguments."""
    if isinstance(function, Operator):
        symbol = function.name.removesuffix("=") if isinstance(function, InPlace) else function.name
        return SIGNS.get(symbol, symbol) if count == 1 else OPERATORS.get(symbol, symbol)
    if isinstance(function, Attribute):
        return "transpose"
    if isinstance(function, Method):
        name = function.name.removeprefix(".")
    elif isinstance(function, OfNumPy):
        name = function.name.removeprefix("np.").removeprefix("scipy.special.")
        name = name.removeprefix("lib._stride_tricks_impl.").removeprefix("lib.stride_tricks.")
    else:
        name = function.name
    return OTHERWISE.get(name, name)


def property_of(value: Value) -> str:
    """Return a value as a property of the object of all values."""
    plain = value.name.isidentifier() and value.name.isascii()
    return f"v.{value.name}" if plain else f"v[{json.dumps(value.name)}]"


def type_name(value: Value, instruction: Instruction) -> str:
    """Return what an array's dtype is called on a page; MG-670 for half precision and complex numbers."""
    if value.shape is None:
        return "number"
    found = TYPES.get(np.dtype(value.dtype).name)
    if found is None:
        unknown(instruction, f"{value.dtype} arrays")
    return found


def unknown(instruction: Instruction, what: str = "") -> NoReturn:
    """Raise MG-670: a page has no function for an instruction, or none for ``what`` of it."""
    raise ProgramError("MG-670", messages.no_javascript(instruction, what, source.place(instruction)))
