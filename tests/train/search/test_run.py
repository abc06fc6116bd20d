from __future__ import annotations

import csv
import dataclasses
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any
from unittest.mock import patch

import pytest

pytest.importorskip("optuna", reason="searching stands on Optuna")

from minigrad import nn
from minigrad.errors import ConfigError, DataError
from minigrad.train.build import load_data
from minigrad.train.config import Config
from minigrad.train.search import run, trial, workers
from minigrad.train.search.plan import Plan
from minigrad.train.search.progress import SearchProgress
from minigrad.train.search.study import Study

SHARED = Config(recipe="mlp-sgd", hidden=8, epochs=6, batch_size=64, optimizer="sgd").to_dict()
SPACE = ["lr=1e-3:1:log", "hidden=4,8"]
QUIET = "quiet"


def plan(**changes: Any) -> Plan:
    return Plan(**{"settings": SHARED, "space": SPACE, "sampler": "bayes", "trials": 12, **changes})


@pytest.fixture(scope="module", autouse=True)
def _no_pictures() -> Iterator[None]:
    """Drawing takes longer than training here; tests/viz/test_search.py looks at the pictures."""
    nothing: Any = lambda *_, **__: None  # noqa: E731
    with (
        patch.multiple("minigrad.viz.plots", curves=nothing, confusion=nothing, mistakes=nothing),
        patch.multiple("minigrad.viz.search", history=nothing, importance=nothing, slices=nothing),
    ):
        yield


def search(folder: Path, the: Plan, jobs: int = 1) -> list[tuple]:
    run.start(the, folder, SearchProgress(QUIET), jobs)
    return table(folder)


def table(folder: Path) -> list[tuple]:
    """What came of each trial, all but the time it took."""
    with open(folder / "trials.csv", newline="") as file:
        return [
            tuple(value for name, value in row.items() if name != "seconds") for row in csv.DictReader(file)
        ]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("search") / "whole"
    search(folder, plan())
    return folder


class Killed(Exception):
    """Ends a search as a kill would."""


class Killing(SearchProgress):
    """Ends the search after so many events."""

    def __init__(self, events: int) -> None:
        super().__init__(QUIET)
        self.left = events

    def _count(self, *_: Any) -> None:
        self.left -= 1
        if self.left < 0:
            raise Killed

    begun = reported = ended = _count


def test_the_best_is_the_lowest_complete_loss_and_its_run_reaches_it_again(whole: Path) -> None:
    with open(whole / "trials.csv", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["state"] == "complete"]
    lowest = min(rows, key=lambda row: float(row["validation_loss"]))
    results = json.loads((whole / "results.json").read_text())
    history = json.loads((whole / "best" / "history.json").read_text())
    tested = json.loads((whole / "best" / "results.json").read_text())
    assert results["trial"] == int(lowest["trial"])
    assert results["point"] == {"lr": float(lowest["lr"]), "hidden": int(lowest["hidden"])}
    assert results["validation_loss"] == float(lowest["validation_loss"]) == history["val_loss"][-1]
    assert results["same_when_trained_again"] is True
    assert results["test_accuracy"] == tested["test_accuracy"]
    config = Config.load(whole / "best" / "config.json")
    assert config == dataclasses.replace(Config(**SHARED), **results["point"])


def test_the_folder_and_what_the_summary_says(whole: Path) -> None:
    assert {path.name for path in whole.iterdir()} == {
        *("search.json", "journal.jsonl", "trials.csv", "summary.md", "results.json", "best")
    }
    said = (whole / "summary.md").read_text()
    assert "Chosen on the validation data alone" in said
    assert "The test set was used once, at the end" in said
    assert "to the last bit" in said
    assert sum(line.startswith("| lr | 0.001 to 1, logarithmic |") for line in said.splitlines()) == 1


def test_trials_do_not_have_the_test_data(tmp_path: Path) -> None:
    """Without any test data at all, the search of the trials is the same."""
    data = dataclasses.replace(load_data(plan().config), test=None)
    study = Study(plan(trials=3), tmp_path / "journal")
    while (asked := study.next()) is not None:
        study.end(asked, trial.train(asked.config, data, lambda *_: False))
    assert len(study.trials()) == 3


def test_the_test_set_is_evaluated_once(tmp_path: Path) -> None:
    from minigrad.train import run as runs

    with patch.object(runs, "evaluate", wraps=runs.evaluate) as evaluated:
        search(tmp_path / "search", plan(trials=4))
        test = load_data(plan().config).test
    assert [len(call.args[1]) for call in evaluated.call_args_list] == [len(test)]


@pytest.mark.parametrize("events", [0, 1, 9, 31, 58])
def test_a_killed_search_ends_as_one_that_was_not(whole: Path, tmp_path: Path, events: int) -> None:
    with pytest.raises(Killed):
        run.start(plan(), tmp_path / "search", Killing(events))
    with pytest.raises(ConfigError, match=r"MG-804 .*--resume"):
        run.start(plan(), tmp_path / "search", SearchProgress(QUIET))
    run.resume(tmp_path / "search", SearchProgress(QUIET))
    assert table(tmp_path / "search") == table(whole)
    assert (tmp_path / "search/best/weights.safetensors").read_bytes() == (
        whole / "best/weights.safetensors"
    ).read_bytes()


def test_a_search_killed_while_the_best_is_trained_again_tests_it_once(whole: Path, tmp_path: Path) -> None:
    shutil.copytree(whole, tmp_path / "search")
    (tmp_path / "search/results.json").unlink()
    with patch("minigrad.train.run.evaluate", side_effect=AssertionError("a second look at the test set")):
        assert run.resume(tmp_path / "search", SearchProgress(QUIET)) == run.read_results(whole)


def test_random_points_are_the_same_whatever_the_jobs(tmp_path: Path) -> None:
    the = plan(sampler="random", trials=6, prune=False)
    assert search(tmp_path / "one", the) == search(tmp_path / "two", the, jobs=2)


def test_a_grid_is_every_combination_in_an_order_drawn_from_the_seed(tmp_path: Path) -> None:
    points = [
        (float(row[1]), int(row[2])) for row in search(tmp_path / "search", plan(sampler="grid", trials=6))
    ]
    expected = [(pytest.approx(rate), hidden) for rate in (0.001, 0.03162278, 1) for hidden in (4, 8)]
    assert sorted(points) == expected
    assert points != sorted(points)


def test_the_median_rule(whole: Path) -> None:
    """A pruned trial's best loss was worse than the median of the complete ones', and no other's ever was."""
    study = Study(Plan.load(whole / "search.json"), whole / "journal.jsonl").study
    complete: list[dict[int, float]] = []
    pruned = 0
    for t in study.trials:
        values, outcome = t.intermediate_values, t.user_attrs["outcome"]
        for epoch in values:
            at = [other[epoch] for other in complete if epoch in other]
            best = min(loss for step, loss in values.items() if step <= epoch)
            hopeless = len(complete) >= 5 and epoch >= 6 // 5 and best > median(at)
            assert hopeless == (outcome["state"] == "pruned" and epoch == outcome["epochs"])
        pruned += outcome["state"] == "pruned"
        if outcome["state"] == "complete":
            complete.append(values)
            assert outcome["epochs"] == 6
    assert pruned > 0


def test_nothing_is_pruned_where_that_is_asked_for(tmp_path: Path) -> None:
    assert {row[3] for row in search(tmp_path / "search", plan(prune=False))} == {"complete"}


LINE = Config(recipe="line-gd", data="line", optimizer="gd", batch_size=0, epochs=300).to_dict()


def test_a_trial_that_diverges_is_an_outcome(tmp_path: Path) -> None:
    rows = search(tmp_path / "search", Plan(LINE, ["lr=0.01,0.1,900"], "grid", 3))
    assert {row[1]: row[2] for row in rows} == {"0.01": "complete", "0.1": "complete", "900.0": "diverged"}


def test_where_all_diverge_there_is_no_result(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"MG-853 none of the 2 trials .* Search smaller values \(lr\)"):
        search(tmp_path / "search", Plan(LINE, ["lr=800,900"], "grid", 2))
    assert not (tmp_path / "search/results.json").exists()
    assert not (tmp_path / "search/best").exists()


def test_with_patience_the_loss_is_that_of_the_weights_kept() -> None:
    config = Config(patience=2)
    history = {"val_loss": [3.0, 1.0, 2.0, 4.0], "val_accuracy": [0.1, 0.4, 0.3, 0.2]}
    assert trial.reached(config, history) == (1.0, 0.4)
    assert trial.reached(Config(), history) == (4.0, 0.2)


@pytest.mark.parametrize(
    ("settings", "space", "parts"),
    [
        ({"recipe": "line-gd", "data": "line"}, ["hidden=4,8"], ["--space hidden", "no setting of line-gd"]),
        ({}, ["dropout=0:0.5"], ["--space dropout", "no setting of mlp-sgd"]),
        ({"data": "line"}, ["augment=true,false"], ["--space augment, value True", "pictures"]),
    ],
)
def test_what_does_not_fit_is_said_before_the_search(
    tmp_path: Path, settings: dict, space: list[str], parts: list[str]
) -> None:
    base = {"recipe": "mlp-sgd", "optimizer": "gd"}
    with pytest.raises(ConfigError) as caught:
        search(tmp_path / "search", Plan({**base, **settings}, space))
    for part in parts:
        assert part in str(caught.value)
    assert not (tmp_path / "search").exists()


def test_every_trial_begins_with_the_weights_given_and_leaves_the_frozen_ones(tmp_path: Path) -> None:
    from minigrad.files import load_arrays

    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 8), nn.ReLU(), nn.Linear(8, 10))
    nn.save_weights(model, tmp_path / "file.safetensors")
    settings = {**SHARED, "start_from": str(tmp_path / "file.safetensors"), "freeze": "1.*"}
    search(tmp_path / "search", plan(settings=settings, space=["lr=1e-9,1e-8"], sampler="grid", trials=2))
    best = load_arrays(tmp_path / "search/best/weights.safetensors")[0]
    assert (best["1.weight"] == model.state_dict()["1.weight"]).all()
    assert abs(best["3.weight"] - model.state_dict()["3.weight"]).max() < 1e-5
    with pytest.raises(ConfigError, match=r"MG-841 --space hidden, value 4"):
        search(tmp_path / "other", plan(settings=settings, space=["hidden=4,8"]))


def test_a_folder_is_searched_by_one_process_at_a_time(tmp_path: Path) -> None:
    class Second(SearchProgress):
        def begun(self, asked: object) -> None:
            with pytest.raises(ConfigError, match=r"MG-806 .*search is in use"):
                run.resume(tmp_path / "search", SearchProgress(QUIET))

    run.start(plan(trials=2), tmp_path / "search", Second(QUIET))


def test_a_changed_plan_is_noticed(whole: Path, tmp_path: Path) -> None:
    shutil.copytree(whole, tmp_path / "search")
    (tmp_path / "search/results.json").unlink()
    path = tmp_path / "search/search.json"
    path.write_text(path.read_text().replace('"trials": 12', '"trials": 13'))
    with pytest.raises(DataError, match=r"MG-852 search.json is not what .* was begun with"):
        run.resume(tmp_path / "search", SearchProgress(QUIET))


def test_a_lost_process_ends_the_search_and_it_can_go_on(tmp_path: Path) -> None:
    class Lost(workers._Worker):
        def send(self, what: object) -> None:
            if what is False:  # the answer to a first report
                self.process.kill()
            super().send(what)

    with (
        patch.object(workers, "_Worker", Lost),
        pytest.raises(DataError, match="MG-853 the process that trained"),
    ):
        run.start(plan(trials=2), tmp_path / "search", SearchProgress(QUIET), jobs=2)
    run.resume(tmp_path / "search", SearchProgress(QUIET))
    assert [row[3] for row in table(tmp_path / "search")] == ["complete", "complete"]


def test_without_optuna_the_way_to_get_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(
        ConfigError, match=r"MG-805 searching needs optuna.*pip install 'minigrad-engine\[search\]'"
    ):
        run.start(plan(), tmp_path / "search", SearchProgress(QUIET))
    assert not (tmp_path / "search").exists()


def test_importance_is_shares(whole: Path, tmp_path: Path) -> None:
    study = Study(Plan.load(whole / "search.json"), whole / "journal.jsonl")
    shares = study.importance()
    assert set(shares) == {"lr", "hidden"}
    assert sum(shares.values()) == pytest.approx(1)
    assert shares["lr"] > shares["hidden"]
    assert Study(plan(), tmp_path / "journal").importance() == {}
