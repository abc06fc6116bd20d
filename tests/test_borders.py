"""stop_gradient, custom_gradient and checkpoint: same value, and the gradient that was asked for."""

from __future__ import annotations

import tracemalloc
import weakref

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.errors import GradientError, OperationError

RNG = np.random.default_rng(5)
X = RNG.normal(size=(5, 3))
HIDDEN = {"generators": {"one": np.random.default_rng(0)}}


def test_stop_gradient():
    assert mg.grad(lambda x: x * mg.stop_gradient(x * x))(3.0).item() == 9
    tree = mg.stop_gradient({"a": mg.Tensor([1.0], requires_grad=True) * 2, "b": [X, "text", None]})
    assert not tree["a"].requires_grad
    assert tree["b"][0] is X
    assert tree["b"][1:] == ["text", None]


class TestCustomGradient:
    def test_orders_of_a_stable_softplus(self):
        @mg.custom_gradient
        def log1pexp(x):
            e = np.exp(x)
            return np.log(1 + e), lambda g: g * (1 - 1 / (1 + e))

        s = 1 / (1 + np.exp(-1.5))
        assert log1pexp(1.5) == pytest.approx(np.log1p(np.exp(1.5)))
        derivative = log1pexp
        for expected in (s, s * (1 - s), s * (1 - s) * (1 - 2 * s)):
            derivative = mg.grad(derivative)
            assert derivative(1.5).item() == pytest.approx(expected, rel=1e-13)
        mg.gradcheck(log1pexp, [X], order=2)
        assert mg.grad(log1pexp)(100.0).item() == 1  # where e / (1 + e) itself is right too
        np.testing.assert_allclose(mg.jvp(log1pexp, X, X)[1].numpy(), X / (1 + np.exp(-X)), rtol=1e-13)

    def test_it_is_taken_instead_of_the_true_one(self):
        @mg.custom_gradient
        def through(x):
            return np.round(x) * 1.0 if not isinstance(x, mg.Tensor) else np.floor(x + 0.5), lambda g: g * 7.0

        assert mg.grad(lambda x: through(x) * x)(2.25).item() == 2 + 7 * 2.25

    def test_several_arguments_and_outputs(self):
        @mg.custom_gradient
        def f(p, y, text):
            value = {"a": p["w"] * y, "b": [y.sum()]}

            def backwards(g):
                return {"w": g["a"] * y}, (g["a"] * p["w"]) + g["b"][0], None

            assert text == "constant"
            return value, backwards

        def total(p, y):
            out = f(p, y, "constant")
            return (out["a"] ** 2).sum() + 3 * out["b"][0]

        w, y = X[0], X[1]
        to_p, to_y = mg.grad(total, argnums=(0, 1))({"w": w}, y)
        np.testing.assert_allclose(to_p["w"].numpy(), 2 * w * y**2, rtol=1e-13)
        np.testing.assert_allclose(to_y.numpy(), 2 * w**2 * y + 3, rtol=1e-13)
        mg.gradcheck(total, [{"w": w}, y], order=2)

    def test_a_walk_may_add_into_what_it_returns(self):
        kept = np.ones(3)
        f = mg.custom_gradient(lambda x: (x.sum(), lambda g: kept))
        x = mg.Tensor(X[0], requires_grad=True)
        (f(x) + (x * 5.0).sum()).backward()
        np.testing.assert_array_equal(x.grad.numpy(), np.full(3, 6.0))
        np.testing.assert_array_equal(kept, np.ones(3))

    @pytest.mark.parametrize(
        ("f", "code", "match"),
        [
            (lambda x: x * 2, "MG-621", "returned a Tensor"),
            (lambda x: (x, x), "MG-621", "return y, lambda g"),
            (
                lambda x: (x * 2, lambda g: (g, g)),
                "MG-622",
                "argument 0 is a tuple of 2 where one array belongs",
            ),
            (
                lambda x: (x.sum(), lambda g: g),
                "MG-622",
                r"argument 0 has shape \(\); the argument has \(5, 3\)",
            ),
        ],
        ids=["value", "pair", "count", "shape"],
    )
    def test_mistakes(self, f, code, match):
        with pytest.raises(OperationError, match=match) as caught:
            mg.grad(lambda x: mg.custom_gradient(f)(x).sum())(X)
        assert caught.value.code == code

    def test_a_tensor_beside_the_arguments_is_refused(self):
        w = mg.Tensor(2.0, requires_grad=True, name="w")
        f = mg.custom_gradient(lambda x: (w * x, lambda g: g * w))
        with pytest.raises(GradientError, match=r"MG-623 .*'w' of shape \(\)"):
            f(mg.Tensor(X))
        g = mg.custom_gradient(lambda x: (mg.stop_gradient(w) * x, lambda g: g * w))
        np.testing.assert_array_equal(mg.grad(lambda x: g(x).sum())(X).numpy(), np.full((5, 3), 2.0))


def network(seed=0, p=0.0):
    rng = np.random.default_rng(seed)
    return nn.Sequential(
        nn.Linear(3, 4, rng=rng),
        nn.LayerNorm(4),
        nn.Tanh(),
        nn.Dropout(p, rng=np.random.default_rng(1)),
        nn.Linear(4, 2, rng=rng),
    ).to("float64")


def gradients_of(model, f, x):
    model.zero_grad()
    value = (f(x) ** 2).sum()
    value.backward()
    return value.item(), [p.grad.numpy().copy() for p in model.parameters()]


class TestCheckpoint:
    @pytest.mark.parametrize("p", [0.0, 0.5])
    @pytest.mark.parametrize("way", ["module", "closure", "method", "partial", "class"])
    def test_values_and_gradients_are_the_same_bits(self, way, p):
        import functools

        class Block:
            def __init__(self, model):
                self.model = model

            def run(self, x):
                return self.model(x)

            __call__ = run

        plain, model = network(p=p), network(p=p)
        f = {
            "module": model,
            "closure": lambda x: model(x),
            "method": Block(model).run,
            "partial": functools.partial(lambda m, x: m(x), model),
            "class": Block(model),
        }[way]
        for _ in range(2):  # the masks of the second step are others, and the same again
            value, expected = gradients_of(plain, plain, mg.Tensor(X))
            again, got = gradients_of(model, mg.checkpoint(f), mg.Tensor(X))
            assert value == again
            for a, b in zip(expected, got, strict=True):
                np.testing.assert_array_equal(a, b)

    def test_hidden_generators_are_named_or_missed_aloud(self):
        def noisy(x):
            return x * eval('HIDDEN["generators"]["one"].random(x.shape)')

        def total(f):
            return lambda x: f(x).sum()

        with pytest.raises(GradientError, match=r"MG-623 output 0 of noisy.*generators=\[rng\]"):
            mg.grad(total(mg.checkpoint(noisy)))(X)
        rng = HIDDEN["generators"]["one"]
        before = rng.bit_generator.state
        got = mg.grad(total(mg.checkpoint(noisy, generators=[rng])))(X)
        after = rng.bit_generator.state
        rng.bit_generator.state = before
        np.testing.assert_array_equal(got.numpy(), rng.random(X.shape))
        assert rng.bit_generator.state == after  # drawn from once

    def test_numpys_global_generator(self):
        f = mg.checkpoint(lambda x: (x * np.random.rand(*x.shape)).sum())  # noqa: NPY002
        np.random.seed(3)  # noqa: NPY002
        got = mg.grad(f)(X)
        np.random.seed(3)  # noqa: NPY002
        np.testing.assert_array_equal(got.numpy(), np.random.rand(5, 3))  # noqa: NPY002

    def test_a_switched_mode_is_noticed(self):
        model = network(p=0.5)
        loss = (mg.checkpoint(model)(mg.Tensor(X)) ** 2).sum()
        model.eval()
        with pytest.raises(GradientError, match=r"MG-623 .*model\.eval\(\)"):
            loss.backward()

    def test_a_weight_that_was_written_meanwhile_is_noticed(self):
        model = network()
        loss = (mg.checkpoint(model)(mg.Tensor(X)) ** 2).sum()
        with mg.no_grad():
            model.parameters()[0][...] = 0.0
        with pytest.raises(GradientError, match="MG-205"):
            loss.backward()

    def test_higher_orders_and_compositions(self):
        model = network()
        plain, again = (lambda x: model(x).sum() * x.sum()), mg.checkpoint(lambda x: model(x).sum() * x.sum())
        for transform in (
            lambda f: mg.hessian(f)(X),
            lambda f: mg.hvp(f, X, X),
            lambda f: mg.jvp(f, X, X)[1],
            lambda f: mg.grad(lambda x: mg.jvp(f, x, X)[1])(X),
            lambda f: mg.grad(mg.checkpoint(lambda x: (f(x) * f(2 * x)).sum()))(X),
        ):
            np.testing.assert_allclose(
                transform(again).numpy(), transform(plain).numpy(), rtol=1e-12, atol=1e-12
            )
        mg.gradcheck(again, [X], order=2)

    def test_trees_of_outputs_of_several_kinds(self):
        w = mg.Tensor(X[0], requires_grad=True)

        def f(x, scale):
            y = x * w
            return {
                "y": y,
                "largest": np.argmax(unwrapped(y)),
                "single": (y.astype("float32") * scale,),
                "unused": y * 2,
            }

        def unwrapped(y):
            return y.numpy() if isinstance(y, mg.Tensor) else y

        out = mg.checkpoint(f)(mg.Tensor(X[1]), scale=3.0)
        assert out["largest"] == np.argmax(X[0] * X[1])
        assert out["single"][0].dtype == np.float32
        (out["y"].sum() + out["single"][0].sum().astype("float64")).backward()
        np.testing.assert_allclose(w.grad.numpy(), 4 * X[1], rtol=1e-6)

    def test_what_was_computed_before_gets_its_gradient(self):
        w = mg.Tensor(X[0], requires_grad=True)
        h = w * 3.0
        mg.checkpoint(lambda x: (x * h * h).sum())(mg.Tensor(X[1])).backward()
        np.testing.assert_allclose(w.grad.numpy(), 18 * X[0] * X[1], rtol=1e-13)

    def test_nothing_to_differentiate(self):
        with mg.no_grad():
            assert not mg.checkpoint(network())(mg.Tensor(X)).requires_grad
        assert mg.checkpoint(lambda x: x * 2.0)(mg.Tensor(X)).record is None

    def test_activations_are_let_go(self):
        kept = []
        w = mg.Tensor(np.ones(1000), requires_grad=True)

        def f(x):
            y = x * 2.0
            kept.append(weakref.ref(y))
            return np.sin(y) * 2.0

        out = mg.checkpoint(f)(w)
        assert kept[0]() is None
        out.sum().backward()
        assert [each() for each in kept] == [None, None]
        np.testing.assert_allclose(w.grad.numpy(), np.full(1000, 4 * np.cos(2.0)))

    def test_fifty_layers_in_seven_pieces_hold_less(self):
        model = nn.Sequential(*[part for _ in range(49) for part in (nn.Linear(64, 64, rng=RNG), nn.Tanh())])
        x = mg.Tensor(RNG.normal(size=(256, 64)).astype("float32"))

        def pieces(x):
            for k in range(0, 98, 14):
                x = mg.checkpoint(nn.Sequential(*model.layers[k : k + 14]))(x)
            return x

        def peak(f):
            model.zero_grad()
            tracemalloc.start()
            try:
                before = tracemalloc.get_traced_memory()[0]
                (f(x) ** 2).sum().backward()
                return tracemalloc.get_traced_memory()[1] - before
            finally:
                tracemalloc.stop()

        peak(model)
        activations = 49 * 2 * x.data.nbytes
        assert peak(model) > activations
        assert peak(pieces) < 0.5 * activations + 49 * 64 * 65 * 4


def test_a_recorded_step_shows_what_a_checkpoint_computes_and_a_custom_gradient_as_one_step(tmp_path):
    w = mg.Tensor(np.full((3, 3), 0.5), requires_grad=True, name="w")
    x = mg.Tensor(X, name="x")
    square = mg.custom_gradient(lambda x: (x * x, lambda g: g * 2 * x))
    block = mg.checkpoint(lambda x: np.tanh(x @ w))
    optimizer = mg.optim.SGD([w], lr=0.1)

    def step():
        optimizer.zero_grad()
        loss = square(block(x)).sum()
        loss.backward()
        optimizer.step()

    trace = mg.record(step)
    y = np.tanh(X @ np.full((3, 3), 0.5))
    gradient = X.T @ (2 * y * (1 - y * y))
    np.testing.assert_allclose(w.grad.numpy(), gradient, rtol=1e-12)
    trace.save(tmp_path / "step.html")
    page = (tmp_path / "step.html").read_text(encoding="utf-8")
    assert "tanh" in page
    loss = (np.tanh(X @ w.numpy()) ** 2).sum()  # the page ends with the loss after the update
    assert f"{loss:.4g}" in page
    with mg.debug():
        square(block(x)).sum().backward()


def test_a_checkpoint_is_off_under_unfused():
    w = mg.Tensor(X[0], requires_grad=True)
    f = mg.checkpoint(lambda x: (np.tanh(x) * w).sum())
    with mg.unfused():
        assert [r.operation.name for r in mg.tape(f(X[0]))] == ["multiply", "sum"]
    assert [r.operation.name for r in mg.tape(f(X[0]))] == ["checkpoint <lambda>"]
