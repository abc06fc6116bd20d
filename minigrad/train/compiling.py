"""The updates of a training as a compiled step: where they can be one, and why not where they cannot."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad import backend, modes, switches
from minigrad.errors import MinigradError, ProgramError, warn
from minigrad.optim import clip_grad_value
from minigrad.program import Compiled
from minigrad.program.batches import Batches
from minigrad.program.stretches import Stretches
from minigrad.tensor import Tensor, unwrap

if TYPE_CHECKING:
    from minigrad.train.training import Training

PROGRAMS = 8
"""For two sizes of batches, with a state carried on or none, and parameters frozen meanwhile."""
_WATCHED = (
    "every operation is watched (mg.hooks, mg.record, mg.debug, mg.unfused or the masks of pruned weights)"
)


class NotFinite(Exception):
    """The loss of a batch is no finite number; ``before`` are those of the update's batches before it."""

    def __init__(self, before: list[float]) -> None:
        self.before = before


class Compiling:
    """Makes the updates of a training, by a compiled step where that gives the eager step's bits.

    ``wanted`` is True where a step that cannot be compiled shall raise ProgramError, False where none shall be
    compiled, and None where the eager step takes over then, which is told once (MG-649).

    The first update of a training is eager, since it runs in debug mode, and so is one whose gradients a callback
    wants to see now and then. A loss that is not finite ends both before the parameters are changed.
    """

    def __init__(self, wanted: bool | None = None) -> None:
        self.wanted = wanted
        self.reason = "compile=False" if wanted is False else ""
        self.count = 0
        self._step: Compiled | None = None
        self._stretches: Stretches | None = None
        self._made_for: Any = None
        self._watched = False
        self.failed: Exception | None = None

    @property
    def summary(self) -> str:
        """What ran: ``"compiled"``, or ``"eager: …"`` with the reason."""
        reason = self.reason or (_WATCHED if self._watched and not self.count else "")
        if self.count:
            return f"compiled, and after {self.count} updates eager: {reason}" if reason else "compiled"
        return f"eager: {reason or 'there was no update but the first, which is checked by debug mode'}"

    def refuse(self, reason: str) -> None:
        """Let every update be eager."""
        if self.wanted:
            raise ProgramError(
                "MG-637", f"the training's step cannot be compiled: {reason}. Leave out compile=True."
            )
        self.reason = self.reason or reason

    def updates(self, training: Training, batches: Batches) -> list[list[float]] | None:
        """Make the next updates, one at least, up to where somebody looks; return the losses of each one's batches.

        None where the next has to be eager. Raises NotFinite where a loss of the next is not finite; nothing is changed
        then. Where the step could not be compiled, ``failed`` says why: when the eager step has not raised either,
        ``give_up`` is for the caller to call.
        """
        if not self._may(training):
            return None
        step = self._made(training)
        if (
            self._stretches is None
            or self._stretches.batches is not batches
            or self._stretches.step is not step
        ):
            self._stretches = Stretches(step, batches)
        self._stretches.look_again()
        try:
            made = self._stretches.run(training.unwatched)
        except NotFinite:
            raise
        except Exception as error:
            if self.wanted or _has_gone_unverified(step, error):
                raise
            self.failed = error
            return None
        self.count += len(made)
        return [[loss.item() for loss in losses] for losses in made]

    def _may(self, training: Training) -> bool:
        if self.reason or training.step == 0:
            return False
        if training.device != "cpu":
            self.refuse(f"it runs on {training.device}, and programs are for the processor")
            return False
        if switches.is_watched():
            self._watched = True
            return False
        return training.leaves_gradients or not training.needs_gradients

    def _made(self, training: Training) -> Compiled:
        parts = (
            training.model, training.loss, training.optimizer, training.penalty, training.clip_value,
            training.loader.batch_size, training.leaves_gradients,
        )  # fmt: skip
        if self._step is None or any(
            a is not b and a != b for a, b in zip(parts, self._made_for, strict=True)
        ):
            self._made_for = parts
            step = step_of(*parts[:5])
            self._step = Compiled(step, grads=parts[-1], programs=PROGRAMS, strict=True)
        return self._step

    def give_up(self) -> None:
        """Let every update be eager from here on, and say why."""
        error, self.failed = self.failed, None
        about = error.message if isinstance(error, MinigradError) else f"{type(error).__name__}: {error}"
        self.reason = f"{error.code} {about}" if isinstance(error, MinigradError) else about
        warn(
            "MG-649",
            f"the training's step is eager from here on, with the same numbers but slower: {self.reason} "
            "Trainer(..., compile=False), or --no-compile, says that it shall be.",
        )


def step_of(
    model: Any, loss_of: Any, optimizer: Any, penalty: Any = None, clip_value: float | None = None
) -> Callable[[Any], list[Tensor]]:
    """Return the update of some batches (x, y) as a function that can be compiled: forward, backward, update."""

    def update(group: Any) -> list[Tensor]:
        optimizer.zero_grad()
        losses: list[Tensor] = []
        for x, y in group:
            loss = loss_of(model(Tensor(x)), y)
            if penalty is not None:
                loss = loss + penalty()
            if backend.found(~np.isfinite(unwrap(loss)), "the loss is not a finite number"):
                raise NotFinite([float(unwrap(each)) for each in losses])
            with nullcontext() if len(group) == 1 else modes.accumulate(len(group)):
                loss.backward()
            losses.append(loss)
        if clip_value is not None:
            clip_grad_value(model, clip_value)
        optimizer.step()
        return losses

    return update


def _has_gone_unverified(step: Compiled, error: Exception) -> bool:
    """Tell whether updates may be wrong that nobody has compared: then it is too late to go on eagerly."""
    return getattr(error, "code", "") == "MG-635" and any(program.calls > 4 for program in step)
