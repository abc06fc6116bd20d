"""Numbers are changed where they stand, in the graph and in the formula, by pointer and keys; the old stay beside."""

from __future__ import annotations

from pathlib import Path

import pytest

import minigrad as mg
from minigrad.viz import examples
from tests.viz.browser.either import Browser

STEP = "document.querySelector('.mg-stepper').step"
FLOAT = "document.querySelector('.mg-float')"


@pytest.fixture(scope="module")
def browser(either: Browser) -> Browser:
    return either


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("place") / "mlp.html"
    mg.record(examples.load("mlp")["step"], title="mlp").save(path)
    return path


def of(browser: Browser, name: str) -> str:
    """The selector of a box in the graph."""
    found = browser.js(
        "[...document.querySelectorAll('.node')]"
        f".find((b) => b.querySelector('.name').textContent === '{name}').dataset.node"
    )
    return f".node[data-node='{found}']"


def retype(browser: Browser, text: str) -> None:
    browser.js(f"{FLOAT}.select()")
    browser.type(text)
    browser.key("Enter")


def test_a_click_on_a_number_in_the_graph_changes_it(browser: Browser, page: Path) -> None:
    browser.open(page)
    box = of(browser, "b1")
    assert browser.js(f'document.querySelectorAll("{box} .mg-edit").length') == 2
    browser.click(f"{box} .mg-edit:nth-of-type(2)")
    assert not browser.js(f"{FLOAT}.hidden")
    assert browser.js(f"{FLOAT}.value") == "-1"
    retype(browser, "-0.25")
    assert browser.js(f"{STEP}.now().values.b1.data[1]") == -0.25
    assert browser.js(f"{FLOAT}.hidden")
    assert "[0, −0.25]" in browser.text(f"{box} .value .text")
    assert "was [0, −1]" in browser.text(f"{box} .value title")
    loss = of(browser, "loss")
    browser.key("End")
    for _ in range(12):
        browser.key("ArrowLeft")
    assert " was 0.2812" in browser.text(f"{loss} .value")
    assert browser.errors == []


def test_keys_reach_every_number_of_a_box(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.js(f'document.querySelector("{of(browser, "W1")}").focus()')
    browser.key("F2")
    assert browser.js(f"{FLOAT}.getAttribute('aria-label')") == "W1[0,0], was 1"
    browser.key("Tab")
    browser.key("Tab")
    assert browser.js(f"{FLOAT}.getAttribute('aria-label')") == "W1[1,0], was 1"
    browser.key("ArrowUp")
    assert browser.js(f"{STEP}.now().values.W1.data[2]") == pytest.approx(1.1)
    browser.key("Escape")
    assert browser.js("document.activeElement.classList.contains('node')")
    browser.key("ArrowRight")
    assert browser.text(".mg-count").startswith("2 /")


def test_numbers_in_the_formula_are_changed_there(browser: Browser, page: Path) -> None:
    browser.open(page)
    names = browser.js("[...document.querySelectorAll('.mg-spoken .mg-edit')].map((b) => b.title)")
    assert names
    assert all(name.startswith("change ") for name in names)
    before = browser.text(".mg-numbers")
    browser.click(".mg-spoken .mg-edit")
    key = browser.js("document.querySelector('.mg-spoken .mg-edit').dataset.key")
    retype(browser, "3")
    assert browser.js(f"document.activeElement.dataset.key === '{key}'")
    assert browser.text(".mg-numbers") != before
    assert browser.text(".mg-before s") == before.removeprefix("= ")
    assert browser.errors == []


def test_a_setting_in_the_optimizers_formula_too(browser: Browser, page: Path) -> None:
    browser.open(page)
    trace = mg.record(examples.load("mlp")["step"])
    update = next(event.index for event in trace.events if event.kind == "update")
    for _ in range(update):
        browser.click('[data-do="next"]')
    browser.click(".mg-spoken .mg-edit[data-key=':eta']")
    assert browser.js(f"{FLOAT}.value") == "0.1"
    retype(browser, "0.5")
    assert browser.js(f"{STEP}.now().settings[0].eta") == 0.5
    assert "0.5 · " in browser.text(".mg-numbers")


def test_results_cannot_be_changed(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.key("End")
    assert browser.js(f'document.querySelectorAll("{of(browser, "hidden")} .mg-edit").length') == 0
    assert browser.js(f'document.querySelectorAll("{of(browser, "W1")} .grad .mg-edit").length') == 0


def test_tables_show_the_old_number_below_the_new(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.js(f"{STEP}.edit('W1', 0, 5)")
    browser.click("[data-change=step]")
    browser.click("[data-change=undo]")
    cell = "document.querySelector('.mg-change .mg-cells button')"
    assert browser.js(f"[{cell}.firstChild.textContent, {cell}.querySelector('s').textContent]") == ["5", "1"]
    assert browser.js(f"{cell}.getAttribute('aria-label')") == "entry 0,0: 5, was 1"
