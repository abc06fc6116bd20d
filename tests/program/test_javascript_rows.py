"""Texts for three numbers of rows as one for any: multiples, fractions, ends of slices; what cannot be told is not."""

from __future__ import annotations

import pytest

from minigrad.program.javascript_rows import for_any_rows


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("numpy.sum(v.x1, { axis: 0 })", "numpy.sum(v.x1, { axis: 0 })"),
        ("f(v.g, [{n}, 1])", "f(v.g, [rows, 1])"),
        ("f(v.g, {twice})", "f(v.g, 2 * rows)"),
        ("f(v.g, {share})", "f(v.g, 1 / rows)"),
        ("f(v.g, {half})", "f(v.g, 0.5 / rows)"),
        ("[0, {less}, null]", "[0, rows - 1, null]"),
        ("[0, {more}, null]", "[0, rows + 3, null]"),
        ("f({square})", None),
    ],
)
def test_numbers_that_follow_from_the_rows(text: str, wanted: str | None) -> None:
    def told(n: int) -> str:
        numbers = {
            "n": n,
            "twice": 2 * n,
            "share": 1 / n,
            "half": 0.5 / n,
            "less": n - 1,
            "more": n + 3,
            "square": n * n,
        }
        found = text
        for name, number in numbers.items():
            found = found.replace(f"{{{name}}}", repr(number))
        return found

    texts = [told(n) for n in (4, 5, 6)]
    assert for_any_rows(4, texts) == wanted


def test_other_instructions_are_no_program_for_any_rows() -> None:
    assert for_any_rows(4, ["a(4)", "b(5)", "b(6)"]) is None
    assert for_any_rows(4, ["a(4)", "a(5, 1)", "a(6)"]) is None
