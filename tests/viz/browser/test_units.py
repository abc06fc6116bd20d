"""The pictures of hidden units: what each makes of every place, as Python has it; a click leads to its number."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from minigrad.viz import examples
from tests.viz.browser.chromium import FRAME
from tests.viz.browser.either import Browser, opened_at

GRID, TILE = 25, 27
PIXELS = (
    "(() => { const c = document.querySelectorAll('CANVAS')[INDEX], { width, height } = c;"
    "return [[height, width, 4], [...c.getContext('2d').getImageData(0, 0, width, height).data]] })()"
)


@pytest.fixture(scope="module")
def browser(either: Browser) -> Browser:
    return either


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("units")
    for name in ("mlp", "spiral"):
        examples.record(name).save(folder / f"{name}.html")
    return {name: folder / f"{name}.html" for name in ("mlp", "spiral")}


def opened(browser: Browser, page: Path) -> Browser:
    return opened_at(browser, page, ".mg-units")


def signed(browser: Browser, canvas: str, index: int = 0) -> np.ndarray:
    """The pixels of a canvas: how strong, above 0 or below."""
    shape, data = browser.js(PIXELS.replace("CANVAS", canvas).replace("INDEX", str(index)))
    pixels = np.reshape(data, shape).astype(float)
    return pixels[..., 3] / 255 * np.where(pixels[..., 2] > pixels[..., 0], -1, 1)


def places(x: np.ndarray) -> np.ndarray:
    """The middles of the squares, row by row from above: the data with a margin of 0.3 of its range."""
    low, high = x.min(0), x.max(0)
    low, high = low - 0.3 * (high - low), high + 0.3 * (high - low)
    middles = (np.arange(GRID) + 0.5) / GRID
    across, down = np.meshgrid(middles, middles)
    shares = np.stack([across, 1 - down], -1)
    return np.asarray(low + shares * (high - low))


def hidden(names: dict[str, Any]) -> np.ndarray:
    found = np.maximum(0, places(names["x"].numpy()) @ names["W1"].numpy() + names["b1"].numpy())
    return np.asarray(found / found.max())


def tile(pixels: np.ndarray, row: int, column: int) -> np.ndarray:
    return pixels[row * TILE + 1 :, column * TILE + 1 :][:GRID, :GRID]


def test_units_of_exclusive_or_follow_an_edit(browser: Browser, pages: dict[str, Path]) -> None:
    opened(browser, pages["mlp"])
    names = examples.load("mlp")
    for weight in (1.0, -0.25):
        browser.js(
            "(() => { const box = document.querySelector('[data-change=value]');"
            f"box.value = '{weight}'; box.dispatchEvent(new Event('change')); }})()"
        )
        browser.js(FRAME)
        names["W1"].data[0, 0] = weight
        wanted, pixels = hidden(names), signed(browser, ".mg-units")
        assert pixels.shape == (TILE, 2 * TILE)
        for unit in (0, 1):
            np.testing.assert_allclose(tile(pixels, 0, unit), wanted[..., unit], atol=0.006)


def test_units_of_two_layers(browser: Browser, pages: dict[str, Path]) -> None:
    opened(browser, pages["spiral"])
    names = examples.load("spiral")
    linear_1, _, linear_2, *_ = names["model"]
    first = np.tanh(places(names["x"].numpy()) @ linear_1.weight.numpy().T + linear_1.bias.numpy())
    second = np.tanh(first @ linear_2.weight.numpy().T + linear_2.bias.numpy())
    for layer, values in enumerate((first, second)):
        pixels = signed(browser, ".mg-units", layer)
        for unit in range(16):
            wanted = values[..., unit] / np.abs(values).max()
            np.testing.assert_allclose(tile(pixels, unit // 8, unit % 8), wanted, atol=0.006)


def test_a_unit_that_is_looked_at_takes_the_large_picture(browser: Browser, pages: dict[str, Path]) -> None:
    opened(browser, pages["mlp"])
    before = signed(browser, ".mg-see canvas")
    browser.js("document.querySelector('.mg-units').focus()")
    wanted = hidden(examples.load("mlp"))
    np.testing.assert_allclose(signed(browser, ".mg-see canvas"), wanted[..., 0], atol=0.006)
    browser.key("ArrowRight")
    np.testing.assert_allclose(signed(browser, ".mg-see canvas"), wanted[..., 1], atol=0.006)
    assert browser.text(".mg-layer-units span") == "hidden[…, 1]"
    browser.js("document.querySelector('.mg-units').blur()")
    np.testing.assert_array_equal(signed(browser, ".mg-see canvas"), before)


def test_a_unit_leads_to_its_number(browser: Browser, pages: dict[str, Path]) -> None:
    opened(browser, pages["mlp"])
    browser.js("document.querySelectorAll('.mg-point')[2].focus()")
    browser.js("document.querySelector('.mg-units').focus()")
    browser.key("ArrowRight")
    browser.key("Enter")
    assert browser.text(".mg-what b") == "hidden = relu(z)"
    assert browser.text(".mg-symbols").startswith("hidden[2,1] =")
