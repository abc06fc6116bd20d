"""Where the arrays lie that a table's loops work on, found by the first row of the table itself.

A caller that has other arrays in each call would have to ask each for its address, and to write that into every word
that holds it, from Python. Here it says which array it is, by a single number.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from minigrad_kernels.driver import tool
from minigrad_kernels.loops import Loop

word: Any = None  # where the loop is compiled
put: Any = None


def place_loop(holders: Any, places: Any) -> None:
    """Set the word at places[i, 0] to the address that is held at holders[places[i, 1]], plus places[i, 2]."""
    for i in range(len(places)):
        put(places[i, 0], 0, word(holders[places[i, 1]], 0) + places[i, 2])


@cache
def place() -> Loop:
    """Return ``place_loop``."""
    return Loop(place_loop, word=tool("word"), put=tool("put"))
