"""Small trainings that one process or several run alike; as a program, each rank writes what it ended with.

mpiexec -n 2 python -m mpi4py -m tests.parallel.trainings FOLDER memory|messages [NAME ...]
"""

from __future__ import annotations

import json
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from minigrad import nn, optim
from minigrad.data import DataLoader, Dataset, Noise, load_digits
from minigrad.optim import penalties
from minigrad.parallel import ALONE, Communicator, ShardedGenerator, join
from minigrad.parallel.shared import Slots
from minigrad.parallel.transport import MessageTransport
from minigrad.train.callbacks import EarlyStopping, GradientStatistics
from minigrad.train.synchronous import Synchronous
from minigrad.train.trainer import Trainer


class Training:
    """A network on 250 digits: batches of 32, the last of 26."""

    def __init__(
        self, communicator: Communicator, dtype: str, width: int = 128, dropout: float = 0.2
    ) -> None:
        seeds = np.random.SeedSequence(5).spawn(3)
        weights, self.batches = np.random.default_rng(seeds[0]), np.random.default_rng(seeds[2])
        alone = communicator is ALONE
        self.masks: Any = np.random.default_rng(seeds[1]) if alone else ShardedGenerator(seeds[1])
        self.communicator, self.dtype = communicator, dtype
        self.model = nn.Sequential(
            nn.Linear(64, width, rng=weights),
            nn.ReLU(),
            nn.Dropout(dropout, rng=self.masks),
            nn.Linear(width, 10, rng=weights),
        ).to(dtype)
        self.data, self.held_out = self._digits(0, 250), self._digits(250, 351)

    def _digits(self, start: int, stop: int) -> Dataset:
        part = load_digits().take(np.arange(start, stop))
        return Dataset(part.x.astype(self.dtype), part.y)

    def fit(self, optimizer: optim.Optimizer, epochs: int, batch: int = 32, **settings: Any) -> Trainer:
        validation, transform = settings.pop("validation", None), settings.pop("transform", None)
        arguments = (self.model, nn.CrossEntropyLoss(), optimizer)
        if self.communicator is ALONE:
            trainer = Trainer(*arguments, **settings)
        else:
            strategy = Synchronous(self.communicator, self.masks, check_every=20)
            trainer = Trainer(*arguments, strategy=strategy, **settings)
        loader = DataLoader(self.data, batch, rng=self.batches, transform=transform)
        trainer.fit(loader, validation, epochs)
        return trainer


def dropout_adam(communicator: Communicator, dtype: str = "float64") -> Trainer:
    """D4 with dropout and Adam, 104 steps; an odd width, so that the masks begin between two draws."""
    job = Training(communicator, dtype, width=127)
    return job.fit(optim.Adam(job.model, lr=0.001, eps=1e-7), 13, callbacks=[GradientStatistics()])


def dropout_adam_float32(communicator: Communicator) -> Trainer:
    return dropout_adam(communicator, "float32")


def clipped_accumulated(communicator: Communicator) -> Trainer:
    """Clipping by norm and by value, an L2 penalty, three batches an update, two in the epoch's last."""
    job = Training(communicator, "float64", dropout=0.0)
    weights = [p for name, p in job.model.named_parameters().items() if name.endswith("weight")]
    return job.fit(
        optim.SGD(job.model, lr=0.1, momentum=0.9, max_norm=0.5),
        34,
        accumulate=3,
        clip_value=0.05,
        penalty=lambda: penalties.l2(weights, 0.1, 250),
    )


def tiny_batches(communicator: Communicator) -> Trainer:
    """Batches of 3 with a last one of 1: some of four processes have no sample."""
    job = Training(communicator, "float64", width=16)
    return job.fit(optim.SGD(job.model, lr=0.05), 2, batch=3)


def wide(communicator: Communicator) -> Trainer:
    """Gradients of 2.6 MB, in several buckets."""
    job = Training(communicator, "float64", width=4400)
    return job.fit(optim.SGD(job.model, lr=0.05), 3)


def stopped_early(communicator: Communicator) -> Trainer:
    """Early stopping, a plateau schedule, and pictures with noise."""
    job = Training(communicator, "float64", width=32)
    optimizer = optim.Adam(job.model, lr=optim.ReduceLROnPlateau(0.05, patience=1, threshold=0.02))
    return job.fit(
        optimizer, 60, validation=job.held_out, callbacks=[EarlyStopping(3)], transform=Noise(0.05)
    )


TRAININGS: dict[str, Callable[[Communicator], Trainer]] = {
    each.__name__: each
    for each in (dropout_adam, dropout_adam_float32, clipped_accumulated, tiny_batches, wide, stopped_early)
}


def digest(trainer: Trainer) -> int:
    return zlib.crc32(b"".join(a.tobytes() for a in trainer.model.state_dict().values()))


def go_by(way: str, communicator: Communicator) -> None:
    """Let gradients be summed in shared "memory" or by "messages", and see to it that they are."""
    communicator.shares_memory = way == "memory"
    expected = {"memory": Slots, "messages": MessageTransport}[way]
    opened = communicator.transports

    def checked(*arguments: Any) -> Any:
        transports, close = opened(*arguments)
        assert {type(each) for each in transports} == {expected}
        return transports, close

    communicator.transports = checked  # type: ignore[method-assign]


def main() -> None:
    folder, names = Path(sys.argv[1]), sys.argv[3:] or list(TRAININGS)
    communicator = join()
    assert communicator.size > 1
    go_by(sys.argv[2], communicator)
    for name in names:
        trainer = TRAININGS[name](communicator)
        digests = communicator.gather(str(digest(trainer)), "digests")
        if communicator.is_root:
            np.savez(folder / f"{name}.npz", **trainer.model.state_dict())
            about = {"digests": digests, "history": trainer.history, "steps": trainer.step}
            (folder / f"{name}.json").write_text(json.dumps(about))


if __name__ == "__main__":
    main()
