"""Run somebody's program until chosen steps of its training are recorded.

A step of training ends with the updates of the optimizers that its gradients were for; without an optimizer it ends
with its walk back. The program stops behind the last step that is wanted.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from minigrad import modes
from minigrad.optim import Optimizer
from minigrad.optim import Update as EngineUpdate
from minigrad.records import Record
from minigrad.tape import Step
from minigrad.tensor import Tensor
from minigrad.viz.recorder import Recorder
from minigrad.viz.recording import Recording
from minigrad.viz.trace import Backward, Forward, Seed, Update, moved


class _Enough(BaseException):
    """Ends a program whose steps are recorded; no ``except Exception`` of the program's catches it."""


@dataclass
class Run:
    """What a program did: the trace, how many steps it took, whether it was ended behind the last one wanted."""

    trace: Recording
    taken: int
    ended: bool


def run(
    code: CodeType,
    path: Path,
    name: str,
    *,
    at: int = 1,
    steps: int = 1,
    arguments: Sequence[str] = (),
    inside: str = "",
    progress: Callable[[int], None] = lambda step: None,
) -> tuple[Run, dict[str, Any]]:
    """Run a program as the module ``name`` and record ``steps`` steps from number ``at`` on; return its names too.

    What does not train is recorded whole. Where ``inside`` names a function of the program, only what runs
    in that counts. ``arguments`` are its ``sys.argv[1:]``. ``progress`` is called at the end of each step. What the
    program raises is raised.
    """
    recorder = Recorder(sys._getframe(), path.name)
    watch = _Watch(recorder, at, steps, (inside, code.co_filename), progress)
    module = ModuleType(name)
    module.__file__ = str(path)
    ended = False
    try:
        with _as_program(module, path, arguments), watch.hooks():
            exec(code, module.__dict__)
    except _Enough:
        ended = True
    except SystemExit as left:
        if left.code not in (None, 0) and not recorder.trace.events:
            raise
    finally:
        recorder.finish()
    trace, taken = recorder.trace, watch.taken + bool(watch.received or watch.updated)
    if ended or any(isinstance(event, Update) for event in trace.events):
        trace = training_alone(trace)
    return Run(trace, taken, ended or watch.taken == watch.last), module.__dict__


def call(
    step: Callable[[], Any],
    title: str,
    *,
    at: int = 1,
    steps: int = 1,
    progress: Callable[[int], None] = lambda step: None,
) -> Recording:
    """Call a function until ``at + steps - 1`` calls are made, and record the last ``steps`` of them."""
    for number in range(1, at):
        step()
        progress(number)
    recorder = Recorder(sys._getframe(), title)
    try:
        with recorder.hooks():
            for number in range(at, at + steps):
                recorder.settle()
                recorder.trace.starts.append(len(recorder.trace.events))
                step()
                progress(number)
    finally:
        recorder.finish()
    return recorder.trace


@contextmanager
def _as_program(module: ModuleType, path: Path, arguments: Sequence[str]) -> Iterator[None]:
    """Let the module be found as Python would have it: among the modules, with its folder and its arguments."""
    before, argv, search = sys.modules.get(module.__name__), sys.argv, list(sys.path)
    if before is None or module.__name__ == "__main__":
        sys.modules[module.__name__] = module
    sys.argv = [str(path), *arguments]
    sys.path.insert(0, str(path.resolve().parent))
    try:
        yield
    finally:
        sys.argv, sys.path[:] = argv, search
        if before is not None:
            sys.modules[module.__name__] = before
        else:
            sys.modules.pop(module.__name__, None)


class _Watch:
    """Counts steps, tells the recorder of those that are wanted, and ends the program behind the last."""

    def __init__(
        self,
        recorder: Recorder,
        at: int,
        steps: int,
        inside: tuple[str, str],
        progress: Callable[[int], None],
    ) -> None:
        self.recorder, self.at, self.last = recorder, at, at + steps - 1
        self.inside, self.progress = inside, progress
        self.taken = 0
        self.updated: set[int] = set()  # ids of the parameters that were updated in this step
        self.received: dict[int, Tensor] = {}  # what has received a gradient in this step
        self.before = _optimizers()  # held, so that no other gets the id of one of them

    def hooks(self) -> Any:
        return modes.hooks(self.forward, self.backward, self.accumulate_grad, self.update)

    @property
    def _wanted(self) -> bool:
        return self.taken >= self.at - 1

    def forward(self, record: Record, output: Tensor) -> None:
        if not self._counts():
            return
        if self.updated or (self.received and not self._waiting()):
            self._end_step()
        self._begin()
        if self._wanted:
            self.recorder.forward(record, output)

    def backward(self, step: Step) -> None:
        if not self._counts():
            return
        if self.updated:
            self._end_step()
        self._begin()
        if self._wanted:
            self.recorder.backward(step)

    def accumulate_grad(self, tensor: Tensor, before: Any) -> None:
        if not self._counts():
            return
        self.received[id(tensor)] = tensor
        if self._wanted:
            self.recorder.accumulate_grad(tensor, before)

    def update(self, update: EngineUpdate) -> None:
        if not self._counts():
            return
        self._begin()
        if self._wanted:
            self.recorder.update(update)
        self.updated.add(id(update.tensor))
        slots = update.optimizer._slots  # those without a gradient are left out of this step
        own = [slot.tensor for slot in slots if slot.tensor.requires_grad and slot.tensor._grad is not None]
        if self.taken + 1 == self.last and update.tensor is own[-1] and not self._waiting():
            self._end_step()

    def _counts(self) -> bool:
        """Tell whether what happens belongs to what is recorded; after the last step it must not happen."""
        if self.taken >= self.last:
            raise _Enough
        name, file = self.inside
        frame = sys._getframe(2)
        while name and not (frame.f_code.co_name == name and frame.f_code.co_filename == file):
            if frame.f_back is None:
                return False
            frame = frame.f_back
        return True

    def _begin(self) -> None:
        trace = self.recorder.trace
        if self._wanted and len(trace.starts) <= self.taken - self.at + 1:
            trace.starts.append(len(trace.events))

    def _end_step(self) -> None:
        self.recorder.settle()
        self.taken += 1
        self.updated, self.received = set(), {}
        self.progress(self.taken)
        if self.taken >= self.last:
            raise _Enough

    def _waiting(self) -> bool:
        """Tell whether an optimizer has still to use a gradient of this step."""
        known = set(map(id, self.before))
        return any(
            id(slot.tensor) in self.received and id(slot.tensor) not in self.updated
            for optimizer in _optimizers()
            if id(optimizer) not in known
            for slot in optimizer._slots
        )


def _optimizers() -> list[Optimizer]:
    return [
        found for found in gc.get_objects() if issubclass(type(found), Optimizer) and "_slots" in vars(found)
    ]


def training_alone(trace: Recording) -> Recording:
    """Return a trace without the operations that led to no loss, such as those of an evaluation before the training."""
    kept = {event.node for event in trace.events if not isinstance(event, Forward)}
    kept |= {event.input for event in trace.events if isinstance(event, Backward)}
    if not any(isinstance(event, Seed) for event in trace.events):
        return trace
    for node in reversed(trace.nodes):
        if node.index in kept:
            kept.update(i for i in (*node.inputs, node.earlier) if i is not None)
    new = {node.index: k for k, node in enumerate(node for node in trace.nodes if node.index in kept)}
    made = Recording(trace.title)
    made.source, made.layers = trace.source, trace.layers
    for node in trace.nodes:
        if node.index in kept:
            inputs = tuple(None if i is None else new[i] for i in node.inputs)
            earlier = None if node.earlier is None else new[node.earlier]
            made.nodes.append(replace(node, index=new[node.index], inputs=inputs, earlier=earlier))
    starts = iter((*trace.starts, len(trace.events)))
    start = next(starts)
    for event in trace.events:
        while event.index >= start:
            made.starts.append(len(made.events))
            start = next(starts)
        if event.node in kept:
            made.events.append(moved(event, len(made.events), new))
    return made
