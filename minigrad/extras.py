"""Libraries that only a part of minigrad needs: imported when they are, with a clear error where they are missing."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from minigrad.errors import ConfigError


def extra(library: str, name: str, purpose: str) -> Any:
    """Import ``library``, which comes with minigrad's extra ``name``; ConfigError MG-805 where it is missing."""
    try:
        return import_module(library)
    except ImportError as error:
        raise ConfigError(
            "MG-805",
            f"{purpose} needs {library.partition('.')[0]}, which cannot be imported ({error}). "
            f"Install it: pip install 'minigrad-engine[{name}]'",
        ) from error
