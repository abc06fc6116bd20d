"""Sizes and times of the examples' live pages: ``python -m bench.pages [EXAMPLE …] [--firefox]``.

- size: the page as a file
- open: from the start of the navigation until the frame is painted that has the first step's numbers, all of them to be
  clicked: what runs behind it waits
- complete: until all of the page's script has run
- edit: from a typed number until the frame that shows it is painted; script: the part of that before layout
- step: one training step worked out; shown: the same until its frame is painted
- processor: the time that the page's thread has had for an edit with all that follows it, which a busy machine changes
  little (Chromium alone tells it)

Medians; a page is opened ``--opens`` times, and edited and stepped ``--rounds`` times.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path
from typing import Any

from minigrad.viz import examples
from tests.viz.browser import chromium, firefox

_OPENED = """<script>(() => {
  const channel = new MessageChannel();
  channel.port1.onmessage = () => { window.opened = performance.now(); };
  const look = () => {
    if (document.querySelector(".mg-live .mg-numbers")) channel.port2.postMessage(0); else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})()</script>"""
"""Looks in every frame whether the numbers are there; a message is taken behind the frame that it was sent in."""

_PAINTED = """
new Promise((done) => {
  const box = document.querySelector("[data-change=value]"), next = document.querySelector("[data-change=step]");
  const { step } = document.querySelector(".mg-stepper");
  const kinds = { edit: () => {
    box.value = String(Number(box.value) * 0.9 + 0.01);
    box.dispatchEvent(new Event("change"));
  }, shown: () => next.click() };
  const told = { edit: [], script: [], shown: [], step: [] }, channel = new MessageChannel();
  let begun = 0, kind = "edit", left = ROUNDS;
  channel.port1.onmessage = () => {
    told[kind].push(performance.now() - begun);
    if (--left === 0) {
      if (kind === "edit" && next) { kind = "shown"; left = ROUNDS; step.reset(); }
      else return alone();
    }
    requestAnimationFrame(once);
  };
  const once = () => {
    begun = performance.now();
    kinds[kind]();
    if (kind === "edit") told.script.push(performance.now() - begun);
    channel.port2.postMessage(0);
  };
  const alone = () => {
    for (let i = 0; next && i < ROUNDS; i++) {
      const from = performance.now();
      step.step();
      step.loss();
      told.step.push(performance.now() - from);
    }
    done(told);
  };
  requestAnimationFrame(once);
})
"""


_EDITS = """
(async () => {
  const box = document.querySelector("[data-change=value]");
  for (let i = 0; i < ROUNDS; i++) await new Promise((done) => requestAnimationFrame(() => {
    box.value = String(Number(box.value) * 0.9 + 0.01);
    box.dispatchEvent(new Event("change"));
    setTimeout(done, 0);
  }));
})()
"""


def measured(browser: Any, name: str, folder: Path, opens: int, rounds: int) -> dict[str, float]:
    """Return the medians of one example's page, in milliseconds, and its size in bytes."""
    page = folder / f"{name}.html"
    examples.record(name).save(page)
    row = {"size": float(page.stat().st_size)}
    page.write_text(page.read_text(encoding="utf-8").replace("<head>", f"<head>{_OPENED}"), encoding="utf-8")
    took = []
    for _ in range(opens):
        browser.open(page)
        took.append(browser.js("[window.opened, performance.getEntriesByType('navigation')[0].domComplete]"))
    row["open"], row["complete"] = (statistics.median(each) for each in zip(*took, strict=True))
    if browser.js("Boolean(document.querySelector('.mg-change'))"):
        told = browser.js(_PAINTED.replace("ROUNDS", str(rounds)))
        row |= {key: statistics.median(times) for key, times in told.items() if times}
        if isinstance(browser, chromium.Browser):
            row["processor"] = _processor(browser, rounds)
    return row


def _processor(browser: chromium.Browser, rounds: int) -> float:
    """Milliseconds of the page's thread for an edit, flashes and what is drawn a frame later included."""

    def spent() -> float:
        told = browser.send("Performance.getMetrics")["metrics"]
        return next(1000 * each["value"] for each in told if each["name"] == "TaskDuration")

    browser.send("Performance.enable", timeDomain="threadTicks")
    before = spent()
    browser.js(_EDITS.replace("ROUNDS", str(rounds)))
    return (spent() - before) / rounds


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="EXAMPLE", default=list(examples.NAMES))
    parser.add_argument("--firefox", action="store_true")
    parser.add_argument("--opens", type=int, default=7)
    parser.add_argument("--rounds", type=int, default=31)
    arguments = parser.parse_args()
    kind = firefox if arguments.firefox else chromium
    executable = kind.find()
    if executable is None:
        parser.error(f"no {kind.NAMES[0]} is installed")
    browser = kind.Browser(executable)
    browser.size(1500, 950)
    columns = ("open", "complete", "edit", "script", "processor", "shown", "step")
    print(f"| page | size | {' | '.join(columns)} |\n|---|---|{'---|' * len(columns)}")
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.names:
            row = measured(browser, name, Path(folder), arguments.opens, arguments.rounds)
            cells = [f"{row[key]:.1f} ms" if key in row else "" for key in columns]
            print(f"| {name} | {row['size'] / 1e6:.2f} MB | {' | '.join(cells)} |", flush=True)
    browser.close()


if __name__ == "__main__":
    main()
