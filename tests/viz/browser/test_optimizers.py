"""The optimizer stepper in headless Chromium: buttons, slider, keys, the choice of an optimizer, themes, no scripts."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

import minigrad as mg
from minigrad.viz.optimizer_page import OptimizerStepper, table
from tests.viz.browser.chromium import Browser, find

CHROMIUM = find()
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium is installed (CHROMIUM names one elsewhere)"
)
STEPS = 12
BACKGROUND = "getComputedStyle(document.querySelector('.mgo')).backgroundColor"
PLANE = "getComputedStyle(document.querySelector('.mgo .plane')).fill"


@pytest.fixture(scope="module")
def shown() -> OptimizerStepper:
    return mg.viz.optimizers("valley", steps=STEPS, noise=0.0)


@pytest.fixture(scope="module")
def page(shown: OptimizerStepper, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("optimizers") / "optimizers.html"
    shown.save(path)
    return path


def press(browser: Browser, text: str) -> None:
    browser.js(f"[...document.querySelectorAll('.mgo button')].find(b => b.textContent === '{text}').click()")


SHOWN = """[
    document.querySelector(".mgo-count").textContent,
    document.querySelector(".mgo input").value,
    document.querySelectorAll(".mgo-picture circle:not(.start)").length,
]"""


def step(browser: Browser) -> int:
    """Where the stepper says it is; the slider, the count and the picture have to say the same."""
    count, slider, circles = browser.js(SHOWN)  # at once: it may be playing
    shown, of = count.split(" / ")
    assert int(of) == STEPS
    assert slider == shown
    assert circles == int(shown) + 1
    return int(shown)


def rows(browser: Browser) -> list[list[str]]:
    found = browser.js(
        "[...document.querySelectorAll('.mgo-rows tr:not(.mgo-head)')]"
        ".map(r => [...r.children].map(c => c.textContent))"
    )
    return [list(map(str, row)) for row in found]


def expected(shown: OptimizerStepper, name: str, t: int) -> list[list[str]]:
    run = next(run for run in shown.runs if run.name == name)
    return [[symbol, text, *pair] for symbol, text, pair in table(run.steps[t - 1])]


def clean(browser: Browser, page: Path) -> None:
    assert browser.errors == []
    assert [url for url in browser.requests if not url.startswith("data:")] == [page.resolve().as_uri()]


def test_buttons_slider_and_keys_step(browser: Browser, page: Path, shown: OptimizerStepper) -> None:
    browser.open(page)
    assert step(browser) == 0
    assert rows(browser) == [["θ", "", "−4", "1.6"]]
    press(browser, "Next")
    assert step(browser) == 1
    assert rows(browser) == expected(shown, "Adam", 1)
    press(browser, "Last")
    assert step(browser) == STEPS
    assert rows(browser) == expected(shown, "Adam", STEPS)
    assert browser.js("[...document.querySelectorAll('.mgo button:disabled')].map(b => b.textContent)") == [
        "Next",
        "Last",
    ]
    press(browser, "Back")
    assert step(browser) == STEPS - 1
    press(browser, "First")
    assert step(browser) == 0
    browser.js("document.querySelector('.mgo input').focus()")
    browser.key("ArrowRight")
    assert step(browser) == 1
    browser.key("End")
    assert step(browser) == STEPS
    browser.key("ArrowLeft")
    assert step(browser) == STEPS - 1
    browser.key("Home")
    assert step(browser) == 0
    browser.js(
        "(() => { const s = document.querySelector('.mgo input'); s.value = 7;"
        "s.dispatchEvent(new Event('input')); })()"
    )
    assert step(browser) == 7
    assert rows(browser) == expected(shown, "Adam", 7)
    clean(browser, page)


def test_every_optimizer_can_be_chosen(browser: Browser, page: Path, shown: OptimizerStepper) -> None:
    browser.open(page)
    for _ in range(3):
        press(browser, "Next")
    names = [run.name for run in shown.runs]
    for name in names:
        press(browser, name)
        assert step(browser) == 3
        assert rows(browser) == expected(shown, name, 3)
        run = next(run for run in shown.runs if run.name == name)
        told = browser.text(".mgo-rows caption")
        assert told.startswith(f"{name}, rate {run.rate:g}")
        assert float(told.rpartition("= ")[2]) == pytest.approx(run.losses[3], rel=1e-3)
        pressed = "[...document.querySelectorAll('.mgo [aria-pressed=true]')].map(b => b.textContent)"
        assert browser.js(pressed) == [name]
    browser.js("document.querySelector('.mgo input').focus()")
    browser.key("ArrowDown")
    assert rows(browser) == expected(shown, names[0], 3)
    browser.key("ArrowUp")
    assert rows(browser) == expected(shown, names[-1], 3)
    clean(browser, page)


def test_play_goes_on_by_itself_and_stops(browser: Browser, page: Path) -> None:
    browser.open(page)
    press(browser, "Play")
    deadline = time.monotonic() + 10
    while step(browser) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    press(browser, "Pause")
    there = step(browser)
    assert there >= 2
    time.sleep(0.7)
    assert step(browser) == there
    clean(browser, page)


def test_keys_stay_inside(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.js("window.seen = []; document.addEventListener('keydown', e => window.seen.push(e.key))")
    browser.js("document.querySelector('.mgo button').focus()")
    browser.key("ArrowRight")
    browser.key("a", "a")
    assert step(browser) == 1
    assert browser.js("window.seen") == []  # a notebook would have taken them for itself


def test_without_scripts_the_last_frame_and_the_tables_are_there(browser: Browser, page: Path) -> None:
    browser.open(page, scripts=False)
    assert browser.js("document.querySelector('.mgo-picture img').naturalWidth") > 300
    assert browser.js("getComputedStyle(document.querySelector('.mgo-hint')).display") == "none"
    assert browser.js("document.querySelectorAll('.mgo button, .mgo input').length") == 0
    assert browser.js("document.querySelectorAll('.mgo-list table').length") == 7
    assert browser.js("document.querySelectorAll('.mgo-list tbody tr').length") == 7 * STEPS
    clean(browser, page)


def lightness(colour: str) -> float:
    return sum(map(int, re.findall(r"\d+", colour)[:3])) / (3 * 255)


def test_dark_follows_the_system_the_notebook_and_the_site(browser: Browser, page: Path) -> None:
    browser.dark(False)
    try:
        browser.open(page)
        assert lightness(browser.js(BACKGROUND)) == 1
        assert lightness(browser.js(PLANE)) > 0.9
        browser.js("document.body.dataset.theme = 'dark'")  # the site's switch
        assert lightness(browser.js(BACKGROUND)) < 0.2
        assert lightness(browser.js(PLANE)) < 0.2
        browser.js("document.body.dataset.theme = 'auto'")
        assert lightness(browser.js(BACKGROUND)) == 1
        browser.js("document.body.dataset.jpThemeLight = 'false'")
        assert lightness(browser.js(BACKGROUND)) < 0.2
        browser.dark(True)
        browser.js("document.body.dataset.jpThemeLight = 'true'")
        assert lightness(browser.js(BACKGROUND)) == 1
        browser.js("delete document.body.dataset.jpThemeLight")
        assert lightness(browser.js(BACKGROUND)) < 0.2
    finally:
        browser.dark(False)


def test_a_narrow_page_does_not_scroll_sideways(browser: Browser, page: Path) -> None:
    browser.size(390, 800)
    try:
        browser.open(page)
        press(browser, "Last")
        assert browser.js("document.documentElement.scrollWidth") == 390
    finally:
        browser.size(1300, 900)
