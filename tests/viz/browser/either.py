"""What the tests of the live page run in: Chromium and Firefox, each skipped where it is not installed."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

from tests.viz.browser import chromium, firefox

Browser: TypeAlias = chromium.Browser | firefox.Browser
KINDS = {"chromium": chromium, "firefox": firefox}


def opened_at(browser: Browser, page: Path, selector: str) -> Browser:
    """Open a page where an element is in sight, which is drawn only then."""
    browser.open(page)
    browser.js(f"document.querySelector('{selector}').scrollIntoView()")
    for _ in range(3):
        browser.js(chromium.FRAME)
    return browser
