"""What all optimizers share: the parameters, their state, the checks, and one step over all of them."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping
from types import EllipsisType
from typing import Any, NamedTuple
from weakref import ref

import numpy as np
from minigrad_kernels.launch import reference_is_forced
from minigrad_kernels.updates import UpdateRule, update_all

from minigrad import modes, switches
from minigrad.backend import Array
from minigrad.errors import ConfigError, GradientError, OptimizerError, warn
from minigrad.memory import empty_apart
from minigrad.ops.half import wide
from minigrad.optim import binding, formulas, messages, program, saved
from minigrad.optim.binding import OnDevice, Slot
from minigrad.optim.clip import clip_factor
from minigrad.optim.parameters import HasParameters, Parameters, named
from minigrad.optim.settings import above_zero, flag, from_zero, number, require
from minigrad.optim.signature import Signature
from minigrad.optim.writing import misfit, plain, read_only, require_apart
from minigrad.source import here
from minigrad.tape import lost
from minigrad.tensor import Tensor

Rate = float | Callable[[int], float]
"""A learning rate: a number, or a schedule from the number of steps taken so far to one."""


Rule = Callable[..., tuple[Array, ...]] | None
"""A formula; None where an optimizer gives its own ``formula`` method."""


class Update(NamedTuple):
    """One parameter's share of a step, as ``mg.hooks(update=…)`` sees it: what the step started from, all copies.

    ``tensor`` holds the new parameter, ``optimizer.state[name]`` the new state, ``g`` the gradient as it was in
    ``.grad``: before clipping by ``clip`` and without the L2 penalty's part; ``settings`` the numbers that the formula
    reads beside the rate, as they were for this step.
    """

    optimizer: Optimizer
    name: str
    tensor: Tensor
    theta: Array
    g: Array
    state: dict[str, Array]
    clip: Array
    rate: float
    t: int
    settings: dict[str, float]


class Optimizer:
    """Base of the optimizers. A subclass is a formula, and whatever its constructor checks.

    Parameters
    ----------
    params : a Module, a dict from name to Tensor, or a list of Tensors (named by ``.name``, else ``param0`` …).
        A tensor whose ``requires_grad`` is off is left alone.
    lr : the learning rate, or a schedule: a callable from the number of steps taken (0 at first) to the rate.
    weight_decay : λ of an L2 penalty, which adds λθ to the gradient (decoupled in AdamW).
    max_norm : clip the gradient's global 2-norm to this before the rule sees it, leaving ``.grad`` as it is;
        None for no clipping.
    fast : run the compiled kernel rather than the plain formula; the results are the same bits.
    settings : the other numbers of the rule, by the names that it has for them.

    The formula is a function ``rule(theta, g, *state[, t], *, eta, …)`` which returns the new theta and the new state,
    as those in ``optim.formulas`` do. Its signature says the rest: the arrays between ``g`` and ``t`` are its state,
    the first name behind the ``*`` is the learning rate, the others are its settings, with their defaults::

        def lion(theta, g, m, *, eta=1e-4, beta1=0.9, beta2=0.99, decay=0.0):
            return theta - eta * (np.sign(beta1 * m + (1 - beta1) * g) + decay * theta), beta2 * m + (1 - beta2) * g

        class Lion(optim.Optimizer):
            rule = lion

    Its kernels for the processor and for a GPU are made from it, and the stepper shows its lines. Where it does more
    than arithmetic entry by entry (a product of matrices, a norm), ``no_kernel`` says what, and it runs as it stands.
    Where a signature does not say enough, a subclass gives ``state_names`` and a method
    ``formula(self, theta, g, *state, rate, t)`` instead, in which ``self.beta1`` is the setting of that name.

    ``opt.state["fc1.weight"]["m"]`` is a parameter's state, an array of its shape and dtype, zero at first (to
    change it, write into it); ``opt.t`` counts the steps taken, and ``opt.last_rate`` is the rate of the last (NaN
    before the first). Where a parameter is of float16, in which ε and squares of gradients are 0, its state is of
    float32, and so is all arithmetic; the new parameter is rounded once.

    Raises MG-501 where there are no parameters and MG-507 where a setting is out of its range.
    """

    rule: Rule = None
    """The formula."""
    state_names: tuple[str, ...] = ()
    """The state of a parameter, in the order in which the formula takes it; by default what its signature says."""
    rate_name: str = "rate"
    """What the formula calls the learning rate."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if callable(rule := cls.__dict__.get("rule")):
            cls.rule = staticmethod(rule)
        for name in ("kernel", "hyper"):
            if callable(cls.__dict__.get(name)):
                warnings.warn(
                    f"{cls.__name__}.{name} is not needed any more: kernels are made from the formula",
                    DeprecationWarning,
                    stacklevel=2,
                )
                delattr(cls, name)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_read": None, "_vectors": {}}  # made anew where it is unpickled

    def __init__(
        self,
        params: Parameters,
        lr: Rate | EllipsisType = ...,
        *,
        weight_decay: float = 0.0,
        max_norm: float | None = None,
        fast: bool = True,
        **settings: Any,
    ) -> None:
        self._signature = Signature(self.rule)
        if self.rule is not None:
            self.rate_name = self._rate_of_the_rule()
            self.state_names = self.state_names or self._signature.state
        lr = self._signature.defaults.get(self.rate_name, ...) if lr is ... else lr
        if lr is ...:
            raise ConfigError(
                "MG-507", f"{type(self).__name__} needs a learning rate: lr=0.01, or a schedule."
            )
        self.lr = lr
        self.weight_decay = from_zero("weight_decay", weight_decay)
        self._take_settings(settings)
        self.max_norm = None if max_norm is None else above_zero("max_norm", max_norm, "above 0, or None")
        self.fast = flag("fast", fast)
        tensors = named(params)
        self.t = 0
        self.last_rate = math.nan
        self.state = {
            name: {key: _zeros(tensor.data, k) for k, key in enumerate(self.state_names)}
            for name, tensor in tensors.items()
        }
        self._module = params if isinstance(params, HasParameters) else None
        self._slots = [Slot(name, tensor, self.state[name]) for name, tensor in tensors.items()]
        self._vectors: binding.Vectors = {}
        self._forced = reference_is_forced()
        self._apart = False  # whether the parameters were seen not to share memory
        self._read: program.Read | None = None

    @property
    def setting_names(self) -> tuple[str, ...]:
        """The names of the numbers that the formula takes beside the rate, each an attribute of the optimizer."""
        return self._signature.numbers[1:]

    def _rate_of_the_rule(self) -> str:
        if not self._signature.numbers:
            name = getattr(self.rule, "__name__", "rule")
            raise ConfigError(
                "MG-507",
                f"{name} names no learning rate. It comes first behind the *: {name}(theta, g, *, eta).",
            )
        return self._signature.numbers[0]

    def _take_settings(self, settings: dict[str, Any]) -> None:
        """Keep the rule's own settings, as given or by default; those that a subclass has checked are there already."""
        for name in self.setting_names:
            if name in settings:
                value = settings.pop(name)
                kept = value if isinstance(value, bool) else number(name, value, "any number", math.isfinite)
                setattr(self, name, kept)
            elif not (name in vars(self) or hasattr(type(self), name)):
                if name not in self._signature.defaults:
                    raise ConfigError("MG-507", f"{type(self).__name__} needs {name}: {name}=0.9, say.")
                setattr(self, name, self._signature.defaults[name])
        if settings:
            raise TypeError(
                f"{type(self).__name__}() got an unexpected keyword argument {next(iter(settings))!r}"
            )

    # -- what a subclass may give -------------------------------------------------------------------------

    def formula(self, theta: Array, g: Array, *state: Array, rate: Any, t: Any) -> tuple[Array, ...]:
        """Return the new parameter and its new state at step ``t`` (1, 2, …): by ``rule``, with the settings."""
        if self.rule is None:
            raise NotImplementedError(f"{type(self).__name__} has no rule and no formula")
        settings = {name: getattr(self, name) for name in self.setting_names}
        if self._signature.takes_t:
            state = (*state, t)
        return self.rule(theta, g, *state, **{self.rate_name: rate}, **settings)

    @property
    def l2(self) -> float:
        """λ of the penalty that goes through the gradient."""
        return self.weight_decay

    # -- what a user calls --------------------------------------------------------------------------------
    @property
    def lr(self) -> Rate:
        """The learning rate, or the schedule; MG-507 where it is set to what is neither."""
        return self._lr

    @lr.setter
    def lr(self, lr: Rate) -> None:
        allowed = "0 or more, or a schedule"
        require(
            not isinstance(lr, type), "lr", lr, f"{allowed} that was built, such as Cosine(0.1, steps=900)"
        )
        self._lr: Rate = lr if callable(lr) else from_zero("lr", lr, allowed)

    @property
    def rate(self) -> float:
        """The learning rate of the next step; MG-507 where a schedule gives none that is finite and 0 or more."""
        lr = self._lr
        if not callable(lr):
            return lr
        rate = lr(self.t)
        if type(rate) is float and 0 <= rate < math.inf:
            return rate
        return from_zero(f"the rate that {lr!r} gives after {self.t} steps", rate)

    def step(self) -> None:
        """Update every parameter from its gradient, in place; all of them or, where a check fails, none.

        Raises MG-503 where no parameter has a gradient, MG-209 where one has none, MG-505 where a gradient or a
        state no longer fits its parameter, MG-511 where one is read-only, MG-512 where two lie on the same memory.
        Warns of gradients that were not zeroed (MG-201), of a model in eval mode (MG-502) and of a loss that is NaN
        or infinite (MG-408; not on a GPU, which would have to be waited for). Ctrl-C may fall between two parameters.
        """
        if self._module is not None and not self._module.training:
            warn("MG-502", messages.EVAL_MODE)
        rule = self.reading.rule if self.fast else None
        ready = self._ready(rule)
        if (trace := switches.tracing.get()) is not None:
            trace.update(self, rule, ready)
            return
        clip: Array = 1.0
        if self.max_norm is not None:
            clip = clip_factor([g for _, g in ready], self.max_norm)
        rate = self.last_rate = self.rate
        if (loss := lost.get()) is not None:
            self._tell_lost(*loss, rate)
        hooks = modes.hooked.get().update
        seen = [self._seen(slot, g, clip, rate) for slot, g in ready] if hooks else ()
        if rule is not None:
            self._run_kernel(rule, ready, rule.coefficients(self, clip, self.l2, rate, self.t + 1))
        else:
            self._run_formula(ready, clip, rate)
        self.t += 1
        location = here()
        for slot, _ in ready:
            tensor = slot.tensor
            tensor.version.written(location, "step")
            tensor.stepped_passes = tensor.grad_passes
        for update in seen:
            for hook in hooks:
                hook(update)

    def zero_grad(self) -> None:
        """Forget all gradients: each ``.grad`` becomes None."""
        for slot in self._slots:
            slot.tensor.zero_grad()

    def state_dict(self) -> dict[str, Any]:
        """Return all that a resumed run needs, flat: NumPy arrays (``"fc1.weight.m"``) and plain scalars.

        The scalars are ``"optimizer"`` (the class), ``"t"``, and ``"lr"`` or, for a schedule with a memory,
        ``"schedule"``, a dict of its own scalars. No array's key is taken for one of them, since it has a dot.
        Settings such as ``beta1`` belong to the run's configuration and are not in it.
        """
        return saved.state_dict(self)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up what ``state_dict`` returned, exactly; all of it or, on an error, nothing.

        Raises OptimizerError MG-506, naming every key, where it is from another optimizer or other parameters.
        """
        saved.load_state_dict(self, state)

    @property
    def reading(self) -> program.Read:
        """What reading the formula gave; it is read anew where a flag has changed by which it may branch."""
        if self._read is not None:
            for name, value in self._read.flags:  # not a method: this runs at every step
                if getattr(self, name, None) is not value:
                    break
            else:
                return self._read
        self._read = program.read(self)
        return self._read

    @property
    def kernel(self) -> UpdateRule | None:
        """The kernel that was made from the formula; None where it has none, and ``no_kernel`` says why."""
        return self.reading.rule

    @property
    def no_kernel(self) -> str:
        """Why the formula runs as it stands, where it does: what in it is more than arithmetic entry by entry."""
        return self.reading.why

    # -- one step -----------------------------------------------------------------------------------------

    def _ready(self, rule: UpdateRule | None) -> list[tuple[Slot, Array]]:
        if self._forced is not reference_is_forced():
            self._forced = reference_is_forced()
            for slot in self._slots:
                slot.release()
        ready = []
        for slot in self._slots:
            tensor = slot.tensor
            if not tensor.requires_grad:
                continue
            grad = tensor._grad
            if grad is None:
                raise self._no_gradient()
            bound, theta = slot.bound, tensor._data  # not .data: this runs for every parameter of every step
            g = grad._data if isinstance(grad, Tensor) else grad
            if theta is not bound.theta or rule is not bound.rule:
                slot.bind(rule, self._vectors)
                bound, self._apart = slot.bound, False
            if bound.on_host and not theta.flags.writeable:
                raise read_only(slot.name, theta)
            if g.shape != bound.shape or g.dtype != bound.dtype or type(g) is not bound.kind:
                if g.shape != bound.shape or g.dtype != bound.dtype or type(plain(g)) is not bound.kind:
                    raise misfit(slot.name, "its gradient", theta, g)
                g = plain(g)
            if 0 < tensor.stepped_passes < tensor.grad_passes:
                warn("MG-201", messages.used_again(slot.name, tensor.grad_passes, tensor.stepped_passes))
            ready.append((slot, g))
        if not ready:
            raise OptimizerError(
                "MG-501",
                f"none of the optimizer's {len(self._slots)} parameters requires a gradient, so there is nothing "
                "to optimise. Switch one on: p.requires_grad_(True).",
            )
        if not self._apart:
            require_apart((slot.name, slot.bound.theta) for slot, _ in ready)
            self._apart = True
        return ready

    def _run_kernel(
        self, rule: UpdateRule, ready: list[tuple[Slot, Array]], coefficients: tuple[Any, ...]
    ) -> None:
        for (name, _), vector in self._vectors.items():
            if name == rule.name:
                vector[:] = coefficients
        launches: dict[Any, list[tuple[Array, ...]]] = {}
        for slot, g in ready:
            bound = slot.bound
            if isinstance(bound, OnDevice):
                launches.setdefault(bound.group, []).append(bound.for_launch(g))
            else:
                bound.update(g, coefficients)
        for parameters in launches.values():
            update_all(rule.name, parameters, coefficients, rule.source)

    def _run_formula(self, ready: list[tuple[Slot, Array]], clip: Array, rate: float) -> None:
        updated = []
        for slot, g in ready:
            theta, state = wide(slot.bound.theta), slot.state.values()
            g = formulas.effective_gradient(wide(g), theta, clip=clip, l2=self.l2)
            updated.append(self.formula(theta, g, *state, rate=rate, t=self.t + 1))
        for (slot, _), arrays in zip(ready, updated, strict=True):
            for old, new in zip((slot.bound.theta, *slot.state.values()), arrays, strict=True):
                old[...] = new

    def _tell_lost(self, loss: float, leaves: list[ref[Tensor]], rate: float, ahead: int = 1) -> None:
        reached = {id(leaf()) for leaf in leaves}
        if any(id(slot.tensor) in reached for slot in self._slots):
            warn("MG-408", messages.lost(loss, self.t + ahead, rate))

    def _seen(self, slot: Slot, g: Array, clip: Array, rate: float) -> Update:
        state = {key: array.copy() for key, array in slot.state.items()}
        read = self.reading.program
        settings = program.numbers(self, read) if read else {}
        theta = slot.bound.theta.copy()
        return Update(self, slot.name, slot.tensor, theta, g.copy(), state, clip, rate, self.t + 1, settings)

    def _no_gradient(self) -> GradientError | OptimizerError:
        trained = [slot for slot in self._slots if slot.tensor.requires_grad]
        return messages.no_gradient(
            [slot.name for slot in trained if slot.tensor.grad is None],
            [slot.name for slot in trained if slot.tensor.grad is not None],
        )


def _zeros(theta: Array, k: int) -> Array:
    dtype = binding.state_dtype(theta)
    if type(plain(theta)) is not np.ndarray:
        return np.zeros_like(theta, dtype=dtype)
    zeros = empty_apart(theta.shape, dtype, place=1 + k)
    zeros[...] = 0
    return zeros
