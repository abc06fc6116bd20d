"""What a cell says, against a table made by hand, in every place where a table is read."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigrad.data.cells import hint, is_missing, is_name, is_number, number, numbers

NUMBERS = {
    "0": 0, "-12": -12, "+3": 3, "007": 7, "1.5": 1.5, ".5": 0.5, "5.": 5, "-.25": -0.25, "1e3": 1000, "1E-2": 0.01,
    " 4 ": 4, "\t6": 6, "\xa07": 7, "inf": math.inf, "-Infinity": -math.inf, "+INF": math.inf, "1e400": math.inf,
    "123456789012345678901234567890": 123456789012345678901234567890.0,
}  # fmt: skip
MISSING = ["", " ", "?", "NA", "n/a", "#N/A", "<NA>", "NaN", "-nan", "null", "NULL", " None "]
# what is written there, what the message has to say
SPELLINGS = {
    "1_000": "write 1000",
    "-1_0.5": "write -10.5",
    "1_0e1_0": "write 10e10",
    "0x10": "write 16",
    "-0xFf": "write -255",
    "0b101": "write 5",
    "0o17": "write 15",
    "−1": "U+2212 (minus sign): write -1",
    "–2.5": "U+2013 (en dash): write -2.5",
    "1e−3": "write 1e-3",
    "－7": "write -7",
    "١٢": "U+0661 (arabic-indic digit one): write 12",
    "१.५": "write 1.5",
    "３": "write 3",
    "\ufeff1": "U+FEFF",
    "1\u200b": "U+200B",
    "1,5": "write 1.5",
    "-0,25": "write -0.25",
    ",5": "write .5",
    "1,234": "write 1.234, or 1234 if it separates thousands",
    "1,234.5": "one piece",
    "1.234,5": "one piece",
    "1 234": "one piece",
    "1\u202f234,5": "one piece",
    "1\xa0000": "one piece",
    "1'234": "one piece",
    "12%": "what stands behind the number",
    "12.5 %": "what stands behind the number",
    "2 cm": "what stands behind the number",
    "20°": "what stands behind the number",
    "$5": "currency",
    "5 €": "currency",
    "1d5": "an e: 1e5",
    "2024-01-31": "date or time",
    "31.12.2024": "date or time",
    "1/2/24": "date or time",
    "12:30": "date or time",
    "2024-01-31T12:00:00Z": "date or time",
    "true": "Write 1 for true",
    "FALSE": "Write 1 for true",
    "5;3": "more than one cell",
}
SYMBOLS = [
    "-",
    "−",
    "--",
    ".",
    "*",
    "+",
    "#",
    "...",
    "1-",
    "--5",
    "1.5.3.2",
    "+-1",
    "e",
    "0x",
    "1e",
    "5 5 5a",
]
NAMES = [
    "width",
    "x1",
    "1stFlrSF",
    "2ndFlrSF",
    "größe",
    "α",
    "Δt",
    "price, EUR",
    "size (m²)",
    "x_1",
    "e",
    "infinite",
]


@pytest.mark.parametrize("cell", NUMBERS)
def test_numbers(cell: str) -> None:
    assert is_number(cell)
    assert number(cell) == NUMBERS[cell]
    assert numbers(["1", cell, "2"]) == [1, NUMBERS[cell], 2]
    assert not is_missing(cell)
    assert not is_name(cell)
    assert hint(cell) == ""


@pytest.mark.parametrize("cell", MISSING)
def test_missing_values(cell: str) -> None:
    assert is_missing(cell)
    assert math.isnan(number(cell))
    assert math.isnan(numbers([cell, "1"])[0])
    assert not is_number(cell)
    assert not is_name(cell)


@pytest.mark.parametrize("cell", SPELLINGS)
def test_other_spellings_are_no_numbers_and_explained(cell: str) -> None:
    assert not is_number(cell)
    assert SPELLINGS[cell] in hint(cell)
    assert not is_name(cell)
    for read in (number, lambda cell: numbers(["1", cell])):
        with pytest.raises(ValueError):  # noqa: PT011 (the caller names the cell)
            read(cell)


@pytest.mark.parametrize("cell", [*SYMBOLS, *NAMES])
def test_words_and_symbols_are_no_numbers(cell: str) -> None:
    assert not is_number(cell)
    assert hint(cell) == ""
    assert is_name(cell) == any(map(str.isalpha, cell))
    with pytest.raises(ValueError):  # noqa: PT011 (the caller names the cell)
        numbers(["1", cell])


@given(st.lists(st.text("0123456789+-.,eE_xnaif \xa0−١", max_size=6), max_size=4))
def test_many_cells_read_as_one_by_one(cells: list[str]) -> None:
    def read(read_them):
        try:
            return [str(value) for value in read_them()]
        except ValueError:
            return "refused"

    assert read(lambda: numbers(cells)) == read(lambda: [number(cell) for cell in cells])


@given(st.floats(allow_nan=False))
def test_every_float_that_python_writes_is_read_back(value: float) -> None:
    assert number(repr(value)) == value


@given(st.text(max_size=12))
def test_any_text_gets_an_answer(cell: str) -> None:
    assert isinstance(hint(cell), str)
    if is_number(cell):
        assert number(cell) == float(cell.strip())
    elif not is_missing(cell):
        with pytest.raises(ValueError):  # noqa: PT011 (the caller names the cell)
            number(cell)
