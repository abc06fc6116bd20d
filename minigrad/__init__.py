"""minigrad: a from-scratch autodiff and optimizer engine for learning, and for keeping."""

# ruff: noqa: I001 (these two come first: a signal may arrive at any time, and the others stand on the kernels)
from minigrad import stopping as stopping
from minigrad import environment as environment

from typing import TYPE_CHECKING, Any

from minigrad import nn, ops, optim, registry, words
from minigrad.backend import default_dtype, generator, set_default_dtype
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
from minigrad.functional import grad, gradients, value_and_grad, vjp
from minigrad.memory import keep_freed_memory
from minigrad.modes import accumulate, enable_grad, hooks, is_grad_enabled, no_grad, unfused
from minigrad.operation import Operation, define
from minigrad.ops.words import concatenate as cat
from minigrad.ops.words import stack
from minigrad.records import Record
from minigrad.renamed import renamed
from minigrad.tape import Step, tape
from minigrad.tensor import Tensor, steps
from minigrad.threads import set_threads, threads
from minigrad.version import __version__ as __version__

if TYPE_CHECKING:
    from minigrad import program, viz
    from minigrad.check import gradcheck
    from minigrad.functional.borders import checkpoint, custom_gradient, stop_gradient
    from minigrad.functional.forward import jvp, linearize
    from minigrad.functional.matrices import hessian, hvp, jacobian
    from minigrad.nn.calling import functional_call
    from minigrad.program import compile
    from minigrad.viz.recorder import record

_RENAMED = {"table": ("registry", registry)}
_old_name = renamed(__name__, _RENAMED)

keep_freed_memory()

__all__ = [
    "Operation",
    "Record",
    "Step",
    "Tensor",
    "accumulate",
    "arange",
    "cat",
    "checkpoint",
    "compile",
    "custom_gradient",
    "debug",
    "default_dtype",
    "define",
    "enable_grad",
    "eye",
    "from_numpy",
    "full",
    "functional_call",
    "generator",
    "grad",
    "gradcheck",
    "gradients",
    "hessian",
    "hooks",
    "hvp",
    "is_grad_enabled",
    "jacobian",
    "jvp",
    "linearize",
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
    "stop_gradient",
    "tape",
    "tensor",
    "threads",
    "unfused",
    "value_and_grad",
    "viz",
    "vjp",
    "zeros",
    "zeros_like",
]


_LATER = {
    "checkpoint": "functional.borders",
    "compile": "program",
    "custom_gradient": "functional.borders",
    "functional_call": "nn.calling",
    "gradcheck": "check",
    "hessian": "functional.matrices",
    "hvp": "functional.matrices",
    "jacobian": "functional.matrices",
    "jvp": "functional.forward",
    "linearize": "functional.forward",
    "record": "viz.recorder",
    "stop_gradient": "functional.borders",
}


def __getattr__(name: str) -> Any:
    """Import what draws, records, checks and transforms functions when it is first asked for: most never do."""
    if name in _LATER or name in ("program", "viz"):
        from importlib import import_module

        module = import_module(f"minigrad.{_LATER.get(name, name)}")
        return getattr(module, name) if name in _LATER else module
    if name in _RENAMED:
        return _old_name(name)
    raise words.no_name(__name__, name, __all__)
