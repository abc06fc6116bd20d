"""Jacobians, Hessians and products with both: against torch.func, composed, of trees, of every shape."""

from __future__ import annotations

import threading
from collections import OrderedDict, namedtuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad as mg
from minigrad import nn, ops
from minigrad.errors import DataError, DtypeError, GradientError, OperationError

RNG = np.random.default_rng(19)
A, B = RNG.normal(size=(4, 3)), RNG.normal(size=(3, 3))
X, T = RNG.normal(size=3), RNG.normal(size=3)
Pair = namedtuple("Pair", "first second")

# each in NumPy's words and in PyTorch's; "softmax" stands for what is fused, "log det" for products of products
FUNCTIONS = {
    "products and tanh": (lambda x: np.tanh(A @ x) * np.sum(x**2), "torch.tanh(A @ x) * torch.sum(x**2)"),
    "outer": (
        lambda x: np.exp(x)[:, None] * x[None] @ B,
        "torch.exp(x)[:, None] * x[None] @ B",
    ),
    "softmax": (lambda x: ops.softmax(B @ x) / (1 + x**2), "torch.softmax(B @ x, 0) / (1 + x**2)"),
    "places": (
        lambda x: x[np.array([0, 2, 2, 1])] * np.concatenate([x, x[:1]]),
        "x[[0, 2, 2, 1]] * torch.cat([x, x[:1]])",
    ),
    "logsumexp": (lambda x: ops.logsumexp(A * x, axis=1) ** 2, "torch.logsumexp(A * x, 1) ** 2"),
    "where, maximum": (
        lambda x: np.where(x > 0, x**3, np.sin(x)) + np.maximum(x, 2 * x),
        "torch.where(x > 0, x**3, torch.sin(x)) + torch.maximum(x, 2 * x)",
    ),
    "many from one": (
        lambda x: np.sin(np.arange(20.0) * x[0]) + x[1] * x[2],
        "torch.sin(torch.arange(20, dtype=torch.float64) * x[0]) + x[1] * x[2]",
    ),
}


@pytest.fixture(params=sorted(FUNCTIONS))
def both(request):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    f, text = FUNCTIONS[request.param]
    names = {"torch": torch, "A": torch.tensor(A), "B": torch.tensor(B)}
    return f, eval(f"lambda x: {text}", names), torch


def same(ours, theirs):
    np.testing.assert_allclose(ours.numpy(), theirs.detach().numpy(), rtol=1e-10, atol=1e-10)


class TestAgainstTorch:
    def test_jacobian(self, both):
        f, g, torch = both
        same(mg.jacobian(f)(X), torch.func.jacrev(g)(torch.tensor(X)))

    def test_hessian(self, both):
        f, g, torch = both
        same(
            mg.hessian(lambda x: (f(x) ** 2).sum())(X),
            torch.func.hessian(lambda x: (g(x) ** 2).sum())(torch.tensor(X)),
        )

    def test_hvp(self, both):
        f, g, torch = both
        matrix = torch.func.hessian(lambda x: (g(x) ** 2).sum())(torch.tensor(X))
        same(mg.hvp(lambda x: (f(x) ** 2).sum(), X, T), matrix @ torch.tensor(T))

    def test_jvp_and_linearize(self, both):
        f, g, torch = both
        value, pushed = torch.func.jvp(g, (torch.tensor(X),), (torch.tensor(T),))
        for ours in (mg.jvp(f, (X,), (T,)), mg.jvp(f, X, T)):
            same(ours[0], value)
            same(ours[1], pushed)
        ours, push = mg.linearize(f, X)
        same(ours, value)
        same(push(T), pushed)
        same(push(3 * T), 3 * pushed)

    def test_vjp(self, both):
        f, g, torch = both
        value, pull = torch.func.vjp(g, torch.tensor(X))
        ours, our_pull = mg.vjp(f, X)
        v = np.cos(np.arange(value.numel())).reshape(value.shape)
        same(ours, value)
        same(our_pull(v), pull(torch.tensor(v))[0])
        same(our_pull(2 * v), 2 * pull(torch.tensor(v))[0])

    def test_gradient_of_a_jvp(self, both):
        f, g, torch = both
        func = torch.func
        theirs = func.grad(lambda x: (func.jvp(g, (x,), (torch.tensor(T),))[1] ** 2).sum())(torch.tensor(X))
        same(mg.grad(lambda x: (mg.jvp(f, x, T)[1] ** 2).sum())(X), theirs)

    def test_gradient_of_a_vjp(self, both):
        f, g, torch = both
        theirs = torch.func.grad(lambda x: torch.func.vjp(g, x)[1](g(x))[0].sum())(torch.tensor(X))
        same(mg.grad(lambda x: mg.vjp(f, x)[1](f(x)).sum())(X), theirs)

    def test_jacobian_of_a_jacobian(self, both):
        f, g, torch = both
        same(
            mg.jacobian(mg.jacobian(f))(X),
            torch.func.jacrev(torch.func.jacrev(g))(torch.tensor(X)),
        )

    def test_tangent_of_a_tangent(self, both):
        f, g, torch = both
        func, t = torch.func, torch.tensor(T)
        theirs = func.jvp(lambda x: func.jvp(g, (x,), (t,))[1], (torch.tensor(X),), (t,))[1]
        same(mg.jvp(lambda x: mg.jvp(f, x, T)[1], X, T)[1], theirs)


class TestTrees:
    tree = {"w": A, "more": [X, (2.0, Pair(X, 3.0))], "none": None}  # noqa: RUF012

    @staticmethod
    def f(p):
        return (np.tanh(p["w"]) @ p["more"][0]).sum() * p["more"][1][0] + (p["more"][1][1].first ** 3).sum()

    def test_the_gradient_is_made_as_the_argument(self):
        g = mg.grad(self.f)(self.tree)
        assert list(g) == ["w", "more", "none"]
        assert g["none"] is None
        assert isinstance(g["more"], list)
        assert isinstance(g["more"][1], tuple)
        assert isinstance(g["more"][1][1], Pair)
        np.testing.assert_allclose(g["w"].numpy(), 2 * (1 - np.tanh(A) ** 2) * X, rtol=1e-13)
        np.testing.assert_allclose(g["more"][0].numpy(), 2 * np.tanh(A).sum(0), rtol=1e-13)
        assert g["more"][1][0].item() == pytest.approx((np.tanh(A) @ X).sum())
        np.testing.assert_allclose(g["more"][1][1].first.numpy(), 3 * X**2, rtol=1e-13)
        assert g["more"][1][1].second.item() == 0

    def test_kinds_and_order_of_dicts_are_kept(self):
        p = OrderedDict([("z", 1.0), ("a", 2.0)])
        g = mg.grad(lambda p: p["z"] * p["a"])(p)
        assert type(g) is OrderedDict
        assert [(name, x.item()) for name, x in g.items()] == [("z", 2.0), ("a", 1.0)]
        assert p == OrderedDict([("z", 1.0), ("a", 2.0)])

    def test_argnums_of_trees(self):
        f = lambda a, b, c: (a["x"] * b).sum() * c[0]  # noqa: E731
        to_c, to_a = mg.grad(f, argnums=(2, 0))({"x": X}, X, [2.0])
        assert to_c[0].item() == pytest.approx(X @ X)
        np.testing.assert_allclose(to_a["x"].numpy(), 2 * X)
        np.testing.assert_allclose(mg.grad(f, argnums=-2)({"x": X}, X, [2.0]).numpy(), 2 * X)

    def test_aux(self):
        f = lambda x: ((x**2).sum(), {"double": x * 2, "text": "as it is"})  # noqa: E731
        g, aux = mg.grad(f, has_aux=True)(X)
        np.testing.assert_allclose(g.numpy(), 2 * X)
        np.testing.assert_array_equal(aux["double"].numpy(), 2 * X)
        assert aux["text"] == "as it is"
        assert not aux["double"].requires_grad
        (value, _), g = mg.value_and_grad(f, has_aux=True)(X)
        assert value.item() == pytest.approx(X @ X)
        second = mg.grad(lambda x: (mg.grad(f, has_aux=True)(x)[1]["double"] ** 2).sum())(X)
        np.testing.assert_allclose(second.numpy(), 8 * X)  # what comes along is differentiated from outside

    def test_a_hessian_in_blocks(self):
        def f(p):
            return (p["w"] @ p["w"]) * p["b"] ** 2

        h = mg.hessian(f)({"w": X, "b": 3.0})
        np.testing.assert_allclose(h["w"]["w"].numpy(), 18 * np.eye(3), atol=1e-12)
        np.testing.assert_allclose(h["w"]["b"].numpy(), 12 * X)
        np.testing.assert_allclose(h["b"]["w"].numpy(), 12 * X)
        assert h["b"]["b"].item() == pytest.approx(2 * X @ X)
        product = mg.hvp(f, {"w": X, "b": 3.0}, {"w": T, "b": 1.0})
        np.testing.assert_allclose(product["w"].numpy(), 18 * T + 12 * X)
        assert product["b"].item() == pytest.approx(12 * X @ T + 2 * X @ X)
        to_x, to_y = mg.hvp(lambda x, y: (x * y).sum() * y[0], (X, X), (T, 0 * T))
        np.testing.assert_allclose(to_x.numpy(), 0 * X)
        np.testing.assert_allclose(to_y.numpy(), X[0] * T + np.array([T @ X, 0, 0]))

    def test_a_jacobian_of_trees(self):
        j = mg.jacobian(lambda a, b: {"sum": a.sum() + b, "all": (a * b,)}, argnums=(0, 1))(X, 2.0)
        np.testing.assert_array_equal(j["sum"][0].numpy(), np.ones(3))
        assert j["sum"][1].item() == 1
        np.testing.assert_allclose(j["all"][0][0].numpy(), 2 * np.eye(3))
        np.testing.assert_allclose(j["all"][0][1].numpy(), X)

    def test_products_of_trees(self):
        f = lambda p, s: {"y": p["w"] @ p["v"] * s, "n": (p["v"].sum(),)}  # noqa: E731
        p, t = {"w": A, "v": X}, {"w": np.ones((4, 3)), "v": T}
        value, pushed = mg.jvp(f, (p, 2.0), (t, 0.5))
        np.testing.assert_allclose(value["y"].numpy(), 2 * A @ X)
        np.testing.assert_allclose(pushed["y"].numpy(), 2 * (X.sum() + A @ T) + 0.5 * A @ X)
        assert pushed["n"][0].item() == pytest.approx(T.sum())
        _, pull = mg.vjp(f, p, 2.0)
        to_p, to_s = pull({"y": np.ones(4), "n": (3.0,)})
        np.testing.assert_allclose(to_p["v"].numpy(), 2 * A.sum(0) + 3)
        assert to_s.item() == pytest.approx((A @ X).sum())


class TestDtypes:
    def test_a_python_float_is_differentiated_in_float64(self):
        g = mg.grad(lambda x: x**3)(0.1)
        assert (g.dtype, g.shape) == (np.float64, ())
        assert g.item() == pytest.approx(0.03, rel=1e-15)
        assert mg.grad(lambda x: x[0] * x[1])([0.1, 0.3])[0].item() == 0.3
        assert mg.grad(np.square)(np.float32(1.5)).dtype == np.float32  # which has one

    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    @pytest.mark.parametrize("transform", ["grad", "jacobian", "hessian", "hvp", "jvp", "vjp"])
    def test_an_array_keeps_its_own(self, dtype, transform):
        x = X.astype(dtype)
        f = lambda x: (np.tanh(x) * x).sum()  # noqa: E731
        found = {
            "grad": lambda: mg.grad(f)(x),
            "jacobian": lambda: mg.jacobian(np.tanh)(x),
            "hessian": lambda: mg.hessian(f)(x),
            "hvp": lambda: mg.hvp(f, x, T),
            "jvp": lambda: mg.jvp(np.tanh, x, T)[1],
            "vjp": lambda: mg.vjp(np.tanh, x)[1](T),
        }[transform]()
        assert found.dtype == dtype
        assert not found.requires_grad

    def test_scipy_minimizes_with_our_gradient_and_products(self):
        from scipy.optimize import minimize, rosen_der

        def banana(x):
            return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)

        start = np.array([-1.2, 1.0, 0.5])
        np.testing.assert_allclose(mg.grad(banana)(start).numpy(), rosen_der(start), rtol=1e-12)
        curved = {"hessp": lambda x, p: mg.hvp(banana, x, p)}
        for method, more in {
            **{method: {} for method in ("BFGS", "L-BFGS-B", "CG", "SLSQP", "TNC", "trust-constr")},
            **dict.fromkeys(("Newton-CG", "trust-ncg", "trust-krylov", "trust-constr"), curved),
            **{method: {"hess": mg.hessian(banana)} for method in ("trust-exact", "dogleg", "trust-ncg")},
        }.items():
            more |= {"options": {"maxfun": 1000}} if method == "TNC" else {}
            found = minimize(banana, start, jac=mg.grad(banana), method=method, **more)
            np.testing.assert_allclose(np.asarray(found.x), np.ones(3), atol=1e-3, err_msg=method)


@settings(max_examples=60, deadline=None)
@given(
    n=st.integers(0, 4),
    m=st.integers(0, 4),
    k=st.sampled_from([None, 0, 1, 3]),
    seed=st.integers(0, 10**6),
)
def test_rows_columns_and_products_agree_at_every_shape(n, m, k, seed):
    rng = np.random.default_rng(seed)
    w = rng.normal(size=(m, n))
    shape = (n,) if k is None else (n, k)
    x, t, s = (rng.normal(size=shape) for _ in range(3))

    def f(x):
        return np.sin(w @ x) * np.mean(x * x + 1) if x.size else np.sin(w @ x)

    j = mg.jacobian(f)(x).numpy()
    y = f(x)
    assert j.shape == y.shape + x.shape
    h = 1e-6
    difference = (f(x + h * t) - f(x - h * t)) / (2 * h)
    np.testing.assert_allclose(np.tensordot(j, t, t.ndim), difference, atol=1e-7)
    np.testing.assert_allclose(mg.jvp(f, x, t)[1].numpy(), np.tensordot(j, t, t.ndim), atol=1e-12)
    v = rng.normal(size=y.shape)
    np.testing.assert_allclose(mg.vjp(f, x)[1](v).numpy(), np.tensordot(v, j, v.ndim), atol=1e-12)
    if x.size and y.size:
        total = lambda x: f(x).sum()  # noqa: E731
        hessian = mg.hessian(total)(x).numpy()
        np.testing.assert_allclose(mg.hvp(total, x, s).numpy(), np.tensordot(hessian, s, s.ndim), atol=1e-11)
        np.testing.assert_allclose(hessian.reshape(x.size, -1), hessian.reshape(x.size, -1).T, atol=1e-11)


def test_wide_functions_take_columns_and_tall_ones_rows(monkeypatch):
    from minigrad.functional import matrices

    used = []
    for name in ("_rows", "_columns"):
        real = getattr(matrices, name)
        monkeypatch.setattr(matrices, name, lambda *a, real=real, name=name: used.append(name) or real(*a))
    tall = mg.jacobian(lambda x: np.sin(np.arange(50.0) * x))(0.5)
    np.testing.assert_allclose(tall.numpy(), np.arange(50) * np.cos(np.arange(50) * 0.5))
    mg.jacobian(np.sum)(np.ones(50))
    assert used == ["_columns", "_rows"]


class TestLayers:
    MODELS = {  # noqa: RUF012
        "linear": lambda r: nn.Sequential(nn.Linear(3, 4, rng=r), nn.Tanh(), nn.Linear(4, 2, rng=r)),
        "fused": lambda r: nn.Sequential(nn.Linear(3, 4, rng=r), nn.ReLU(), nn.Linear(4, 2, rng=r)),
        "norm": lambda r: nn.Sequential(
            nn.Linear(3, 4, rng=r), nn.LayerNorm(4), nn.GELU(), nn.Linear(4, 2, rng=r)
        ),
    }
    LOSSES = {  # noqa: RUF012
        "cross_entropy": lambda y: nn.cross_entropy(y, np.array([0, 1, 1, 0])),
        "mse": lambda y: nn.mse(y, np.ones((4, 2))),
    }

    @pytest.mark.parametrize("loss", sorted(LOSSES))
    @pytest.mark.parametrize("model", sorted(MODELS))
    def test_a_hessian_is_the_difference_of_gradients(self, model, loss):
        net = self.MODELS[model](np.random.default_rng(0)).to("float64")
        x = np.random.default_rng(1).normal(size=(4, 3))
        params = {name: p.numpy().copy() for name, p in net.named_parameters()}
        v = {name: np.random.default_rng(2).normal(size=p.shape) for name, p in params.items()}

        def f(p):
            return self.LOSSES[loss](mg.functional_call(net, p, mg.Tensor(x)))

        def gradient(h):
            return mg.grad(f)({name: p + h * v[name] for name, p in params.items()})

        product, forward = mg.hvp(f, params, v), mg.jvp(mg.grad(f), (params,), (v,))[1]
        above, below = gradient(1e-5), gradient(-1e-5)
        matrix = mg.hessian(f)(params)
        for name in params:
            numeric = (above[name].numpy() - below[name].numpy()) / 2e-5
            np.testing.assert_allclose(product[name].numpy(), numeric, atol=1e-8)
            np.testing.assert_allclose(forward[name].numpy(), product[name].numpy(), atol=1e-12)
            rows = sum(np.tensordot(matrix[name][k].numpy(), v[k], v[k].ndim) for k in params)
            np.testing.assert_allclose(rows, product[name].numpy(), atol=1e-12)


class Net(nn.Module):
    """Parameters in attributes, lists and dicts, one shared, one in a parent that a child knows, and a buffer."""

    def __init__(self):
        self.w = nn.Parameter(np.ones(3))
        self.parts = [
            nn.Parameter(np.full(3, 2.0)),
            {"inner": nn.Linear(3, 3, rng=mg.generator(0)).to("float64")},
        ]
        self.tied = self.w
        self.count = nn.Buffer(np.zeros(1))
        self.helper = self.scaled

    def scaled(self, x):
        return x * self.w

    def forward(self, x, fail=False):
        self.count += 1.0
        self.last = x
        if fail:
            raise RuntimeError("on purpose")
        return self.parts[1]["inner"](self.helper(x) * self.parts[0] * self.tied)


class TestFunctionalCall:
    def test_it_is_the_model_with_other_numbers(self):
        model = Net()
        other = {name: RNG.normal(size=p.shape) for name, p in model.named_parameters()}
        expected = (X * other["w"] ** 2 * other["parts.0"]) @ other["parts.1.inner.weight"].T
        got = mg.functional_call(model, other, X)
        np.testing.assert_allclose(got.numpy(), expected + other["parts.1.inner.bias"], rtol=1e-13)
        got = mg.functional_call(model, {"tied": other["w"]}, mg.Tensor(X))
        weight = model.parts[1]["inner"]
        np.testing.assert_allclose(
            got.numpy(), (X * other["w"] ** 2 * 2) @ weight.weight.numpy().T + weight.bias.numpy(), rtol=1e-13
        )

    @pytest.mark.parametrize("fail", [False, True])
    def test_the_model_is_not_touched(self, fail):
        model = Net()
        before, names = model.state_dict(), sorted(vars(model))
        held = dict(model.named_parameters())
        other = {name: p.numpy() * 3 for name, p in model.named_parameters()}
        try:
            mg.functional_call(model, other, X, fail=fail)
        except RuntimeError:
            assert fail
        assert all(np.array_equal(array, before[name]) for name, array in model.state_dict().items())
        assert sorted(vars(model)) == names
        assert all(p is held[name] for name, p in model.named_parameters())

    def test_buffers_may_be_given(self):
        class Centred(nn.Module):
            def __init__(self):
                self.mean = nn.Buffer(np.zeros(3))

            def forward(self, x):
                return x - self.mean

        got = mg.jacobian(lambda m: mg.functional_call(Centred(), {"mean": m}, X))(X)
        np.testing.assert_array_equal(got.numpy(), -np.eye(3))

    def test_several_inputs_may_stand_in_a_tuple(self):
        class Two(nn.Module):
            def forward(self, a, b):
                return a - b

        assert mg.functional_call(Two(), {}, (X, T)).tolist() == (X - T).tolist()
        assert mg.functional_call(Two(), {}, X, T).tolist() == (X - T).tolist()

    def test_threads_do_not_see_each_others_parameters(self):
        model, wrong = nn.Linear(3, 1, rng=mg.generator(0)).to("float64"), []

        def work(factor):
            for _ in range(200):
                params = {"weight": np.full((1, 3), factor), "bias": np.zeros(1)}
                if mg.functional_call(model, params, mg.Tensor(np.ones(3))).item() != 3 * factor:
                    wrong.append(factor)

        threads = [threading.Thread(target=work, args=(float(k),)) for k in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not wrong

    def test_what_does_not_fit_is_named(self):
        with pytest.raises(
            DataError, match=r"MG-713 .*\n  unexpected: wieght\n  wrong shape: bias is \(1,\) here"
        ):
            mg.functional_call(nn.Linear(3, 1, rng=mg.generator(0)), {"wieght": X, "bias": X}, X)


class TestErrors:
    def test_what_is_no_number(self):
        with pytest.raises(OperationError, match=r"MG-621 argument 0\['name'\] of <lambda> is 'w', a str\."):
            mg.grad(lambda p: p["x"])({"x": 1.0, "name": "w"})
        with pytest.raises(OperationError, match=r"MG-621 .*functional_call"):
            mg.grad(lambda m: m(X).sum())(nn.Linear(3, 1, rng=mg.generator(0)))
        with pytest.raises(DtypeError, match=r"MG-210 argument 0\[1\] of <lambda>.*int64"):
            mg.grad(lambda p: p[0] * p[1])([1.0, 2])
        with pytest.raises(
            OperationError, match=r"MG-621 multiply was called with 1 arguments by position, and number 1"
        ):
            mg.grad(np.multiply, argnums=1)(1.0)

    def test_what_a_function_returns(self):
        with pytest.raises(GradientError, match=r"MG-202 .*\.item\(\)"):
            mg.grad(lambda x: x.sum().item())(X)
        with pytest.raises(GradientError, match="MG-202"):
            mg.vjp(lambda x: {"a": 1.0}, X)
        with pytest.raises(GradientError, match=r"MG-202 .*shape \(3,\)"):
            mg.hvp(np.sin, X, X)
        with pytest.raises(GradientError, match="MG-202"):
            mg.hessian(np.sin)(X)
        with pytest.raises(OperationError, match=r"MG-621 .*has_aux=True.*pair"):
            mg.grad(np.sum, has_aux=True)(X)

    @pytest.mark.parametrize(
        ("call", "match"),
        [
            (lambda: mg.jvp(np.sin, X, X[:2]), r"tangents for jvp\[0\] has shape \(2,\).*\(3,\)"),
            (lambda: mg.jvp(np.add, (X, X), (X,)), "1 were given for the 2 arguments of add"),
            (lambda: mg.linearize(np.sin, X)[1](X, X), "2 were given for the 1 arguments"),
            (lambda: mg.vjp(np.sin, X)[1](1.0), r"vector for vjp has shape \(\)"),
            (
                lambda: mg.hvp(lambda p: p["a"], {"a": 1.0}, {"b": 1.0}),
                "a dict with the keys 'b' where a dict with",
            ),
            (lambda: mg.vjp(lambda x: (x, x), X)[1]([X]), "a list of 1 where a tuple of 2 belongs"),
            (lambda: mg.hvp(lambda p: p[0] * 1.0, ([1.0],), (1.0,)), "is a float where a list of 1 belongs"),
            (lambda: mg.vjp(lambda x: {"y": x}, X)[1]({"y": {"z": X}}), r"\['y'\] is a dict"),
        ],
        ids=range(8),
    )
    def test_vectors_that_do_not_fit(self, call, match):
        with pytest.raises(OperationError, match=match) as caught:
            call()
        assert caught.value.code == "MG-622"

    def test_zeros_where_there_is_no_path(self):
        assert mg.jvp(lambda x: mg.Tensor([1.0, 2.0]), X, T)[1].tolist() == [0, 0]
        assert mg.jvp(lambda x: np.sign(x), X, T)[1].tolist() == [0, 0, 0]
        assert mg.vjp(lambda x, y: x * 2.0, X, T)[1](np.ones(3))[1].tolist() == [0, 0, 0]
        assert mg.hessian(lambda x: x.sum())(X).tolist() == np.zeros((3, 3)).tolist()
        assert mg.hvp(lambda x: x.sum(), X, T).tolist() == [0, 0, 0]
        assert mg.jacobian(lambda x: mg.Tensor([1.0, 2.0]))(X).tolist() == np.zeros((2, 3)).tolist()


def test_an_outer_variable_is_seen_through_every_transform():
    def f(w):
        inner = lambda x: np.tanh(w * x)  # noqa: E731
        return (
            mg.jvp(inner, X, T)[1].sum()
            + mg.vjp(inner, X)[1](T).sum()
            + mg.hvp(lambda x: inner(x).sum(), X, T).sum()
            + mg.jacobian(inner)(X).sum()
            + mg.hessian(lambda x: inner(x).sum())(X).sum()
            + mg.linearize(inner, X)[1](T).sum()
        )

    h = 1e-5
    assert mg.grad(f)(0.7).item() == pytest.approx(((f(0.7 + h) - f(0.7 - h)) / (2 * h)).item(), rel=1e-8)


def test_a_penalty_in_accumulated_gradients_is_not_scaled_twice():
    with mg.accumulate(4):
        assert mg.grad(lambda x: x * x)(3.0).item() == 6
        assert mg.hvp(lambda x: x**3, 1.0, 1.0).item() == 6
