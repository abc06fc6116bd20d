"""What the users of six other libraries type: it works, or what the message says to write runs when it is pasted."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim, peers
from minigrad.errors import OperationError

POINTS = np.array([[0.5, -1.25, 2.0], [1.5, 0.25, -0.5]])
TABLES = {"mg": (mg, peers.MODULE), "nn": (nn, peers.NN), "optim": (optim, peers.OPTIM)}
LAYER = nn.Linear(3, 1)
OWNERS = {
    **TABLES,
    "t": (mg.tensor(POINTS), peers.METHODS),
    "Tensor": (mg.Tensor, peers.METHODS),
    "model": (LAYER, peers.MODEL),
}
WORDS = [(owner, word) for owner, (_, table) in OWNERS.items() for word in table]

# what an elementwise function of a peer's is, worked out on bare numbers
VALUES = {
    "elu": np.where(POINTS > 0, POINTS, np.exp(POINTS) - 1),
    "hardtanh": np.minimum(np.maximum(POINTS, -1), 1),
    "leakyrelu": np.where(POINTS > 0, POINTS, 0.01 * POINTS),
    "quick_gelu": POINTS / (1 + np.exp(-1.702 * POINTS)),
    "silu": POINTS / (1 + np.exp(-POINTS)),
    "swish": POINTS / (1 + np.exp(-POINTS)),
    "pad": np.array([[0, 0, 0], *POINTS, [0, 0, 0]]),
    "cat": np.r_[POINTS, POINTS + 1],
    "stack": np.array([POINTS, POINTS + 1]),
    "einsum": POINTS @ (POINTS + 1).T,
}


def names():
    model = nn.Linear(3, 1)
    return {
        "mg": mg,
        "nn": nn,
        "optim": optim,
        "np": np,
        "t": mg.tensor(POINTS, dtype="float32", requires_grad=True),
        "u": mg.tensor(POINTS + 1, dtype="float32"),
        "model": model,
        "self": SimpleNamespace(),
        "labels": np.array([0, 2]),
        "index": np.array([1, 0]),
        "f": np.tanh,
        "x": POINTS,
        "v": np.ones_like(POINTS),
        "step": lambda: (model(mg.ones(2, 3)) ** 2).sum().backward(),
    }


@pytest.mark.parametrize(("owner", "word"), WORDS)
def test_a_peer_s_word_says_what_to_write(owner, word):
    holder, table = OWNERS[owner]
    with pytest.raises(AttributeError) as error:
        getattr(holder, word)
    assert str(error.value).endswith(f"has no attribute '{word}': write {table[word]}")
    assert not hasattr(holder, word)


PASTED = sorted({text for _, table in OWNERS.values() for text in table.values()})


@pytest.mark.parametrize("text", PASTED)
def test_what_is_said_runs_when_it_is_pasted(text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if text.startswith("nothing: ") or "'cuda'" in text:
        return
    scope = names()
    nn.save_weights(scope["model"], "weights.safetensors")
    (scope["model"](scope["t"]) ** 2).sum().backward()
    exec(text, scope)


@pytest.mark.parametrize("word", VALUES)
def test_what_is_said_has_the_peer_s_value_and_a_gradient(word):
    t, u = mg.tensor(POINTS, requires_grad=True), mg.tensor(POINTS + 1)
    y = eval(peers.METHODS[word], {"t": t, "u": u, "np": np, "mg": mg})
    np.testing.assert_allclose(y.data, VALUES[word], rtol=1e-12)
    mg.gradcheck(lambda t: eval(peers.METHODS[word], {"t": t, "u": u, "np": np, "mg": mg}), [POINTS.copy()])


def test_a_program_s_own_names_come_first():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.params = 3

        def freeze(self):
            return "mine"

    net = Net()
    assert (net.params, net.freeze()) == (3, "mine")


# what users of the peers type that works as it stands, with the result worked out
WORKS = {
    "mg.Tensor(2.0) ** -1": 0.5,
    "2 / mg.Tensor(4.0)": 0.5,
    "mg.Tensor([3.0]).relu().data": [3.0],
    "t.sum(0).view(3)": POINTS.sum(0),
    "t.permute(1, 0)": POINTS.T,
    "t.dot(u.T)": POINTS @ (POINTS + 1).T,
    "t.minimum(0).maximum(-1)": np.clip(POINTS, -1, 0),
    "t.clip(0, 1)": np.clip(POINTS, 0, 1),
    "t.square().mean().sqrt()": np.sqrt((POINTS**2).mean()),
    "mg.grad(lambda a, b: a * b, 1)(2.0, 3.0)": 2.0,
    "mg.grad(lambda a, b: a * b, argnums=(0, 1))(2.0, 3.0)[0]": 3.0,
    "mg.value_and_grad(lambda a: a**2)(3.0)[1]": 6.0,
    "mg.jacobian(np.sin)(np.zeros(2))": np.eye(2),
    "mg.stop_gradient(t)": POINTS,
    "mg.stack([t, u])": [POINTS, POINTS + 1],
}


@pytest.mark.parametrize("typed", WORKS)
def test_what_peers_users_type_works(typed):
    scope = {"mg": mg, "np": np, "t": mg.tensor(POINTS), "u": mg.tensor(POINTS + 1)}
    np.testing.assert_allclose(np.asarray(eval(typed, scope)), WORKS[typed], rtol=1e-6)


@pytest.mark.parametrize(
    "typed", ["(t > 0).where(t, 0)", "t.where(labels, 0)", "t.masked_fill(t, 0.0)", "t.masked_select([0, 1])"]
)
def test_numbers_in_the_place_of_a_mask_are_refused(typed):
    scope = {**names(), "t": mg.tensor(POINTS), "u": 0}
    with pytest.raises(
        OperationError, match=r"MG-215 .*takes a mask of bools; it got (int|float)64"
    ) as error:
        eval(typed, scope)
    for advice in ("t.where(t > 0, u)", "np.where(t > 0, t, u)"):
        assert advice in str(error.value)
        np.testing.assert_array_equal(eval(advice, scope).data, np.maximum(POINTS, 0))
