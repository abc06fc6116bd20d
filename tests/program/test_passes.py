"""Each pass keeps the bits: with it and without it a program does what the eager step does. And it says what it did."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from minigrad_kernels import chains, launch, products, tiles
from scipy import special

import minigrad as mg
from minigrad import nn, optim
from minigrad.program import passes
from minigrad.program.source import compiled as as_numpy

EVERY = [*passes.EVERYWHERE, *passes.ON_PROCESSOR]
ACTIVATIONS = [nn.SiLU, nn.GELU, nn.Softplus, nn.Tanh, nn.ELU, nn.Mish, nn.Sigmoid, nn.ReLU]
OPTIMIZERS = [optim.SGD, optim.Adam, optim.RMSprop, optim.AMSGrad, optim.Lion]


def random_step(seed: int) -> tuple[Any, Any, list[tuple[Any, Any]]]:
    """A network, a loss and an optimizer that are drawn; large enough for tiles in every third one."""
    rng = np.random.default_rng(seed)
    large = seed % 3 == 0
    inside, hidden, n = (200, 96, 24) if large else (int(rng.integers(1, 9)), int(rng.integers(1, 9)), 5)
    activation = ACTIVATIONS[seed % len(ACTIVATIONS)]
    layers: list[Any] = [nn.Linear(inside, hidden, rng=rng), activation()]
    if seed % 2:
        layers += [nn.LayerNorm(hidden), nn.Dropout(0.2, rng=np.random.default_rng(seed))]
    model = nn.Sequential(*layers, nn.Linear(hidden, 3, rng=rng))
    opt = OPTIMIZERS[seed % len(OPTIMIZERS)](model, lr=0.01, max_norm=0.5 if seed % 5 == 1 else None)
    squared = seed % 4 > 1

    def step(x, y):
        opt.zero_grad()
        z = model(mg.Tensor(x))
        loss = (
            ((z - y) ** 2).mean() + 0.01 * (z * np.tanh(z)).sum() if squared else nn.CrossEntropyLoss()(z, y)
        )
        loss.backward()
        opt.step()
        return loss

    data = []
    for _ in range(5):
        x = rng.standard_normal((n, inside)).astype("f")
        data.append((x, rng.random((n, 3)).astype("f") if squared else rng.integers(0, 3, n)))
    return step, model, data


def bits_of(step: Any, model: Any, data: Any) -> list[bytes]:
    losses = [step(x, y).numpy().tobytes() for x, y in data]
    return losses + [p.numpy().tobytes() for p in model.parameters()]


@pytest.mark.parametrize("without", [None, *EVERY], ids=lambda each: getattr(each, "__name__", "all"))
def test_random_networks_with_and_without_each_pass(without: Any, monkeypatch: pytest.MonkeyPatch):
    for name in ("EVERYWHERE", "ON_PROCESSOR"):
        monkeypatch.setattr(
            passes, name, tuple(each for each in getattr(passes, name) if each is not without)
        )
    for seed in range(8):
        eager = bits_of(*random_step(seed))
        step, model, data = random_step(seed)
        assert bits_of(mg.compile(step, verify=False), model, data) == eager, f"network {seed}"


def test_what_each_pass_leaves_runs_as_numpy():
    """The text of every stage is Python that computes the same."""
    for seed in range(6):
        step, _, data = random_step(seed)
        step = mg.compile(step)
        step(*data[0])
        program = step.program
        sources = dict(zip(program.listing.given, program.sources, strict=True))
        found = []
        for stage in program.passes():
            given = [sources[value].read(data[1]) for value in stage.after.given]
            copies = [np.copy(each) if isinstance(each, np.ndarray) else each for each in given]
            counts = [(each, each.t) for each in given if hasattr(each, "t")]
            states = [
                (each, each.bit_generator.state) for each in given if isinstance(each, np.random.Generator)
            ]
            result = as_numpy("step", stage.after)(*copies)
            for each, t in counts:
                each.t = t
            for each, state in states:
                each.bit_generator.state = state
            arrays = {v.name: each for v, each in zip(stage.after.given, copies, strict=True)}
            found.append((result, {k: each for k, each in arrays.items() if isinstance(each, np.ndarray)}))
        for result, arrays in found[1:]:
            np.testing.assert_array_equal(result, found[0][0])
            for name, array in arrays.items():
                np.testing.assert_array_equal(array, found[0][1][name])


FACTORS: dict[str, tuple[Any, int]] = {  # a loss, and how many products with 1 a gradient begins with
    "a product": (lambda x, y: (x * y).sum(), 1),
    "cross-entropy": (lambda x, y: nn.CrossEntropyLoss()(x, np.arange(3)), 1),
    "a square": (lambda x, y: np.square(x).sum(), 0),
    "the step's own": (lambda x, y: (np.ones_like(x.data) * x * y).sum(), 1),
}


@pytest.mark.parametrize("name", FACTORS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_nothing_is_multiplied_by_one(name: str):
    f, count = FACTORS[name]
    found = []
    for compiled in (False, True):

        def step(a, b):
            x, y = mg.Tensor(a, requires_grad=True), mg.Tensor(b)
            f(x, y).backward()
            return x.grad / 4

        step = mg.compile(step) if compiled else step
        rng = np.random.default_rng(0)
        for k in range(4):
            a, b = rng.standard_normal((2, 3, 4)).astype("f")
            a.flat[:5] = [0.0, -0.0, np.inf, -np.inf, np.nan] if k == 3 else 1.0
            found.append(step(a, b).numpy())
    for eager, replayed in zip(found[:4], found[4:], strict=True):
        np.testing.assert_array_equal(replayed, eager)
        np.testing.assert_array_equal(np.signbit(replayed), np.signbit(eager))
    stages = {each.name: each for each in step.program.passes()}
    assert len(stages["without_ones"].said) >= count
    left = [each.text() for each in stages["without_dead"].after.instructions]
    assert not any("ones_like" in text for text in left) or name in ("a square", "the step's own"), left


def by_hand(optimizer: Any) -> tuple[Any, list[tuple[Any, Any]]]:
    """784-128-10 with an activation that is written down in the step."""
    rng = np.random.default_rng(0)
    model = nn.Sequential(nn.Linear(784, 128, rng=rng), nn.Linear(128, 10, rng=rng))
    opt, loss_of = optimizer(model), nn.CrossEntropyLoss()

    def step(x, y):
        opt.zero_grad()
        z = model[0](mg.Tensor(x))
        loss = loss_of(model[1](z / (1 + np.exp(-z))), y)
        loss.backward()
        opt.step()
        return loss

    return step, [(rng.standard_normal((32, 784)).astype("f"), rng.integers(0, 10, 32)) for _ in range(4)]


def test_passes_show_themselves():
    step, data = by_hand(optim.Adam)
    step = mg.compile(step)
    step(*data[0])
    stages = step.program.passes()
    assert [each.name for each in stages] == [each.__name__ for each in EVERY]
    text = str(stages)
    for line in (
        "without_dead: Leave out what neither a result, nor memory that is there afterwards",
        "# 1 times d_v6 is d_v6",
        "  - v2 = np.negative(v1)",
        "  + for i in blocks(v5):",
        "  +     v5[i] = np.divide(v1[i], v4[i])",
        "+ adam(model_0_weight, linear_backward_weight(v15, x), model_0_weight_m, model_0_weight_v, coefficients)"
        if tiles.size()
        else "model_0_weight as before: for products of this size",
    ):
        assert line in text, text


@pytest.mark.skipif(tiles.size() is None, reason="there are no tiles for this processor")
def test_the_guide_shows_what_the_passes_do():
    """docs/guide/compiling.md prints passes of its own example, and of an activation that is written down."""
    page = (Path(__file__).parents[2] / "docs/guide/compiling.md").read_text()
    shown = re.findall(r"```\n(.*?)```", page.split("## Pass by pass")[1].split("\n## ")[0], re.S)
    assert len(shown) == 2
    names: dict[str, Any] = {}
    exec(re.findall(r"```python\n(.*?)print\(step", page, re.S)[0], names)
    step, data = by_hand(optim.Adam)
    step = mg.compile(step)
    step(*data[0])
    for text, program in zip(shown, (names["step"].program, step.program), strict=True):
        assert text.strip() in str(program.passes())


# -- a weight's gradient in its update --------------------------------------------------------------------

WHY_NOT: dict[str, tuple[dict[str, Any], str]] = {
    "joined": ({}, "weight_0 is updated by d_weight_0 part by part"),
    "clipped by the norm of all": ({"max_norm": 1.0}, "is asked for elsewhere too"),
    "kept in .grad": ({"grads": True}, "is asked for elsewhere too"),
    "accumulated": ({"passes": 2}, "is no product of a layer's gradient and its input alone"),
    "a penalty in the loss": ({"penalty": 0.1}, "is no product of a layer's gradient and its input alone"),
    "many samples": ({"n": 300}, "two passes are as fast"),
    "few numbers": ({"n": 2}, "two passes are as fast"),
    "double precision": ({"dtype": "float64"}, "BLAS is faster"),
}


@pytest.mark.skipif(tiles.size() is None, reason="there are no tiles for this processor")
@pytest.mark.parametrize("name", WHY_NOT)
def test_when_a_gradient_is_made_in_the_update(name: str):
    options, said = WHY_NOT[name]
    dtype = options.get("dtype", "float32")
    found = []
    for compiled in (False, True):
        rng = np.random.default_rng(0)
        model = nn.Sequential(nn.Linear(100, 64, rng=rng), nn.ReLU(), nn.Linear(64, 8, rng=rng)).to(dtype)
        opt = optim.Adam(model, lr=0.01, max_norm=options.get("max_norm"))
        loss_of = nn.CrossEntropyLoss()

        def step(x, y, model=model, opt=opt, loss_of=loss_of):
            opt.zero_grad()
            for _ in range(options.get("passes", 1)):
                loss = loss_of(model(mg.Tensor(x)), y)
                if options.get("penalty"):
                    loss = loss + options["penalty"] * sum((w * w).sum() for w in model.parameters())
                loss.backward()
            opt.step()
            return loss

        step = mg.compile(step, grads=options.get("grads", False)) if compiled else step
        n = options.get("n", 50)
        data = [(rng.standard_normal((n, 100)).astype(dtype), rng.integers(0, 8, n)) for _ in range(4)]
        found.append(bits_of(step, model, data))
    assert found[0] == found[1]
    stage = step.program.passes()[-2]
    assert stage.name == "updated_by_product"
    assert said in "\n".join(stage.said), stage.said
    assert stage.changed is (name == "joined")


@pytest.mark.skipif(tiles.size() is None, reason="there are no tiles for this processor")
@pytest.mark.parametrize("activation", [nn.ReLU, nn.Tanh])
@pytest.mark.parametrize("make", [optim.SGD, optim.Adam])
def test_layers_behind_one_another(make: Any, activation: Any, monkeypatch: pytest.MonkeyPatch):
    """All weights of a deep network at once, also where the layer's input is asked for a gradient."""
    monkeypatch.setattr(products, "SMALLEST", 0)
    products.fits.cache_clear()
    found = []
    for compiled in (False, True):
        rng = np.random.default_rng(0)
        layers = [part for _ in range(3) for part in (nn.Linear(40, 40, rng=rng), activation())]
        model = nn.Sequential(*layers)
        opt = make(model, lr=0.01)

        def step(x, y, model=model, opt=opt):
            opt.zero_grad()
            loss = ((model(mg.Tensor(x)) - y) ** 2).mean()
            loss.backward()
            opt.step()
            return loss

        step = mg.compile(step) if compiled else step
        data = [tuple(rng.standard_normal((33, 40)).astype("f") for _ in "xy") for _ in range(4)]
        found.append(bits_of(step, model, data))
    products.fits.cache_clear()
    assert found[0] == found[1]
    assert step.program.native.count("by_tiles") == 3


# -- chains -----------------------------------------------------------------------------------------------

SPECIAL = np.array([0.0, -0.0, 1e-40, -1e-40, np.inf, -np.inf, np.nan, 88.8, -104.0, 1.0, -1.0, 3e38], "f")


def rows_and_columns(x: Any, y: Any) -> Any:
    shifted = x - y[:1] + np.arange(1.0, x.shape[1] + 1, dtype=x.dtype)
    return shifted / (1 + np.abs(y[:, :1])) * 2 - shifted


CHAINS = {
    "SiLU": lambda x, y: x / (1 + np.exp(-x)) * y,
    "GELU": lambda x, y: 0.5 * x * (1 + np.tanh(0.8 * (x + 0.045 * x * x * x))) + y,
    "normal": lambda x, y: x * special.ndtr(x) - y,
    "softplus": lambda x, y: np.log1p(np.exp(-np.abs(x))) + np.maximum(x, y),
    "squares": lambda x, y: np.square(x - y) * 0.5,
    "logarithms": lambda x, y: np.log1p(np.abs(x)) + np.log(np.abs(y) + 1),
    "choices": lambda x, y: np.where(x.data > 0, np.maximum(x, y), np.exp(-np.abs(x))) * np.sin(y),
    "rows and columns": rows_and_columns,
}


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", CHAINS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_chains_have_numpys_bits(name: str, dtype: str, several: bool, monkeypatch: pytest.MonkeyPatch):
    """Of ordinary numbers and of the others; blocks that are full and one that is not, on one thread and on two."""
    monkeypatch.setattr(chains, "PARALLEL_FROM", 0 if several else 1 << 60)
    monkeypatch.setattr(launch, "threads", lambda: 2)
    f = CHAINS[name]
    for shape in ((3, 5), (7, 1024), (1, 5), (5, 1)):
        found = []
        for compiled in (False, True):
            rng = np.random.default_rng(0)

            def step(a, b):
                x, y = (mg.Tensor(each, requires_grad=True) for each in (a, b))
                z = f(x, y)
                z.sum().backward()
                return z, x.grad, y.grad

            step = mg.compile(step, verify=False) if compiled else step
            for k in range(3):
                a, b = (rng.standard_normal(shape).astype(dtype) for _ in "ab")
                if k == 2:
                    a.flat[: SPECIAL.size], b.flat[-SPECIAL.size :] = SPECIAL[: a.size], SPECIAL[: b.size]
                found.append([each.numpy() for each in step(a, b)])
        assert any(
            isinstance(each.function, passes.chain.OfChain)
            for each in step.program.passes().last.instructions
        )
        for eager, replayed in zip(found[:3], found[3:], strict=True):
            for e, r in zip(eager, replayed, strict=True):
                np.testing.assert_array_equal(r, e)
                np.testing.assert_array_equal(np.signbit(r) | np.isnan(r), np.signbit(e) | np.isnan(e))


def test_a_chain_keeps_what_is_asked_for_elsewhere():
    @mg.compile
    def step(x):
        a = np.exp(mg.Tensor(x))
        b = a * 2
        c = b + 1
        x *= 0  # behind the chain, which has read it
        return b, c * x

    for k in range(4):
        x = np.full((2, 3), float(k))
        b, c = step(x)
        np.testing.assert_allclose(b.numpy(), 2 * np.exp(k))
        np.testing.assert_array_equal(c.numpy(), 0)
