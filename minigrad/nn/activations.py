"""The activations as layers, so that a Sequential can hold them. Each is the operation of its name."""

from __future__ import annotations

from typing import Any

from minigrad import ops
from minigrad.errors import ConfigError
from minigrad.nn.module import Module


class ReLU(Module):
    """max(0, x). D1 section 4.4."""

    def forward(self, x: Any) -> Any:
        """Return max(0, x)."""
        return ops.relu(x)


class LeakyReLU(Module):
    """x where x > 0, else slope · x. Maas, Hannun & Ng 2013; the default slope is PyTorch's."""

    def __init__(self, slope: float = 0.01, *, negative_slope: float | None = None) -> None:
        self.slope = slope if negative_slope is None else negative_slope  # the second is PyTorch's name

    def forward(self, x: Any) -> Any:
        """Return x where x > 0, else slope · x."""
        return ops.leaky_relu(x, slope=self.slope)

    def extra_repr(self) -> str:
        """Return the slope."""
        return f"slope={self.slope}"


class GELU(Module):
    """x · Φ(x), Φ the normal distribution function. Hendrycks & Gimpel 2016, eq. 1.

    ``approximate="tanh"`` takes ½ (1 + tanh(√(2/π) (x + 0.044715 x³))) for Φ(x), as GPT-2 does (section 2 there).
    """

    def __init__(self, approximate: str = "none") -> None:
        if approximate not in ("none", "tanh"):
            raise ConfigError("MG-802", f"approximate is {approximate!r}; it can be 'none' or 'tanh'.")
        self.approximate = approximate

    def forward(self, x: Any) -> Any:
        """Return x · Φ(x)."""
        if self.approximate == "none":
            return ops.gelu(x)
        from minigrad.ops.nonlinear import gelu_tanh

        return gelu_tanh(x)

    def extra_repr(self) -> str:
        """Return the approximation, if there is one."""
        return "" if self.approximate == "none" else f"by {self.approximate}"


class Sigmoid(Module):
    """1 / (1 + e^-x)."""

    def forward(self, x: Any) -> Any:
        """Return 1 / (1 + e^-x)."""
        return ops.sigmoid(x)


class Tanh(Module):
    """Tanh x."""

    def forward(self, x: Any) -> Any:
        """Return tanh x."""
        return ops.tanh(x)


class Softmax(Module):
    """e^x / Σ e^x along ``axis``: positive numbers with the sum 1.

    For predicting only: the cross-entropy loss takes the logits and applies softmax itself (MG-401).
    """

    def __init__(self, axis: int = -1, *, dim: int | None = None) -> None:
        self.axis = axis if dim is None else dim  # dim is PyTorch's name

    def forward(self, x: Any) -> Any:
        """Return e^x / Σ e^x."""
        return ops.softmax(x, axis=self.axis)
