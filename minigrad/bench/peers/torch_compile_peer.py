"""PyTorch with torch.compile: the loss with its backward pass, and the optimizer's step, each compiled."""

from __future__ import annotations

import torch

from minigrad.bench.peers import Program, Task
from minigrad.bench.peers.torch_peer import program


def build(task: Task) -> Program:
    """See ``minigrad.bench.peers``."""
    torch.compiler.reset()  # what was compiled for other networks does not count against this one
    return program(task, {"foreach": True}, torch.compile)
