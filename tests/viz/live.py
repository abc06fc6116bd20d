"""Random edits of live pages, worked out by the page and by Python: ``python -m tests.viz.live COUNT``.

An edit changes a weight, an input, a label, a setting of the optimizer or the optimizer itself, and takes a step.
Python makes the same edit in the program's own arrays and runs the engine. Every gradient, every new parameter and the
loss are compared. A table is printed; the exit code is 1 where a number is wrong.

A step is compared link by link: loss and gradients after the same edit, new parameters from the same gradients, the
loss afterwards at the same parameters. So no bound allows for what comes before it: Adam's first step is the rate
times the gradient's sign, which the last bit of a gradient next to 0 decides.
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

MOVED = 1e-6
"""The same of a new parameter, which follows from the same numbers entry by entry, each rounded a few times; where it
comes next to 0, of what it was before."""

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

    def begin(self, made: Sequence[Edit], state: State) -> dict[str, Any]:
        """Make edits, take the steps that the page has taken, and go on from its state; return the names."""
        names = self.make()
        for edit in made:
            edit.in_python(names)
        for _ in range(state.steps):
            names["step"]()
        for slot, (theta, own) in zip(slots(names), state.slots, strict=bool(state.slots)):
            put(slot.tensor.data, theta)
            for symbol, entries in own.items():
                put(slot.state[symbol], entries)
        return names


def recorded(names: dict[str, Any], steps: int = 1) -> Trace:
    return call(lambda: names["step"](), "page", steps=steps)


class State(NamedTuple):
    """Where the page is after some steps: by parameter its entries and what the optimizer keeps of it, by symbol."""

    steps: int = 0
    slots: Sequence[tuple[list[float], dict[str, list[float]]]] = ()


def slots(names: dict[str, Any]) -> list[Any]:
    """The optimizer's parameters with their states, in the order of their updates."""
    return list(names["optimizer"]._slots) if "optimizer" in names else []


def put(array: np.ndarray, entries: list[float]) -> None:
    array[...] = np.reshape(entries, array.shape)


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
            parameters = [slot.tensor for slot in slots(names)]
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
      const numbers = kind === "rate" ? { [rate]: what } : what[1];
      for (const [symbol, value] of Object.entries(numbers)) step.set(symbol, value);
    }
  }
  for (let i = 0; i < steps; i++) step.step();
  const { values, states } = step.now(), { theta, v } = step.result(), list = (x) => [...step.entries(x)];
  const own = (i) => Object.fromEntries(Object.entries(states[i]).map(([symbol, x]) => [symbol, list(x)]));
  return { loss: step.loss(), after: step.lossAfter(), updates: step.updates.map((each, i) => ({
    theta: list(values[each.theta]), state: own(i), gradient: list(v[each.gradient]), renewed: list(theta[each.theta]),
  })) };
})"""
_ALIASES = {"GD": "SGD", "SGD with momentum": "SGD", "Adam as printed": "AdamAsPrinted"}
"""Under which name the same formula is on a page where it is the recorded step's own."""


def settings(name: str, rate: float) -> dict[str, float]:
    """All numbers of an optimizer, by their symbols: a page has those of the recorded one where the formula is its."""
    made = OPTIMIZERS[name]([mg.Tensor([1.0], requires_grad=True)], rate)
    numbers = {symbol: getattr(made, symbol) for symbol in made.setting_names}
    return {
        made.rate_name: rate,
        **{symbol: value for symbol, value in numbers.items() if type(value) is float},
    }


def in_page(
    browser: Browser, where: Places, sizes: dict[str, int], made: list[Edit], steps: int
) -> dict[str, Any]:
    told: list[Any] = []
    for edit in made:
        if edit.kind == "entry":
            key, place, value = edit.what
            inside = ((name, place - start) for name, start in where[key])
            told += [["entry", [name, k, value]] for name, k in inside if 0 <= k < sizes[name]]
        elif edit.kind == "optimizer":
            told.append(["optimizer", [edit.what[0], settings(*edit.what)]])
        else:
            told.append([edit.kind, edit.what])
    found: dict[str, Any] = browser.js(f"{_DO}({json.dumps(told)}, {steps}, {json.dumps(_ALIASES)})")
    return found


def apart(theirs: Any, ours: Any, before: Any = 0.0) -> float:
    """The largest difference as a share of the largest entry, also of what it was before it moved."""
    ours, theirs, before = (np.ravel(np.asarray(each, np.float64)) for each in (ours, theirs, before))
    largest = max(np.max(np.abs(each), initial=1e-3) for each in (ours, before))
    return float(np.max(np.abs(ours - theirs), initial=0) / largest)


def differences(
    program: Program, made: list[Edit], page: dict[str, Any], steps: int
) -> Iterator[tuple[str, float]]:
    """Of each array by how much it differs, as a share of what it may."""
    updates = page["updates"]
    state = State(steps, [(each["theta"], each["state"]) for each in updates] if steps else [])
    trace = recorded(program.begin(made, state))
    assert trace.loss is not None
    yield "loss", apart(page["loss"], trace.nodes[trace.loss].value) / BOUND
    gradients = {event.node: event.total for event in trace.events if isinstance(event, AccumulateGrad)}
    nodes = [event.node for event in trace.events if isinstance(event, Update)]
    for node, update in zip(nodes, updates, strict=True):
        yield f"dL/d{trace.nodes[node].name}", apart(update["gradient"], gradients[node]) / BOUND
    if not updates:
        return
    names = program.begin(made, state)
    for slot, update in zip(slots(names), updates, strict=True):
        slot.tensor.grad = mg.Tensor(
            np.reshape(update["gradient"], slot.tensor.shape).astype(slot.tensor.dtype)
        )
    names["optimizer"].step()
    for slot, node, update in zip(slots(names), nodes, updates, strict=True):
        yield (
            f"new {trace.nodes[node].name}",
            apart(update["renewed"], slot.tensor.data, update["theta"]) / MOVED,
        )
        put(slot.tensor.data, update["renewed"])
    if any(isinstance(event, NewLoss) for event in trace.events):
        later = recorded(names)
        assert later.loss is not None
        yield "the loss afterwards", apart(page["after"], later.nodes[later.loss].value) / BOUND


def compare(
    browser: Browser, name: str, program: Program, count: int, folder: Path, seed: int = 0
) -> dict[str, Any]:
    """Make ``count`` random edits; return how many, the wrong ones and the largest difference.

    Of a page with the batches of several steps every fourth edit is looked at some steps later.
    """
    rng = np.random.default_rng(seed)
    trace = recorded(program.begin((), State()), program.steps)
    trace.save(folder / f"{name}.html")
    browser.open(folder / f"{name}.html")
    if not browser.js("Boolean(document.querySelector('.mg-stepper').step)"):
        return {"name": name, "edits": 0, "wrong": [], "largest": 0.0, "why": browser.text(".mg-still")}
    first, found = several.first(trace), arrays(program.make())
    where = places(first, found)
    sizes = {node.name: node.value.size for node in first.nodes}
    wrong, largest = [], 0.0
    for k in range(count):
        made = list(edits(rng, first, found, where))
        steps = int(rng.integers(1, program.steps)) if program.steps > 1 and k % 4 == 3 else 0
        page = in_page(browser, where, sizes, made, steps)
        for what, share in differences(program, made, page, steps):
            largest = max(largest, share)
            if not share <= 1:
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
    print(f"{'step':16} {'edits':>6} {'wrong':>6}  largest difference, as a share of what it may be")
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
                print(f"    {what} by {share:.1e} of that after {made}")
            bad += len(row["wrong"])
    browser.close()
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
