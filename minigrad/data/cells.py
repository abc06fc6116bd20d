"""What one cell of a table says: a number, a missing value, a text, or a number in a spelling of its own.

Numbers are spelt as Python and most programs spell them: ``-12``, ``+0.5``, ``.5``, ``1e-3``, ``inf``. What ``float``
takes beyond that (``1_000``, digits of other scripts) is text, and so is what people write and no two programs read
alike (``1,5``, ``1 000``, ``12 %``): such a cell is named, with the reason, and never guessed at.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

MISSING = frozenset(
    {
        *(
            "",
            "?",
            "na",
            "n/a",
            "n.a.",
            "<na>",
            "nan",
            "-nan",
            "+nan",
            "nat",
            "null",
            "(null)",
            "none",
            "\\n",
        ),
        *("#n/a", "#n/a n/a", "#na", "1.#ind", "-1.#ind", "1.#qnan", "-1.#qnan"),
        *("#div/0!", "#value!", "#ref!", "#name?", "#num!", "#null!"),
    }
)
"""What pandas, databases and spreadsheets write for a value that is not known, in small letters."""
_NUMBER = re.compile(r"[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?|inf(?:inity)?)", re.IGNORECASE)
_MINUS = dict.fromkeys(map(ord, "‐‑‒–—―−﹣－"), "-")
_SEPARATED = re.compile(r"[+-]?[0-9]+(?:[,.'’ \u00a0\u2009\u202f][0-9]+)+")
_DECIMAL_COMMA = re.compile(r"([+-]?[0-9]*),([0-9]+)")


def is_missing(cell: str) -> bool:
    """Whether the cell stands for a value that is not known: empty, ``?``, ``NA``, ``NaN``, ``null`` and the like."""
    return cell.strip().lower() in MISSING


def is_number(cell: str) -> bool:
    """Whether the cell is a number, infinities included."""
    return _NUMBER.fullmatch(cell.strip()) is not None


def is_name(cell: str) -> bool:
    """Whether the cell can be a column's name: a word that is neither a missing value nor a number misspelt."""
    return not (is_number(cell) or is_missing(cell) or hint(cell)) and any(map(str.isalpha, cell))


def number(cell: str) -> float:
    """Return the number in the cell, NaN where it is missing. Raises ValueError where it is neither."""
    if is_missing(cell):
        return float("nan")
    if not is_number(cell):
        raise ValueError(cell)
    return float(cell.strip())  # float() leaves some of what strip() takes for a blank


def numbers(cells: Sequence[str]) -> list[float]:
    """Return the numbers in the cells, as ``number`` does one by one, and faster."""
    text = "".join(cells)
    if text.isascii() and "_" not in text:  # float() takes nothing then that is_number does not
        try:
            return [float(cell) for cell in cells]
        except ValueError:
            pass
    return [number(cell) for cell in cells]


def hint(cell: str) -> str:
    """Say in which spelling the cell is a number, and what to write instead; nothing where it is a mere word."""
    text = cell.strip()
    plain = _plain(text)
    if not text or is_number(text):
        return ""
    if is_number(plain):
        odd = next(char for char in text if not char.isascii())
        return f"It has the character U+{ord(odd):04X} ({_character(odd)}): write {plain}."
    return separated(text) or _other_spelling(plain)


def separated(cell: str) -> str:
    """The hint for a cell with a comma, a blank or a semicolon between digits; nothing for any other cell."""
    text = _plain(cell.strip())
    if decimal := _DECIMAL_COMMA.fullmatch(text):
        whole, fraction = decimal.groups()
        thousands = (
            f", or {whole}{fraction} if it separates thousands" if len(fraction) == 3 and whole else ""
        )
        return f"It has a decimal comma: write {whole}.{fraction}{thousands}."
    if _SEPARATED.fullmatch(text) and not _is_date(text) and text.count(".") < 2:
        return "It has separators between its digits: write the digits in one piece, with a point before decimals."
    if re.fullmatch(r"[0-9.,]+[;\t][0-9.,;\t]+", text):
        return "It looks like more than one cell: every row needs the same sign between its columns."
    return ""


def _other_spelling(text: str) -> str:
    sign = r"[+-]?"
    if re.fullmatch(sign + r"[0-9._]+(?:e[+-]?[0-9_]+)?", text) and is_number(text.replace("_", "")):
        return f"Numbers have no underscores: write {text.replace('_', '')}."
    if re.fullmatch(sign + r"0(?:x[0-9a-f]+|o[0-7]+|b[01]+)", text, re.IGNORECASE):
        return f"It is not decimal: write {int(text, 0)}."
    if re.fullmatch(r".*[0-9] ?[%‰°]|" + sign + r"[0-9.]+ [^\W\d]{1,3}", text):
        return "Leave out what stands behind the number, in all of the column."
    if re.fullmatch(sign + r"[$€£¥₹] ?[0-9].*|.*[0-9] ?[$€£¥₹]", text):
        return "Leave out the currency's sign."
    if is_number(re.sub("[dD]", "e", text, count=1)) and text[0] not in "dD":
        return f"Write its exponent with an e: {re.sub('[dD]', 'e', text, count=1)}."
    if _is_date(text):
        return "A date or time is no number: write the days or seconds since some beginning."
    if text.lower() in {"true", "false"}:
        return "Write 1 for true and 0 for false."
    return ""


def _is_date(text: str) -> bool:
    date, time = r"[0-9]{1,4}([-/.])[0-9]{1,2}\1[0-9]{1,4}", r"[0-9]{1,2}(?::[0-9]{2}){1,2}(?:[.,][0-9]+)?"
    return re.fullmatch(rf"{date}(?:[T ]{time}.*)?|{time}", text) is not None


def _plain(text: str) -> str:
    """With ASCII's digits, minus and point, and without what cannot be seen."""
    seen = "".join(char for char in text.translate(_MINUS) if unicodedata.category(char) != "Cf")
    digits = (str(unicodedata.decimal(char, char)) for char in seen)
    return "".join(digits).replace("．", ".").replace("٫", ".").strip()


def _character(char: str) -> str:
    return unicodedata.name(char, "without a name").lower()
