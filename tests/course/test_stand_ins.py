"""First cells as notebooks have them, in the cell of a right answer: no point is lost through them."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest

from minigrad.course import remote
from minigrad.course.assignment import find, load
from minigrad.course.cells import Cell
from minigrad.course.grading import Grader, Settings

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="forks are Linux's")
A1 = load(find("A1"))
FEW = replace(A1, questions=[question for question in A1.questions if question.name == "tanh"])
CELLS = """
from IPython.display import display, HTML, Markdown, clear_output
display(HTML('<b>x</b>')); clear_output(wait=True)
--
from IPython import display
display.clear_output()
display.display(display.Image('x.png'))
--
import IPython
IPython.get_ipython().run_line_magic('matplotlib', 'inline')
IPython.display.display(1)
--
from IPython import get_ipython
get_ipython().system('pip install minigrad')
assert get_ipython() is not None
--
from IPython.core.interactiveshell import InteractiveShell
InteractiveShell.ast_node_interactivity = 'all'
--
from IPython.core.magic import register_line_magic
@register_line_magic
def lmagic(line): return line
--
from google.colab import drive
drive.mount('/content/drive', force_remount=True)
--
from google.colab import files, output, userdata
up = files.upload()
for name in up.keys(): print(name, len(up[name]))
--
import google.colab
IN_COLAB = 'google.colab' in str(get_ipython())
--
try:
    import google.colab
    from google.colab.patches import cv2_imshow
except ImportError:
    pass
--
import ipywidgets as widgets
from ipywidgets import interact
@interact(x=(0, 1))
def show(x=0): return x
assert show(1) == 1
--
import ipywidgets
out = ipywidgets.Output()
with out:
    print(1)
class Mine(ipywidgets.DOMWidget):
    pass
Mine()
--
from tqdm.notebook import tqdm, trange
assert [k for k in tqdm([1, 2], desc='x')] == [1, 2] and len(list(trange(3))) == 3
--
from tqdm import tqdm
assert list(tqdm(range(2))) == [0, 1]
--
from tqdm.auto import tqdm
assert list(tqdm(range(2))) == [0, 1]
--
%matplotlib inline
import matplotlib.pyplot as plt
plt.plot([1, 2])
plt.show()
plt.savefig('figure.png')
--
%load_ext autoreload
%autoreload 2
!pip install -q minigrad-engine
%config InlineBackend.figure_format = 'retina'
"""
FIRST = CELLS.split("--\n")


@pytest.fixture(scope="module")
def grader():
    made = Grader(FEW, Settings(seconds=10))
    yield made
    made.close()


@pytest.mark.parametrize("first", FIRST, ids=range(len(FIRST)))
def test_a_right_answer_behind_them_is_right(grader, first):
    cells = [
        replace(cell, source=f"{first}\n\n{cell.source}") if cell.name == "tanh" else cell
        for cell in A1.submitted
    ]
    kept, problems = grader.loadable(cells)
    assert problems == []
    outcomes = [grader.outcome(test, kept, 1) for test in FEW.tests]
    assert [outcome.message for outcome in outcomes if not outcome.passed] == []


def test_what_is_installed_and_useful_stays_itself(grader):
    cell = Cell(
        "code",
        "import matplotlib.pyplot, decimal, numpy\nassert type(matplotlib.pyplot).__name__ == 'module'",
    )
    missing = Cell("code", "import a_module_that_is_not_there")
    _, problems = grader.loadable([cell, missing])
    assert [problem["number"] for problem in problems] == [1]


def test_a_test_in_a_file_without_tags_does_not_run_in_the_students_process(grader):
    mark = "from minigrad.course import test\n\n@test\ndef t(student, rng):"
    text = f"import IPython\n{mark}\n    'Hint.'\n    1 / 0\n"
    assert grader.loadable([Cell("code", text)])[1] == []


def test_matplotlib_is_imported_once_and_by_those_alone_who_ask_for_it():
    forks = remote.Forks(seconds=20)
    plain = "import sys\nfound = 'mat' + 'plotlib.pyplot' in sys.modules\ndef f(): return found"
    imports = (
        "import time\nt = time.perf_counter()\nimport matplotlib.pyplot\nt = time.perf_counter() - t\n"
        "def f(): return t"
    )

    def f_of(source):
        with forks.session([Cell("code", source)], []) as student:
            return student.f()

    try:
        assert f_of(plain) is False
        assert max(f_of(imports) for _ in range(3)) < 0.1
    finally:
        forks.close()
