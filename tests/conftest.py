"""Settings for all tests."""

from __future__ import annotations

import pytest


def pytest_configure(config: pytest.Config) -> None:
    # named here and not in pyproject.toml, where it would import minigrad before coverage is measured
    config.addinivalue_line("filterwarnings", "error::minigrad.errors.MinigradWarning")
