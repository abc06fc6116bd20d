"""The views below the numbers: the loss over a plane, histograms, two settings side by side, the way through time."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.viz import examples
from minigrad.viz.numbers import show
from tests.viz.browser.either import Browser

STEP = "document.querySelector('.mg-stepper').step"


@pytest.fixture(scope="module")
def browser(either: Browser) -> Browser:
    return either


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("views") / "mlp.html"
    mg.record(examples.load("mlp")["step"], title="mlp").save(path)
    return path


def unfold(browser: Browser, name: str) -> None:
    browser.js(f"void (document.querySelector('[data-view={name}]').open = true)")
    until(browser, f"Boolean(document.querySelector('[data-view={name}] .mg-view').firstChild)")


def until(browser: Browser, condition: str, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not browser.js(condition):
        assert time.monotonic() < deadline, condition
        time.sleep(0.03)


def choose(browser: Browser, name: str, value: Any) -> None:
    """Make a choice, or type a number, as one does with the pointer."""
    browser.js(
        f"(() => {{ const s = document.querySelector('[data-change={name}]'); s.value = {json.dumps(value)};"
        "s.dispatchEvent(new Event('change')); })()"
    )


def losses(count: int, lr: float = 0.1, optimizer: str = "") -> list[float]:
    names = examples.load("mlp")
    names["optimizer"].lr = lr
    if optimizer:
        parameters = [names[name] for name in ("W1", "b1", "W2")]
        names["step"].__globals__["optimizer"] = getattr(mg.optim, optimizer)(parameters, lr=lr)
    return [float(mg.record(names["step"]).node("loss").value) for _ in range(count)]


# -- the loss over a plane ------------------------------------------------------------------------------------

PIXELS = (
    "(() => { const c = document.querySelector('.mg-plane canvas');"
    "return [...c.getContext('2d').getImageData(0, 0, 150, 150).data].join() })()"
)


def settled(browser: Browser) -> str:
    """The picture of the plane, when nothing is added to it any more."""
    seen, last, deadline = "", None, time.monotonic() + 15
    while seen != last or not seen:
        last, seen = seen, str(browser.js(PIXELS))
        assert time.monotonic() < deadline
        time.sleep(0.25)
    return seen


def test_nothing_is_worked_out_while_a_view_is_folded_up(browser: Browser, page: Path) -> None:
    browser.open(page)
    assert browser.js("document.querySelectorAll('.mg-fold:not([open])').length") >= 3
    assert browser.js("document.querySelectorAll('.mg-view > *').length") == 0


def test_the_loss_over_two_entries_is_pythons(browser: Browser, page: Path) -> None:
    browser.open(page)
    unfold(browser, "landscape")
    choose(browser, "plane", "entries")
    choose(browser, "axis0", "W1[0,1]")
    choose(browser, "axis1", "W2[1,0]")
    settled(browser)
    said = browser.text("[data-view-said=landscape]")
    values = []
    names = examples.load("mlp")
    sizes = [max(0.5, float(np.sqrt((names[name].numpy() ** 2).mean()))) for name in ("W1", "W2")]
    for across in np.linspace(-1, 1, 33):
        for up in np.linspace(-1, 1, 33):
            names = examples.load("mlp")
            names["W1"].data[0, 1] += across * sizes[0]
            names["W2"].data[1, 0] += up * sizes[1]
            hidden = np.maximum(names["x"].numpy() @ names["W1"].numpy() + names["b1"].numpy(), 0)
            values.append(float(((hidden @ names["W2"].numpy() - names["y"].numpy()) ** 2).mean() / 2))
    assert f"From {show(np.float32(min(values)))}, the palest, to {show(np.float32(max(values)))}" in said
    assert "Across W1[0,1], upwards W2[1,0]" in said


def test_a_click_on_the_plane_of_two_entries_goes_there(browser: Browser, page: Path) -> None:
    browser.open(page)
    unfold(browser, "landscape")
    choose(browser, "plane", "entries")
    x, y, size = browser.js(
        "(() => { const s = document.querySelector('.mg-plane svg'); s.scrollIntoView({ block: 'center' });"
        "const r = s.getBoundingClientRect(); return [r.left, r.top, r.width]; })()"
    )
    browser.drag((x + size * 0.75, y + size * 0.5))
    length = float(np.sqrt((examples.load("mlp")["W1"].numpy() ** 2).mean()))
    at = browser.js(f"[...{STEP}.now().values.W1.data]")
    assert at[0] == pytest.approx(1 + 0.5 * length, abs=0.02)
    assert at[1] == pytest.approx(1, abs=0.02)
    browser.click("[data-change=undo]")
    assert "(was" not in browser.text(".mg-loss")


def test_random_directions_change_and_the_way_is_drawn(browser: Browser, page: Path) -> None:
    browser.open(page)
    unfold(browser, "landscape")
    first = settled(browser)
    browser.click("[data-change=directions]")
    second = settled(browser)
    assert first != second
    choose(browser, "span", "0.5")
    assert settled(browser) != second
    for _ in range(3):
        browser.click("[data-change=step]")
    assert browser.js("document.querySelector('.mg-path').points.length") == 4
    choose(browser, "plane", "way")
    settled(browser)
    start, here = browser.js(
        "['.mg-from', '.mg-to'].map((c) => ['cx', 'cy'].map((k) => Number(document.querySelector(c).getAttribute(k))))"
    )
    assert here == pytest.approx([150, 150], abs=0.1)  # the middle is where it is now
    browser.click("[data-change=centre]")
    assert start != here
    choose(browser, "axis0", "nothing[7]")
    assert browser.js("document.querySelector('[data-change=axis0]').getAttribute('aria-invalid')") == "true"
    assert browser.errors == []


def test_other_data_are_another_landscape(browser: Browser, page: Path) -> None:
    browser.open(page)
    unfold(browser, "landscape")
    before = settled(browser)
    browser.js("document.querySelectorAll('.mg-point')[0].focus()")
    browser.key("Enter")
    assert settled(browser) != before


# -- histograms -----------------------------------------------------------------------------------------------


def test_histograms_follow_each_step(browser: Browser, page: Path) -> None:
    browser.open(page)
    unfold(browser, "histograms")
    trace = mg.record(examples.load("mlp")["step"])
    heads = browser.js(
        "[...document.querySelectorAll('.mg-histograms tbody th[scope=row]')].map((t) => t.firstChild.textContent)"
    )
    assert heads[:3] == ["W1", "b1", "W2"]
    assert "hidden" in heads
    label = (
        "[...document.querySelectorAll('.mg-histograms svg')].map((s) => s.getAttribute('aria-label') ?? '')"
    )
    w = trace.node("W1").value
    assert (
        f"W1: 4 entries, mean {show(w.mean())}, {show(w.min())} … {show(w.max())}, ± {show(w.std())}"
        in browser.js(label)
    )
    gradient = trace.gradient(trace.node("W1").index)
    assert gradient is not None
    assert any(
        text.startswith(
            f"gradient of W1: 4 entries, mean {show(gradient.mean())}, {show(gradient.min())} … {show(gradient.max())}"
        )
        for text in browser.js(label)
    )
    hidden = trace.node("hidden").value
    share = f"{round(100 * float((hidden == 0).mean()))} % are 0"
    assert any(text.startswith("hidden: 8 entries") and share in text for text in browser.js(label))
    bars = "[...document.querySelectorAll('.mg-bars')].map((p) => p.getAttribute('d')).join()"
    before = browser.js(bars)
    browser.click("[data-change=step]")
    assert browser.js(bars) != before
    assert (
        browser.js("[...document.querySelectorAll('.mg-bars-was')].filter((p) => p.getAttribute('d')).length")
        > 3
    )
    assert browser.errors == []


# -- two settings ---------------------------------------------------------------------------------------------


def test_two_settings_are_pythons_two_runs_and_one_is_gone_on_with(browser: Browser, page: Path) -> None:
    browser.open(page)
    unfold(browser, "compare")
    choose(browser, "rateA", "0.05")
    adam = browser.js(
        "[...document.querySelector('[data-change=ruleB]').options].findIndex((o) => o.textContent === 'Adam')"
    )
    choose(browser, "ruleB", str(adam))
    choose(browser, "rateB", "0.02")
    for _ in range(5):
        browser.click("[data-change=bothonce]")
    first, second = losses(6, 0.05), losses(6, 0.02, "Adam")
    told = browser.js(
        "[...document.querySelectorAll('[data-view=compare] .mg-loss')].map((t) => t.textContent)"
    )
    assert told == [f"loss {show(np.float32(first[5]))}", f"loss {show(np.float32(second[5]))}"]
    assert browser.js(
        "[...document.querySelectorAll('[data-view=compare] polyline')].map((p) => p.points.length)"
    ) == [6, 6]
    cells = browser.js("[...document.querySelector('.mg-both tbody tr').children].map((c) => c.textContent)")
    assert cells[0] == "W1[0,0]"
    assert cells[1] != cells[2]
    assert "step 0" in browser.text(".mg-loss")  # the page itself stays where it is
    browser.click("[data-change=promoteB]")
    assert f"step 5: loss {show(np.float32(second[5]))}" in browser.text(".mg-loss")
    assert browser.js("document.querySelector('[data-setting=alpha]').value") == "0.02"
    browser.click("[data-change=undo]")
    assert "step 0" in browser.text(".mg-loss")
    choose(browser, "rateA", "fast")
    assert browser.js("document.querySelector('[data-change=rateA]').getAttribute('aria-invalid')") == "true"
    assert browser.errors == []


def test_both_run_by_themselves_and_begin_anew(browser: Browser, page: Path) -> None:
    browser.open(page)
    unfold(browser, "compare")
    browser.click("[data-change=both]")
    length = "document.querySelector('[data-view=compare] polyline').points.length"
    until(browser, f"{length} > 20")
    browser.click("[data-change=both]")
    stopped = browser.js(length)
    time.sleep(0.2)
    assert browser.js(length) == stopped
    browser.click("[data-change=promoteA]")
    browser.click("[data-change=bothanew]")
    assert browser.js(length) == 1
    assert f"from step {browser.js(f'{STEP}.now().step')}" in browser.text("[data-view=compare] .mg-scale")


# -- time -----------------------------------------------------------------------------------------------------


def test_one_goes_back_and_forth_in_time(browser: Browser, page: Path) -> None:
    browser.open(page)
    wanted = losses(9)
    for _ in range(8):
        browser.click("[data-change=step]")
    to = (
        "(() => {{ const s = document.querySelector('[data-change=time]'); s.value = {};"
        "s.dispatchEvent(new Event('input')); }})()"
    )
    for k in (3, 0, 8, 5):
        browser.js(to.format(k))
        assert f"step {k}: loss {show(np.float32(wanted[k]))}" in browser.text(".mg-loss")
        assert browser.js("document.querySelector('.mg-way').points.length") == 9
    browser.js("document.querySelector('[data-change=time]').focus()")
    browser.key("ArrowLeft")
    assert "step 4:" in browser.text(".mg-loss")
    assert browser.text(".mg-count").startswith("1 /")  # the key was the slider's
    browser.js("(() => { const l = document.querySelector('[data-change=log]'); l.click(); })()")
    assert browser.text(".mg-timeline .mg-scale span") != "0"
    x, y, width = browser.js(
        "(() => { const s = document.querySelector('.mg-curve'); s.scrollIntoView({ block: 'center' });"
        "const r = s.getBoundingClientRect(); return [r.left, r.top + r.height / 2, r.width]; })()"
    )
    browser.drag((x + width * 2 / 8, y))
    assert "step 2:" in browser.text(".mg-loss")


def test_a_long_way_is_thinned_out_and_still_exact(browser: Browser, page: Path) -> None:
    browser.open(page)
    told = browser.js(
        f"(() => {{ const step = {STEP}, seen = [];"
        "for (let i = 0; i < 5200; i++) { seen.push(step.loss()); step.step(); }"
        "const kept = step.path().length;"
        "const at = (k) => { step.travel(k); return [step.now().step, step.loss() === seen[k]]; };"
        "return [kept, [1, 1234, 2501, 5001].map(at)]; })()"
    )
    assert told[0] < 5000
    assert told[1] == [[1, True], [1234, True], [2501, True], [5001, True]]
