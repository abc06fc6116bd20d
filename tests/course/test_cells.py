"""The percent format and notebooks: what is read is what jupytext reads, and what is written is read back the same."""

from __future__ import annotations

import contextlib
import json
import os
import time
from pathlib import Path

import jupytext
import nbformat
import pytest

from minigrad.course.cells import (
    LARGEST,
    Cell,
    decoded,
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


def test_what_is_no_file_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.py")
    (tmp_path / "folder.py").mkdir()
    for name, words in (("pipe.py", "a pipe"), ("folder.py", "a folder"), ("nul\0.py", "no file")):
        with pytest.raises(DataError, match=words):
            read_cells(tmp_path / name)
    with pytest.raises(DataError, match="a device"):
        read_cells(Path("/dev/zero"))


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "iso-8859-15"]
)
def test_texts_are_decoded_whatever_wrote_them(encoding):
    text = "# %%\nx = 'für'  # ß\n" * 3
    head = f"# coding: {encoding}\n" if encoding.startswith("iso") else ""
    assert decoded((head + text).encode(encoding)) == head + text
    assert decoded((head + text).replace("\n", "\r\n").encode(encoding)) == head + text


def test_an_encoding_that_takes_hours_is_not_used():
    began = time.monotonic()
    with contextlib.suppress(UnicodeDecodeError):
        decoded(b"# coding: punycode\n" + b"a-" * 500_000)
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    ("header", "kind"),
    [("# %%", "code"), ("#%%", "code"), ("# %% a title", "code"), ("# %% [markdown]", "markdown"),
     ("#%%[markdown]", "markdown"),
     ("# %% a title [md]", "markdown"), ("# In[12]:", "code"), ("# In[ ]:", "code"), ("# <codecell>", "code"),
     ("# <markdowncell>", "markdown"), ("# %% [raw]", "markdown")],
)  # fmt: skip
def test_headers_of_all_editors_begin_a_cell(header, kind):
    cells = from_percent(f"x = 1\n{header}\n# y\n")
    assert plain(cells) == [("code", "x = 1", {}), (kind, "# y" if kind == "code" else "y", {})]


@pytest.mark.parametrize("line", ["# %%time", "# %matplotlib inline", "    # %%", "# %%timeit -o", "x # %%"])
def test_other_lines_begin_none(line):
    assert len(from_percent(f"x = 1\n{line}\ny = 2\n")) == 1


def test_a_notebook_of_formats_2_to_4_is_read():
    tags = {"nbgrader": {"grade_id": "f", "solution": True}}
    old = {
        "cell_type": "code",
        "input": ["x = 1\n", "y = 2"],
        "language": "python",
        "metadata": tags,
        "outputs": [],
    }
    shell = {"cell_type": "code", "source": "ls", "metadata": {"vscode": {"languageId": "shellscript"}}}
    head = {"cell_type": "heading", "level": 2, "source": "Title", "metadata": None}
    three = from_notebook(json.dumps({"worksheets": [{"cells": [head, old]}], "nbformat": 3}))
    assert plain(three) == [("markdown", "## Title", {}), ("code", "x = 1\ny = 2", tags["nbgrader"])]
    assert plain(from_notebook(json.dumps({"cells": [shell], "nbformat": 4}))) == [("markdown", "ls", {})]


def test_outputs_do_not_count_as_code_and_do_not_fill_the_memory(tmp_path):
    cell = {
        "cell_type": "code",
        "source": "x = 1",
        "metadata": {},
        "outputs": [{"data": {"image/png": "A" * 3_000_000}}],
    }
    (tmp_path / "a.ipynb").write_text(json.dumps({"cells": [cell]}))
    assert [each.source for each in read_cells(tmp_path / "a.ipynb")] == ["x = 1"]
    (tmp_path / "b.ipynb").write_text('{"cells": [], "x": [' + "[]," * 2_000_000 + "[]]}")
    with pytest.raises(DataError, match="clear them"):
        read_cells(tmp_path / "b.ipynb")


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(DataError, match="MG-942"):
        read_cells(tmp_path / "none.py")


def test_a_cell_says_what_it_is():
    assert Cell("code", "", {"grade": True, "solution": False, "grade_id": "x"}).is_test
    assert Cell("code", "", {"solution": True}).is_solution
    assert Cell("code", "").name == ""
