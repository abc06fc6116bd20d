"""The archive for Gradescope: what is in it, how its setup.sh finds Python, and how a result is written."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from minigrad.cli import app
from minigrad.course.assignment import find, load, released
from minigrad.course.autograder import late, metadata, student, write
from minigrad.course.cells import to_percent
from minigrad.course.gradescope import archive, failed
from minigrad.course.packing import pins, wheel
from minigrad.errors import ConfigError, FileError
from tests.course.autograders import (
    SECRET,
    unpack,
)
from tests.course.gradescope_format import faults

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Gradescope's machines are Linux's")
A4 = load(find("A4"))
RELEASED = to_percent(released(A4))


class TestTheFormat:
    @pytest.mark.parametrize(
        ("content", "fault"),
        [
            ("", "no JSON"),
            ("[]", "no object"),
            ("{}", "score is missing"),
            ('{"tests": []}', "score is missing"),
            ('{"tests": [{"score": 1}, {}]}', "score is missing"),
            ('{"score": NaN}', "score = 'NaN'"),
            ('{"score": 1e999}', "score = inf"),
            ('{"score": "3"}', "score = '3'"),
            ('{"score": true}', "score = True"),
            ('{"score": 1, "points": 3}', "no field points"),
            ('{"score": 1, "output": "\\u0000"}', "output = "),
            ('{"score": 1, "output": "\\ud83d"}', "output = "),
            ('{"score": 1, "visibility": "secret"}', "visibility = 'secret'"),
            ('{"score": 1, "tests": {}}', "tests = {}"),
            ('{"score": 1, "tests": [{"status": "ok"}]}', "test 0: status = 'ok'"),
            ('{"score": 1, "tests": [{"number": 1}]}', "test 0: number = 1"),
            ('{"score": 1, "tests": [{}, {"visible": 1}]}', "test 1: there is no field visible"),
            ('{"score": 1, "leaderboard": [{"value": 1}]}', "leaderboard = "),
        ],
    )
    def test_what_is_none_is_told(self, content, fault):
        assert any(fault in each for each in faults(content.encode()))

    def test_the_documentations_own_examples_are_fine(self):
        tests = [
            {
                "score": 2.0,
                "max_score": 2.0,
                "name": "Sum",
                "number": "1.1",
                "tags": ["a"],
                "status": "failed",
            },
            {"score": 0, "output": "x\ny", "visibility": "after_published", "extra_data": {}},
        ]
        whole = {
            "score": 44.0,
            "execution_time": 136,
            "output": "Text",
            "visibility": "after_due_date",
            "stdout_visibility": "visible",
            "tests": tests,
            "leaderboard": [
                {"name": "Time", "value": 15.1, "order": "asc"},
                {"name": "Stars", "value": "***"},
            ],
        }
        assert faults(json.dumps(whole).encode()) == []
        assert faults(json.dumps({"tests": tests}).encode()) == []
        assert faults(json.dumps(failed()).encode()) == []


class TestTheArchive:
    def test_it_holds_what_gradescope_asks_for_and_no_index_is_needed_for_minigrad(self, tmp_path):
        archive(A4, tmp_path / "out.zip", secret=SECRET)
        with zipfile.ZipFile(tmp_path / "out.zip") as made:
            rights = {entry.filename: entry.external_attr >> 16 for entry in made.infolist()}
            assert made.read("assignment/a4_dense.py").decode() == to_percent(A4.cells)
            assert made.read("setup.sh").startswith(b"#!/usr/bin/env bash\n")
            assert made.read("run_autograder").startswith(b"#!/bin/sh\n")
            for name in ("setup.sh", "run_autograder"):
                assert b"@" not in made.read(name).replace(b'"$@"', b"")
        assert {name for name, right in rights.items() if right == 0o100755} == {"setup.sh", "run_autograder"}
        assert sum(name.endswith(".whl") and name.startswith("minigrad_engine-") for name in rights) == 1
        first = (tmp_path / "out.zip").read_bytes()
        archive(A4, tmp_path / "out.zip", secret=SECRET)
        assert (tmp_path / "out.zip").read_bytes() == first

    def test_the_command_draws_a_secret_unless_it_is_given_one(self, tmp_path):
        def plan(*options):
            done = CliRunner().invoke(
                app, ["course", "gradescope", "A4", str(tmp_path / "out.zip"), *options]
            )
            assert done.exit_code == 0, done.output
            assert "17 points" in done.output
            with zipfile.ZipFile(tmp_path / "out.zip") as made:
                return json.loads(made.read("plan.json"))

        (tmp_path / "secret").write_text("a secret of the instructor's\n")
        chosen = plan("--secret", str(tmp_path / "secret"), "--seconds", "3", "--memory", "700")
        assert chosen == {
            "assignment": "assignment/a4_dense.py",
            "secret": "a secret of the instructor's",
            "seconds": 3.0,
            "memory": 700 << 20,
        }
        assert plan()["secret"] != plan()["secret"]

    @pytest.mark.parametrize(
        ("name", "words"), [("out.tar.gz", r"Gradescope takes a \.zip"), ("out.zip", "is a release")]
    )
    def test_what_could_not_work_is_refused(self, name, words, tmp_path):
        (tmp_path / "a4_dense.py").write_text(RELEASED)
        with pytest.raises(ConfigError, match=f"MG-961 .*{words}"):
            archive(load(tmp_path / "a4_dense.py"), tmp_path / name, secret=SECRET)
        assert not (tmp_path / name).exists()

    def test_the_wheel_is_one(self, tmp_path):
        name, content = wheel()
        with zipfile.ZipFile(io.BytesIO(content)) as made:
            files = {entry: made.read(entry) for entry in made.namelist()}
        (record,) = (entry for entry in files if entry.endswith(".dist-info/RECORD"))
        rows = dict(row.split(",", 1) for row in files.pop(record).decode().splitlines())
        assert rows.pop(record) == ","
        for entry, inside in files.items():
            digest = base64.urlsafe_b64encode(hashlib.sha256(inside).digest()).rstrip(b"=").decode()
            assert rows.pop(entry) == f"sha256={digest},{len(inside)}"
        assert rows == {}
        assert {
            "minigrad/py.typed",
            "minigrad/explain/pages/MG-101.md",
            "minigrad_kernels/__init__.py",
        } <= set(files)
        assert not any("__pycache__" in entry or "assignments" in entry for entry in files)
        (tmp_path / name).write_bytes(content)
        pip = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "-q",
            "--no-index",
            "--no-deps",
            "--target",
            tmp_path / "x",
        ]
        subprocess.run([*pip, tmp_path / name], check=True)
        assert (tmp_path / "x" / "minigrad" / "course" / "autograder_files" / "setup.sh").is_file()

    def test_all_that_minigrad_needs_has_the_version_that_is_here(self):
        import numpy
        import scipy

        found = dict(pin.split("==") for pin in pins())
        assert found["numpy"] == numpy.__version__.partition("+")[0]
        assert found["scipy"] == scipy.__version__
        assert "llvmlite" in found  # which Numba needs, and minigrad does not name
        assert not {"pytest", "sphinx", "minigrad-engine"} & set(found)  # extras, and itself


class TestWhoItIs:
    @pytest.mark.parametrize(
        ("users", "name"),
        [
            ([{"email": "ada@x.org", "id": 1, "name": "Ada"}], "1"),
            ([{"email": "bob@x.org", "id": 27}, {"email": "ada@x.org", "id": 1003}], "1003-27"),
            ([{"email": "ada@x.org", "id": None, "name": "Ada"}], "ada@x.org"),
            ([{"name": "Ada\n\ud83d"}], "Ada \ufffd"),
            ([], "student"),
            (None, "student"),
            ([3, {}], "student"),
        ],
    )
    def test_one_or_a_group(self, users, name):
        assert student({"users": users}) == name

    @pytest.mark.parametrize("content", ["", "[]", "{", "[" * 100_000, '{"users": {"a": 1}}', "\xff"])
    def test_whatever_the_metadata_are(self, content, tmp_path):
        path = tmp_path / "submission_metadata.json"
        path.write_text(content, encoding="latin-1")
        assert student(metadata(path)) == "student"
        assert late(metadata(path)) == 0
        assert metadata(tmp_path / "none.json") == {}

    @pytest.mark.parametrize(
        ("created", "due", "seconds"),
        [
            ("2026-11-02T00:30:00.000000-07:00", "2026-11-01T23:00:00.000000-07:00", 5400),
            ("2026-11-02T00:30:00.000000-07:00", "2026-11-02T08:00:00.000000+00:00", 0),
            ("2026-11-02T00:30:00.000000-07:00", None, 0),
            ("yesterday", "2026-11-01T23:00:00.000000-07:00", 0),
            ("2026-11-02T00:30:00", "2026-11-01T23:00:00.000000-07:00", 0),
        ],
    )
    def test_how_late(self, created, due, seconds):
        assert late({"created_at": created, "assignment": {"due_date": due}}) == seconds


@linux
class TestHowPythonComes:
    """setup.sh on machines that are only pretended (pretend.sh), up to where it makes a virtual environment."""

    def setup(self, tmp_path, **files):
        here = tmp_path / "bin"
        here.mkdir()
        (here / "pretend.sh").write_bytes(Path(__file__).with_name("pretend.sh").read_bytes())
        (here / "pretend.sh").chmod(0o755)
        for name in ("bash", "sh", "sed", "chmod", "mkdir", "cat", "ln"):
            (here / name).symlink_to(shutil.which(name))
        for name in (
            "apt-get",
            "apt-cache",
            "add-apt-repository",
            "grep",
            "python3",
            files.pop("there", "python3"),
        ):
            if not (here / name).exists():
                (here / name).symlink_to("pretend.sh")
        for name, text in ({"candidates": ""} | files).items():
            (here / name.replace("_", "-")).write_text(text)
        archive(A4, tmp_path / "out.zip", secret=SECRET)
        unpack(tmp_path / "out.zip", tmp_path / "root" / "source")
        script = tmp_path / "root" / "source" / "setup.sh"
        script.write_text(re.sub(r'versions="[\d.]+ ', 'versions="3.12 ', script.read_text()))
        home = {"MINIGRAD_HOME": str(tmp_path / "home"), "MINIGRAD_AUTOGRADER": str(tmp_path / "root")}
        done = subprocess.run(
            ["/usr/bin/env", "bash", script],
            env={"PATH": str(here), "HERE": str(here), **home},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert done.returncode != 0
        ways = [line.rpartition(": ")[2] for line in done.stdout.splitlines() if "looking for" in line]
        return ways[-1], done.stdout.splitlines()[-1]

    @pytest.mark.parametrize(
        ("machine", "way", "made"),
        [
            ({"there": "python3.13"}, "is there", "python3.13"),
            ({"candidates": "python3.11 3.11.2-6"}, "from the distribution", "python3.11"),
            (
                {"candidates": "python3.11 3.11.0~rc1-1~22.04\n", "ppa": "python3.12 3.12.9-1+jammy1\n"},
                "from deadsnakes",
                "python3.12",
            ),
            ({"candidates": "python3.11 3.11.0~rc1-1~22.04\n", "has_uv": ""}, "from uv", "python-of-uv"),
            ({"candidates": "python3.11 3.11.0~rc1-1~22.04\n"}, "from a release candidate", "python3.11"),
        ],
    )
    def test_by_the_first_way_that_there_is(self, machine, way, made, tmp_path):
        assert self.setup(tmp_path, **machine) == (way, f"MADE WITH {made}")

    def test_or_it_says_that_there_is_none(self, tmp_path):
        assert self.setup(tmp_path)[1] == "minigrad: there is no way here to Python 3.11 or newer"


class TestWriting:
    def result(self, output):
        return {"score": 1, "output": "x\0\ud83dy", "tests": [{"score": 1, "output": output}]}

    def test_what_a_database_does_not_take_is_taken_out(self, tmp_path):
        write(tmp_path / "results.json", self.result("\ud83d\ude00"))
        written = (tmp_path / "results.json").read_bytes()
        assert faults(written) == []
        assert json.loads(written)["output"] == "x\\0\ufffdy"
        assert json.loads(written)["tests"][0]["output"] == "😀"

    @pytest.mark.parametrize(("length", "left"), [(100, 100), (5000, 0)])
    def test_what_has_too_little_room_is_shortened_and_stays_json(self, monkeypatch, tmp_path, length, left):
        def full(path, content):
            raise FileError("MG-807", "the disk is full")

        monkeypatch.setattr("minigrad.course.autograder.atomic_write", full)
        path = tmp_path / "results.json"
        path.write_bytes(json.dumps(failed()).encode().ljust(2000))
        write(path, self.result("x" * length))
        assert path.stat().st_size == 2000
        assert faults(path.read_bytes()) == []
        assert len(json.loads(path.read_bytes())["tests"][0]["output"]) == left
