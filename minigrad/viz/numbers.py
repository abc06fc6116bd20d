"""How numbers and entries are written in explanations: four significant digits, − and ·, long sums cut short."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import Any

SHOWN = 4
"""Terms of a sum that are all shown; of longer ones the first three and the last."""


def show(value: Any) -> str:
    """Return a number rounded to four significant digits; zeros at the end are left out where the rest is exact.

    Whole numbers below a million are written in full. "Exact" allows for float32's last digits.

    >>> show(-0.24799), show(137.96), show(2.0), show(1e-8)
    ('−0.2480', '138.0', '2', '1e−08')
    """
    number = float(value)
    if math.isnan(number):
        return "nan"
    if math.isinf(number):
        return "∞" if number > 0 else "−∞"
    size = abs(number)
    if size < 1e6 and number == int(number):
        text = str(abs(int(number)))
    elif 1e-4 <= size < 1e6:
        text = _shortened(f"{size:.{max(0, 3 - math.floor(math.log10(size)))}f}", "", size)
    else:
        mantissa, exponent = f"{size:.3e}".split("e")
        text = _shortened(mantissa, f"e{exponent}", size)
    return (text if number >= 0 else f"-{text}").replace("-", "−")


def _shortened(digits: str, exponent: str, size: float) -> str:
    short = digits.rstrip("0").rstrip(".") if "." in digits else digits
    exact = abs(float(short + exponent) - size) <= 1e-6 * size
    return (short if exact else digits) + exponent


def entry(name: str, index: Sequence[Any]) -> str:
    """Return ``W[0,2]``, or the name alone for a single number."""
    return f"{name}[{','.join(map(str, index))}]" if len(index) else name


def fill(template: str, text_of: Callable[[str], str]) -> str:
    """Put texts in the place of ``{names}``, a negative one in parentheses where it is not the first."""

    def placed(match: re.Match[str]) -> str:
        text = text_of(match[1])
        before = template[: match.start()].rstrip()[-1:]
        raised = template[match.end() :][:1] in ("^", "²")
        alone = before in ("", "(", "|", ",") and not raised
        bare = alone or not (text.startswith("−") or (raised and "e" in text))
        return text if bare else f"({text})"

    return re.sub(r"\{(\w+)\}", placed, template)


def joined(terms: Sequence[str]) -> str:
    """Return the terms with plus signs between them, of a long sum the first three and the last."""
    chosen = list(terms) if len(terms) <= SHOWN else [*terms[:3], "…", terms[-1]]
    if not chosen:
        return "0"
    return " + ".join([chosen[0], *(f"({t})" if t.startswith("−") else t for t in chosen[1:])])


def picked(positions: Sequence[Any]) -> Sequence[Any]:
    """Return the positions whose terms ``joined`` will show, with as many beside them as it needs to cut the rest."""
    return positions if len(positions) <= SHOWN + 1 else [*positions[:SHOWN], positions[-1]]
