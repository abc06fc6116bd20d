r"""Dense layers whose weights and inputs are 8-bit integers: a quarter of the bytes, products of integers.

A layer holds five things, which are all that a file or another runtime needs:

=====================  ==========  =========  ==================================================
``weight``             int8        (out, in)  W ≈ ``scale`` · ``weight``, row by row, no zero point
``scale``              float32     (out,)     one for each output channel
``bias``               float32     (out,)     as it was, or not there
``input_scale``        float32     ()         x ≈ ``input_scale`` · (q - ``input_zero_point``)
``input_zero_point``   int8        ()
=====================  ==========  =========  ==================================================

It quantises its input, multiplies integers, and gives floats:

.. math:: y_o = s_x s_o \Big( \sum_i q_i w_{oi} - z \sum_i w_{oi} \Big) + b_o

Jacob et al. 2018, eq. 4 to 7, with weights that have no zero point. What stands between two dense layers (activations,
dropout) works on floats as before.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from minigrad_kernels import int8

from minigrad.compress import affine
from minigrad.compress.calibrate import Ranges, input_ranges
from minigrad.compress.surgery import exchanged, linears
from minigrad.errors import ConfigError, ShapeError
from minigrad.nn import Buffer, Linear, Module
from minigrad.ops.fused import width_mismatch
from minigrad.tensor import Tensor, unwrap


class QuantizedLinear(Module):
    """The dense layer in 8-bit integers, for prediction only: nothing flows back through it.

    x (..., in) of finite floats, y (..., out) float32. Built from arrays, from a trained layer by ``of``, or with zeros
    by ``like``, for weights that are loaded into it. Raises ShapeError MG-101 where x has another width, ConfigError
    MG-822 where a layer is too wide for 32-bit sums.
    """

    def __init__(self, weight: Any, scale: Any, bias: Any, input_scale: Any, input_zero_point: Any) -> None:
        self.weight = Buffer(np.array(weight, np.int8))
        self.scale = Buffer(np.array(scale, np.float32))
        self.bias = None if bias is None else Buffer(np.array(bias, np.float32))
        self.input_scale = Buffer(np.array(input_scale, np.float32))
        self.input_zero_point = Buffer(np.array(input_zero_point, np.int8))
        self.out_features, self.in_features = self.weight.shape
        if self.in_features > int8.MOST_TERMS:
            raise ConfigError(
                "MG-822",
                f"a layer of {self.in_features} inputs cannot be quantised: the sums of {int8.MOST_TERMS} products of "
                "8-bit integers fit into 32 bits, longer ones may not. Leave this layer as it is.",
            )
        self._sums: tuple[int, np.ndarray[Any, Any]] | None = None  # and of which version of the weights

    @classmethod
    def of(cls, layer: Linear, low: float, high: float) -> Self:
        """Quantise a trained layer whose inputs lie between ``low`` and ``high``; its weights stay as they are."""
        weight = layer.weight.numpy().astype(np.float32)
        scales = affine.channel_scales(weight)
        bias = None if layer.bias is None else layer.bias.numpy()
        return cls(affine.quantize_weight(weight, scales), scales, bias, *affine.parameters_for(low, high))

    @classmethod
    def like(cls, layer: Linear) -> Self:
        """Return a layer of the same widths that holds zeros."""
        out, _ = layer.weight.shape
        bias = None if layer.bias is None else np.zeros(out)
        return cls(np.zeros(layer.weight.shape), np.ones(out), bias, 1, 0)

    def forward(self, x: Any) -> Tensor:
        """Return s_x s (q Wᵀ - z Σ W) + b, as float32."""
        array = np.asarray(unwrap(x))
        if array.ndim == 0 or array.shape[-1] != self.in_features:
            raise ShapeError("MG-101", width_mismatch(array.shape, self.in_features))
        scale, zero_point = self.input_scale.data, self.input_zero_point.data
        rows = array.reshape(-1, self.in_features).astype(np.float32, copy=False)
        total = int8.matmul(affine.quantize(rows, scale, zero_point), self.weight.data)
        y = (total - int(zero_point) * self._row_sums()).astype(np.float32)
        y *= scale * self.scale.data
        if self.bias is not None:
            y += self.bias.data
        return Tensor(y.reshape(*array.shape[:-1], self.out_features))

    def _row_sums(self) -> np.ndarray[Any, Any]:
        """Σ_i w_oi, worked out once for the weights that it holds."""
        version = self.weight.version.number
        if self._sums is None or self._sums[0] != version:
            self._sums = version, self.weight.data.sum(axis=1, dtype=np.int32)
        return self._sums[1]

    def dequantized(self) -> np.ndarray[Any, Any]:
        """Return the weights as floats, scale · weight, (out, in)."""
        return affine.dequantize(self.weight.data, self.scale.data[:, None], 0)

    def extra_repr(self) -> str:
        """Return the widths."""
        without = "" if self.bias is not None else " without bias"
        return f"{self.in_features}->{self.out_features} in int8{without}"


def quantize(model: Module, samples: Any, calibration: str = "minmax", percentile: float = 99.9) -> Module:
    """Return a copy of a trained network, in eval mode, with every dense layer in 8-bit integers.

    ``samples`` (n, …) are some of the training data, treated like it; ``calibration`` and ``percentile`` as in
    ``calibrate.input_ranges``. Raises what that raises, and ConfigError MG-821 where there is no dense layer.
    """
    return quantize_with(model, input_ranges(model, samples, calibration, percentile))


def quantize_with(model: Module, ranges: Ranges) -> Module:
    """As ``quantize``, for input ranges that are known already."""

    def change(name: str, part: Module) -> Module | None:
        return QuantizedLinear.of(part, *ranges[name]) if isinstance(part, Linear) else None

    return exchanged(model, change).eval()


def prepared(model: Module) -> Module:
    """Return a copy with a ``QuantizedLinear`` of zeros for each dense layer, ready for ``load_state_dict``."""
    linears(model)
    return exchanged(
        model, lambda _, part: QuantizedLinear.like(part) if isinstance(part, Linear) else None
    ).eval()


def stored_bytes(arrays: Mapping[str, np.ndarray[Any, Any]]) -> int:
    """Return how many bytes a network's arrays take, names and headers not counted."""
    return sum(array.nbytes for array in arrays.values())
