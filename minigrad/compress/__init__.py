"""Fewer weights, fewer bits: pruning and 8-bit quantisation of trained networks."""

from minigrad.compress.aware import aware, converted
from minigrad.compress.calibrate import input_ranges
from minigrad.compress.gradual import GradualPruning, sparsity_at
from minigrad.compress.magnitude import kept_by_magnitude
from minigrad.compress.masks import Masks, masks_of_zeros
from minigrad.compress.quantized import QuantizedLinear, quantize
from minigrad.compress.sparse import SparseLinear, sparse
from minigrad.compress.units import importance, remove_units

__all__ = [
    "GradualPruning",
    "Masks",
    "QuantizedLinear",
    "SparseLinear",
    "aware",
    "converted",
    "importance",
    "input_ranges",
    "kept_by_magnitude",
    "masks_of_zeros",
    "quantize",
    "remove_units",
    "sparse",
    "sparsity_at",
]
