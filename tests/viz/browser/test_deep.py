"""A network of fifty layers in headless Chromium: one box a layer, which shows what is in play, and quickly."""

from __future__ import annotations

from pathlib import Path

import pytest

from minigrad.viz.trace import Backward, Forward, Trace
from tests.viz.browser.chromium import Browser, find
from tests.viz.test_groups import chain

CHROMIUM = find()
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium is installed (CHROMIUM names one elsewhere)"
)
LAYERS = 50


@pytest.fixture(scope="module")
def trace() -> Trace:
    return chain(LAYERS)


@pytest.fixture(scope="module")
def page(trace: Trace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("deep") / "deep.html"
    trace.save(path)
    return path


def go(browser: Browser, event: int) -> None:
    browser.js(
        f"(() => {{ const s = document.querySelector('.mg-slider'); s.value = {event};"
        "s.dispatchEvent(new Event('input')); })()"
    )


def test_the_box_of_a_layer_shows_the_tensor_in_play(browser: Browser, page: Path, trace: Trace) -> None:
    browser.open(page)
    assert browser.js("document.querySelectorAll('.node').length") == LAYERS + 4
    middle = trace.node("50.weight")
    chosen = [e for e in trace.events if isinstance(e, Backward) and e.input == middle.index]
    chosen += [e for e in trace.events if isinstance(e, Forward) and trace.nodes[e.node].name == "linear_26"]
    assert len(chosen) == 2
    for event in chosen:
        go(browser, event.index)
        target = trace.nodes[event.input if isinstance(event, Backward) else event.node]
        assert browser.js("document.querySelectorAll('.node.active').length") == 1
        assert browser.text(".node.active .name") == target.name
        assert browser.text(".node.active > .label") == "50: linear · tanh"
        known = "not yet" not in browser.text(".node.active .grad .text")
        assert known == isinstance(event, Backward)
    go(browser, 0)
    assert browser.text(".node.active .name") == "linear_1"
    others = browser.js("[...document.querySelectorAll('.node:not(.active) .name')].map(n => n.textContent)")
    assert "50.weight" not in others
    assert "tanh_26" in others
    assert browser.errors == []


def test_it_opens_and_steps_quickly(browser: Browser, page: Path) -> None:
    assert browser.quickest(page, 1000) < 1000
    clock = browser.js(
        "(() => { const t = performance.now(); const next = document.querySelector('[data-do=\"next\"]');"
        "for (let i = 0; i < 20; i++) next.click(); return performance.now() - t; })()"
    )
    assert browser.text(".mg-count").startswith("21 /")
    assert clock / 20 < 250  # milliseconds a step, on a busy machine too
