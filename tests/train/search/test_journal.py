from __future__ import annotations

import random
from pathlib import Path

import pytest

pytest.importorskip("optuna", reason="searching stands on Optuna")
import optuna

from minigrad.errors import DataError
from minigrad.train.search.journal import Journal
from tests.cli.fuzz_files import DAMAGES


def fill(path: Path, trials: int = 4) -> None:
    study = optuna.create_study(storage=optuna.storages.JournalStorage(Journal(path)), study_name="search")
    study.optimize(lambda trial: trial.suggest_float("x", -1, 1) ** 2, n_trials=trials)


def told(study: optuna.Study) -> list[tuple]:
    return [(t.number, t.state, t.value, t.params) for t in study.trials]


def test_optunas_own_backend_reads_it(tmp_path: Path) -> None:
    fill(tmp_path / "journal")
    studies = [
        optuna.load_study(storage=optuna.storages.JournalStorage(backend), study_name="search")
        for backend in (
            Journal(tmp_path / "journal"),
            optuna.storages.journal.JournalFileBackend(str(tmp_path / "journal")),
        )
    ]
    assert told(studies[0]) == told(studies[1])
    assert len(told(studies[0])) == 4


def test_cut_anywhere_it_is_an_earlier_state(tmp_path: Path) -> None:
    fill(tmp_path / "journal", 2)
    whole = (tmp_path / "journal").read_bytes()
    entries = Journal(tmp_path / "journal").entries
    for length in range(0, len(whole), 23):
        (tmp_path / "cut").write_bytes(whole[:length])
        kept = Journal(tmp_path / "cut").entries
        assert kept == entries[: whole[:length].count(b"\n")]
        assert (tmp_path / "cut").read_bytes() == b"".join(whole.splitlines(keepends=True)[: len(kept)])


def test_nothing_that_was_changed_goes_unnoticed(tmp_path: Path) -> None:
    fill(tmp_path / "journal")
    whole, entries = (tmp_path / "journal").read_bytes(), Journal(tmp_path / "journal").entries
    chance = random.Random(0)
    noticed = []
    for trial in range(300):
        (tmp_path / "other").write_bytes(DAMAGES[trial % len(DAMAGES)](whole, chance))
        try:
            found = Journal(tmp_path / "other").entries
        except DataError as error:
            noticed.append(error.code)
        else:
            assert found == entries[: len(found)]
    assert len(noticed) > 200
    assert set(noticed) == {"MG-852"}


def test_a_line_that_is_missing_or_moved_is_noticed(tmp_path: Path) -> None:
    fill(tmp_path / "journal")
    lines = (tmp_path / "journal").read_bytes().splitlines(keepends=True)
    for changed in ([*lines[:2], *lines[3:]], [lines[1], lines[0], *lines[2:]], [*lines, lines[-1]]):
        (tmp_path / "other").write_bytes(b"".join(changed))
        with pytest.raises(DataError, match="MG-852 line"):
            Journal(tmp_path / "other")
