"""What notebooks understand beyond Python: read as IPython's own transformer reads it, and left defined afterwards."""

from __future__ import annotations

import ast
import time

import pytest

from minigrad.course.cells import Cell
from minigrad.course.interactive import Nothing, as_python
from minigrad.course.theirs import Theirs

CELLS = [
    "np.sin?", "x = 1\nnp.sin??\ny = 2", "?np.sin", "??np", "f = !ls -l", "!ls\n", "!!ls",
    "%time x = f(1)", "t = %timeit -o f()", "%matplotlib inline\nimport numpy as np",
    "if 1:\n    %time f()\n    !ls\n", "for k in range(3):\n    x = !echo {k}\n    y = k % 2",
    's = """\n%not\n!not\nwhy?\n"""\n%time s', "x = (1\n%2\n)\n%who", "x = 3 \\\n%2\n%who",
    "!echo it's\nx = 1\n!ls \\\n -l\ny = 2", ">>> x = 1\n>>> if x:\n...     y = 2\n",
    "In [1]: x = 1\n   ...: y = 2", "   x = 1\n   y = 2", ",f a b\n", "/f a b\n", ";f a b", "%time?",
    "x*?", "np.*load*?", "a, b = !ls", "def f():\n    '''doc?'''\n    return 1 # why?\n%time f()",
    "x['a'] = %pwd", "x.y = !ls", "# comment?\n!ls", "await f()\n%time 3", "print('a')  # it's\n!ls",
    "x = 'it\\'s'\n%who", "%config A.b = 'c'", "\n\n%time 1", "x = np.sin?", "x = 1",
    "x = [\n    1,  # one?\n]\nx?", "def f(:\n    pass", 'x = \'\'\'a\n\'\'\' + """b\n"""\n%who',
    "f'{x!r}'\n%who",
]  # fmt: skip


@pytest.mark.parametrize("source", CELLS)
def test_a_cell_is_what_ipython_makes_of_it(source):
    transformer = pytest.importorskip("IPython.core.inputtransformer2").TransformerManager()

    def tree(text):
        try:
            return ast.dump(ast.parse(text))
        except SyntaxError:
            return "no Python"

    made = as_python(source)
    assert tree(made) == tree(transformer.transform_cell(source))
    assert made.count("\n") == source.count("\n")


BEFORE = {
    "timed": "%%time\n",
    "captured": "%%capture out\n",
    "timed with magics in it": "%%time\n%matplotlib inline\n",
    "asked for help": "np.sin?\n",
    "shell": "files = !ls\nprint(files[0], len(files))\n!pip install numpy\n",
    "measured": "t = %timeit -o sum([1])\nprint(f'{t.average:.3f} s', 1 / t.best, t > 0)\n",
    "timed statement": "%time value = 3\nvalue + 1\n",
    "awaits": "import asyncio\nvalue = await asyncio.sleep(0, 3)\nvalue + 1\n",
    "loops asynchronously": "import asyncio\nasync def g():\n    yield 1\nasync for k in g():\n    k + 1\n",
    "shows": "display(3)\n",
    "exported": "get_ipython().run_line_magic('matplotlib', 'inline')\nget_ipython().system('ls')\n",
    "exported long ago": "get_ipython().magic(u'matplotlib inline')\n",
    "no-break spaces": "if 1:\n\u00a0\u00a0\u00a0\u00a0x\u00a0=\u00a01\u200b\n",
    "indented": "    x = 1\n",
    "prompts": ">>> x = 1\n",
}


@pytest.mark.parametrize("what", BEFORE)
def test_what_a_notebook_runs_is_defined(what):
    definition = "def f(x):\n    return x + 1\n"
    if what == "indented":
        definition = "    def f(x):\n        return x + 1\n"
    elif what == "prompts":
        definition = ">>> def f(x):\n...     return x + 1\n"
    theirs = Theirs()
    assert theirs.load([Cell("code", BEFORE[what] + definition)]) == []
    assert theirs.namespace["f"](1) == 2


def test_a_cell_magic_of_an_export_runs_its_body():
    theirs = Theirs()
    body = "get_ipython().run_cell_magic('time', '', 'def f(x):\\n    return x + 1\\n')\n"
    other = "get_ipython().run_cell_magic('bash', '', 'rm -rf x\\n')\n"
    assert theirs.load([Cell("code", body + other)]) == []
    assert theirs.namespace["f"](1) == 2


@pytest.mark.parametrize("magic", ["bash", "writefile f.py", "html", "javascript", "sh", ""])
def test_cells_in_other_languages_are_nothing(magic):
    assert as_python(f"%%{magic}\nx = 1\n") == ""


def test_lines_keep_their_numbers():
    theirs = Theirs()
    (problem,) = theirs.load([Cell("code", "%%time\n!ls \\\n  -l\n%who\nx = why\n", line=11)])
    assert (problem["line"], problem["text"]) == (15, "x = why")


def test_strings_and_comments_keep_their_spaces():
    assert as_python("x\u00a0= 'a\u00a0b'  # c\u00a0d") == "x = 'a\u00a0b'  # c\u00a0d"


def test_nothing_is_a_number_that_has_everything():
    nothing = Nothing(1.0)
    assert nothing.stdout.strip() == nothing
    assert list(nothing) == []
    assert 2 / nothing[0]() == 2


@pytest.mark.parametrize("source", ["x" + ".a" * 100_000, "x = 1 " * 50_000, "?" * 100_000, "'" * 100_000,
                                    "(" * 100_000, "\\\n" * 50_000, "%" * 100_000, "a=" * 50_000 + "?", ">>> " * 50_000,
                                    "x = " + " " * 100_000 + "?"])  # fmt: skip
def test_no_text_takes_long(source):
    began = time.monotonic()
    as_python(source + "\n!")
    assert time.monotonic() - began < 3
