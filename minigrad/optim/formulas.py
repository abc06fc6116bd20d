r"""Every update rule as a short pure function, in the paper's order and with the paper's symbols.

Symbols that all rules share::

    theta   \theta_{t-1}, the parameter, of any shape
    g       g_t = \nabla J(\theta_{t-1}), the gradient, of the same shape
    t       number of this step, counted from 1 (a Python int)

The code of a rule is its formula: kernels, explanations and the formulas of the documentation are made from it. A rule
returns the new parameter followed by its new state and changes nothing. It uses NumPy's operators and
ufuncs alone, so arrays of NumPy and CuPy and Tensors all pass through it, the last recording themselves.
Coefficients are Python floats: they are worked out in float64 and leave a float32 array float32. Arrays of float16,
in which an ε of 1e-8 and the squares of small gradients are 0, are converted before, as the optimizers do.
"""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = Any
"""An array of NumPy or CuPy, or a Tensor."""


def effective_gradient(g: Array, theta: Array, *, clip: Array = 1.0, l2: float = 0.0) -> Array:
    r"""Return the gradient that a rule is given: clipped, and with an L2 penalty's part added.

    - clip: c, the factor from clipping by norm, 1 for none
    - l2: λ, PyTorch's ``weight_decay``, the gradient of (λ/2) Σ θ²

    Source: PyTorch's convention (the penalty is not clipped); the penalty is D1 4.1.
    """
    return clip * g + l2 * theta


def gd(theta: Array, g: Array, *, eta: float) -> tuple[Array]:
    r"""Gradient descent.

    - g: the gradient over the whole training set
    - eta: η, the learning rate

    Source: D2 3.1 as printed; Cauchy 1847.
    """
    return (theta - eta * g,)


def sgd(theta: Array, g: Array, *, eta: float) -> tuple[Array]:
    r"""Stochastic gradient descent: gradient descent on what a sample of the data shows.

    - g: the gradient at one sample x_i drawn at random, or the mean over a mini-batch of them
    - eta: η, the learning rate

    Source: D2 3.2 as printed; Robbins & Monro 1951.
    """
    return (theta - eta * g,)


def momentum(
    theta: Array, g: Array, b: Array, *, eta: float, mu: float, nesterov: bool = False
) -> tuple[Array, Array]:
    r"""Gradient descent with momentum, plain or Nesterov's.

    - b: b_{t-1}, the velocity, zero at the start
    - eta: η, the learning rate
    - mu: μ, the momentum, in [0, 1)

    Source: Polyak 1964; Sutskever et al. 2013, eq. 1-4, in PyTorch's convention: η multiplies the velocity,
    where the paper has it multiply the gradient inside. The two differ only where η changes during training.
    """
    b = mu * b + g
    if nesterov:
        return theta - eta * (g + mu * b), b
    return theta - eta * b, b


def adagrad(theta: Array, g: Array, s: Array, *, eta: float, eps: float) -> tuple[Array, Array]:
    r"""AdaGrad: each coordinate's step shrinks with the gradients that it has seen.

    - s: s_{t-1}, the sum of squared gradients, zero at the start
    - eta: η, the learning rate
    - eps: ε, keeps the division finite (δ in the paper)

    Source: Duchi, Hazan & Singer 2011, figure 1, diagonal form, without projection or regulariser.
    """
    s = s + g**2
    return theta - eta * g / (np.sqrt(s) + eps), s


def rmsprop(theta: Array, g: Array, v: Array, *, eta: float, alpha: float, eps: float) -> tuple[Array, Array]:
    r"""RMSprop: divide by a running root mean square of the gradient.

    - v: v_{t-1}, the running mean of squared gradients, zero at the start
    - eta: η, the learning rate
    - alpha: α, the decay of the mean (0.9 in the lecture, 0.99 in PyTorch)
    - eps: ε, keeps the division finite (the lecture leaves it out)

    Source: Hinton, Coursera lecture 6e, 2012; ε outside the root, as in PyTorch.
    """
    v = alpha * v + (1 - alpha) * g**2
    return theta - eta * g / (np.sqrt(v) + eps), v


def rmsprop_momentum(
    theta: Array, g: Array, v: Array, b: Array, *, eta: float, alpha: float, eps: float, mu: float
) -> tuple[Array, Array, Array]:
    r"""RMSprop with momentum on what it has divided.

    - v, eta, alpha, eps: as in ``rmsprop``
    - b: b_{t-1}, the velocity, zero at the start
    - mu: μ, the momentum, in [0, 1)

    Source: named in Hinton, Coursera lecture 6e, 2012; as in PyTorch, where η multiplies the velocity.
    """
    v = alpha * v + (1 - alpha) * g**2
    b = mu * b + g / (np.sqrt(v) + eps)
    return theta - eta * b, v, b


def rmsprop_centered(
    theta: Array, g: Array, v: Array, m: Array, *, eta: float, alpha: float, eps: float
) -> tuple[Array, Array, Array]:
    r"""RMSprop that divides by the gradient's running standard deviation.

    - v, eta, alpha, eps: as in ``rmsprop``
    - m: m_{t-1}, the running mean of the gradient, zero at the start; v - m² estimates its variance

    Source: Graves 2013, "Generating sequences with recurrent neural networks", eq. 38-41; ε outside the root and no
    momentum, as in PyTorch.
    """
    v = alpha * v + (1 - alpha) * g**2
    m = alpha * m + (1 - alpha) * g
    return theta - eta * g / (np.sqrt(v - m**2) + eps), v, m


def rmsprop_centered_momentum(
    theta: Array, g: Array, v: Array, m: Array, b: Array, *, eta: float, alpha: float, eps: float, mu: float
) -> tuple[Array, Array, Array, Array]:
    r"""RMSprop with both: centred, and with momentum.

    - v, m, eta, alpha, eps: as in ``rmsprop_centered``
    - b, mu: as in ``rmsprop_momentum``

    Source: Graves 2013, eq. 38-41, in PyTorch's convention: η multiplies the velocity.
    """
    v = alpha * v + (1 - alpha) * g**2
    m = alpha * m + (1 - alpha) * g
    b = mu * b + g / (np.sqrt(v - m**2) + eps)
    return theta - eta * b, v, m, b


def adam(
    theta: Array,
    g: Array,
    m: Array,
    v: Array,
    t: int,
    *,
    alpha: float,
    beta1: float,
    beta2: float,
    eps: float,
) -> tuple[Array, Array, Array]:
    r"""Adam, Algorithm 1.

    - m: m_{t-1}, the first moment: the running mean of the gradient, zero at the start
    - v: v_{t-1}, the second raw moment: the running mean of its square, zero at the start
    - alpha: α, the step size, which bounds the step in each coordinate (about)
    - beta1, beta2: β₁, β₂, the decay of the two means, in [0, 1)
    - eps: ε, keeps the division finite

    Source: Kingma & Ba 2015, Algorithm 1. ``adam_efficient`` and ``adam_as_printed`` are its two relatives.
    """
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    return theta - alpha * m_hat / (np.sqrt(v_hat) + eps), m, v


def adam_efficient(
    theta: Array,
    g: Array,
    m: Array,
    v: Array,
    t: int,
    *,
    alpha: float,
    beta1: float,
    beta2: float,
    eps_hat: float,
) -> tuple[Array, Array, Array]:
    r"""Adam with both bias corrections moved into the step size.

    - m, v, alpha, beta1, beta2: as in ``adam``
    - eps_hat: ε̂, which equals Algorithm 1's ε only as ε̂ = ε √(1 - β₂ᵗ)

    With ε̂ = ε the first steps differ wherever gradients are not large beside ε: at |g| = ε = 1e-8, by a factor
    of 16. For reading and comparison; no optimizer here uses it.

    Source: Kingma & Ba 2015, end of section 2.
    """
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    alpha_t = alpha * math.sqrt(1 - beta2**t) / (1 - beta1**t)
    return theta - alpha_t * m / (np.sqrt(v) + eps_hat), m, v


def adamw(
    theta: Array,
    g: Array,
    m: Array,
    v: Array,
    t: int,
    *,
    eta: float,
    beta1: float,
    beta2: float,
    eps: float,
    decay: float,
) -> tuple[Array, Array, Array]:
    r"""AdamW: Adam with the weight decay beside the gradient step, not inside the gradient.

    - m, v, beta1, beta2, eps: as in ``adam``
    - eta: η_t, the learning rate; it multiplies the decay too
    - decay: λ, the weight decay

    Source: Loshchilov & Hutter 2019, Algorithm 2, with its α = 1, which is PyTorch's convention: the paper
    schedules η_t and keeps α apart, so that the decay is η_t λ there and never α λ.
    """
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    return theta - eta * (m_hat / (np.sqrt(v_hat) + eps) + decay * theta), m, v


def amsgrad(
    theta: Array,
    g: Array,
    m: Array,
    v: Array,
    v_max: Array,
    t: int,
    *,
    alpha: float,
    beta1: float,
    beta2: float,
    eps: float,
) -> tuple[Array, Array, Array, Array]:
    r"""AMSGrad: Adam whose denominator never shrinks.

    - m, v, alpha, beta1, beta2, eps: as in ``adam``
    - v_max: the largest v so far, zero at the start

    Source: Reddi, Kale & Kumar 2018, Algorithm 2, with Adam's bias corrections, as in PyTorch.
    """
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    v_max = np.maximum(v_max, v)
    m_hat = m / (1 - beta1**t)
    v_hat = v_max / (1 - beta2**t)
    return theta - alpha * m_hat / (np.sqrt(v_hat) + eps), m, v, v_max


def nadam(
    theta: Array,
    g: Array,
    m: Array,
    v: Array,
    t: int,
    *,
    eta: float,
    beta1: float,
    beta2: float,
    eps: float,
    mu: float,
    mu_next: float,
    mu_product: float,
) -> tuple[Array, Array, Array]:
    r"""NAdam: Adam with Nesterov's look ahead.

    - m, v, beta1, beta2, eps: as in ``adam``
    - eta: η, the learning rate
    - mu, mu_next: μ_t and μ_{t+1}, the momentum, which grows towards β₁
    - mu_product: μ₁ · … · μ_t

    Source: Dozat 2016, Algorithm 8, in PyTorch's convention: β₁ for the mean, μ for the look ahead.
    """
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    v_hat = v / (1 - beta2**t)
    share_m = mu_next / (1 - mu_product * mu_next)
    share_g = (1 - mu) / (1 - mu_product)
    m_hat = share_m * m + share_g * g
    return theta - eta * m_hat / (np.sqrt(v_hat) + eps), m, v


def lion(
    theta: Array, g: Array, m: Array, *, eta: float, beta1: float, beta2: float, decay: float
) -> tuple[Array, Array]:
    r"""Lion: steps of one size, whose sign is that of a mean of gradients.

    - m: m_{t-1}, the running mean of the gradient, zero at the start
    - eta: η, the learning rate: the size of the step in each coordinate
    - beta1, beta2: β₁, β₂: how the mean counts in the step, and how it goes on
    - decay: λ, the weight decay, decoupled as in ``adamw``

    Source: Chen et al. 2023, "Symbolic discovery of optimization algorithms", Algorithm 2.
    """
    direction = np.sign(beta1 * m + (1 - beta1) * g)
    m = beta2 * m + (1 - beta2) * g
    return theta - eta * (direction + decay * theta), m


def muon(theta: Array, g: Array, b: Array, *, eta: float, mu: float, decay: float) -> tuple[Array, Array]:
    r"""Muon: momentum whose matrix is made orthogonal before it is a step.

    .. math::
        b_t &= \mu b_{t-1} + (1 - \mu) g_t \\
        \theta_t &= \theta_{t-1} - \eta \left( \sqrt{\max(1, n/k)} \; \mathrm{orthogonal}(\mu b_t + (1 - \mu) g_t)
            + \lambda \theta_{t-1} \right)

    - theta: a matrix of shape (n, k)
    - b: b_{t-1}, the momentum, zero at the start
    - eta: η, the learning rate
    - mu: μ, the momentum, in [0, 1); Nesterov's
    - decay: λ, the weight decay, decoupled as in ``adamw``

    Source: Jordan et al. 2024, "Muon: an optimizer for hidden layers in neural networks", as in PyTorch.
    """
    b = mu * b + (1 - mu) * g
    rows, columns = theta.shape
    step = math.sqrt(max(1, rows / columns)) * orthogonal(mu * b + (1 - mu) * g)
    return theta - eta * (step + decay * theta), b


def orthogonal(a: Array) -> Array:
    r"""Move the singular values of a matrix towards 1: five steps of Newton and Schulz.

    .. math:: x \leftarrow a x + (b \, x x^T + c \, (x x^T)^2) \, x, \quad x_0 = a / \|a\|

    with (a, b, c) = (3.4445, -4.7750, 2.0315), which bring every singular value of x₀ into [0.7, 1.2] or so.

    Source: Jordan et al. 2024, as in ``muon``.
    """
    wide = a.shape[0] <= a.shape[1]
    x = a if wide else a.T
    x = x / (np.sqrt(np.sum(x * x)) + 1e-7)
    for _ in range(5):
        square = x @ x.T
        x = 3.4445 * x + (-4.7750 * square + 2.0315 * (square @ square)) @ x
    return x if wide else x.T


def adam_as_printed(
    theta: Array,
    g: Array,
    m: Array,
    v: Array,
    t: int,
    *,
    eta: float,
    beta1: float,
    beta2: float,
) -> tuple[Array, Array, Array]:
    r"""Adam as D2 prints it, which is not Adam.

    - m, v, beta1, beta2: as in ``adam``
    - eta: η, the learning rate

    It departs from Kingma & Ba twice. v_t is computed and never used: nothing is divided by √v_t + ε, so the
    step is proportional to the gradient. And m_t is corrected for its bias twice, once inside η_t. What is
    left is gradient descent with momentum at the rate η (1-β₁) √(1-β₂ᵗ) / (1-β₁ᵗ)², which for the default β falls
    from 0.32 η at t = 1 to 0.018 η at t = 20 and then grows to 0.1 η: with momentum 0.9, a step of η in the end.

    Source: D2 3.3 as printed. ``adam`` is the rule of the paper and the default.
    """
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    eta_t = eta * math.sqrt(1 - beta2**t) / (1 - beta1**t)
    return theta - eta_t * m / (1 - beta1**t), m, v
