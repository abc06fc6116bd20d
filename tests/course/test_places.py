"""No path of the grader's machine stands on a student's page, whatever error quotes it."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import minigrad
from minigrad.course.assignment import find, load
from minigrad.course.cells import Cell
from minigrad.course.feedback import gradescope, page
from minigrad.course.grading import Grader, Settings
from minigrad.course.places import neutral
from minigrad.course.results import Result
from minigrad.course.running import Bench, local
from minigrad.course.settling import write_csv
from tests.course.hostile import RIGHT
from tests.long import first

A1 = load(find("A1"))
TANH = replace(A1, questions=[question for question in A1.questions if question.name == "tanh"])
VALUES = {  # what is returned, put into an error, or the error itself
    "the folder": "__import__('os').getcwd()",
    "the home": "__import__('os').path.expanduser('~')",
    "environment": "str(dict(__import__('os').environ))",
    "environment at the start": "open('/proc/self/environ').read()",
    "command line": "open('/proc/self/cmdline').read()",
    "maps": "open('/proc/self/maps').read()[-9000:]",
    "a module's file": "np.__file__",
    "a module": "repr(np)",
    "all modules": "repr(list(__import__('sys').modules.values()))[:3000]",
    "the path": "str(__import__('sys').path)",
    "the path as bytes": "str([p.encode() for p in __import__('sys').path])",
    "Python": "__import__('sys').executable + ' ' + __import__('sys').prefix",
    "its own parts": "str(__import__('sysconfig').get_paths())",
    "the package": "__import__('minigrad').__path__[0]",
    "a Path": "repr(__import__('pathlib').Path('x').resolve())",
    "an address": "__import__('pathlib').Path('x').resolve().as_uri()",
    "a temporary file": "__import__('tempfile').mkstemp()[1]",
    "an open file": "repr(open(__import__('os').path.abspath('x'), 'w'))",
    "code": "repr(np.linspace.__code__) + repr(np.pad.__wrapped__.__code__)",
    "a traceback": "__import__('traceback').format_exc() + ''.join(__import__('traceback').format_stack())",
    "a source file": "__import__('inspect').getsourcefile(np.pad)",
    "a specification": "repr(__import__('decimal').__spec__)",
    "cut off": "'x' * 480 + np.__file__",
    "cut off early": "'x' * 150 + np.__file__",
    "glued": "'cwd' + __import__('os').getcwd() + '.'",
    "joined": "':'.join(__import__('sys').path)",
}
ERRORS = {
    "no such file": "open('data.csv')",
    "no such file in the folder": "open(__import__('os').path.abspath('data.csv'))",
    "no such file of NumPy's": "np.load(__import__('os').path.abspath('weights.npy'))",
    "a folder that is none": "__import__('os').listdir(__import__('os').getcwd() + '/none')",
    "not allowed": "open(np.__file__, 'w')",
    "the package is not allowed": "open(__import__('minigrad').__file__, 'a')",
    "no such name in a module": "from numpy import nothing",
    "no such name in the package": "from minigrad.nn import Nothing",
    "no such attribute": "np.nothing_like_it",
    "a warning that is an error": "import warnings; warnings.simplefilter('error'); warnings.warn(np.__file__)",
    "a program that is none": "__import__('subprocess').run([__import__('os').path.abspath('tool')])",
    "a link to itself": "import os; os.symlink(os.getcwd() + '/l', 'l'); open(os.getcwd() + '/l')",
    "a folder not empty": "import os; os.makedirs('d/e'); os.rmdir(os.getcwd() + '/d')",
    "a library that is none": "__import__('ctypes').CDLL(__import__('os').path.abspath('lib.so'))",
    "a module that fails": "import os, sys; open('m.py', 'w').write('1 +'); sys.path.append(os.getcwd()); import m",
    "a database": "__import__('sqlite3').connect(__import__('os').path.abspath('none/x'))",
    "an assertion": "assert not __import__('os').getcwd(), __import__('os').getcwd()",
    "an error's repr": "raise OSError(repr(FileNotFoundError(2, 'no', __import__('os').getcwd() + '/x')))",
    "a key": "{}[__import__('os').getcwd()]",
}
WAYS = {
    **{f"{name}, returned": f"return {value}" for name, value in VALUES.items()},
    **{f"{name}, returned in a list": f"return [{value}, 1.0]" for name, value in VALUES.items()},
    **{f"{name}, raised": f"raise ValueError({value})" for name, value in VALUES.items()},
    **{f"{name}, raised": error.replace("; ", "\n    ") for name, error in ERRORS.items()},
}


def known() -> set[str]:
    """Pieces of paths that tell where something lies here."""
    folders = {
        *(sys.prefix, sys.base_prefix, os.getcwd(), str(Path.home())),
        *(str(Path(module.__file__).parents[1]) for module in (minigrad, np)),
    }
    if tempfile.gettempdir() != "/tmp":
        folders.add(tempfile.gettempdir())
    return {f"{folder}/" if folder.count("/") == 1 else folder for folder in folders} | {"minigrad-course-"}


@pytest.fixture(scope="module")
def grader():
    made = Grader(TANH, Settings(seconds=20))
    yield made
    made.close()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits and forks are Linux's")
@pytest.mark.parametrize("at_the_top", first([False, True]), ids=["in the answer", "in a cell"])
def test_no_page_tells_where_the_grader_lies(grader, tmp_path, at_the_top):
    told = {}
    for name, way in WAYS.items():
        if at_the_top:
            body = way.replace("return", "raise ValueError").replace("\n    ", "\n")
            cells = [Cell("code", f"import numpy as np\n{body}"), *A1.submitted]
        else:
            cells = [replace(cell, source=cell.source.replace(RIGHT, way)) for cell in A1.submitted]
        cells, problems = grader.loadable(cells)
        outcomes = [grader.outcome(test, cells, 1) for test in TANH.tests if not test.hidden]
        result = Result("ada", "ada.py", {}, outcomes, problems)
        hidden = replace(
            TANH, questions=[replace(TANH.questions[0], tests=[t for t in TANH.tests if not t.hidden])]
        )
        write_csv(tmp_path / "t.csv", hidden, [result])
        text = (
            page(hidden, result) + json.dumps(gradescope(hidden, result)) + (tmp_path / "t.csv").read_text()
        )
        text += json.dumps(["\n".join(part for _, part in outcome.lines()) for outcome in outcomes])
        assert at_the_top or outcomes[0].verdict.word in ("wrong", "could not be graded"), name
        found = {piece for piece in known() if piece in text}
        if found:
            told[name] = found
    assert told == {}


def test_it_holds_in_one_process_too():
    cells = [replace(cell, source=cell.source.replace(RIGHT, VALUES["the path"])) for cell in A1.submitted]
    cells = [Cell("code", f"import numpy as np\nraise ValueError({VALUES['the package']})"), *cells]
    student, problems = local(cells, A1)
    outcomes = [Bench(A1).run(test, student) for test in TANH.tests]
    text = json.dumps([problems, *(outcome.lines() for outcome in outcomes)])
    assert not {piece for piece in known() if piece in text}


def test_names_are_neutral_and_what_is_the_students_stays(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    package = Path(minigrad.__file__)
    assert neutral(f"in {package}:") == "in packages/minigrad/__init__.py:"
    assert neutral(f"'{os.getcwd()}/data.csv'") == "'./data.csv'"
    assert neutral(f"{sys.prefix}/lib/x.py") == "python/lib/x.py"
    assert neutral(f"{tempfile.gettempdir()}/minigrad-course-a_b1/tmp12_x/data.csv.") == "./data.csv."
    for own in (
        "'/content/drive/MyDrive/data.csv'",
        "C:\\Users\\ada\\x.csv",
        "/home/ada-not-here/x",
        "data/x",
        "1/2",
    ):
        assert neutral(own) == own
    cut = str(package)[:-15]
    assert cut not in neutral(f"see {cut[: len(cut) // 2 + 6]}…")
