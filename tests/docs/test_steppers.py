"""Every stepper on the built site steps: MINIGRAD_SITE names the folder of a site whose tutorials were executed."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

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
        browser.click(f"#{uid} .mg-predict")
        assert browser.text(f"#{uid} .mg-numbers").endswith("?")
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
