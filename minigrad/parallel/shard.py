"""Who works on which samples: each batch is cut into one piece a process, and so is every draw of a dropout mask."""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

import numpy as np


class Shard(NamedTuple):
    """The rows ``start`` to ``stop`` of a batch of ``total``, and their share ``weight`` of the batch's mean.

    A batch with fewer samples than processes leaves some without one. They work on its first row with weight 0, so
    that every process takes the same steps.
    """

    start: int
    stop: int
    total: int
    weight: float

    @property
    def rows(self) -> slice:
        """The rows, to index with."""
        return slice(self.start, self.stop)


def shard(rank: int, size: int, total: int) -> Shard:
    """Return the piece of process ``rank`` of ``size``: pieces differ by one row at most, and follow one another.

    The gradient of the batch's mean loss is Σ weight · (gradient of the piece's mean loss), weight = rows / total.
    """
    start, stop = rank * total // size, (rank + 1) * total // size
    if start == stop:
        return Shard(0, 1, total, 0.0)
    return Shard(start, stop, total, (stop - start) / total)


class ShardedGenerator(np.random.Generator):
    """A generator that draws, of the numbers for a whole batch, only the rows of the present ``shard``.

    A single process fills the batch's mask row by row. Here each process leaps over the rows of the others (PCG64 can
    leap any distance at once), draws its own, and leaps to the end: together they have the single process's mask,
    and all generators are in the single process's state afterwards. With no ``shard`` it draws like any other.
    """

    shard: Shard | None = None

    def __init__(self, seed: np.random.SeedSequence) -> None:
        super().__init__(np.random.PCG64(seed))

    @property
    def samples_before(self) -> int:
        """How many of the batch's samples come before the shard's."""
        return 0 if self.shard is None else self.shard.start

    def random(self, size: Any = None, dtype: Any = np.float64, out: Any = None) -> Any:  # type: ignore[override]
        """Draw floats from [0, 1) of shape ``size`` = (rows of the shard, ...), as ``Generator.random``."""
        if self.shard is None:
            return super().random(size, dtype, out)
        start, stop, total, _ = self.shard
        if out is not None or not isinstance(size, tuple) or not size or size[0] != stop - start:
            raise ValueError(f"a shard of {stop - start} rows cannot draw numbers of shape {size}")
        leap = self._leap_halves if np.dtype(dtype) == np.float32 else self._leap_wholes
        row = prod(size[1:])
        leap(start * row)
        drawn = super().random(size, dtype)
        leap((total - stop) * row)
        return drawn

    def _leap_halves(self, count: int) -> None:
        """Leave out so many draws of 32 bits: PCG64 makes 64 at a time and keeps the second half for later."""
        if count and self.bit_generator.state["has_uint32"]:
            super().random(dtype=np.float32)
            count -= 1
        if count >= 2:
            self.bit_generator.advance(count // 2)  # type: ignore[attr-defined]
        if count % 2:
            super().random(dtype=np.float32)

    def _leap_wholes(self, count: int) -> None:
        """Leave out so many draws of 64 bits, which pass over a half that is kept; ``advance`` would drop it."""
        before = self.bit_generator.state
        self.bit_generator.advance(count)  # type: ignore[attr-defined]
        kept = {name: before[name] for name in ("has_uint32", "uinteger")}
        self.bit_generator.state = {**self.bit_generator.state, **kept}
