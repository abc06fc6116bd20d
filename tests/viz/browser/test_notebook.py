"""Displays in a notebook that was run, stored, and exported as HTML: opened in headless Chromium without a network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.viz.browser.chromium import Browser, find

nbformat: Any = pytest.importorskip("nbformat")
nbclient: Any = pytest.importorskip("nbclient")
nbconvert: Any = pytest.importorskip(
    "nbconvert", reason="nbconvert, which exports notebooks, is not installed"
)
pytest.importorskip("ipykernel")
CHROMIUM = find()
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium is installed (CHROMIUM names one elsewhere)"
)

CELLS = [
    "import minigrad as mg\nfrom minigrad.viz import examples\nmg.record(examples.load('diamond')['step'])",
    "mg.record(examples.load('line')['step'], title='<b>a & b</b>')",
    "mg.viz.optimizers('bowl', steps=5)",
    "x = mg.Tensor(2.0, requires_grad=True, name='x')\nmg.viz.graph(x * x)",
]


@pytest.fixture(scope="module")
def notebook(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What Jupyter stores after all cells were run: read back from its file."""
    path = tmp_path_factory.mktemp("notebook") / "steps.ipynb"
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    nbclient.NotebookClient(made, timeout=120, kernel_name="python3").execute()
    nbformat.write(made, path)
    return nbformat.read(path, as_version=4)


def export(notebook: Any, path: Path, **options: Any) -> Path:
    text, _ = nbconvert.HTMLExporter(**options).from_notebook_node(notebook)
    path.write_text(text, encoding="utf-8")
    return path


def outside(browser: Browser) -> set[str]:
    return {url for url in browser.requests if not url.startswith(("data:", "file:"))}


def test_the_export_steps_and_asks_for_no_more_than_an_empty_notebook(
    browser: Browser, notebook: Any, tmp_path: Path
) -> None:
    browser.open(export(nbformat.v4.new_notebook(), tmp_path / "empty.html"))
    nbconvert_s_own = outside(browser)
    browser.open(export(notebook, tmp_path / "steps.html"))
    assert outside(browser) == nbconvert_s_own
    assert all("net::ERR_NAME_NOT_RESOLVED" in error for error in browser.errors)
    assert browser.js("[...document.querySelectorAll('.mg-count')].map(c => c.textContent)") == [
        "1 / 10",
        "1 / 16",
    ]
    for _ in range(3):
        browser.js("document.querySelectorAll('.mg-stepper [data-do=next]')[1].click()")
    assert browser.js("document.querySelectorAll('.mg-count')[1].textContent") == "4 / 16"
    assert browser.js("document.querySelectorAll('.mg-count')[0].textContent") == "1 / 10"
    assert browser.js("document.querySelectorAll('.mg-title')[1].textContent") == "<b>a & b</b>"
    browser.js("[...document.querySelectorAll('.mgo button')].find(b => b.textContent === 'Last').click()")
    assert browser.text(".mgo-count") == "5 / 5"


def test_without_scripts_pictures_and_lists_are_there(
    browser: Browser, notebook: Any, tmp_path: Path
) -> None:
    browser.open(export(notebook, tmp_path / "steps.html"), scripts=False)
    widths = browser.js(
        "[...document.querySelectorAll('.mg-canvas img, .mgo-picture img')].map(i => i.naturalWidth)"
    )
    assert len(widths) == 3
    assert min(widths) > 100
    assert browser.js("document.querySelectorAll('.mg-list li').length") == 10 + 16
    assert browser.js("document.querySelectorAll('.mgo-list table').length") == 7
    assert browser.js("getComputedStyle(document.querySelector('.mg-controls')).display") == "none"


def test_the_dark_export_is_dark(browser: Browser, notebook: Any, tmp_path: Path) -> None:
    browser.dark(False)
    browser.open(export(notebook, tmp_path / "dark.html", theme="dark"))
    grounds = browser.js(
        "[...document.querySelectorAll('.mg-stepper, .mgo')].map(e => getComputedStyle(e).backgroundColor)"
    )
    assert len(grounds) == 3
    assert all(int(colour.split("(")[1].split(",")[0]) < 40 for colour in grounds)
