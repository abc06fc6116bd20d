"""What is done to a program before it runs: each pass takes a listing and returns another that gives the same bits."""

from minigrad.program.instructions import Listing
from minigrad.program.passes.common import shared, without_copies
from minigrad.program.passes.dead import without_dead
from minigrad.program.passes.fold import folded
from minigrad.program.passes.hoist import hoisted
from minigrad.program.passes.lower import lowered
from minigrad.program.passes.update import updated_by_product

__all__ = [
    "folded", "for_processor", "hoisted", "lowered", "shared", "updated_by_product", "without_copies", "without_dead",
]  # fmt: skip


def for_processor(listing: Listing) -> Listing:
    """Return the listing as the processor's target runs it."""
    return updated_by_product(hoisted(listing))
