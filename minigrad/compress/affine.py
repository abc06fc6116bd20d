r"""Numbers as 8-bit integers: x ≈ s (q - z), with a scale s and a zero point z. Plain NumPy.

Jacob et al. 2018, "Quantization and training of neural networks for efficient integer-arithmetic-only inference",
eq. 1. Activations are quantised with a zero point, a whole tensor at once; weights without one, each output channel
with a scale of its own, as in Krishnamoorthi 2018, "Quantizing deep convolutional networks for efficient inference",
section 2. Rounding goes to the nearest, ties to even, as in ONNX' QuantizeLinear.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from minigrad.errors import NonFiniteError

LOWEST, HIGHEST = -128, 127
"""The ends of int8. Weights use -127 … 127, so that z = 0 stands in the middle."""

TINY = np.finfo(np.float32).tiny
"""Scales below this have lost digits, and count as those of nothing but zeros."""

Int8 = NDArray[np.int8]
Floats = NDArray[np.float32]


def parameters_for(low: float, high: float) -> tuple[np.float32, np.int8]:
    """Return scale and zero point for numbers from ``low`` to ``high``, a range that is widened to hold 0.

    s = (high - low) / 255 and z = round(-128 - low / s), so that 0 is exactly s (z - z): zeros, of which there are
    many behind a ReLU, lose nothing. Raises NonFiniteError MG-403 where an end is no finite number.
    """
    if not np.isfinite([low, high]).all():
        raise NonFiniteError(
            "MG-403",
            f"a range from {low} to {high} cannot be quantised. Look for the NaN or infinity in the network.",
        )
    low, high = min(float(low), 0.0), max(float(high), 0.0)
    scale = np.float32((high - low) / (HIGHEST - LOWEST))
    if scale < TINY:
        return np.float32(1), np.int8(0)
    zero_point = np.clip(np.rint(LOWEST - low / float(scale)), LOWEST, HIGHEST)
    return scale, np.int8(zero_point)


def quantize(x: Any, scale: Any, zero_point: Any) -> Int8:
    """q = clip(round(x / s) + z, -128, 127): finite float32 in, int8 of the same shape out."""
    steps = np.rint(x / scale)
    steps += np.float32(zero_point)
    q: Int8 = np.clip(steps, LOWEST, HIGHEST, out=steps).astype(np.int8)
    return q


def dequantize(q: Any, scale: Any, zero_point: Any) -> Floats:
    """x = s (q - z), float32."""
    x: Floats = scale * (q.astype(np.float32) - np.float32(zero_point))
    return x


def channel_scales(weight: Any) -> Floats:
    """Return s_o = max_i |w_oi| / 127 for each row of a weight (out, in), shape (out,); 1 where a row is zeros."""
    largest = np.max(np.abs(weight), axis=1, initial=0)
    scales: Floats = (largest / np.float32(HIGHEST)).astype(np.float32)
    return np.where(scales >= TINY, scales, np.float32(1))


def quantize_weight(weight: Any, scales: Any) -> Int8:
    """q_oi = round(w_oi / s_o), from -127 to 127; (out, in) in, int8 of the same shape out."""
    q: Int8 = np.clip(np.rint(weight / scales[:, None]), -HIGHEST, HIGHEST).astype(np.int8)
    return q
