"""Programs in which one process misbehaves: python -m tests.parallel.faulty NAME [memory|messages]."""

from __future__ import annotations

import sys
import time

import numpy as np

from minigrad import optim
from minigrad.parallel import Communicator
from minigrad.parallel.joining import ending_together, joined
from minigrad.parallel.manifest import compare, manifest
from minigrad.train.callbacks import Callback
from minigrad.train.trainer import Trainer
from tests.parallel.trainings import Training, go_by


class AtStepThree(Callback):
    """Calls ``does`` on rank 1 after the third update."""

    def __init__(self, communicator: Communicator, does) -> None:
        self.does = does if communicator.rank == 1 else lambda trainer: None

    def on_step_end(self, trainer: Trainer) -> None:
        if trainer.step == 3:
            self.does(trainer)


def raises(trainer: Trainer) -> None:
    raise LookupError("a fault of rank one alone")


def sleeps(trainer: Trainer) -> None:
    time.sleep(60)


def drifts(trainer: Trainer) -> None:
    trainer.model.parameters()[0].data[0, 0] += 1e-7


def diverges(trainer: Trainer) -> None:
    trainer.loader.dataset.x[...] = np.inf  # of this process's data alone


def mismatch(communicator: Communicator) -> None:
    job = Training(communicator, "float64", width=8 + communicator.rank)
    compare(communicator, manifest(job.model.named_parameters()))


def main() -> None:
    name = sys.argv[1]
    with ending_together(), joined() as communicator:
        go_by(sys.argv[2] if len(sys.argv) > 2 else "memory", communicator)
        if name == "mismatch":
            return mismatch(communicator)
        job = Training(communicator, "float64", width=8)
        job.fit(optim.Adam(job.model), 20, callbacks=[AtStepThree(communicator, globals()[name])])
        print("came to its end")


if __name__ == "__main__":
    main()
