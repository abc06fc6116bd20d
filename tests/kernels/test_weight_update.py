"""Weights updated by the parts of their gradient: the numbers of two passes, for every rule and on every edge."""

from __future__ import annotations

import numpy as np
import pytest
from minigrad_kernels import (
    launch,
    products,
    teams,
    tiles,
    update_rules,  # noqa: F401  (which enters the rules)
    updates,
    weight_update,
    work_queue,
)

fitting = tiles.size()
pytestmark = pytest.mark.skipif(fitting is None, reason="there are no tiles for this processor")
RULES = sorted((rule.name, text) for text, rule in updates.rules.items())


@pytest.fixture(autouse=True)
def any_size(monkeypatch):
    monkeypatch.setattr(products, "SMALLEST", 0)
    monkeypatch.setattr(products, "MOST_WASTE", 10**9)
    products.fits.cache_clear()
    yield
    products.fits.cache_clear()


def parts_of(rule, m, n, samples, whole=False):
    """A parameter, a gradient of its rows, the layer's input, state, coefficients; whole numbers where asked for."""
    rng = np.random.default_rng(m + n + samples)

    def numbers(*shape):
        drawn = rng.integers(-3, 4, shape) if whole else rng.standard_normal(shape)
        return drawn.astype("f")

    state = [np.abs(numbers(m, n)) for _ in range(rule.states)]
    coefficients = np.linspace(0.1, 0.9, len(rule.names), dtype="f")
    return numbers(m, n), numbers(samples, m), numbers(samples, n), state, coefficients


@pytest.mark.parametrize("text", [text for _, text in RULES], ids=[name for name, _ in RULES])
def test_every_rule_in_plain_python(text):
    """Whole numbers, so that the product is exact in every order: what two workers do in turn is the reference's."""
    rule = updates.rules[text]
    m, n = 2 * fitting.rows + 3, 2 * fitting.columns + 5
    theta, g, x, state, coefficients = parts_of(rule, m, n, 4, whole=True)
    wanted, others = theta.copy(), [each.copy() for each in state]
    with np.errstate(all="ignore"):
        rule.reference(wanted, g.T @ x, *others, coefficients)
        queue = np.zeros((2, work_queue.PADDING), np.int64)
        work_queue.share_out.plain(queue, 1)
        parts = np.full((2, weight_update.HEIGHT + fitting.rows, n + fitting.columns), np.nan, "f")
        panels = np.empty((0, 4, fitting.columns), "f")
        loop = weight_update.ByProduct(rule).team.loop.plain
        for worker in (0, 1):
            loop(worker, queue, g.T, x, panels, parts, theta, coefficients, *state)
    for a, b in zip((theta, *state), (wanted, *others), strict=True):
        np.testing.assert_array_equal(a, b)


SHAPES = [(1, 1), (3, 40), (8, 32), (9, 33), (31, 7), (32, 64), (33, 65), (70, 100), (65, 1024)]


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("name", ["sgd", "adam"])
def test_the_bits_of_two_passes_on_every_edge(name, several, monkeypatch):
    monkeypatch.setattr(products, "PARALLEL_FROM", 0 if several else 1 << 40)
    monkeypatch.setattr(launch, "PARALLEL_FROM", 1 << 40)
    rule = launch.kernels[name]
    for m, n in SHAPES:
        for samples in (2, 17, 64):
            theta, g, x, state, coefficients = parts_of(rule, m, n, samples)
            wanted, others = theta.copy(), [each.copy() for each in state]
            dw = np.empty((m, n), "f")
            products.dot(g.T, x, dw, by_rows=True)
            rule(wanted, dw, *others, coefficients)
            assert weight_update.pays(rule, theta, g, x)
            weight_update.ByProduct(rule)(theta, g, x, *state, coefficients)
            for a, b in zip((theta, *state), (wanted, *others), strict=True):
                np.testing.assert_array_equal(a, b, err_msg=f"{m}x{n}, {samples} samples")


def test_a_part_is_done_once(monkeypatch):
    """Every entry is updated exactly once, whoever takes the part: momentum's state counts the updates."""
    monkeypatch.setattr(products, "PARALLEL_FROM", 0)
    monkeypatch.setattr(launch, "threads", lambda: 2)
    rule = launch.kernels["momentum"]
    theta, g, x = np.zeros((100, 70), "f"), np.ones((2, 100), "f"), np.ones((2, 70), "f")
    count = np.zeros_like(theta)
    for k in range(1, 4):
        weight_update.ByProduct(rule)(theta, g, x, count, np.array([1, 0, 1, 0], "f"))  # b <- b + g
        np.testing.assert_array_equal(count, 2 * k)


def test_a_team_gives_each_worker_its_number():
    def note(worker, found):
        found[worker] = worker + 1

    note.__module__ = __name__
    found = np.zeros(4)
    teams.Team(launch.Loop(note))(4, found)
    assert found.tolist() == [1, 2, 3, 4]
