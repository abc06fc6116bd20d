"""A folder belongs to one process, and what was taken away under it is not made again."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from minigrad import claims
from minigrad.claims import check_folder, claimed, remove_half_written
from minigrad.errors import ConfigError, FileError, MinigradWarning
from minigrad.files import atomic_folder, atomic_write, save_arrays, write_json
from minigrad.viz import plots

HOLD = """
import sys, time
from minigrad.claims import claimed
from minigrad.files import atomic_folder, atomic_path
which = {"claimed": claimed, "atomic_folder": atomic_folder, "atomic_path": atomic_path}[sys.argv[1]]
with which(sys.argv[2]) as inside:
    print("holds", flush=True)
    time.sleep(60)
"""

WRITERS: dict[str, Callable[[Path], Any]] = {
    "text": lambda path: atomic_write(path, "new"),
    "json": lambda path: write_json(path, ["new"]),
    "weights": lambda path: save_arrays(path, {"w": np.ones(3)}),
    "picture": lambda path: plots.curves({"epoch": [1, 2], "loss": [2.0, 1.0]}, path),
}


def holding(what: str, path: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, what, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "holds\n"
    return process


def end(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate()


def everything(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.mark.parametrize("what", ["claimed", "atomic_folder"])
def test_a_second_process_is_told_who_has_the_folder_and_a_dead_one_has_none(
    tmp_path: Path, what: str
) -> None:
    first = holding(what, tmp_path / "run")
    for second in (claimed, atomic_folder):
        with (
            pytest.raises(ConfigError, match=rf"MG-806 .*run is in use by .*\(number {first.pid} on "),
            second(tmp_path / "run"),
        ):
            pass
    end(first)
    with atomic_folder(tmp_path / "run") as inside:
        (inside / "file").touch()
    assert everything(tmp_path) == ["run", "run/file"]


def test_neither_a_fork_nor_a_child_keeps_the_folder_of_a_dead_process(tmp_path: Path) -> None:
    program = (
        "import os, subprocess, sys, time\n"
        "from minigrad.claims import claimed\n"
        "with claimed(sys.argv[1]):\n"
        "    child = subprocess.Popen(['sleep', '60'], close_fds=False).pid\n"
        "    fork = os.fork()\n"
        "    os.write(1, f'{child} {fork}\\n'.encode() if fork else b'let go\\n')\n"  # each in one piece
        "    time.sleep(60)\n"
    )
    first = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "run")], stdout=subprocess.PIPE, text=True
    )
    assert first.stdout is not None
    told = sorted(first.stdout.readline() for _ in range(2))  # from both, in whatever order
    assert told[1] == "let go\n"
    others = [int(number) for number in told[0].split()]
    first.kill()
    first.wait()
    try:
        with claimed(tmp_path / "run"):
            pass
    finally:
        for number in others:
            os.kill(number, signal.SIGKILL)
        first.stdout.close()


def _fail_in(run: Path, content: list[str]) -> None:
    with claimed(run):
        for name in content:
            (run / name).touch()
        raise ZeroDivisionError


def test_an_exception_leaves_no_empty_folder_and_lets_go(tmp_path: Path) -> None:
    for content in ([], ["mine"]):
        with pytest.raises(ZeroDivisionError):
            _fail_in(tmp_path / "run", content)
        assert everything(tmp_path) == [*(["run"] if content else []), *(f"run/{name}" for name in content)]


TAKEN: dict[str, Callable[[Path], Any]] = {
    "removed": shutil.rmtree,
    "renamed": lambda run: run.rename(run.with_name("other")),
    "emptied": lambda run: [path.unlink() for path in run.iterdir()],
    "replaced by a folder": lambda run: (shutil.rmtree(run), run.mkdir()),
    "replaced by a file": lambda run: (shutil.rmtree(run), run.touch()),
    "replaced by a link": lambda run: (
        run.rename(run.with_name("other")),
        run.with_name("third").mkdir(),
        run.symlink_to(run.with_name("third")),
    ),
}


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
@pytest.mark.parametrize("take", TAKEN.values(), ids=TAKEN)
def test_nothing_is_written_where_a_folder_was(
    tmp_path: Path, take: Callable[[Path], Any], write: Callable[[Path], Any]
) -> None:
    run = tmp_path / "run"
    with claimed(run):
        write_json(run / "config.json", {})
        take(run)
        before = everything(tmp_path)
        for path in (run / "new.png", run / "deep" / "new.png"):
            with pytest.raises(FileError, match=r"MG-808 .*run was removed or replaced"):
                write(path)
        assert everything(tmp_path) == before


def test_a_folder_that_is_being_made_may_be_taken_away_too(tmp_path: Path) -> None:
    def take(which: int) -> None:
        with atomic_folder(tmp_path / "run") as inside:
            atomic_write(inside / "file", "x")
            shutil.rmtree((inside, tmp_path / "run")[which])

    for which in range(2):
        with pytest.raises(FileError, match="MG-808"):
            take(which)
    assert everything(tmp_path) == []


@pytest.mark.parametrize(
    "number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS, errno.EACCES]
)
@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
@pytest.mark.parametrize("fails", ["fsync", "replace", "chmod"])
def test_what_the_system_refuses_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, number: int, write: Callable[[Path], Any], fails: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.png"
    path.write_text("old")

    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, fails, refuse)
    with pytest.raises(FileError, match=r"MG-807 .*x\.png could not be written: [^.]+\."):
        write(path)
    monkeypatch.undo()
    assert everything(tmp_path) == ["x.png"]
    assert path.read_text() == "old"


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
def test_a_file_that_may_not_grow_is_told_and_the_old_one_stays(
    tmp_path: Path, write: Callable[[Path], Any]
) -> None:
    import resource

    (tmp_path / "x.png").write_text("old")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(
        resource.RLIMIT_FSIZE, (1, before[1])
    )  # Python ignores SIGXFSZ: the write fails with EFBIG
    try:
        with pytest.raises(
            FileError, match=r"MG-807 .*x\.png could not be written: files may not grow so large"
        ):
            write(tmp_path / "x.png")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert everything(tmp_path) == ["x.png"]
    assert (tmp_path / "x.png").read_text() == "old"


def test_names_may_be_as_long_as_the_system_allows(tmp_path: Path) -> None:
    for name in ("n" * 255, "é" * 127, "a." + "b" * 253, os.fsdecode(b"\xff" * 255)):
        atomic_write(tmp_path / name, "x")
    assert len(everything(tmp_path)) == 4
    for write in WRITERS.values():
        with pytest.raises(FileError, match=r"MG-807 .* the name is longer"):
            write(tmp_path / ("n" * 256))
    with pytest.raises(FileError, match=r"MG-807 .* the name is longer"), claimed(tmp_path / ("n" * 256)):
        pass


def test_a_link_stays_and_what_it_leads_to_is_written(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("real")
    for content in ("new", "newer"):
        atomic_write(tmp_path / "link", content)
        assert (tmp_path / "real").read_text() == content
    assert (tmp_path / "link").is_symlink()


def test_devices_and_folders_are_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (Path("/dev/null"), tmp_path / "pipe", tmp_path):
        with pytest.raises(FileError, match="MG-807"):
            atomic_write(path, "x")
    assert Path("/dev/null").is_char_device()
    assert everything(tmp_path) == ["pipe"]


BLOCKED: dict[str, tuple[Callable[[Path], Any], str]] = {
    "file": (lambda path: path.touch(), "x"),
    "below a file": (lambda path: path.touch(), "x/run"),
    "dangling link": (lambda path: path.symlink_to("nowhere"), "x"),
    "below a dangling link": (lambda path: path.symlink_to("nowhere"), "x/run"),
    "loop": (lambda path: path.symlink_to("x"), "x"),
}


@pytest.mark.parametrize(("block", "out"), BLOCKED.values(), ids=BLOCKED)
def test_what_is_in_the_way_of_a_folder_is_named(
    tmp_path: Path, block: Callable[[Path], Any], out: str
) -> None:
    block(tmp_path / "x")
    before = everything(tmp_path)
    for use in (claimed, atomic_folder):
        with pytest.raises(ConfigError, match=r"MG-804 .*x is a "), use(tmp_path / out):
            pass
    with pytest.raises(ConfigError, match=r"MG-804 .*x is a "):
        check_folder(tmp_path / out)
    assert everything(tmp_path) == before


def test_only_what_dead_processes_left_is_removed(tmp_path: Path) -> None:
    living = holding("atomic_path", tmp_path / "living.png")
    making = holding("atomic_folder", tmp_path / "making")
    for path in (tmp_path / "dead.png", tmp_path / "dead-too"):
        end(holding("atomic_path" if path.suffix else "atomic_folder", path))
    mine = tmp_path / ".mine-partial-x"
    mine.mkdir()
    assert sum("partial" in name and "/" not in name for name in everything(tmp_path)) == 4
    remove_half_written(tmp_path)
    left = [path.name.partition("-partial-")[0] for path in tmp_path.iterdir()]
    assert sorted(left) == [".living", ".making", ".mine", "making"]
    end(living)
    end(making)
    atomic_write(tmp_path / "living.png", "x")
    with claimed(tmp_path):
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == [mine.name, "living.png"]


def test_without_locks_it_goes_on_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(_: int) -> None:
        raise OSError(errno.EOPNOTSUPP, "no locks")

    monkeypatch.setattr(claims, "_lock", none)

    def work() -> None:
        with claimed(tmp_path / "run"):
            atomic_write(tmp_path / "run" / "x", "x")
            shutil.rmtree(tmp_path / "run")
            with pytest.raises(FileError, match="MG-808"):
                atomic_write(tmp_path / "run" / "y", "y")

    with pytest.warns(MinigradWarning, match="MG-809"):
        work()
