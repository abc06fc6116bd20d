"""A search: a plan goes in, a folder comes out; started anew, or resumed from wherever it was killed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from minigrad.claims import claimed, taken_away
from minigrad.errors import ConfigError, DataError
from minigrad.files import read_json, write_json
from minigrad.train import run
from minigrad.train.progress import ShowProgress
from minigrad.train.search import report, workers
from minigrad.train.search.plan import Plan
from minigrad.train.search.progress import SearchProgress
from minigrad.train.search.study import Asked, Study, Trial, import_optuna
from minigrad.train.search.trial import Outcome, reached

PLAN, JOURNAL, BEST = "search.json", "journal.jsonl", "best"

Announce = Callable[[Plan, Path], None]


def start(
    plan: Plan, folder: Path, progress: SearchProgress, jobs: int = 1, announce: Announce | None = None
) -> dict[str, Any]:
    """Search in ``folder``, which must not hold a search or a run yet; return the results.

    ``jobs`` trials are trained at a time. The best one, by validation loss, is trained again as a run of its own in
    ``folder/best``, with the same bits, and tested: the only time that the test data are looked at.

    Raises ConfigError MG-804 where the folder cannot take a search, MG-806 where another process has it, MG-805 without
    Optuna, MG-851 or MG-803 where values of the space do not fit the other settings, DataError MG-853 where no trial
    came to its end or a process was lost.
    """
    _check_jobs(jobs)
    import_optuna()
    with claimed(folder):
        if (folder / PLAN).exists() or (folder / run.CONFIG).exists():
            raise ConfigError(
                "MG-804",
                f"{folder} holds a search or a run already. Continue a search with --resume {folder}, "
                "or choose another --out.",
            )
        data = workers.shared(plan)
        workers.try_all(plan, data)
        write_json(folder / PLAN, plan.to_dict())
        return _search(plan, folder, progress, jobs, announce, data)


def resume(
    folder: Path, progress: SearchProgress, jobs: int = 1, announce: Announce | None = None
) -> dict[str, Any]:
    """Continue a search that was killed or interrupted; ConfigError MG-806 where it still runs. Return the results."""
    _check_jobs(jobs)
    import_optuna()
    plan = Plan.load(folder / PLAN)
    with claimed(folder):
        return _search(plan, folder, progress, jobs, announce, workers.shared(plan))


def is_finished(folder: Path) -> bool:
    """Tell whether the search in ``folder`` has come to its end."""
    return (folder / run.RESULTS).exists()


def read_results(folder: Path) -> dict[str, Any]:
    """Read a finished search's ``results.json``; DataError MG-712 where it is damaged."""
    results = read_json(folder / run.RESULTS)
    if not isinstance(results, dict) or not {"trial", "point", "validation_loss", "test_loss"} <= set(
        results
    ):
        raise DataError(
            "MG-712", f"{folder / run.RESULTS} does not hold a search's results. Restore it from a copy."
        )
    return results


class _Desk:
    """Hands out trials, notes what comes of them, and shows it."""

    def __init__(self, study: Study, progress: SearchProgress) -> None:
        self.study, self.progress = study, progress

    def next(self) -> Asked | None:
        asked = self.study.next()
        if asked is not None:
            self.progress.begun(asked)
        return asked

    def report(self, asked: Asked, epoch: int, loss: float) -> bool:
        self.progress.reported(asked, epoch, loss)
        return self.study.report(asked.number, epoch, loss)

    def end(self, asked: Asked, outcome: Outcome) -> None:
        self.progress.ended(self.study.end(asked, outcome))


def _search(
    plan: Plan, folder: Path, progress: SearchProgress, jobs: int, announce: Announce | None, data: Any
) -> dict[str, Any]:
    study = Study(plan, folder / JOURNAL)
    if announce is not None:
        announce(plan, folder)
    with progress.showing(plan, study.trials()):
        desk = _Desk(study, progress)
        if jobs == 1:
            workers.one_by_one(desk, data)
        else:
            workers.at_once(desk, plan, jobs, max(1, _processors() // jobs))
    return _conclude(plan, folder, study)


def _check_jobs(jobs: int) -> None:
    if jobs < 1:
        raise ConfigError("MG-802", f"jobs is {jobs}; it must be 1 or more.")


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _conclude(plan: Plan, folder: Path, study: Study) -> dict[str, Any]:
    """Train the best again as a run, which tests it, and write what was found; ``results.json`` comes last."""
    for name in (PLAN, JOURNAL):
        if not (folder / name).is_file():
            raise taken_away(folder / name)
    best = study.best()
    if best is None:
        raise DataError(
            "MG-853",
            f"none of the {len(study.trials())} trials came to its end, so there is nothing to choose from: all "
            f"diverged. Search smaller values ({', '.join(plan.dimensions)}).",
        )
    tested = _tested(plan, best, folder / BEST)
    results: dict[str, Any] = {
        "trial": best.number,
        "point": best.point,
        "validation_loss": best.outcome.loss,
        "validation_accuracy": best.outcome.accuracy,
        **{name: tested[name] for name in ("test_loss", "test_accuracy") if name in tested},
        "same_when_trained_again": _loss_again(plan, best, folder / BEST) == best.outcome.loss,
        "trials": len(study.trials()),
    }
    report.write(folder, plan, study.trials(), study.importance(), results)
    write_json(folder / run.RESULTS, results)
    return results


def _tested(plan: Plan, best: Trial, folder: Path) -> dict[str, Any]:
    quiet = ShowProgress("quiet")
    if run.is_finished(folder):
        return run.read_results(folder)
    if (folder / run.CONFIG).exists():
        return run.resume(folder, quiet)
    return run.start(plan.config_of(best.point), folder, quiet)


def _loss_again(plan: Plan, best: Trial, folder: Path) -> float:
    return reached(plan.config_of(best.point), read_json(folder / "history.json"))[0]
