"""The stepper in headless Chromium: buttons, keys, slider, following, predicting, with and without scripts."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad.viz import examples
from minigrad.viz.numbers import show
from minigrad.viz.trace import Update
from tests.viz.browser.chromium import Browser, find

CHROMIUM = find()
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium is installed (CHROMIUM names one elsewhere)"
)


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    for name in examples.NAMES:
        mg.record(examples.load(name)["step"], title=name).save(folder / f"{name}.html")
    return {name: folder / f"{name}.html" for name in examples.NAMES}


def box(browser: Browser, name: str, row: str) -> str:
    """What a box of the graph shows as its value or grad."""
    found = browser.js(
        "[...document.querySelectorAll('.node')].find(b => b.querySelector('.name').textContent === "
        f"'{name}').querySelector('.{row} .text').textContent"
    )
    return str(found)


def clean(browser: Browser, page: Path) -> None:
    assert browser.errors == []
    assert [url for url in browser.requests if not url.startswith("data:")] == [page.resolve().as_uri()]


def count(browser: Browser) -> str:
    return browser.text(".mg-count")


def test_buttons_slider_and_keys_step(browser: Browser, pages: dict[str, Path]) -> None:
    browser.open(pages["diamond"])
    assert count(browser) == "1 / 10"
    assert box(browser, "a", "value") == "9"
    assert box(browser, "b", "value") == box(browser, "x", "grad") == "not yet"
    browser.click('[data-do="next"]')
    assert count(browser) == "2 / 10"
    assert box(browser, "b", "value") == "6"
    browser.js("document.querySelector('.mg-stepper').focus()")
    browser.key("ArrowRight")
    assert box(browser, "loss", "value") == "54"
    browser.key("End")
    assert count(browser) == "10 / 10"
    assert box(browser, "x", "grad") == "54"
    browser.key("Home")
    browser.key("ArrowLeft")
    assert count(browser) == "1 / 10"
    browser.click('[data-do="last"]')
    browser.click('[data-do="back"]')
    assert count(browser) == "9 / 10"
    browser.js("document.querySelector('.mg-slider').focus()")
    browser.key("Home")
    assert count(browser) == "1 / 10"
    clean(browser, pages["diamond"])


def test_play_goes_on_by_itself_and_stops(browser: Browser, pages: dict[str, Path]) -> None:
    browser.open(pages["diamond"])
    browser.click('[data-do="play"]')
    assert browser.text('[data-do="play"]') == "Pause"
    time.sleep(1.6)
    assert count(browser) == "2 / 10"
    browser.click('[data-do="play"]')
    assert browser.text('[data-do="play"]') == "Play"


def test_the_panes_agree(browser: Browser, pages: dict[str, Path]) -> None:
    browser.open(pages["diamond"])
    for _ in range(7):
        browser.click('[data-do="next"]')
    assert "a = x * x" in browser.text(".mg-now")
    assert browser.text(".node.active .name") == "x"
    assert browser.text(".node.from .name") == "a"
    assert browser.text(".mg-numbers").endswith("18 + 18 = 36")
    assert "added to the earlier contribution" in browser.text(".mg-spoken")
    assert browser.js("document.querySelectorAll('.edge.on-backward').length") == 1
    assert browser.js("document.querySelector('.mg-spoken').getAttribute('aria-live')") == "polite"


def test_jumping_to_a_node(browser: Browser, pages: dict[str, Path]) -> None:
    browser.open(pages["diamond"])
    browser.js("document.querySelector('[data-node=\"3\"]').focus()")
    browser.key("Enter")
    assert browser.text(".mg-what b") == "loss = a · b"
    browser.click('[data-do="last"]')
    browser.click('[data-node="1"]')
    assert browser.text(".mg-what b") == "loss → a"


def test_following_one_weight(browser: Browser, pages: dict[str, Path]) -> None:
    browser.open(pages["mlp"])
    browser.js(
        "(() => { const s = document.querySelector('.mg-follow');"
        "s.value = [...s.options].find(o => o.textContent === 'W1[0,1]').value;"
        "s.dispatchEvent(new Event('change')); })()"
    )
    titles = []
    while True:
        titles.append(browser.text(".mg-what b"))
        if browser.js("document.querySelector('[data-do=\"next\"]').disabled"):
            break
        browser.click('[data-do="next"]')
    # 8 results on its way, the seed, 9 contributions, .grad, the update, the new loss
    assert len(titles) == 21
    assert not any("→ b1" in title or "→ W2" in title for title in titles)
    browser.click('[data-do="back"]')
    # W1[0,1] = 1, its gradient is δ · x = −0.375 · 1, the rate 0.1
    assert browser.text(".mg-numbers") == "= 1 − 0.1 · (−0.375) = 1.038"
    browser.js(
        "(() => { const s = document.querySelector('.mg-follow'); s.value = '';"
        "s.dispatchEvent(new Event('change')); })()"
    )
    assert count(browser).endswith("/ 27")
    clean(browser, pages["mlp"])


def answer(browser: Browser, text: str) -> None:
    browser.js("document.querySelector('.mg-answer').focus(); document.querySelector('.mg-answer').select()")
    browser.type(text)
    browser.key("Enter")


def test_predict_then_reveal(browser: Browser, pages: dict[str, Path]) -> None:
    browser.open(pages["line"])
    browser.click(".mg-predict")
    assert browser.text(".mg-numbers").endswith("= ?")
    assert box(browser, "prediction", "value") == "?"
    shown = browser.js(
        "document.querySelector('.mg-formula').innerText + document.querySelector('.mg-canvas').textContent"
    )
    assert "0.6353" not in shown
    answer(browser, "0.7")
    assert "Not yet" in browser.text(".mg-reply")
    assert browser.text(".mg-numbers").endswith("= ?")
    answer(browser, "0.637")
    assert "Close" in browser.text(".mg-reply")
    answer(browser, "-0.6353")
    assert "✗" in browser.text(".mg-reply")
    answer(browser, "0.635")
    assert "Right" in browser.text(".mg-reply")
    assert browser.text(".mg-numbers").endswith("0.6353")
    assert box(browser, "prediction", "value") != "?"
    assert browser.text(".mg-score") == "0 of 1 right at once"
    browser.click('[data-do="next"]')
    answer(browser, "−8,36")  # −8.365 rounds to −8.36 and to −8.37
    assert browser.text(".mg-score") == "1 of 2 right at once"
    browser.click('[data-do="next"]')
    browser.click(".mg-quiet")
    assert browser.text(".mg-numbers").endswith("= 69.97")
    assert browser.text(".mg-score") == "1 of 3 right at once"
    browser.click(".mg-predict")
    browser.click('[data-do="next"]')
    assert browser.text(".mg-numbers").endswith("= 37.08")
    clean(browser, pages["line"])


def test_entries_of_large_arrays_on_demand(browser: Browser, pages: dict[str, Path]) -> None:
    browser.open(pages["digits"])
    browser.js(
        "(() => { const s = document.querySelector('.mg-slider'); s.value = 18; s.dispatchEvent(new Event('input'));"
        "const e = document.querySelector('.mg-entry'); e.value = '3, 40'; e.dispatchEvent(new Event('change')); })()"
    )
    assert browser.text(".mg-what b") == "Adam changes fc1.weight, step 1"
    trace = mg.record(examples.load("digits")["step"])
    event = trace.events[18]
    assert isinstance(event, Update)
    assert browser.text(".mg-stats b") == show(event.rows[-1].value[3, 40])
    # an entry whose formula is not on the page is worked out there, to the engine's own numbers
    gradient = np.abs(next(row.value for row in event.rows if row.symbol == "g"))
    middle = np.argsort(gradient.ravel())[-5000:-4900:20]
    for row, column in zip(*np.unravel_index(middle, gradient.shape), strict=True):
        browser.js(
            f"(() => {{ const e = document.querySelector('.mg-entry'); e.value = '{row},{column}';"
            "e.dispatchEvent(new Event('change')); })()"
        )
        lines = [r for r in event.rows if r.text]
        shown = browser.js("[...document.querySelectorAll('.mg-rows .mg-value')].map(c => c.textContent)")
        assert shown == [show(r.value[row, column]) for r in lines]
        assert len(shown) == 5  # m, v, their corrections, theta
    browser.js(
        "(() => { const e = document.querySelector('.mg-entry'); e.value = '3,40';"
        "e.dispatchEvent(new Event('change')); })()"
    )
    browser.js("document.querySelector('.mg-heat').focus()")
    browser.key("ArrowRight")
    assert browser.js("document.querySelector('.mg-entry').value") == "3,41"
    browser.js(
        "(() => { const e = document.querySelector('.mg-entry'); e.value = '128,0';"
        "e.dispatchEvent(new Event('change')); })()"
    )
    assert browser.js("document.querySelector('.mg-entry').getAttribute('aria-invalid')") == "true"
    clean(browser, pages["digits"])


def test_the_large_page_opens_in_a_second(browser: Browser, pages: dict[str, Path]) -> None:
    assert browser.quickest(pages["digits"], 1000) < 1000


def test_without_scripts_the_last_frame_and_the_list_are_there(
    browser: Browser, pages: dict[str, Path]
) -> None:
    browser.open(pages["line"], scripts=False)
    assert browser.js("document.querySelector('.mg-canvas img').naturalWidth") > 300
    assert browser.js("getComputedStyle(document.querySelector('.mg-controls')).display") == "none"
    assert browser.js("document.querySelectorAll('.mg-list li').length") == 16
    clean(browser, pages["line"])


def test_two_on_one_page_do_not_meddle(browser: Browser, pages: dict[str, Path], tmp_path: Path) -> None:
    trace = mg.record(examples.load("diamond")["step"])
    page = tmp_path / "two.html"
    page.write_text(f"<!doctype html><meta charset=utf-8><body>{trace.html()}{trace.html()}</body>")
    browser.open(page)
    browser.js("window.seen = []; document.addEventListener('keydown', e => window.seen.push(e.key))")
    browser.js("document.querySelectorAll('.mg-stepper')[1].focus()")
    browser.key("ArrowRight")
    counts = browser.js("[...document.querySelectorAll('.mg-count')].map(c => c.textContent)")
    assert counts == ["1 / 10", "2 / 10"]
    assert browser.js("window.seen.length") == 0  # a notebook would have taken the key for itself
    assert browser.errors == []


def test_dark_follows_the_system_and_the_notebook(browser: Browser, pages: dict[str, Path]) -> None:
    background = "getComputedStyle(document.querySelector('.mg-stepper')).backgroundColor"
    browser.dark(False)
    browser.open(pages["diamond"])
    assert browser.js(background) == "rgb(255, 255, 255)"
    browser.js("document.body.dataset.jpThemeLight = 'false'")
    assert browser.js(background) == "rgb(20, 24, 29)"
    browser.dark(True)
    browser.js("document.body.dataset.jpThemeLight = 'true'")
    assert browser.js(background) == "rgb(255, 255, 255)"
    browser.dark(False)


def test_a_narrow_page_does_not_scroll_sideways(browser: Browser, pages: dict[str, Path]) -> None:
    browser.size(390, 800)
    try:
        for page in pages.values():
            browser.open(page)
            assert browser.js("document.documentElement.scrollWidth") == 390
    finally:
        browser.size(1300, 900)
