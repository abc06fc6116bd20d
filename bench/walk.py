"""The walk of one batch of ``mlp-dropout`` through the trainer: the Python that a reader goes through, counted.

Counted from the end of one update to the end of the next, callbacks of the run included: calls of functions written in
Python in this repository (the resumption of a generator is one; what Numba compiled is none), how deep they are nested
below ``Trainer.fit``, in how many files they stand, and how often the walk goes from one file to another.

    python -m bench.walk               # the four figures, of an eager batch
    python -m bench.walk --compiled    # of one that a program replays
    python -m bench.walk --show        # the walk itself, indented
"""

from __future__ import annotations

import gc
import sys
from itertools import pairwise
from pathlib import Path
from types import FrameType
from typing import Any

from minigrad.train.build import build
from minigrad.train.callbacks import Callback
from minigrad.train.config import Config

STEP = 12
"""The update whose batch is counted: the first is in debug mode, and the arrays of the first few are made."""


_OURS = [
    Path(__file__).parents[1] / folder for folder in ("minigrad", "kernels")
]  # no environment beside them


class Walk(Callback):
    """Counts what runs between the ends of two updates."""

    def __init__(self) -> None:
        self.calls: list[tuple[int, str, str]] = []

    def on_step_end(self, trainer: Any) -> None:
        if trainer.step == STEP - 1:
            gc.collect()
            gc.disable()  # the finalizers of earlier arrays are no part of the walk
            sys.setprofile(self._note)
        elif trainer.step == STEP:
            sys.setprofile(None)
            gc.enable()

    def _note(self, frame: FrameType, event: str, argument: Any) -> None:
        code = frame.f_code
        if event == "call" and code is not Walk.on_step_end.__code__ and _is_ours(frame):
            self.calls.append((_depth(frame), code.co_filename, code.co_qualname))

    def needs_gradients(self, trainer: Any) -> bool:
        """Never."""
        return False

    @property
    def depth(self) -> int:
        return max(depth for depth, _, _ in self.calls)

    @property
    def files(self) -> list[str]:
        return sorted({file for _, file, _ in self.calls})

    @property
    def changes(self) -> int:
        files = [file for _, file, _ in self.calls]
        return sum(one != other for one, other in pairwise(files))


def _is_ours(frame: FrameType) -> bool:
    """Not the standard library's nor NumPy's, nor the frame without a caller that a compiled loop shows."""
    path = Path(frame.f_code.co_filename)
    return frame.f_back is not None and any(map(path.is_relative_to, _OURS))


def _depth(frame: FrameType | None) -> int:
    depth = 0
    while frame is not None and frame.f_code.co_name != "fit":
        depth, frame = depth + 1, frame.f_back
    return depth


def walk(recipe: str = "mlp-dropout", compiled: bool = False) -> Walk:
    """Train for an epoch and count one of its batches."""
    counted = Walk()
    session = build(Config(recipe=recipe, data="digits", epochs=1, validation=0.1), compile=compiled)
    session.trainer.callbacks.append(counted)
    session.trainer.fit(session.loader, session.data.validation, 1)
    return counted


def main() -> None:
    counted = walk(compiled="--compiled" in sys.argv)
    if "--show" in sys.argv:
        for depth, file, name in counted.calls:
            print(f"{'  ' * depth}{name}  [{'/'.join(Path(file).parts[-2:])}]")
    print(
        f"{len(counted.calls)} calls, {counted.depth} deep, in {len(counted.files)} files, "
        f"{counted.changes} changes of file"
    )


if __name__ == "__main__":
    main()
