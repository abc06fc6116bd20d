"""One process of the measurement of overlap: a step with and without communication during the backward walk.

    python -m bench.parallel.overlap BATCH    (samples a process; WIDTH is fixed)

Three kinds of steps take turns: sums started from the walk's hooks, sums started when the walk is over, and no sums.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from contextlib import nullcontext
from itertools import pairwise

import numpy as np

from bench.parallel.speed import pictures
from minigrad import nn
from minigrad.parallel import GradientAverager, join
from minigrad.tensor import Tensor

WIDTHS, ROUNDS = (784, 1024, 1024, 1024, 10), 9


def main() -> None:
    communicator = join()
    communicator.shares_memory = False  # both sides are on one machine, and the link between them is measured
    rng, batch = np.random.default_rng(0), int(sys.argv[1])
    layers = [nn.Linear(a, b, rng=rng) for a, b in pairwise(WIDTHS)]
    model = nn.Sequential(*[part for layer in layers for part in (layer, nn.ReLU())][:-1])
    data, loss_of = pictures(batch), nn.CrossEntropyLoss()
    averagers = {
        "overlapped": GradientAverager(model.named_parameters(), communicator),
        "one after the other": GradientAverager(model.named_parameters(), communicator),
        "without sums": None,
    }
    times: dict[str, list[float]] = {kind: [] for kind in averagers}
    for turn in range(len(times) * (ROUNDS + 1)):
        kind = list(times)[turn % len(times)]
        averager = averagers[kind]
        for parameter in model.parameters():
            parameter.grad = None
        communicator.barrier("the next step")
        began = time.perf_counter()
        loss = loss_of(model(Tensor(data.x)), data.y)
        overlapped = averager is not None and kind != "one after the other"
        with averager.listening(loss) if averager and overlapped else nullcontext():
            loss.backward()
        if averager is not None:
            averager.finish(f"turn {turn}")
        times[kind].append(time.perf_counter() - began)
    if communicator.is_root:
        megabytes = sum(p.size * 4 for p in model.parameters()) / 1e6
        medians = {kind: statistics.median(each[1:]) for kind, each in times.items()}
        print(json.dumps({"MB": megabytes, "batch": batch, **medians}), flush=True)


if __name__ == "__main__":
    main()
