"""The optimizers: each is a formula of ``formulas``, and the settings that it takes.

Names, defaults and conventions are PyTorch's.
"""

from __future__ import annotations

from typing import Any

from minigrad.errors import ConfigError
from minigrad.optim import formulas
from minigrad.optim.optimizer import Optimizer, Rate, Rule
from minigrad.optim.parameters import Parameters
from minigrad.optim.settings import below_one, flag, from_zero, require


class GD(Optimizer):
    r"""Gradient descent: :math:`\theta_{t+1} = \theta_t - \eta \nabla J(\theta_t)`, J over all of the data.

    lr is η; other settings as in ``Optimizer``. Formula and source: ``formulas.gd``.
    """

    rule: Rule = formulas.gd

    def __init__(self, params: Parameters, lr: Rate = 1e-3, **settings: Any) -> None:
        super().__init__(params, lr, **settings)


class SGD(Optimizer):
    r"""Stochastic gradient descent, with momentum if asked for.

    .. math:: b_t = \mu b_{t-1} + g_t, \quad \theta_t = \theta_{t-1} - \eta b_t
        \text{, or, with Nesterov's momentum, } \theta_{t-1} - \eta (g_t + \mu b_t)

    lr is η, momentum is μ in [0, 1) (0: plain, and no state), state ``b``; other settings as in ``Optimizer``.
    Formula and source: ``formulas.sgd``, ``formulas.momentum``.
    """

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
        self.rule = formulas.momentum if momentum else formulas.sgd
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

    .. math:: v_t = \alpha v_{t-1} + (1 - \alpha) g_t^2, \quad
        \theta_t = \theta_{t-1} - \eta g_t / (\sqrt{v_t} + \epsilon)

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

    .. math:: \theta_t = \theta_{t-1} - \alpha \, \hat m_t / (\sqrt{\hat v_t} + \epsilon)

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


class AdamW(Adam):
    r"""AdamW: Adam with decoupled weight decay.

    .. math:: \theta_t = \theta_{t-1}
        - \eta \left( \hat m_t / (\sqrt{\hat v_t} + \epsilon) + \lambda \theta_{t-1} \right)

    lr is η, weight_decay is λ; the rest as in ``Adam``. Formula and source: ``formulas.adamw``.
    """

    rule: Rule = formulas.adamw

    def __init__(
        self, params: Parameters, lr: Rate = 1e-3, *, weight_decay: float = 1e-2, **settings: Any
    ) -> None:
        super().__init__(params, lr, weight_decay=weight_decay, **settings)

    @property
    def l2(self) -> float:
        """Nothing: the decay does not go through the gradient."""
        return 0.0

    @property
    def decay(self) -> float:
        """λ, as the formula calls it."""
        return self.weight_decay


class AdamAsPrinted(Optimizer):
    r"""Adam as D2 prints it: v is computed and never used, m is corrected for its bias twice. Not Adam.

    .. math:: \eta_t = \eta \sqrt{1 - \beta_2^t} / (1 - \beta_1^t), \quad
        \theta_{t+1} = \theta_t - \eta_t \, m_t / (1 - \beta_1^t)

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
