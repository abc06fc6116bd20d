"""Settings for all tests."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

# A busy machine is no failure; in CI the same examples run every time.
settings.register_profile(
    "minigrad",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=bool(os.environ.get("CI")),
)
settings.load_profile("minigrad")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let ``--long`` run the tests marked ``long`` too; see ``tests.long``."""
    parser.addoption("--long", action="store_true", help="also more cases of what the others test")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests marked ``long``."""
    if not config.option.long:
        left_out = [item for item in items if item.get_closest_marker("long")]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not item.get_closest_marker("long")]


def pytest_configure(config: pytest.Config) -> None:
    """Turn minigrad's warnings into errors."""
    config.addinivalue_line("markers", "long: more cases of what other tests test; only with --long")
    # named here and not in pyproject.toml, where it would import minigrad before coverage is measured
    config.addinivalue_line("filterwarnings", "error::minigrad.errors.MinigradWarning")


@pytest.fixture(autouse=True, scope="session")
def _whole_table() -> None:
    """Enter the families that wait: a test that puts the registry back as it was would take them out for good."""
    import scipy.special  # noqa: F401

    from minigrad import registry

    registry.load()


@pytest.fixture(autouse=True, scope="module")
def _threads_given_back() -> Iterator[None]:
    """Leave the number of threads as a file found it: it is the process's, and the next file's."""
    import minigrad as mg

    before = mg.threads()
    yield
    if mg.threads() != before:
        mg.set_threads(max(before.values()))
