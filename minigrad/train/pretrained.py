"""Beginning with weights that something else has learnt, and leaving some of them as they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np

from minigrad.errors import ConfigError, DataError, NonFiniteError
from minigrad.nn import Module


def transfer(model: Module, arrays: Mapping[str, np.ndarray[Any, Any]], source: Path, fresh: str) -> None:
    """Copy weights by name into the model, all but the parameters that ``fresh`` names; those stay as drawn.

    ``fresh`` is names and patterns separated by commas (``"4.*"``), as in ``freeze``.

    Raises ConfigError MG-842 where a pattern fits no name, DataError MG-841 where the other weights do not fit the
    model by name and shape, NonFiniteError MG-403 where they hold a NaN or an infinity. Nothing is copied then.
    """
    kept = set(matching(model.named_parameters().keys(), fresh, "--fresh"))
    shared = model.shared_names()
    chosen = {name: array for name, array in arrays.items() if shared.get(name, name) not in kept}
    for name, array in chosen.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise NonFiniteError(
                "MG-403", f"{name} in {source} is not finite everywhere, so nothing can be learnt from it."
            )
    own = model.state_dict()
    try:
        model.load_state_dict({**{name: own[name] for name in kept}, **chosen})
    except DataError as error:
        raise DataError(
            "MG-841",
            f"the weights in {source} are not those of this network: {_misfits(error.message)}\n"
            "Take the recipe and the sizes that they were trained with, rename them to the names here "
            "(a PyTorch Sequential of the same layers has the same names), or start some of them anew: "
            f"--fresh {_example(error.message, own)}",
        ) from error


def freeze(model: Module, patterns: str) -> list[str]:
    """Let training leave the parameters that fit ``patterns`` as they are; return their names.

    ``patterns`` is names and shell patterns separated by commas: ``"1.*"`` is all of layer 1, ``"*.bias"`` every
    bias; ``layers.1.*`` means ``1.*``. A frozen parameter requires no gradient, so that no gradient is computed for it
    and no optimizer, penalty or decay moves it.

    Raises ConfigError MG-842 where a pattern fits no name, or where nothing is left to train.
    """
    parameters = dict(model.named_parameters())
    names = matching(parameters, patterns, "--freeze")
    if len(names) == len(parameters):
        raise ConfigError(
            "MG-842",
            f"--freeze {patterns} freezes all {len(names)} parameters, and nothing is left to train. "
            f"Leave some out: {', '.join(parameters)}.",
        )
    for name in names:
        parameters[name].requires_grad_(False)
    return names


def matching(names: Iterable[str], patterns: str, option: str) -> list[str]:
    """Return the names that fit any of the patterns, in their order; ConfigError MG-842 for one that fits none."""
    names = list(names)
    found: set[str] = set()
    for pattern in filter(None, map(str.strip, patterns.split(","))):
        fitting = {name for name in names if fnmatchcase(name, pattern.removeprefix("layers."))}
        if not fitting:
            raise ConfigError(
                "MG-842",
                f"{option} {pattern[:80]!r} fits no parameter. The network has {', '.join(names)}. "
                f"A star stands for anything: {option} {_whole_layer(names[0])!r} is a whole layer.",
            )
        found |= fitting
    return [name for name in names if name in found]


def _whole_layer(name: str) -> str:
    layer, dot, _ = name.rpartition(".")
    return f"{layer}.*" if dot else name


def _misfits(message: str) -> str:
    """The lines of MG-713 that name what does not fit."""
    return "\n  ".join(["none were taken.", *(line.strip() for line in message.split("\n")[1:-1])])


def _example(message: str, own: Mapping[str, Any]) -> str:
    """The layer of the last parameter that did not fit, as a pattern."""
    wrong = [name for name in own if f": {name} " in message]
    return repr(_whole_layer((wrong or list(own))[-1]))
