"""What a user defines is explained like what is built in: forwards, backwards, entry by entry, by its own functions."""

from __future__ import annotations

import numpy as np
import pytest

import minigrad as mg
from minigrad import ops, registry
from minigrad.symbols import NoExpression
from minigrad.viz.explain import explain
from minigrad.viz.formulas import expression
from minigrad.viz.local import is_entrywise
from tests.ops.cases import CASES, nonlinear, special
from tests.viz.test_explain_numbers import check_trace, leaf


@pytest.fixture(autouse=True)
def _restored_registry(monkeypatch):
    for entries in ("operations", "functions", "methods"):
        monkeypatch.setattr(registry, entries, dict(getattr(registry, entries)))


def hill():
    return mg.define(
        "hill",
        lambda a, k=2.0: a * a / (k + a * a),
        "a² / (k + a²)",
        lambda g, a, k: g * 2 * k * a / np.square(k + a * a),
        inputs="a",
        params={"k": 2.0},
    )


def huber():
    return mg.define(
        "huber",
        lambda a, delta=1.0: np.where(np.abs(a) <= delta, a * a / 2, delta * (np.abs(a) - delta / 2)),
        "a² / 2 where |a| ≤ δ, else δ · (|a| - δ / 2)",
        lambda g, a, delta: np.where(np.abs(a) <= delta, g * a, g * delta * np.sign(a)),
        inputs="a",
        params={"delta": 1.0},
    )


def gaussian():
    return mg.define(
        "gaussian",
        lambda a, b: np.exp(-((a - b) ** 2)),
        "e^(-(a - b)²)",
        lambda g, y, a, b: -2 * g * y * (a - b),
        lambda g, y, a, b: 2 * g * y * (a - b),
    )


def mean_square():
    def rule(g, a):
        """2 · g · a / n."""
        return 2 * g * a / a.size

    return mg.define("mean_square", lambda a: np.mean(a * a), "Σ a² / n", rule, inputs="a")


def my_dot():
    return mg.define(
        "my_dot",
        lambda a, b: np.sum(a * b, axis=-1),
        "Σ a · b",
        ("g · b", lambda g, b: np.expand_dims(g, -1) * b),
        ("g · a", lambda g, a: np.expand_dims(g, -1) * a),
    )


def my_product():
    return mg.define(
        "my_product",
        lambda a, b: np.einsum("ik,jk->ij", a, b),
        "a @ bᵀ",
        ("g @ b", lambda g, b: g @ b),
        ("gᵀ @ a", lambda g, a: g.T @ a),
    )


def shuffle():
    order = np.array([2, 0, 1])
    return mg.define(
        "shuffle",
        lambda a: np.roll(a[order], 1, axis=1),
        "rows and columns in another order",
        ("g put back", lambda g: np.roll(g, -1, axis=1)[np.argsort(order)]),
        inputs="a",
    )


def normalised():
    def centred(a):
        return a - a.mean(axis=1, keepdims=True)

    return mg.define(
        "normalised",
        lambda a: centred(a) / np.sqrt(np.square(centred(a)).sum(axis=1, keepdims=True)),
        "(a - mean a) / |a - mean a|",
        (
            "(g - y · Σ g · y) / |a - mean a|, centred",
            lambda g, y, a: centred(
                (g - y * (g * y).sum(axis=1, keepdims=True))
                / np.sqrt(np.square(centred(a)).sum(axis=1, keepdims=True))
            ),
        ),
        inputs="a",
    )


def band():
    return mg.define(
        "band",
        lambda a, low=-1.0, high=1.0: a * ((a > low) & (a < high)),
        "a · [low < a < high]",
        lambda g, a, low, high: g * ((a > low) & ~(a >= high)),
        inputs="a",
        params={"low": -1.0, "high": 1.0},
    )


def newton():
    def root(a):
        y = a
        for _ in range(8):
            y = (y + a / y) / 2
        return y

    return mg.define("newton", root, ("√a", np.sqrt), lambda g, y: g / (2 * y), inputs="a")


def windows():
    return mg.define(
        "windows",
        lambda a, w: np.stack([np.sum(a[:, i : i + 2] * w, axis=1) for i in range(a.shape[1] - 1)], axis=1),
        "Σ_k a[n,i+k] · w[k]",
        (
            "g · w where they met",
            lambda g, w: np.pad(g * w[0], ((0, 0), (0, 1))) + np.pad(g * w[1], ((0, 0), (1, 0))),
        ),
        (
            "Σ g · a where they met",
            lambda g, a: np.stack([np.sum(g * a[:, :-1]), np.sum(g * a[:, 1:])]),
        ),
        inputs="a w",
    )


def attention():
    def softmax(a):
        return np.exp(a) / np.sum(np.exp(a), axis=-1, keepdims=True)

    def back(g, y):
        return y * (g - np.sum(g * y, axis=-1, keepdims=True))

    return mg.define(
        "attention",
        lambda q, k: softmax(q @ k.T),
        "softmax q kᵀ",
        ("(y · (g - Σ g · y)) @ k", lambda g, y, k: back(g, y) @ k),
        ("(y · (g - Σ g · y))ᵀ @ q", lambda g, y, q: back(g, y).T @ q),
        inputs="q k",
    )


OWN = {
    "a setting": (hill, lambda op, x: op(x, k=3.0)),
    "a setting, left out": (hill, lambda op, x: op(x)),
    "two cases": (huber, lambda op, x: op(x, delta=0.7)),
    "two inputs": (gaussian, lambda op, x: op(x, x[0] * 0.5)),
    "two inputs, the first stretched": (gaussian, lambda op, x: op(x[:, :1], x)),
    "a reduction": (mean_square, lambda op, x: op(x)),
    "a product of vectors": (my_dot, lambda op, x: op(x, x * 2)),
    "a product of matrices": (my_product, lambda op, x: op(x, x[:2])),
    "a move": (shuffle, lambda op, x: op(x)),
    "several sums": (normalised, lambda op, x: op(x)),
    "conditions together": (band, lambda op, x: op(x)),
    "a loop, with the textbook's function": (newton, lambda op, x: op(x * x + 1)),
    "a convolution": (windows, lambda op, x: op(x, x[0, :2])),
    "attention": (attention, lambda op, x: op(x, x[:2] * 2)),
}


@pytest.mark.parametrize("name", OWN)
def test_every_number_of_an_own_operation_s_explanations(name):
    make, use = OWN[name]
    operation, x = make(), leaf((3, 4))
    mg.gradcheck(lambda x: use(operation, x), [x.numpy().astype("float64")])

    def step():
        y = use(operation, x)
        (y * y).sum().backward()

    trace = mg.record(step)
    assert check_trace(trace, count=12) > 20
    events = [e for e in trace.events if e.kind in ("forward", "backward")]
    assert any(trace.nodes[e.node].operation == operation.name for e in events)
    for event in events:
        shape = trace.nodes[event.input if event.kind == "backward" else event.node].shape
        assert ": " not in explain(trace, event, (0,) * len(shape)).symbols


def explained(step, name, kind="backward", index=(0, 0), input="x"):
    trace = mg.record(step)
    for event in trace.events:
        found = event.kind == kind and trace.nodes[event.node].operation == name
        if found and (kind == "forward" or trace.nodes[event.input].name == input):
            return explain(trace, event, index)
    raise AssertionError(f"no {kind} of {name}")


def test_how_they_read():
    x = mg.Tensor([[1.0, -2.0], [0.5, 4.0]], requires_grad=True, name="x")
    w = mg.Tensor([3.0, 0.5], requires_grad=True, name="w")
    hill_of, huber_of, dot_of, square_of = hill(), huber(), my_dot(), mean_square()
    assert explained(lambda: hill_of(x, k=3.0).sum().backward(), "hill") == (
        "dL/dx[0,0] = dL/dhill_1[0,0] · 2 · 3 · x[0,0] / (3 + x[0,0]²)²",
        "= 1 · 2 · 3 · 1 / (3 + 1²)² = 1 · 0.375 = 0.375",
    )
    assert explained(lambda: huber_of(x, delta=1.5), "huber", "forward", (0, 1)) == (
        "huber_1[0,1] = [x[0,1]² / 2 where |x[0,1]| ≤ 1.5, else 1.5 · (|x[0,1]| − 1.5 / 2)]",
        "= 1.5 · (|−2| − 1.5 / 2) = 1.875",
    )
    assert explained(lambda: dot_of(x, w), "my_dot", "forward", (1,)) == (
        "my_dot_1[1] = Σ_k x[1,k] · w[k]",
        "= 0.5 · 3 + 4 · 0.5 = 3.5",
    )
    assert explained(lambda: dot_of(x, w).sum().backward(), "my_dot", index=(1,), input="w") == (
        "dL/dw[1] = Σ_n dL/dmy_dot_1[n] · x[n,1]",
        "= 1 · (−2) + 1 · 4 = 2",
    )
    assert explained(lambda: windows()(x, w), "windows", "forward") == (
        "windows_1[0,0] = Σ_k x[0,k] · w[k]",
        "= 1 · 3 + (−2 · 0.5) = 2",
    )
    long = mg.Tensor(np.arange(4.0), requires_grad=True, name="long")
    assert explained(lambda: windows()(long[None], w), "windows", "forward", (0, 1))[0] == (
        "windows_1[0,1] = Σ_n getitem_1[0,n+1] · w[n]"
    )
    assert explained(lambda: square_of(x), "mean_square", "forward", ()) == (
        "mean_square_1 = (Σ_n,k x[n,k]²) / 4",
        "= (1² + (−2)² + 0.5² + 4²) / 4 = 5.312",
    )


def test_parentheses_where_sums_and_products_meet():
    """Of operations that do several things, what is looser than its place stands in parentheses."""

    x = mg.Tensor([[1.0, -2.0], [0.5, 4.0]], requires_grad=True, name="x")
    texts = {
        "(Σ_n x[n,0]) · [(Σ_n x[n,0]) > 1]": lambda a: a.sum(axis=0) * (a.sum(axis=0) > 1),
        "Π_n (x[n,0] + 1)": lambda a: np.prod(a + 1, axis=0),
        "(x[0,0] + 1) · x[0,0] · 3": lambda a: np.prod(np.stack([a[0] + 1, a[0] * 3]), axis=0),
        "max(x[0,0] + 1, 2 · x[0,0])": lambda a: np.max(np.stack([a[0] + 1, 2 * a[0]]), axis=0),
        "(Σ_n x[n,0]²) / (Σ_n x[n,0])": lambda a: np.sum(a**2, axis=0) / np.sum(a, axis=0),
        "−(x[0,0] + 1)²": lambda a: -((a[0] + 1) ** 2),
        "(−x[0,0])² − (−x[0,0])": lambda a: (-a[0]) ** 2 - (-a[0]),
        "[x[0,0] where x[0,0] > 0 and (not x[0,0] > 3), else 0] · 2": lambda a: (
            np.where((a[0] > 0) & ~(a[0] > 3), a[0], 0) * 2
        ),
    }
    for text, forward in texts.items():
        operation = mg.define("several", forward, "…", ("…", lambda g, a: g), inputs="a")
        trace = mg.record(lambda operation=operation: operation(x))
        assert explain(trace, 0, (0,)).symbols == f"several_1[0] = {text}"
        check_trace(trace, count=2)


def test_linear_algebra_goes_by_the_names_of_its_matrices():
    x = mg.Tensor([[2.0, 1.0], [1.0, 3.0]], requires_grad=True, name="x")
    assert explained(lambda: np.linalg.inv(x), "inv", "forward") == ("inv_1[0,0] = inv(x)[0,0]", "= 0.6")
    assert explained(lambda: np.linalg.det(x).backward(), "det") == (
        "dL/dx[0,0] = dL/ddet_1 · det(x) · inv(x)[0,0]",
        "= 1 · 5 · 0.6 = 3",
    )
    assert explained(lambda: np.linalg.eigvalsh(x).sum().backward(), "eigenpairs")[0] == (
        "dL/dx[0,0] = Σ_k (Σ_n eigenpairs_1[1,n] · M[n,k]) · eigenpairs_1[1,k]"
    )
    upper = mg.Tensor([[2.0, 1.0], [0.0, 4.0]], requires_grad=True, name="u")
    step = lambda: np.linalg.solve(upper, np.ones((2, 1), "float32")).sum().backward()  # noqa: E731
    assert (
        explained(step, "solve", input="u")[0] == "dL/du[0,0] = −solve(uᵀ, dL/dsolve_1)[0,0] · solve_1[0,0]"
    )


def test_what_cannot_be_explained_shows_its_formula_and_its_value():
    """The middle of the entries is none of single entries, and no sum."""
    median = mg.define(
        "median",
        lambda a: np.median(a),
        "the middle of a",
        ("g at the middle, 0 elsewhere", lambda g, y, a: g * (a == y)),
        inputs="a",
    )
    x = mg.Tensor([3.0, 1.0, 2.0], requires_grad=True, name="x")
    trace = mg.record(lambda: median(x).backward())
    assert explain(trace, 0) == ("median_1 = median: the middle of a", "= 2")
    with pytest.raises(NoExpression, match=r"np\.median is no function of single entries"):
        expression(trace, trace.events[0], ())
    assert explain(trace, 2, 2) == ("dL/dx[2] = dL/dmedian_1 · [x[2] = median_1]", "= 1 · 1 = 1")


def test_a_formula_that_is_not_what_ran_is_not_shown():
    wrong = mg.define("wrong", lambda a: a * 3, ("4 · a", lambda a: 4 * a), lambda g: 3 * g, inputs="a")
    x = mg.Tensor([1.0, 2.0], requires_grad=True, name="x")
    trace = mg.record(lambda: wrong(x))
    assert explain(trace, 0, 1) == ("wrong_1[1] = wrong: 4 · a", "= 6")
    with pytest.raises(NoExpression, match="comes to 8, the program to 6"):
        expression(trace, trace.events[0], (1,))


def test_a_record_is_explained_by_the_definition_that_ran():
    def twice():
        return mg.define("twice", lambda a: 2 * a, "2 · a", lambda g: 2 * g, inputs="a")

    x = mg.Tensor([1.0, 2.0], requires_grad=True, name="x")
    operation = twice()
    trace = mg.record(lambda: operation(x).sum().backward())
    mg.define("twice", lambda a: a + a, "a + a", lambda g: g + g, inputs="a")
    assert explain(trace, 0, 1) == ("twice_1[1] = 2 · x[1]", "= 2 · 2 = 4")
    assert explain(trace, len(trace.events) - 2, 1) == ("dL/dx[1] = 2 · dL/dtwice_1[1]", "= 2 · 1 = 2")


@pytest.mark.parametrize("name", sorted(CASES))
def test_nothing_that_is_built_in_is_without_an_expression(name):
    for case in CASES[name]:
        tensors = [
            mg.Tensor(x, requires_grad=True) if np.asarray(x).dtype.kind == "f" else x for x in case.inputs
        ]

        def step(case=case, tensors=tensors):
            y = case.f(*tensors)
            (y * np.linspace(0.5, 1.5, y.size).reshape(y.shape)).sum().backward()

        trace = mg.record(step)
        for event in trace.events:
            if event.kind in ("forward", "backward"):
                shape = trace.nodes[event.input if event.kind == "backward" else event.node].shape
                if 0 not in shape:
                    expression(trace, event, tuple(n - 1 for n in shape))


def test_which_operations_work_entry_by_entry_follows_from_what_they_compute():
    """What the list of names held before, and nothing else of what is differentiable."""
    found = {name for name, operation in registry.operations.items() if is_entrywise(operation)}
    ufuncs = {n for n, o in registry.operations.items() if isinstance(o.forward, np.ufunc)}
    ufuncs -= {"bitwise_xor", "logical_xor", "invert", "bitwise_and", "bitwise_or", "logical_not"}
    found_beside = {n for n in found if registry.operations[n].differentiable} - ufuncs
    assert found_beside >= {*special.CASES}
    assert found_beside - {*special.CASES, *nonlinear.CASES} == {
        *("fraction", "mantissa", "sinc", "sinc_derivative"),
        *("relu", "leaky_relu", "sigmoid", "softplus", "normal_cdf", "gelu"),
        *("clip", "where", "astype", "dropout"),
    }
    assert is_entrywise(hill())
    assert is_entrywise(gaussian())
    assert not any(is_entrywise(make()) for make in (mean_square, my_dot, my_product, shuffle, normalised))
    assert not is_entrywise(ops.softmax)
