"""Nothing hangs, and nothing differs unnoticed."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from minigrad.errors import ParallelError
from minigrad.parallel.manifest import check_equal, check_sums
from minigrad.parallel.waiting import wait_until
from tests.long import first, long
from tests.parallel.kills import kill_a_rank, trained
from tests.parallel.launched import needs_mpi, on


@needs_mpi
@pytest.mark.parametrize("way", ["memory", "messages"])
def test_an_exception_on_one_rank_ends_all_with_its_traceback(tmp_path: Path, way: str) -> None:
    ended = on(2, "tests.parallel.faulty", "raises", way, cwd=tmp_path)
    assert ended.code != 0
    assert ended.seconds < 20, "start and imports included"
    assert "rank 1 of 2 failed, and ends the others:\nTraceback" in ended.err
    assert ended.err.count("LookupError: a fault of rank one alone") == 1
    assert "in raises" in ended.err
    assert "came to its end" not in ended.out


@needs_mpi
@pytest.mark.parametrize("way", ["memory", "messages"])
def test_a_wait_ends_and_says_for_what(tmp_path: Path, way: str) -> None:
    ended = on(2, "tests.parallel.faulty", "sleeps", way, cwd=tmp_path, MINIGRAD_DEADLINE="1.5")
    assert ended.code != 0
    assert ended.seconds < 20
    assert re.search(
        r"MG-873 rank 0 of 2 waited 1.5 s for bucket 1 of 1 \(3.bias, … 0.weight\) at step 4, and it did not come",
        ended.err,
    )


@needs_mpi
def test_parameters_that_drift_apart_are_found(tmp_path: Path) -> None:
    ended = on(2, "tests.parallel.faulty", "drifts", cwd=tmp_path)
    assert ended.code != 0
    assert ended.err.count("MG-874 after step 20 the parameters on rank 1 are not those on rank 0") == 1


@needs_mpi
@pytest.mark.parametrize("way", ["memory", "messages"])
def test_a_loss_that_is_not_finite_stops_all_alike(tmp_path: Path, way: str) -> None:
    ended = on(2, "tests.parallel.faulty", "diverges", way, cwd=tmp_path)
    assert ended.code != 0
    assert ended.err.count("MG-403 training stopped at step 4") == 1
    assert "on rank 1, in layer '0' (Linear 64->8): first non-finite value: NaN" in ended.err


@needs_mpi
def test_different_networks_are_refused(tmp_path: Path) -> None:
    ended = on(2, "tests.parallel.faulty", "mismatch", cwd=tmp_path)
    assert ended.code != 0
    expected = r"MG-872 .*parameter 0.weight is 'float64 of shape \(8, 64\)' on rank 0 and 'float64 of shape \(9, 64\)'"
    assert len(re.findall(expected, ended.err)) == 1


def test_what_differs_is_named() -> None:
    check_equal([{"a": 1}, {"a": 1}])
    with pytest.raises(ParallelError, match=r"b is None on rank 0 and 2 on rank 1, 2\."):
        check_equal([{"a": 1}, {"a": 1, "b": 2}, {"a": 1, "b": 2}])
    check_sums([3, 3], 100)
    with pytest.raises(ParallelError, match="after step 100 the parameters on rank 1 are"):
        check_sums([3, 4, 3], 100)


def test_a_wait_lasts_as_long_as_it_has_to() -> None:
    end = time.monotonic() + 0.1
    wait_until(lambda: time.monotonic() > end, 5, "the clock")
    with pytest.raises(ParallelError, match=r"rank 3 of 4 waited 0\.05 s for bucket 7"):
        wait_until(lambda: False, 0.05, "bucket 7", "rank 3 of 4")


@needs_mpi
def test_a_killed_rank_leaves_a_run_that_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    whole = trained(tmp_path / "whole", epochs=60)
    folder = tmp_path / "killed"
    trial = kill_a_rank(folder, victim=1, epochs=60, after_epochs=1)
    assert trial.was_running
    assert trial.seconds_to_end < 10
    assert trial.survivors == 0
    assert trained(folder, resume=True) == whole


@needs_mpi
@long
def test_launch_trains_what_one_process_trains(tmp_path: Path) -> None:
    from tests.cli.shared import command, environment

    histories = []
    for start in ([], ["launch", "-n", "2"]):
        folder = tmp_path / f"run-{len(histories)}"
        arguments = command(*start, "train", "--epochs", "4", "--quiet", "--out", folder)
        done = subprocess.run(
            arguments, env=environment(), capture_output=True, text=True, check=True, timeout=60
        )
        assert done.stdout == f"{folder}\n"
        histories.append(json.loads((folder / "history.json").read_text()))
    one, two = histories
    assert one["epoch"] == two["epoch"] == [1, 2, 3, 4]
    assert one["val_loss"] == pytest.approx(two["val_loss"], rel=1e-4)
    assert one["loss"] != two["loss"], "two processes round differently, or there was only one"


@needs_mpi
@pytest.mark.parametrize("sent", first([signal.SIGINT, signal.SIGTERM]))
def test_an_interrupt_ends_all(tmp_path: Path, sent: signal.Signals) -> None:
    from tests.parallel.kills import children_of, start, wait_for_epochs

    process = start(tmp_path / "run", epochs=4000)
    wait_for_epochs(tmp_path / "run", 1, process)
    ranks = children_of(process)
    assert len(ranks) == 2
    process.send_signal(sent)
    process.wait(timeout=10)
    assert process.returncode != 0
    assert not [rank for rank in ranks if rank.is_running() and rank.status() != "zombie"]
