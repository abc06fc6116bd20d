"""No question depends on another: a mistake that is made twice, by hand or by a call, costs its points once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from minigrad.course.assignment import find, load
from tests.course import planting

ROWS = "return g.reshape(-1, g.shape[-1]).{}(axis=0)"
NETWORK = "return da.T @ x, da.sum(axis=0), g.T @ h, g.sum(axis=0)"
WEIGHTS = "return g.reshape(-1, g.shape[-1]).T @ x.reshape(-1, x.shape[-1])"
THROUGH = "da = (g @ w2) * (a > 0)"
PUT_BACK = "g = np.expand_dims(g, axis)\n    return np.broadcast_to(g, a_shape).copy()"
OF_MEAN = "return np.broadcast_to(g, a_shape) / n"
LEADING = "g = g.sum(axis=tuple(range(g.ndim - len(shape))))"
M, V = "m = beta1 * m + (1 - beta1) * g\n", "v = beta2 * v + (1 - beta2) * g**2\n"

TWICE = [
    (
        "A4", "the mean in both bias gradients", "bias-batch bias-shapes bias-engine",
        [(ROWS.format("sum"), ROWS.format("mean")), (NETWORK, "return da.T @ x, da.mean(axis=0), g.T @ h, g.mean(axis=0)")],
    ),
    (
        "A4", "the wrong axis in both bias gradients", "bias-batch bias-shapes bias-engine",
        [(ROWS.format("sum"), "return g.sum(axis=-1)"), (NETWORK, "return da.T @ x, da.sum(axis=1), g.T @ h, g.sum(axis=1)")],
    ),
    (
        "A4", "their own bias gradient is called", "bias-batch bias-shapes bias-engine",
        [(ROWS.format("sum"), ROWS.format("max")), (NETWORK, "return da.T @ x, dense_vjp_b(da), g.T @ h, dense_vjp_b(g)")],
    ),
    (
        "A4", "transposed gradients of both weights", "weight-batch weight-shapes weight-engine",
        [(WEIGHTS, WEIGHTS.replace("return ", "return (") + ").T"), (NETWORK, "return x.T @ da, da.sum(axis=0), h.T @ g, g.sum(axis=0)")],
    ),
    (
        "A4", "the mean over the units, on the way through", "input-batch input-square input-engine",
        [("return g @ w\n", "return g @ w / len(w)\n"), (THROUGH, "da = (g @ w2) / len(w2) * (a > 0)")],
    ),
    ("A4", "a layer without its bias is called", "dense-batch dense-shapes dense-engine",
        [("return y if b is None else y + b", "return y"),
         ("hidden = np.maximum(x @ w1.T + b1, 0)\n    return hidden @ w2.T + b2", "return dense(np.maximum(dense(x, w1, b1), 0), w2, b2)")],
    ),
    (
        "A4", "no ReLU forwards alone", "network-forward",
        [("hidden = np.maximum(x @ w1.T + b1, 0)", "hidden = x @ w1.T + b1")],
    ),
    (
        "A3", "a sum that puts the axis back at the end is called", "sum-every",
        [(PUT_BACK, PUT_BACK.replace("g, axis)", "g, -1)")), (OF_MEAN, "return sum_vjp(g / n, a_shape, axis, True)"),
         ("n = np.prod([a_shape[k] for k in axes])", "n = np.prod([a_shape[k] for k in axes])")],
    ),
    (
        "A6", "no square, three times", "adam-first-step adam-path adam-tiny",
        [(V, V.replace("g**2", "g"))],
    ),
    (
        "A6", "g comes in whole, three times", "adam-first-step adam-path adam-tiny",
        [(M, M.replace("(1 - beta1) * g", "g"))],
    ),
    ("A5", "a binary loss with its targets turned, its gradient right", "binary-numbers binary-extreme binary-safe",
        [("- z * y +", "- z * (1 - y) +")],
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "what", "loses", "changes"), TWICE, ids=[f"{name} {what}" for name, what, *_ in TWICE]
)
def test_a_mistake_costs_its_points_once(name, what, loses, changes):
    one = load(find(name))
    cells = list(one.submitted)
    for old, new in changes:
        assert any(old in cell.source for cell in cells if cell.is_solution), old
        cells = [replace(c, source=c.source.replace(old, new)) if c.is_solution else c for c in cells]
    lost = {outcome.test for outcome in planting.graded(one, cells) if not outcome.passed}
    assert lost == set(loses.split())


@pytest.mark.parametrize("path", planting.sources(), ids=lambda path: path.stem)
@pytest.mark.parametrize("nothing", ["0", "np.zeros(3)", "args[0]"])
def test_what_is_wrong_everywhere_gains_nothing_by_agreeing_with_itself(path, nothing):
    one = load(path)
    cells = []
    for cell in one.submitted:
        source = cell.source
        if cell.is_solution:
            names = [
                line.partition("(")[0].removeprefix("def ")
                for line in source.split("\n")
                if line.startswith("def ")
            ]
            source = "\n".join(f"def {name}(*args, **more):\n    return {nothing}" for name in names)
        cells.append(replace(cell, source=source))
    gained = {outcome.test for outcome in planting.graded(one, cells) if outcome.passed}
    safe = {
        name
        for name in gained
        if name.endswith(("-safe", "-types", "-memory", "-nothing", "-mode", "-no-record"))
    }
    assert gained - safe <= {"bias-engine", "network-dead"}, (
        gained
    )  # shapes that the walk mends; no gradient at all
