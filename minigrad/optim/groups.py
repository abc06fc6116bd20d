"""Groups of parameters, each with settings of its own: how they are given, read, changed, saved and loaded.

An optimizer with groups is made of one optimizer of its class for each, its *members*, which it steps as one. So the
settings of a group are checked as those of an optimizer are, and whatever a rule needs, each group has.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from inspect import Parameter, signature
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.errors import ConfigError, OptimizerError
from minigrad.optim.parameters import named
from minigrad.tensor import Tensor
from minigrad.words import near

if TYPE_CHECKING:
    from minigrad.optim.optimizer import Optimizer

_OF_ALL = ("max_norm", "fast", "allow_unused")
_NO_SETTINGS = {
    *("state", "t", "last_rate", "fast", "max_norm", "allow_unused"),
    *(
        "_module",
        "_slots",
        "_vectors",
        "_forced",
        "_apart",
        "_read",
        "_members",
        "_own",
        "_uneven",
        "_skipped",
    ),
}
_EXAMPLE = '{"params": model.head, "lr": 0.01}'


def options(optimizer: Optimizer) -> tuple[str, ...]:
    """Return the names of the settings that a group may have of its own: those that its class is built with."""
    built_by = [vars(each)["__init__"] for each in type(optimizer).__mro__[:-1] if "__init__" in vars(each)]
    names: list[str] = []
    for init in built_by:
        parameters = list(signature(init).parameters.values())[1:]
        names += [
            p.name for p in parameters if p.kind in (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)
        ]
        if all(p.kind is not Parameter.VAR_KEYWORD for p in parameters):
            break
    names += optimizer.setting_names if len(built_by) == 1 else optimizer._extra
    return tuple(dict.fromkeys(name for name in names if name not in ("params", *_OF_ALL)))


def values(optimizer: Optimizer) -> dict[str, Any]:
    """Return the settings of an optimizer, or of a member, by the names in ``options``."""
    found = {}
    for name in options(optimizer):
        if not hasattr(optimizer, name):
            kind = type(optimizer).__name__
            raise ConfigError(
                "MG-517",
                f"{kind} does not keep its setting {name}, which groups of parameters are built with. Write "
                f"self.{name} = {name} in {kind}.__init__, before super().__init__(…).",
            )
        found[name] = getattr(optimizer, name)
    return found


def given(params: object) -> Sequence[Mapping[str, Any]]:
    """Return the groups in a list of parameters, none where it is one of Tensors; MG-517 where it is a mixture."""
    if not isinstance(params, list | tuple) or not any(isinstance(each, Mapping) for each in params):
        return ()
    for each in params:
        _require_group(each)
    return params


def _require_group(group: Any) -> None:
    if isinstance(group, Mapping) and "params" in group:
        return
    kind = (
        f"a dict with {', '.join(map(repr, group))}" if isinstance(group, Mapping) else type(group).__name__
    )
    raise ConfigError(
        "MG-517",
        f"a group of parameters is a dict with 'params' and its own settings, not {kind}: {_EXAMPLE}.",
    )


def member(optimizer: Optimizer, group: Mapping[str, Any], number: int) -> Optimizer:
    """Return the member for a new group, the one of this number, whose names and tensors no other group has."""
    _require_group(group)
    own = {name: value for name, value in group.items() if name != "params"}
    for name in own:
        _require_option(optimizer, name)
    params = group["params"]
    tensors = named([params] if isinstance(params, Tensor) else params)
    taken = {id(slot.tensor): slot.name for slot in optimizer._slots}
    for name, tensor in tensors.items():
        if id(tensor) in taken:
            raise ConfigError(
                "MG-517",
                f"{name} is in two groups of parameters, the other time as {taken[id(tensor)]}. One step would update "
                "it twice. Leave it in one.",
            )
    unique = {}
    for name, tensor in tensors.items():
        while name in optimizer.state or name in unique:
            name = f"group{number}.{name}"
        unique[name] = tensor
    made = type(optimizer)(unique, **{**values(optimizer), **own})
    made._own, made.fast = frozenset(own), optimizer.fast
    made._module = None if isinstance(params, Tensor) else params if hasattr(params, "training") else None
    for slot in made._slots:
        slot.skipped = optimizer.t
    return made


def _require_option(optimizer: Optimizer, name: str) -> None:
    known = options(optimizer)
    if name in _OF_ALL:
        raise ConfigError(
            "MG-517",
            f"{name} is a setting of the whole optimizer, not of a group: {type(optimizer).__name__}([…], {name}=…).",
        )
    if name not in known:
        raise ConfigError(
            "MG-517",
            f"{type(optimizer).__name__} has no setting {name!r} for a group of parameters.{near(str(name), known)} "
            f"It has {', '.join(known)}.",
        )


def changed(optimizer: Optimizer, **changes: Any) -> dict[str, Any]:
    """Return what a change of settings makes of a member's attributes, checked as where it is built."""
    fresh = type(optimizer)(
        [Tensor(np.zeros((1, 1)), requires_grad=True)], **{**values(optimizer), **changes}
    )
    if fresh.state_names != optimizer.state_names:
        what = ", ".join(f"{name}={value!r}" for name, value in changes.items())
        have, need = (", ".join(o.state_names) or "none" for o in (optimizer, fresh))
        raise ConfigError(
            "MG-518",
            f"with {what}, {type(optimizer).__name__} keeps other state of each parameter ({need}) than it was built "
            f"with ({have}). Build a new optimizer with it.",
        )
    return {name: value for name, value in vars(fresh).items() if name not in _NO_SETTINGS}


class Group(MutableMapping[str, Any]):
    """A group of parameters, as a dict: ``"params"``, a list of Tensors, and each of its settings.

    Settings may be written, ``group["lr"] = 0.01``, and are checked (MG-507; MG-518 where the rule would need other
    state). The parameters stay: ``Optimizer.add_param_group`` adds others.
    """

    def __init__(self, optimizer: Optimizer) -> None:
        self._optimizer = optimizer

    def __getitem__(self, name: str) -> Any:
        if name == "params":
            return [slot.tensor for slot in self._optimizer._slots]
        if name not in options(self._optimizer):
            raise KeyError(name)
        return getattr(self._optimizer, name)

    def __setitem__(self, name: str, value: Any) -> None:
        if name == "params":
            raise ConfigError(
                "MG-517",
                f"a group's parameters stay what they are. Add others: opt.add_param_group({_EXAMPLE}).",
            )
        _require_option(self._optimizer, name)
        if name == "lr":  # which is changed in every step of some trainings
            self._optimizer.lr = value
        else:
            vars(self._optimizer).update(changed(self._optimizer, **{name: value}))
        self._optimizer._own |= {name}

    def __delitem__(self, name: str) -> None:
        raise TypeError("a group's settings can be changed, not deleted")

    def __iter__(self) -> Iterator[str]:
        return iter(("params", *options(self._optimizer)))

    def __len__(self) -> int:
        return 1 + len(options(self._optimizer))

    def __repr__(self) -> str:
        settings = "".join(f", {name!r}: {value!r}" for name, value in values(self._optimizer).items())
        return f"{{'params': [{', '.join(slot.name for slot in self._optimizer._slots)}]{settings}}}"


def saved(members: Sequence[Optimizer]) -> list[dict[str, Any]]:
    """Return the settings of each group that are plain data, and the memory of its schedule."""
    return [
        {
            **{name: _plain(value) for name, value in values(each).items() if _is_plain(value)},
            **({"schedule": memory} if (memory := _memory(each)) else {}),
        }
        for each in members
    ]


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _is_plain(value: Any) -> bool:
    return isinstance(value, bool | int | float) or (
        isinstance(value, tuple) and all(isinstance(each, bool | int | float) for each in value)
    )


def _memory(optimizer: Optimizer) -> dict[str, Any]:
    state = getattr(optimizer.lr, "state", None)
    return dict(state()) if state is not None else {}


def load(members: Sequence[Optimizer], groups: Any) -> list[dict[str, Any]]:
    """Return what ``saved`` makes of the members' attributes; OptimizerError MG-506 where it does not fit."""
    expected = saved(members)
    if not isinstance(groups, Sequence) or len(groups) != len(expected):
        raise _no_fit(
            f"it has {len(groups) if isinstance(groups, Sequence) else 'no'} groups, not {len(expected)}"
        )
    found = []
    for k, (each, group, own) in enumerate(zip(members, groups, expected, strict=True)):
        if not isinstance(group, Mapping) or group.keys() != own.keys():
            keys = ", ".join(map(str, group)) if isinstance(group, Mapping) else repr(group)
            raise _no_fit(f"group {k} has {keys}, expected {', '.join(own)}")
        try:
            found.append(
                changed(each, **{name: value for name, value in group.items() if name != "schedule"})
            )
        except ConfigError as error:
            raise _no_fit(f"group {k}: {error.message}") from error
    return found


def _no_fit(why: str) -> OptimizerError:
    return OptimizerError(
        "MG-506",
        f"this state does not fit the optimizer's groups of parameters: {why}. Build the optimizer as it was built "
        "when the state was saved.",
    )
