"""Every stepper on the built site steps: MINIGRAD_SITE names the folder of a site whose tutorials were executed."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.viz.browser.chromium import Browser, find

SITE = Path(os.environ.get("MINIGRAD_SITE", ""))
PAGES = sorted(SITE.glob("tutorials/*.html")) if "MINIGRAD_SITE" in os.environ else []
pytestmark = [
    pytest.mark.skipif(
        not PAGES, reason="MINIGRAD_SITE names no built site (python -m sphinx -W docs FOLDER)"
    ),
    pytest.mark.skipif(find() is None, reason="no Chromium is installed (CHROMIUM names one elsewhere)"),
]

TRACES, RACES = ".mg-stepper", ".mgo"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    made = Browser(find() or "")
    made.size(1440, 1000)
    yield made
    made.close()


def ids(browser: Browser, selector: str) -> list[str]:
    return list(browser.js(f"[...document.querySelectorAll({json.dumps(selector)})].map(e => e.id)"))


def data_of(browser: Browser, uid: str) -> dict[str, Any]:
    """What the page knows of its trace: events with their texts, and the ways of the weights."""
    script = f"document.querySelector('#{uid} script[type=\"application/json\"]').textContent"
    found: dict[str, Any] = json.loads(browser.js(script))
    return found


def choose(browser: Browser, uid: str, value: str) -> None:
    browser.js(
        f"(() => {{ const s = document.querySelector('#{uid} .mg-follow'); s.value = '{value}';"
        "s.dispatchEvent(new Event('change')); })()"
    )


def answer(browser: Browser, uid: str, text: str) -> None:
    box = f"document.querySelector('#{uid} .mg-answer')"
    browser.js(f"{box}.focus(); {box}.select()")
    browser.type(text)
    browser.key("Enter")


def clean(browser: Browser) -> None:
    assert browser.errors == []
    outside = [url for url in browser.requests if not url.startswith(("data:", SITE.resolve().as_uri()))]
    assert outside == []


def test_most_pages_have_a_stepper() -> None:
    with_one = [page.name for page in PAGES if 'class="mg-stepper"' in page.read_text(encoding="utf-8")]
    assert len(with_one) >= len(PAGES) // 2


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_recorded_steps(browser: Browser, page: Path) -> None:
    browser.open(page)
    for uid in ids(browser, TRACES):
        last = int(browser.text(f"#{uid} .mg-count").split("/")[1])

        def position(uid: str = uid, last: int = last) -> int:
            shown, of = browser.text(f"#{uid} .mg-count").split("/")
            assert int(of) == last
            return int(shown)

        assert position() == 1
        browser.click(f'#{uid} [data-do="next"]')
        assert position() == 2
        browser.click(f'#{uid} [data-do="back"]')
        assert position() == 1
        browser.js(f"document.getElementById('{uid}').focus()")
        browser.key("ArrowRight")
        assert position() == 2
        browser.key("End")
        assert position() == last
        browser.js(f"document.querySelector('#{uid} .mg-slider').focus()")
        browser.key("Home")
        assert position() == 1
    clean(browser)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_following_one_weight(browser: Browser, page: Path) -> None:
    browser.open(page)
    for uid in ids(browser, TRACES):
        data = data_of(browser, uid)
        everything = len(data["events"])
        for k, weight in enumerate(data["follow"][:2]):
            choose(browser, uid, str(k))
            way = [event for event, _ in weight["steps"]]
            assert 0 < len(way) <= everything
            assert way == sorted(set(way))
            browser.click(f'#{uid} [data-do="first"]')
            for event in way:
                assert browser.text(f"#{uid} .mg-what b") == data["events"][event]["title"]
                browser.click(f'#{uid} [data-do="next"]')
            assert browser.text(f"#{uid} .mg-count") == f"{len(way)} / {len(way)}"
            told = browser.js(f"document.querySelector('#{uid} .mg-follow').selectedOptions[0].textContent")
            assert told == weight["name"]
            last = data["events"][way[-1]]
            if last["kind"] in (
                "update",
                "outcome",
            ):  # the formula at the end of the way is that of this very entry
                entry = ",".join(map(str, weight["steps"][-1][1]))
                lines = browser.js(
                    f"[...document.querySelectorAll('#{uid} .mg-numbers')].map(line => line.textContent)"
                )
                assert lines == last["told"][entry][1].split("\n")
        choose(browser, uid, "")
        assert browser.text(f"#{uid} .mg-count").endswith(f"/ {everything}")
    clean(browser)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_predict_then_reveal(browser: Browser, page: Path) -> None:
    browser.open(page)
    for uid in ids(browser, TRACES):
        events = data_of(browser, uid)["events"]
        browser.click(f"#{uid} .mg-predict")
        for event in events[:6]:
            entry = ",".join(map(str, event["entry"]))
            _, numbers, value = event["told"][entry]
            if value is None:
                browser.click(f'#{uid} [data-do="next"]')
                continue
            assert browser.text(f"#{uid} .mg-numbers").endswith("?")
            answer(browser, uid, repr(2 * value + (1 if value >= 0 else -1)))
            assert "✗" in browser.text(f"#{uid} .mg-reply")
            assert browser.text(f"#{uid} .mg-numbers").endswith("?")
            answer(browser, uid, f"{value:.4g}")
            assert "Right" in browser.text(f"#{uid} .mg-reply")
            lines = browser.js(
                f"[...document.querySelectorAll('#{uid} .mg-numbers')].map(line => line.textContent)"
            )
            assert lines == numbers.split("\n")
            browser.click(f'#{uid} [data-do="next"]')
        assert browser.text(f"#{uid} .mg-score").startswith("0 of ")
    clean(browser)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_optimizers(browser: Browser, page: Path) -> None:
    browser.open(page)
    for uid in ids(browser, RACES):
        slider = f"document.querySelector('#{uid} input[type=range]')"
        assert browser.js(f"{slider}.value") == "0"
        browser.js(
            f"[...document.querySelectorAll('#{uid} button')].find(b => b.textContent === 'Next').click()"
        )
        assert browser.js(f"{slider}.value") == "1"
        browser.js(f"{slider}.focus()")
        browser.key("End")
        assert browser.js(f"{slider}.value === {slider}.max")
        browser.key("Home")
        assert browser.js(f"{slider}.value") == "0"
    clean(browser)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_displays_follow_the_site_s_switch(browser: Browser, page: Path) -> None:
    browser.open(page)
    every = f"[...document.querySelectorAll('{TRACES}, {RACES}')]"
    grounds = f"{every}.map(e => getComputedStyle(e).backgroundColor)"
    for theme, bright in (("dark", False), ("light", True)):
        browser.js(f"document.body.dataset.theme = '{theme}'")
        for colour in browser.js(grounds):
            assert (int(colour.split("(")[1].split(",")[0]) > 128) == bright
    clean(browser)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_without_scripts(browser: Browser, page: Path) -> None:
    browser.open(page, scripts=False)
    widths = "[...document.querySelectorAll('.mg-canvas img, .mgo-picture img')].map(e => e.naturalWidth)"
    pictures = browser.js(widths)
    lists = browser.js(
        "document.querySelectorAll('.mg-list li:first-child, .mgo-list table:first-child').length"
    )
    assert len(pictures) == lists == len(ids(browser, f"{TRACES}, {RACES}"))
    assert all(width > 100 for width in pictures)
    clean(browser)
