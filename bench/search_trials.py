"""In how many trials does Bayesian search reach what random search finds?

    python -m bench.search_trials [TRIALS [SEEDS]]

For each of five seeds, random search trains so many trials (40 where nothing is said); its lowest validation loss is
the mark. Then Bayesian search runs with the same seed, data and number of trials, and the trial in which it first
reaches the mark is what is counted. Both are run on the digits, without pruning, in two spaces: the learning rate
alone, and five settings. The seed decides what is suggested and also weights, batches and the validation part.

Where Bayesian search does not reach the mark it is counted as one trial more than there were, which the medians bear.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from statistics import median

from minigrad.train.build import load_data
from minigrad.train.config import Config
from minigrad.train.search.plan import Plan
from minigrad.train.search.study import Study
from minigrad.train.search.trial import train

SPACES = {
    "learning rate alone": ["lr=1e-5:1e-1:log"],
    "five settings": [
        *(
            "lr=1e-5:1e-1:log",
            "hidden=16:256:log",
            "batch_size=16:256:log",
            "dropout=0:0.6",
            "weight_decay=1e-6:1e-1:log",
        )
    ],
}
SHARED = Config(recipe="mlp-dropout", epochs=10, validation=0.2)


def losses(sampler: str, space: list[str], seed: int, trials: int) -> list[float]:
    """Return the validation loss of every trial, infinite where it diverged."""
    plan = Plan({**SHARED.to_dict(), "seed": seed}, space, sampler, trials, prune=False)
    data = load_data(plan.config)
    with tempfile.TemporaryDirectory() as folder:
        study = Study(plan, Path(folder) / "journal.jsonl")
        while (asked := study.next()) is not None:
            study.end(asked, train(asked.config, data, lambda *_: False))
        ended = study.trials()
    return [float("inf") if trial.outcome.loss is None else trial.outcome.loss for trial in ended]


def first(found: list[float], mark: float) -> int:
    """Return in which trial, counted from 1, the mark was reached; one more than there are where it was not."""
    return next((k for k, loss in enumerate(found, 1) if loss <= mark), len(found) + 1)


def spread(values: list[float]) -> str:
    return f"median {median(values):g} (from {min(values):g} to {max(values):g})"


def main() -> None:
    trials, seeds = (int(text) for text in (sys.argv[1:] + ["40", "5"][len(sys.argv) - 1 :])[:2])
    for name, space in SPACES.items():
        print(f"\n{name}: {' '.join(space)}; {trials} trials\n")
        print("| seed | random's best | in trial | Bayesian reaches it in trial | Bayesian best |")
        print("|---|---|---|---|---|")
        at_random, at_bayes, better = [], [], []
        for seed in range(seeds):
            by_chance = losses("random", space, seed, trials)
            by_model = losses("bayes", space, seed, trials)
            mark = min(by_chance)
            at_random.append(float(first(by_chance, mark)))
            at_bayes.append(float(first(by_model, mark)))
            better.append(min(by_model) / mark)
            reached = f"{at_bayes[-1]:.0f}" if at_bayes[-1] <= trials else f"not in {trials}"
            print(
                f"| {seed} | {mark:.4f} | {at_random[-1]:.0f} | {reached} | {min(by_model):.4f} |", flush=True
            )
        fewer = [a - b for a, b in zip(at_random, at_bayes, strict=True)]
        print(f"\nrandom search finds its best in trial: {spread(at_random)}")
        print(f"Bayesian search reaches it in trial: {spread(at_bayes)}")
        print(f"fewer trials, seed by seed: {spread(fewer)}")
        print(f"Bayesian best loss / random's best loss: {spread([round(b, 3) for b in better])}", flush=True)


if __name__ == "__main__":
    main()
