"""The frameworks that are compared, one file each, behind one small protocol.

A peer's module has ``build(task)``, which returns a ``Program`` that trains as the framework's own documentation
does it.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from shutil import which
from typing import Any, NamedTuple

from minigrad.bench.data import Weights
from minigrad.bench.further import FURTHER, MICRO, Further
from minigrad.bench.grid import Row
from minigrad.bench.rows import Step
from minigrad.errors import ConfigError

RATES = {"sgd": 0.01, "adam": 0.001}
BETA1, BETA2, EPS = 0.9, 0.999, 1e-8


class Task(NamedTuple):
    """What a peer is to train: the row from these weights, on ``device``, with so many threads, in this variant."""

    row: Step
    weights: Weights
    device: str = "cpu"
    threads: int = 2
    variant: str = ""


def dense(task: Task) -> Row:
    """Return a task's row, which is one of a dense network."""
    assert isinstance(task.row, Row)
    return task.row


class Program(NamedTuple):
    """A network in training.

    place : a batch as NumPy arrays (x, y) -> the same as the framework has it, on its device; not timed.
    step : what ``place`` returned -> the batch's loss. Forward, backward and update. ``loss.item()`` waits until
        all of it is done.
    over : where many batches are trained on in one call: what ``place`` returned for each of them -> a function
        without arguments that does so, and is all that is timed. It returns the losses when everything is done.
    """

    place: Callable[[Any, Any], tuple[Any, Any]]
    step: Callable[[Any, Any], Any]
    over: Callable[[list[tuple[Any, Any]]], Callable[[], Any]] | None = None


@dataclass(frozen=True)
class Peer:
    """A framework: its module here, what has to be installed for it, and where it computes.

    ``kind`` is one of ``KINDS``; ``beside`` are those of minigrad's kinds that it is compared with.
    ``variants`` are equivalent ways to write the same program, of which the fastest on a row counts.
    ``tool`` is a program that has to be there too. ``keeps`` says that what it compiles is kept on disk.
    ``eager`` is the peer without whose slowness nobody would compile.
    ``slow`` peers compile so long, or run so slowly, that a quick run leaves them out.
    ``further`` are the networks beyond dense ones that it trains.
    """

    name: str
    module: str
    package: str
    about: str
    kind: str = "eager"
    beside: tuple[str, ...] = ("eager",)
    variants: tuple[str, ...] = ("",)
    tool: str = ""
    keeps: bool = False
    eager: str = "torch"
    gpu: bool = False
    slow: bool = False
    further: tuple[str, ...] = ()

    def takes(self, row: Step) -> bool:
        """Tell whether it trains the network of a row."""
        return not isinstance(row, Further) or row.kind in self.further

    @property
    def missing(self) -> str:
        """Why it cannot run here: what is not installed, and how to get it; nothing where it can."""
        if find_spec(self.package) is None:
            return f"not installed; pip install {self.package}"
        if self.tool and which(self.tool) is None:
            return f"it compiles with {self.tool}, and there is none on the PATH"
        return ""

    def build(self, task: Task) -> Program:
        """Import the framework and build the program."""
        program: Program = importlib.import_module(f"{__name__}.{self.module}").build(task)
        return program


KINDS = {
    "eager": "every operation as it runs",
    "compiled": "the whole step as one program",
    "epoch": "many steps in one call",
}
"""How a step is run, and the names that ``--kinds`` takes."""

OURS = {"eager": "minigrad", "compiled": "mg.compile", "epoch": "mg.over"}
"""minigrad itself, once for each kind."""

_EVERY = tuple(dict.fromkeys(row.kind for row in FURTHER))

PEERS = {
    peer.name: peer
    for peer in (
        Peer(
            "minigrad",
            "minigrad_peer",
            "minigrad",
            "this engine, eager",
            beside=("compiled",),
            gpu=True,
            further=_EVERY,
        ),
        Peer(
            "mg.compile",
            "minigrad_compile_peer",
            "minigrad",
            "this engine, the step compiled by @mg.compile",
            kind="compiled",
            beside=("epoch",),
            keeps=True,
            eager="minigrad",
            gpu=True,
            further=_EVERY,
        ),
        Peer(
            "mg.over",
            "minigrad_over_peer",
            "minigrad",
            "this engine, the compiled step's step.over(batches)",
            kind="epoch",
            beside=(),
            keeps=True,
            eager="minigrad",
            gpu=True,
            further=_EVERY,
        ),
        Peer(
            "torch",
            "torch_peer",
            "torch",
            "PyTorch eager, with whichever of its plain, foreach and fused optimizers is fastest",
            beside=("eager", "compiled", "epoch"),
            variants=("plain", "foreach", "fused"),
            gpu=True,
            further=_EVERY,
        ),
        Peer(
            "torch.compile",
            "torch_compile_peer",
            "torch",
            "PyTorch's compiler, forward, backward and update each compiled",
            kind="compiled",
            beside=("eager", "compiled"),
            keeps=True,
            gpu=True,
            slow=True,
        ),
        Peer(
            "jax",
            "jax_peer",
            "jax",
            "JAX, the whole step in one jit with donated buffers",
            kind="compiled",
            beside=("eager", "compiled"),
            gpu=True,
        ),
        Peer(
            "jax.scan",
            "jax_scan_peer",
            "jax",
            "JAX, lax.scan over many batches in one jit with donated buffers",
            kind="epoch",
            beside=("epoch",),
            gpu=True,
        ),
        Peer("autograd", "autograd_peer", "autograd", "HIPS autograd on NumPy"),
        Peer(
            "tinygrad",
            "tinygrad_peer",
            "tinygrad",
            "tinygrad, the whole step in one TinyJit",
            kind="compiled",
            beside=("eager", "compiled"),
            tool="clang",
            keeps=True,
            slow=True,
        ),
        Peer("numpy", "numpy_peer", "numpy", "bare NumPy written by hand, without any engine"),
        Peer(
            "c",
            "c_peer",
            "numpy",
            "a plain C program of the step (gcc -O3 -march=native) with OpenBLAS, many steps in one call, its loops "
            "on one thread or on several, whichever is faster",
            kind="epoch",
            beside=("compiled", "epoch"),
            variants=("serial", "threads"),
            tool="gcc",
            further=MICRO,
        ),
    )
}
"""Every peer by the name that ``--peers`` takes, minigrad first."""


def choose(
    names: Iterable[str] | None, device: str, slow: bool, kinds: Iterable[str] | None = None
) -> tuple[list[Peer], dict[str, str]]:
    """Return the peers to run, minigrad first, and the others with the reason why each is left out.

    names : the peers that were asked for; None for all, the slow ones only where ``slow``.
    kinds : those of minigrad's that are measured, and the peers that are compared with them; None for all.

    Raises ConfigError MG-802 on a name that is no peer's, and on a kind that there is not.
    """
    wanted = _known("kind", kinds, KINDS)
    asked = _known("peer", names, PEERS)
    chosen, left_out = [], {}
    for peer in PEERS.values():
        ours = peer.name in OURS.values()
        if (
            (peer.kind not in wanted)
            if ours
            else (peer.name not in asked or not wanted.intersection(peer.beside))
        ):
            continue
        if reason := peer.missing:
            left_out[peer.name] = reason
        elif device != "cpu" and not peer.gpu:
            left_out[peer.name] = "computes on the CPU only"
        elif names is None and peer.slow and not slow:
            left_out[peer.name] = f"too slow for a quick run; ask for it with --full or --peers {peer.name}"
        else:
            chosen.append(peer)
    return chosen, left_out


def _known(what: str, names: Iterable[str] | None, known: Mapping[str, object]) -> set[str]:
    """Return the names, all where there are none; ConfigError MG-802 on one that is not known."""
    found = set(known if names is None else names)
    if unknown := sorted(found - set(known)):
        raise ConfigError("MG-802", f"there is no {what} {unknown[0]!r}. Known {what}s: {', '.join(known)}.")
    return found
