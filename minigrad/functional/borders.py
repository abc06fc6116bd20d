"""Functions whose derivative is not what their operations say: none, one's own, or computed again when it is needed."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from minigrad import modes
from minigrad.errors import GradientError, OperationError
from minigrad.functional.evaluation import as_tensor, name_of, sources
from minigrad.functional.trees import leaves, mapped, matched
from minigrad.operation import Operation, apply
from minigrad.records import Version, next_serial
from minigrad.rules import Rule
from minigrad.tape import walk
from minigrad.tensor import Tensor, wrap

_REPEATED = 1e-3
"""Share of its largest entry by which a result that is computed again may differ: threads reorder sums."""

_LIBRARIES = ("minigrad", "minigrad_kernels", "numpy", "scipy")
"""Their functions draw from what they are given; what else their modules name need not be looked through."""


def stop_gradient(tree: Any) -> Any:
    """Return the same numbers, of which no gradient goes back: f(x) = x with the Jacobian 0.

    Of a tree each Tensor in it; arrays and numbers have no gradient and stay as they are. ``x.detach()`` for many.
    """
    return mapped(lambda leaf: leaf.detach() if isinstance(leaf, Tensor) else leaf, tree)


def custom_gradient(f: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a function that returns its value and its gradient: a pair, of the value and of the function g ↦ g·J.

    As in JAX and TensorFlow::

        @mg.custom_gradient
        def log1pexp(x):
            e = np.exp(x)
            return np.log(1 + e), lambda g: g * (1 - 1 / (1 + e))

    The function gets g, made as the value is (a Tensor, or a tree of them), and returns the gradient for each argument
    given by position, as a tuple, and for the only one by itself; None where an argument has none. Arguments may be
    trees. Written with operations and NumPy functions, it is differentiable itself, so higher derivatives are those of
    what it computes. ``mg.define`` does the same for one array at a time, with a formula and a place in the registry.

    Raises OperationError MG-621 where f returns no such pair, MG-622 where the gradients do not fit the arguments, and
    GradientError MG-623 where f uses a tensor that requires a gradient and is no argument: it would never get any.
    """

    @functools.wraps(f)
    def decorated(*args: Any, **kwargs: Any) -> Any:
        since = next_serial()
        returned = f(*args, **kwargs)
        name = name_of(f)
        if not isinstance(returned, tuple) or len(returned) != 2 or not callable(returned[1]):
            raise OperationError(
                "MG-621",
                f"{name} returned {_told(returned)}; a function under custom_gradient returns a pair, of its value "
                "and of the function from g to the gradients: return y, lambda g: g * slope.",
            )
        value, backwards = returned
        given = [leaf for _, leaf in leaves(list(args)) if isinstance(leaf, Tensor)]
        outputs = [y for _, y in leaves(value) if isinstance(y, Tensor)]
        _refuse_others(name, outputs, given, since)
        floats = any(y.dtype.kind == "f" for y in outputs)
        if not floats or not any(x.requires_grad for x in given) or not modes.is_grad_enabled():
            return stop_gradient(value)

        is_tensor = mapped(
            lambda leaf: isinstance(leaf, Tensor), value
        )  # the value itself would keep its tape

        def vjp(g: list[Any], recording: bool) -> list[Any]:
            rest = iter(g)
            with modes.switched(modes.recording, recording):
                found = backwards(mapped(lambda tensor: next(rest) if tensor else None, is_tensor))
            fitted = _fitted(name, args, found)
            return (
                fitted
                if recording
                else [None if x is None else np.array(x.data if isinstance(x, Tensor) else x) for x in fitted]
            )

        def again(arrays: Sequence[Any]) -> list[Any]:
            rest = iter(arrays)
            moved = mapped(lambda leaf: next(rest) if isinstance(leaf, Tensor) else leaf, list(args))
            return [np.asarray(y) for _, y in leaves(f(*moved, **kwargs)[0])]

        return _bordered(name, value, given, vjp, again)

    return decorated


def _told(value: Any) -> str:
    return f"a tuple of {len(value)}" if isinstance(value, tuple) else f"a {type(value).__name__}"


def _refuse_others(name: str, outputs: list[Tensor], given: list[Tensor], since: int) -> None:
    arguments = set(given)
    for x in sources(outputs, arguments, since):
        if x not in arguments:
            raise GradientError(
                "MG-623",
                f"{name} computes its value from {x.label} of shape {x.shape}, which requires a gradient and is "
                f"none of its arguments: the gradient that {name} returns has no place for it. Pass it as an argument, "
                "or, where it is meant to have none, use mg.stop_gradient of it.",
            )


def _fitted(name: str, args: tuple[Any, ...], found: Any) -> list[Any]:
    """Return the gradients of the Tensors among the arguments, in order; None where there is none."""
    what = f"what the gradient of {name} returned"
    if len(args) == 1 and not (isinstance(found, tuple) and len(found) == 1):
        found = (found,)
    if not isinstance(found, tuple) or len(found) != len(args):
        raise OperationError(
            "MG-622",
            f"{what} is {_told(found)}, for {len(args)} arguments. Return one gradient for each, or None.",
        )
    made: list[Any] = []
    for k, (tree, part) in enumerate(zip(args, found, strict=True)):
        whole = list(leaves(tree))
        parts = [None] * len(whole) if part is None else matched(tree, part, f"{what} for argument {k}")
        for (path, x), gradient in zip(whole, parts, strict=True):
            if not isinstance(x, Tensor):
                continue
            if gradient is not None and np.shape(gradient) != x.shape:
                raise OperationError(
                    "MG-622",
                    f"{what} for argument {k}{path} has shape {np.shape(gradient)}; the argument has {x.shape}.",
                )
            made.append(gradient)
    return made


# -- computing again ------------------------------------------------------------------------------------------


def checkpoint(f: Callable[..., Any], generators: Iterable[np.random.Generator] = ()) -> Callable[..., Any]:
    """Return f, of which the tape is forgotten as soon as it is there and made again when the walk back comes to it.

    Same value, same gradients, for the arguments and for every parameter that f uses, but kept are only f's arguments
    and its result: n layers in √n such pieces hold about 2·√n layers' activations at a time instead of n, for one
    more forward pass (Chen et al. 2016, "Training deep nets with sublinear memory cost", section 4). f returns a Tensor
    or a tree of them; a Module is a function too: ``h = mg.checkpoint(self.block)(h)`` inside ``forward``.

    Random numbers are the same again: the generators that f can reach (those of the dropout layers in a Module that it
    calls) and NumPy's global one are put back to where they were; name in ``generators`` those that are hidden deeper.
    What else f does (a counter, a running mean) happens twice. Under ``create_graph`` f's operations are recorded
    while the walk passes, so every higher derivative is right, and their memory is held until the end. While somebody
    watches the operations (hooks, ``mg.record``, ``mg.debug``) f's own are recorded, as under ``mg.unfused``.

    Raises GradientError MG-623 in the walk back where f, computed again, has given other numbers.
    """
    known = tuple(generators)

    def checkpointed(*args: Any, **kwargs: Any) -> Any:
        if not modes.is_grad_enabled() or not modes.may_fuse():
            return f(*args, **kwargs)
        name = name_of(f)
        since = next_serial()
        random = _States((*known, *_generators(f, args, kwargs)))
        value = f(*args, **kwargs)
        outputs = [y for _, y in leaves(value) if isinstance(y, Tensor)]
        inputs = sources(outputs, (), since)
        if not inputs:
            return value
        before = [y._data for y in outputs]

        def vjp(g: list[Any], recording: bool) -> list[Any]:
            with random.restored(), modes.enable_grad():
                again = f(*args, **kwargs)
            tensors = [y for _, y in leaves(again) if isinstance(y, Tensor)]
            _check_repeated(name, before, tensors)
            found: dict[Tensor, Any] = {}
            for y, part in zip(tensors, g, strict=True):
                if y.requires_grad:
                    part = part if recording else part._data
                    found[y] = found[y] + part if y in found else part
            for _ in walk(
                found, retain_graph=recording, create_graph=recording, stop=set(inputs), watched=False
            ):
                pass
            return [found.get(x) for x in inputs]  # in memory that is the walk's own

        return _bordered(f"checkpoint {name}", value, inputs, vjp, lambda arrays: before)

    functools.update_wrapper(checkpointed, f, updated=())
    return checkpointed


def _check_repeated(name: str, before: list[Any], again: list[Tensor]) -> None:
    if len(again) != len(before):
        raise GradientError(
            "MG-623",
            f"{name} gave {len(before)} tensors, and {len(again)} when mg.checkpoint computed it again.",
        )
    for k, (old, new) in enumerate(zip(before, again, strict=True)):
        if old is new._data:
            continue
        size = np.max(np.abs(old[np.isfinite(old)]), initial=0) if old.size else 0
        if old.shape != new.shape or not np.allclose(
            new._data, old, rtol=0, atol=_REPEATED * size, equal_nan=True
        ):
            gap = (
                ""
                if old.shape != new.shape
                else f" (they differ by up to {np.max(np.abs(new._data - old)):.3g})"
            )
            raise GradientError(
                "MG-623",
                f"output {k} of {name}, which mg.checkpoint computed again for the walk back, is not what it was{gap}: "
                "its gradient would be that of another computation. If f draws random numbers, name their generator: "
                "mg.checkpoint(f, generators=[rng]). If it depends on a mode (model.eval()) or on anything else that "
                "has changed since, change that after backward().",
            )


class _States:
    """Where random generators stood, so that the same numbers can be drawn again."""

    def __init__(self, generators: Iterable[np.random.Generator]) -> None:
        unique = {id(each): each for each in generators}
        self.before = [(each, each.bit_generator.state) for each in unique.values()]
        self.legacy = np.random.get_state()  # noqa: NPY002 (users' functions draw from it)

    @contextmanager
    def restored(self) -> Iterator[None]:
        """Put them back to where they stood for the block, and after it to where they stand now."""
        now = _States(each for each, _ in self.before)
        try:
            self._restore()
            yield
        finally:
            now._restore()

    def _restore(self) -> None:
        for each, state in self.before:
            each.bit_generator.state = state
        np.random.set_state(self.legacy)  # noqa: NPY002


def _generators(*begin: Any) -> list[np.random.Generator]:
    """Return the generators that a function can reach: by its arguments, closure, attributes, its module's names."""
    found, seen, pending = [], set[int](), list(begin)
    while pending:
        thing = pending.pop()
        if id(thing) in seen or isinstance(thing, (str, bytes, int, float, Tensor, np.ndarray, type)):
            continue
        seen.add(id(thing))
        if isinstance(thing, np.random.Generator):
            found.append(thing)
        elif isinstance(thing, (list, tuple, set)):
            pending += thing
        elif isinstance(thing, dict):
            pending += thing.values()
        elif isinstance(thing, functools.partial):
            pending += (thing.func, thing.args, thing.keywords)
        elif (code := getattr(thing, "__code__", None)) is not None:  # a function or a method
            pending += _reached(thing, code)
        elif hasattr(thing, "named_parameters") or callable(thing):  # a Module, or an object that is called
            pending += vars(thing).values() if hasattr(thing, "__dict__") else ()
            pending += (
                each
                for kind in type(thing).__mro__
                for each in vars(kind).values()
                if hasattr(each, "__code__")
            )
    return found


def _reached(function: Any, code: Any) -> Iterator[Any]:
    """What a function refers to: the names of its module that it uses, its closure, its defaults, its object."""
    names = getattr(function, "__globals__", {})
    if names.get("__name__", "").partition(".")[0] in _LIBRARIES:
        names = {}
    codes = [code]
    for each in codes:
        yield from (names[name] for name in each.co_names if name in names)
        codes += (constant for constant in each.co_consts if hasattr(constant, "co_names"))
    for cell in getattr(function, "__closure__", None) or ():
        try:
            yield cell.cell_contents
        except ValueError:  # it has no value yet
            continue
    yield getattr(function, "__defaults__", None)
    yield getattr(function, "__kwdefaults__", None)
    yield getattr(function, "__self__", None)


# -- the record of such a function ----------------------------------------------------------------------------


def _bordered(
    name: str,
    value: Any,
    inputs: list[Tensor],
    vjp: Callable[[list[Any], bool], list[Any]],
    again: Callable[[Sequence[Any]], list[Any]],
) -> Any:
    """Return ``value`` as the result of one operation on ``inputs``, whose gradients ``vjp`` gives.

    ``vjp(g, recording)`` gets one gradient for each Tensor in ``value``, and returns one for each input or None;
    ``again(arrays)`` computes those Tensors' arrays of others, for whoever runs the record once more.
    Several Tensors go through the record as one array, so that one walk reaches it with all their gradients.
    """
    outputs = [y for _, y in leaves(value) if isinstance(y, Tensor)]
    floats = [y for y in outputs if y.dtype.kind == "f"]
    dtype = np.result_type(*(y.dtype for y in floats))
    alone = len(floats) == 1

    pieces = [(y.shape, y.size, y.dtype) for y in outputs]  # the Tensors themselves would keep their tape

    def parts(whole: Any) -> list[Any]:
        """One array for each output, of one for all of them; zeros for integers."""
        made, begin = [], 0
        for shape, size, kind in pieces:
            if kind.kind != "f":
                made.append(np.zeros(shape, dtype))
                continue
            part = whole if alone else whole[begin : begin + size].reshape(shape)
            made.append(part if part.dtype == kind else part.astype(kind))
            begin += size
        return made

    def joint(rules: Any, g: Any, y: Any, *arrays: Any) -> list[Any]:
        recording = isinstance(g, Tensor)
        given = parts(g)
        found = vjp(given if recording else [wrap(each, None, Version()) for each in given], recording)
        if recording:
            made = [
                gradient if gradient is None or isinstance(gradient, Tensor) else Tensor(gradient)
                for gradient in found
            ]
            return [as_tensor(gradient, x) for gradient, x in zip(made, inputs, strict=True)]
        return [
            np.zeros_like(x._data) if gradient is None else gradient
            for gradient, x in zip(found, inputs, strict=True)
        ]

    first = [_joined([y._data for y in floats], dtype)]

    def forward(*arrays: Any) -> Any:
        return first.pop() if first else _joined([y for y in again(arrays) if y.dtype.kind == "f"], dtype)

    def one(g: Any, i: int, arrays: Any) -> Any:
        return joint({}, g, None, *arrays)[i]

    rule = Rule(f"{name}_vjp", "as the function says", one, inputs=(), params={}, variadic=True)
    operation = Operation(name, forward, name, [rule], ["inputs"], {}, variadic=True, joint_vjp=joint)
    operation.joint_only = True
    whole = apply(operation, tuple(inputs), {})
    made = iter(parts(whole))
    new = {y: part if y.dtype.kind == "f" else y for y, part in zip(outputs, made, strict=True)}
    return mapped(lambda leaf: new[leaf] if isinstance(leaf, Tensor) else leaf, value)


def _joined(arrays: list[Any], dtype: Any) -> Any:
    return arrays[0] if len(arrays) == 1 else np.concatenate([np.ravel(y).astype(dtype) for y in arrays])
