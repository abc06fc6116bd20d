"""What an optimizer or a clipping function may be given as its parameters, turned into one form."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol, TypeAlias, runtime_checkable

from minigrad.errors import ConfigError, OptimizerError
from minigrad.tensor import Tensor


@runtime_checkable
class HasParameters(Protocol):
    """What is needed of a Module."""

    training: bool

    def named_parameters(self) -> Mapping[str, Tensor]:
        """Return the parameters by their dotted names."""


Parameters: TypeAlias = HasParameters | Mapping[str, Tensor] | Iterable[Tensor] | Iterable[Mapping[str, Any]]
"""A Module, a dict from name to Tensor, a list of Tensors, or, for an optimizer, a list of groups of these."""


def named(params: Parameters) -> dict[str, Tensor]:
    """Return the parameters by name, in the order given; a tensor that occurs twice is kept once.

    The tensors of a list go by their own names; where one has none, or one that is taken, by its place:
    ``param0``. Raises MG-501 where there are none, ConfigError MG-507 where they are no Tensors.
    """
    unique: dict[str, Tensor] = {}
    seen: set[int] = set()
    for name, tensor in _pairs(params):
        if not isinstance(tensor, Tensor):
            raise ConfigError("MG-507", f"parameter {name!r} is {_kind(tensor)}, not a Tensor. {_FORMS}")
        if id(tensor) not in seen:
            seen.add(id(tensor))
            unique[name] = tensor
    if not unique:
        raise OptimizerError(
            "MG-501",
            "the optimizer got 0 parameters: there is nothing to optimise. An iterator that was read before "
            "is empty, and a Module sees layers only in its attributes, lists and dicts. Pass the model itself: "
            "Adam(model).",
        )
    return unique


def listed(params: Any) -> Any:
    """Return what an iterator gives as a list, which can be looked at twice; anything else as it is."""
    return list(params) if isinstance(params, Iterator) else params


_FORMS = "Pass the model, a dict of name to Tensor, or a list of Tensors: SGD([w, b])."


def _pairs(params: Parameters) -> Iterable[tuple[str, Tensor]]:
    if isinstance(params, HasParameters):
        return params.named_parameters().items()
    if isinstance(params, Mapping):
        return params.items()
    if isinstance(params, Tensor) or not isinstance(params, Iterable):
        raise ConfigError("MG-507", f"parameters cannot be {_kind(params)}. {_FORMS}")
    pairs: dict[str, Any] = {}
    for i, tensor in enumerate(params):
        name = getattr(tensor, "name", None)
        if name is None or name in pairs:
            name = f"param{i}"
            while name in pairs:  # another tensor is called that
                name += "_"
        pairs[name] = tensor
    return pairs.items()


def _kind(value: object) -> str:
    return "one Tensor" if isinstance(value, Tensor) else f"a {type(value).__name__}"
