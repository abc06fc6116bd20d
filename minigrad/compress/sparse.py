"""Pruned layers that leave their zeros out, through scipy.sparse.

A sparse product walks a list of places, which costs several times as much per weight as a dense one that reads them
in a row. So it takes many zeros before it pays: ``python -m bench.compression`` measures from where on.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.compress.surgery import exchanged, linears
from minigrad.errors import ShapeError
from minigrad.nn import Linear, Module
from minigrad.ops.fused import width_mismatch
from minigrad.tensor import Tensor, unwrap


class SparseLinear(Module):
    """The dense layer y = x Wᵀ + b with W in compressed sparse rows, for prediction only, on the CPU.

    x (..., in), y (..., out), both of W's dtype. It holds no parameters: files hold the dense layer. Raises ShapeError
    MG-101 where x has another width.
    """

    def __init__(self, layer: Linear) -> None:
        from scipy.sparse import csr_array

        self.weight = csr_array(layer.weight.numpy())
        self.bias = None if layer.bias is None else layer.bias.numpy().copy()

    def forward(self, x: Any) -> Tensor:
        """Return x Wᵀ + b."""
        array = np.asarray(unwrap(x))
        out, inputs = self.weight.shape
        if array.ndim == 0 or array.shape[-1] != inputs:
            raise ShapeError("MG-101", width_mismatch(array.shape, inputs))
        if array.size == inputs:
            y = self.weight @ array.reshape(inputs)
        else:
            y = (self.weight @ array.reshape(-1, inputs).T).T
        if self.bias is not None:
            y = y + self.bias
        return Tensor(y.reshape(*array.shape[:-1], out))

    @property
    def sparsity(self) -> float:
        """The share of the weights that are 0."""
        return 1 - float(self.weight.nnz) / max(1, int(np.prod(self.weight.shape)))

    def extra_repr(self) -> str:
        """Return the widths and the sparsity."""
        out, inputs = self.weight.shape
        return f"{inputs}->{out}, {100 * self.sparsity:.1f} % zeros"


def sparse(model: Module, least: float = 0.0) -> Module:
    """Return a copy in eval mode whose dense layers are sparse where at least the share ``least`` of them is zeros.

    Raises ConfigError MG-821 where there is no dense layer.
    """
    linears(model)

    def change(_: str, part: Module) -> Module | None:
        wanted = isinstance(part, Linear) and np.mean(part.weight.numpy() == 0) >= least
        return SparseLinear(part) if isinstance(part, Linear) and wanted else None

    return exchanged(model, change).eval()
