"""One step under a trace: its arrays are lifted, it runs, and what it has left behind is found."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from time import perf_counter
from types import NoneType
from typing import Any

from minigrad_kernels import driver, gpu
from minigrad_kernels.captured import OwnProducts
from minigrad_kernels.loops import called_by

from minigrad import switches
from minigrad.blocks import switched
from minigrad.errors import ProgramError, warn
from minigrad.program import arguments, messages
from minigrad.program.effects import (
    Arrived,
    Effect,
    LeftGradient,
    Like,
    NewData,
    NoGradients,
    Rebound,
    Skipped,
    Written,
    tensor_like,
)
from minigrad.program.guards import Guards
from minigrad.program.instructions import Listing, Value, mapped, paths
from minigrad.program.program import Program
from minigrad.program.results import InTensor, named
from minigrad.program.sources import Argument, AtPlace, Gradient, OfTensor, Place
from minigrad.program.surroundings import Surroundings, held_in
from minigrad.program.trace import Trace
from minigrad.program.tracer import Tracer, is_array
from minigrad.source import SourceLocation
from minigrad.tensor import Tensor

_UNCLEARED = -(1 << 40)
"""Added to a tensor's count of backward passes; it stays unless somebody forgets the gradient and begins anew."""


class Capture:
    """A step that runs once and is noted down. ``program`` is what it does, ``result`` what it gave this time.

    ``again`` says that it was noted down before, and what it changes of Python's was told; with ``strict`` that is
    an error.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        *,
        grads: bool = False,
        again: bool = False,
        strict: bool = False,
    ) -> None:
        began = perf_counter()
        self.trace = Trace()
        self.around = Surroundings(function, args, kwargs)
        self.grads, self._again, self._strict = grads, again, strict
        self.case, self.leaves = arguments.split(args, kwargs)
        self._undo: list[Callable[[], None]] = []
        self._passes: list[tuple[Tensor, int]] = []
        self._gradients: list[tuple[Tensor, Any]] = []
        self._before = [(place, place.get()) for place in self.around.places]
        self._keys = [(holder, list(holder)) for holder, _ in self.around.dicts]
        self._lengths = [len(holder) for holder, _ in self.around.lists]
        self._states = [(rng, rng.bit_generator.state) for rng in self.around.generators]
        counting = [each for one in self.around.optimizers for each in (one, *one._members)]
        self._counts = [(each, each.t, each.last_rate) for each in counting]
        self._skips = [(one, one._uneven) for one in self.around.optimizers]
        self._skipped = [(slot, slot.skipped) for one, _ in self._skips for slot in one._slots]
        guards = Guards(self.around)
        try:
            traced_args, traced_kwargs = self._lift(function, args, kwargs)
            own = gpu.using(OwnProducts(gpu.device()))
            with switched(switches.tracing, self.trace), own, called_by(driver.call):
                returned = function(*traced_args, **traced_kwargs)
            self._check_whole()
            self._name_results(returned)
            self.tree = mapped(returned, self._result)
            effects = self._effects(guards)
            self.result = mapped(returned, self._real_result)
        except BaseException:
            self._restore(failed=True)
            raise
        self._restore(failed=False)
        for effect in effects:
            if isinstance(effect, (NoGradients, Skipped, Arrived)):
                effect.happen(self.trace.values)
        kept = list(dict.fromkeys(_values(self.tree, effects)))
        listing = Listing([value for value, _ in self.trace.given], self.trace.instructions, kept)
        self.program = Program(
            name=getattr(function, "__name__", type(function).__name__),
            case=self.case,
            listing=listing,
            sources=[source for _, source in self.trace.given],
            tree=self.tree,
            effects=effects,
            guards=guards.of(self.trace.given),
            seconds=perf_counter() - began,
        )

    # -- before -------------------------------------------------------------------------------------------

    def _lift(
        self, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        names = _names(function, args, kwargs)
        for k, (leaf, name) in enumerate(zip(self.leaves, names, strict=True)):
            self.trace.give(leaf, name, Argument(k))
        for tensor, name in self.around.tensors:
            self.trace.lift(tensor, name, OfTensor(tensor))
            self._lift_gradient(tensor, name)
        for optimizer in self.around.optimizers:
            for slot in optimizer._slots:
                for key in slot.state:
                    self._lift_place(Place(slot.state, key, f"{self._name_of(slot.tensor)}_{key}"))
        for place, held in self._before:
            if is_array(held):
                self._lift_place(place)
        leaves = iter(self.leaves)

        def traced(x: Any) -> Any:
            if not arguments.is_leaf(x):
                return x
            tracer = self.trace.tracer_of(next(leaves))
            return x if isinstance(x, Tensor) else tracer

        return mapped(tuple(args), traced), mapped(dict(kwargs), traced)

    def _name_of(self, tensor: Tensor) -> str:
        return next((name for each, name in self.around.tensors if each is tensor), "parameter")

    def _lift_place(self, place: Place) -> None:
        array = place.get()
        if is_array(array):
            place.put(self.trace.give(array, place.name, AtPlace(place)))
            self._undo.append(lambda: place.put(self._settled(place.get(), array)))

    def _settled(self, now: Any, array: Any) -> Any:
        """Return what is to be at a place from which an array was lifted."""
        if now is self.trace.standing_for(array):
            return array
        return now.value if isinstance(now, Tracer) else now

    def _lift_gradient(self, tensor: Tensor, name: str) -> None:
        grad = tensor._grad
        self._passes.append((tensor, tensor.grad_passes))
        self._gradients.append((tensor, grad))
        tensor.grad_passes += _UNCLEARED
        if isinstance(grad, Tensor):
            self.trace.lift(grad, f"{name}_grad", Gradient(tensor))
        elif grad is not None:
            tensor._grad = self.trace.give(grad, f"{name}_grad", Gradient(tensor))

    # -- afterwards ---------------------------------------------------------------------------------------

    def _check_whole(self) -> None:
        """Raise where the step did something that a replay would not do."""
        if self.trace.failed is not None:
            raise ProgramError("MG-639", messages.caught(self.trace.failed)) from self.trace.failed
        for rng, before in self._states:
            if rng.bit_generator.state != before and not any(rng is drawn for drawn in self.trace.draws):
                raise ProgramError("MG-633", messages.drawn(rng))

    def _effects(self, guards: Guards) -> list[Effect]:
        effects: list[Effect] = []
        for place, before in self._before:
            after = place.get()
            if after is not before:
                effects += self._at(place, before, after, guards)
        for names, keys in self._keys:
            for key in [key for key in names if key not in keys]:
                effects += self._at(Place(names, key, str(key)), None, names[key], guards)
        for (holder, name), length in zip(self.around.lists, self._lengths, strict=True):
            if len(holder) != length:
                holder[length:] = [mapped(part, self._real_result) for part in holder[length:]]
                self._tell(name, f"grew from {length} to {len(holder)} items")
        written = {id(tracer.node.memory) for tracer in self.trace.tracers if tracer.node.memory.written}
        forgotten: list[Tensor] = []
        places: list[tuple[Tensor, SourceLocation]] = []
        for tensor, _ in self.around.tensors:
            effects += self._of_tensor(tensor, guards, forgotten)
            location = tensor.version.location
            if isinstance(tensor._data, Tracer) and id(tensor._data.node.memory) in written and location:
                places.append((tensor, location))
        effects += [NoGradients(forgotten), Written(places)]
        effects += [Skipped(optimizer, slots) for optimizer, slots in self.trace.idle]
        effects += [Arrived(loss.node, leaves, self.trace.optimizers) for loss, leaves in self.trace.losses]
        return effects

    def _at(self, place: Place, before: Any, after: Any, guards: Guards) -> list[Effect]:
        """What the step has put at a place."""
        if is_array(before) and after is self.trace.standing_for(before):
            return []  # lifted, and to be put back
        tree = mapped(after, self._kept)
        if effect := [Rebound(place, tree)] if any(True for _ in Rebound(place, tree).values) else []:
            real = mapped(after, self._real_kept)
            self._undo.append(lambda: place.put(real))
            self._read_at(place, before, guards)
            return [*effect]
        guards.expect(place, after)
        self._tell(place.name, f"was {_shown(before)} and is {_shown(after)}")
        return []

    def _kept(self, x: Any) -> Any:
        """Return what a program keeps of something that the step has put at a place."""
        if isinstance(x, Tracer):
            return x.node
        if isinstance(x, Tensor) and isinstance(x._data, Tracer) and not self._is_known(x):
            return Like(x._data.node, tensor_like(x, x._data.value))
        return x

    def _real_kept(self, x: Any) -> Any:
        if isinstance(x, Tracer):
            return x.value
        if isinstance(x, Tensor) and isinstance(x._data, Tracer) and not self._is_known(x):
            return tensor_like(x, x._data.value)
        return x

    def _is_known(self, tensor: Tensor) -> bool:
        """Tell whether a tensor was there before the step."""
        return any(tensor is each for each, _ in self.around.tensors)

    def _tell(self, name: str, what: str) -> None:
        if self._strict:
            raise ProgramError("MG-636", messages.side_effect(name, what))
        if not self._again:
            warn("MG-636", messages.side_effect(name, what))

    def _read_at(self, place: Place, before: Any, guards: Guards) -> None:
        """Let the program read at a place what it puts there itself, and not what was there in the trace."""
        instead: dict[Value, AtPlace] = {}
        for path, part in paths(before):
            array = self.trace.original(part) if isinstance(part, Tensor) else part
            tracer = self.trace.tracer_of(array)
            if tracer is not None:
                instead[tracer.node] = AtPlace(place, path)
        if instead:
            guards.expect_form(place, before)
            self.trace.given = [(value, instead.get(value, source)) for value, source in self.trace.given]

    def _of_tensor(self, tensor: Tensor, guards: Guards, forgotten: list[Tensor]) -> list[Effect]:
        """What has become of a tensor that was there before: its array, and its gradient unless that is forgotten."""
        effects: list[Effect] = []
        data, grad = tensor._data, tensor._grad
        if isinstance(data, Tracer) and data is not self.trace.tracer_of(self.trace.original(tensor)):
            effects.append(NewData(tensor, data.node))
        cleared = tensor.grad_passes >= 0
        gradient = grad._data if isinstance(grad, Tensor) else grad
        if isinstance(gradient, Tracer):
            consumed = id(tensor) in self.trace.updated and cleared and not self.grads
            passes = tensor.grad_passes - (0 if cleared else _UNCLEARED)
            before = next(count for each, count in self._passes if each is tensor)
            if consumed:
                forgotten.append(tensor)
            elif cleared or passes != before or gradient.node not in [value for value, _ in self.trace.given]:
                adds = not cleared
                passes -= before if adds else 0
                if adds:
                    guards.expect_gradient(tensor, self._had_gradient(tensor))
                stepped = id(tensor) in self.trace.updated
                effects.append(LeftGradient(tensor, gradient.node, passes, adds, stepped))
        elif cleared:
            forgotten.append(tensor)
        return effects

    def _had_gradient(self, tensor: Tensor) -> bool:
        return any(grad is not None for each, grad in self._gradients if each is tensor)

    def _restore(self, failed: bool) -> None:
        """Put the arrays back in the place of the tracers; after a failure, as all was before the step."""
        self.trace.close()
        for undo in self._undo:
            undo()
        for tensor, _ in self._passes:
            if tensor.grad_passes < 0:
                tensor.grad_passes -= _UNCLEARED
            grad = tensor._grad
            if isinstance(grad, Tensor) and isinstance(grad._data, Tracer):
                grad._data = grad._data.value
            tensor._grad = grad.value if isinstance(grad, Tracer) else grad
        if failed:
            self.rewind()

    def rewind(self) -> None:
        """Make everything what it was before the step: numbers, gradients, counts, generators, what is where."""
        self.trace.undo()
        for tensor, _ in self.around.tensors:
            tensor._data = self.trace.original(tensor)
        for tensor, count in self._passes:
            tensor.grad_passes = count
        for tensor, grad in self._gradients:
            tensor._grad = grad
        for place, held in self._before:
            if place.get() is not held:
                place.put(held)
        for names, keys in self._keys:
            for key in [key for key in names if key not in keys]:
                del names[key]
        for (holder, _), length in zip(self.around.lists, self._lengths, strict=True):
            del holder[length:]
        for rng, state in self._states:
            rng.bit_generator.state = state
        for optimizer, count, rate in self._counts:
            optimizer.t, optimizer.last_rate = count, rate
        for optimizer, uneven in self._skips:
            optimizer._uneven = uneven
        for slot, skipped in self._skipped:
            slot.skipped = skipped

    # -- the result ---------------------------------------------------------------------------------------

    def _name_results(self, returned: Any) -> None:
        found = list(held_in(returned))
        for k, x in enumerate(found):
            if isinstance(x, Tensor):
                self.trace.rename(x._data, x.name or ("result" if len(found) == 1 else f"result_{k}"))

    def _result(self, x: Any) -> Any:
        """Return the leaf of the tree of results: a value where it comes from the program, in a tensor or bare."""
        if isinstance(x, Tensor):
            if self._is_known(x) or not isinstance(x._data, Tracer):
                return x
            return InTensor(x._data.node, x.name)
        return x.node if isinstance(x, Tracer) else x

    def _real_result(self, x: Any) -> Any:
        if isinstance(x, Tensor):
            if self._is_known(x) or not isinstance(x._data, Tracer):
                return x
            return named(x._data.value, x.name)
        return x.value if isinstance(x, Tracer) else x


def _shown(x: Any) -> str:
    return repr(x)[:40] if isinstance(x, (int, float, str, bytes, NoneType)) else f"a {type(x).__name__}"


def _values(tree: Any, effects: Sequence[Effect]) -> list[Value]:
    """Return all values that are asked for when the instructions are done."""
    found: list[Value] = []

    def note(x: Any) -> Any:
        if isinstance(x, InTensor):
            found.append(x.value)
        elif isinstance(x, Value):
            found.append(x)
        return x

    mapped(tree, note)
    for effect in effects:
        found += effect.values
    return found


def _names(function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[str]:
    """Return a name for each array and number among the arguments."""
    try:
        bound = inspect.signature(function).bind(*args, **kwargs).arguments
    except (TypeError, ValueError):
        bound = {f"argument{i}": each for i, each in enumerate(args)} | dict(kwargs)
    names: list[str] = []

    def walk(x: Any, name: str) -> None:
        if arguments.is_leaf(x):
            names.append(name)
        elif isinstance(x, dict):
            for key, part in x.items():
                walk(part, f"{name}_{key}")
        elif isinstance(x, (tuple, list)):
            for i, part in enumerate(x):
                walk(part, f"{name}_{i}" if len(x) > 1 else name)

    for name, each in bound.items():
        walk(each, name)
    return names
