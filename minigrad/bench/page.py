"""The Markdown page ``bench.md``: everything that somebody who doubts the figures wants to know."""

from __future__ import annotations

from minigrad.bench import summary
from minigrad.bench.peers import OURS
from minigrad.bench.results import Results
from minigrad.bench.summary import Sheet
from minigrad.bench.worker import TOLERANCE, VERIFIED_STEPS
from minigrad.escape import fenced


def render(results: Results, command: str, chart: str | None) -> str:
    """Return the page; ``chart`` is the picture's file name, ``command`` what measures it again."""
    plan, machine = results["plan"], results["machine"]
    parts = [
        "# One training step, here and elsewhere",
        f"{plan['rows']} rows: dense ReLU networks, cross-entropy, float32. "
        "minigrad, which records every operation as it runs, is",
        _bullets(summary.verdicts(results)) or "(no peer was timed)",
        "## Where minigrad loses",
        _behind(results),
        "## The machine",
        _bullets([f"{name}: {value.replace(chr(10), '; ')}" for name, value in machine.items()]),
        "## How it was measured",
        _method(results),
        *([f"![Speed relative to PyTorch]({chart})"] if chart else []),
        "## How many times as fast minigrad is",
        "minigrad's column and the machine's limit are µs per step; above 1× minigrad is the faster one.",
        _markdown(summary.ratios(results)),
        "## Time of a step",
        "Median and quartiles in µs.",
        _markdown(summary.times(results)),
        "## Share of the machine's limit",
        "The limit is a step's matrix products at the rate that the matrix library reaches at these shapes, plus "
        "the bytes of everything else at the bandwidth of a copy of as many bytes, each at its best. 100 % would "
        "leave no time for anything between them.",
        _markdown(summary.shares(results)),
        "## The frameworks",
        _bullets([f"**{name}** {about}" for name, about in results["peers"].items()]),
        _startup(results),
        *_excuses(results),
        "## Again",
        fenced(command),
    ]
    return "\n\n".join(parts) + "\n"


def _behind(results: Results) -> str:
    found = summary.behind(results)
    if not found:
        return "On none of these rows."
    return _bullets([f"{each.row.name}: {each.speed:.2f} times the speed of {each.peer}" for each in found])


def _method(results: Results) -> str:
    plan = results["plan"]
    worst = max((row["largest_difference"] for row in results["rows"]), default=0.0)
    return (
        f"Each framework runs in a process of its own; on every row they take turns (rounds: {plan['rounds']}), "
        f"each time beginning with another one, and each time a framework's steps are timed for {plan['seconds']:g} s "
        "after its compilation and a warm-up. A figure is the median over the rounds of a process's median. "
        f"All have {plan['threads']} threads, the same initial weights and the same batches, none of which comes "
        "twice. Reading the loss is part of a step; turning a batch into the framework's own array is not. Before "
        f"anything is timed, the losses of the first {VERIFIED_STEPS} steps are compared with a float64 reference: "
        f"the largest difference was {worst:.1e}, and {TOLERANCE:g} of a loss is allowed."
    )


def _startup(results: Results) -> str:
    """Say what is not in the times of a step."""
    said = []
    for name in results["peers"]:
        firsts = [row["peers"][name]["first"] for row in results["rows"] if name in row["peers"]]
        if firsts:
            said.append(f"{name} {max(firsts):.1f} s")
    return f"From the framework's import to the end of its first step, at most: {', '.join(said)}."


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
    bold = [f"**{name}**" if name == OURS else name for name in sheet.head]
    rule = ["---", *["---:"] * (len(sheet.head) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (bold, rule, *sheet.rows))
