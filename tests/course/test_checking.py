"""The student's side: what ``check`` says, in a terminal and in a notebook."""

from __future__ import annotations

import re
import sys
import time
import types

import numpy as np
import pytest
from typer.testing import CliRunner

from minigrad import registry
from minigrad.answers import NotYet
from minigrad.cli import app
from minigrad.course import install
from minigrad.course import marking as author
from minigrad.course.assignment import find, load
from minigrad.course.cells import Cell
from minigrad.course.running import Bench, local
from minigrad.course.student import Problem
from minigrad.course.testing import Wrong, close, holds, same, shown, vjp
from tests.course.planting import sources
from tests.long import long


def run(*words):
    return CliRunner().invoke(app, ["course", *map(str, words)])


@pytest.fixture
def release(tmp_path):
    assert run("release", "A1", tmp_path).exit_code == 0
    return tmp_path / "a1_rules.py"


def solve(path, name, body):
    """Write ``body`` where the function ``name`` says YOUR CODE HERE."""
    before, found, after = path.read_text().partition(f"def {name}(")
    assert found
    path.write_text(
        before + found + after.replace("# YOUR CODE HERE\n    raise NotImplementedError()", body, 1)
    )


def test_an_untouched_release_says_what_is_to_do(release):
    told = run("check", release)
    assert told.exit_code == 1
    assert told.output.count("Not written yet.") == 10
    assert told.output.rstrip().endswith("0/10 public passed; 10 hidden run at grading")
    assert "Traceback" not in told.output


def test_a_wrong_answer_is_told_hint_first(release):
    solve(release, "tanh_vjp", "return 1 - y**2")
    told = run("check", release).output
    part = told[told.index("tanh-numbers") : told.index("6. sigmoid")]
    places = [part.index(label) for label in ("hint", "call", "input", "expected", "got")]
    assert places == sorted(places)
    assert "This is the local derivative alone." in part
    assert "tanh_vjp" in part
    assert "g = [[" in part


def test_wrong_not_graded_and_not_written_are_told_apart(release, monkeypatch):
    solve(release, "tanh_vjp", "return g * (1 - y)")
    solve(release, "exp_vjp", "return 1 / 0")
    solve(release, "log_vjp", "return g / a +")
    told = run("check", release).output
    for line in (
        "  ✗ tanh-numbers  wrong",
        "  ! exp-numbers  could not be graded",
        "  ! log-numbers  could not be graded",
        "  · multiply-numbers  not written yet",
        "1 wrong, 2 could not be graded, 7 not written yet",
    ):
        assert line in told.split("\n")
    monkeypatch.setenv("FORCE_COLOR", "1")
    coloured = run("check", release).output
    marks = {mark: re.search(rf"(\x1b\[[\d;]+m) *{mark} ", coloured)[1] for mark in "✗!·"}
    assert len(set(marks.values())) == 3


def test_right_answers_pass(release):
    solve(release, "tanh_vjp", "return g * (1 - y * y)")
    solve(release, "log_vjp", "return g / a")
    assert "2/10 public passed; 10 hidden" in run("check", release).output


@long
def test_the_source_itself_passes_within_two_seconds_a_question():
    for path in sources():
        began = time.monotonic()
        told = run("check", path)
        assert told.exit_code == 0, told.output
        assert time.monotonic() - began < 2.0 * len(load(path).questions)


def test_errors_are_told_with_the_students_own_line(release):
    solve(release, "exp_vjp", "return g * why")
    solve(release, "log_vjp", "return g / a +")
    solve(release, "sum_vjp", "return [g, 'text', object()]")
    told = run("check", release).output
    line = release.read_text().split("\n").index("    return g * why") + 1
    assert f"NameError: name 'why' is not defined (line {line}: return g * why)" in " ".join(told.split())
    assert "This cell could not run. invalid syntax" in " ".join(told.split())
    assert "There is no log_vjp in your file" in told
    assert "a value of type object is neither a number nor an array" in " ".join(told.split())
    assert "Traceback" not in told


def test_a_loop_without_end_is_stopped(release, monkeypatch):
    monkeypatch.setattr("minigrad.course.checking.SECONDS", 1.5)
    solve(
        release,
        "exp_vjp",
        "while True:\n        try:\n            pass\n        except Exception:\n            pass",
    )
    told = run("check", release)
    assert "Your code was stopped: it ran for more than 1.5 s" in told.output
    assert "Not written yet" in told.output


@pytest.mark.parametrize("words", [["check", "none.py"], ["release", "A99", "out"], ["check", __file__]])
def test_what_cannot_be_done_is_said_with_a_code(words):
    told = run(*words)
    assert told.exit_code in (1, 2)
    assert "MG-94" in told.output


def test_installing_is_undone_again():
    before = {name: (op.forward, list(op.rules)) for name, op in registry.operations.items()}
    methods = dict(registry.methods)
    described = [
        install.rule("tanh", 0, lambda g, y: g),
        install.forward("exp", np.sin),
        install.method("sum", print),
        install.piece("walk", print),
        install.kernel("adam", print),
        install.unbroadcast(lambda g, shape: g),
    ]
    with install.installed(described):
        assert registry.operations["exp"].forward is np.sin
        assert registry.operations["tanh"].rules[0].formula == "the student's"
    after = {name: (op.forward, list(op.rules)) for name, op in registry.operations.items()}
    assert after == before
    assert registry.methods == methods


def test_students_functions_take_part_in_the_engine():
    student, _ = local(
        [
            Cell(
                "code",
                "def f(g, y):\n    return 0 * g + 5\n\ndef u(g, shape):\n    return 7 + np.zeros(shape)\n",
            )
        ],
        load(find("A1")),
    )
    student._ask.__self__.namespace["np"] = np

    def program(a, b):
        import minigrad as mg

        a, b = mg.Tensor(a, requires_grad=True), mg.Tensor(b, requires_grad=True)
        (np.tanh(a) + b).sum().backward()
        return a.grad.numpy(), b.grad.numpy()

    a, b = np.ones((2, 3)), np.ones(3)
    by_rule = student.run(program, a, b, install=[install.rule("tanh", 0, student.f)])
    assert by_rule[0].tolist() == np.full((2, 3), 5.0).tolist()
    assert by_rule[1].tolist() == [2.0, 2.0, 2.0]
    by_fit = student.run(program, a, b, install=[install.unbroadcast(student.u)])
    assert by_fit[1].tolist() == [7.0, 7.0, 7.0]


def test_close_accepts_numbers_and_nothing_else():
    close(1, 1.0)
    close([1.0, 2.0], np.array([1.0, 2.0]))
    close(np.float32(1), 1.0)
    close([np.float64(1), np.array(2.0), 3], [1.0, 2.0, 3.0])
    close([[1.0, 2.0], (3, np.float32(4))], np.array([[1.0, 2.0], [3.0, 4.0]]))
    for unequal in ([1.0, [2.0]], ["1", "2"], [None, 1.0], [{}, {}], [True, False]):
        with pytest.raises(Wrong):
            close(unequal, [1.0, 2.0])
    for wrong in (
        None,
        "1",
        True,
        [[1]],
        {"a": 1},
        np.array([True]),
        1 + 1e-5,
        np.array([1.0]),
        float("nan"),
        np.inf,
    ):
        with pytest.raises(Wrong):
            close(wrong, 1.0)
    with pytest.raises(Wrong, match="the slip"):
        close(2.0, 1.0, hint="other", slips={"the slip": 2.0})
    with pytest.raises(Wrong, match="other"):
        close(3.0, 1.0, hint="other", slips={"the slip": 2.0})
    with pytest.raises(Wrong, match=r"The shape is \(1,\); \(\) is wanted"):
        close(np.array([1.0]), 1.0)


def test_same_means_every_bit():
    same(np.array([0.0, np.nan]), np.array([0.0, np.nan]))
    for wrong in (np.array([-0.0]), np.array([0.0], np.float32), np.array([[0.0]]), [0.0], 0.0, None):
        with pytest.raises(Wrong):
            same(wrong, np.array([0.0]))
    same((np.ones(2), 1), (np.ones(2), 1))
    with pytest.raises(Wrong):
        same((np.ones(2),), (np.ones(2), 1))
    holds(True)
    with pytest.raises(Wrong, match="why"):
        holds(np.bool_(False), "why")


def test_differences_are_good_to_eight_digits():
    a, b, g = np.array([0.3, -2.0, 40.0]), np.array(1.7), np.array([1.0, -2.0, 0.5])
    np.testing.assert_allclose(vjp(lambda a, b: np.sin(a) * b, [a, b], 0, g), g * np.cos(a) * b, rtol=1e-8)
    np.testing.assert_allclose(
        vjp(lambda a, b: np.sin(a) * b, [a, b], 1, g), np.sum(g * np.sin(a)), rtol=1e-8
    )


def test_what_is_shown_stays_small():
    assert shown(np.array([1.0, 2.5])) == "[1. , 2.5]"
    assert len(shown(np.zeros((500, 500))).split("\n")) <= 8
    assert len(shown([["x" * 1000] * 100] * 100)) < 1000
    assert "shape (0, 2)" in shown(np.zeros((0, 2)))


def test_a_test_that_compares_nothing_is_a_failure():
    one = load(find("A1"))
    empty = one.tests[0].__class__(
        "t", 1, False, '@test\ndef t(student, rng):\n    """Hint."""\n    student.f\n', 1
    )
    student, _ = local([], one)
    outcome = Bench(one).run(empty, student)
    assert not outcome.passed
    assert outcome.kind == "empty"


def test_in_a_notebook_a_test_runs_at_once(monkeypatch, capsys):
    def square(x):
        return x * x

    def cube(x):
        return np.array(x) * undefined  # noqa: F821

    shell = types.SimpleNamespace(user_ns={"square": square, "cube": cube})
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: shell))

    @author.test
    def right(student, rng):
        """Multiply it by itself."""
        close(student.square(3.0), 9.0, x=3.0)

    assert capsys.readouterr().out == "passed\n"
    with pytest.raises(NotYet, match="Multiply it by itself") as caught:

        @author.test
        def wrong(student, rng):
            """Multiply it by itself."""
            close(student.square(3.0), 8.0, x=3.0)

    text = "\n".join(caught.value._render_traceback_())
    assert "not yet" in text
    assert "x = 3" in text
    with pytest.raises(NotYet, match="NameError"):

        @author.test(advice="none")
        def raises(student, rng):
            """Hint."""
            close(student.cube(3.0), 8.0)


def test_a_problem_keeps_its_words():
    assert str(Problem("died")) == "died"
