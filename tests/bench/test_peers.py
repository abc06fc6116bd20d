from __future__ import annotations

import math
import os
from itertools import islice
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.bench.data import batches, initial_weights
from minigrad.bench.further import FURTHER, MICRO, Further
from minigrad.bench.grid import Row
from minigrad.bench.peers import PEERS, Peer, Task, c_peer, choose
from minigrad.bench.peers.minigrad_peer import eager
from minigrad.bench.worker import largest_difference, reference
from minigrad.errors import ConfigError
from tests.long import long

STEPS = 20
CASES = [
    pytest.param(peer, variant, id=f"{peer.name} {variant}".strip())
    for peer in PEERS.values()
    for variant in peer.variants
]
KINDS = [  # those that are as small as a lesson's stand for the GPT
    pytest.param(kind, marks=long if kind == "GPT" else ())
    for kind in dict.fromkeys(row.kind for row in FURTHER)
]


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize(("peer", "variant"), CASES)
def test_every_peer_computes_the_same_losses(peer: Peer, variant: str, optimizer: str) -> None:
    """Each framework's own float32 against the hand-written program in float64: many implementations of one step."""
    if peer.missing:
        pytest.skip(f"{peer.name}: {peer.missing}")
    if peer.slow and "MINIGRAD_SLOW_PEERS" not in os.environ:
        pytest.skip(f"{peer.name} compiles too long; MINIGRAD_SLOW_PEERS=1 runs it")
    for widths, batch in (((20, 8, 8, 4), 6), ((2, 4, 1), 1)):
        row = Row(widths, batch, optimizer)
        program = peer.build(Task(row, initial_weights(row), variant=variant))
        placed = [program.place(x, y) for x, y in islice(batches(row), STEPS)]
        if program.over:
            losses = [loss.item() for loss in program.over(placed)()]
        else:  # read at once: TinyJit has one buffer for all of them
            losses = [program.step(x, y).item() for x, y in placed]
        assert largest_difference(losses, reference(row)) < 2e-6


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("peer", "variant"), CASES)
def test_every_peer_computes_the_same_losses_beyond_dense(peer: Peer, variant: str, kind: str) -> None:
    """Against minigrad's own NumPy references in float64; Adam's first steps go by signs, so that roundings grow."""
    row = Further(kind, 3)
    if peer.missing or not peer.takes(row):
        pytest.skip(f"{peer.name}: {peer.missing or 'dense networks only'}")
    expected = reference(row)
    program = peer.build(Task(row, initial_weights(row), variant=variant))
    placed = [program.place(x, y) for x, y in islice(batches(row), STEPS)]
    losses = program.over(placed)() if program.over else [program.step(x, y) for x, y in placed]
    assert largest_difference([loss.item() for loss in losses], expected) < 2e-4


@pytest.mark.skipif(bool(PEERS["c"].missing), reason=PEERS["c"].missing)
@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("kind", MICRO)
def test_the_gpt_in_c_trains_to_minigrads_parameters(kind: str, batch: int) -> None:
    """After 20 steps, within a part of the way that they went: Adam goes by a gradient's sign where it is next to 0."""
    row = Further(kind, batch)
    weights = initial_weights(row)
    trained = c_peer.network(Task(row, weights))
    place, step = eager(Task(row, weights))
    given = list(islice(batches(row), STEPS))
    losses = trained.train(given)()
    np.testing.assert_allclose(losses, [step(*place(x, y)).item() for x, y in given], rtol=2e-5)
    before = np.concatenate([array.ravel() for array in weights.values()])
    (model,) = (
        cell.cell_contents for cell in step.__closure__ if isinstance(cell.cell_contents, mg.nn.Module)
        and not isinstance(cell.cell_contents, mg.nn.Loss)
    )  # fmt: skip
    mine = np.concatenate([array.ravel() for array in model.state_dict().values()])
    moved = np.abs(mine - before).max()
    apart = np.abs(trained.parameters() - mine)
    assert apart.max() < 1e-2 * moved
    assert np.quantile(apart, 0.999) < 2e-3 * moved


@pytest.mark.skipif(bool(PEERS["c"].missing), reason=PEERS["c"].missing)
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("variant", ["serial", "threads"])
@pytest.mark.parametrize("batch", [1, 16])  # loops alone; large products by BLAS
def test_the_c_program_trains_to_minigrads_parameters(batch: int, variant: str, optimizer: str) -> None:
    """What 20 steps leave behind: of two inputs and of many, within a few roundings of a float32 each step."""
    for widths in ((2, 4, 1), (64, 32, 10), (100, 60, 60, 10)):
        row = Row(widths, batch, optimizer)
        network = c_peer.network(Task(row, initial_weights(row), variant=variant))
        place, step = eager(Task(row, initial_weights(row)))
        given = list(islice(batches(row), STEPS))
        losses = network.train(given)()
        ours = [step(*place(x, y)) for x, y in given]
        np.testing.assert_allclose(losses, [loss.item() for loss in ours], rtol=2e-5, atol=1e-6)
        # Adam goes by a gradient's sign where it is next to 0, so that its bound is a part of the way that it went
        moved = network.parameters() - np.concatenate(
            [a.ravel() for pair in initial_weights(row) for a in pair]
        )
        mine = np.concatenate([p.numpy().ravel() for p in parameters_of(step)])
        np.testing.assert_allclose(network.parameters(), mine, rtol=0, atol=2e-3 * np.abs(moved).max() + 1e-7)


def parameters_of(step: Any) -> list[Any]:
    """The parameters of the model that a step trains."""
    held = [cell.cell_contents for cell in step.__closure__]
    (model,) = (each for each in held if isinstance(each, mg.nn.Sequential))
    return list(model.parameters())


def test_without_gcc_the_c_program_is_left_out_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    _, left_out = choose(["c"], "cpu", slow=False)
    assert left_out == {"c": "it compiles with gcc, and there is none on the PATH"}


def test_without_openblas_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(c_peer, "_libraries", lambda: iter(()))
    with pytest.raises(RuntimeError, match="no OpenBLAS, neither beside NumPy nor in the system"):
        c_peer._openblas()


def test_kinds_choose_ours_and_who_is_beside_them() -> None:
    chosen, _ = choose(["torch", "numpy", "c"], "cpu", slow=False, kinds=["compiled"])
    assert [peer.name for peer in chosen if not peer.missing][:1] == ["mg.compile"]
    assert "numpy" not in {peer.name for peer in chosen}
    with pytest.raises(ConfigError, match=r"no kind 'lazy'\. Known kinds: eager, compiled, epoch"):
        choose(None, "cpu", slow=False, kinds=["lazy"])


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
    chosen, left_out = choose(["ghost", "numpy"], "cpu", slow=False, kinds=["eager"])
    assert [peer.name for peer in chosen] == ["minigrad", "numpy"]
    assert left_out == {"ghost": "not installed; pip install no_such_package"}


def test_peers_that_a_run_leaves_out_are_named() -> None:
    _, left_out = choose(None, "cuda", slow=True)
    assert left_out["numpy"] == "computes on the CPU only"
    with pytest.raises(ConfigError, match=r"no peer 'tensorflow'\. Known peers: minigrad, mg"):
        choose(["tensorflow"], "cpu", slow=False)
