"""One evaluation of a function that is differentiated: what it was given, what came out, and the walk back."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import compress
from typing import Any

import numpy as np

from minigrad import backend, messages, modes
from minigrad.errors import DtypeError, GradientError, OperationError
from minigrad.functional.trees import leaves, mapped, matched, rebuilt
from minigrad.operation import define
from minigrad.records import Version
from minigrad.tape import walk
from minigrad.tensor import Tensor, wrap

Argnums = int | tuple[int, ...]

_alias = define("alias", lambda a: a[...], "a, under another name", lambda g: g, inputs="a")


def as_tensor(gradient: Any, x: Tensor) -> Tensor:
    """Return what a walk has found for ``x`` as a Tensor; zeros where it has found nothing."""
    if gradient is None:
        return zeros_like(x)
    return gradient if isinstance(gradient, Tensor) else wrap(gradient, None, Version())


def zeros_like(x: Tensor) -> Tensor:
    """Return zeros of the shape, the dtype and the device of ``x``, without a graph."""
    return wrap(np.zeros_like(x._data), None, Version())


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
