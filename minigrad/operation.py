"""An operation: what ``np.sin`` on a Tensor runs. It computes, and records where a gradient is required.

``define`` makes one of a function, its formula and its gradient rules, and enters it into the registry.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad import backend, messages, registry, switches, words
from minigrad.backend import Array
from minigrad.errors import DtypeError, MinigradError, OperationError
from minigrad.failures import explained, with_origin
from minigrad.forms import bind, in_all_forms, listed
from minigrad.records import Record, Version
from minigrad.rules import Formula, Primitive, Rule
from minigrad.symbols.expression import Formal, as_computed
from minigrad.tensor import Tensor, register_methods, unwrap, wrap
from minigrad.versions import CONSTANTS, settle, settled_parameters


class Operation(Primitive):
    """A primitive that can be called, on anything.

    On bare arrays it just computes. On at least one Tensor it also records, so rules that are written with operations
    and NumPy functions are differentiable themselves.
    """

    computed: Callable[..., Any] | None = None
    """What ``forward`` computes, as a formula of single entries, where that is more than the textbook's."""

    def __deepcopy__(self, memo: Any) -> Operation:
        """Like a function, it is itself in a copy of what holds it."""
        return self

    def __call__(self, *args: Any, **params: Any) -> Any:
        """Compute; and record, where a Tensor is among the arguments."""
        if not self.variadic and len(args) != len(self.inputs):
            args = bind(self, args, params)
        for name, param in params.items():
            if name not in self.params:
                return self(
                    *args, **words.translated(self.name, [*self.inputs[len(args) :], *self.params], params)
                )
            if isinstance(param, Tensor):
                raise OperationError("MG-605", messages.tensor_as_parameter(self.name, name, param.name))
        for argument in args:
            if isinstance(argument, Tensor):
                return apply(self, args, params)
        if self.textbook is not None:
            for argument in args:
                if isinstance(argument, Formal):
                    read = self.computed if as_computed.get() and self.computed else self.textbook
                    return read(*args, **params)
        result = self.forward(*args, **params)
        return result[0] if self.saves else result


_DOUBLE = np.dtype(np.float64)


def apply(operation: Operation, inputs: tuple[Any, ...], params: dict[str, Any]) -> Tensor:
    """Run ``operation`` on the inputs' arrays, and record it where a gradient may be wanted."""
    bare: list[int] = []
    tracked: list[bool] = []
    arrays: list[Any] = []
    versions: list[int | None] = []
    if (trace := switches.tracing.get()) is not None:
        trace.enter(inputs)
    for x in inputs:
        if isinstance(x, Tensor):
            arrays.append(x._data)
            versions.append(x.version.number)
            tracked.append(x.requires_grad)
        else:
            arrays.append(
                listed(x, operation, inputs) if isinstance(x, (list, tuple)) else backend.operand(x)
            )
            versions.append(None)
            tracked.append(False)
            if x.__class__ not in CONSTANTS:
                bare.append(len(arrays) - 1)
    try:
        value = operation.forward(*arrays, **params)
        if getattr(value, "dtype", None) is _DOUBLE and (narrower := backend.narrow(arrays)):
            versions = [
                v if new is old else None for v, new, old in zip(versions, narrower, arrays, strict=True)
            ]
            arrays = narrower
            value = operation.forward(*arrays, **params)
    except DtypeError as error:
        raise with_origin(error, inputs) from None
    except MinigradError:
        raise
    except Exception as error:
        raise (explained(operation, error, inputs, arrays, params) or error) from error
    saved: tuple[Array, ...] = ()
    if operation.saves:
        value, *rest = value
        saved = tuple(rest)
    if value.__class__ is not np.ndarray:
        value = backend.as_0d_array(value)
    version = _shared_version(value, inputs)
    if not (
        True in tracked and operation.differentiable and switches.recording.get() and value.dtype.kind == "f"
    ):
        return wrap(value, None, version)
    checksums = settle(arrays, bare, operation.needed) if bare else None
    params = {**operation.params, **settled_parameters(params)} if params else operation.params
    versions.append(version.number)
    record = Record(
        operation, inputs, tuple(arrays), params, value, version, versions, saved, checksums, tracked
    )
    output = wrap(value, record, version)
    for hook in switches.hooked.get().forward:
        hook(record, output)
    return output


def _shared_version(value: Array, inputs: tuple[Any, ...]) -> Version:
    try:
        base = value.base
    except AttributeError:
        raise OperationError("MG-608", messages.another_library(type(value))) from None
    for x in inputs:
        if isinstance(x, Tensor) and (
            value is x._data or (base is not None and (base is x._data or base is x._data.base))
        ):
            return x.version
    return Version()


def define(
    name: str,
    forward: Callable[..., Array],
    formula: str | tuple[str, Callable[..., Any]],
    *rules: Callable[..., Any] | tuple[Formula, Callable[..., Any]] | None,
    inputs: str = "a b",
    params: dict[str, Any] | None = None,
    variadic: bool = False,
    saves: dict[str, Callable[..., Any]] | None = None,
    joint_vjp: Callable[..., Sequence[Array | None]] | None = None,
    of: Callable[..., Any] | None = None,
    method: str | None = None,
    explain: Callable[..., MinigradError | None] | None = None,
) -> Operation:
    """Define an operation and enter it into the table; one of the user's own of that name is replaced.

    Each rule is a function which names what it needs among ``g`` (the incoming gradient), ``y`` (the result), the
    inputs, their shapes (``a_shape``), what ``forward`` ``saves`` and the parameters. What no rule names is not saved.
    A rule returns a new array, ``g`` itself, or a view of either. Its formula is printed from it:
    ``lambda g, a: g * np.cos(a)`` is g · cos(a). A pair says it otherwise: a text and the function, where the rule
    is no formula of single entries; or the textbook's function and the one that computes. ``formula`` too may be a
    pair, of the text and the textbook's function, where ``forward`` is not what one wants to read.

    ``of`` is the NumPy function that the operation stands for (``forward`` itself where that is a ufunc);
    ``method`` the name under which Tensors offer it. Raises OperationError MG-603 where the name is one of minigrad's
    own operations, or a rule asks for what there is not.
    """
    builtin = sys._getframe(1).f_globals.get("__name__", "").startswith("minigrad.")
    if not builtin:
        registry.load()  # or one that waits would take the name, and the NumPy function, afterwards
    before = registry.operations.get(name)
    if before is not None and before.builtin:
        raise OperationError(
            "MG-603", f"there is an operation named {name!r} in minigrad already; choose another name."
        )
    names = inputs.split()[: len(rules)] if isinstance(forward, np.ufunc) else inputs.split()
    defaults = params or {}
    made = [
        rule
        and Rule(
            f"{name}_vjp_{i}",
            *(rule if isinstance(rule, tuple) else (None, rule)),
            inputs=names,
            params=defaults,
            saves=tuple(saves or ()),
            variadic=variadic,
        )
        for i, rule in enumerate(rules)
    ]
    if not variadic and len(rules) != len(names):
        raise OperationError(
            "MG-603", f"operation {name!r} has inputs {names} but {len(rules)} gradient rules."
        )
    text, textbook = (formula, None) if isinstance(formula, str) else formula
    operation = Operation(
        name,
        forward,
        text,
        made,
        names,
        defaults,
        variadic=variadic,
        saves=saves,
        joint_vjp=joint_vjp,
        explain=explain,
        textbook=textbook,
    )
    operation.builtin = builtin
    if before is not None:
        _withdraw(before)
    registry.operations[name] = operation
    keys: list[tuple[dict[Any, Any], Any]] = []
    function = forward if isinstance(forward, np.ufunc) else of
    if function is not None:
        keys.append((registry.functions, function))
    if method is not None:
        keys.append((registry.methods, method))
    there = [entries.get(key) for entries, key in keys]
    if function is not None:
        stands_for(function, operation)
    if method is not None:
        register_methods(**{method: operation})
    operation.entered = [
        (entries, key, entries[key], old) for (entries, key), old in zip(keys, there, strict=True)
    ]
    return operation


def _withdraw(operation: Primitive) -> None:
    """Take a replaced operation out of the registry: what it stood for is again what it was before."""
    for entries, key, entered, before in operation.entered:
        if entries.get(key) is entered:
            if before is None:
                del entries[key]
            else:
                entries[key] = before


def stands_for(function: Callable[..., Any], run: Callable[..., Any], formula: str | None = None) -> None:
    """Let ``run``, an operation or a function that is made of some, run for a NumPy function on Tensors.

    A composition has a ``formula``, which the documentation shows: ``"Σ w a / Σ w"``.
    """
    if formula is not None:
        registry.compositions[function] = formula
    if isinstance(function, np.ufunc):  # whose other options Tensor's __array_ufunc__ has refused
        registry.functions[function] = run
        if not isinstance(run, Operation):
            parameters = inspect.signature(run).parameters.values()
            registry.options[function] = {p.name for p in parameters if p.default is not p.empty}
        return
    registry.functions[function] = _in_all_forms(function, run)


def with_options(function: Callable[..., Any], run: Callable[..., Any]) -> None:
    """Let ``run`` run for the calls of a NumPy function with options that its operation has not."""
    registry.fuller[function] = _in_all_forms(function, run)


def _in_all_forms(function: Callable[..., Any], run: Callable[..., Any]) -> Callable[..., Any]:
    if isinstance(run, Operation):
        names, inputs = [*run.inputs, *run.params], len(run.inputs)
    else:
        parameters = inspect.signature(run).parameters.values()
        names, inputs = [p.name for p in parameters], sum(p.default is p.empty for p in parameters)
    return in_all_forms(function, run, names, inputs)


def without_gradient(function: Callable[..., Any], why: str, run: Callable[..., Any] | None = None) -> None:
    """Let a NumPy function, or ``run`` in its place, run on the bare arrays of its Tensors, and record nothing.

    ``why`` says why it has no gradient, for the documentation: ``"places are whole numbers"``.
    """
    registry.functions[function] = run or on_arrays(function)
    registry.constants[function] = why


def on_arrays(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return what runs ``function`` on the bare arrays of its Tensors.

    Arrays come back as Tensors without a graph; Python's values, NumPy's scalars and arrays that no Tensor holds
    (complex numbers, text) as they are.
    """

    def run(*args: Any, **kwargs: Any) -> Any:
        return _wrapped(function(*unwrap(args), **{name: unwrap(value) for name, value in kwargs.items()}))

    run.__name__, run.__doc__ = function.__name__, f"``np.{function.__name__}`` of bare arrays."
    return run


def _wrapped(result: Any) -> Any:
    if isinstance(result, (tuple, list)):
        parts = [_wrapped(part) for part in result]
        return type(result)(*parts) if hasattr(result, "_fields") else type(result)(parts)
    return (
        Tensor(result) if backend.backend_of(result) is not None and backend.holds(result.dtype) else result
    )


registry.on_arrays = on_arrays
