"""minigrad: a from-scratch autodiff and optimizer engine for learning, and for keeping."""

# ruff: noqa: I001 (these two come first: a signal may arrive at any time, and the others stand on the kernels)
from minigrad import stopping as stopping
from minigrad import environment as environment

import warnings
from typing import TYPE_CHECKING, Any

from minigrad import nn, ops, optim, registry, words
from minigrad.backend import default_dtype, generator, set_default_dtype
from minigrad.check import gradcheck
from minigrad.creation import (
    arange,
    eye,
    from_numpy,
    full,
    linspace,
    ones,
    ones_like,
    tensor,
    zeros,
    zeros_like,
)
from minigrad.debug import debug
from minigrad.functional import grad, gradients, value_and_grad
from minigrad.memory import keep_freed_memory
from minigrad.modes import accumulate, enable_grad, hooks, is_grad_enabled, no_grad, unfused
from minigrad.operation import Operation, define
from minigrad.ops.words import concatenate as cat
from minigrad.ops.words import stack
from minigrad.records import Record
from minigrad.tape import Step, tape
from minigrad.tensor import Tensor, steps
from minigrad.threads import set_threads, threads
from minigrad.version import __version__ as __version__

if TYPE_CHECKING:
    from minigrad import program, viz
    from minigrad.program import compile
    from minigrad.viz.recorder import record

keep_freed_memory()

__all__ = [
    "Operation",
    "Record",
    "Step",
    "Tensor",
    "accumulate",
    "arange",
    "cat",
    "compile",
    "debug",
    "default_dtype",
    "define",
    "enable_grad",
    "eye",
    "from_numpy",
    "full",
    "generator",
    "grad",
    "gradcheck",
    "gradients",
    "hooks",
    "is_grad_enabled",
    "linspace",
    "nn",
    "no_grad",
    "ones",
    "ones_like",
    "ops",
    "optim",
    "program",
    "record",
    "set_default_dtype",
    "set_threads",
    "stack",
    "steps",
    "tape",
    "tensor",
    "threads",
    "unfused",
    "value_and_grad",
    "viz",
    "zeros",
    "zeros_like",
]


def __getattr__(name: str) -> Any:
    """Import what draws and records when it is first asked for: most programs never do."""
    if name == "record":
        from minigrad.viz.recorder import record

        return record
    if name == "viz":
        from importlib import import_module

        return import_module("minigrad.viz")
    if name == "compile":
        from minigrad.program import compile

        return compile
    if name == "program":
        from importlib import import_module

        return import_module("minigrad.program")
    if name == "table":
        warnings.warn("mg.table is called mg.registry now", DeprecationWarning, stacklevel=2)
        return registry
    raise words.no_name(__name__, name, __all__)
