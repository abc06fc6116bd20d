"""Twelve known programs, as someone writes them who comes from another library: they run, and give its numbers."""

from __future__ import annotations

import random

import numpy as np
import pytest
import scipy.optimize

import minigrad as mg
from minigrad import nn, optim
from minigrad.errors import MinigradWarning
from tests.programs.both import OPTIMIZERS, agree, close, drawn, torch

F = torch.nn.functional
RNG = np.random.default_rng(11)
BOTH = pytest.mark.parametrize("optimizer", sorted(OPTIMIZERS))


class Neuron:
    """micrograd's: a number for each weight."""

    def __init__(self, inputs, number, relu=True):
        self.w = [number(random.uniform(-1, 1)) for _ in range(inputs)]
        self.b = number(0.0)
        self.relu = relu

    def __call__(self, x):
        act = sum((w * x for w, x in zip(self.w, x, strict=True)), self.b)
        return act.relu() if self.relu else act


class Network:
    """micrograd's: lists of neurons."""

    def __init__(self, number):
        self.hidden = [Neuron(2, number) for _ in range(4)]
        self.out = Neuron(4, number, relu=False)

    def __call__(self, x):
        return self.out([neuron(x) for neuron in self.hidden])

    def parameters(self):
        return [p for neuron in [*self.hidden, self.out] for p in [*neuron.w, neuron.b]]


def moons(count=8):
    angle = RNG.random(2 * count) * np.pi
    upper, lower = angle[:count], angle[count:]
    points = np.r_[np.c_[np.cos(upper), np.sin(upper)], np.c_[1 - np.cos(lower), 0.5 - np.sin(lower)]]
    return points, np.r_[-np.ones(count), np.ones(count)]


def test_micrograd_s_moons():
    x, y = moons()
    ends = []
    for number in (
        lambda v: mg.Tensor(v, dtype="float64", requires_grad=True),
        lambda v: torch.tensor(v, dtype=torch.float64, requires_grad=True),
    ):
        random.seed(3)
        model = Network(number)
        for step in range(4):
            scores = [model(list(map(float, row))) for row in x]
            losses = [(1 + -label * score).relu() for label, score in zip(y, scores, strict=True)]
            data_loss = sum(losses) * (1.0 / len(losses))
            total = data_loss + 1e-4 * sum(p * p for p in model.parameters())
            for p in model.parameters():
                p.grad = None
            total.backward()
            for p in model.parameters():
                p.data -= (0.5 - 0.1 * step) * p.grad.data
        ends.append([p.item() for p in model.parameters()] + [total.item()])
    close(ends[0], ends[1], "weights and loss")


def test_micrograd_s_expression():
    a, b = (mg.Tensor(v, requires_grad=True, dtype="float64") for v in (-4.0, 2.0))
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    g.backward()
    # PyTorch's values for the same lines
    ta, tb = (torch.tensor(v, requires_grad=True, dtype=torch.float64) for v in (-4.0, 2.0))
    c = ta + tb
    d = ta * tb + tb**3
    c = c + c + 1
    c = c + 1 + c + (-ta)
    d = d + d * 2 + (tb + ta).relu()
    d = d + 3 * d + (tb - ta).relu()
    f = (c - d) ** 2
    t = f / 2.0 + 10.0 / f
    t.backward()
    close([g.item(), a.grad.item(), b.grad.item()], [t.item(), ta.grad.item(), tb.grad.item()], "g, da, db")


@BOTH
@pytest.mark.parametrize("kind", ["line", "logistic", "poisson", "huber"])
def test_regressions(kind, optimizer):
    x = RNG.normal(size=(12, 3))
    y = {"logistic": (x[:, 0] > 0) * 1.0, "poisson": np.arange(12) % 4 * 1.0}.get(kind, x @ [1.0, -2, 3] + 1)
    losses = {
        "line": lambda z, y, lib, where: ((z - y) ** 2).mean(),
        "logistic": lambda z, y, lib, where: (lib.log1p(lib.exp(z)) - y * z).mean(),
        "poisson": lambda z, y, lib, where: (lib.exp(z) - y * z).sum(),
        "huber": lambda z, y, lib, where: where(abs(z - y) < 1, 0.5 * (z - y) ** 2, abs(z - y) - 0.5).mean(),
    }
    loss = losses[kind]
    agree(
        drawn(0, w=(3,), b=()) if kind != "poisson" else drawn(0, w=(3,), b=(1,)),
        lambda p: loss(x @ p["w"] + p["b"], y, np, np.where) * 0.1,
        lambda q: loss(torch.tensor(x) @ q["w"] + q["b"], torch.tensor(y), torch, torch.where) * 0.1,
        optimizer,
    )


NAMES = ["emma", "olivia", "ava", "isabella"]
LETTERS = [".", *sorted(set("".join(NAMES)))]


def pairs(context):
    tokens, following = [], []
    for name in NAMES:
        seen = [0] * context
        for letter in [*name, "."]:
            tokens.append(seen)
            following.append(LETTERS.index(letter))
            seen = [*seen[1:], following[-1]]
    return np.array(tokens), np.array(following)


@BOTH
def test_makemore_s_bigram(optimizer):
    tokens, following = pairs(1)
    n, rows = len(LETTERS), np.arange(len(tokens))

    def ours(p):
        counts = (np.eye(n)[tokens[:, 0]] @ p["w"]).exp()
        chances = counts / counts.sum(1, keepdims=True)
        return -chances[rows, following].log().mean() + 0.01 * (p["w"] ** 2).mean()

    def theirs(q):
        counts = (F.one_hot(torch.tensor(tokens[:, 0]), n).double() @ q["w"]).exp()
        chances = counts / counts.sum(1, keepdims=True)
        return -chances[rows, following].log().mean() + 0.01 * (q["w"] ** 2).mean()

    agree(drawn(1, w=(n, n)), ours, theirs, optimizer)


@BOTH
def test_makemore_s_mlp_with_batch_normalisation(optimizer):
    tokens, following = pairs(3)
    n = len(LETTERS)
    start = drawn(2, c=(n, 2), w1=(6, 10), gain=(1, 10), shift=(1, 10), w2=(10, n), b2=(n,))

    def program(p, tokens, following, cross_entropy):
        h = p["c"][tokens].reshape(len(tokens), -1) @ p["w1"]
        mean, variance = (
            h.mean(0, keepdims=True),
            ((h - h.mean(0, keepdims=True)) ** 2).mean(0, keepdims=True),
        )
        h = (p["gain"] * (h - mean) / (variance + 1e-5) ** 0.5 + p["shift"]).tanh()
        return cross_entropy(h @ p["w2"] + p["b2"], following)

    agree(
        start,
        lambda p: program(p, tokens, following, nn.cross_entropy),
        lambda q: program(q, torch.tensor(tokens), torch.tensor(following), F.cross_entropy),
        optimizer,
    )


@BOTH
def test_a_vae(optimizer):
    x, noise = RNG.random((6, 5)), RNG.normal(size=(6, 2))
    start = drawn(3, encode=(5, 7), mu=(7, 2), logvar=(7, 2), decode=(2, 7), out=(7, 5))

    def program(p, x, noise, lib):
        h = (x @ p["encode"]).relu()
        mu, logvar = h @ p["mu"], h @ p["logvar"]
        z = mu + lib.exp(0.5 * logvar) * noise
        y = ((z @ p["decode"]).relu() @ p["out"]).sigmoid()
        likelihood = -(x * lib.log(y) + (1 - x) * lib.log(1 - y)).sum()
        return (likelihood - 0.5 * (1 + logvar - mu**2 - lib.exp(logvar)).sum()) / 6

    agree(
        start,
        lambda p: program(p, x, noise, np),
        lambda q: program(q, torch.tensor(x), torch.tensor(noise), torch),
        optimizer,
    )


@BOTH
def test_a_pinn(optimizer):
    points = np.linspace(0, 1, 7).reshape(-1, 1)
    source = np.pi**2 * np.sin(np.pi * points)

    def program(p, x, derivative, source, tanh):
        def u(x):
            return tanh(x @ p["w1"] + p["b1"]) @ p["w2"]

        du = derivative(u(x).sum(), x)
        residual = derivative(du.sum(), x) + source
        return 0.01 * (residual**2).mean() + u(x * 0).mean() ** 2 + u(x * 0 + 1).mean() ** 2

    def ours(p):
        x = mg.tensor(points, requires_grad=True)
        return program(p, x, lambda y, x: mg.gradients(y, x, create_graph=True)[0], source, np.tanh)

    def theirs(q):
        x = torch.tensor(points, requires_grad=True)
        return program(
            q,
            x,
            lambda y, x: torch.autograd.grad(y, x, create_graph=True)[0],
            torch.tensor(source),
            torch.tanh,
        )

    agree(drawn(4, w1=(1, 6), b1=(6,), w2=(6, 1)), ours, theirs, optimizer)


def rosenbrock(p):
    x, y = p
    return (1 - x) ** 2 + 100 * (y - x**2) ** 2


@BOTH
def test_optimising_on_a_surface(optimizer):
    start = {"p": np.array([-1.2, 1.0])}
    agree(start, lambda p: rosenbrock(p["p"]) * 1e-2, lambda q: rosenbrock(q["p"]) * 1e-2, optimizer)


@pytest.mark.parametrize("method", ["BFGS", "L-BFGS-B", "CG", "Newton-CG", "trust-exact"])
def test_scipy_finds_the_valley_with_our_derivatives(method):
    options = {"hess": mg.hessian(rosenbrock)} if method in ("Newton-CG", "trust-exact") else {}
    found = scipy.optimize.minimize(
        rosenbrock, np.array([-1.2, 1.0]), method=method, jac=mg.grad(rosenbrock), **options
    )
    np.testing.assert_allclose(found.x, [1, 1], atol=1e-3)


@BOTH
def test_policy_gradient_on_a_gridworld(optimizer):
    states, actions, returns = RNG.integers(0, 4, 20), RNG.integers(0, 3, 20), np.abs(RNG.normal(size=20))

    def ours(p):
        chosen = [mg.ops.log_softmax(p["theta"][s])[a] for s, a in zip(states, actions, strict=True)]
        return -(mg.stack(chosen) * returns).mean()

    def theirs(q):
        chosen = [F.log_softmax(q["theta"][s], dim=0)[a] for s, a in zip(states, actions, strict=True)]
        return -(torch.stack(chosen) * torch.tensor(returns)).mean()

    agree(drawn(5, theta=(4, 3)), ours, theirs, optimizer)


def test_a_bandit_learns_its_best_arm():
    rng = np.random.default_rng(0)
    theta = mg.zeros(3, requires_grad=True)
    optimizer = optim.Adam([theta], lr=0.1)
    for _ in range(200):
        chances = mg.ops.softmax(theta)
        arm = rng.choice(3, p=chances.numpy() / np.sum(chances.numpy(), dtype="float64"))
        loss = -chances[arm].log() * [0.0, 0.2, 1.0][arm]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert mg.ops.softmax(theta)[2].item() > 0.8


@BOTH
def test_matrix_factorisation(optimizer):
    user, item, rating = RNG.integers(0, 4, 15), RNG.integers(0, 5, 15), RNG.normal(size=15)

    def program(p, rating):
        predicted = (p["u"][user] * p["v"][item]).sum(1) + p["b"][user]
        return ((predicted - rating) ** 2).mean() + 0.01 * ((p["u"] ** 2).sum() + (p["v"] ** 2).sum())

    agree(
        drawn(6, u=(4, 2), v=(5, 2), b=(4,)),
        lambda p: program(p, rating),
        lambda q: program(q, torch.tensor(rating)),
        optimizer,
    )


@BOTH
def test_a_mixture_of_gaussians(optimizer):
    x = np.r_[RNG.normal(-2, 1, 15), RNG.normal(3, 0.5, 15)]

    def program(p, x, lib, log_softmax):
        z = (x[:, None] - p["mu"]) / lib.exp(p["log_sigma"])
        return -(log_softmax(p["weight"]) - 0.5 * z**2 - p["log_sigma"]).logsumexp(1).mean()

    agree(
        drawn(7, mu=(2,), log_sigma=(2,), weight=(2,)),
        lambda p: program(p, x, np, lambda w: w.log_softmax(0)),
        lambda q: program(q, torch.tensor(x), torch, lambda w: w.log_softmax(0)),
        optimizer,
    )


def test_a_loop_by_hand():
    x, y = RNG.normal(size=(12, 3)), RNG.normal(size=12)
    ends = []
    for lib, make in ((mg, mg.tensor), (torch, torch.tensor)):
        w = make(np.zeros(3), requires_grad=True)
        total = 0.0
        for _ in range(3):
            for i in range(0, 12, 4):
                loss = ((make(x[i : i + 4]) @ w - make(y[i : i + 4])) ** 2).mean()
                loss.backward()
                with lib.no_grad():
                    w -= 0.1 * w.grad
                    w.grad.zero_()
                total += loss.item()
        ends.append([*w.tolist(), total])
    close(ends[0], ends[1], "weights and the sum of the losses")


def test_gradients_are_added_up_over_parts_of_a_batch():
    x, y = mg.tensor(RNG.normal(size=(12, 3))), mg.tensor(RNG.normal(size=12))
    w = mg.tensor(np.ones(3), requires_grad=True)
    ((x @ w - y) ** 2).mean().backward()
    whole = w.grad.numpy().copy()
    w.grad = None
    for i in range(0, 12, 4):
        (((x[i : i + 4] @ w - y[i : i + 4]) ** 2).mean() / 3).backward()
    close(w.grad.numpy(), whole, "gradient")


class Block(nn.Module):
    """A user's own: layers in a list and a dict, a parameter, a buffer that is a running mean."""

    def __init__(self, rng):
        super().__init__()
        self.layers = [nn.Linear(3, 3, rng=rng) for _ in range(2)]
        self.heads = {"mean": nn.Linear(3, 1, rng=rng)}
        self.gain = nn.Parameter(np.ones(3, "float32"))
        self.seen = nn.Buffer(np.zeros(3, "float32"))

    def forward(self, x):
        for layer in self.layers:
            x = layer(x).relu() + x
        if self.training:
            self.seen = 0.9 * self.seen + 0.1 * x.detach().mean(0)
        return self.heads["mean"](x * self.gain)


def test_a_module_of_the_user_s_is_trained_saved_and_loaded(tmp_path):
    x, y = mg.tensor(RNG.normal(size=(8, 3)), dtype="float32"), mg.ones((8, 1))
    model = Block(np.random.default_rng(0))
    optimizer = optim.Adam(model.parameters(), lr=0.05)
    losses = []
    for _ in range(20):
        loss = ((model(x) - y) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 4
    assert np.abs(model.seen.numpy()).max() > 0
    nn.save_weights(model, tmp_path / "block.safetensors")
    other = Block(np.random.default_rng(1))
    nn.load_weights(other, tmp_path / "block.safetensors")
    model.eval(), other.eval()
    np.testing.assert_array_equal(other(x).numpy(), model(x).numpy())
    np.testing.assert_array_equal(other.seen.numpy(), model.seen.numpy())


def test_a_parameter_that_is_a_plain_tensor_is_named():
    class Scale(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = mg.ones(2, requires_grad=True)

    with pytest.warns(MinigradWarning, match=r"MG-509 Scale\.w .* self\.w = nn\.Parameter"):
        optim.SGD([*Scale().parameters(), mg.ones(1, requires_grad=True)], lr=0.1)


@BOTH
@pytest.mark.parametrize("kind", ["focal", "triplet", "dice", "quantile"])
def test_losses_of_the_user_s(kind, optimizer):
    x, y = RNG.normal(size=(9, 3)), (np.arange(9) % 2) * 1.0

    def loss(p, x, y, lib, maximum):
        z = x @ p["w"]
        chance = z[:, 0].sigmoid()
        if kind == "focal":
            right = chance * y + (1 - chance) * (1 - y)
            return -((1 - right) ** 2 * lib.log(right)).mean()
        if kind == "dice":
            return 1 - (2 * (chance * y).sum() + 1) / (chance.sum() + y.sum() + 1)
        if kind == "triplet":
            a, b, c = z[:3], z[3:6], z[6:]
            return (((a - b) ** 2).sum(1) - ((a - c) ** 2).sum(1) + 1).relu().sum() * 0.01
        e = y - z[:, 0]
        return maximum(0.9 * e, -0.1 * e).mean()

    agree(
        drawn(8, w=(3, 2)),
        lambda p: loss(p, x, y, np, np.maximum),
        lambda q: loss(q, torch.tensor(x), torch.tensor(y), torch, torch.maximum),
        optimizer,
    )
