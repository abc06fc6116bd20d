"""The activations that few networks need, as layers with PyTorch's names and defaults; imported when asked for."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad import ops
from minigrad.backend import default_dtype
from minigrad.nn.module import Module, Parameter
from minigrad.ops import nonlinear


class SiLU(Module):
    """x · σ(x) = x / (1 + e^-x), also called swish. Elfwing, Uchibe & Doya 2017, eq. 1."""

    def forward(self, x: Any) -> Any:
        """Return x / (1 + e^-x)."""
        return nonlinear.silu(x)


class Mish(Module):
    """x · tanh(ln(1 + e^x)). Misra 2019, "Mish: a self regularized non-monotonic activation function", eq. 1."""

    def forward(self, x: Any) -> Any:
        """Return x · tanh(softplus(x))."""
        return nonlinear.mish(x)


class ELU(Module):
    """x where x > 0, else α (e^x - 1). Clevert, Unterthiner & Hochreiter 2015, eq. 15."""

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = alpha

    def forward(self, x: Any) -> Any:
        """Return x where x > 0, else α (e^x - 1)."""
        return nonlinear.elu(x, alpha=self.alpha)

    def extra_repr(self) -> str:
        """Return α."""
        return f"alpha={self.alpha}"


class CELU(ELU):
    """x where x > 0, else α (e^(x/α) - 1), whose slope has no jump. Barron 2017, eq. 2."""

    def forward(self, x: Any) -> Any:
        """Return x where x > 0, else α (e^(x/α) - 1)."""
        return self.alpha * nonlinear.elu(x / self.alpha)


class SELU(Module):
    """λ x where x > 0, else λ α (e^x - 1), with the λ and α that keep mean 0 and variance 1.

    Klambauer, Unterthiner, Mayr & Hochreiter 2017, "Self-normalizing neural networks", eq. 2.
    """

    ALPHA, SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946

    def forward(self, x: Any) -> Any:
        """Return λ · elu(x, α)."""
        return self.SCALE * nonlinear.elu(x, alpha=self.ALPHA)


class Softplus(Module):
    """ln(1 + e^(β x)) / β, and x itself where β x > ``threshold``. Dugas et al. 2001 (β = 1)."""

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        self.beta, self.threshold = beta, threshold

    def forward(self, x: Any) -> Any:
        """Return ln(1 + e^(β x)) / β, or x where that is as good as x."""
        scaled = x if self.beta == 1 else x * self.beta
        smooth = ops.softplus(scaled)
        return np.where(scaled > self.threshold, x, smooth if self.beta == 1 else smooth / self.beta)

    def extra_repr(self) -> str:
        """Return β and the threshold."""
        return f"beta={self.beta}, threshold={self.threshold}"


class LogSigmoid(Module):
    """Ln σ(x) = -ln(1 + e^-x)."""

    def forward(self, x: Any) -> Any:
        """Return -softplus(-x), which does not overflow."""
        return -ops.softplus(-x)


class Softsign(Module):
    """x / (1 + |x|). Glorot & Bengio 2010, section 2."""

    def forward(self, x: Any) -> Any:
        """Return x / (1 + |x|)."""
        return x / (1 + np.absolute(x))


class Tanhshrink(Module):
    """x - tanh x."""

    def forward(self, x: Any) -> Any:
        """Return x - tanh x."""
        return x - np.tanh(x)


class Hardtanh(Module):
    """min(max(x, min_val), max_val); its slope at either value counts as 0."""

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0) -> None:
        self.min_val, self.max_val = min_val, max_val

    def forward(self, x: Any) -> Any:
        """Return x, cut off below and above."""
        return nonlinear.hardtanh(x, low=self.min_val, high=self.max_val)

    def extra_repr(self) -> str:
        """Return the bounds."""
        return f"{self.min_val} to {self.max_val}"


class ReLU6(Hardtanh):
    """min(max(x, 0), 6). Krizhevsky 2010, "Convolutional deep belief networks on CIFAR-10"."""

    def __init__(self) -> None:
        super().__init__(0.0, 6.0)


class Hardsigmoid(Module):
    """min(max(x + 3, 0), 6) / 6, a sigmoid of three straight lines. Howard et al. 2019, section 5.2."""

    def forward(self, x: Any) -> Any:
        """Return min(max(x + 3, 0), 6) / 6."""
        return nonlinear.hardsigmoid(x)


class Hardswish(Module):
    """x · min(max(x + 3, 0), 6) / 6. Howard et al. 2019, "Searching for MobileNetV3", section 5.2."""

    def forward(self, x: Any) -> Any:
        """Return x · min(max(x + 3, 0), 6) / 6."""
        return nonlinear.hardswish(x)


class PReLU(Module):
    """x where x > 0, else weight · x, with a slope that is learnt: one, or one for each channel (axis 1).

    He, Zhang, Ren & Sun 2015, "Delving deep into rectifiers", eq. 1.
    """

    def __init__(self, num_parameters: int = 1, init: float = 0.25) -> None:
        self.weight = Parameter(np.full(num_parameters, init, default_dtype()))

    def forward(self, x: Any) -> Any:
        """Return x where x > 0, else weight · x."""
        return prelu(x, self.weight)

    def extra_repr(self) -> str:
        """Return the number of slopes."""
        return f"{self.weight.size}"


def prelu(x: Any, weight: Any) -> Any:
    """Return x where x > 0, else weight · x: one weight, or one for each channel (axis 1)."""
    count = weight.shape[0] if weight.shape else 1
    slope = weight.reshape((count, *(1,) * (len(x.shape) - 2))) if count > 1 else weight
    return np.where(x > 0, x, slope * x)


class _AlongAxis(Module):
    def __init__(self, axis: int = -1, *, dim: int | None = None) -> None:
        self.axis = axis if dim is None else dim  # dim is PyTorch's name

    def extra_repr(self) -> str:
        """Return the axis."""
        return f"axis={self.axis}"


class LogSoftmax(_AlongAxis):
    """x - ln Σ e^x along ``axis``: the logarithms of softmax, which ``NLLLoss`` takes."""

    def forward(self, x: Any) -> Any:
        """Return x - ln Σ e^x."""
        return ops.log_softmax(x, axis=self.axis)


class Softmin(_AlongAxis):
    """e^-x / Σ e^-x along ``axis``: the smallest number gets the largest part."""

    def forward(self, x: Any) -> Any:
        """Return softmax(-x)."""
        return ops.softmax(-x, axis=self.axis)


class GLU(_AlongAxis):
    """a · σ(b) for the halves a and b of x along ``axis``. Dauphin, Fan, Auli & Grangier 2017, eq. 1."""

    def forward(self, x: Any) -> Any:
        """Return the first half, gated by the second."""
        a, b = np.split(x, 2, axis=self.axis)
        return a * ops.sigmoid(b)
