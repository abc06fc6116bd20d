"""Formulas as expressions: traced from the function that one reads, printed as loops, CUDA and text, evaluated."""

from minigrad.symbols.expression import (
    Call,
    Expression,
    NoExpression,
    Number,
    Symbol,
    evaluate,
    key,
    named,
    same,
)
from minigrad.symbols.tracing import Traced, trace

__all__ = [
    "Call",
    "Expression",
    "NoExpression",
    "Number",
    "Symbol",
    "Traced",
    "evaluate",
    "key",
    "named",
    "same",
    "trace",
]
