"""What all optimizers share: the parameters, their state, the checks, and one step over all of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any, NamedTuple
from weakref import ref

import numpy as np
from minigrad_kernels import gpu, updates
from minigrad_kernels.launch import Kernel, is_shared_out, reference_is_forced

from minigrad import backend, modes
from minigrad.backend import Array
from minigrad.errors import GradientError, OptimizerError, warn
from minigrad.memory import empty_apart
from minigrad.ops.half import wide
from minigrad.optim import formulas
from minigrad.optim.clip import clip_factor
from minigrad.optim.parameters import HasParameters, Parameters, named
from minigrad.optim.saved import differences, with_schedule
from minigrad.optim.schedules import Schedule
from minigrad.optim.settings import above_zero, flag, from_zero, require
from minigrad.optim.writing import misfit, plain, read_only, require_apart
from minigrad.source import here
from minigrad.tape import lost
from minigrad.tensor import Tensor

Rate = float | Callable[[int], float]
"""A learning rate: a number, or a schedule from the number of steps taken so far to one."""


class Update(NamedTuple):
    """One parameter's share of a step, as ``mg.hooks(update=…)`` sees it: what the step started from, all copies.

    ``tensor`` holds the new parameter, ``optimizer.state[name]`` the new state, ``g`` the gradient as it was in
    ``.grad``: before clipping by ``clip`` and without the L2 penalty's part.
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


class Optimizer:
    """Base of the optimizers. A subclass names its state and gives its rule twice, as formula and as kernel.

    Parameters
    ----------
    params : a Module, a dict from name to Tensor, or a list of Tensors (named by ``.name``, else ``param0`` …).
        A tensor whose ``requires_grad`` is off is left alone.
    lr : the learning rate, or a schedule: a callable from the number of steps taken (0 at first) to the rate.
    weight_decay : λ of an L2 penalty, which adds λθ to the gradient (decoupled in AdamW).
    max_norm : clip the gradient's global 2-norm to this before the rule sees it, leaving ``.grad`` as it is;
        None for no clipping.
    fast : run the compiled kernel rather than the plain formula; the results are the same bits.

    ``opt.state["fc1.weight"]["m"]`` is a parameter's state, an array of its shape and dtype, zero at first (to
    change it, write into it); ``opt.t`` counts the steps taken. Where a parameter is of float16, in which ε and squares
    of gradients are 0, its state is of float32, and so is all arithmetic; the new parameter is rounded once.

    Raises MG-501 where there are no parameters and MG-507 where a setting is out of its range.
    """

    kernel: Kernel
    """The kernel of this rule."""
    state_names: tuple[str, ...] = ()
    """The state of a parameter, in the order in which the rule takes it."""

    def __init__(
        self,
        params: Parameters,
        lr: Rate,
        *,
        weight_decay: float = 0.0,
        max_norm: float | None = None,
        fast: bool = True,
    ) -> None:
        self.lr = lr
        self.weight_decay = from_zero("weight_decay", weight_decay)
        self.max_norm = None if max_norm is None else above_zero("max_norm", max_norm, "above 0, or None")
        self.fast = flag("fast", fast)
        tensors = named(params)
        self.t = 0
        self.state = {
            name: {key: _zeros(tensor.data, k) for k, key in enumerate(self.state_names)}
            for name, tensor in tensors.items()
        }
        self._module = params if isinstance(params, HasParameters) else None
        self._slots = [_Slot(name, tensor, self.state[name]) for name, tensor in tensors.items()]
        self._hypers: dict[np.dtype[Any], Array] = {}
        self._forced = reference_is_forced()
        self._apart = False  # whether the parameters were seen not to share memory

    # -- what a subclass gives ----------------------------------------------------------------------------

    def hyper(self, clip: Array, rate: float, t: int) -> tuple[Any, ...]:
        """Return the kernel's coefficients for step ``t`` (1, 2, …), in the order of its ``LAYOUT``."""
        raise NotImplementedError

    def formula(self, theta: Array, g: Array, *state: Array, rate: float, t: int) -> tuple[Array, ...]:
        """Return the new parameter and its new state at step ``t``, by the plain formula."""
        raise NotImplementedError

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
            warn("MG-502", _EVAL_MODE)
        ready = self._ready()
        clip: Array = 1.0
        if self.max_norm is not None:
            clip = clip_factor([g for _, g in ready], self.max_norm)
        rate = self.rate
        if (loss := lost.get()) is not None:
            self._tell_lost(*loss, rate)
        hooks = modes.hooked.get().update
        seen = [self._seen(slot, g, clip, rate) for slot, g in ready] if hooks else ()
        if self.fast:
            self._run_kernel(ready, self.hyper(clip, rate, self.t + 1))
        else:
            self._run_formula(ready, clip, rate)
        self.t += 1
        location = here()
        for slot, _ in ready:
            slot.tensor.bump_version(location, "step")
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
        found: dict[str, Any] = {"optimizer": type(self).__name__, "t": self.t}
        if isinstance(self.lr, Schedule):
            if memory := self.lr.state():
                found["schedule"] = memory
        elif not callable(self.lr):
            found["lr"] = self.lr
        for name, arrays in self.state.items():
            found |= {f"{name}.{key}": np.array(backend.to_numpy(a)) for key, a in arrays.items()}
        return found

    def load_state_dict(self, saved: Mapping[str, Any]) -> None:
        """Take up what ``state_dict`` returned, exactly; all of it or, on an error, nothing.

        Raises OptimizerError MG-506, naming every key, where it is from another optimizer or other parameters.
        """
        own = self.state_dict()
        arrays = [
            (f"{name}.{key}", array) for name, state in self.state.items() for key, array in state.items()
        ]
        wrong = [f"it is a {type(saved).__name__}, expected a dict"]
        if isinstance(saved, Mapping):
            saved = with_schedule(saved, own)
            wrong = differences(own, saved)
        if wrong:
            raise OptimizerError(
                "MG-506",
                f"this state does not fit the {type(self).__name__}: {'; '.join(wrong)}. "
                "Build the optimizer as it was built when the state was saved: same class, settings and model.",
            )
        for key, array in arrays:
            if type(array) is np.ndarray and not array.flags.writeable:
                raise read_only(key, array)
        ready = [(array, backend.to_device(saved[key], backend.device_of(array))) for key, array in arrays]
        if "schedule" in own and isinstance(self.lr, Schedule):
            self.lr.load_state(saved["schedule"])
        if "lr" in own:
            self.lr = saved["lr"]
        self.t = int(saved["t"])
        for array, new in ready:
            array[...] = new

    # -- one step -----------------------------------------------------------------------------------------

    def _ready(self) -> list[tuple[_Slot, Array]]:
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
            theta = tensor._data  # not .data: this runs for every parameter of every step
            g = grad._data if isinstance(grad, Tensor) else grad
            if theta is not slot.theta:
                self._bind(slot, theta)
            if slot.on_host and not theta.flags.writeable:
                raise read_only(slot.name, theta)
            if g.shape != slot.shape or g.dtype != slot.dtype or type(g) is not slot.kind:
                if g.shape != slot.shape or g.dtype != slot.dtype or type(plain(g)) is not slot.kind:
                    raise misfit(slot.name, "its gradient", theta, g)
                g = plain(g)
            if tensor.grad_passes > tensor.expected_passes:
                warn("MG-201", _too_many_passes(slot.name, tensor.grad_passes))
            ready.append((slot, g))
        if not ready:
            raise OptimizerError(
                "MG-501",
                f"none of the optimizer's {len(self._slots)} parameters requires a gradient, so there is nothing "
                "to optimise. Switch one on: p.requires_grad_(True).",
            )
        if not self._apart:
            require_apart((slot.name, slot.theta) for slot, _ in ready)
            self._apart = True
        return ready

    def _bind(self, slot: _Slot, theta: Array) -> None:
        """Pick the kernel's implementation for the array that a parameter holds now, and take flat views for it."""
        array = plain(theta)
        for key, state in slot.state.items():
            if (
                state.shape != theta.shape
                or state.dtype != _precise(theta)
                or type(plain(state)) is not type(array)
            ):
                raise misfit(slot.name, "its state in the optimizer", theta, state)
            if isinstance(state, np.ndarray) and not state.flags.writeable:
                raise read_only(f"{slot.name}.{key}", state)
        slot.theta, slot.shape, slot.dtype, slot.kind = theta, theta.shape, theta.dtype, type(array)
        slot.on_host = isinstance(theta, np.ndarray)
        self._apart = False
        slot.flat, slot.hyper = (array, *map(plain, slot.state.values())), None
        slot.update = slot.shared_update = self.kernel
        slot.place = None
        if theta.dtype == np.float16:
            slot.update = slot.shared_update = _through_float32(self.kernel)
        elif all(type(a) is np.ndarray and a.flags.c_contiguous for a in slot.flat):
            slot.flat = tuple(a.reshape(-1) for a in slot.flat)
            slot.hyper = self._hypers.setdefault(slot.dtype, np.array(self.hyper(1.0, 0.0, 1), slot.dtype))
            slot.update = self.kernel.pick(*slot.flat, slot.hyper)
            slot.shared_update = self.kernel.on_several_threads(slot.update, theta.size)
        elif self.kernel.pick(*slot.flat) is self.kernel.gpu and all(a.flags.c_contiguous for a in slot.flat):
            slot.place = backend.device_of(theta), theta.dtype

    def _run_kernel(self, ready: list[tuple[_Slot, Array]], coefficients: tuple[Any, ...]) -> None:
        for hyper in self._hypers.values():
            hyper[:] = coefficients
        together: dict[tuple[str, np.dtype[Any]], list[tuple[Array, ...]]] = {}
        for slot, g in ready:
            theta, *state = slot.flat
            if slot.place is not None:
                together.setdefault(slot.place, []).append((theta, gpu.contiguous(g), *state))
            elif slot.hyper is None:
                slot.update(theta, g, *state, coefficients)
            else:
                update = slot.shared_update if is_shared_out(g) else slot.update
                update(theta, g.ravel(), *state, slot.hyper)

        for parameters in together.values():
            updates.update_all(self.kernel.name, parameters, coefficients)

    def _run_formula(self, ready: list[tuple[_Slot, Array]], clip: Array, rate: float) -> None:
        updated = []
        for slot, g in ready:
            theta, state = wide(slot.theta), slot.state.values()
            g = formulas.effective_gradient(wide(g), theta, clip=clip, l2=self.l2)
            updated.append(self.formula(theta, g, *state, rate=rate, t=self.t + 1))
        for (slot, _), arrays in zip(ready, updated, strict=True):
            for old, new in zip((slot.theta, *slot.state.values()), arrays, strict=True):
                old[...] = new

    def _tell_lost(self, loss: float, leaves: list[ref[Tensor]], rate: float) -> None:
        reached = {id(leaf()) for leaf in leaves}
        if any(id(slot.tensor) in reached for slot in self._slots):
            warn("MG-408", _lost(loss, self.t + 1, rate))

    def _seen(self, slot: _Slot, g: Array, clip: Array, rate: float) -> Update:
        state = {key: array.copy() for key, array in slot.state.items()}
        return Update(
            self, slot.name, slot.tensor, slot.theta.copy(), g.copy(), state, clip, rate, self.t + 1
        )

    def _no_gradient(self) -> GradientError | OptimizerError:
        trained = [slot for slot in self._slots if slot.tensor.requires_grad]
        missing = [slot.name for slot in trained if slot.tensor.grad is None]
        used = [slot.name for slot in trained if slot.tensor.grad is not None]
        if not used:
            return OptimizerError(
                "MG-503",
                f"step() before backward(): none of the {len(trained)} parameters has a gradient. An update needs "
                "dJ/dθ, which backward() computes and zero_grad() throws away. "
                "The order is: opt.zero_grad(); loss.backward(); opt.step(), each with its parentheses.",
            )
        unused = [layer for layer in _layers(missing) if layer not in _layers(used)] or missing
        return GradientError(
            "MG-209",
            f"{', '.join(missing)} {'has' if len(missing) == 1 else 'have'} no gradient: {', '.join(unused)} "
            f"{'was' if len(unused) == 1 else 'were'} not used in computing the loss. "
            f"Used: {', '.join(_layers(used))}. Use it in forward, leave it out of the optimizer, or freeze it: "
            "p.requires_grad_(False).",
        )


class _Slot:
    """A parameter, its state, and what is known of the array that it holds at the moment."""

    def __init__(self, name: str, tensor: Tensor, state: dict[str, Array]) -> None:
        self.name = name
        self.tensor = tensor
        self.state = state
        self.release()

    def release(self) -> None:
        """Forget the array, so that the next step binds anew."""
        self.theta: Array = None
        self.shape: tuple[int, ...] = ()
        self.dtype: np.dtype[Any] | None = None
        self.kind: type | None = None
        self.on_host = False
        self.update: Callable[..., None] | Any = None
        self.shared_update: Callable[..., None] | Any = None  # for a gradient that several threads wrote
        self.hyper: Array = None  # the coefficients as an array; None where the kernel gets them as a tuple
        self.place: tuple[str, np.dtype[Any]] | None = None  # of those that one launch on a GPU updates
        self.flat: tuple[Array, ...] = ()  # theta and its state, as 1-D views where there is a hyper

    def __reduce__(self) -> tuple[type[_Slot], tuple[str, Tensor, dict[str, Array]]]:
        return _Slot, (self.name, self.tensor, self.state)

    def __deepcopy__(self, memo: dict[int, Any]) -> _Slot:
        # A deep copy of a view is no view any more: the copy has to bind anew.
        return _Slot(self.name, deepcopy(self.tensor, memo), deepcopy(self.state, memo))


def _precise(theta: Array) -> np.dtype[Any]:
    """The dtype of a parameter's state, and of the arithmetic that updates it."""
    dtype: np.dtype[Any] = theta.dtype
    return np.dtype("float32") if dtype == np.float16 else dtype


def _through_float32(kernel: Kernel) -> Callable[..., None]:
    def update(theta: Array, g: Array, *rest: Any) -> None:
        precise = wide(theta)
        kernel(precise, wide(g), *rest)
        theta[...] = precise

    return update


def _zeros(theta: Array, k: int) -> Array:
    if type(plain(theta)) is not np.ndarray:
        return np.zeros_like(theta, dtype=_precise(theta))
    zeros = empty_apart(theta.shape, _precise(theta), place=1 + k)
    zeros[...] = 0
    return zeros


_EVAL_MODE = (
    "step() in eval mode: dropout was off when the gradient was computed. Call model.train() before the forward "
    "pass of a training step, and model.eval() before evaluation."
)


def _too_many_passes(name: str, passes: int) -> str:
    return (
        f"{name}.grad is the sum of {passes} backward passes when step() was called. "
        f"Call opt.zero_grad() each iteration, or use 'with mg.accumulate({passes}):' if intended."
    )


def _lost(loss: float, t: int, rate: float) -> str:
    return (
        f"the loss is {loss} at step {t} (lr = {rate:.4g}). What follows from it is no training any more: a NaN in a "
        "gradient makes the parameters NaN for good. Run the forward pass inside 'with mg.debug():', which names the "
        "operation where the first one appears. A logarithm or a division of 0, or a rate that is too large?"
    )


def _layers(names: list[str]) -> list[str]:
    return list(dict.fromkeys(name.rpartition(".")[0] or name for name in names))
