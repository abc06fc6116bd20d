"""Optuna's part: which point to try next, which trial is hopeless, what has been found so far."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from minigrad.errors import DataError
from minigrad.extras import extra
from minigrad.train.config import Config
from minigrad.train.search.plan import Plan
from minigrad.train.search.space import Range
from minigrad.train.search.trial import Outcome

if TYPE_CHECKING:
    import optuna

_STARTUP = 5  # trials before the median rule and before the estimator begins to steer
_PLAN = "plan"


class Trial(NamedTuple):
    """A trial that has ended: its point in the space and what came of it."""

    number: int
    point: dict[str, Any]
    outcome: Outcome


class Asked(NamedTuple):
    """A trial to train."""

    number: int
    point: dict[str, Any]
    config: Config


def import_optuna() -> Any:
    """Import Optuna, and let it say nothing that is no error; ConfigError MG-805 where it is missing."""
    optuna = extra("optuna", "search", "searching")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna


class Study:
    """A search's trials in Optuna's hands, remembered in a journal, so that a killed search goes on.

    What is suggested for trial n depends on the seed, on n, and for ``bayes`` on the trials that had ended, and on
    nothing else. So with one trial at a time a resumed search ends as one that was never killed; trials that were under
    way are trained again, with the values that had been suggested.
    """

    def __init__(self, plan: Plan, journal: Path) -> None:
        optuna = import_optuna()
        from minigrad.train.search.journal import Journal

        self.plan = plan
        storage = optuna.storages.JournalStorage(Journal(journal))
        self.study = optuna.create_study(
            storage=storage, study_name="search", pruner=self._pruner(), load_if_exists=True
        )
        self._begin(journal)
        self.open = {t.number: optuna.trial.Trial(self.study, t._trial_id) for t in self._with("RUNNING")}
        self.again = sorted(self.open)

    def _begin(self, journal: Path) -> None:
        """Note the plan in the journal, or see that it is the one that was noted."""
        noted = self.study.user_attrs.get(_PLAN)
        if noted is None:
            if self.plan.sampler == "grid":
                order = np.random.default_rng(self.plan.config.seed).permutation(self.plan.count())
                points, known = self.plan.grid(), len(self.study.get_trials(deepcopy=False))
                for k in order[known:]:
                    self.study.enqueue_trial(points[k])
            self.study.set_user_attr(_PLAN, self.plan.to_dict())
        elif json.dumps(noted) != json.dumps(self.plan.to_dict()):
            raise DataError(
                "MG-852",
                f"search.json is not what {journal} was begun with: one of the two was changed or comes from another "
                "search. Restore it from a copy, or search anew.",
            )

    def _pruner(self) -> optuna.pruners.BasePruner:
        import optuna

        if not self.plan.prune:
            return optuna.pruners.NopPruner()
        return optuna.pruners.MedianPruner(
            n_startup_trials=_STARTUP, n_warmup_steps=self.plan.config.epochs // 5, n_min_trials=_STARTUP
        )

    def _sampler(self, number: int, part: int = 0) -> optuna.samplers.BaseSampler:
        """A sampler for one trial, or for what it draws by itself for one of the settings, counted from 1.

        Each has a seed of its own, so that what is drawn does not depend on what was noted before a kill.
        """
        import optuna

        seed = int(np.random.SeedSequence([self.plan.config.seed, number, part]).generate_state(1)[0])
        if self.plan.sampler == "bayes":
            return optuna.samplers.TPESampler(n_startup_trials=_STARTUP, seed=seed)
        return optuna.samplers.RandomSampler(seed=seed)

    def _with(self, *states: str) -> list[optuna.trial.FrozenTrial]:
        return [t for t in self.study.get_trials(deepcopy=False) if t.state.name in states]

    def next(self) -> Asked | None:
        """Return the next trial to train, or None where all have been given out."""
        if self.again:
            number = self.again.pop(0)
            trial = self.open[number]
        else:
            waiting = self._with("WAITING")
            number = waiting[0].number if waiting else len(self.study.get_trials(deepcopy=False))
            if number >= self.plan.count():
                return None
            trial = self.open[number] = self.study.ask()
        point = self._suggest(trial)
        return Asked(number, point, self.plan.config_of(point))

    def _suggest(self, trial: optuna.trial.Trial) -> dict[str, Any]:
        point: dict[str, Any] = {}
        self.study.sampler = self._sampler(trial.number)
        _ = trial.relative_params  # drawn together
        for k, (name, part) in enumerate(self.plan.dimensions.items(), 1):
            self.study.sampler = self._sampler(trial.number, k)
            if not isinstance(part, Range):
                point[name] = trial.suggest_categorical(name, part.values)
            elif part.whole:
                point[name] = trial.suggest_int(name, int(part.low), int(part.high), log=part.log)
            else:
                point[name] = trial.suggest_float(name, part.low, part.high, log=part.log)
        return point

    def report(self, number: int, epoch: int, loss: float) -> bool:
        """Note a trial's loss after an epoch; tell whether the trial is hopeless.

        Of a trial that is trained again after a kill, the answers given before hold.
        """
        trial = self.open[number]
        noted = self.study.get_trials(deepcopy=False)[number].intermediate_values
        if noted and epoch < max(noted):
            return False
        if epoch not in noted:
            trial.report(loss, epoch)
        return bool(trial.should_prune())

    def end(self, asked: Asked, outcome: Outcome) -> Trial:
        """Note how a trial ended. Optuna takes one that diverged for one that was pruned: worse than all others."""
        import optuna

        trial = self.open.pop(asked.number)
        trial.set_user_attr("outcome", outcome._asdict())
        states = optuna.trial.TrialState
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that a pruned trial has no value
            if outcome.state == "complete":
                self.study.tell(trial, outcome.loss)
            else:
                self.study.tell(trial, state=states.PRUNED)
        return Trial(asked.number, asked.point, outcome)

    def trials(self) -> list[Trial]:
        """Return all trials that have ended, in the order of their numbers."""
        return [
            Trial(
                t.number,
                {name: t.params[name] for name in self.plan.dimensions},
                Outcome(**t.user_attrs["outcome"]),
            )
            for t in self._with("COMPLETE", "PRUNED")
        ]

    def best(self) -> Trial | None:
        """Return the complete trial with the lowest validation loss, the first of equal ones; None without any."""
        complete = [trial for trial in self.trials() if trial.outcome.state == "complete"]
        return min(complete, key=lambda trial: (trial.outcome.loss, trial.number), default=None)

    def importance(self) -> dict[str, float]:
        """Return how much of the losses' variation each setting explains: shares that sum to 1, the largest first.

        PED-ANOVA (Watanabe, Bansal & Hutter 2023) over the complete trials; empty where they are too few to tell.
        """
        import optuna

        losses = {trial.outcome.loss for trial in self.trials() if trial.outcome.state == "complete"}
        if len(losses) < 4:
            return {}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = optuna.importance.get_param_importances(
                self.study, evaluator=optuna.importance.PedAnovaImportanceEvaluator()
            )
        return {name: float(share) for name, share in found.items()}
