"""The page of NumPy's functions says of each what becomes of it, and README counts them."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

pytest.importorskip("sphinx")

from minigrad import catalogue
from minigrad.ops import stub

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def page() -> str:
    sys.path.insert(0, str(ROOT / "docs" / "_ext"))
    try:
        import generated

        return generated.functions()
    finally:
        sys.path.pop(0)


def test_each_name_stands_on_the_page_once(page: str) -> None:
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    spelled = [name for row in rows for name in re.findall(r"`((?:np|scipy)\.[\w.]+)`", row.split(" | ")[0])]
    assert sorted(spelled) == sorted({entry.spelling for entry in catalogue.entries() if entry.kind})


def test_each_row_says_something(page: str) -> None:
    heads = {"With a gradient": 3, "With a result alone": 2, "Neither": 2}
    for head, columns in heads.items():
        rows = page.partition(f"## {head}\n")[2].partition("\n## ")[0].strip().splitlines()[2:]
        assert rows
        for row in rows:
            cells = re.split(r"(?<!\\)\|", row)[1:-1]
            assert len(cells) == columns, row
            assert cells[1].strip(" `"), row
            assert all(cell.strip() for cell in cells), row


def test_the_readme_counts_them() -> None:
    written = re.search(
        r"(\d+) functions have a gradient and (\d+) a result", (ROOT / "README.md").read_text("utf-8")
    )
    assert written is not None
    counts = catalogue.counts()
    if stub.PATH.read_text("utf-8").partition("NumPy ")[2].startswith(f"{stub.VERSION}:"):
        assert (int(written[1]), int(written[2])) == (counts["gradient"], counts["constant"])


def test_the_filter_asks_nobody_for_anything() -> None:
    script = (ROOT / "docs" / "_static" / "filter.js").read_text("utf-8")
    assert "fetch" not in script
    assert "import" not in script
    assert 'getElementById("functions-filter")' in script
