"""The live page in headless browsers: edits and what follows, undo, links, further steps, by hand and keys."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad.viz import examples, page_data
from minigrad.viz.explain import explain
from minigrad.viz.numbers import show
from tests.viz import live
from tests.viz.browser.chromium import FRAME
from tests.viz.browser.either import Browser


@pytest.fixture(scope="module")
def browser(either: Browser) -> Browser:
    return either


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("live") / "mlp.html"
    mg.record(examples.load("mlp")["step"], title="mlp").save(path)
    return path


def loss_of(steps: int = 1, w: float | None = None) -> list[float]:
    """The losses of the exclusive or's steps in Python, after W1[0,0] was changed."""
    names = examples.load("mlp")
    if w is not None:
        names["W1"].data[0, 0] = w
    found = []
    for _ in range(steps):
        trace = mg.record(names["step"])
        found.append(float(trace.node("loss").value))
    return found


def typed(browser: Browser, text: str) -> None:
    browser.js("(() => { const b = document.querySelector('.mg-number'); b.focus(); b.select(); })()")
    browser.type(text)
    browser.key("Enter")
    browser.js("document.querySelector('.mg-number').blur()")


def told(browser: Browser) -> str:
    return browser.text(".mg-loss")


@pytest.mark.parametrize("name", [*examples.NAMES, "mlp-dropout"])
def test_random_edits_give_pythons_numbers(browser: Browser, tmp_path: Path, name: str) -> None:
    found = live.compare(browser, name, live.programs()[name], 3, tmp_path, seed=7)
    assert found["edits"] == 3
    assert found["wrong"] == []


def test_a_typed_number_changes_everything_that_follows(browser: Browser, page: Path) -> None:
    browser.open(page)
    assert "loss 0.2812" in told(browser)
    typed(browser, "0.5")
    wanted = loss_of(w=0.5)[0]
    assert f"loss {show(wanted)} (was 0.2812)" in told(browser)
    assert browser.text(".mg-was") == "was 1"
    assert "0.5" in browser.text(".node[data-node='1'] .value .text")
    browser.click('[data-do="last"]')
    assert browser.errors == []


@pytest.mark.parametrize("name", ["mlp", "line", "diamond"])
def test_formulas_have_the_new_numbers(browser: Browser, tmp_path: Path, name: str) -> None:
    first = mg.record(examples.load(name)["step"], title=name)
    first.save(tmp_path / "page.html")
    browser.open(tmp_path / "page.html")
    leaf = {"mlp": "W2", "line": "weight", "diamond": "x"}[name]
    names = examples.load(name)
    tensor = names["model"].weight if name == "line" else names[leaf]
    tensor.data.reshape(-1)[0] = -1.5
    trace = mg.record(names["step"])
    node = trace.node(leaf).index
    browser.js(
        f"(() => {{ const {{ step }} = document.querySelector('.mg-stepper'); "
        f"step.edit(step.given.find(([, node]) => node === {node})[0], 0, -1.5); }})()"
    )
    browser.key("Home")
    seen = 0
    for event in trace.events:
        if event.index:
            browser.key("ArrowRight")
        else:
            browser.key("ArrowRight")
            browser.key("ArrowLeft")
        symbols = browser.js(
            "[...document.querySelectorAll('.mg-symbols')].map((p) => p.textContent).join('\\n')"
        )
        shown = browser.js("[...document.querySelectorAll('.mg-numbers')].map((p) => p.textContent)")
        entry = page_data.entries(first, first.events[event.index])[0]
        told = explain(trace, event, entry)
        assert symbols == told.symbols
        for ours, theirs in zip(told.numbers.split("\n"), shown, strict=True):
            assert theirs.split(" = ")[-1] == ours.split(" = ")[-1]
            assert theirs.split(" = ")[0] in ours
            seen += theirs == ours
    assert seen > len(trace.events) / 2


def test_undo_redo_and_reset(browser: Browser, page: Path) -> None:
    browser.open(page)
    typed(browser, "0.5")
    changed = told(browser)
    browser.click('[data-change="undo"]')
    assert "loss 0.2812" in told(browser)
    browser.click('[data-change="redo"]')
    assert told(browser) == changed
    browser.click('[data-change="reset"]')
    assert "(was" not in told(browser)
    assert browser.js("document.querySelector('[data-change=reset]').disabled")


def test_a_link_carries_the_changes(browser: Browser, page: Path, tmp_path: Path) -> None:
    browser.open(page)
    typed(browser, "0.5")
    browser.click('[data-change="step"]')
    before = told(browser)
    browser.click('[data-change="link"]')
    address = browser.js("location.hash")
    browser.open(page)
    browser.js(f"location.hash = {address!r}")
    browser.reload()
    deadline = time.monotonic() + 10
    while told(browser) != before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert told(browser) == before


def test_arrow_keys_and_the_pointer_nudge_a_number(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.js("document.querySelector('.mg-number').focus()")
    browser.key("ArrowUp")
    assert browser.js("document.querySelector('.mg-number').value") == "1.1"
    browser.click('[data-change="reset"]')
    x, y = browser.js(
        "(() => { const b = document.querySelector('.mg-number'); b.scrollIntoView({ block: 'center' });"
        "const r = b.getBoundingClientRect(); return [r.left + 20, r.top + r.height / 2]; })()"
    )
    browser.drag((x, y), (x + 10, y), (x + 20, y))
    assert float(browser.js("document.querySelector('.mg-number').value")) == pytest.approx(1.5)
    browser.click('[data-change="undo"]')  # the whole way at once
    assert "loss 0.2812 →" in told(browser)


def test_the_slope_stands_beside_the_gradient(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.js(
        "(() => { const h = document.querySelector('[data-change=h]'); h.value = '0.001'; h.onchange; "
        "h.dispatchEvent(new Event('change')); })()"
    )
    browser.js(FRAME)
    said = browser.text(".mg-nudge")
    trace = mg.record(examples.load("mlp")["step"])
    gradient = trace.gradient(trace.node("W1").index)
    assert gradient is not None
    assert f"the gradient says {show(gradient[0, 0])}" in said
    slope = float(said.split("Δloss / h = ")[1].split(";")[0])
    assert slope == pytest.approx(float(gradient[0, 0]), rel=0.01)
    assert "rounded" not in said


def test_a_slope_that_is_nothing_but_rounding_says_so(browser: Browser, tmp_path: Path) -> None:
    examples.record("tower").save(tmp_path / "tower.html")
    browser.open(tmp_path / "tower.html")
    browser.js(FRAME)
    trace = examples.record("tower")
    gradient, loss = trace.gradient(trace.node("W1").index), trace.node("loss").value
    assert gradient is not None
    assert abs(gradient[0, 0]) * 0.01 < 16 * np.spacing(
        loss
    )  # so little changes the loss's last digits alone
    assert "take a larger h" in browser.text(".mg-nudge")


def test_further_steps_are_pythons_steps_and_one_can_go_back(browser: Browser, page: Path) -> None:
    browser.open(page)
    losses = loss_of(6)
    for k in range(1, 6):
        browser.click('[data-change="step"]')
        assert f"step {k}: loss {show(losses[k])}" in told(browser)
    assert browser.js("document.querySelector('.mg-curve polyline').points.length") == 6
    for _ in range(4):
        browser.click('[data-change="undo"]')
    assert f"step 1: loss {show(losses[1])}" in told(browser)


def test_it_runs_by_itself_and_stops(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.click('[data-change="run"]')
    deadline = time.monotonic() + 20
    while int(told(browser).split()[1].rstrip(":")) <= 3 and time.monotonic() < deadline:
        time.sleep(0.05)
    browser.click('[data-change="run"]')
    stopped = told(browser)
    assert int(stopped.split()[1].rstrip(":")) > 3
    time.sleep(0.2)
    assert told(browser) == stopped


def test_the_optimizer_is_changed_in_the_middle(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.click('[data-change="step"]')
    browser.js(
        "(() => { const o = document.querySelector('[data-change=optimizer]'); "
        "o.selectedIndex = [...o.options].findIndex((each) => each.textContent === 'Adam'); "
        "o.dispatchEvent(new Event('change')); })()"
    )
    rate = "document.querySelector('[data-setting=alpha]')"
    browser.js(f"(() => {{ {rate}.value = '0.05'; {rate}.dispatchEvent(new Event('change')); }})()")
    names = examples.load("mlp")
    names["step"]()
    adam = mg.optim.Adam([names["W1"], names["b1"], names["W2"]], lr=0.05)
    names["step"].__globals__["optimizer"] = adam
    trace = mg.record(names["step"])
    outcome = next(event for event in trace.events if event.kind == "outcome")
    assert f"after its update {show(outcome.new)}" in told(browser)


def test_a_surface_and_a_curve_follow_and_their_points_are_moved(
    browser: Browser, page: Path, tmp_path: Path
) -> None:
    browser.open(page)
    pixels = (
        "(() => { const c = document.querySelector('.mg-surface'); "
        "return [...c.getContext('2d').getImageData(0, 0, 25, 25).data].join() })()"
    )
    before, loss = browser.js(pixels), told(browser)
    typed(browser, "-0.5")
    assert browser.js(pixels) != before
    browser.click('[data-change="reset"]')
    assert browser.js("document.querySelectorAll('.mg-point').length") == 4
    browser.js("document.querySelectorAll('.mg-point')[3].focus()")
    browser.key("ArrowLeft")
    assert browser.js("document.querySelector('.mg-stepper').step.now().values.x.data[6]") < 1
    assert told(browser) != loss
    browser.key("Enter")
    assert browser.js("document.querySelector('.mg-stepper').step.now().values.y.data[3]") == 1
    mg.record(examples.load("line")["step"], title="line").save(tmp_path / "line.html")
    browser.open(tmp_path / "line.html")
    drawn = "document.querySelector('.mg-fitted').getAttribute('points')"
    before = browser.js(drawn)
    browser.click('[data-change="step"]')
    assert browser.js(drawn) != before
    assert browser.errors == []


def test_without_scripts_it_is_the_page_that_it_was(browser: Browser, page: Path) -> None:
    browser.open(page, scripts=False)
    assert not browser.js("document.querySelector('.mg-change')")
    assert browser.js("document.querySelectorAll('.mg-list li').length") == 27


def test_a_step_that_no_page_can_run_has_no_panel(browser: Browser, tmp_path: Path) -> None:
    a = mg.Tensor(np.eye(2) * 2, requires_grad=True, name="a")
    mg.record(lambda: np.linalg.inv(a).sum().backward(), title="inverse").save(tmp_path / "inverse.html")
    browser.open(tmp_path / "inverse.html")
    assert browser.errors == []
    assert browser.text(".mg-count").startswith("1 / ")
    assert not browser.js("document.querySelector('.mg-change')")
