"""What a compressed network costs: time of prediction, bytes of the file, and from which sparsity on zeros pay.

    python -m bench.compression RUN [PRUNED QUANTISED …]
    python -m bench.compression --sparse

The first compares finished runs: accuracy on their test data, bytes of their weights, time of one prediction. The
second compares a sparse product with a dense one at growing sparsity, without a run: the zeros are placed at random.
Times are the fastest of some rounds in which all take turns, since other work can only slow a call down;
``--threads N`` for the matrix library. With one thread it is the processor's time that counts, which other programs
disturb little; with more the clock's.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np

import minigrad as mg
from minigrad import nn
from minigrad.compress import SparseLinear, sparse
from minigrad.train.run import WEIGHTS, evaluate_run, load_network

BATCHES = (1, 32, 128, 1024)
SPARSITIES = (0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99)
SHAPES = ((784, 128), (1024, 1024))
ROUNDS, SECONDS = 15, 0.02


clock = perf_counter


def times(work: Mapping[str, Callable[[], Any]]) -> dict[str, float]:
    """Microseconds of one call of each, the fastest of the rounds; within a round each is called for a while."""
    calls, found = {}, {name: [] for name in work}
    for name, each in work.items():
        each()
        start = clock()
        each()
        calls[name] = max(1, int(SECONDS / (clock() - start)))
    for _ in range(ROUNDS):
        for name, each in work.items():
            start = clock()
            for _ in range(calls[name]):
                each()
            found[name].append((clock() - start) / calls[name])
    return {name: 1e6 * min(seconds) for name, seconds in found.items()}


def prediction(model: nn.Module, x: Any) -> Callable[[], Any]:
    """One prediction of a batch."""

    def predict() -> Any:
        with mg.no_grad():
            return model(mg.Tensor(x))

    return predict


def compare_runs(folders: list[Path]) -> None:
    """Print a row for each run, and one for its sparse form where it has zeros enough."""
    models: dict[str, nn.Module] = {}
    for folder in folders:
        model, network = load_network(folder)
        tested, _ = evaluate_run(folder)
        bytes_ = (folder / WEIGHTS).stat().st_size
        accuracy = "-" if tested.accuracy is None else f"{100 * tested.accuracy:.2f} %"
        print(f"{folder.name:<24} {accuracy:>9} {bytes_:>10,} bytes")
        models[folder.name] = model
        zeros = [
            np.mean(p.numpy() == 0) for name, p in model.named_parameters().items() if name.endswith("weight")
        ]
        if zeros and max(zeros) > 0.5:
            models[f"{folder.name}, sparse"] = sparse(model, 0.5)
    print(f"\n{'us per batch of':<32}" + "".join(f"{batch:>10}" for batch in BATCHES))
    rng = np.random.default_rng(0)
    batches = [rng.random((batch, network.inputs), dtype=np.float32) for batch in BATCHES]
    columns = [times({name: prediction(model, x) for name, model in models.items()}) for x in batches]
    first = next(iter(models))
    for name in models:
        row = "".join(f"{column[name]:>10.1f}" for column in columns)
        ratio = "".join(f"{column[first] / column[name]:>7.2f}x" for column in columns)
        print(f"{name:<32}{row}   {ratio}")


def compare_sparsities() -> None:
    """Print how much faster a sparse layer is than a dense one, by shape, batch and sparsity."""
    print(
        f"dense time / sparse time\n{'layer':<14}{'batch':>6}"
        + "".join(f"{100 * s:>8.0f} %" for s in SPARSITIES)
    )
    rng = np.random.default_rng(0)
    for inputs, outputs in SHAPES:
        for batch in BATCHES[:3]:
            x = rng.random((batch, inputs), dtype=np.float32)
            row = []
            for sparsity in SPARSITIES:
                layer = nn.Linear(inputs, outputs, rng=rng)
                layer.weight.data *= rng.random(layer.weight.shape) >= sparsity
                found = times({"dense": prediction(layer, x), "sparse": prediction(SparseLinear(layer), x)})
                row.append(found["dense"] / found["sparse"])
            print(
                f"{inputs:>5}->{outputs:<7}{batch:>6}" + "".join(f"{ratio:>9.2f}x" for ratio in row),
                flush=True,
            )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("runs", nargs="*", type=Path)
    parser.add_argument("--sparse", action="store_true")
    parser.add_argument("--threads", type=int)
    given = parser.parse_args()
    if given.threads:
        mg.set_threads(given.threads)
    if given.threads == 1:
        global clock
        clock = process_time
    if given.sparse:
        compare_sparsities()
    if given.runs:
        compare_runs(given.runs)


if __name__ == "__main__":
    main()
