"""The check that optimizers, schedules, penalties and clipping make of their settings."""

from __future__ import annotations

from minigrad.errors import ConfigError


def require(fits: bool, name: str, value: object, allowed: str) -> None:
    """Raise ConfigError MG-507 unless the setting ``name`` fits; ``allowed`` says which values do."""
    if not fits:
        raise ConfigError("MG-507", f"{name} is {value!r}; it must be {allowed}.")
