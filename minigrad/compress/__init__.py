"""Fewer weights, fewer bits: pruning and 8-bit quantisation of trained networks."""

from minigrad.compress.calibrate import input_ranges
from minigrad.compress.quantized import QuantizedLinear, quantize

__all__ = ["QuantizedLinear", "input_ranges", "quantize"]
