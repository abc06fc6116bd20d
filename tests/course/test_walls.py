"""What keeps a student's process in: Landlock, namespaces, the size of its folder, and what is said of them."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import pytest

from minigrad.course import landlock, limits, mounts, namespaces, remote, seccomp
from minigrad.course.assignment import find, load
from minigrad.course.cells import Cell
from minigrad.course.grading import Grader, Settings, grade_class
from minigrad.course.holding import Holding, holding
from minigrad.course.student import Problem
from minigrad.course.submissions import Submission
from minigrad.errors import ConfigError

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the walls are Linux's")

WITHOUT = {
    "landlock": "from minigrad.course import landlock; landlock.restrict = lambda *_: None",
    "namespaces": "from minigrad.course import namespaces; namespaces.available = lambda: False",
    "mounts": "from minigrad.course import mounts; mounts.available = lambda *_: False",
    "seccomp": "from minigrad.course import seccomp; seccomp.restrict = lambda: False",
    "limits": "from minigrad.course import limits; limits._limit = lambda *_: None",
}


def lacking(*names):
    """The program of a fork server whose kernel lacks something."""
    taken = "\n".join(WITHOUT[name] for name in names)
    return remote._PROGRAM.replace(
        "from minigrad.course.forkserver", f"{taken}\nfrom minigrad.course.forkserver"
    )


@pytest.fixture
def without(monkeypatch):
    """Let fork servers have a kernel that lacks something."""
    return lambda *names: monkeypatch.setattr(remote, "_PROGRAM", lacking(*names))


def needs(landlocks: int = 0, apart: bool = False):
    missing = (
        landlock.version() < landlocks or (apart and not namespaces.available()) or not seccomp.available()
    )
    return pytest.mark.skipif(
        missing, reason=f"needs seccomp, Landlock {landlocks}" + " and namespaces" * apart
    )


ORDINARY = os.geteuid() != 0
FILES = {"reads", "writes", "leaves"} | ({"forges"} if ORDINARY else set())


class TestHolding:
    @needs(landlocks=6, apart=True)
    @pytest.mark.parametrize(
        ("taken", "open_"),
        [
            ("", set()),
            ("seccomp", set() if ORDINARY else {"leaves"}),  # root's students have one keyring
            ("landlock", set()),
            ("namespaces", set()),
            ("namespaces seccomp", {"network", "leaves"}),
            ("landlock mounts", FILES),
            ("limits", {"exceeds"}),
            ("landlock namespaces", FILES),
            ("landlock namespaces seccomp", FILES | {"network", "signals"}),
        ],
    )
    def test_each_wall_is_tried_with_others_taken_away(self, tmp_path, without, taken, open_):
        without(*taken.split())
        found = holding(tmp_path / "results")
        assert {name for name, can in found._asdict().items() if can} == open_
        assert list((tmp_path / "results").iterdir()) == []

    def test_what_holds_is_said(self):
        (said,) = Holding(*[False] * 7).sentences()
        assert said.endswith(
            "take more memory than it may or start processes or leave anything for other students' code."
        )
        said = Holding(True, True, *[False] * 5).sentences()
        assert "It CAN read solutions or other submissions and write outside its own folder" in said[-1]


@pytest.mark.parametrize("trusted", [False, True])
def test_stored_results_count_only_where_nobody_can_have_changed_them(tmp_path, trusted):
    one = load(find("A1"))
    few = replace(one, questions=one.questions[:1])
    (ada,) = [Submission("ada", None, "", one.submitted)]
    grader = Grader(few, Settings(seconds=20))
    try:
        (result,) = grade_class(grader, [ada], tmp_path)
        forged = tmp_path / "ada.json"
        forged.write_text(forged.read_text().replace('"passed": true', '"passed": false'))
        (again,) = grade_class(grader, [ada], tmp_path, trust_stored=trusted)
    finally:
        grader.close()
    assert result.score == few.points
    assert again.score == (0 if trusted else few.points)


@pytest.fixture(scope="module")
def forks():
    made = remote.Forks(seconds=20)
    try:
        yield made
    finally:
        made.close()


def tried(forks, body, *arguments):
    """What a student's function with this body returns or raises."""
    source = "import os, socket, subprocess\n\ndef f(*a):\n" + "".join(
        f"    {line}\n" for line in body.split("\n")
    )
    with forks.session([Cell("code", source)], []) as student:
        try:
            return student.f(*arguments)
        except Problem as problem:
            return problem.message


@needs(landlocks=1)
class TestFiles:
    @pytest.mark.parametrize(
        "path", ["/etc/passwd", __file__, "/root", "/home", "/tmp", "/proc/1/environ", "/dev/shm"]
    )
    def test_others_cannot_be_read(self, forks, path):
        assert "Error" in tried(
            forks, f"return os.listdir('{path}') if os.path.isdir('{path}') else open('{path}').read()"
        )

    def test_not_through_a_link_a_move_or_another_program(self, forks, tmp_path):
        secret = tmp_path / "secret"
        secret.write_text("42")
        for attempt in (
            f"os.symlink('{secret}', 'x')\nreturn open('x').read()",
            f"os.link('{secret}', 'x')\nreturn open('x').read()",
            f"os.rename('{secret}', 'x')\nreturn open('x').read()",
            f"os.truncate('{secret}', 0)\nreturn 1",
            f"os.unlink('{secret}')\nreturn 1",
            f"os.mkfifo('{secret}2')\nreturn 1",
        ):
            assert "Error" in tried(forks, attempt)
        assert secret.read_text() == "42"

    def test_its_own_folder_is_its_own(self, forks):
        assert (
            tried(
                forks,
                "open('x', 'w').write('1')\nos.mkdir('d')\nos.rename('x', 'd/y')\nreturn open('d/y').read()",
            )
            == "1"
        )

    @needs(apart=True)
    @pytest.mark.skipif(not mounts.available(["/usr"], ()), reason="needs mounts in namespaces")
    @pytest.mark.parametrize("mask", [0, 0o027, 0o077, 0o777])
    def test_a_root_of_its_own_can_be_read_whatever_the_umask(self, tmp_path, mask):
        own = tmp_path / "own"
        own.mkdir()
        own.chmod(0o777)
        child = os.fork()
        if child == 0:
            try:
                os.umask(mask)
                namespaces.unshare()
                mounts.enter(str(own), ["/usr"], ["/dev/null"])
                kept = os.umask(0o022) == mask
                if os.geteuid() == 0:
                    limits.User(limits._USERS[0], reads_all=False).become()
                read = os.listdir("/usr/lib") and Path("/dev/null").read_bytes() == b""
                (own / "x").touch()
                os._exit(0 if kept and read else 1)
            except BaseException:
                os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

    def test_python_can_still_import(self, forks):
        assert tried(forks, "import scipy.special, matplotlib.pyplot, decimal, sqlite3\nreturn 1") == 1


class TestOtherProcesses:
    @needs(apart=True)
    def test_it_sees_none_and_cannot_kill_any(self, forks):
        bystander = subprocess.Popen(["sleep", "60"])
        try:
            assert "Error" in tried(forks, f"os.kill({bystander.pid}, 9)\nreturn 1")
            assert "Error" in tried(forks, "os.kill(-1, 9)\nreturn 1")
            assert tried(forks, "return [os.getpid(), os.getppid()]") == [2, 1]
            assert bystander.poll() is None
        finally:
            bystander.kill()
            bystander.wait()

    @needs(landlocks=6)
    def test_landlock_alone_refuses_signals_too(self, without):
        without("namespaces", "seccomp")
        alone = remote.Forks(seconds=20)
        try:
            assert "Error" in tried(alone, f"os.kill({os.getpid()}, 0)\nreturn 1")
        finally:
            alone.close()

    @needs(apart=True)
    @pytest.mark.parametrize(
        ("how", "said"),
        [
            ("os._exit(3)", "exit code 3"),
            ("os.kill(os.getpid(), 9)", "killed by SIGKILL"),
            ("import ctypes\nctypes.string_at(0)", "killed by SIGSEGV"),
            ("os.abort()", "killed by SIGABRT"),
            ("try: os.kill(1, 9)\nexcept OSError: pass\nos._exit(4)", "exit code 4"),
        ],
    )
    def test_its_own_end_is_told_as_it_was(self, forks, how, said):
        assert said in tried(forks, how)

    @needs(apart=True)
    def test_nothing_of_it_stays(self, forks):
        tried(forks, "import time\nos.close(3)\ntime.sleep(100)")
        children = Path(f"/proc/{forks.process}/task/{forks.process}/children")
        assert children.read_text() == ""


class TestTheFolder:
    @pytest.mark.parametrize(
        "attack",
        [
            "for k in range(40): open(str(k), 'wb').write(bytes(15 << 20))",
            "for k in range(100_000): open(str(k), 'w')",
            "for k in range(100_000):\n    os.mkdir('d')\n    os.chdir('d')",
            "os.mkdir('locked')\nfor k in range(1000): open(f'locked/{k}', 'w')\nos.chmod('locked', 0)",
        ],
    )
    def test_what_fills_it_is_ended_and_removed(self, attack):
        with tempfile.TemporaryDirectory() as scratch, pytest.MonkeyPatch.context() as patch:
            patch.setattr(tempfile, "tempdir", scratch)
            own = remote.Forks(seconds=20)
            try:
                assert "wrote more than 64 MB, or 500 files" in tried(
                    own, attack + "\nimport time\ntime.sleep(15)"
                )
                assert tried(own, "return 7") == 7
                (place,) = Path(scratch).iterdir()
                assert list(place.iterdir()) == []
            finally:
                own.close()
            assert list(Path(scratch).iterdir()) == []

    def test_any_tree_can_be_removed(self, tmp_path):
        folder = tmp_path / "deep"
        folder.mkdir()
        here = os.getcwd()
        try:
            os.chdir(folder)
            for k in range(3000):
                Path(f"file{k}").touch()
                os.symlink("..", "link")
                os.mkdir("d")
                os.chdir("d")
        finally:
            os.chdir(here)
        with pytest.raises(RecursionError):
            shutil.rmtree(folder)
        limits.remove(str(folder))
        assert not folder.exists()
        limits.remove(str(folder))  # nothing is left to do


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's students have users of their own")
def test_two_graders_never_share_a_user():
    program = (
        "import os; os.getpid = lambda: 4242\n"
        "from minigrad.course.limits import other_user\n"
        "print(other_user().number, other_user().number, flush=True); input()"
    )
    graders = [
        subprocess.Popen(
            [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    said = [grader.stdout.readline().split() for grader in graders]
    for grader in graders:
        grader.communicate("\n")
    assert all(first == again for first, again in said)
    assert len({first for first, _ in said}) == 3


class TestWhereOnlyRootReads:
    @pytest.mark.skipif(os.geteuid() != 0, reason="of interest to root alone")
    def test_without_landlock_it_is_refused(self, monkeypatch):
        monkeypatch.setattr(limits, "_can_work", lambda user: user.reads_all)
        if landlock.version():
            assert limits.other_user().reads_all
        monkeypatch.setattr(landlock, "version", lambda: 0)
        with pytest.raises(ConfigError, match="MG-931 Python and minigrad lie where only root"):
            limits.other_user()


@needs(landlocks=4)
def test_landlock_refuses_tcp(forks):
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        begun = time.monotonic()
        assert "Error" in tried(
            forks, f"socket.create_connection(('127.0.0.1', {server.getsockname()[1]}), 5)\nreturn 1"
        )
        assert time.monotonic() - begun < 5
