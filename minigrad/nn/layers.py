"""Layers with and without weights: dense, embedding, and a chain of layers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from itertools import zip_longest
from typing import Any

import numpy as np

from minigrad import backend, ops
from minigrad.backend import Array, default_dtype
from minigrad.errors import ConfigError, DeviceError, ShapeError
from minigrad.modes import may_fuse
from minigrad.nn import init as inits
from minigrad.nn.activations import ReLU
from minigrad.nn.module import Module, Parameter
from minigrad.ops.fused import embedding
from minigrad.tensor import Tensor


class Linear(Module):
    """The dense layer y = x Wᵀ + b: x (..., in), W (out, in), b (out,), y (..., out).

    Parameters
    ----------
    in_features, out_features : the widths in and out.
    bias : whether there is a b.
    rng : the generator that the weights are drawn from; None takes an unseeded one, for a try at the prompt.
    init : a name in ``nn.init.INITS`` or a function (shape, rng) -> array, for W. The bias starts at 0, except
        with ``"torch_default"``, which draws it as PyTorch does; ``"glorot_uniform"`` is Keras' ``Dense``.

    Raises ShapeError MG-101 where x has another width, DtypeError MG-211 where it has another dtype.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        rng: np.random.Generator | None = None,
        init: str | inits.Init = "torch_default",
    ) -> None:
        rng = inits.as_generator(rng)
        draw = inits.find(init)
        self.in_features, self.out_features = in_features, out_features
        self.weight = Parameter(draw((out_features, in_features), rng))
        self.bias: Parameter | None = None
        if bias:
            drawn = draw is inits.torch_default
            self.bias = Parameter(
                inits.torch_default((out_features,), rng, fan_in=in_features)
                if drawn
                else np.zeros(out_features, default_dtype())
            )

    def forward(self, x: Any, relu: bool = False) -> Any:
        """Return x Wᵀ + b, or max(0, x Wᵀ + b) computed in one go."""
        return (ops.linear_relu if relu else ops.linear)(x, self.weight, self.bias)

    def extra_repr(self) -> str:
        """Return the widths."""
        return f"{self.in_features}->{self.out_features}" + ("" if self.bias is not None else " without bias")


class Sequential(Module):
    """Layers that are run one after another: ``Sequential(Linear(784, 128), ReLU(), Linear(128, 10))``.

    The parameters go by the layer's place, as in PyTorch: ``0.weight``. ``model[i]`` is the i-th layer.
    """

    def __init__(self, *layers: Module) -> None:
        for i, layer in enumerate(layers):
            if not isinstance(layer, Module):
                raise ConfigError(
                    "MG-802", f"layer {i} of Sequential is {layer!r}, not a Module. {_slip(layer)}"
                )
        self.layers = layers

    def forward(self, x: Any) -> Any:
        """Return layer_n(… layer_1(x)); a Linear and the ReLU behind it may run as one (see ``mg.unfused``)."""
        fuse, done = may_fuse(), False
        for layer, behind in zip_longest(self.layers, self.layers[1:]):
            if done:
                done = False
            elif fuse and type(layer) is Linear and type(behind) is ReLU:
                x, done = layer(x, relu=True), True
            else:
                x = layer(x)
        return x

    def _attributes(self) -> Iterable[tuple[str, Any]]:
        for name, value in vars(self).items():
            if name == "layers":
                yield from ((str(i), layer) for i, layer in enumerate(self.layers))
            else:
                yield name, value

    def __getitem__(self, i: int) -> Module:
        return self.layers[i]

    def __len__(self) -> int:
        return len(self.layers)

    def __iter__(self) -> Iterator[Module]:
        return iter(self.layers)


def _slip(layer: object) -> str:
    if isinstance(layer, type):
        return f"Make one of the class: {layer.__name__}()."
    if isinstance(layer, (list, tuple)):
        return "Give the layers themselves: Sequential(*layers)."
    return "Wrap a function in a Module with a forward."


class Flatten(Module):
    """The axes ``start_dim`` to ``end_dim`` joined: by default every sample as one row, (n, a, b, …) to (n, a·b·…)."""

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, x: Any) -> Any:
        """Return x with these axes joined."""
        ndim = len(shape := x.shape)
        start, end = self.start_dim % max(1, ndim), self.end_dim % max(1, ndim)
        if start >= end:
            return x if ndim else ops.reshape(x, shape=(1,))
        return ops.reshape(x, shape=(*shape[:start], math.prod(shape[start : end + 1]), *shape[end + 1 :]))

    def extra_repr(self) -> str:
        """Return the axes, where they are not all but the first."""
        axes = (self.start_dim, self.end_dim)
        return "" if axes == (1, -1) else f"axes {axes[0]} to {axes[1]}"


class Embedding(Module):
    """A row of numbers for each of ``count`` ids: ids (...,) of integers become (..., width).

    The rows, ``weight`` (count, width), start as N(0, 1), as in PyTorch. Raises ShapeError MG-106 where an id is no
    integer or outside 0 … count - 1 (on a GPU, where looking would stall it, the ids are not looked at).
    """

    def __init__(self, count: int, width: int, rng: np.random.Generator | None = None) -> None:
        self.weight = Parameter(inits.normal((count, width), inits.as_generator(rng), std=1.0))

    def forward(self, ids: Any) -> Any:
        """Return the rows of these ids."""
        return rows_of(self.weight, ids)

    def extra_repr(self) -> str:
        """Return the number of ids and the width."""
        count, width = self.weight.shape
        return f"{count}x{width}"


def rows_of(weight: Any, ids: Any) -> Any:
    """Return the rows of ``weight`` with these ids; see ``Embedding``."""
    array = ids.data if isinstance(ids, Tensor) else backend.as_array(ids)
    _check_ids(array, weight)
    return embedding(weight, array)


def _check_ids(ids: Array, weight: Any) -> None:
    count, device = weight.shape[0], backend.device_of(ids)
    if device != weight.device:
        raise DeviceError(
            "MG-301",
            f"ids is on {device}, weight on {weight.device}. Nothing is copied automatically: "
            "ids = ids.to(model.device).",
        )
    if ids.dtype.kind not in "iu":
        raise ShapeError("MG-106", f"ids must be integers; got {ids.dtype}. Use ids.astype('int64').")
    if backend.found((ids < 0) | (ids >= count), f"an id is outside 0 ... {count - 1}"):
        where = tuple(int(i) for i in np.argwhere((ids < 0) | (ids >= count))[0])
        raise ShapeError(
            "MG-106",
            f"ids must be 0..{count - 1}, one for each of the {count} rows; found {ids[where]} at index "
            f"{where[0] if len(where) == 1 else where}. Make the embedding larger or map unknown ids to one row.",
        )
