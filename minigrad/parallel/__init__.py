"""Training on several processes: each works on its part of every batch, and their gradients are averaged.

``communicator.py`` says how processes exchange data, ``mpi.py`` and ``nccl.py`` by what; ``shard.py`` who works on
what; ``averager.py`` sums gradients, ``transport.py`` by messages and ``shared.py`` in memory that all can read;
``manifest.py`` and ``waiting.py`` see to it that nothing differs unnoticed and nothing hangs. The strategies that
use them are in ``minigrad.train``.
"""

from minigrad.parallel.averager import GradientAverager
from minigrad.parallel.communicator import ALONE, Communicator
from minigrad.parallel.joining import join, joined
from minigrad.parallel.shard import Shard, ShardedGenerator, shard

__all__ = [
    "ALONE",
    "Communicator",
    "GradientAverager",
    "Shard",
    "ShardedGenerator",
    "join",
    "joined",
    "shard",
]
