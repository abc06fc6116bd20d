"""The optimizers: each is a formula of ``formulas``, and the settings that it takes.

Names, defaults and conventions are PyTorch's.
"""

from __future__ import annotations

import math
from typing import Any

from minigrad.errors import ConfigError
from minigrad.optim import formulas
from minigrad.optim.optimizer import Optimizer, Rate, Rule
from minigrad.optim.parameters import Parameters, named
from minigrad.optim.settings import below_one, flag, from_zero, require


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
    r"""RMSprop.

    lr is η, alpha is α in [0, 1), eps is ε, state ``v``; other settings as in ``Optimizer``. Formula and source:
    ``formulas.rmsprop``.
    """

    rule: Rule = formulas.rmsprop

    def __init__(
        self, params: Parameters, lr: Rate = 1e-2, *, alpha: float = 0.99, eps: float = 1e-8, **settings: Any
    ) -> None:
        self.alpha = below_one("alpha", alpha)
        self.eps = from_zero("eps", eps)
        super().__init__(params, lr, **settings)


class Adam(Optimizer):
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
        self._product = 0, 1.0  # at the start, of no μ
        super().__init__(params, lr, **settings)

    def _mu(self, t: int) -> float:
        return self.beta1 * (1 - 0.5 * math.pow(0.96, t * self.momentum_decay))

    @property
    def mu(self) -> float:
        """The momentum of the next step, μ_t."""
        return self._mu(self.t + 1)

    @property
    def mu_next(self) -> float:
        """The momentum of the step after the next, μ_{t+1}."""
        return self._mu(self.t + 2)

    @property
    def mu_product(self) -> float:
        """μ₁ · … · μ_t up to the next step."""
        last, product = self._product if self._product[0] <= self.t else (0, 1.0)
        for t in range(last + 1, self.t + 1):
            product *= self._mu(t)
        self._product = self.t, product
        return product * self.mu


class Lion(_Decoupled, Optimizer):
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
        for name, tensor in named(params).items():
            require(
                tensor.ndim == 2,
                f"the shape of {name}",
                tensor.shape,
                "that of a matrix: Muon takes no others",
            )
        super().__init__(params, lr, weight_decay=weight_decay, **settings)


class AdamAsPrinted(Optimizer):
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
