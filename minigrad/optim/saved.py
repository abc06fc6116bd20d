"""An optimizer's state, saved and taken up again: exactly, and all of it or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad import backend
from minigrad.errors import ConfigError, OptimizerError
from minigrad.optim import groups
from minigrad.optim.schedules import Schedule
from minigrad.optim.settings import from_zero
from minigrad.optim.writing import read_only

if TYPE_CHECKING:
    from minigrad.optim.optimizer import Optimizer

_BEFORE = "schedule."


def state_dict(optimizer: Optimizer) -> dict[str, Any]:
    """See ``Optimizer.state_dict``."""
    found: dict[str, Any] = {"optimizer": type(optimizer).__name__, "t": optimizer.t}
    if isinstance(optimizer.lr, Schedule):
        if memory := optimizer.lr.state():
            found["schedule"] = memory
    elif not callable(optimizer.lr):
        found["lr"] = optimizer.lr
    if optimizer._members:
        found["groups"] = groups.saved(optimizer._members)
    if skipped := {slot.name: slot.skipped for slot in optimizer._slots if slot.skipped}:
        found["skipped"] = skipped
    for name, arrays in optimizer.state.items():
        found |= {f"{name}.{key}": np.array(backend.to_numpy(a)) for key, a in arrays.items()}
    return found


def load_state_dict(optimizer: Optimizer, saved: Mapping[str, Any]) -> None:
    """See ``Optimizer.load_state_dict``."""
    own = {key: value for key, value in state_dict(optimizer).items() if key != "skipped"}
    arrays = [(f"{name}.{key}", a) for name, state in optimizer.state.items() for key, a in state.items()]
    wrong = [f"it is a {type(saved).__name__}, expected a dict"]
    skipped: Any = {}
    if isinstance(saved, Mapping):
        saved = with_schedule(saved, own)
        skipped = saved.get("skipped", {})
        wrong = differences(own, {key: value for key, value in saved.items() if key != "skipped"})
        wrong += _wrongly_skipped(skipped, optimizer.state, saved.get("t"))
    if wrong:
        raise OptimizerError(
            "MG-506",
            f"this state does not fit the {type(optimizer).__name__}: {'; '.join(wrong)}. "
            "Build the optimizer as it was built when the state was saved: same class, settings and model.",
        )
    for key, array in arrays:
        if type(array) is np.ndarray and not array.flags.writeable:
            raise read_only(key, array)
    ready = [(array, backend.to_device(saved[key], backend.device_of(array))) for key, array in arrays]
    changed = groups.load(optimizer._members, saved["groups"]) if optimizer._members else []
    if "schedule" in own and isinstance(optimizer.lr, Schedule):
        optimizer.lr.load_state(saved["schedule"])
    if "lr" in own:
        optimizer.lr = saved["lr"]
    for k, (member, attributes) in enumerate(zip(optimizer._members, changed, strict=True)):
        vars(member).update(attributes)
        if "schedule" in saved["groups"][k] and isinstance(member.lr, Schedule):
            member.lr.load_state(saved["groups"][k]["schedule"])
    optimizer.t = int(saved["t"])
    for slot in optimizer._slots:
        slot.skipped = skipped.get(slot.name, 0)
    optimizer._uneven = bool(skipped)
    for array, new in ready:
        array[...] = new


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
        elif key == "groups":
            pass  # ``groups.load`` looks at them
        elif key == "schedule":
            if not isinstance(other, Mapping):
                wrong.append(f"schedule is {other!r}, expected a dict")
        elif key in ("t", "updates"):
            if not isinstance(other, Integral) or isinstance(other, bool) or other < 0:
                wrong.append(f"{key} is {other!r}, expected a number of steps")
        else:
            try:
                from_zero(key, other)
            except ConfigError:
                wrong.append(f"{key} is {other!r}, expected a number, 0 or more")
    return wrong


def _wrongly_skipped(skipped: Any, names: Mapping[str, Any], t: Any) -> list[str]:
    if not isinstance(t, int):
        return []  # which is said already
    if not isinstance(skipped, Mapping):
        return [f"skipped is {skipped!r}, expected a dict"]
    return [
        f"skipped is {count!r} of {name}, expected a number of the {t} steps of a parameter"
        for name, count in skipped.items()
        if name not in names or type(count) is not int or not 0 <= count <= t
    ]


def _kind(value: Any) -> str:
    return f"{value.dtype} of shape {value.shape}" if hasattr(value, "dtype") else type(value).__name__
