"""Where a walk begins with the gradient 1, nothing needs to be multiplied by it."""

from __future__ import annotations

from typing import Any

from minigrad.program.instructions import Instruction, Listing, Value
from minigrad.program.passes.common import is_pure, replaced
from minigrad.program.passes.telling import Tell, nobody

_PRODUCTS = frozenset({"*", "np.multiply", "softmax_xent_mean_backward"})
_STILL_ONES = frozenset({"np.broadcast_to", ".reshape", "np.reshape", "np.expand_dims", "np.asarray"})


def without_ones(listing: Listing, tell: Tell = nobody) -> Listing:
    """Take a factor itself in the place of its product with 1, which has the same bits.

    What is 1 is made by ``np.ones_like``, as a loss's gradient is, or stretched from that.
    """
    ones: set[Value] = set()
    instead: dict[Value, Value] = {}
    kept = []
    for each in listing.instructions:
        each = replaced(each, instead)
        if each.function.name == "np.ones_like" or (
            each.function.name in _STILL_ONES and each.arguments[0] in ones
        ):
            if isinstance(each.result, Value) and not each.result.memory.written:
                ones.add(each.result)
        elif (factor := _other_factor(each, ones)) is not None and each.result not in listing.kept:
            if each.result is not factor:
                instead[each.result] = factor
            tell(f"1 times {factor} is {factor}")
            continue
        kept.append(each)
    return Listing(listing.given, kept, listing.kept)


def _other_factor(instruction: Instruction, ones: set[Value]) -> Value | None:
    """Return what an instruction multiplies by 1, where the product is just as large and nobody writes into either."""
    if instruction.function.name not in _PRODUCTS or instruction.options or len(instruction.arguments) != 2:
        return None
    a, b = instruction.arguments
    other: Any = b if a in ones else a if b in ones else None
    if not isinstance(other, Value) or not is_pure(instruction):
        return None
    alike = (other.shape, other.dtype) == (instruction.result.shape, instruction.result.dtype)
    return other if alike else None
