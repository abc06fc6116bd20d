"""Which line of the user's program is running: the first frame outside minigrad, its kernels and NumPy."""

from __future__ import annotations

import contextlib
import inspect
import os
import sys
from collections.abc import Callable, Mapping
from functools import cache
from types import CodeType
from typing import Any, NamedTuple

import numpy as np

_ROOTS = (
    os.path.dirname(os.path.abspath(__file__)) + os.sep,
    os.path.dirname(os.path.abspath(np.__file__)) + os.sep,  # a * b on Tensors passes through NumPy's mixin
)
_KERNELS = os.sep + "minigrad_kernels" + os.sep
_OTHERS = (
    "<frozen importlib._bootstrap>",
    contextlib.__file__,  # through which a ``with`` of ours is left
)


@cache
def is_internal(filename: str) -> bool:
    """Whether a file is minigrad's own, NumPy's, or one through which they call."""
    return filename in _OTHERS or filename.startswith(_ROOTS) or _KERNELS in filename


def sealed_in(module: Mapping[str, Any]) -> str:
    """Return what stands in the place of a module's texts where it keeps them from readers, else nothing."""
    return str(module.get("__sealed__", ""))


def sealed(function: Callable[..., Any]) -> str:
    """Return what stands in the place of a function's text where its module keeps it from readers, else nothing."""
    function = inspect.unwrap(getattr(function, "func", function))  # of a partial
    return sealed_in(getattr(function, "__globals__", {}))


class SourceLocation(NamedTuple):
    """A place in the user's program, kept as two pointers and resolved to a line only when it is read."""

    code: CodeType
    offset: int

    @property
    def filename(self) -> str:
        """Path of the source file."""
        return self.code.co_filename

    @property
    def line(self) -> int:
        """Line number, counted from 1."""
        positions = list(self.code.co_positions())
        return positions[self.offset // 2][0] or self.code.co_firstlineno

    def __str__(self) -> str:
        return f"{file_name(self.filename)} line {self.line}"


def file_name(filename: str) -> str:
    """What a reader knows a source file by: its name, or that it is a notebook's cell, whose file has a number."""
    folder, name = os.path.split(filename)
    return "cell" if "ipykernel_" in folder else name


_new = tuple.__new__  # SourceLocation(…) takes three times as long


def here(depth: int = 1) -> SourceLocation:
    """Return the innermost frame that is neither minigrad's own code nor NumPy's.

    A frame counts as internal by its file name, which is looked up once per file: this runs for every
    recorded operation. ``depth`` calls from here on are known to be internal, and are not looked at.
    """
    frame = sys._getframe(depth)
    while is_internal(frame.f_code.co_filename) and (caller := frame.f_back) is not None:
        frame = caller
    return _new(SourceLocation, (frame.f_code, frame.f_lasti))
