"""What a finished search leaves for a person: a table of the trials, pictures, and a page that sums it up."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import minigrad
from minigrad.escape import markdown
from minigrad.files import atomic_write
from minigrad.train.search.plan import Plan
from minigrad.train.search.progress import in_words
from minigrad.train.search.study import Trial
from minigrad.viz import search as pictures

_SHOWN = 10


def write(
    folder: Path,
    plan: Plan,
    trials: Sequence[Trial],
    importance: Mapping[str, float],
    results: dict[str, Any],
) -> None:
    """Write ``trials.csv``, the pictures and ``summary.md`` into the search's folder."""
    names = list(plan.dimensions)
    atomic_write(folder / "trials.csv", _csv(names, trials))
    losses = [trial.outcome.loss for trial in trials]
    complete = [trial.outcome.state == "complete" for trial in trials]
    pictures.history(losses, complete, folder / "history.png")
    pictures.importance(importance, folder / "importance.png")
    columns = {name: [trial.point[name] for trial in trials] for name in names}
    spreads = {name: part.spread for name, part in plan.dimensions.items()}
    pictures.slices(columns, losses, complete, spreads, folder / "slice.png")
    atomic_write(folder / "summary.md", _summary(plan, trials, importance, results))


def _csv(names: Sequence[str], trials: Sequence[Trial]) -> str:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(
        ["trial", *names, "state", "validation_loss", "validation_accuracy", "epochs_trained", "seconds"]
    )
    for trial in trials:
        outcome = trial.outcome
        table.writerow(
            [
                trial.number,
                *(trial.point[name] for name in names),
                *(outcome.state, outcome.loss, outcome.accuracy, outcome.epochs, round(outcome.seconds, 3)),
            ]
        )
    return text.getvalue()


def used_once(results: Mapping[str, Any]) -> str:
    """Say what the choice was made on, and what the test set was used for."""
    test = (
        f"{100 * results['test_accuracy']:.2f} % right"
        if "test_accuracy" in results
        else f"loss {results['test_loss']:.5g}"
    )
    return (
        f"Chosen on the validation data alone (loss {results['validation_loss']:.4f}, the lowest of "
        f"{results['trials']} trials, and so a little too good). The test set was used once, at the end, on the chosen "
        f"one: {test}."
    )


def _summary(
    plan: Plan, trials: Sequence[Trial], importance: Mapping[str, float], results: dict[str, Any]
) -> str:
    counts = {
        state: sum(t.outcome.state == state for t in trials) for state in ("complete", "pruned", "diverged")
    }
    again = (
        "Trained again in `best/`, it reached the same validation loss, to the last bit."
        if results["same_when_trained_again"]
        else "**Trained again in `best/`, it did not reach the same validation loss.** Has the machine changed?"
    )
    lines = [
        f"# {plan.config.recipe} on {markdown(Path(plan.config.data).stem)}: {plan.sampler} search",
        "",
        f"**Best: trial {results['trial']}, {markdown(in_words(results['point']))}.**",
        "",
        used_once(results),
        again,
        "",
        "![every trial's loss and the best so far](history.png)",
        "",
        "## What was searched",
        "",
        "| setting | values | share of the variation |",
        "|---|---|---|",
    ]
    for name, part in plan.dimensions.items():
        share = f"{100 * importance[name]:.0f} %" if name in importance else "too few trials to tell"
        lines.append(f"| {name} | {markdown(part.describe())} | {share} |")
    lines += [
        "",
        f"{len(trials)} trials: {', '.join(f'{count} {state}' for state, count in counts.items())}. "
        "The shares are PED-ANOVA's, of the complete trials.",
        "",
        "![importance](importance.png)",
        "",
        "![loss against each setting](slice.png)",
        "",
        f"## The best {_SHOWN}",
        "",
        f"| trial | validation loss | {' | '.join(plan.dimensions)} |",
        "|---" * (2 + len(plan.dimensions)) + "|",
    ]
    done = sorted(
        (t for t in trials if t.outcome.state == "complete"), key=lambda t: (t.outcome.loss, t.number)
    )
    for trial in done[:_SHOWN]:
        values = (f"{v:.4g}" if isinstance(v, float) else markdown(v) for v in trial.point.values())
        lines.append(f"| {trial.number} | {trial.outcome.loss:.4f} | {' | '.join(values)} |")
    lines += [
        "",
        "All of them are in `trials.csv`. What every trial shares:",
        "",
        "| setting | value |",
        "|---|---|",
    ]
    shared = {name: value for name, value in plan.config.to_dict().items() if name not in plan.dimensions}
    lines += [f"| {name} | {markdown(value)} |" for name, value in shared.items()]
    lines += ["", f"minigrad {minigrad.__version__}.", ""]
    return "\n".join(lines)
