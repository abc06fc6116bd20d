"""What is done to a program before it runs: each pass takes a listing and returns another that gives the same bits."""

from minigrad.program.passes.chain import chained
from minigrad.program.passes.common import shared, without_copies
from minigrad.program.passes.dead import without_dead
from minigrad.program.passes.fold import folded
from minigrad.program.passes.hoist import hoisted
from minigrad.program.passes.lower import lowered
from minigrad.program.passes.ones import without_ones
from minigrad.program.passes.stage import Pass, Stages, staged
from minigrad.program.passes.update import updated_by_product

__all__ = [
    "EVERYWHERE", "ON_PROCESSOR", "Pass", "Stages", "chained", "folded", "hoisted", "lowered", "shared", "staged",
    "updated_by_product", "without_copies", "without_dead", "without_ones",
]  # fmt: skip

EVERYWHERE: tuple[Pass, ...] = (without_copies, shared, without_ones, without_dead)
"""The passes of every target."""

ON_PROCESSOR: tuple[Pass, ...] = (hoisted, updated_by_product, chained)
"""Those of the processor's besides."""
