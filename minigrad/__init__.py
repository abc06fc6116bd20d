"""minigrad: a from-scratch autodiff and optimizer engine for learning, and for keeping."""

# ruff: noqa: I001 (these two come first: a signal may arrive at any time, and the others stand on the kernels)
from minigrad import stopping as stopping
from minigrad import environment as environment

from typing import TYPE_CHECKING, Any

from minigrad import nn, ops, optim
from minigrad.backend import default_dtype, generator, set_default_dtype
from minigrad.check import gradcheck
from minigrad.debug import debug
from minigrad.functional import grad, value_and_grad
from minigrad.memory import keep_freed_memory
from minigrad.modes import accumulate, enable_grad, hooks, is_grad_enabled, no_grad, unfused
from minigrad.operation import Operation, Record, define
from minigrad.tape import Step, gradients, steps, tape
from minigrad.tensor import Tensor
from minigrad.threads import set_threads, threads

if TYPE_CHECKING:
    from minigrad import viz
    from minigrad.viz.recorder import record

keep_freed_memory()

__version__ = "0.1.0"

__all__ = [
    "Operation",
    "Record",
    "Step",
    "Tensor",
    "accumulate",
    "debug",
    "default_dtype",
    "define",
    "enable_grad",
    "generator",
    "grad",
    "gradcheck",
    "gradients",
    "hooks",
    "is_grad_enabled",
    "nn",
    "no_grad",
    "ops",
    "optim",
    "record",
    "set_default_dtype",
    "set_threads",
    "steps",
    "tape",
    "threads",
    "unfused",
    "value_and_grad",
    "viz",
]


def __getattr__(name: str) -> Any:
    """Import what draws and records when it is first asked for: most programs never do."""
    if name == "record":
        from minigrad.viz.recorder import record

        return record
    if name == "viz":
        from importlib import import_module

        return import_module("minigrad.viz")
    raise AttributeError(f"module 'minigrad' has no attribute {name!r}")
