"""The optimizers: each is a formula of ``formulas``, and the settings that it takes.

Names, defaults and conventions are PyTorch's.
"""

from __future__ import annotations

import math
from typing import Any

from minigrad.errors import ConfigError
from minigrad.optim import formulas
from minigrad.optim.optimizer import Optimizer, Rate, Rule
from minigrad.optim.parameters import Parameters
from minigrad.optim.settings import below_one, flag, from_zero, require
from minigrad.tensor import Tensor


class _Decoupled:
    """A weight decay that is in the formula, and not in the gradient."""

    weight_decay: float

    @property
    def l2(self) -> float:
        """Nothing: the decay does not go through the gradient."""
        return 0.0

    @property
    def decay(self) -> float:
        """λ, as the formula calls it."""
        return self.weight_decay


class _TwoMeans:
    """Two decays of means, given as one setting."""

    beta1: float
    beta2: float

    @property
    def betas(self) -> tuple[float, float]:
        """(β₁, β₂)."""
        return self.beta1, self.beta2


class GD(Optimizer):
    r"""Gradient descent: :math:`\theta_{t+1} = \theta_t - \eta \nabla J(\theta_t)`, J over all of the data.

    lr is η; other settings as in ``Optimizer``. Formula and source: ``formulas.gd``.
    """

    rule: Rule = formulas.gd

    def __init__(self, params: Parameters, lr: Rate = 1e-3, **settings: Any) -> None:
        super().__init__(params, lr, **settings)


class SGD(Optimizer):
    r"""Stochastic gradient descent, with momentum if asked for.

    lr is η, momentum is μ in [0, 1) (0: plain, and no state), state ``b``; other settings as in ``Optimizer``.
    Formula and source: ``formulas.sgd``, ``formulas.momentum``.
    """

    rule: Rule = formulas.sgd

    def __init__(
        self,
        params: Parameters,
        lr: Rate = 1e-3,
        *,
        momentum: float = 0.0,
        nesterov: bool = False,
        **settings: Any,
    ) -> None:
        self.momentum = below_one("momentum", momentum)
        self.nesterov = flag("nesterov", nesterov)
        require(momentum > 0 or not nesterov, "momentum", momentum, "above 0 where nesterov is on")
        self.mu = self.momentum
        if momentum:
            self.rule = formulas.momentum
        super().__init__(params, lr, **settings)


class AdaGrad(Optimizer):
    r"""AdaGrad: :math:`s_t = s_{t-1} + g_t^2`, :math:`\theta_t = \theta_{t-1} - \eta g_t / (\sqrt{s_t} + \epsilon)`.

    lr is η, eps is ε, state ``s``; other settings as in ``Optimizer``. Formula and source: ``formulas.adagrad``.
    """

    rule: Rule = formulas.adagrad

    def __init__(self, params: Parameters, lr: Rate = 1e-2, *, eps: float = 1e-10, **settings: Any) -> None:
        self.eps = from_zero("eps", eps)
        super().__init__(params, lr, **settings)


class RMSprop(Optimizer):
    r"""RMSprop, with momentum and centred if asked for.

    lr is η, alpha is α in [0, 1), eps is ε, momentum is μ in [0, 1) (0: none), centered divides by the standard
    deviation of the gradient; state ``v``, centred ``m``, with momentum ``b``; other settings as in ``Optimizer``.
    Formulas and sources: ``formulas.rmsprop``, ``rmsprop_momentum``, ``rmsprop_centered``,
    ``rmsprop_centered_momentum``.
    """

    rule: Rule = formulas.rmsprop

    def __init__(
        self,
        params: Parameters,
        lr: Rate = 1e-2,
        *,
        alpha: float = 0.99,
        eps: float = 1e-8,
        momentum: float = 0.0,
        centered: bool = False,
        **settings: Any,
    ) -> None:
        self.alpha = below_one("alpha", alpha)
        self.eps = from_zero("eps", eps)
        self.momentum = self.mu = below_one("momentum", momentum)
        self.centered = flag("centered", centered)
        if momentum:
            self.rule = formulas.rmsprop_centered_momentum if centered else formulas.rmsprop_momentum
        elif centered:
            self.rule = formulas.rmsprop_centered
        super().__init__(params, lr, **settings)


class Adam(_TwoMeans, Optimizer):
    r"""Adam, Kingma & Ba's Algorithm 1.

    lr is α, betas are (β₁, β₂) in [0, 1), eps is ε, state ``m`` and ``v``; other settings as in ``Optimizer``.
    Formula and source: ``formulas.adam``.
    """

    rule: Rule = formulas.adam

    def __init__(
        self,
        params: Parameters,
        lr: Rate = 1e-3,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        **settings: Any,
    ) -> None:
        self.beta1, self.beta2 = _checked(betas)
        self.eps = from_zero("eps", eps)
        super().__init__(params, lr, **settings)


class AdamW(_Decoupled, Adam):
    r"""AdamW: Adam with decoupled weight decay.

    lr is η, weight_decay is λ; the rest as in ``Adam``. Formula and source: ``formulas.adamw``.
    """

    rule: Rule = formulas.adamw

    def __init__(
        self, params: Parameters, lr: Rate = 1e-3, *, weight_decay: float = 1e-2, **settings: Any
    ) -> None:
        super().__init__(params, lr, weight_decay=weight_decay, **settings)


class AMSGrad(Adam):
    r"""AMSGrad: Adam with the largest v so far in the denominator, so that no step grows because v shrinks.

    Settings as in ``Adam``, state ``m``, ``v`` and ``v_max``. Formula and source: ``formulas.amsgrad``.
    """

    rule: Rule = formulas.amsgrad


class NAdam(Adam):
    r"""NAdam: Adam with Nesterov's look ahead.

    lr is η, momentum_decay is ψ in :math:`\mu_t = \beta_1 (1 - \frac12 0.96^{t \psi})`, the rest as in ``Adam``.
    Formula and source: ``formulas.nadam``.
    """

    rule: Rule = formulas.nadam

    def __init__(
        self, params: Parameters, lr: Rate = 2e-3, *, momentum_decay: float = 4e-3, **settings: Any
    ) -> None:
        self.momentum_decay = from_zero("momentum_decay", momentum_decay)
        self._products = {0: 1.0}  # μ₁ · … · μ_t by t, for those t that parameters are at
        super().__init__(params, lr, **settings)

    def _mu(self, t: int) -> float:
        return self.beta1 * (1 - 0.5 * math.pow(0.96, t * self.momentum_decay))

    @property
    def mu(self) -> float:
        """The momentum of the next step, μ_t."""
        return self._mu(self.t - self._skipped + 1)

    @property
    def mu_next(self) -> float:
        """The momentum of the step after the next, μ_{t+1}."""
        return self._mu(self.t - self._skipped + 2)

    @property
    def mu_product(self) -> float:
        """μ₁ · … · μ_t up to the next step."""
        now, products = self.t - self._skipped, self._products
        if now not in products:
            last = max((t for t in products if t < now), default=0)
            product = products.pop(last, 1.0)
            for t in range(last + 1, now + 1):
                product *= self._mu(t)
            products[now] = product
        return products[now] * self.mu


class Lion(_Decoupled, _TwoMeans, Optimizer):
    r"""Lion: a step of the same size everywhere, by the sign of a mean of gradients.

    lr is η, betas are (β₁, β₂) in [0, 1), weight_decay is λ, decoupled; state ``m``; the rest as in ``Optimizer``.
    Formula and source: ``formulas.lion``.
    """

    rule: Rule = formulas.lion

    def __init__(
        self,
        params: Parameters,
        lr: Rate = 1e-4,
        *,
        betas: tuple[float, float] = (0.9, 0.99),
        **settings: Any,
    ) -> None:
        self.beta1, self.beta2 = _checked(betas)
        super().__init__(params, lr, **settings)


class Muon(_Decoupled, Optimizer):
    r"""Muon: for weights of dense layers, whose step is the nearest orthogonal matrix of the momentum.

    lr is η, momentum is μ in [0, 1), weight_decay is λ, decoupled; state ``b``; other settings as in ``Optimizer``. It
    takes matrices alone (MG-507); biases and the rest go to another optimizer. Formula and source: ``formulas.muon``.
    """

    rule: Rule = formulas.muon

    def __init__(
        self,
        params: Parameters,
        lr: Rate = 1e-3,
        *,
        momentum: float = 0.95,
        weight_decay: float = 0.1,
        **settings: Any,
    ) -> None:
        self.momentum = self.mu = below_one("momentum", momentum)
        super().__init__(params, lr, weight_decay=weight_decay, **settings)

    def require_fitting(self, name: str, tensor: Tensor) -> None:
        """Raise MG-507 where a parameter is no matrix."""
        fits = "that of a matrix: Muon takes no others"
        require(tensor.ndim == 2, f"the shape of {name}", tensor.shape, fits)


class AdamAsPrinted(_TwoMeans, Optimizer):
    r"""Adam as D2 prints it: v is computed and never used, m is corrected for its bias twice. Not Adam.

    lr is η, betas are (β₁, β₂) in [0, 1), state ``m`` and ``v``; other settings as in ``Optimizer``. Formula and
    source: ``formulas.adam_as_printed``.
    """

    rule: Rule = formulas.adam_as_printed

    def __init__(
        self,
        params: Parameters,
        lr: Rate = 1e-3,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        **settings: Any,
    ) -> None:
        self.beta1, self.beta2 = _checked(betas)
        super().__init__(params, lr, **settings)


def _checked(betas: Any) -> tuple[float, float]:
    allowed = "two numbers in [0, 1)"
    try:
        beta1, beta2 = betas
    except (TypeError, ValueError):
        raise ConfigError(
            "MG-507", f"betas is {betas!r}; it must be {allowed}: betas=(0.9, 0.999)."
        ) from None
    try:
        return below_one("beta1", beta1), below_one("beta2", beta2)
    except ConfigError as error:
        raise ConfigError("MG-507", f"betas is {betas!r}; it must be {allowed}. {error.message}") from None
