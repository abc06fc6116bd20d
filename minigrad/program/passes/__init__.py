"""What is done to a program before it runs: each pass takes a listing and returns another that gives the same bits."""

from minigrad.program.passes.common import shared, without_copies
from minigrad.program.passes.dead import without_dead
from minigrad.program.passes.fold import folded
from minigrad.program.passes.hoist import hoisted
from minigrad.program.passes.lower import lowered

__all__ = ["folded", "hoisted", "lowered", "shared", "without_copies", "without_dead"]
