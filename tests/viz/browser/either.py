"""What the tests of the live page run in: Chromium and Firefox, each skipped where it is not installed."""

from __future__ import annotations

from typing import TypeAlias

from tests.viz.browser import chromium, firefox

Browser: TypeAlias = chromium.Browser | firefox.Browser
KINDS = {"chromium": chromium, "firefox": firefox}
