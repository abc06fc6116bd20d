from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from minigrad.bench import run
from minigrad.bench.grid import Row
from minigrad.bench.machine import clean_environment
from minigrad.bench.peers import PEERS, Peer
from minigrad.bench.process import Worker, WorkerFailed
from minigrad.bench.worker import reference, start, turn
from minigrad.cli import app

ROW = Row((20, 8, 4), 6, "adam")
ENVIRONMENT, _ = clean_environment(os.environ, 1)
JOB = {"kind": "start", "peer": "numpy", "row": ROW.to_dict(), "device": "cpu", "threads": 1, "seconds": 0.01}


@pytest.mark.parametrize("peer", ["numpy", "mg.compile", "mg.over"])
def test_a_peer_is_measured(peer: str) -> None:
    started = start({**JOB, "peer": peer, "reference": reference(ROW)})
    assert started["difference"] < 2e-6
    assert sum(call["steps"] for call in started["calls"]) >= 20
    assert started["first"] >= started["calls"][0]["seconds"] > 0
    for _ in range(2):
        (figures,) = turn(JOB)
        assert 0 < figures["low"] <= figures["median"] <= figures["high"]
        assert figures["steps"] >= 5


def test_a_peer_with_other_losses_is_not_timed() -> None:
    wrong = [loss + 0.1 for loss in reference(ROW)]
    ((what, reason),) = start({**JOB, "reference": wrong}).items()
    assert what == "failed"
    assert reason.startswith("its first 20 losses differ from the reference by up to 0.")


def test_a_worker_that_dies_says_why() -> None:
    with Worker(ENVIRONMENT) as worker:
        assert worker.ask({"kind": "reference", "row": ROW.to_dict()}) == reference(ROW)
        for _ in range(2):  # and goes on saying it
            with pytest.raises(WorkerFailed, match="KeyError: 'no such job'"):
                worker.ask({"kind": "no such job"})


def test_rounds_are_joined_by_their_medians_and_the_fastest_variant_counts() -> None:
    """Plain takes 5, 9 and 7, fused 6, 6 and 8: by the medians fused is the faster one."""
    turns = [
        [
            {"median": m, "low": m - 1, "high": m + 2, "steps": 10, "variant": v}
            for m, v in ((plain, "plain"), (fused, "fused"))
        ]
        for plain, fused in ((5.0, 6.0), (9.0, 6.0), (7.0, 8.0))
    ]
    assert run.combine(turns, 2.0) == {
        "median": 6.0,
        "low": 5.0,
        "high": 8.0,
        "first": 2.0,
        "steps": 30,
        "rounds": [6.0, 6.0, 8.0],
        "variant": "fused",
    }


def test_the_command_from_end_to_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One small row, with a peer that is not installed and one that breaks down."""
    monkeypatch.setattr(run, "QUICK", run.Plan((ROW,), rounds=1, seconds=0.01))
    monkeypatch.setitem(PEERS, "ghost", Peer("ghost", "ghost_peer", "no_such_package", "not there"))
    monkeypatch.setitem(PEERS, "broken", Peer("broken", "broken_peer", "numpy", "known to nobody else"))
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    out = tmp_path / "out"
    command = ["bench", "--quick", "--peers", "numpy,ghost,broken", "--threads", "1", "--out", str(out)]
    command += ["--kinds", "eager"]
    done = CliRunner().invoke(app, command, env={"COLUMNS": "120"})
    assert done.exit_code == 0, done.output
    assert "Left out: ghost (not installed; pip install no_such_package)" in done.output
    assert "times as fast as numpy in the geometric mean of 1 row" in done.output
    found = json.loads((out / "bench.json").read_text())
    (row,) = found["rows"]
    assert set(row["peers"]) == {"minigrad", "numpy"}
    assert row["failed"] == {"broken": "KeyError: 'broken'"}
    assert row["largest_difference"] < 2e-6
    assert row["limit"]["median"] > 0
    assert "OPENBLAS_CORETYPE" in found["machine"]["environment"]
    assert "not timed: broken on 20–8–4, batch 6, Adam: KeyError: 'broken'" in done.output


def test_an_unknown_peer_is_a_wrong_option() -> None:
    done = CliRunner().invoke(app, ["bench", "--peers", "tensorflow"])
    assert done.exit_code == 2
    assert "MG-802" in done.output
