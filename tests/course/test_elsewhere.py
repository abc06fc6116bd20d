"""Systems that are no Linux, played by taking things away: what is done there, and that it says what is not."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from minigrad.cli import app
from minigrad.course import landlock, namespaces, remote, seccomp
from minigrad.course.assignment import find, load
from minigrad.course.cells import to_percent
from minigrad.course.checking import Check


def run(*words):
    return CliRunner().invoke(app, ["course", *map(str, words)])


@pytest.fixture
def windows(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    for module, name in ((os, "fork"), (os, "setsid"), (socket, "send_fds"), (signal, "setitimer")):
        monkeypatch.delattr(module, name, raising=False)


@pytest.fixture
def solved(tmp_path):
    path = tmp_path / "a1_rules.py"
    path.write_text(to_percent(load(find("A1")).cells))
    return path


def test_check_gives_the_same_and_says_what_it_does_not_do(solved, windows):
    told = run("check", solved)
    assert told.exit_code == 0
    assert "10/10 public passed; 10 hidden" in told.output
    said = " ".join(told.output.split())
    for words in (
        "(win32) is no Linux",
        "in this very process, with everything that you may do yourself",
        "nothing limits their time and their memory",
        "no network",
    ):
        assert words in said


def test_where_there_are_timers_time_is_limited(solved, monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr("minigrad.course.checking.SECONDS", 0.5)
    solved.write_text(solved.read_text() + "\n# %%\nwhile True: pass\n")
    said = " ".join(run("check", solved).output.split())
    assert "(darwin) is no Linux" in said
    assert "nothing limits their memory" in said
    assert "it ran for more than 0.5 s" in said


def test_on_linux_nothing_of_that_is_said_unless_no_process_comes_up(solved, monkeypatch):
    if not sys.platform.startswith("linux"):
        pytest.skip("of Linux")
    assert Check.of(solved).unlike == ""
    program = remote._PROGRAM
    monkeypatch.setattr(remote, "_PROGRAM", f"raise SystemExit\n{program}")
    said = " ".join(run("check", solved).output.split())
    assert "does not come up here (MG-950" in said
    assert "public passed" in said


def test_grade_refuses_where_it_cannot_fork(solved, windows):
    told = run("grade", "A1", solved.parent, "--out", solved.parent / "g.csv")
    assert told.exit_code != 0
    assert "MG-951 this system (win32) cannot fork" in " ".join(told.output.split())


def test_the_walls_are_not_there(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert landlock.version() == 0
    assert not seccomp.restrict()


def test_without_prctl_unshare_and_resource_everything_can_be_imported():
    program = (
        "import sys; sys.modules['resource'] = None\n"
        "from minigrad.course import grading, report, holding, limits, checking\n"
        "limits._limit('RLIMIT_AS', 1)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, env={**os.environ})


def test_no_namespaces_without_unshare(monkeypatch):
    monkeypatch.setattr("ctypes.CDLL", lambda *_, **__: object())
    with pytest.raises(OSError, match="unshare"):
        namespaces.unshare()
