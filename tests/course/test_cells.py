"""The percent format and notebooks: what is read is what jupytext reads, and what is written is read back the same."""

from __future__ import annotations

import json

import jupytext
import nbformat
import pytest

from minigrad.course.cells import (
    LARGEST,
    Cell,
    from_notebook,
    from_percent,
    read_cells,
    to_notebook,
    to_percent,
)
from minigrad.errors import DataError
from tests.course.planting import sources


def plain(cells):
    return [(cell.kind, cell.source, cell.nbgrader) for cell in cells]


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.stem)
def test_an_assignment_is_read_as_jupytext_reads_it(path):
    theirs = jupytext.reads(path.read_text(encoding="utf-8"), fmt="py:percent")
    expected = [
        (cell.cell_type, cell.source, dict(cell.metadata.get("nbgrader", {}))) for cell in theirs.cells
    ]
    assert plain(read_cells(path)) == expected


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.stem)
def test_cells_go_through_both_formats_unchanged(path):
    cells = read_cells(path)
    assert plain(from_percent(to_percent(cells))) == plain(cells)
    assert plain(from_notebook(to_notebook(cells))) == plain(cells)
    nbformat.validate(nbformat.reads(to_notebook(cells), as_version=4))


def test_lines_are_those_of_the_file():
    text = "# %% [markdown]\n# # Title\n#\n# text\n\n# %%\n\nx = 1\n\n# %%\ny = 2\n"
    lines = text.split("\n")
    for cell in from_percent(text)[1:]:
        assert lines[cell.line - 1] == cell.source


def test_text_without_a_marker_is_one_cell():
    assert plain(from_percent("x = 1\n\ny = 2\n")) == [("code", "x = 1\n\ny = 2", {})]
    assert from_percent("") == []


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.ipynb", b"{"),
        ("a.ipynb", b"[1, 2]"),
        ("a.ipynb", b'{"cells": [{}]}'),
        ("a.ipynb", b'{"cells": 3}'),
        ("a.ipynb", b'{"cells": [{"cell_type": "code", "source": 3}]}'),
        ("a.ipynb", b"[" * 100_000),
        ("a.py", b"\xff\xfe\x00"),
        ("a.py", b"# %% nbgrader={x}\n"),
        ("a.py", b"# %% nbgrader={3: 4}\n"),
        ("a.py", b"x" * (LARGEST + 1)),
    ],
)
def test_what_is_no_such_file_is_refused(name, content, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match="MG-942"):
        read_cells(tmp_path / name)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(DataError, match="MG-942"):
        read_cells(tmp_path / "none.py")


def test_a_cell_says_what_it_is():
    assert Cell("code", "", {"grade": True, "solution": False, "grade_id": "x"}).is_test
    assert Cell("code", "", {"solution": True}).is_solution
    assert Cell("code", "").name == ""
