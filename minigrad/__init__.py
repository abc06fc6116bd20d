"""minigrad: a from-scratch autodiff and optimizer engine for learning, and for keeping."""

from minigrad import nn, ops, optim
from minigrad.backend import default_dtype, generator, set_default_dtype
from minigrad.check import gradcheck
from minigrad.debug import debug
from minigrad.functional import grad, value_and_grad
from minigrad.modes import accumulate, enable_grad, hooks, is_grad_enabled, no_grad
from minigrad.operation import Operation, Record, define
from minigrad.tape import Step, gradients, steps, tape
from minigrad.tensor import Tensor
from minigrad.threads import set_threads, threads

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
    "set_default_dtype",
    "set_threads",
    "steps",
    "tape",
    "threads",
    "value_and_grad",
]
