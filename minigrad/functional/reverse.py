"""Reverse mode: from f to its gradient, and to the product of a vector with its Jacobian."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import wraps
from itertools import compress
from typing import Any, Never

import numpy as np

from minigrad import backend, messages, modes
from minigrad.errors import DtypeError, GradientError, OperationError
from minigrad.functional.trees import leaves, mapped, matched, rebuilt
from minigrad.operation import define
from minigrad.records import Version
from minigrad.tape import tape, walk
from minigrad.tensor import Tensor, seed, wrap

Argnums = int | tuple[int, ...]

OF_TENSORS = ("create_graph", "retain_graph", "grad_outputs", "allow_unused")
"""Keywords of ``torch.autograd.grad``, which takes Tensors where ``mg.grad`` takes a function."""

_alias = define("alias", lambda a: a[...], "a, under another name", lambda g: g, inputs="a")


def gradients(
    outputs: Tensor,
    inputs: Tensor | Sequence[Tensor],
    *,
    create_graph: bool = False,
    allow_constant: bool = False,
) -> list[Tensor]:
    """Return d(outputs)/d(input) for each input without touching any ``.grad``; zeros where there is no path.

    ``outputs`` must be a single number (MG-202), and require a gradient like every input (MG-204): what was not
    recorded is not zero. With ``allow_constant`` outputs that require none have zeros too. The graph is kept.
    """
    if not isinstance(outputs, Tensor):
        raise GradientError(
            "MG-204",
            f"gradients differentiates a Tensor; outputs is {outputs!r:.40}, a {type(outputs).__name__}, which has no "
            "graph. Leave out .item(), float() and .numpy() where it is computed.",
        )
    inputs = (inputs,) if isinstance(inputs, Tensor) else sequence_of(inputs)
    for i, x in enumerate(inputs):
        if not isinstance(x, Tensor):
            raise GradientError(
                "MG-204",
                f"input {i} of gradients is {x!r:.40}, and no Tensor: no path to it was recorded. Give the Tensors "
                "that the outputs were computed from.",
            )
        if not x.requires_grad:
            raise GradientError(
                "MG-204",
                f"input {i} of gradients, {x.label}, does not require a gradient, so no path to it was recorded. "
                "Write x.requires_grad_() before the forward pass.",
            )
    if allow_constant and not outputs.requires_grad:
        return [zeros_like(x) for x in inputs]
    if outputs.requires_grad and outputs._data.size != 1:
        raise GradientError("MG-202", messages.many_differentiated("gradients", outputs.label, outputs.shape))
    found = {outputs: seed(outputs, None, create_graph)}
    for _ in walk(found, retain_graph=True, create_graph=create_graph, stop=inputs, watched=False):
        pass
    for i, x in enumerate(inputs):
        if x not in found and any(x is y for record in tape(outputs) for y in record.inputs):
            raise GradientError(
                "MG-204",
                f"input {i} of gradients, {x.label}, was used before it required a gradient, so no path to it was "
                "recorded. Write x.requires_grad_() before the forward pass.",
            )
    return [as_tensor(found.get(x), x) for x in inputs]


def sequence_of(inputs: Any) -> tuple[Any, ...]:
    """Return the inputs in a row; GradientError MG-204 where what was given holds them by name, or is no sequence."""
    if isinstance(inputs, Mapping) or hasattr(inputs, "named_parameters"):
        held = "inputs.values()" if isinstance(inputs, Mapping) else "inputs.parameters()"
        raise GradientError(
            "MG-204",
            f"the inputs of gradients are a {type(inputs).__name__}, and its result is a list, in their order. "
            f"Give the Tensors themselves: mg.gradients(outputs, list({held})).",
        )
    return tuple(inputs) if isinstance(inputs, Iterable) else (inputs,)


def as_tensor(gradient: Any, x: Tensor) -> Tensor:
    """Return what a walk has found for ``x`` as a Tensor; zeros where it has found nothing."""
    if gradient is None:
        return zeros_like(x)
    return gradient if isinstance(gradient, Tensor) else wrap(gradient, None, Version())


def zeros_like(x: Tensor) -> Tensor:
    """Return zeros of the shape, the dtype and the device of ``x``, without a graph."""
    return wrap(np.zeros_like(x._data), None, Version())


# -- one evaluation of a function that is differentiated ------------------------------------------------------


class OfArrays(Tensor):
    """A derivative of NumPy arrays, without a graph: SciPy, which takes nothing else, can make an array of it.

    It does so by ``np.atleast_1d`` and ``np.atleast_2d``; in all else this is a Tensor like any other.
    """

    __slots__ = ()

    def __array_function__(
        self, function: Callable[..., Any], types: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        if function in (np.atleast_1d, np.atleast_2d) and len(args) == 1:
            return function(self.data)
        return super().__array_function__(function, types, args, kwargs)


class Evaluation:
    """f at its arguments, some of which were watched: what came out, and which Tensors f was given for their leaves.

    ``nested`` tells whether what comes out is being differentiated by somebody else, so that gradients are recorded.
    """

    def __init__(
        self, f: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any], positions: Sequence[int]
    ) -> None:
        self.name = name_of(f)
        self.outer = modes.is_grad_enabled()
        arguments = list(args)
        self.trees: list[Any] = []
        self.inputs: list[Tensor] = []
        self.bare: list[bool] = []
        for k in positions:
            if not -len(args) <= k < len(args):
                raise OperationError(
                    "MG-621",
                    f"{self.name} was called with {len(args)} arguments by position, and number {k} is to be "
                    "differentiated: argnums counts from 0, and arguments by keyword are held constant.",
                )
            place = k % len(args)
            watched = [self._watched(leaf, f"argument {place}{path}") for path, leaf in leaves(args[k])]
            arguments[k] = rebuilt(args[k], iter(watched))
            self.trees.append(args[k])
            self.inputs += watched
            self.bare += [isinstance(leaf, np.ndarray) for _, leaf in leaves(args[k])]
        with modes.enable_grad():
            self.output = f(*arguments, **kwargs)
        self.aux: Any = None

    def _watched(self, leaf: Any, place: str) -> Tensor:
        """Return the Tensor that f is given for a leaf: never the caller's own, to tell f's uses of it apart."""
        if isinstance(leaf, Tensor) and leaf.requires_grad and self.outer:
            watched: Tensor = _alias(leaf)
            return watched
        if (
            not isinstance(leaf, (Tensor, int, float, complex, np.number))
            and backend.backend_of(leaf) is None
        ):
            instead = "Give what is no number in another argument, which argnums leaves out."
            if hasattr(leaf, "named_parameters"):
                instead = (
                    "Differentiate with respect to its parameters: mg.grad(lambda params: "
                    "loss(mg.functional_call(model, params, x)))(dict(model.named_parameters()))."
                )
            if hasattr(leaf, "__float__") or hasattr(leaf, "toarray"):
                backend.as_array(leaf)  # which says how such numbers become an array: MG-212
            raise OperationError(
                "MG-621", f"{place} of {self.name} is {leaf!r:.40}, a {type(leaf).__name__}. {instead}"
            )
        if isinstance(leaf, float):
            leaf = np.float64(leaf)
        x = leaf if isinstance(leaf, Tensor) else Tensor(leaf)
        if x.dtype.kind != "f":
            raise DtypeError("MG-210", f"{place} of {self.name}: {messages.no_floats(x.dtype)}")
        return Tensor(x.data, requires_grad=True, name=x.name)

    def split(self, has_aux: bool) -> None:
        """Take apart what f returned where that is a pair, of what is differentiated and of what comes with it."""
        if has_aux:
            if not isinstance(self.output, tuple) or len(self.output) != 2:
                raise OperationError(
                    "MG-621",
                    f"{self.name} returned a {type(self.output).__name__}; with has_aux=True it returns a pair, "
                    "return loss, others.",
                )
            self.output, self.aux = self.output

    @property
    def outputs(self) -> list[Tensor]:
        """The Tensors that came out, those of ``aux`` aside."""
        return [leaf for _, leaf in leaves(self.output) if isinstance(leaf, Tensor)]

    def is_nested(self, tensors: Iterable[Tensor]) -> bool:
        """Tell whether somebody else may differentiate these: recording, they depend on more than was watched here."""
        own = {x for x in self.inputs if x.is_leaf}
        return self.outer and not own.issuperset(sources(tensors, set(self.inputs)))

    def settled(self, tree: Any) -> Any:
        """Return what came out, without a graph unless it is ``nested``."""
        tensors = [leaf for _, leaf in leaves(tree) if isinstance(leaf, Tensor)]
        if self.is_nested(tensors):
            return tree
        return mapped(lambda leaf: leaf.detach() if isinstance(leaf, Tensor) else leaf, tree)

    def in_trees(self, found: Iterable[Any]) -> list[Any]:
        """Put what was found for each input together as the arguments are."""
        tensors = list(found)
        for x, bare in zip(tensors, self.bare, strict=True):
            if bare and type(x) is Tensor and not x.requires_grad:
                x.__class__ = OfArrays
        rest = iter(tensors)
        return [rebuilt(tree, rest) for tree in self.trees]


def name_of(f: Callable[..., Any]) -> str:
    """The name of a function or of an object that is called as one."""
    return str(getattr(f, "__name__", type(f).__name__))


def sources(tensors: Iterable[Tensor], stop: Collection[Tensor] = (), since: int = 0) -> list[Tensor]:
    """Return what gradients of ``tensors`` would arrive at: leaves, and results of operations that lie in ``stop`` or
    ran before the record with the serial number ``since``; what is behind these is not looked at.
    """
    found: dict[Tensor, None] = {}
    passed: set[Tensor] = set()
    pending = [x for x in tensors if x.requires_grad]
    while pending:
        x = pending.pop()
        record = x.record
        if record is None or record.serial < since or x in stop:
            found[x] = None
        elif x not in passed:
            passed.add(x)
            pending += compress(record.inputs, record.tracked)
    return [x for x in found if x.requires_grad]


def pulled_back(
    outputs: Sequence[Tensor], cotangents: Sequence[Any], inputs: Sequence[Tensor], create_graph: bool
) -> list[Tensor]:
    """Return Σ cotangent · d(output)/d(input) for each input: one walk from all the outputs together."""
    found: dict[Tensor, Any] = {}
    for y, g in zip(outputs, cotangents, strict=True):
        if y.requires_grad:
            g = g if create_graph else g._data
            found[y] = found[y] + g if y in found else g
    for _ in walk(found, retain_graph=True, create_graph=create_graph, stop=inputs, watched=False):
        pass
    return [as_tensor(found.get(x), x) for x in inputs]


def companions(tree: Any, like: Sequence[tuple[str, Any]], given: Any, what: str) -> list[Any]:
    """Return the leaves of ``given``, one for each of ``like``, as Tensors of its shape and dtype; None for constants.

    Raises OperationError MG-622 where the trees differ, or where two shapes do.
    """
    made: list[Any] = []
    for (path, y), v in zip(like, matched(tree, given, what), strict=True):
        if not isinstance(y, Tensor):
            made.append(None)
            continue
        x = v if isinstance(v, Tensor) else Tensor(np.float64(v) if isinstance(v, float) else v)
        if x.shape != y.shape:
            raise OperationError(
                "MG-622", f"{what}{path} has shape {x.shape}; what it belongs to has shape {y.shape}."
            )
        made.append(x if x.dtype == y.dtype else x.astype(y.dtype))
    return made


# -- the transforms -------------------------------------------------------------------------------------------


def value_and_grad(
    f: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False, **others: Never
) -> Callable[..., tuple[Any, Any]]:
    """Return a function that gives f's value and its gradient with respect to the arguments ``argnums``.

    f must return one number, a Tensor (MG-202). The arguments ``argnums`` may be numbers, arrays, Tensors, or dicts,
    lists, tuples and named tuples of these, nested; the gradient is made in the same way, of Tensors of the same
    shapes and dtypes, with zeros where there is no path. A Python float is a number in float64, and so is its
    gradient: 0.1 has no shorter one. (Arrays keep their dtype.) With a tuple of argument numbers the gradient is a
    tuple. With ``has_aux`` f returns a pair, of the number and of what else is wanted; the value is that pair.

    Where an argument, or a tensor that f uses besides, is being differentiated already, as in
    ``mg.grad(mg.grad(f))``, the gradient is recorded too; else nothing of what comes out has a graph.

    Raises DtypeError MG-210 where an argument is no float, OperationError MG-621 where it is no number at all, and
    where f is no function.
    """
    require_function("value_and_grad", f, others)
    positions = (argnums,) if isinstance(argnums, int) else argnums

    @wraps(f)
    def evaluated(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        run = Evaluation(f, args, kwargs, positions)
        run.split(has_aux)
        value = run.output
        if not isinstance(value, Tensor):
            raise GradientError(
                "MG-202",
                f"{run.name} returned {type(value).__name__}; it must return one Tensor. (A number taken out by "
                ".item(), float() or .numpy() has no graph; what comes with it goes by has_aux=True.)",
            )
        if value._data.size != 1:
            raise GradientError(
                "MG-202", messages.many_differentiated("grad", value.label, value.shape, run.name)
            )
        with modes.enable_grad():
            nested = run.is_nested([value])
            found = gradients(value, run.inputs, create_graph=nested, allow_constant=True)
        gradient = run.in_trees(found)
        value = value if nested else value.detach()
        return (
            (value, run.settled(run.aux)) if has_aux else value,
            gradient[0] if isinstance(argnums, int) else tuple(gradient),
        )

    return evaluated


def require_function(transform: str, f: Any, others: Mapping[str, Any]) -> None:
    """Raise OperationError MG-621 where a Tensor was given in the place of f, or a keyword of another library's."""
    if isinstance(f, Tensor) or not others.keys().isdisjoint(OF_TENSORS):
        raise OperationError(
            "MG-621",
            f"{transform} takes a function and gives a function: mg.{transform}(f)(x). For Tensors that were computed "
            "already: dx, = mg.gradients(y.sum(), x, create_graph=True).",
        )
    if others:
        word = next(iter(others))
        hint = " Write argnums, which counts from 0." if word in ("argnum", "wrt") else ""
        raise OperationError(
            "MG-621", f"{transform} has no parameter {word!r}, but argnums and has_aux.{hint}"
        )
    if not callable(f):
        raise OperationError(
            "MG-621", f"{transform} takes a function; it got {f!r:.40}, a {type(f).__name__}."
        )


def grad(
    f: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False, **others: Never
) -> Callable[..., Any]:
    """Return the gradient of f as a function: ``mg.grad(np.sin)(0.0)`` is 1. See ``value_and_grad``.

    With ``has_aux`` it gives a pair, the gradient and what f returned besides. Of NumPy arrays it is what optimizers
    ask for: ``scipy.optimize.minimize(f, x, jac=mg.grad(f))``.
    """
    require_function("grad", f, others)
    evaluated = value_and_grad(f, argnums, has_aux)

    @wraps(f)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        value, found = evaluated(*args, **kwargs)
        return (found, value[1]) if has_aux else found

    return gradient


def vjp(f: Callable[..., Any], *primals: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """Return f's value at the primals, and the function v ↦ v·J, J the Jacobian: reverse mode.

    f may return a Tensor of any shape, or a tree of them; v is made as its value is. The function gives the product for
    each primal, as a tuple; where there is only one, that product itself (as ``torch.func.vjp`` does). It may be called
    as often as one likes, at about the cost of f each time, and is differentiable itself, in v too.
    With ``has_aux`` f returns a pair, and a third thing is returned: its second part.

    Raises OperationError MG-622 where v does not fit f's value.

    Baur & Strassen 1983, "The complexity of partial derivatives"; Griewank & Walther 2008, "Evaluating derivatives",
    section 3.2.
    """
    run = Evaluation(f, primals, {}, range(len(primals)))
    run.split(has_aux)
    places = checked_outputs(run)
    nested = run.is_nested(run.outputs)

    def pull_back(v: Any) -> Any:
        given = companions(run.output, places, v, "the vector for vjp")
        pairs = [(y, g) for (_, y), g in zip(places, given, strict=True) if isinstance(y, Tensor)]
        recording = modes.is_grad_enabled() and (nested or any(g.requires_grad for _, g in pairs))
        with modes.enable_grad():
            found = pulled_back([y for y, _ in pairs], [g for _, g in pairs], run.inputs, recording)
        products = run.in_trees(found)
        return products[0] if len(products) == 1 else tuple(products)

    value = run.settled(run.output)
    return (value, pull_back, run.settled(run.aux)) if has_aux else (value, pull_back)


def checked_outputs(run: Evaluation) -> list[tuple[str, Any]]:
    """Return what f returned, leaf by leaf, with paths; GradientError MG-202 where there is no Tensor among them."""
    places = list(leaves(run.output))
    if not run.outputs:
        raise GradientError(
            "MG-202",
            f"{run.name} returned {type(run.output).__name__}; it must return a Tensor, or a dict, list or tuple of "
            "Tensors. (A number taken out by .item(), float() or .numpy() has no graph.)",
        )
    return places
