"""A program in JavaScript for a batch of any number of rows, from its texts for three numbers of rows.

What differs between them is a number that follows from how many rows there are, or there is no such program.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

_NUMBER = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?(?:e[-+]?\d+)?)(?![\w.])")


def for_any_rows(rows: int, texts: Sequence[str]) -> str | None:
    """Return the text with ``rows`` in the place of what depends on it; None where that cannot be said.

    ``texts`` are those for ``rows`` rows, for one more and for two more. A number is told as a multiple of the number
    of rows, as a number over it, or as the number of rows and so many more.
    """
    split = [_NUMBER.split(text) for text in texts]
    if len({len(parts) for parts in split}) > 1:
        return None
    made = []
    for k, seen in enumerate(zip(*split, strict=True)):
        if len(set(seen)) == 1:
            made.append(seen[0])
            continue
        told = _told(rows, [float(each) for each in seen]) if k % 2 else None
        if told is None:
            return None
        made.append(told)
    return "".join(made)


def _told(rows: int, seen: Sequence[float]) -> str | None:
    """A number that was ``seen`` with so many rows, one more and two more, in terms of ``rows``."""
    counts = [rows, rows + 1, rows + 2]
    times, over, beyond = seen[0] / rows, seen[0] * rows, seen[0] - rows
    if _same(seen, [times * n for n in counts]):
        return "rows" if times == 1 else f"{times:.17g} * rows"
    if _same(seen, [over / n for n in counts]):
        return f"{over:.17g} / rows"
    if _same(seen, [n + beyond for n in counts]):
        return f"rows + {beyond:.17g}" if beyond > 0 else f"rows - {-beyond:.17g}"
    return None


def _same(seen: Sequence[float], wanted: Sequence[float]) -> bool:
    return all(math.isclose(a, b, rel_tol=1e-12) for a, b in zip(seen, wanted, strict=True))
