"""run_autograder: results.json is there whatever happens, and nobody reads what is not theirs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from minigrad.course import landlock
from minigrad.course.assignment import find, load, released
from minigrad.course.cells import to_notebook, to_percent
from minigrad.course.gradescope import ROOM, failed
from tests.course import readers
from tests.course.autograders import (
    METADATA,
    SECRET,
    WITHOUT_LANDLOCK,
    WITHOUT_NAMESPACES,
    Autograder,
    everybodys_python,
    read,
    submit,
)
from tests.course.gradescope_format import faults
from tests.long import first

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="Gradescope's machines are Linux's"
)
as_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0,
    reason="Gradescope runs it as root, and so must this test",
)

A4 = load(find("A4"))
SOLUTION = to_percent(A4.submitted)
RELEASED = to_percent(released(A4))


@pytest.fixture(scope="module")
def autograder():
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)  # Python lies where everybody may read, as it does in /opt
        yield Autograder(A4, Path(folder))


class TestRunAutograder:
    def test_the_solution_of_a_group_gets_all_points(self, autograder):
        users = [{"id": 27, "email": "bob@x.org"}, {"id": 1003, "email": "ada@x.org"}]
        result = autograder.run({"a4_dense.py": SOLUTION}, METADATA | {"users": users})
        assert [test for test in result["tests"] if test["status"] == "failed"] == []
        assert result["score"] == sum(test["max_score"] for test in result["tests"]) == A4.points
        assert len(result["tests"]) == len(A4.tests)
        assert result["extra_data"] == {"graded": True, "late_seconds": 5400}
        assert "1003-27: a4_dense.py" in autograder.printed
        assert "On this machine a student's code cannot" in autograder.printed

    def test_a_notebook_of_another_name_counts_and_what_is_not_written_gets_nothing(self, autograder):
        result = autograder.run({"Untitled.ipynb": to_notebook(released(A4))}, "{}")
        assert result["score"] == 0
        assert {test["status"] for test in result["tests"]} == {"failed"}
        assert result["extra_data"] == {"graded": True, "late_seconds": 0}

    @pytest.mark.parametrize(
        ("files", "words"),
        [
            ({}, "it is empty"),
            ({"a4_dense.py.txt": SOLUTION, "notes.pdf": "x"}, "it has a4_dense.py.txt, notes.pdf"),
            ({"mine.py": SOLUTION, "yours.py": RELEASED}, "not clear which file"),
            ({"a4_dense.ipynb": "{"}, "is no notebook"),
        ],
    )
    def test_what_cannot_be_graded_says_what_to_hand_in(self, autograder, files, words):
        result = autograder.run(files)
        assert result["score"] == 0
        assert words in result["output"]
        assert "Hand in a4_dense.py, or a4_dense.ipynb" in result["output"]
        assert result["extra_data"]["graded"] is False
        assert "failed" not in result["extra_data"]
        assert str(autograder.root) not in json.dumps(result)

    @pytest.mark.parametrize(
        ("name", "leads_to", "words"),
        [
            ("a4_dense.py", "source/assignment/a4_dense.py", "A link is no submission"),
            ("a4_dense.ipynb", "submission_metadata.json", "A link is no submission"),
            ("mine", "source/assignment", "There is no .py or .ipynb file"),
        ],
    )
    def test_a_link_to_the_solution_is_no_submission(self, autograder, name, leads_to, words):
        submit(autograder.root, {})
        (autograder.root / "submission" / name).symlink_to(autograder.root / leads_to)
        autograder.start()
        result = read(autograder.root)
        assert result["score"] == 0
        assert words in result["output"]

    @pytest.mark.parametrize(
        ("file", "old", "new"),
        [
            ("plan.json", b'"secret"', b'"secrat"'),
            ("assignment/a4_dense.py", b"@test", b"@tset"),
            ("run_autograder", b"timeout -k 10 540", b"timeout -k 10 0.5"),
            ("run_autograder", b"-m minigrad.course.autograder", b"-c 'import os; os.kill(os.getpid(), 9)'"),
            ("run_autograder", b"/bin/python", b"/bin/none"),
        ],
    )
    def test_a_failure_of_the_grader_is_told_apart(self, autograder, file, old, new):
        path = autograder.root / "source" / file
        before = path.read_bytes()
        assert old in before
        path.write_bytes(before.replace(old, new))
        try:
            result = autograder.run({"a4_dense.py": SOLUTION})
        finally:
            path.write_bytes(before)
        assert result == failed()
        assert "NOT your fault" in result["output"]
        assert "NOT GRADED" in autograder.printed

    @as_root
    def test_on_a_full_disk_the_result_has_its_room(self, autograder):
        source = autograder.root / "source" / "run_autograder"
        script = (
            f"mount -t tmpfs -o size={ROOM + 8192} none {autograder.root}/results && {source}; "
            f"cat {autograder.root}/results/results.json > {autograder.root}/kept.json; ls -a {autograder.root}/results"
        )
        autograder.run({})  # lays everything out
        before = source.read_text()
        source.write_text(
            before.replace("cd /\n", f"head -c 8192 /dev/zero > {autograder.root}/results/stdout; cd /\n")
        )
        try:
            done = subprocess.run(
                ["unshare", "-m", "sh", "-c", script],
                env={
                    **os.environ,
                    "MINIGRAD_AUTOGRADER": str(autograder.root),
                    "MINIGRAD_HOME": str(autograder.home),
                },
                capture_output=True,
                text=True,
            )
        finally:
            source.write_text(before)
        if "mount:" in done.stderr or "unshare:" in done.stderr:
            pytest.skip("no file system may be mounted here")
        kept = (autograder.root / "kept.json").read_bytes()
        assert "the disk is full" in done.stdout
        assert faults(kept) == []
        assert "it is empty" in json.loads(kept)["output"]
        assert done.stdout.split()[-4:] == [".", "..", "results.json", "stdout"]


def secrets() -> set[str]:
    """Lines that stand in the source and not in the release, the seed, and what the environment and Gradescope say."""
    public = {line.strip() for line in RELEASED.split("\n")}
    lines = {line.strip() for line in to_percent(A4.cells).split("\n")} - public
    return {line for line in lines if len(line) > 20} | {SECRET.decode(), "CANARY"}


class TestReaders:
    def test_the_looks_find_what_is_not_kept_from_them(self, autograder, tmp_path):
        autograder.run({})
        names = ["sources", "solutions", "the_plan", "the_wheel", "results", "who", "names", "variables"]
        names += ["own_environment", "command_lines", "link", "programs"]
        chosen = [
            cell.source
            for cell in readers.cells(A4, str(autograder.root), "CANARY")
            if "@look" not in cell.source or cell.source.split("def ")[1].split("(")[0] in names
        ][: len(names) + 2]
        caught = "try:\n    exec({!r})\nexcept Exception as error:\n    print(error)"
        done = subprocess.run(
            [sys.executable, "-c", "\n".join(caught.format(source) for source in chosen)],
            env={**os.environ, "KEY": "CANARY of the environment"},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        assert [line.split()[1] for line in done.stdout.splitlines()] == [
            name for name in readers.LOOKS if name in names
        ]

    @as_root
    @pytest.mark.skipif(everybodys_python() is None, reason="Python lies where only root can read it")
    @pytest.mark.parametrize("landlocked", first([True, False]))
    def test_nothing_of_the_grader_stands_in_the_results(self, autograder, landlocked):
        module = autograder.package / "course" / "landlock.py"
        before = module.read_text()
        if not landlocked:
            module.write_text(before + WITHOUT_LANDLOCK)
        try:
            content = readers.submission(load_released(), str(autograder.root), "CANARY")
            result = autograder.run({"a4_dense.py": content}, GRADESCOPE_KEY="CANARY of the environment")
        finally:
            module.write_text(before)
        shown = "\n".join(readers.texts(result))
        assert f"{readers.TRIED} {len(readers.LOOKS)}" in shown
        assert result["score"] == 0
        found = {line.split(readers.GOT)[1].split()[0] for line in readers.found_in(result)}
        assert found <= (set() if landlocked else {"command_lines", "others_folders", "logs"})
        assert [secret for secret in secrets() if secret in shown] == []

    @as_root
    @pytest.mark.skipif(everybodys_python() is None, reason="Python lies where only root can read it")
    @pytest.mark.skipif(landlock.version() < 1, reason="there is no Landlock to take away")
    def test_an_ordinary_user_needs_walls(self):
        with tempfile.TemporaryDirectory() as folder:
            own = Autograder(A4, Path(folder))
            submit(own.root, {"a4_dense.py": SOLUTION})
            for path in (Path(folder), *Path(folder).rglob("*")):
                os.chown(path, 61000, 61000, follow_symlinks=False)
            rights = ["setpriv", "--reuid=61000", "--regid=61000", "--clear-groups"]
            own.start(*rights)
            assert read(own.root)["score"] == A4.points
            for name, without in (("landlock", WITHOUT_LANDLOCK), ("namespaces", WITHOUT_NAMESPACES)):
                module = own.package / "course" / f"{name}.py"
                module.write_text(module.read_text() + without)
            assert "MG-962 students' code could read" in own.start(*rights)
            assert read(own.root) == failed()


def load_released():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a4_dense.py")
        path.write_text(RELEASED)
        return load(path)
