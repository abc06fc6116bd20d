"""An asynchronous training whose rank 1 takes its time: python -m tests.parallel.unhurried FOLDER [ACCUMULATE]."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from minigrad.parallel import join
from minigrad.train.asynchronous import Worker
from minigrad.train.trainer import Trainer


def main() -> None:
    rank = join().rank
    step, run = Trainer.train_step, Worker.run

    def slow_step(self, *batch, **more):
        time.sleep(0.02)
        return step(self, *batch, **more)

    def counted(*arguments) -> int:
        print(f"worker {rank} computed {run(*arguments)} ", flush=True)
        return 0

    if rank == 1:
        Trainer.train_step = slow_step
    Worker.run = counted
    from minigrad import cli

    accumulate = sys.argv[2] if len(sys.argv) > 2 else "1"
    sys.argv = ["minigrad", "train", "--epochs", "5", "--quiet", "--out", str(Path(sys.argv[1]))]
    sys.argv += ["--accumulate", accumulate]
    cli.main()


if __name__ == "__main__":
    main()
