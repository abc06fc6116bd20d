"""Keys, driven as real events: on load, after any click, at the ends; and in a notebook what is meant for a display."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import minigrad as mg
from minigrad.viz import examples
from tests.viz.browser.chromium import Browser, find

CHROMIUM = find()
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium is installed (CHROMIUM names one elsewhere)"
)


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Displays on a page of their own, and among other things, as on a site and in a notebook."""
    folder = tmp_path_factory.mktemp("focus")
    made = {
        "stepper": mg.record(examples.load("mlp")["step"]),
        "optimizers": mg.viz.optimizers("bowl", steps=12),
    }
    for name, shown in made.items():
        shown.save(folder / f"{name}.html")
    cell = "<div tabindex=-1><div class=cell tabindex=0><p>text</p>{}</div><p class=below>below</p></div>"
    inside = {
        "inside": cell.format(made["stepper"].html()),
        "optimizers inside": cell.format(made["optimizers"].html()),
        "two": f"{made['stepper'].html()}<input class=other><div class=second>{made['stepper'].html()}</div>",
    }
    for name, body in inside.items():
        (folder / f"{name}.html").write_text(
            f"<!doctype html><meta charset=utf-8><body>{body}<div style='height:3000px'></div>"
        )
    return {name: folder / f"{name}.html" for name in ("stepper", "optimizers", *inside)}


def at(browser: Browser, place: int = 0) -> int:
    text = "document.querySelectorAll('.mg-count, .mgo-count')"
    return int(browser.js(f"{text}[{place}].textContent").split("/")[0])


def box(browser: Browser, selector: str) -> tuple[float, float]:
    found = f"document.querySelector({json.dumps(selector)})"
    browser.js(f"{found}.scrollIntoView({{block: 'nearest', behavior: 'instant'}})")
    x, y = browser.js(f"(() => {{ const b = {found}.getBoundingClientRect(); return [b.x, b.y] }})()")
    return x + 4, y + 4


def point(browser: Browser, selector: str) -> None:
    x, y = box(browser, selector)
    browser.send("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)


def press(browser: Browser, selector: str) -> None:
    x, y = box(browser, selector)
    for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
        browser.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)


@pytest.mark.parametrize("name", ["stepper", "optimizers"])
def test_keys_work_on_load(browser: Browser, pages: dict[str, Path], name: str) -> None:
    browser.open(pages[name])
    start = at(browser)
    browser.key("ArrowRight")
    assert at(browser) == start + 1
    browser.key("End")
    end = at(browser)
    assert end > start + 5
    browser.key("ArrowLeft")
    assert at(browser) == end - 1
    browser.key("Home")
    assert at(browser) == start


EVERYWHERE = [
    "body", ".mg-title", ".mg-about", ".mg-count", ".mg-strip", ".mg-spoken", ".mg-numbers", ".mg-program h4",
    ".mg-now", ".mg-canvas", ".node", ".mg-stats", ".mg-cells button", ".mg-list summary", ".mg-legend",
    "[data-do=next]", "[data-do=play]", ".mg-predict", ".mg-slider",
]  # fmt: skip


@pytest.mark.parametrize("selector", EVERYWHERE)
def test_keys_work_after_a_click_anywhere(browser: Browser, pages: dict[str, Path], selector: str) -> None:
    browser.open(pages["stepper"])
    browser.key("ArrowRight")
    press(browser, selector)
    if selector == "[data-do=play]":
        press(browser, selector)
    before = at(browser)
    browser.key("ArrowRight")
    assert at(browser) == before + 1
    browser.key("ArrowLeft")
    browser.key("ArrowLeft")
    assert at(browser) == max(before - 1, 1)
    browser.key("Home")
    assert at(browser) == 1


@pytest.mark.parametrize("name", ["stepper", "inside", "optimizers", "optimizers inside"])
def test_keys_work_when_the_focused_button_is_switched_off(
    browser: Browser, pages: dict[str, Path], name: str
) -> None:
    browser.open(pages[name])
    stepper = "optimizers" not in name
    last, first = (
        ("[data-do=last]", "[data-do=first]")
        if stepper
        else (".mgo-steps button:nth-of-type(5)", ".mgo-steps button:nth-of-type(1)")
    )
    start = at(browser)
    for button, back, forth in ((last, "ArrowLeft", "ArrowRight"), (first, "ArrowRight", "ArrowLeft")):
        press(browser, button)
        assert browser.js(f"document.querySelector({json.dumps(button)}).disabled")
        browser.send("Input.dispatchMouseEvent", type="mouseMoved", x=2, y=880)
        end = at(browser)
        browser.key(back)
        assert abs(at(browser) - end) == 1
        browser.key(forth)
        assert at(browser) == end
    assert at(browser) == start
    browser.js(f"document.querySelector({json.dumps(last)}).focus()")
    browser.key("Enter")
    end = at(browser)
    browser.key("ArrowLeft")
    assert at(browser) == end - 1
    assert browser.errors == []


def test_keys_work_after_an_answer_and_a_choice(browser: Browser, pages: dict[str, Path]) -> None:
    for name in ("stepper", "inside"):
        browser.open(pages[name])
        press(browser, ".mg-predict")
        press(browser, ".mg-answer")
        browser.type("2")
        browser.key("ArrowLeft")  # in the box
        assert at(browser) == 1
        browser.key("Enter")
        assert "Right" in browser.text(".mg-reply")
        browser.key("ArrowRight")
        assert at(browser) == 2
        press(browser, ".mg-quiet")
        browser.key("ArrowRight")
        assert at(browser) == 3
        browser.open(pages[name])
        press(browser, "[data-do=next]")
        browser.js(  # what the browser does when an entry of the list is clicked
            "(() => { const s = document.querySelector('.mg-follow'); s.focus(); s.value = '1';"
            "s.dispatchEvent(new Event('change', {bubbles: true})); })()"
        )
        before = at(browser)
        browser.key("ArrowRight")
        assert at(browser) == before + 1


def test_a_notebook_keeps_its_keys(browser: Browser, pages: dict[str, Path]) -> None:
    for name in ("inside", "optimizers inside"):
        browser.open(pages[name])
        browser.send("Input.dispatchMouseEvent", type="mouseMoved", x=2, y=880)
        browser.js(
            "window.seen = []; document.addEventListener('keydown', e => window.seen.push(e.key), true)"
        )
        start = at(browser)
        browser.key("ArrowRight")
        browser.js("document.querySelector('.cell').focus()")
        browser.key("ArrowRight")
        browser.key("Home")
        assert at(browser) == start
        assert browser.js("window.seen") == ["ArrowRight", "ArrowRight", "Home"]
        display = ".mg-title" if name == "inside" else ".mgo h3"
        point(browser, display)  # the pointer is in the display, the focus in the cell
        browser.key("ArrowRight")
        assert at(browser) == start + 1
        browser.key("Home")  # a page scrolls
        browser.key("a", "a")
        assert at(browser) == start + 1
        assert browser.js("window.seen.slice(3)") == ["Home", "a"]
        press(browser, display)  # the focus is in the display
        browser.key("Home")
        assert at(browser) == start
        assert browser.js("window.seen.slice(5)") == []
        press(browser, ".below")
        browser.key("ArrowRight")
        assert at(browser) == start
        assert browser.js("window.seen.slice(5)") == ["ArrowRight"]


def test_of_two_displays_one_gets_the_keys(browser: Browser, pages: dict[str, Path]) -> None:
    browser.open(pages["two"])
    press(browser, ".second [data-do=last]")
    browser.key("ArrowLeft")
    end = at(browser, 1)
    assert (at(browser, 0), end) == (1, 26)
    point(browser, ".mg-title")
    press(browser, ".mg-title")
    browser.key("ArrowRight")
    assert (at(browser, 0), at(browser, 1)) == (2, end)
    press(browser, ".other")
    point(browser, ".mg-title")
    browser.key("ArrowRight")  # somebody types
    assert (at(browser, 0), at(browser, 1)) == (2, end)
