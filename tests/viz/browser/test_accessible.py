"""The live page for everyone: axe-core finds nothing, keys reach every control, it fits 390 pixels, and can be calm."""

from __future__ import annotations

import json
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import minigrad as mg
from minigrad.viz import examples
from tests.viz.browser.either import Browser

AXE = "axe_playwright_python"
"""The package that has axe-core, of which only that file is read."""


@pytest.fixture(scope="module")
def browser(either: Browser) -> Browser:
    return either


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("accessible")
    for name in ("mlp", "line", "digits"):
        mg.record(examples.load(name)["step"], title=name).save(folder / f"{name}.html")
    return {name: folder / f"{name}.html" for name in ("mlp", "line", "digits")}


def violations(browser: Browser) -> list[Any]:
    """What axe-core has against the page as it is."""
    browser.js(f"void (0, eval)({json.dumps(files(AXE).joinpath('axe.min.js').read_text())})")
    found: list[Any] = browser.js(
        "axe.run().then(({ violations }) => violations.map(({ id, nodes }) => "
        "[id, nodes.slice(0, 3).map((n) => [n.html.slice(0, 200), n.failureSummary.slice(0, 300)])]))"
    )
    return found


@pytest.mark.skipif(
    find_spec(AXE) is None, reason="axe-playwright-python, which brings axe-core, is not installed"
)
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("name", ["mlp", "line", "digits"])
def test_axe_finds_nothing(browser: Browser, pages: dict[str, Path], name: str, dark: bool) -> None:
    browser.dark(dark)
    try:
        browser.open(pages[name])
        assert violations(browser) == []
        browser.js("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
        browser.click("[data-change=step]")
        browser.click('[data-do="last"]')
        assert violations(browser) == []
    finally:
        browser.dark(False)


def test_tab_reaches_every_control_in_the_order_of_the_page(browser: Browser, pages: dict[str, Path]) -> None:
    browser.open(pages["mlp"])
    browser.js("document.querySelector('[data-change=run]').focus()")
    seen, which = (
        [],
        "(({ dataset, tagName }) => dataset.change ?? dataset.setting ?? tagName)(document.activeElement)",
    )
    for _ in range(60):
        seen.append(browser.js(which))
        browser.key("Tab")
    wanted = ["run", "step", "speed", "link", "add", "label", "remove", "relabel", "which", "value", "h"]
    wanted += ["optimizer", "eta"]
    assert [each for each in seen if each in wanted] == wanted
    assert seen.count("SUMMARY") >= 3


def test_everything_that_can_be_used_has_a_name(browser: Browser, pages: dict[str, Path]) -> None:
    browser.open(pages["mlp"])
    browser.js("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    unnamed = browser.js(
        "[...document.querySelectorAll('.mg-stepper :is(button, input, select, [tabindex], [role=button])')]"
        ".filter((e) => !(e.ariaLabel || e.textContent.trim() || e.closest('label')?.textContent.trim()))"
        ".map((e) => e.outerHTML)"
    )
    assert unnamed == []


def test_all_views_fit_a_telephone(browser: Browser, pages: dict[str, Path]) -> None:
    browser.size(390, 844)
    try:
        for page in pages.values():
            browser.open(page)
            browser.js("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
            browser.click("[data-change=step]")
            assert browser.js("document.documentElement.scrollWidth") == 390
    finally:
        browser.size(1300, 900)
