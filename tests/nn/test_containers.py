"""Lists and dicts of modules and parameters, ``nn.functional``, and names that are imported when asked for."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import minigrad as mg
import minigrad.nn.functional as F
from minigrad import nn
from minigrad.errors import ConfigError
from tests.nn.parity_pictures import FUNCTIONS

RNG = np.random.default_rng(0)


class Net(nn.Module):
    def __init__(self):
        self.layers = nn.ModuleList([nn.Linear(2, 3), nn.Linear(3, 2)])
        self.heads = nn.ModuleDict({"left": nn.Linear(2, 1), "right": nn.Linear(2, 1)})
        self.gains = nn.ParameterList([np.ones(2, "float32")])
        self.shifts = nn.ParameterDict({"up": np.zeros(1, "float32")})

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return self.heads["left"](x * self.gains[0]) + self.heads["right"](x) + self.shifts["up"]


def test_their_parts_have_pytorch_s_names():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")

    class Theirs(torch.nn.Module):
        def __init__(self):
            super().__init__()
            t = torch.nn
            self.layers = t.ModuleList([t.Linear(2, 3), t.Linear(3, 2)])
            self.heads = t.ModuleDict({"left": t.Linear(2, 1), "right": t.Linear(2, 1)})
            self.gains = t.ParameterList([t.Parameter(torch.ones(2))])
            self.shifts = t.ParameterDict({"up": t.Parameter(torch.zeros(1))})

    net, theirs = Net(), Theirs()
    assert list(net.state_dict()) == list(theirs.state_dict())
    net.load_state_dict({name: value.numpy() for name, value in theirs.state_dict().items()})
    net(np.ones((4, 2), "float32")).sum().backward()
    assert all(p.grad is not None for p in net.parameters())
    assert len(net.eval().modules()) == len(list(theirs.modules()))
    assert not net.layers[0].training


def test_a_list_of_modules_is_a_list():
    a, b, c = (nn.Linear(1, 1) for _ in range(3))
    held = nn.ModuleList([a]).append(c)
    held.insert(1, b)
    assert list(held) == [a, b, c]
    assert (len(held), held[-1], list(held[1:]), list(held + [a])) == (3, c, [b, c], [a, b, c, a])  # noqa: RUF005
    assert held.pop() is c
    held[0] = c
    held += [a]
    del held[1]
    assert list(held) == [c, a]


def test_a_dict_of_modules_is_a_dict():
    a, b = nn.Linear(1, 1), nn.Linear(1, 1)
    held = nn.ModuleDict({"a": a})
    held.update([("b", b)])
    assert (list(held), list(held.values()), dict(held.items()), "a" in held) == (
        ["a", "b"],
        [a, b],
        {"a": a, "b": b},
        True,
    )
    assert held.pop("a") is a
    del held["b"]
    assert len(held) == 0


def test_what_is_no_module_is_refused():
    with pytest.raises(ConfigError, match=r"MG-802 ModuleList .*Make one of the class: ReLU\(\)"):
        nn.ModuleList([nn.ReLU])
    with pytest.raises(ConfigError, match=r"MG-802 ModuleDict .*ParameterList"):
        nn.ModuleDict({"w": nn.Parameter([1.0])})
    assert isinstance(nn.ParameterList([[1.0]])[0], nn.Parameter)


def _same(torch, ours, theirs, *arrays, **settings):
    mine, other = [mg.Tensor(x) for x in arrays], [torch.from_numpy(x) for x in arrays]
    np.testing.assert_allclose(ours(*mine, **settings).numpy(), theirs(*other, **settings).numpy(), atol=1e-7)


SETTINGS = {
    "celu": {"alpha": 0.5}, "elu": {"alpha": 0.5}, "gelu": {"approximate": "tanh"}, "glu": {"dim": 1},
    "hardtanh": {"min_val": -0.5, "max_val": 0.3}, "leaky_relu": {"negative_slope": 0.2}, "softmax": {"dim": 1},
    "log_softmax": {"dim": 0}, "softmin": {"dim": 0}, "softplus": {"beta": 2.0}, "normalize": {"dim": 0},
    "flatten": {"start_dim": 0},
    **{name: {} for name in (
        *("hardsigmoid", "hardswish", "logsigmoid", "mish", "relu", "relu6", "selu", "sigmoid", "silu", "softsign"),
        *("tanh", "tanhshrink"),
    )},
}  # fmt: skip
LOSSES = {
    "mse_loss": {}, "l1_loss": {"reduction": "sum"}, "huber_loss": {"delta": 0.5}, "smooth_l1_loss": {"beta": 0.5},
    "binary_cross_entropy": {}, "binary_cross_entropy_with_logits": {"reduction": "none"},
    "kl_div": {"reduction": "batchmean", "log_target": True}, "cross_entropy": {"label_smoothing": 0.1},
    "cosine_similarity": {"dim": 1},
}  # fmt: skip
GIVEN = {
    "linear", "embedding", "dropout", "one_hot", "layer_norm", "rms_norm", "group_norm", "batch_norm", "prelu",
    "nll_loss", "cosine_embedding_loss",
}  # fmt: skip


def test_every_function_is_tried():
    assert set(F.__all__) == {*SETTINGS, *LOSSES, *GIVEN, *(name for name, _ in FUNCTIONS.values())}


@pytest.mark.parametrize("name", SETTINGS)
def test_functions_equal_pytorch_s(name):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    theirs = torch.flatten if name == "flatten" else getattr(torch.nn.functional, name)
    _same(torch, getattr(F, name), theirs, 2 * RNG.normal(size=(3, 4)), **SETTINGS[name])


@pytest.mark.parametrize("name", LOSSES)
def test_losses_equal_pytorch_s(name):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    inputs = RNG.uniform(0.1, 0.9, (2, 3, 4))
    _same(torch, getattr(F, name), getattr(torch.nn.functional, name), *inputs, **LOSSES[name])


def test_functions_that_are_given_weights_equal_pytorch_s():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    there, x, w = torch.nn.functional, RNG.normal(size=(5, 4)), RNG.normal(size=4)
    ids = np.array([0, 3, 1, 1, 2])
    _same(torch, F.linear, there.linear, x, RNG.normal(size=(3, 4)), RNG.normal(size=3))
    _same(torch, F.embedding, there.embedding, ids, x)
    _same(torch, F.one_hot, there.one_hot, ids, num_classes=4)
    _same(torch, F.nll_loss, there.nll_loss, x, ids)
    _same(torch, F.prelu, there.prelu, x, w)
    for name, given in (("layer_norm", [4]), ("rms_norm", (4,)), ("group_norm", 2)):
        both = (lambda x, w, f=f, n=given: f(x, n, w) for f in (getattr(F, name), getattr(there, name)))
        _same(torch, *both, x, w)
    target = np.array([1, -1, 1, 1, -1])
    _same(torch, F.cosine_embedding_loss, there.cosine_embedding_loss, x, x[::-1].copy(), target, margin=0.1)
    for training in (True, False):
        mean, var = np.zeros(4), np.ones(4)
        ours = F.batch_norm(
            mg.Tensor(x), mine := mg.Tensor(mean.copy()), mg.Tensor(var.copy()), training=training
        )
        other = torch.from_numpy(mean.copy())
        theirs = there.batch_norm(torch.from_numpy(x), other, torch.from_numpy(var.copy()), training=training)
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), atol=1e-12)
        np.testing.assert_allclose(mine.numpy(), other.numpy(), atol=1e-12)


def test_dropout_is_given_its_generator():
    x = np.ones((100,), "float32")
    assert F.dropout(x, training=False) is x
    kept = F.dropout(mg.Tensor(x), 0.25, rng=np.random.default_rng(0)).numpy()
    assert set(np.round(kept, 4)) == {0, np.float32(1.3333)}


def test_what_few_use_is_imported_when_it_is_asked_for():
    code = (
        "import sys, minigrad.nn as nn; late = ['normalization', 'likelihoods', 'containers', 'functional'];"
        "print([m for m in late if 'minigrad.nn.' + m in sys.modules]);"
        "nn.RMSNorm, nn.functional; print([m for m in late if 'minigrad.nn.' + m in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.split("\n")[:2] == ["[]", "['normalization', 'likelihoods', 'functional']"]


def test_every_name_that_is_promised_is_there():
    for name in nn.__all__:
        assert getattr(nn, name)
