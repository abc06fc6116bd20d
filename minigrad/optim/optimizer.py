"""What all optimizers share: the parameters, their state, the checks, and one step over all of them."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Mapping
from types import EllipsisType
from typing import Any

import numpy as np
from minigrad_kernels.launch import reference_is_forced
from minigrad_kernels.updates import UpdateRule

from minigrad import modes, switches
from minigrad.backend import Array
from minigrad.errors import ConfigError
from minigrad.memory import empty_apart
from minigrad.optim import binding, groups, program, saved
from minigrad.optim.binding import Slot
from minigrad.optim.clip import clip_factor
from minigrad.optim.parameters import HasParameters, Parameters, listed, named
from minigrad.optim.schedules import Schedule
from minigrad.optim.settings import above_zero, flag, from_zero, number, require
from minigrad.optim.share import Share, by_skipped, require_known, take_ready, tell_lost
from minigrad.optim.signature import Signature
from minigrad.optim.writing import plain, require_apart
from minigrad.source import here
from minigrad.tape import lost
from minigrad.tensor import Tensor

Rate = float | Callable[[int], float]
"""A learning rate: a number, or a schedule from the number of steps taken so far to one."""


Rule = Callable[..., tuple[Array, ...]] | None
"""A formula; None where an optimizer gives its own ``formula`` method."""


class Optimizer:
    """Base of the optimizers. A subclass is a formula, and whatever its constructor checks.

    Parameters
    ----------
    params : a Module, a dict from name to Tensor, or a list of Tensors (named by ``.name``, else ``param0`` …).
        A tensor whose ``requires_grad`` is off is left alone. Or a list of groups, dicts of such ``"params"`` and the
        settings that the group has of its own, ``lr`` too:
        ``Adam([{"params": body}, {"params": head, "lr": 0.01}], lr=1e-3)``.
    lr : the learning rate, or a schedule: a callable from the number of steps taken (0 at first) to the rate.
    weight_decay : λ of an L2 penalty, which adds λθ to the gradient (decoupled in AdamW).
    max_norm : clip the gradient's global 2-norm to this before the rule sees it, leaving ``.grad`` as it is;
        None for no clipping.
    fast : run the compiled kernel rather than the plain formula; the results are the same bits.
    allow_unused : leave a parameter as it is in the steps in which it has no gradient, though it never had one, rather
        than raise MG-209.
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

    A parameter that had a gradient in an earlier step and has none in this one (heads that are used by turns), or that
    only took part in a derivative that the loss is made of (``create_graph=True``), is left as it is: no decay, no
    momentum, and the step does not count for it, as in PyTorch.

    ``opt.param_groups`` are the groups, as dicts that can be read and written (one group where none were given),
    ``add_param_group`` adds one. ``opt.lr = 0.01`` goes to every group without a rate of its own; other attributes are
    the defaults of the groups. ``opt.rate`` and ``opt.last_rate`` are the first group's. Clipping by ``max_norm`` is
    over all groups.

    ``opt.state["fc1.weight"]["m"]`` is a parameter's state, an array of its shape and dtype, zero at first (to
    change it, write into it); ``opt.t`` counts the steps taken, and ``opt.last_rate`` is the rate of the last (NaN
    before the first). Where a parameter is of float16, in which ε and squares of gradients are 0, its state is of
    float32, and so is all arithmetic; the new parameter is rounded once.

    Raises MG-501 where there are no parameters, MG-507 where a setting is out of its range and MG-517 where a group of
    parameters is none.
    """

    rule: Rule = None
    """The formula."""
    state_names: tuple[str, ...] = ()
    """The state of a parameter, in the order in which the formula takes it; by default what its signature says."""
    rate_name: str = "rate"
    """What the formula calls the learning rate."""

    _members: tuple[Optimizer, ...] = ()  # one for each group of parameters, where there are groups
    _own: frozenset[str] = frozenset()  # the settings that a member's group has of its own
    _extra: tuple[str, ...] = ()  # the rule's settings that were given to __init__ by name
    _uneven = False  # whether parameters may have skipped steps
    _skipped = 0  # the steps that those have skipped that are being updated

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
        allow_unused: bool = False,
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
        self.allow_unused = flag("allow_unused", allow_unused)
        params = listed(params)
        given = groups.given(params)
        tensors = {} if given else named(params)
        for name, tensor in tensors.items():
            self.require_fitting(name, tensor)
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
        for group in given:
            self._add(group)

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
        self._extra = tuple(name for name in self.setting_names if name in settings)
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

    def require_fitting(self, name: str, tensor: Tensor) -> None:
        """Raise MG-507 where the rule cannot update this parameter; most take any."""

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
        for member in self._members:
            if "lr" not in member._own:
                member.lr = lr

    @property
    def rate(self) -> float:
        """The learning rate of the next step, of the first group; MG-507 where a schedule gives none from 0."""
        if self._members:
            return self._members[0].rate
        lr = self._lr
        if not callable(lr):
            return lr
        rate = lr(self.t)
        if type(rate) is float and 0 <= rate < math.inf:
            return rate
        return from_zero(f"the rate that {lr!r} gives after {self.t} steps", rate)

    def step(self) -> None:
        """Update every parameter from its gradient, in place; all of them or, where a check fails, none.

        Raises MG-503 where no parameter has a gradient, MG-209 where one never had any (unless ``allow_unused``),
        MG-505 where a gradient or a state no longer fits its parameter, MG-511 where one is read-only, MG-512 where two
        lie on the same memory. Warns of gradients that were not zeroed (MG-201), of a model in eval mode (MG-502) and
        of a loss that is NaN or infinite (MG-408; not on a GPU, which would have to be waited for). Ctrl-C may fall
        between two parameters.
        """
        idle: list[Slot] = []
        work = []  # no comprehensions: each is a call, and this runs for every step
        for member in self._members or (self,):
            rule, own = take_ready(member, self.t, idle)
            work.append((member, rule, own))
        ready = own if len(work) == 1 else [pair for _, _, part in work for pair in part]
        if idle or not ready:
            require_known(self, idle, ready)
        for member, _, _ in work:
            if not member._apart:
                require_apart((slot.name, slot.bound.theta) for slot, _ in ready)
                break
        if (trace := switches.tracing.get()) is not None:
            trace.update(self, work, idle)
            return
        clip: Array = 1.0
        if self.max_norm is not None:
            clip = clip_factor([g for _, g in ready], self.max_norm)
        shares: list[Share] = []
        for member, rule, own in work:
            member._apart = True
            rate = member.last_rate = member.rate
            if self._uneven:
                shares += by_skipped(member, rule, own, rate)
            elif own:
                shares.append(Share(member, rule, own, rate, self.t + 1))
        self.last_rate = work[0][0].last_rate
        if (loss := lost.get()) is not None:
            tell_lost(self, *loss, self.last_rate)
        hooks = modes.hooked.get().update
        seen = [update for share in shares for update in share.seen(clip)] if hooks else ()
        prepared = []
        for share in shares:
            prepared.append(share.prepare(clip))  # noqa: PERF401
        for share, numbers in zip(shares, prepared, strict=True):
            share.write(numbers)
        self.t += 1
        for member in self._members:
            member.t = self.t  # so that its rate is that of the next step too
        if idle:
            self.skip(idle)
        location = here()
        for slot, _ in ready:
            tensor = slot.tensor
            tensor.version.written(location, "step")
            tensor.stepped_passes = tensor.grad_passes
        for update in seen:
            for hook in hooks:
                hook(update)

    def skip(self, idle: Iterable[Slot]) -> None:
        """Note that a step did not count for these parameters."""
        for slot in idle:
            slot.skipped += 1
            self._uneven = True

    @property
    def param_groups(self) -> list[groups.Group]:
        """The groups of parameters, each a dict of its ``"params"`` and its settings, which may be written."""
        return [groups.Group(member) for member in self._members or (self,)]

    @property
    def schedules(self) -> list[Schedule]:
        """The schedules of all groups, each once: those that may want to see a validation loss, by ``observe``."""
        rates = [member._lr for member in self._members or (self,)]
        return list({id(lr): lr for lr in rates if isinstance(lr, Schedule)}.values())

    def add_param_group(self, group: Mapping[str, Any]) -> None:
        """Add a group of parameters: a dict of its ``"params"`` and the settings that it has of its own.

        Its parameters count their steps from here on; a schedule goes on counting the optimizer's. Raises MG-517 where
        a parameter is in another group already or a setting is not known, MG-507 where a setting is out of its range.
        """
        if not self._members:
            made = groups.member(self, group, 1)
            first = object.__new__(type(self))  # no copy(): its parameters are bound to these very vectors
            vars(first).update(vars(self), _own=frozenset(groups.options(self)))
            self._members, self._slots, self.state = (first,), [*self._slots], {**self.state}
            self._take_in(made)
        else:
            self._add(group)

    def _add(self, group: Mapping[str, Any]) -> None:
        self._take_in(groups.member(self, group, len(self._members)))

    def _take_in(self, made: Optimizer) -> None:
        self._members = (*self._members, made)
        self._slots += made._slots
        self.state |= made.state
        self._uneven = self._uneven or self.t > 0

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


def _zeros(theta: Array, k: int) -> Array:
    dtype = binding.state_dtype(theta)
    if type(plain(theta)) is not np.ndarray:
        return np.zeros_like(theta, dtype=dtype)
    zeros = empty_apart(theta.shape, dtype, place=1 + k)
    zeros[...] = 0
    return zeros
