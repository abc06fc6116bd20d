"""Module: a part of a network that finds, saves, loads and moves its own parameters."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import DTypeLike

from minigrad import backend, ops, peers, words
from minigrad.backend import Array
from minigrad.errors import ConfigError, DataError, DtypeError, MinigradError, warn
from minigrad.memory import empty_apart
from minigrad.tensor import Tensor, unwrap
from minigrad.versions import Version

HostArray = np.ndarray[Any, Any]
Part = TypeVar("Part")


class Parameter(Tensor):
    """A tensor that is trained: a Module lists it, saves it and moves it; an optimizer changes it.

    As ``Tensor``, but it requires a gradient, and it copies its data, because optimizers write into it.
    """

    __slots__ = ()

    def __init__(
        self,
        data: Any,
        requires_grad: bool = True,
        dtype: DTypeLike | None = None,
        device: str | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(data, requires_grad, dtype, device, name)
        data = self._data
        on_host = type(data) is np.ndarray
        self._data = empty_apart(data.shape, data.dtype, place=0) if on_host else data.copy()
        self._data[...] = data
        self.version = Version()


class Buffer(Tensor):
    """A tensor that a Module saves and moves along with its parameters and no optimizer changes.

    What is assigned to its name later is a Buffer too: ``self.mean = 0.9 * self.mean + 0.1 * x.mean(0).detach()``.
    """

    __slots__ = ()


class Named(dict[str, Part]):
    """Parts of a network by name: a dict, but a loop over it gives pairs, as in PyTorch.

    ``for name, p in model.named_parameters():``; the names alone are its ``keys()``.
    """

    def __iter__(self) -> Iterator[tuple[str, Part]]:  # type: ignore[override]
        return iter(self.items())


class Module:
    """A part of a network: assign parameters and other modules to attributes and define ``forward``.

    What is assigned is found in the order of assignment, also inside lists, tuples and dicts, and goes by a dotted
    name: ``fc1.weight``, ``layers.0.bias``. What is assigned twice (shared weights) is listed once, by its first
    name. There is nothing to initialise, so ``super().__init__()`` may be called or left out.
    """

    training: bool = True

    def __setattr__(self, name: str, value: Any) -> None:
        held = vars(self).get(name)
        if isinstance(held, (Parameter, Buffer)) and not isinstance(
            value, (Parameter, Buffer, Module, type(None))
        ):
            value = self._in_place_of(held, name, value)
        super().__setattr__(name, value)

    def _in_place_of(self, held: Tensor, name: str, value: Any) -> Tensor:
        """Return what stands for ``value`` under a name by which a Parameter or a Buffer is saved and moved."""
        if isinstance(held, Parameter):
            what = value.label if isinstance(value, Tensor) else f"a {type(value).__name__}"
            raise ConfigError(
                "MG-515",
                f"{type(self).__name__}.{name} is a Parameter of shape {held.shape}; {what} would take its place, and "
                f"no optimizer would train it and no file hold it. Write self.{name} = nn.Parameter(...) for a new "
                f"one, with mg.no_grad(): self.{name}[...] = ... for new numbers; what is computed from other "
                "parameters is computed in forward.",
            )
        if not isinstance(value, Tensor) or value.record is None:
            array = backend.as_array(unwrap(value))
            fits = np.can_cast(array.dtype, held.dtype, "same_kind")
            return Buffer(value if array.dtype == held.dtype else array, dtype=held.dtype if fits else None)
        if value.requires_grad:
            warn(
                "MG-516",
                f"{type(self).__name__}.{name} is a Buffer, which outlives the step, and {value.label} would keep the "
                f"graph of every step alive. Write self.{name} = (...).detach().",
            )
        if type(value) is Tensor:
            value.__class__ = Buffer  # itself, since its graph is the walk's under this name too
        return value

    # -- running ------------------------------------------------------------------------------------------

    def forward(self, *inputs: Any, **options: Any) -> Any:
        """Compute the output; every subclass defines its own."""
        kind = type(self).__name__
        others = [name for name in vars(type(self)) if name != "forward"]
        near = difflib.get_close_matches("forward", others, n=1)
        slip = f" Is {near[0]} a misspelling?" if near else ""
        raise ConfigError(
            "MG-510",
            f"{kind} does not say what it computes.{slip} Write def forward(self, x): in class {kind}.",
        )

    def __call__(self, *inputs: Any, **options: Any) -> Any:
        """Run ``forward``; an error that comes out of it names the layer it arose in."""
        try:
            return self.forward(*inputs, **options)
        except MinigradError as error:
            self._locate(error)
            raise

    def _locate(self, error: MinigradError) -> None:
        """Put the innermost layer, under the name it has here, in front of the message."""
        layer, message = vars(error).setdefault("raised_in", (self, error.message))
        message = message.removeprefix(f"{type(layer).__name__.lower()}: ")
        name = next((name for name, module in self.named_modules().items() if module is layer), "")
        if name:
            error.message = f"in layer '{name}' ({layer.describe()}): {message}"
        elif layer is self and layer.extra_repr():
            error.message = f"in layer {layer.describe()}: {message}"
        error.args = (f"{error.code} {error.message}",)

    # -- what it holds ------------------------------------------------------------------------------------

    def _attributes(self) -> Iterable[tuple[str, Any]]:
        return vars(self).items()

    def _parts(self) -> Iterator[tuple[str, Module | Tensor]]:
        """Yield the modules and tensors held directly, also those in lists, tuples and dicts."""
        for name, value in self._attributes():
            yield from _named_parts(name, value)

    def _walk(
        self, prefix: str = "", above: tuple[Module, ...] = ()
    ) -> Iterator[tuple[str, Module | Tensor]]:
        """Yield this module and all that lies below; what is shared comes once under each of its names."""
        yield prefix.removesuffix("."), self
        above = (*above, self)
        for name, part in self._parts():
            if isinstance(part, Tensor):
                yield prefix + name, part
            elif not any(part is module for module in above):  # a child may know its parent
                yield from part._walk(f"{prefix}{name}.", above)

    def _named(self, *kinds: type[Part]) -> dict[str, Part]:
        found: dict[str, Part] = {}
        seen: set[int] = set()
        for name, part in self._walk():
            if isinstance(part, kinds) and id(part) not in seen:
                if name in found:
                    raise ConfigError(
                        "MG-802",
                        f"{type(self).__name__} holds two different things named {name!r}. Rename one.",
                    )
                seen.add(id(part))
                found[name] = part
        return found

    def named_modules(self) -> Named[Module]:
        """Return this module, under the name ``""``, and all modules below it by their dotted names."""
        return Named(self._named(Module))

    def modules(self) -> list[Module]:
        """Return this module and all modules below it."""
        return list(self.named_modules().values())

    def named_parameters(self) -> Named[Parameter]:
        """Return the parameters by their dotted names, in order of definition, and write the names on them.

        Warns (MG-509) of a tensor that requires a gradient and is no Parameter, so that nobody would train it.
        """
        parameters: Named[Parameter] = Named()
        for name, tensor in self._named(Tensor).items():
            if isinstance(tensor, Parameter):
                tensor.name = name
                parameters[name] = tensor
            elif tensor.requires_grad and tensor.is_leaf:
                warn(
                    "MG-509",
                    f"{type(self).__name__}.{name} requires a gradient but is no Parameter: no optimizer will "
                    f"change it and no file will hold it. Write self.{name} = nn.Parameter(...).",
                )
        return parameters

    def parameters(self) -> list[Parameter]:
        """Return the parameters in order of definition."""
        return list(self.named_parameters().values())

    def count_parameters(self) -> int:
        """Return how many numbers the parameters hold together."""
        return sum(parameter.size for parameter in self._named(Parameter).values())

    @property
    def device(self) -> str:
        """Where the parameters are: ``"cpu"``, ``"cuda:0"`` …; ``"cpu"`` where there are none."""
        return next((tensor.device for tensor in self._state().values()), "cpu")

    # -- changing it --------------------------------------------------------------------------------------

    def train(self, mode: bool = True) -> Self:
        """Switch this module and all below it to training (dropout drops), or with False to evaluation."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Switch this module and all below it to evaluation: ``train(False)``."""
        return self.train(False)

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters."""
        for parameter in self._named(Parameter).values():
            parameter.zero_grad()

    def to(self, target: DTypeLike) -> Self:
        """Move all parameters, with their gradients, to a device (``"cuda:0"``) or a float dtype (``"float64"``).

        Build the optimizer afterwards: its state has to be where the parameters are. Buffers of integers keep
        their dtype. Raises MG-302 for an unknown device and MG-210 for a dtype that is not floating.
        """
        moved = [(tensor, _converted(name, tensor, target)) for name, tensor in self._state().items()]
        for tensor, array in moved:
            if array is not tensor.data:
                tensor.data = array
            if tensor.grad is not None:
                tensor.grad.data = ops.to(tensor.grad.data, target)
        return self

    # -- saving and loading -------------------------------------------------------------------------------

    def _state(self) -> dict[str, Tensor]:
        return self._named(Parameter, Buffer)

    def shared_names(self) -> dict[str, str]:
        """Return the further names of parameters and buffers that are held more than once, each with the first."""
        first = {id(tensor): name for name, tensor in self._state().items()}
        return {
            name: first[id(part)]
            for name, part in self._walk()
            if id(part) in first and name != first[id(part)]
        }

    def state_dict(self) -> dict[str, HostArray]:
        """Return copies of all parameters and buffers, on the host, by their dotted names.

        What is shared stands under each of its names, as in PyTorch.
        """
        own, shared = self._state(), self.shared_names()
        state = {
            name: own[shared.get(name, name)]
            for name, part in self._walk()
            if isinstance(part, (Parameter, Buffer))
        }
        return {name: np.array(tensor.numpy()) for name, tensor in state.items()}

    def load_state_dict(self, arrays: Mapping[str, Any], strict: bool = True) -> None:
        """Copy arrays (or Tensors) into the parameters and buffers of the same names, in their dtypes.

        What is shared may be given under any of its names, or under several if the numbers are the same. Raises
        DataError MG-713, which names every missing and unexpected key and every wrong shape, and then nothing was
        changed. With ``strict=False`` missing and unexpected keys are passed over.
        """
        own, shared = self._state(), self.shared_names()
        given: dict[str, Array] = {}
        refused: dict[str, str] = {}
        misfits = []
        for name, value in arrays.items():
            first = shared.get(name, name)
            try:
                array = backend.as_array(unwrap(value))
            except DtypeError as error:
                refused[first] = error.message
                continue
            if first in given and not _same_numbers(given[first], array):
                misfits.append(
                    f"two values: {name} and {first} are one tensor here and differ in what was given"
                )
            given[first] = array
        misfits += _misfits(own, given, refused, strict)
        if misfits:
            raise DataError(
                "MG-713",
                f"these weights do not fit {type(self).__name__}, and none were loaded:\n  "
                + "\n  ".join(misfits)
                + "\nThey belong to another architecture: build the one that wrote them"
                + (", or pass strict=False to take what fits." if strict else "."),
            )
        ready = {
            name: backend.to_device(given[name].astype(own[name].dtype), own[name].device)
            for name in own
            if name in given
        }
        for name, array in ready.items():
            own[name].data[...] = array
            own[name].bump_version(how="load")

    # -- showing it ---------------------------------------------------------------------------------------

    def extra_repr(self) -> str:
        """Return the settings worth showing behind the class's name; a subclass may define its own."""
        return ""

    def describe(self) -> str:
        """Return the class and its settings: ``Linear 784->128``."""
        return f"{type(self).__name__} {self.extra_repr()}".rstrip()

    def __repr__(self) -> str:
        return "\n".join(self._tree("", ()))

    def _tree(self, label: str, above: tuple[Module, ...]) -> Iterator[str]:
        count = self.count_parameters()
        size = f", {count:,} parameter{'' if count == 1 else 's'}" if count else ""
        yield f"{label}{self.describe()}{size}"
        above = (*above, self)
        for name, part in self._parts():
            if isinstance(part, Module) and not any(part is module for module in above):
                for line in part._tree(f"{name}: ", above):
                    yield f"  {line}"


for _word, _text in (words.MODEL | peers.MODEL).items():
    setattr(Module, _word, words.Missing(_word, _text))


def _named_parts(name: str, value: Any) -> Iterator[tuple[str, Module | Tensor]]:
    if isinstance(value, (Module, Tensor)):
        yield name, value
    elif isinstance(value, (list, tuple)):
        for i, part in enumerate(value):
            yield from _named_parts(f"{name}.{i}", part)
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from _named_parts(f"{name}.{key}", part)


def _converted(name: str, tensor: Tensor, target: Any) -> Array:
    array = ops.to(tensor.data, target)
    if array.dtype.kind == tensor.dtype.kind:
        return array
    if tensor.dtype.kind == "f":
        raise DtypeError(
            "MG-210",
            f"{name} needs floats to have a gradient; {array.dtype} was asked for. Use to('float32').",
        )
    return tensor.data


def _same_numbers(a: Array, b: Array) -> bool:
    a, b = backend.to_numpy(a), backend.to_numpy(b)
    return a.shape == b.shape and bool(((a == b) | ((a != a) & (b != b))).all())


def _misfits(
    own: Mapping[str, Tensor], given: Mapping[str, Array], refused: Mapping[str, str], strict: bool
) -> list[str]:
    """Say in one line each what keeps the given arrays from being loaded."""
    missing = [
        f"missing: {name} {tensor.shape}"
        for name, tensor in own.items()
        if name not in given and name not in refused
    ]
    unexpected = [f"unexpected: {name} {array.shape}" for name, array in given.items() if name not in own]
    wrong = [
        f"wrong shape: {name} is {own[name].shape} here and {array.shape} in what was given"
        for name, array in given.items()
        if name in own and array.shape != own[name].shape
    ]
    wrong += [f"wrong dtype: {name}: {why}" for name, why in refused.items()]
    return [*missing, *unexpected, *wrong] if strict else wrong
