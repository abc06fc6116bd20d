r"""Training that knows it will be quantised: forwards with rounded numbers, backwards as if they were not.

Rounding has a derivative of 0 almost everywhere, so nothing would be learnt through it. The straight-through estimator
(Bengio, Léonard & Courville 2013, "Estimating or propagating gradients through stochastic neurons", section 4) takes
that of the identity instead, inside the range; what lies outside is clipped, and gets none. Jacob et al. 2018, section
3, train so.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad import ops
from minigrad.compress import affine
from minigrad.compress.calibrate import Ranges
from minigrad.compress.quantized import QuantizedLinear
from minigrad.compress.surgery import exchanged
from minigrad.nn import Linear, Module
from minigrad.tensor import unwrap


def straight_through(x: Any, rounded: Any) -> Any:
    """Return the numbers ``rounded``, with the gradient of ``x``: x + (rounded - x), the difference a constant.

    Where ``rounded`` is the multiple of a step that is nearest to x the sum is exact: x lies between a half and twice
    of it, and such a difference has no rounding error (Sterbenz' lemma).
    """
    return x + (rounded - unwrap(x))


def fake_quantize(x: Any, scale: Any, zero_point: Any) -> Any:
    """Return s (q - z), q the 8-bit integer for each number of x; dy/dx is 1 inside the range and 0 outside."""
    low = scale * np.float32(affine.LOWEST - int(zero_point))
    high = scale * np.float32(affine.HIGHEST - int(zero_point))
    rounded = affine.dequantize(affine.quantize(unwrap(x), scale, zero_point), scale, zero_point)
    return straight_through(ops.clip(x, low, high), rounded)


class AwareLinear(Linear):
    """A dense layer that trains with the numbers that ``QuantizedLinear`` will have.

    It shares weight and bias with ``layer``. The input's range is fixed by calibration; each row's scale follows the
    row's largest magnitude from step to step.
    """

    def __init__(self, layer: Linear, low: float, high: float) -> None:
        self.in_features, self.out_features = layer.in_features, layer.out_features
        self.weight, self.bias = layer.weight, layer.bias
        self.low, self.high = low, high

    def forward(self, x: Any, relu: bool = False) -> Any:
        """Return x̂ Ŵᵀ + b, with the rounded numbers; max(0, that) with ``relu``."""
        weight = self.weight.data
        scales = affine.channel_scales(weight)
        rounded = affine.dequantize(affine.quantize_weight(weight, scales), scales[:, None], 0)
        x = fake_quantize(x, *affine.parameters_for(self.low, self.high))
        linear = ops.linear_relu if relu else ops.linear
        return linear(x, straight_through(self.weight, rounded), self.bias)

    def extra_repr(self) -> str:
        """Return the widths."""
        return f"{super().extra_repr()}, rounded to int8"


def aware(model: Module, ranges: Ranges) -> Module:
    """Return a copy of a network that trains with rounded numbers; ``ranges`` as from ``input_ranges``."""
    return exchanged(
        model, lambda name, part: AwareLinear(part, *ranges[name]) if isinstance(part, Linear) else None
    )


def set_ranges(model: Module, ranges: Ranges) -> None:
    """Give the layers of a network that ``aware`` made other input ranges."""
    for name, part in model.named_modules().items():
        if isinstance(part, AwareLinear):
            part.low, part.high = ranges[name]


def converted(model: Module) -> Module:
    """Return the network that ``aware`` made, in 8-bit integers and in eval mode."""

    def change(_: str, part: Module) -> Module | None:
        return QuantizedLinear.of(part, part.low, part.high) if isinstance(part, AwareLinear) else None

    return exchanged(model, change).eval()
