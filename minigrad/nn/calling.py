"""Calling a Module as a function of its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from types import MethodType
from typing import Any

from minigrad.errors import DataError
from minigrad.nn.module import Buffer, Module
from minigrad.tensor import Tensor


def functional_call(model: Module, params: Mapping[str, Any], *inputs: Any, **options: Any) -> Any:
    """Return ``model(*inputs, **options)`` as it would be if ``params`` were its parameters and buffers.

    ``params`` are arrays or Tensors by their dotted names, as ``state_dict`` and ``named_parameters`` give them; what
    is missing is the model's own, what is shared may be given under any of its names. So a network is a function of its
    weights: ``mg.hvp(lambda params: loss(mg.functional_call(model, params, x)), params, v)``. Where there is one input
    and it is a tuple, it holds all of them, as in ``torch.func.functional_call``.

    The model is not touched, also by an error or by another thread at the same time: copies of its modules run, which
    share all but what is given (and the generators of dropout go on). What ``forward`` assigns stays in the copies; a
    buffer that it writes into in place is copied first.

    Raises DataError MG-713, which names every unexpected key and every wrong shape.
    """
    own, shared = model._state(), model.shared_names()
    new: dict[int, Any] = {
        id(tensor): _apart(tensor) for tensor in own.values() if isinstance(tensor, Buffer)
    }
    misfits = []
    for name, value in params.items():
        tensor = own.get(shared.get(name, name))
        if tensor is None:
            misfits.append(f"unexpected: {name}")
            continue
        given = value if isinstance(value, Tensor) else Tensor(value)
        if given.shape != tensor.shape:
            misfits.append(f"wrong shape: {name} is {tensor.shape} here and {given.shape} in what was given")
        new[id(tensor)] = given
    if misfits:
        raise DataError(
            "MG-713",
            f"these parameters do not fit {type(model).__name__}, and it was not run:\n  "
            + "\n  ".join(misfits)
            + f"\nIts names are {', '.join(list(own)[:8])}{', …' if len(own) > 8 else ''}.",
        )
    copy = _copied(model, new)
    return copy(*(inputs[0] if len(inputs) == 1 and type(inputs[0]) is tuple else inputs), **options)


def _apart(buffer: Buffer) -> Buffer:
    return Buffer(buffer.data.copy(), name=buffer.name)


def _copied(thing: Any, new: dict[int, Any]) -> Any:
    """Copy modules, and what they hold modules and tensors in, with ``new`` tensors in the place of some, by id."""
    if id(thing) in new:
        return new[id(thing)]
    if isinstance(thing, Module):
        made = new[id(thing)] = object.__new__(type(thing))
        vars(made).update({name: _copied(value, new) for name, value in vars(thing).items()})
        return made
    if isinstance(thing, MethodType) and isinstance(thing.__self__, Module):
        return MethodType(thing.__func__, _copied(thing.__self__, new))
    if type(thing) in (list, tuple):
        return type(thing)(_copied(part, new) for part in thing)
    if type(thing) is dict:
        return {key: _copied(part, new) for key, part in thing.items()}
    return thing
