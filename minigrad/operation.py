"""What an operation is, and the record that is made when one runs on a tensor that requires a gradient."""

from __future__ import annotations

import inspect
import itertools
import sys
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

import numpy as np

from minigrad import backend, messages, modes, registry, words
from minigrad.backend import Array
from minigrad.errors import GradientError, MinigradError, OperationError
from minigrad.failures import explained
from minigrad.forms import in_all_forms, short
from minigrad.rules import Formula, Rule
from minigrad.source import SourceLocation, here
from minigrad.symbols.expression import Formal
from minigrad.tensor import Tensor, register_methods, wrap
from minigrad.versions import CONSTANTS, Version, checksum, settled, settled_parameter

_serial = itertools.count(1)


class Operation:
    """A differentiable operation: what it computes, and one gradient rule per input.

    Calling it on bare arrays just computes. Calling it on at least one Tensor also records, so rules that are
    written with operations and NumPy functions are differentiable themselves.

    ``rules`` holds one rule per input, None for an input without a gradient (an index, a condition); an
    operation on any number of arrays has a single rule, which also receives ``i``, the input asked for.
    ``saves`` names what ``forward`` returns beside the result because its rules need it, each with a function of the
    inputs which computes the same from operations, for a backward pass that shall itself be differentiable.
    ``joint_vjp(needs_grad, g, y, *inputs, *saved)`` may give the gradients of all inputs in one go, as exactly as the
    rules, on bare arrays: a sequence of arrays, one for each input, of which those in ``needs_grad`` count; new
    ones, or what ``forward`` saved, which the record needs no more.
    ``explain(error, *inputs, **params)`` may turn a failure of ``forward`` into a message that teaches.
    ``textbook(*inputs, **params)`` is the plain formula, where ``forward`` takes detours that keep it from overflowing:
    what is read where a formula is explained, and never run.
    """

    builtin = False
    entered: Sequence[tuple[dict[Any, Any], Any, Any, Any]] = ()
    """Where it was entered: a registry, the key, what stands there now and what stood there before."""

    def __init__(
        self,
        name: str,
        forward: Callable[..., Array],
        formula: str,
        rules: Sequence[Rule | None],
        inputs: Sequence[str],
        params: dict[str, Any],
        *,
        variadic: bool = False,
        saves: dict[str, Callable[..., Any]] | None = None,
        joint_vjp: Callable[..., Sequence[Array | None]] | None = None,
        explain: Callable[..., MinigradError | None] | None = None,
        textbook: Callable[..., Any] | None = None,
    ) -> None:
        self.saves, self.joint_vjp, self.textbook = saves or {}, joint_vjp, textbook
        self.name, self.forward, self.formula, self.rules = name, forward, formula, rules
        self.inputs, self.params, self.variadic, self.explain = inputs, params, variadic, explain
        self.differentiable = any(rules)
        needed = {i for rule in rules if rule is not None for i in rule.needs(len(inputs)) if i >= 0}
        self.needed: Collection[int] | None = None if variadic or saves else needed  # None: all inputs
        self.__name__ = name
        self.__doc__ = f"{name}: {formula}"

    def __call__(self, *args: Any, **params: Any) -> Any:
        """Compute; and record, where a Tensor is among the arguments."""
        if not self.variadic and len(args) != len(self.inputs):
            args = self._bind(args, params)
        for name, param in params.items():
            if name not in self.params:
                return self(
                    *args, **words.translated(self.name, [*self.inputs[len(args) :], *self.params], params)
                )
            if isinstance(param, Tensor):
                raise OperationError(
                    "MG-605",
                    f"{self.name} has no gradient rule for its parameter {name!r}, which is a Tensor here. "
                    f"Give a number, or {name}={param.name or 'tensor'}.numpy() where no gradient is needed.",
                )
        for argument in args:
            if isinstance(argument, Tensor):
                return apply(self, args, params)
        if self.textbook is not None and any(isinstance(argument, Formal) for argument in args):
            return self.textbook(*args, **params)
        result = self.forward(*args, **params)
        return result[0] if self.saves else result

    def __repr__(self) -> str:
        return f"<operation {self.name}: {self.formula}>"

    def _bind(self, args: tuple[Any, ...], params: dict[str, Any]) -> tuple[Any, ...]:
        """Sort out parameters that were given by position, and inputs that were given by name."""
        further = args[len(self.inputs) :]
        if len(further) > len(self.params) or any(
            name in params for name, _ in zip(self.params, further, strict=False)
        ):
            raise OperationError(
                "MG-215", f"{self.name} got too many arguments: {self.usage(len(args), params)}"
            )
        params.update(zip(self.params, further, strict=False))
        args = args[: len(self.inputs)]
        for name in self.inputs[len(args) :]:
            if name in params:
                args += (params.pop(name),)
        return args

    def usage(self, count: int, params: dict[str, Any]) -> str:
        """Say what the operation takes, beside what it was given."""
        by_name = "".join(f" and {name}=" for name in params)
        takes = ", ".join([*self.inputs, *(f"{name}={short(value)}" for name, value in self.params.items())])
        return f"it takes {takes or 'arrays'}; it was given {count} by position{by_name}."

    def rule(self, i: int) -> Rule | None:
        """Return the rule for input ``i``."""
        return self.rules[0] if self.variadic else self.rules[i]


class Record:
    """One operation that ran: its serial number, inputs, result, and where in the user's program."""

    __slots__ = (
        "arrays",
        "checksums",
        "consumed",
        "inputs",
        "location",
        "operation",
        "params",
        "saved",
        "serial",
        "tracked",
        "value",
        "version",
        "versions",
    )

    operation: Operation
    inputs: tuple[Any, ...]
    arrays: tuple[Any, ...]
    saved: tuple[Array, ...]
    params: dict[str, Any]
    value: Array

    def __init__(
        self,
        operation: Operation,
        inputs: tuple[Any, ...],
        arrays: tuple[Any, ...],
        params: dict[str, Any],
        value: Array,
        version: Version,
        versions: list[int],
        saved: tuple[Array, ...],
        checksums: dict[int, int] | None,
        tracked: list[bool],
    ) -> None:
        self.serial = next(_serial)
        self.operation = operation
        self.inputs = inputs
        self.arrays = arrays
        self.saved = saved
        self.params = params
        self.value = value
        self.location = here(4)  # past this, apply, and the operation's call
        self.consumed: SourceLocation | None = None
        self.version = version
        self.versions = versions
        self.checksums, self.tracked = checksums, tracked
        if modes.checksumming.get():
            self.checksums = dict(enumerate(map(checksum, arrays))) | {-1: checksum(value)}

    def __repr__(self) -> str:
        inputs = ", ".join(x.label if isinstance(x, Tensor) else str(np.shape(x)) for x in self.inputs)
        return (
            f"<record {self.serial}: {self.operation.name}({inputs}) -> {self.value.shape}, {self.location}>"
        )

    def release(self, walker: SourceLocation) -> None:
        """Let go of everything that only a backward walk needs, and remember who walked."""
        self.consumed = walker
        self.inputs = self.arrays = self.saved = ()
        self.versions = []
        self.value = None

    def saved_again(self) -> list[Any]:
        """Compute what ``forward`` saved once more, from the inputs and recorded like anything else."""
        return [again(*self._recorded_inputs(), **self.params) for again in self.operation.saves.values()]

    def _recorded_inputs(self) -> list[Any]:
        """The inputs as they were: Tensors, whose versions tell, and what was kept of bare arrays."""
        return [x if isinstance(x, Tensor) else a for x, a in zip(self.inputs, self.arrays, strict=True)]

    def contributions(self, incoming: Any, output: Tensor | None = None) -> list[tuple[int, Any]]:
        """Return dL/d(input) through this record alone, for each input that asks for it: (position, gradient).

        ``incoming`` is dL/d(output): a bare array; or a Tensor, and ``output`` is given, where what is computed here
        shall itself be recorded. Raises MG-205 where a value that is needed was written in place meanwhile.
        """
        operation, versions, kept, tracked = self.operation, self.versions, self.arrays, self.tracked
        rules = {}
        look_closer = self.version.number != versions[-1] or self.checksums is not None
        for i, x in enumerate(self.inputs):
            if isinstance(x, Tensor):
                look_closer = look_closer or x.version.number != versions[i] or x._data is not kept[i]
                if tracked[i] and x.requires_grad:
                    rule = operation.rules[0 if operation.variadic else i]
                    if rule is not None:
                        rules[i] = rule
        if look_closer:
            for rule in rules.values():
                self._check_unchanged(rule.needs(len(self.inputs)))
            if output is not None and operation.saves:
                self._check_unchanged(range(len(self.inputs)))
        value: Any = self.value
        arrays: tuple[Any, ...] = (*self.arrays, *self.saved)
        if output is not None:
            value, arrays = output, (*self._recorded_inputs(), *self.saved_again())
        elif operation.joint_vjp is not None:
            gradients = operation.joint_vjp(rules, incoming, value, *arrays)
            return [(i, gradients[i]) for i in rules]
        return [
            (i, backend.as_0d_array(rule(i, incoming, value, arrays, self.params)))
            for i, rule in rules.items()
        ]

    def _check_unchanged(self, positions: Iterable[int]) -> None:
        for i in positions:
            x = self if i < 0 else self.inputs[i]
            version = x.version if isinstance(x, (Tensor, Record)) else None
            changed = version is not None and version.number != self.versions[i]
            if isinstance(x, Tensor) and x._data is not self.arrays[i]:
                changed = True
            elif self.checksums is not None and i in self.checksums and not changed:
                changed = checksum((*self.arrays, self.value)[i]) != self.checksums[i]
            if changed:
                self._raise_changed(i, version)

    def _raise_changed(self, i: int, version: Version | None) -> None:
        changed = None if i < 0 else self.inputs[i]
        result = f"the result of {self.operation.name}"
        what = result if i < 0 else changed.label if isinstance(changed, Tensor) else f"input {i}"
        where = f" ({version.location})" if version and version.location else ""
        name = changed.name if isinstance(changed, Tensor) else None
        raise GradientError(
            "MG-205",
            f"{what} was saved by {self.operation.name} ({self.location}) for its backward and then changed{where}. "
            f"The gradient would be that of other numbers. {messages.instead_of_write(version, name)}",
        )


def apply(operation: Operation, inputs: tuple[Any, ...], params: dict[str, Any]) -> Tensor:
    """Run ``operation`` on the inputs' arrays, and record it where a gradient may be wanted."""
    bare: list[int] = []
    tracked: list[bool] = []
    arrays: list[Any] = []
    versions: list[int] = []
    for x in inputs:
        if isinstance(x, Tensor):
            arrays.append(x._data)
            versions.append(x.version.number)
            tracked.append(x.requires_grad)
        else:
            arrays.append(
                _listed(x, operation, inputs) if isinstance(x, (list, tuple)) else backend.operand(x)
            )
            versions.append(0)
            tracked.append(False)
            if x.__class__ not in CONSTANTS:
                bare.append(len(arrays) - 1)
    try:
        value = operation.forward(*arrays, **params)
    except MinigradError:
        raise
    except Exception as error:
        raise (explained(operation, error, inputs, arrays, params) or error) from error
    saved: tuple[Array, ...] = ()
    if operation.saves:
        value, *rest = value
        saved = tuple(rest)
    value = backend.as_0d_array(value)
    version = _shared_version(value, inputs)
    if not (
        True in tracked and operation.differentiable and modes.recording.get() and value.dtype.kind == "f"
    ):
        return wrap(value, None, version)
    checksums = _settle(arrays, bare, operation.needed) if bare else None
    if params:
        for param in params.values():
            if param.__class__ not in CONSTANTS:
                params = {name: settled_parameter(param) for name, param in params.items()}
                break
        params = {**operation.params, **params}
    else:
        params = operation.params
    versions.append(version.number)
    record = Record(
        operation, inputs, tuple(arrays), params, value, version, versions, saved, checksums, tracked
    )
    output = wrap(value, record, version)
    for hook in modes.hooked.get().forward:
        hook(record, output)
    return output


def _listed(numbers: Any, operation: Operation, inputs: tuple[Any, ...]) -> Array:
    """A list of numbers as an array: beside a tensor of floats in its dtype, as a single number would be."""
    array = backend.as_array(numbers)
    if array.dtype.kind in "iuf" and (operation.differentiable or isinstance(operation.forward, np.ufunc)):
        i = next(i for i, x in enumerate(inputs) if x is numbers)
        floats = [x._data.dtype for x in inputs if isinstance(x, Tensor) and x._data.dtype.kind == "f"]
        if floats and (operation.rule(i) is not None or not operation.differentiable):
            return backend.as_array(numbers, np.result_type(*floats))
    return array


def _settle(arrays: list[Any], bare: list[int], needed: Collection[int] | None) -> dict[int, int] | None:
    """Copy the bare arrays that a rule will need; return checksums of those that are too large for that."""
    checksums = None
    for i in bare:
        if needed is None or i in needed:
            arrays[i], checksum = settled(arrays[i])
            if checksum is not None:
                checksums = {**(checksums or {}), i: checksum}
    return checksums


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
    ``lambda g, y: g * (1 - y * y)`` is g · (1 - y²). A pair says it otherwise: a text and the function, where the rule
    is no formula of single entries; or the textbook's function and the one that computes. ``formula`` too may be a
    pair, of the text and the textbook's function, where ``forward`` is not what one wants to read.

    ``of`` is the NumPy function that the operation stands for (``forward`` itself where that is a ufunc);
    ``method`` the name under which Tensors offer it. Raises OperationError MG-603 where the name is one of minigrad's
    own operations, or a rule asks for what there is not.
    """
    builtin = sys._getframe(1).f_globals.get("__name__", "").startswith("minigrad.")
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


def _withdraw(operation: Operation) -> None:
    """Take a replaced operation out of the registry: what it stood for is again what it was before."""
    for entries, key, entered, before in operation.entered:
        if entries.get(key) is entered:
            if before is None:
                del entries[key]
            else:
                entries[key] = before


def stands_for(function: Callable[..., Any], run: Callable[..., Any]) -> None:
    """Let ``run``, an operation or a function that is made of some, run for a NumPy function on Tensors."""
    if isinstance(function, np.ufunc):  # whose options Tensor's __array_ufunc__ has refused
        registry.functions[function] = run
        return
    if isinstance(run, Operation):
        names, inputs = [*run.inputs, *run.params], len(run.inputs)
    else:
        parameters = inspect.signature(run).parameters.values()
        names, inputs = [p.name for p in parameters], sum(p.default is p.empty for p in parameters)
    registry.functions[function] = in_all_forms(function, run, names, inputs)
