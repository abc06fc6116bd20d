"""The CUDA kernels beside the GPU's own limits, and training steps beside PyTorch's, on one GPU.

    python -m bench.gpu [--rounds N] [--out DIR]

Kernels are timed by the GPU's own clock, in a row of launches; steps as ``minigrad bench`` times them, in processes of
their own that take turns. ``--out`` keeps the steps' page, chart and data.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from minigrad_kernels import matmul, updates
from minigrad_kernels.update_rules import RULES
from rich.console import Console

from bench.compare import median_time, show, take_turns
from bench.parts import THREADS, d4_step
from minigrad.bench import peers, report, run
from minigrad.bench.grid import NETWORKS, Row
from minigrad.bench.machine import clean_environment, on_processors
from minigrad.bench.summary import number

DEVICE = "cuda"
PARAMETERS = 20_000_000
SIZE = 4096
ROWS = (Row(NETWORKS[0], 128, "adam"), Row(NETWORKS[3], 1024, "adam"))
D4 = {"minigrad": ("minigrad", False), "torch": ("torch", False), "torch-fused": ("torch", True)}
GROUPS, LAUNCHES = 9, 10


def microseconds(work: Callable[[], object]) -> float:
    """The time of a call on the GPU, by its own clock: the median of groups of calls that wait for nothing."""
    import cupy

    work()
    times = []
    for _ in range(GROUPS):
        start, end = cupy.cuda.Event(), cupy.cuda.Event()
        start.record()
        for _ in range(LAUNCHES):
            work()
        end.record()
        end.synchronize()
        times.append(1e3 * cupy.cuda.get_elapsed_time(start, end) / LAUNCHES)
    return statistics.median(times)


def update_kernels() -> None:
    """One launch that updates 20 million parameters, beside a copy of as many bytes as Adam moves."""
    import cupy

    arrays = [cupy.random.rand(PARAMETERS, dtype=np.float32) for _ in range(4)]
    source = cupy.ones(7 * PARAMETERS // 2, np.float32)
    target = cupy.empty_like(source)
    copied = 2 * source.nbytes / microseconds(lambda: cupy.copyto(target, source)) / 1e3
    print(f"\ncopy of {source.nbytes / 1e6:.0f} MB: {copied:.0f} GB/s")
    for rule, kernel in RULES.items():
        coefficients = np.linspace(
            0.9, 0.1, len(kernel.names)
        ).tolist()  # their values do not change the time
        states = kernel.reference.__wrapped__.__code__.co_argcount - 3  # beside theta, g and coefficients
        took = microseconds(
            lambda rule=rule, states=states, coefficients=coefficients: updates.update_all(
                rule, [arrays[: 2 + states]], coefficients
            )  # type: ignore[misc]
        )
        rate = 4 * PARAMETERS * (3 + 2 * states) / took / 1e3
        print(f"  {rule:<16} {number(took):>7} µs  {rate:.0f} GB/s, {rate / copied:.0%} of the copy's")


def torch_adam() -> float:
    """PyTorch's fused Adam on 20 million parameters, in µs, by the GPU's clock."""
    import torch

    theta = torch.rand(PARAMETERS, device=DEVICE, requires_grad=True)
    theta.grad = torch.rand(PARAMETERS, device=DEVICE)
    optimizer = torch.optim.Adam([theta], fused=True)
    times = []
    for _ in range(1 + GROUPS):
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        for _ in range(LAUNCHES):
            optimizer.step()
        end.record()
        end.synchronize()
        times.append(1e3 * start.elapsed_time(end) / LAUNCHES)
    return statistics.median(times[1:])


def products() -> None:
    """The steps of the lesson in matrix multiplication, beside cuBLAS."""
    import cupy

    a, b = (cupy.random.rand(SIZE, SIZE, dtype=np.float32) for _ in range(2))
    c = cupy.empty_like(a)
    library = microseconds(lambda: cupy.matmul(a, b, out=c))
    print(f"\n{SIZE}³ in float32: cuBLAS {number(library)} µs, {2e-6 * SIZE**3 / library:.1f} TFLOP/s")
    for step in matmul.GPU_STEPS:
        took = microseconds(lambda step=step: matmul.gpu_step(step, a, b, c))  # type: ignore[misc]
        print(
            f"  {step:<17} {number(took):>7} µs  {2e-6 * SIZE**3 / took:.1f} TFLOP/s, {library / took:.0%} of cuBLAS's"
        )


WORK: dict[str, Callable[..., Any]] = {
    "updates": update_kernels,
    "products": products,
    "torch-adam": lambda: print(f"  PyTorch's fused Adam, with what surrounds it: {number(torch_adam())} µs"),
    "d4": lambda program: print(median_time(d4_step(*D4[program], batch=128, device=DEVICE))),
}


def in_its_process(*work: str) -> str:
    environment, _ = clean_environment(os.environ, THREADS)
    command = [sys.executable, "-m", "bench.gpu", "--worker", *work]
    return subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout


def main() -> None:
    parser = argparse.ArgumentParser(description="minigrad on a GPU")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    with on_processors(THREADS):
        for work in ("updates", "torch-adam", "products"):
            print(in_its_process(work), end="", flush=True)
    found = take_turns(D4, arguments.rounds, lambda program: float(in_its_process("d4", program)))
    print("\nD4's training step with dropout, batch 128, waiting for each loss")
    show(found)
    plan = run.Plan(ROWS, arguments.rounds, seconds=0.5, device=DEVICE, threads=THREADS)
    chosen, left_out = peers.choose(["torch"], DEVICE, slow=True)
    for results in run.run(plan, chosen, left_out, lambda what: None):
        if arguments.out:
            report.write(results, arguments.out, "python -m bench.gpu")
    report.show(results, Console(width=120))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        WORK[sys.argv[2]](*sys.argv[3:])
    else:
        main()
