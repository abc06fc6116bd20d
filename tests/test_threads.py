from __future__ import annotations

import pytest

import minigrad as mg
from minigrad.errors import ConfigError


def test_one_number_governs_both() -> None:
    mg.set_threads(1)
    assert set(mg.threads().values()) == {1}


def test_more_threads_than_there_are_is_no_error() -> None:
    mg.set_threads(10_000)
    assert min(mg.threads().values()) >= 1


def test_no_threads_is_an_error() -> None:
    with pytest.raises(ConfigError, match="MG-802 threads must be 1 or more, not 0"):
        mg.set_threads(0)
