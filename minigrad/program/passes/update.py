"""A weight's gradient that its update alone asks for is made within it, part by part: it never lies in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from minigrad_kernels import linear, weight_update
from minigrad_kernels.updates import UpdateRule

from minigrad.program.functions import Function, OfKernel, written
from minigrad.program.instructions import Instruction, Listing, Memory, Value
from minigrad.program.passes.telling import Tell, nobody


class ByProduct(OfKernel):
    """An update rule and the product that gives its gradient: ``adam(w, linear_backward_weight(d, x), m, v, …)``."""

    def __init__(self, rule: UpdateRule) -> None:
        super().__init__(weight_update.ByProduct(rule))
        self.rule = rule

    @property
    def scope(self) -> dict[str, Any]:
        """See ``Function.scope``."""
        return {self.rule.name: self.rule, **_WEIGHT.scope}

    def text(self, arguments: Sequence[Any], options: Mapping[str, Any]) -> str:
        """See ``Function.text``."""
        theta, d, x, *rest = arguments
        product = _WEIGHT.text((d, x), {})
        return f"{self.rule.name}({theta}, {product}, {written(rest, options)})"


_WEIGHT, _INPUT, _ACTIVATION = map(
    OfKernel, (linear.backward_weight, linear.backward_input, linear.backward_activation)
)


def updated_by_product(listing: Listing, tell: Tell = nobody) -> Listing:
    """Let an update work out its gradient, dw = dᵀ·x, while the parts of it that are complete lie in the cache.

    Nothing else may ask for dw: no clipping by its norm, no sum over several passes, no ``.grad`` that is kept.
    """
    instructions = list(listing.instructions)
    readers = Counter(value for each in instructions for value in {*each.reads})
    for update in listing.instructions:
        rule = getattr(update.function, "kernel", None)
        if not isinstance(rule, UpdateRule) or len(update.arguments[0].shape) < 2:
            continue
        theta, dw, *rest = update.arguments
        maker = next((each for each in instructions if dw in each.makes), None)
        if maker is None or maker.function.name not in ("linear_backward", "linear_backward_weight"):
            tell(f"{theta} as before: {dw} is no product of a layer's gradient and its input alone")
        elif readers[dw] > 1 or dw in listing.kept:
            tell(f"{theta} as before: {dw} is asked for elsewhere too")
        elif dw.memory.written or _is_changed(maker, update, instructions):
            tell(
                f"{theta} as before: what {dw} is made of, or {dw} itself, is written into before the update"
            )
        else:
            d, x, parts = _without_weight(maker, dw)
            if not weight_update.pays(rule, theta, d, x):
                tell(
                    f"{theta} as before: for products of this size, two passes are as fast, or BLAS is faster"
                )
                continue
            at = instructions.index(maker)
            instructions[at : at + 1] = parts
            instructions[instructions.index(update)] = replace(
                update, function=ByProduct(rule), arguments=(theta, d, x, *rest)
            )
            tell(
                f"{theta} is updated by {dw} part by part; {dw}, {dw.memory.nbytes:,} bytes, is no array any more"
            )
    return Listing(listing.given, instructions, listing.kept)


def _is_changed(maker: Instruction, update: Instruction, instructions: Sequence[Instruction]) -> bool:
    between = instructions[instructions.index(maker) + 1 : instructions.index(update)]
    sources = {value.memory for value in maker.reads if value is not update.arguments[0]}
    return any(memory in sources for each in between for memory in each.writes)


def _without_weight(maker: Instruction, dw: Value) -> tuple[Value, Value, list[Instruction]]:
    """Return the two factors of dw, and what is left of the instruction that made it."""
    if maker.function.name == _WEIGHT.name:
        d, x = maker.arguments
        return d, x, []
    g, y, x, w, activation, needs = maker.arguments
    dx, _, db = maker.result

    def part(function: Function, arguments: tuple[Any, ...], result: Any) -> Instruction:
        return replace(maker, function=function, arguments=arguments, options={}, result=result)

    if activation == "none":
        arguments = (g, y, x, w, activation, (needs[0], False, needs[2]))
        rest = [part(maker.function, arguments, (dx, None, db))] if needs[0] or needs[2] else []
        return g, x, rest
    d = Value(f"{dw.name}_rows", g.shape, g.dtype, Memory(True, g.memory.nbytes))
    found = [part(_ACTIVATION, (g, y, activation), (d, db))]
    if needs[0]:
        found.append(part(_INPUT, (d, w), dx))
    return d, x, found
