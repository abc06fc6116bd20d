"""The frameworks that are compared, one file each, behind one small protocol.

A peer's module has ``build(task)``, which returns a ``Program`` that trains as the framework's own documentation
does it.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, NamedTuple

from minigrad.bench.data import Weights
from minigrad.bench.grid import Row
from minigrad.errors import ConfigError

RATES = {"sgd": 0.01, "adam": 0.001}
BETA1, BETA2, EPS = 0.9, 0.999, 1e-8


class Task(NamedTuple):
    """What a peer is to train: the row from these weights, on ``device``, with so many threads, in this variant."""

    row: Row
    weights: Weights
    device: str = "cpu"
    threads: int = 2
    variant: str = ""


class Program(NamedTuple):
    """A network in training.

    place : a batch as NumPy arrays (x, y) -> the same as the framework has it, on its device; not timed.
    step : what ``place`` returned -> the batch's loss. Forward, backward and update. ``loss.item()`` waits until
        all of it is done.
    """

    place: Callable[[Any, Any], tuple[Any, Any]]
    step: Callable[[Any, Any], Any]


@dataclass(frozen=True)
class Peer:
    """A framework: its module here, what has to be installed for it, and where it computes.

    ``variants`` are equivalent ways to write the same program, of which the fastest on a row counts.
    ``slow`` peers compile so long, or run so slowly, that a quick run leaves them out.
    """

    name: str
    module: str
    package: str
    says: str
    variants: tuple[str, ...] = ("",)
    gpu: bool = False
    slow: bool = False

    @property
    def installed(self) -> bool:
        """Whether its package can be imported (which is not tried)."""
        return find_spec(self.package) is not None

    def build(self, task: Task) -> Program:
        """Import the framework and build the program."""
        program: Program = importlib.import_module(f"{__name__}.{self.module}").build(task)
        return program


PEERS = {
    peer.name: peer
    for peer in (
        Peer("minigrad", "minigrad_peer", "minigrad", "this engine, eager", gpu=True),
        Peer(
            "torch",
            "torch_peer",
            "torch",
            "PyTorch eager, with whichever of its plain, foreach and fused optimizers is fastest",
            variants=("plain", "foreach", "fused"),
            gpu=True,
        ),
        Peer(
            "torch.compile",
            "torch_compile_peer",
            "torch",
            "PyTorch's compiler, forward, backward and update each compiled",
            gpu=True,
            slow=True,
        ),
        Peer("jax", "jax_peer", "jax", "JAX, the whole step in one jit", gpu=True),
        Peer("autograd", "autograd_peer", "autograd", "HIPS autograd on NumPy"),
        Peer("tinygrad", "tinygrad_peer", "tinygrad", "tinygrad, the whole step in one TinyJit", slow=True),
        Peer("numpy", "numpy_peer", "numpy", "bare NumPy written by hand, without any engine"),
    )
}
"""Every peer by the name that ``--peers`` takes, minigrad first."""

OURS = "minigrad"


def choose(names: Iterable[str] | None, device: str, slow: bool) -> tuple[list[Peer], dict[str, str]]:
    """Return the peers to run, minigrad first, and the others with the reason why each is left out.

    names : the peers that were asked for; None for all, the slow ones only where ``slow``.

    Raises ConfigError MG-802 on a name that is no peer's.
    """
    asked = None if names is None else {OURS, *names}
    unknown = sorted(asked - set(PEERS)) if asked else []
    if unknown:
        raise ConfigError("MG-802", f"there is no peer {unknown[0]!r}. Known peers: {', '.join(PEERS)}.")
    chosen, left_out = [], {}
    for peer in PEERS.values():
        if asked is not None and peer.name not in asked:
            continue
        if not peer.installed:
            left_out[peer.name] = f"not installed; pip install {peer.package}"
        elif device != "cpu" and not peer.gpu:
            left_out[peer.name] = "computes on the CPU only"
        elif asked is None and peer.slow and not slow:
            left_out[peer.name] = f"too slow for a quick run; ask for it with --full or --peers {peer.name}"
        else:
            chosen.append(peer)
    return chosen, left_out
