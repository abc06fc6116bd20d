"""How an optimizer's saved state is compared with the optimizer that is to take it up."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral
from typing import Any

import numpy as np

from minigrad.errors import ConfigError
from minigrad.optim.settings import from_zero

_BEFORE = "schedule."


def with_schedule(saved: Mapping[str, Any], own: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return ``saved`` with the schedule's scalars in a dict, as files of version 0.1 have not got them yet."""
    keys = [] if "schedule" in saved else [_BEFORE + key for key in own.get("schedule", ())]
    if not keys or not all(key in saved for key in keys):
        return saved
    rest = {key: value for key, value in saved.items() if key not in keys}
    return {**rest, "schedule": {key.removeprefix(_BEFORE): saved[key] for key in keys}}


def differences(own: Mapping[str, Any], saved: Mapping[str, Any]) -> list[str]:
    """Return what keeps the state ``saved`` from taking the place of ``own``, in words."""
    missing = [key for key in own if key not in saved]
    unexpected = [str(key) for key in saved if key not in own]
    wrong = [f"missing {', '.join(missing)}"] if missing else []
    wrong += [f"unexpected {', '.join(unexpected)}"] if unexpected else []
    for key, value in own.items():
        if key not in saved:
            continue
        other = saved[key]
        if isinstance(value, np.ndarray):
            if getattr(other, "shape", None) != value.shape or getattr(other, "dtype", None) != value.dtype:
                wrong.append(f"{key} is {_kind(other)}, expected {_kind(value)}")
        elif key == "optimizer":
            if other != value:
                wrong.append(f"it was saved by {other}")
        elif key == "schedule":
            if not isinstance(other, Mapping):
                wrong.append(f"schedule is {other!r}, expected a dict")
        elif key == "t":
            if not isinstance(other, Integral) or isinstance(other, bool) or other < 0:
                wrong.append(f"t is {other!r}, expected a number of steps")
        else:
            try:
                from_zero(key, other)
            except ConfigError:
                wrong.append(f"{key} is {other!r}, expected a number, 0 or more")
    return wrong


def _kind(value: Any) -> str:
    return f"{value.dtype} of shape {value.shape}" if hasattr(value, "dtype") else type(value).__name__
