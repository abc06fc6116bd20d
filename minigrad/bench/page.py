"""The Markdown page ``bench.md``: everything that somebody who doubts the figures wants to know."""

from __future__ import annotations

from minigrad.bench import summary
from minigrad.bench.peers import OURS
from minigrad.bench.results import Results
from minigrad.bench.summary import Sheet
from minigrad.bench.worker import TOLERANCE, VERIFIED_STEPS
from minigrad.escape import fenced

_SECTIONS = {
    "eager": "Eager, every operation as it runs",
    "compiled": "Compiled, the step as one program",
    "epoch": "Many steps in one call",
}


def render(results: Results, command: str, chart: str | None) -> str:
    """Return the page; ``chart`` is the picture's file name, ``command`` what measures it again."""
    plan, machine = results["plan"], results["machine"]
    parts = [
        "# One training step, here and elsewhere",
        f"{plan['rows']} row{'s' if plan['rows'] != 1 else ''}: dense ReLU networks, cross-entropy "
        "(squared error where there is one output), and LeNet, an LSTM and GPTs over characters; float32. "
        "Above 1 minigrad is the faster one; its own column and the limit are µs per step.",
        *([f"![Speed relative to PyTorch]({chart})"] if chart else []),
    ]
    for kind in summary.kinds(results):
        parts += _comparison(results, kind)
    if (costs := summary.compiling(results)).rows:
        parts += ["## What compiling costs", _COSTS, _markdown(costs)]
    if (rates := summary.rates(results)).rows:
        parts += ["## Steps a second of tiny networks", _markdown(rates)]
    parts += [
        "## Time of a step",
        "Median and quartiles in µs.",
        _markdown(summary.times(results)),
        "## Share of the limit's speed",
        _LIMIT,
        _markdown(summary.shares(results)),
        *_passed(results),
        "## The machine",
        _bullets([f"{name}: {value.replace(chr(10), '; ')}" for name, value in machine.items()]),
        "## How it was measured",
        _method(results),
        "## The frameworks",
        _bullets([f"**{name}** {about}" for name, about in results["peers"].items()]),
        _startup(results),
        *_excuses(results),
        "## Again",
        fenced(command),
    ]
    return "\n\n".join(parts) + "\n"


_COSTS = (
    "From the first call to the end of the second, less what two steps take later on: in a fresh process with nothing "
    "on disk (cold), and in another one with whatever the framework keeps there (warm; the same figure where it keeps "
    "nothing). It pays after so many steps: from then on less time has passed, first calls included, than with the "
    "framework's own eager way, or PyTorch's where it has none."
)

_LIMIT = (
    "The limit is the larger one of two times. The step's matrix products, each as fast as the faster one of our tiles "
    "and the matrix library does it at its shape. And the bytes that have to be moved however the step is written "
    "(parameters read forward, read and written by the update, moments too, the batch read) at the bandwidth of the "
    "cache in which parameters, moments and batch fit. 100 % would leave no time for anything else."
)


def _comparison(results: Results, kind: str) -> list[str]:
    ours, by_batch = OURS[kind], summary.by_batch(results, kind)
    return [
        f"## {_SECTIONS[kind]}",
        f"{ours} is",
        _bullets(summary.verdicts(results, kind)) or "(compared with no peer)",
        *(["Geometric means:", _markdown(by_batch)] if len(by_batch.rows) > 1 else []),
        "Every row:",
        _markdown(summary.ratios(results, kind)),
        f"### Where {ours} loses",
        _behind(results, kind),
    ]


def _behind(results: Results, kind: str) -> str:
    found = summary.behind(results, kind)
    if not found:
        return "On none of these rows."
    return _bullets([f"{each.row.name}: {each.speed:.2f} times the speed of {each.peer}" for each in found])


def _passed(results: Results) -> list[str]:
    found = summary.passed(results)
    return ["Faster than the limit, which is none there:", _bullets(found)] if found else []


def _method(results: Results) -> str:
    plan = results["plan"]
    worst = max((row["largest_difference"] for row in results["rows"]), default=0.0)
    return (
        f"Each framework runs in a process of its own; on every row they take turns (rounds: {plan['rounds']}), "
        f"each time beginning with another one, and each time a framework's steps are timed for {plan['seconds']:g} s "
        "after a warm-up. A figure is the median over the rounds of each round's median. "
        f"All have {plan['threads']} threads, the same initial weights and the same batches, none of which comes "
        "twice. Reading the loss is part of a step (of the last one, where one call does many); turning a batch into "
        "the framework's own array is not. Before "
        f"anything is timed, the losses of the first {VERIFIED_STEPS} steps are compared with a float64 reference: "
        f"the largest difference was {worst:.1e}, and {TOLERANCE:g} of a loss is allowed."
    )


def _startup(results: Results) -> str:
    """Say what is not in the times of a step."""
    longest = []
    for name in results["peers"]:
        firsts = [row["peers"][name]["first"] for row in results["rows"] if name in row["peers"]]
        if firsts:
            longest.append(f"{name} {max(firsts):.1f} s")
    return f"From the framework's import to the end of its first call, at most: {', '.join(longest)}."


def _excuses(results: Results) -> list[str]:
    parts = []
    if results["left_out"]:
        parts += ["Left out:", _bullets([f"{name}: {why}" for name, why in results["left_out"].items()])]
    if failed := summary.failures(results):
        parts += ["Not timed:", _bullets(failed)]
    return parts


def _bullets(lines: list[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _markdown(sheet: Sheet) -> str:
    bold = [f"**{name}**" if name in OURS.values() else name for name in sheet.head]
    rule = ["---", *["---:"] * (len(sheet.head) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (bold, rule, *sheet.rows))
