"""The browsers that the tests of a file share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.long import first
from tests.viz.browser import chromium
from tests.viz.browser.either import KINDS, Browser


@pytest.fixture(scope="module")
def browser() -> Iterator[chromium.Browser]:
    executable = chromium.find()
    assert executable
    made = chromium.Browser(executable)
    made.size(1300, 900)
    yield made
    made.close()


@pytest.fixture(scope="module", params=first(KINDS))
def either(request: pytest.FixtureRequest) -> Iterator[Browser]:
    """Chromium, and then Firefox."""
    kind = KINDS[request.param]
    executable = kind.find()
    if executable is None:
        pytest.skip(f"no {kind.NAMES[0]} is installed ({request.param.upper()} names one elsewhere)")
    made: Browser = kind.Browser(executable)
    made.size(1300, 900)
    yield made
    made.close()
