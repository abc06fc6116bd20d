r"""What an all-reduce costs, and what that means for more processes than one has: the α–β model.

A message of M bytes takes :math:`\alpha + M\beta` seconds: α for being a message, β for each byte. An all-reduce of p
processes by recursive halving and doubling takes

.. math:: T(p, M) = 2 \lceil\log_2 p\rceil\,\alpha + 2\,\frac{p - 1}{p}\,M\beta

(Thakur, Rabenseifner & Gropp 2005, "Optimization of collective communication operations in MPICH", section 4.5, with
the time for the additions counted into β). The second term never exceeds :math:`2M\beta`: it is the first that grows
with p.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from minigrad.parallel.communicator import Communicator


class Link(NamedTuple):
    """α in seconds a message and β in seconds a byte."""

    alpha: float
    beta: float

    @property
    def bits_per_second(self) -> float:
        """What the link carries at best."""
        return 8 / self.beta


def network(gbit_per_second: float, microseconds: float) -> Link:
    """Return the link of a network by its rated speed and the time of its smallest message."""
    return Link(microseconds * 1e-6, 8 / (gbit_per_second * 1e9))


def all_reduce_seconds(link: Link, processes: int, size: float) -> float:
    """Return T(processes, size) of the model, in seconds for ``size`` bytes; 0 for a single process."""
    if processes == 1:
        return 0.0
    rounds = 2 * math.ceil(math.log2(processes))
    return rounds * link.alpha + 2 * (processes - 1) / processes * size * link.beta


def fit(sizes: Sequence[float], seconds: Sequence[float], processes: int) -> Link:
    """Return the α and β, neither below 0, whose T is nearest to the measured times, in relative error.

    Sizes are in bytes. Least squares on T / measured - 1, so that small messages count as much as large ones.
    """
    measured = np.asarray(seconds)
    rounds = np.full(len(measured), all_reduce_seconds(Link(1.0, 0.0), processes, 0))
    moved = np.array([all_reduce_seconds(Link(0.0, 1.0), processes, size) for size in sizes])
    columns = np.stack([rounds, moved], axis=1) / measured[:, None]
    alpha, beta = np.linalg.lstsq(columns, np.ones(len(measured)), rcond=None)[0]
    if alpha < 0:
        alpha, beta = 0.0, 1 / np.mean(columns[:, 1])
    return Link(float(alpha), float(beta))


def measure(communicator: Communicator, sizes: Sequence[int], repeats: int = 21) -> list[float]:
    """Return the median seconds of an all-reduce of float32 arrays of so many bytes, as this process sees them."""
    medians = []
    for size in sizes:
        array, times = np.ones(max(1, size // 4), np.float32), []
        for _ in range(repeats):
            array[:] = 1
            communicator.barrier("the next measurement")
            began = time.perf_counter()
            communicator.sum(array, f"an all-reduce of {size} bytes")
            times.append(time.perf_counter() - began)
        medians.append(statistics.median(times))
    return medians


class Scaling(NamedTuple):
    """A prediction: seconds of a step, the share of them that computes, and what the rest mostly waits for."""

    seconds: float
    efficiency: float
    bottleneck: str


def predict(link: Link, processes: int, size: float, compute: float, overlap: float = 0.0) -> Scaling:
    """Predict a step in which each process computes ``compute`` seconds and ``size`` bytes of gradients are summed.

    A share ``overlap`` of the computing, from 0 to 1, can hide communication. Nothing here was measured on so many
    processes: stragglers, congestion and switches are not in the model.
    """
    latency = all_reduce_seconds(Link(link.alpha, 0.0), processes, size)
    transfer = all_reduce_seconds(Link(0.0, link.beta), processes, size)
    exposed = max(0.0, latency + transfer - overlap * compute)
    seconds = compute + exposed
    if exposed < compute / 9:
        return Scaling(seconds, compute / seconds, "computing")
    return Scaling(seconds, compute / seconds, "latency" if latency > transfer else "bandwidth")
