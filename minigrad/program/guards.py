"""What a program takes for granted: it is looked at before every replay, and what no longer holds is said."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from functools import cached_property
from types import CellType, ModuleType
from typing import Any, NamedTuple

import numpy as np
from minigrad_kernels.launch import reference_is_forced

from minigrad import backend, switches
from minigrad.optim.optimizer import Optimizer
from minigrad.program.instructions import Value, mapped
from minigrad.program.sources import AtPlace, OfTensor, Place, Source
from minigrad.program.surroundings import Surroundings
from minigrad.tensor import Tensor

_NUMBERS = frozenset({int, float, bool, str, bytes, type(None), complex})


def _equal(now: Any, before: Any) -> bool:
    if now.__class__ is not before.__class__:
        return False
    if now.__class__ in _NUMBERS or isinstance(now, (np.generic, np.dtype)):
        return bool(now == before)
    return now.__class__ is tuple and len(now) == len(before) and all(map(_equal, now, before))


class Fact(NamedTuple):
    """Something that holds: what ``text`` gives, with ``here`` and ``key`` in their places, is ``value``.

    Another thing in its place is as good if the two are ``alike``; if not, ``changed``, of what was and what is, says
    what has changed.
    """

    text: str
    here: Any
    key: Any
    value: Any
    changed: Callable[[Any, Any], str]
    alike: Callable[[Any, Any], bool] = _equal

    def now(self) -> Any:
        """Return what it is now; LookupError or ValueError where there is nothing."""
        return eval(self.text.format(here="here", key="key"), {"here": self.here, "key": self.key})


class Guards:
    """The things that a step can reach, as they were when it was traced."""

    def __init__(self, around: Surroundings) -> None:
        self._expected = {place: place.get() for place in around.places if around.is_read(place)}
        self._found = [_mode_of(module) for module in around.modules]
        self._found += [_wish(tensor, name) for tensor, name in around.tensors]
        self._found += [fact for optimizer in around.optimizers for fact in _settings(optimizer)]
        self._optimizers = around.optimizers
        self._gradients: list[Fact] = []
        self._forms: list[Fact] = []
        self._lists = around.lists
        self._modes = [_mode(name, read) for name, read in _MODES.items()]

    def expect_form(self, place: Place, before: Any) -> None:
        """What is at this place the program finds and puts there itself; it has to be of this form."""
        self._expected.pop(place, None)
        self._forms.append(_same_form(place, before))

    def expect(self, place: Place, value: Any) -> None:
        """At this place there is something else after the step, which stays."""
        if place in self._expected:
            self._expected[place] = value

    def expect_gradient(self, tensor: Tensor, there: bool) -> None:
        """Whether the tensor has a gradient before the step."""

        def changed(before: bool, now: bool) -> str:
            return f"{tensor.label} has {'a' if now else 'no'} gradient before the step"

        self._gradients.append(Fact("({here}._grad is not None)", tensor, None, there, changed))

    def of(self, given: Sequence[tuple[Value, Source]]) -> Guards:
        """Take in what the program reads at places and in tensors: shapes, dtypes and layouts have to stay."""
        self._facts = [
            *(_thing(place, each) for place, each in self._expected.items() if not _is_free(each)),
            *self._found,
            *self._forms,
            *self._gradients,
            *(_evenness(optimizer) for optimizer in self._optimizers),
            *(_length(holder, name) for holder, name in self._lists),
            *(_layout(value, s) for value, s in given if isinstance(s, (OfTensor, AtPlace))),
            *self._modes,
        ]
        return self

    @cached_property
    def _scope(self) -> dict[str, Any]:
        """The names in ``first_other``, which gives the first fact where another thing is found, or None."""
        scope: dict[str, Any] = {}
        lines = ["def first_other():"]
        for k, fact in enumerate(self._facts):
            text = fact.text.format(here=f"here{k}", key=f"key{k}")
            lines.append(f"    if {text} is not value{k}: return {k}")
            scope |= {f"here{k}": fact.here, f"key{k}": fact.key, f"value{k}": fact.value}
        exec("\n".join([*lines, "    return None"]), scope)
        return scope

    @cached_property
    def _first_other(self) -> Callable[[], int | None]:
        found: Callable[[], int | None] = self._scope["first_other"]
        return found

    def broken(self) -> str:
        """Return what does not hold any more, or nothing.

        This runs before every replay. So it is a line of Python for each fact, by identity; only what is another thing
        is looked at more closely, and remembered where it is as good.
        """
        try:
            k = self._first_other()
        except (LookupError, ValueError):
            return self._gone()
        while k is not None:
            fact, before = self._facts[k], self._scope[f"value{k}"]
            now = fact.now()
            if not fact.alike(now, before):
                return fact.changed(before, now)
            self._scope[f"value{k}"] = now
            k = next((j for j in range(k + 1, len(self._facts)) if self._is_other(j)), None)
        return ""

    def _is_other(self, k: int) -> bool:
        return self._facts[k].now() is not self._scope[f"value{k}"]

    def _gone(self) -> str:
        for k, fact in enumerate(self._facts):
            try:
                now = fact.now()
            except (LookupError, ValueError):
                return fact.changed(self._scope[f"value{k}"], _NOTHING)
            if now is not self._scope[f"value{k}"] and not fact.alike(now, self._scope[f"value{k}"]):
                return fact.changed(self._scope[f"value{k}"], now)
        return ""


_NOTHING = object()


def _is_free(value: Any) -> bool:
    """Tell whether a place may hold another: an array that is looked at as such, if at all; a module of Python's."""
    return isinstance(value, ModuleType) or backend.backend_of(value) is not None


def _thing(place: Place, value: Any) -> Fact:
    def changed(before: Any, now: Any) -> str:
        if now is _NOTHING:
            return f"{place.name} is gone"
        if now.__class__ in _NUMBERS:
            return f"{place.name} is {now!r:.40}, not {before!r:.40}"
        if before is None:
            return f"{place.name} is a {type(now).__name__}, not None"
        return f"{place.name} is another {type(now).__name__}"

    text = "{here}.cell_contents" if type(place.holder) is CellType else "{here}[{key}]"
    return Fact(text, place.holder, place.key, value, changed)


def _same_form(place: Place, thing: Any) -> Fact:
    def changed(before: Any, now: Any) -> str:
        if now is _NOTHING:
            return f"{place.name} is gone"
        return f"{place.name} is a {type(place.get()).__name__} of another form"

    def read() -> Any:
        return mapped(place.get(), _form)

    return Fact("{here}()", read, None, mapped(thing, _form), changed, operator.eq)


def _form(x: Any) -> Any:
    """Return what has to stay of something that is another one in each step."""
    if isinstance(x, Tensor):
        return x.__class__, x.requires_grad
    return x.__class__ if isinstance(x, np.ndarray) else x


def _mode_of(module: Any) -> Fact:
    def changed(before: bool, now: bool) -> str:
        return f"{type(module).__name__} is in {'train' if now else 'eval'} mode"

    return Fact("{here}.training", module, None, module.training, changed)


def _wish(tensor: Tensor, name: str) -> Fact:
    def changed(before: bool, now: bool) -> str:
        return f"{name}.requires_grad is {now}"

    return Fact("{here}.requires_grad", tensor, None, tensor.requires_grad, changed)


def _settings(optimizer: Optimizer) -> list[Fact]:
    """What decides by which rules an optimizer goes."""
    kind = type(optimizer).__name__

    def changed(before: Any, now: Any) -> str:
        return f"{kind} has other settings (fast, max_norm or those of its formula)"

    def changed_groups(before: Any, now: Any) -> str:
        return f"{kind} has {len(now)} groups of parameters, not {len(before)}"

    whole = [Fact("{here}._members", optimizer, None, optimizer._members, changed_groups)]
    return whole + [fact for each in (optimizer, *optimizer._members) for fact in _rule(each, changed)]


def _rule(optimizer: Optimizer, changed: Callable[[Any, Any], str]) -> list[Fact]:
    """By which rule a group goes: its formula may branch by flags, as which it was read."""
    kernel = optimizer.kernel

    def alike(now: Any, before: Any) -> bool:
        return optimizer.kernel is kernel

    texts = {f"getattr({{here}}, {name!r}, None)": value for name, value in optimizer.reading.flags}
    flags = [Fact(text, optimizer, None, value, changed, alike) for text, value in texts.items()]
    read = Fact("{here}._read", optimizer, None, optimizer._read, changed, alike)
    names = ("fast", "max_norm")
    return [
        read,
        *flags,
        *(Fact("{here}." + each, optimizer, None, getattr(optimizer, each), changed) for each in names),
    ]


def _evenness(optimizer: Optimizer) -> Fact:
    """Whether parameters may have skipped steps, so that each has a count of its own."""

    def changed(before: bool, now: bool) -> str:
        return f"{type(optimizer).__name__} has parameters that have skipped steps"

    return Fact("{here}._uneven", optimizer, None, optimizer._uneven, changed)


def _length(holder: list[Any], name: str) -> Fact:
    def changed(before: int, now: int) -> str:
        return f"{name} has {now} items, not {before}"

    return Fact("len({here})", holder, None, len(holder), changed)


def _layout(value: Value, source: Source) -> Fact:
    def changed(before: Any, now: Any) -> str:
        return f"{value.name} is {_described(now)}, not {_described(before)}"

    def alike(now: Any, before: Any) -> bool:
        return _spec(now) == _spec(before)

    array = source.read(())
    if isinstance(source, OfTensor):
        return Fact("{here}._data", source.tensor, None, array, changed, alike)
    return Fact("{here}(())", source.read, None, array, changed, alike)


def _spec(array: Any) -> tuple[Any, ...]:
    if type(array) is np.ndarray:
        return array.shape, array.dtype, array.flags.c_contiguous or array.strides
    if isinstance(array, np.ndarray) or backend.backend_of(array) is None:
        return (type(array),)
    layout = array.flags.c_contiguous or array.strides
    return array.shape, array.dtype, layout, backend.device_of(array)


def _described(array: Any) -> str:
    if backend.backend_of(array) is None:
        return f"a {type(array).__name__}"
    where = backend.device_of(array)
    return f"{array.dtype} {array.shape}" + ("" if where == "cpu" else f" on {where}")


_MODES: dict[str, Callable[[], Any]] = {
    "recording of gradients": switches.recording.get,
    "gradient accumulation": switches.accumulated_passes.get,
    "default dtype": backend.default_dtype,
    "kernels' references": reference_is_forced,
}


def _mode(name: str, read: Callable[[], Any]) -> Fact:
    def changed(before: Any, now: Any) -> str:
        return f"{name}: {before}, not {now}"

    return Fact("{here}()", read, None, read(), changed)
