"""The site builds without a warning, its pages ask nobody for anything, and its links lead somewhere."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from minigrad import explain, registry
from tests.viz.browser.chromium import Browser, find

for package in ("sphinx", "furo", "myst_nb", "jupytext"):
    pytest.importorskip(package, reason=f"the site is built with {package}: pip install -e '.[docs]'")

ROOT = Path(__file__).resolve().parents[2]
OUTSIDE = re.compile(r"^(https?:)?//")
LOADS = {
    ("script", "src"),
    ("img", "src"),
    ("iframe", "src"),
    ("source", "src"),
    ("video", "src"),
    ("audio", "src"),
}


class Page(HTMLParser):
    """What a page loads by itself, where it links to, and the places that can be linked to."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.loads += [given[name] for kind, name in LOADS if kind == tag and name in given]
        self.loads += [part.split()[0] for part in given.get("srcset", "").split(", ") if part]
        if tag == "link" and given.get("rel") not in ("canonical", "index", "search", "next", "prev"):
            self.loads.append(given["href"])
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        self.ids |= {given[name] for name in ("id", "name") if name in given}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("site") / "html"
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "sphinx",
            "-W",
            "--keep-going",
            "-q",
            "-D",
            "nb_execution_mode=off",
            "-D",
            "toc_object_entries=0",  # every name in every sidebar: half of the time that the site takes
            "docs",
            str(out),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return out


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    return {path: Page(path) for path in sorted(site.rglob("*.html"))}


def test_no_page_loads_anything_from_outside(site: Path, pages: dict[Path, Page]) -> None:
    assert len(pages) > 50
    for path, page in pages.items():
        for address in page.loads:
            assert not OUTSIDE.match(address), f"{path.name} loads {address}"
            if not address.startswith("data:"):
                assert (path.parent / unquote(urlsplit(address).path)).exists(), (
                    f"{path.name} loads {address}"
                )


def test_no_style_or_picture_loads_anything_from_outside(site: Path) -> None:
    used = [*site.rglob("*.css"), *site.rglob("*.svg")]
    assert site / "_static" / "katex" / "katex.min.css" in used
    for path in used:
        for address in re.findall(
            r"url\(\s*[\"']?([^\"')]+)|@import\s+[\"']([^\"']+)", path.read_text("utf-8")
        ):
            asked = "".join(address)
            assert not OUTSIDE.match(asked), f"{path.name} loads {asked}"
            if path.parent.name == "katex":
                assert (path.parent / asked).exists(), f"{path.name} loads {asked}"


def test_links_inside_the_site_lead_somewhere(pages: dict[Path, Page]) -> None:
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or link.startswith("//"):
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            assert target.exists(), f"{path.name} links to {link}"
            of_source = (
                "_modules" in path.parts
            )  # whose links back go by one name for a module that is reached by two
            if parts.fragment and target in pages and not of_source:
                assert unquote(parts.fragment) in pages[target].ids, f"{path.name} links to {link}"


def test_the_site_holds_what_the_project_has(site: Path, pages: dict[Path, Page]) -> None:
    for source in (ROOT / "tutorials").glob("[0-9][0-9]_*.py"):
        assert (site / "tutorials" / f"{source.stem}.html") in pages
    linked = " ".join(pages[site / "guide" / "errors.html"].links)
    assert all(f"#{code.lower()}" in linked for code in explain.codes())
    operations = (site / "api" / "ops.html").read_text("utf-8")
    assert all(f">{name}</span>" in operations for name in registry.operations)
    commands = (site / "guide" / "command_line.html").read_text("utf-8")
    assert all(f"--{option}" in commands for option in ("batch-size", "no-nesterov", "terminal", "rounds"))


def test_every_formula_of_the_documents_leads_into_the_reference(site: Path, pages: dict[Path, Page]) -> None:
    linked = " ".join(pages[site / "formulas.html"].links)
    rules = "gd sgd adam adam_as_printed adam_efficient"
    penalties = "l1 l2 l2_as_coded elastic_net"
    schedules = "Exponential ExponentialAsPrinted StepDecay StepAsPrinted"
    for module, names in (("formulas", rules), ("penalties", penalties), ("schedules", schedules)):
        for name in names.split():
            assert f"#minigrad.optim.{module}.{name} " in f"{linked} ", name
    assert "#minigrad.nn.half_mse" in linked


def test_pages_show_no_folder_of_the_machine_that_built_them(site: Path, pages: dict[Path, Page]) -> None:
    for path in pages:
        assert str(ROOT) not in path.read_text("utf-8"), path.name


@pytest.mark.skipif(find() is None, reason="no Chromium is installed (CHROMIUM names one elsewhere)")
def test_in_a_browser(site: Path) -> None:
    browser = Browser(find() or "")
    try:
        browser.size(1440, 1000)
        for name in ("index", "formulas", "api/formulas", "tutorials/09_adam"):
            browser.open(site / f"{name}.html")
            time.sleep(0.3)  # fonts come when there is something to set in them
            assert browser.errors == []
            asked = [url for url in browser.requests if not url.startswith("data:")]
            assert all(url.startswith(site.resolve().as_uri()) for url in asked), asked
            assert browser.js("document.querySelectorAll('.katex-error').length") == 0
            assert browser.js("document.querySelectorAll('.math').length") == browser.js(
                "document.querySelectorAll('.math > .katex, .math > .katex-display').length"
            )
            assert browser.js("document.documentElement.scrollWidth") == 1440
        assert any(url.endswith(".woff2") for url in asked)
        browser.open(site / "index.html")
        assert browser.text(".mg-count") == "1 / 16"
        browser.click('[data-do="next"]')
        assert browser.text(".mg-count") == "2 / 16"
        browser.js("document.body.dataset.theme = 'dark'")
        assert browser.js("document.querySelector('.mg-stepper').dataset.theme") == "dark"
        browser.open(site / "api" / "functions.html")
        shown = "[...document.querySelectorAll('article tbody tr')].filter(row => !row.hidden).length"
        assert browser.js(shown) > 200
        browser.js("document.getElementById('functions-filter').value = 'np.argsort'")
        browser.js("document.getElementById('functions-filter').dispatchEvent(new Event('input'))")
        assert browser.js(shown) == 1
    finally:
        browser.close()
