"""Random edits of live pages, worked out by the page and by Python: ``python -m tests.viz.live COUNT``.

An edit changes a weight, an input, a label, a setting of the optimizer or the optimizer itself, and takes a step.
Python makes the same edit in the program's own arrays and runs the engine. Every gradient, every new parameter and the
loss are compared. A table is printed; the exit code is 1 where a number is wrong.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import minigrad as mg
from minigrad import nn, optim
from minigrad.train.build import build
from minigrad.train.config import Config
from minigrad.train.recipes import RECIPES
from minigrad.viz import examples, several
from minigrad.viz.program import call
from minigrad.viz.trace import AccumulateGrad, NewLoss, Trace, Update
from tests.viz.browser.chromium import Browser, find

BOUND = 2e-4
"""By how much of an array's largest entry a number may differ: products of matrices are added up in another order."""

LATER = 20
"""How many times as much a loss may differ after a step: Adam's goes either way where a gradient is next to 0."""

OPTIMIZERS: dict[str, Callable[[Any, float], optim.Optimizer]] = {
    "GD": lambda p, lr: optim.GD(p, lr=lr),
    "AdaGrad": lambda p, lr: optim.AdaGrad(p, lr=lr),
    "RMSprop": lambda p, lr: optim.RMSprop(p, lr=lr),
    "Adam": lambda p, lr: optim.Adam(p, lr=lr),
    "Adam as printed": lambda p, lr: optim.AdamAsPrinted(p, lr=lr),
    "SGD with momentum": lambda p, lr: optim.SGD(p, lr=lr, momentum=0.9),
}


class Program:
    """A step in Python that is made anew for every edit, so that nothing is left of the one before.

    ``make`` returns its names, ``step`` among them, which are the globals of the step too.
    """

    def __init__(self, make: Callable[[], dict[str, Any]], steps: int = 1) -> None:
        self.make, self.steps = make, steps

    def record(self, made: Sequence[Edit] = (), steps: int = 1, before: int = 0) -> Trace:
        """Make edits, take some steps and record those behind them."""
        names = self.make()
        for edit in made:
            edit.in_python(names)
        return call(lambda: names["step"](), "page", at=before + 1, steps=steps)


def example(name: str) -> Program:
    return Program(lambda: examples.load(name), examples.EXAMPLES[name].steps)


def recipe(name: str) -> Program:
    def make() -> dict[str, Any]:
        settings = RECIPES[name].settings(RECIPES[name].data)
        trainer = (session := build(Config(**{**settings, "batch_size": 16}))).trainer
        trainer.model.train()
        data, labels = next(iter(session.loader))
        x = mg.Tensor(np.array(data.numpy() if isinstance(data, mg.Tensor) else data), name="x")
        names = {"optimizer": trainer.optimizer, "x": x, "labels": np.array(labels), "model": trainer.model}

        def step() -> None:
            names["optimizer"].zero_grad()
            loss = trainer.loss_of(names["x"], names["labels"])
            loss.backward()
            names["optimizer"].step()

        return names | {"step": step, "names": names}

    return Program(make)


def programs() -> dict[str, Program]:
    found = {name: example(name) for name in examples.NAMES}
    return found | {name: recipe(name) for name, each in RECIPES.items() if not each.reads}


class Edit(NamedTuple):
    """A change of an entry (``what`` is (an array's key, the place, the number)), of the rate, or of the optimizer."""

    kind: str
    what: Any

    def in_python(self, names: dict[str, Any]) -> None:
        if self.kind == "entry":
            key, place, value = self.what
            arrays(names)[key].reshape(-1)[place] = value
        elif self.kind == "rate":
            names["optimizer"].lr = self.what
        else:
            parameters = [slot.tensor for slot in names["optimizer"]._slots]
            new = OPTIMIZERS[self.what[0]]({f"p{k}": p for k, p in enumerate(parameters)}, self.what[1])
            names["optimizer"] = names.get("names", names)["optimizer"] = new


def arrays(names: dict[str, Any]) -> dict[str, np.ndarray]:
    """The arrays that can be edited. What iterators deal out first is dealt out once more, as copies that can be."""
    found: dict[str, np.ndarray] = {}
    for key, thing in list(names.items()):
        if isinstance(thing, mg.Tensor):
            found[key] = thing.data
        elif isinstance(thing, nn.Module):
            found |= {f"{key}.{name}": parameter.data for name, parameter in thing.named_parameters().items()}
        elif isinstance(thing, np.ndarray):
            found[key] = thing
        elif isinstance(thing, Iterator) and key != "step":
            first = next(thing)
            parts = tuple(map(np.array, first)) if isinstance(first, tuple) else np.array(first)
            names[key] = chain([parts], thing)
            parts = parts if isinstance(parts, tuple) else (parts,)
            found |= {f"{key}[{k}]": part for k, part in enumerate(parts)}
    return found


Places = dict[str, list[tuple[str, int]]]


def places(trace: Trace, found: dict[str, np.ndarray]) -> Places:
    """By the key of an array the names of the recorded arrays that are it, or a part of it that begins at a place."""
    made: Places = {}
    for node in trace.nodes:
        if node.operation is not None or not node.value.size:
            continue
        mine = node.value.ravel()
        for key, array in found.items():
            for start in range(array.size - mine.size + 1 if array.size - mine.size < 2 else 0):
                if node.value.dtype == array.dtype and np.array_equal(
                    array.ravel()[start:][: mine.size], mine
                ):
                    made.setdefault(key, []).append((node.name, start))
    return {key: each for key, each in made.items() if _whole(each, found[key])}


def _whole(of: list[tuple[str, int]], array: np.ndarray) -> bool:
    """Tell whether an array is one recorded array and no other, but for two parts of a text."""
    starts = [start for _, start in of]
    return len(starts) == len(set(starts))


def edits(
    rng: np.random.Generator, trace: Trace, found: dict[str, np.ndarray], where: Places
) -> Iterator[Edit]:
    """One to three edits that have a meaning for this step."""
    keys = list(where)
    for _ in range(rng.integers(1, 4)):
        key = keys[rng.integers(len(keys))]
        array = found[key]
        place = int(rng.integers(array.size))
        whole = array.dtype.kind in "iu"
        value = float(rng.integers(0, int(array.max()) + 1)) if whole else float(np.float32(rng.normal()))
        yield Edit("entry", (key, place, value))
    if any(isinstance(event, Update) for event in trace.events):
        if rng.random() < 0.5:
            yield Edit("optimizer", (str(rng.choice(list(OPTIMIZERS))), float(rng.uniform(0.001, 0.2))))
        elif rng.random() < 0.5:
            yield Edit("rate", float(rng.uniform(0.001, 0.2)))


_DO = """
((edits, steps, aliases) => {
  const root = document.querySelector(".mg-stepper"), { step } = root;
  const { live, nodes } = JSON.parse(root.querySelector('script[type="application/json"]').textContent);
  const isRule = (wanted, { name, settings }) => name === wanted
    || (aliases[wanted] === name && ("mu" in settings) === (wanted === "SGD with momentum"));
  step.reset();
  for (const [kind, what] of edits) {
    if (kind === "entry") step.edit(step.given.find(([, node]) => nodes[node].name === what[0])[0], what[1], what[2]);
    else {
      if (kind === "optimizer") step.choose(live.rules.findIndex((rule) => isRule(what[0], rule)));
      const rate = Object.keys(step.now().settings[0]).find((name) => ["eta", "alpha"].includes(name));
      step.set(rate, kind === "rate" ? what : what[1]);
    }
  }
  for (let i = 0; i < steps; i++) step.step();
  const { theta, v } = step.result(), told = { loss: step.loss(), after: step.lossAfter(), theta: {}, gradient: {} };
  for (const each of step.updates) {
    told.theta[each.event] = [...step.entries(theta[each.theta])];
    told.gradient[each.event] = [...step.entries(v[each.gradient])];
  }
  return told;
})"""
_ALIASES = {"GD": "SGD", "SGD with momentum": "SGD", "Adam as printed": "AdamAsPrinted"}
"""Under which name the same formula is on a page where it is the recorded step's own."""


def in_page(
    browser: Browser, where: Places, sizes: dict[str, int], made: list[Edit], steps: int
) -> dict[str, Any]:
    told: list[Any] = []
    for edit in made:
        if edit.kind == "entry":
            key, place, value = edit.what
            inside = ((name, place - start) for name, start in where[key])
            told += [["entry", [name, k, value]] for name, k in inside if 0 <= k < sizes[name]]
        else:
            told.append([edit.kind, edit.what])
    found: dict[str, Any] = browser.js(f"{_DO}({json.dumps(told)}, {steps}, {json.dumps(_ALIASES)})")
    return found


def differences(trace: Trace, page: dict[str, Any], first: Trace) -> Iterator[tuple[str, float]]:
    """Of each array the largest difference as a share of its largest entry."""

    def share(theirs: Any, ours: Any) -> float:
        ours, theirs = np.ravel(np.asarray(ours, np.float64)), np.ravel(np.asarray(theirs, np.float64))
        return float(np.max(np.abs(ours - theirs), initial=0) / max(np.max(np.abs(ours), initial=0), 1e-3))

    assert trace.loss is not None
    yield "loss", share(page["loss"], trace.nodes[trace.loss].value)
    for event in trace.events:
        if isinstance(event, NewLoss):
            yield "the loss afterwards", share(page["after"], event.new) / LATER
    gradients = {event.node: event.total for event in trace.events if isinstance(event, AccumulateGrad)}
    before = [event for event in first.events if isinstance(event, Update)]
    now = {trace.nodes[event.node].index: event for event in trace.events if isinstance(event, Update)}
    for event in before:
        name = first.nodes[event.node].name
        yield f"dL/d{name}", share(page["gradient"][str(event.index)], gradients[event.node])
        yield f"new {name}", _moved(page["theta"][str(event.index)], now[event.node], gradients[event.node])


def _moved(theirs: Any, update: Update, gradient: np.ndarray) -> float:
    """The same of a new parameter, where what the gradient's own bound allows counts as nothing wrong.

    Optimizers that divide a gradient by its size make a whole step of one that is next to nothing.
    """
    ours = update.rows[-1].value.astype(np.float64).ravel()
    rate = next(float(row.value) for row in update.rows if row.symbol in ("eta", "alpha") and row.setting)
    size = np.abs(gradient.astype(np.float64)).ravel()
    uncertain = rate * np.minimum(2.0, BOUND * size.max(initial=0.0) / np.maximum(size, 1e-30))
    apart = np.abs(ours - np.ravel(np.asarray(theirs, np.float64)))
    allowed = BOUND * max(np.max(np.abs(ours), initial=0), 1e-3) + uncertain
    return float(np.max(apart / allowed, initial=0.0)) * BOUND


def compare(
    browser: Browser, name: str, program: Program, count: int, folder: Path, seed: int = 0
) -> dict[str, Any]:
    """Make ``count`` random edits; return how many, the wrong ones and the largest difference.

    Of a page with the batches of several steps every fourth edit is looked at some steps later.
    """
    rng = np.random.default_rng(seed)
    recorded = program.record(steps=program.steps)
    recorded.save(folder / f"{name}.html")
    browser.open(folder / f"{name}.html")
    if not browser.js("Boolean(document.querySelector('.mg-stepper').step)"):
        return {"name": name, "edits": 0, "wrong": [], "largest": 0.0, "why": browser.text(".mg-still")}
    first, found = several.first(recorded), arrays(program.make())
    where = places(first, found)
    sizes = {node.name: node.value.size for node in first.nodes}
    wrong, largest = [], 0.0
    for k in range(count):
        made = list(edits(rng, first, found, where))
        steps = int(rng.integers(1, program.steps)) if program.steps > 1 and k % 4 == 3 else 0
        python = several.first(program.record(made, before=steps))
        page = in_page(browser, where, sizes, made, steps)
        for what, share in differences(python, page, first):
            if steps and what != "loss":
                continue
            share = share / LATER if steps else share
            largest = max(largest, share)
            if not share <= BOUND:
                wrong.append((made, what, share))
    assert browser.errors == []
    return {"name": name, "edits": count, "wrong": wrong, "largest": largest, "why": ""}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int, nargs="?", default=200)
    parser.add_argument("--only", nargs="*")
    arguments = parser.parse_args()
    chromium = find()
    assert chromium, "no Chromium is installed"
    browser, bad = Browser(chromium), 0
    print(f"{'step':16} {'edits':>6} {'wrong':>6}  largest difference, of an array's largest entry")
    with tempfile.TemporaryDirectory() as folder:
        for name, program in programs().items():
            if arguments.only and name not in arguments.only:
                continue
            row = compare(browser, name, program, arguments.count, Path(folder))
            print(
                f"{name:16} {row['edits']:6} {len(row['wrong']):6}  {row['largest']:.1e} {row['why']}",
                flush=True,
            )
            for made, what, share in row["wrong"][:5]:
                print(f"    {what} by {share:.1e} after {made}")
            bad += len(row["wrong"])
    browser.close()
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
