"""The browser that the tests of a file share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.viz.browser.chromium import Browser, find


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = find()
    assert chromium
    made = Browser(chromium)
    made.size(1300, 900)
    yield made
    made.close()
