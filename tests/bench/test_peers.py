from __future__ import annotations

import math
import os
from itertools import islice

import pytest

from minigrad.bench.data import batches, initial_weights
from minigrad.bench.grid import Row
from minigrad.bench.peers import PEERS, Peer, Task, choose
from minigrad.bench.worker import largest_difference, reference
from minigrad.errors import ConfigError

STEPS = 20
CASES = [
    pytest.param(peer, variant, id=f"{peer.name} {variant}".strip())
    for peer in PEERS.values()
    for variant in peer.variants
]


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize(("peer", "variant"), CASES)
def test_every_peer_computes_the_same_losses(peer: Peer, variant: str, optimizer: str) -> None:
    """Each framework's own float32 against the hand-written program in float64: seven implementations of one step."""
    if not peer.installed:
        pytest.skip(f"{peer.name} is not installed")
    if peer.slow and "MINIGRAD_SLOW_PEERS" not in os.environ:
        pytest.skip(f"{peer.name} compiles too long; MINIGRAD_SLOW_PEERS=1 runs it")
    row = Row((20, 8, 8, 4), 6, optimizer)
    program = peer.build(Task(row, initial_weights(row), variant=variant))
    losses = [program.step(*program.place(x, y)).item() for x, y in islice(batches(row), STEPS)]
    assert largest_difference(losses, reference(row)) < 2e-6


def test_the_first_loss_by_hand() -> None:
    """One input, two classes, x = 1 (so z = w + b): the loss is ln(1 + e^(z_other - z_label))."""
    row = Row((2, 2), 1, "sgd")
    ((w, b),) = initial_weights(row)
    x, y = next(batches(row))
    z = [sum(float(w[k, i]) * float(x[0, i]) for i in range(2)) + float(b[k]) for k in range(2)]
    expected = math.log(1 + math.exp(z[1 - y[0]] - z[y[0]]))
    assert reference(row)[0] == pytest.approx(expected, rel=1e-12)


def test_differences_are_relative_above_one_and_nan_is_infinite() -> None:
    assert largest_difference([0.5, 4.0], [0.25, 2.0]) == 1.0
    assert largest_difference([math.nan], [1.0]) == math.inf


def test_minigrad_comes_along_and_a_missing_peer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PEERS, "ghost", Peer("ghost", "ghost_peer", "no_such_package", "not there"))
    chosen, left_out = choose(["ghost", "numpy"], "cpu", slow=False)
    assert [peer.name for peer in chosen] == ["minigrad", "numpy"]
    assert left_out == {"ghost": "not installed; pip install no_such_package"}


def test_peers_that_a_run_leaves_out_are_named() -> None:
    _, left_out = choose(None, "cuda", slow=True)
    assert left_out["numpy"] == "computes on the CPU only"
    with pytest.raises(ConfigError, match=r"no peer 'tensorflow'\. Known peers: minigrad, torch"):
        choose(["tensorflow"], "cpu", slow=False)
