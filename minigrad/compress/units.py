"""Removing whole units: what is left is a smaller dense network, which needs nothing special to run fast.

A hidden unit is a row of one layer's weight, an entry of its bias, and a column of the next layer's weight. Its
importance here is ‖(w_j, b_j)‖ · ‖v_j‖, its row and bias times its column. Through a ReLU, a row that is c times as
large with a column that is c times smaller is the same unit; the product knows that, the norm of the row alone (Li et
al. 2017, "Pruning filters for efficient ConvNets", section 3.1) does not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minigrad.compress.magnitude import check_share
from minigrad.compress.surgery import exchanged, linears
from minigrad.errors import ConfigError
from minigrad.nn import (
    GELU,
    Dropout,
    Flatten,
    LeakyReLU,
    Linear,
    Module,
    Parameter,
    ReLU,
    Sequential,
    Sigmoid,
    Tanh,
)

_ENTRYWISE = (ReLU, LeakyReLU, GELU, Sigmoid, Tanh, Dropout, Flatten)


def remove_units(model: Module, share: float) -> Module:
    """Return a copy without the least important units: of each hidden layer the share ``share`` of them, rounded.

    At least one unit stays in each layer. What is to be expected of the copy is found by testing it; some training
    makes up for most of what was lost. Raises ConfigError MG-802 where the share is not from 0 to 1, MG-822 where the
    model is not a chain of dense layers with a hidden one.
    """
    check_share("the share of units", share)
    kept = {}
    for name, scores in importance(model).items():
        count = max(1, len(scores) - round(share * len(scores)))
        kept[name] = np.sort(np.argsort(-scores, kind="stable")[:count])
    return _with_units(model, kept)


def importance(model: Module) -> dict[str, NDArray[np.float64]]:
    """Return ‖(w_j, b_j)‖ · ‖v_j‖ of each unit j of each hidden layer; ConfigError MG-822 as ``remove_units``."""
    return {
        name: np.linalg.norm(_incoming(layer), axis=1)
        * np.linalg.norm(after.weight.numpy(), axis=0).astype(float)
        for name, layer, after in _hidden(model)
    }


def _incoming(layer: Linear) -> NDArray[np.float64]:
    parts = [layer.weight.numpy(), *([layer.bias.numpy()[:, None]] if layer.bias is not None else [])]
    return np.concatenate(parts, axis=1, dtype=np.float64)


def widths(model: Module) -> dict[str, int]:
    """Return the number of units of each hidden layer, empty where the model is no chain of dense layers."""
    try:
        return {name: layer.weight.shape[0] for name, layer, _ in _hidden(model)}
    except ConfigError:
        return {}


def with_widths(model: Module, wanted: Mapping[str, int]) -> Module:
    """Return a copy whose hidden layers keep their first ``wanted[name]`` units: the form, ready for its weights.

    Raises ConfigError MG-822 where a name is no hidden layer's, or a width not from 1 to that layer's.
    """
    have = widths(model)
    for name, width in wanted.items():
        if type(width) is not int or not 1 <= width <= have.get(name, 0):
            raise ConfigError(
                "MG-822", f"layer {name!r} cannot have {width!r} units; the hidden layers have {have}."
            )
    return _with_units(model, {name: np.arange(width) for name, width in wanted.items()})


def _with_units(model: Module, kept: Mapping[str, NDArray[np.intp]]) -> Module:
    before = {_name(model, after): kept[name] for name, _, after in _hidden(model) if name in kept}

    def change(name: str, part: Module) -> Module | None:
        if not isinstance(part, Linear) or (name not in kept and name not in before):
            return None
        weight = part.weight.data
        weight = weight[:, before[name]] if name in before else weight
        rows = kept.get(name, slice(None))
        return _linear(weight[rows], None if part.bias is None else part.bias.data[rows])

    return exchanged(model, change)


def _linear(weight: Any, bias: Any) -> Linear:
    out, inputs = weight.shape
    layer = Linear(inputs, out, bias=False, rng=np.random.default_rng(0))
    layer.weight = Parameter(weight)
    layer.bias = None if bias is None else Parameter(bias)
    return layer


def _name(model: Module, layer: Linear) -> str:
    return next(name for name, part in linears(model).items() if part is layer)


def _hidden(model: Module) -> Iterator[tuple[str, Linear, Linear]]:
    """Yield each hidden layer with its name and the layer that its units feed."""
    last: tuple[str, Linear] | None = None
    found = False
    for name, part in _chain("", model):
        if isinstance(part, Linear):
            if last is not None:
                yield *last, part
                found = True
            last = name, part
        elif not isinstance(part, _ENTRYWISE):
            raise ConfigError(
                "MG-822",
                f"units cannot be removed: layer {name!r} ({part.describe()}) stands between dense layers, and which "
                "of its numbers belong to a unit is not known. A chain of Linear, activations and Dropout is wanted.",
            )
    if not found:
        raise ConfigError(
            "MG-822",
            f"units cannot be removed from {type(model).__name__}: it has no hidden layer in a chain (nn.Sequential) "
            "of dense layers. Prune single weights instead.",
        )


def _chain(name: str, part: Module) -> Iterator[tuple[str, Module]]:
    if isinstance(part, Sequential):
        for i, layer in enumerate(part):
            yield from _chain(f"{name}.{i}".removeprefix("."), layer)
    else:
        yield name, part
