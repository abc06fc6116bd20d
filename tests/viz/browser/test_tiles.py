"""Arrays of more than two axes as tiles: every entry stands where it ought to, and keys lead from tile to tile."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from minigrad.viz import examples
from tests.viz.browser.either import Browser, opened_at

HEAT = "document.querySelector('.mg-inspector .mg-heat')"


@pytest.fixture(scope="module")
def browser(either: Browser) -> Browser:
    return either


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tiles") / "convolution.html"
    examples.record("convolution").save(path)
    return path


def opened(browser: Browser, page: Path) -> Browser:
    return opened_at(browser, page, ".mg-inspector")


def test_maps_of_a_batch_are_tiles(browser: Browser, page: Path) -> None:
    opened(browser, page)
    trace = examples.record("convolution")
    value = trace.node("conv2d_1").value
    assert value.shape == (8, 4, 6, 6)
    width, height, data = browser.js(
        f"(() => {{ const c = {HEAT}; return [c.width, c.height, "
        "[...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]] })()"
    )
    across, down = (width + 1) // 7, (height + 1) // 7  # each tile has 6 pixels and a line behind it
    assert across * down == 32
    assert across % 4 == 0  # the maps of one sample stand side by side
    pixels = np.reshape(data, (height, width, 4)).astype(float)
    seen = pixels[..., 3] / 255 * np.where(pixels[..., 2] > pixels[..., 0], -1, 1)
    for k, wanted in enumerate(value.reshape(32, 6, 6) / np.abs(value).max()):
        row, column = 7 * (k // across), 7 * (k % across)
        np.testing.assert_allclose(seen[row : row + 6, column : column + 6], wanted, atol=0.006)


def test_keys_lead_over_the_line_between_two_tiles(browser: Browser, page: Path) -> None:
    opened(browser, page)

    def entry() -> str:
        return str(browser.js("document.querySelector('.mg-entry').value"))

    browser.js(
        "(() => { const box = document.querySelector('.mg-entry'); box.value = '1,0,1,4';"
        "box.dispatchEvent(new Event('change')); })()"
    )
    browser.js(f"{HEAT}.focus()")
    browser.key("ArrowRight")
    assert entry() == "1,0,1,5"
    browser.key("ArrowRight")
    assert entry() == "1,1,1,0"
    browser.key("ArrowLeft")
    assert entry() == "1,0,1,5"
