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
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

import minigrad as mg
from minigrad import nn, optim
from minigrad.train.build import build
from minigrad.train.config import Config
from minigrad.train.recipes import RECIPES
from minigrad.viz import examples
from minigrad.viz.trace import AccumulateGrad, NewLoss, Trace, Update
from tests.viz.browser.chromium import Browser, find

BOUND = 2e-4
"""By how much of an array's largest entry a number may differ: products of matrices are added up in another order."""

OPTIMIZERS: dict[str, Callable[[Any, float], optim.Optimizer]] = {
    "GD": lambda p, lr: optim.GD(p, lr=lr),
    "AdaGrad": lambda p, lr: optim.AdaGrad(p, lr=lr),
    "RMSprop": lambda p, lr: optim.RMSprop(p, lr=lr),
    "Adam": lambda p, lr: optim.Adam(p, lr=lr),
    "Adam as printed": lambda p, lr: optim.AdamAsPrinted(p, lr=lr),
    "SGD with momentum": lambda p, lr: optim.SGD(p, lr=lr, momentum=0.9),
}


class Program:
    """A step in Python that is made anew for every edit, so that nothing is left of the one before."""

    def __init__(self, make: Callable[[], tuple[Callable[[], None], dict[str, Any]]]) -> None:
        self._make = make

    def record(self, change: Callable[[dict[str, Any]], None] = lambda names: None) -> Trace:
        step, names = self._make()
        change(names)
        return mg.record(step)


def example(name: str) -> Program:
    def make() -> tuple[Callable[[], None], dict[str, Any]]:
        names = examples.load(name)
        return names["step"], names

    return Program(make)


def recipe(name: str) -> Program:
    def make() -> tuple[Callable[[], None], dict[str, Any]]:
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

        return step, names

    return Program(make)


def programs() -> dict[str, Program]:
    found = {name: example(name) for name in examples.NAMES}
    return found | {name: recipe(name) for name, each in RECIPES.items() if not each.reads}


def tensors(names: dict[str, Any]) -> dict[str, Any]:
    """The arrays that can be edited, by the names that a recorded step gives them."""
    found = {}
    for key, thing in names.items():
        if isinstance(thing, mg.Tensor):
            found[thing.name or key] = thing
        elif isinstance(thing, nn.Module):
            found |= thing.named_parameters()
        elif isinstance(thing, np.ndarray):
            found[key] = thing
    return found


def edits(rng: np.random.Generator, trace: Trace, names: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """One to three edits that have a meaning for this step."""
    leaves = [
        node
        for node in trace.nodes
        if node.operation is None and node.name in tensors(names) and node.value.size
    ]
    updates = [event for event in trace.events if isinstance(event, Update)]
    for _ in range(rng.integers(1, 4)):
        node = leaves[rng.integers(len(leaves))]
        place = int(rng.integers(node.value.size))
        whole = node.value.dtype.kind in "iu"
        value = (
            float(rng.integers(0, int(node.value.max()) + 1)) if whole else float(np.float32(rng.normal()))
        )
        yield "entry", (node.name, place, value)
    if updates and rng.random() < 0.5:
        yield "optimizer", (str(rng.choice(list(OPTIMIZERS))), float(rng.uniform(0.001, 0.2)))
    elif updates and rng.random() < 0.5:
        yield "rate", float(rng.uniform(0.001, 0.2))


def changed(made: list[tuple[str, Any]]) -> Callable[[dict[str, Any]], None]:
    """What makes the edits in Python."""

    def change(names: dict[str, Any]) -> None:
        there = tensors(names)
        for kind, what in made:
            if kind == "entry":
                array = there[what[0]]
                array = array.data if isinstance(array, mg.Tensor) else array
                array.reshape(-1)[what[1]] = what[2]
            elif kind == "rate":
                names["optimizer"].lr = what
            else:
                parameters = [slot.tensor for slot in names["optimizer"]._slots]
                new = OPTIMIZERS[what[0]]({f"p{k}": p for k, p in enumerate(parameters)}, what[1])
                step = names.get("step")
                names["optimizer"] = new
                if step is not None:
                    step.__globals__["optimizer"] = new

    return change


_DO = """
((edits, aliases) => {
  const root = document.querySelector(".mg-stepper"), { step } = root;
  const { live } = JSON.parse(root.querySelector('script[type="application/json"]').textContent);
  const isRule = (wanted, { name, settings }) => name === wanted
    || (aliases[wanted] === name && ("mu" in settings) === (wanted === "SGD with momentum"));
  step.reset();
  for (const [kind, what] of edits) {
    if (kind === "entry") step.edit(step.given.find(([, node]) => node === what[0])[0], what[1], what[2]);
    else {
      if (kind === "optimizer") step.choose(live.rules.findIndex((rule) => isRule(what[0], rule)));
      const rate = Object.keys(step.now().settings[0]).find((name) => ["eta", "alpha"].includes(name));
      step.set(rate, kind === "rate" ? what : what[1]);
    }
  }
  const { theta, v } = step.result(), told = { loss: step.loss(), after: step.lossAfter(), theta: {}, gradient: {} };
  for (const each of step.updates) {
    told.theta[each.event] = [...step.entries(theta[each.theta])];
    told.gradient[each.event] = [...step.entries(v[each.gradient])];
  }
  return told;
})"""
_ALIASES = {"GD": "SGD", "SGD with momentum": "SGD", "Adam as printed": "AdamAsPrinted"}
"""Under which name the same formula is on a page where it is the recorded step's own."""


def in_page(browser: Browser, trace: Trace, made: list[tuple[str, Any]]) -> dict[str, Any]:
    told = []
    for kind, what in made:
        if kind == "entry":
            told.append([kind, [trace.node(what[0]).index, *what[1:]]])
        else:
            told.append([kind, what])
    script = f"{_DO}({json.dumps(told)}, {json.dumps(_ALIASES)})"
    found: dict[str, Any] = browser.js(script)
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
            yield "the loss afterwards", share(page["after"], event.new)
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
    """Make ``count`` random edits; return how many, the wrong ones and the largest difference."""
    rng = np.random.default_rng(seed)
    _, names = program._make()
    first = program.record()
    first.save(folder / f"{name}.html")
    browser.open(folder / f"{name}.html")
    if not browser.js("Boolean(document.querySelector('.mg-stepper').step)"):
        return {"name": name, "edits": 0, "wrong": [], "largest": 0.0, "why": "not a live page"}
    wrong, largest = [], 0.0
    for _ in range(count):
        made = list(edits(rng, first, names))
        python = program.record(changed(made))
        for what, share in differences(python, in_page(browser, first, made), first):
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
