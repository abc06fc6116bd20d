"""The backward walk in four pieces, each of which may be a student's: seed, order, walk, deposit.

The engine's own walk (``minigrad/tape.py``) does the same in one go; here each piece stands alone, with the engine
doing what it can do for it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.tape import tape
from minigrad.tape import walk as engine_walk
from minigrad.tensor import Tensor


def contributions(tensor: Tensor, g: Any) -> list[tuple[Tensor, Any]]:
    """Return what ``g``, dL/d(tensor), is worth for each input of the operation that made the tensor.

    Pairs of an input that requires a gradient and an array of its shape: the operation's gradient rule, with
    broadcasting undone. An input that was used twice comes twice.
    The array may be ``g`` itself, or the same one in two pairs.
    """
    assert tensor.record is not None
    inputs = [x for x in tensor.record.inputs if isinstance(x, Tensor)]
    again = len(set(inputs)) < len(inputs)  # the engine then adds into what it has shown before
    steps = engine_walk({tensor: g}, retain_graph=True, stop=inputs)
    return [(step.input, step.contribution.copy() if again else step.contribution) for step in steps]


def seed(loss: Tensor, gradient: Any = None) -> Any:
    """Return dL/d(loss) as an array: ``gradient``, or a one for a single number; ValueError where neither will do."""
    if gradient is None:
        if loss.size != 1:
            raise ValueError(f"a loss is one number; this has shape {loss.shape}")
        gradient = np.ones(loss.shape)
    if np.shape(gradient) != loss.shape:
        raise ValueError(f"the gradient has shape {np.shape(gradient)}, the loss {loss.shape}")
    return np.array(gradient, dtype=loss.dtype)


def order(loss: Tensor) -> list[Tensor]:
    """Return the tensors that operations made on the way to ``loss``, in the order in which they were made."""
    records = tape(loss)
    made = {x.record: x for record in records for x in record.inputs if isinstance(x, Tensor) and x.record}
    return [made.get(record, loss) for record in records]


def walk(tensors: list[Tensor], gradients: dict[Tensor, Any]) -> None:
    """Carry gradients from the last tensor to the first; what is left in the dict belongs to leaves."""
    for _ in engine_walk(gradients, retain_graph=True):
        pass


def deposit(gradients: dict[Tensor, Any]) -> None:
    """Add each gradient to the ``.grad`` of its tensor, in memory of its own."""
    for leaf, g in gradients.items():
        if leaf.requires_grad:
            leaf.grad = g.copy() if leaf.grad is None else leaf.grad.numpy() + g


def assembled(**pieces: Callable[..., Any]) -> Callable[..., None]:
    """Return a ``backward(loss, gradient)`` made of the four pieces; those that are not given are the ones above."""
    use: dict[str, Callable[..., Any]] = {"seed": seed, "order": order, "walk": walk, "deposit": deposit}
    use |= pieces

    def backward(loss: Tensor, gradient: Any = None, **_: Any) -> None:
        gradients = {loss: use["seed"](loss, gradient)}
        use["walk"](use["order"](loss), gradients)
        use["deposit"](gradients)

    return backward
