"""A recording of several steps as the program of one and the batches of the others."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim
from minigrad.escape import xml
from minigrad.viz import examples, page_live, several
from minigrad.viz.live import live
from minigrad.viz.program import call


def training(batches: list[np.ndarray]) -> Callable[[], None]:
    w = mg.Tensor(np.ones(2, "float32"), requires_grad=True, name="w")
    optimizer, turn = optim.SGD([w], lr=0.1), iter(batches)

    def step() -> None:
        x = mg.Tensor(next(turn), name="x")
        loss = ((x @ w) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def some(count: int, rows: int = 3) -> list[np.ndarray]:
    return [a.astype("float32") for a in np.random.default_rng(0).standard_normal((count, rows, 2))]


def test_the_steps_behind_the_first_are_their_batches() -> None:
    data = some(4)
    trace = call(training(data), "page", steps=4)
    first = several.first(trace)
    assert len(first.steps) == 1
    assert [node.name for node in first.nodes if node.operation is None] == ["x", "w"]
    np.testing.assert_array_equal(first.node("x").value, data[0])
    found = several.batches(trace, first, live(first))
    assert [set(batch.arrays) for batch in found] == [{"x"}] * 3  # w is the optimizer's
    for batch, array in zip(found, data[1:], strict=True):
        np.testing.assert_array_equal(batch.arrays["x"], array)
        assert [settings["eta"] for settings in batch.settings] == [0.1]


def test_the_same_data_in_every_step_is_no_batch() -> None:
    trace = call(training([some(1)[0]] * 3), "page", steps=3)
    first = several.first(trace)
    assert [batch.arrays for batch in several.batches(trace, first, live(first))] == [{}, {}]


def test_random_masks_go_with_their_step() -> None:
    rng = np.random.default_rng(0)
    model = nn.Sequential(nn.Linear(2, 5, rng=rng), nn.Dropout(0.5, rng=rng))
    x, optimizer = mg.Tensor(some(1)[0], name="x"), optim.SGD(model, lr=0.1)

    def step() -> None:
        optimizer.zero_grad()
        (model(x) ** 2).sum().backward()
        optimizer.step()

    trace = call(step, "page", steps=3)
    first = several.first(trace)
    one, two = several.batches(trace, first, live(first))
    (name,) = one.arrays
    assert name not in {node.name for node in first.nodes}
    assert not np.array_equal(one.arrays[name], two.arrays[name])


def by_hand() -> Callable[[], None]:
    w = mg.Tensor(np.ones(2, "float32"), requires_grad=True, name="w")

    def step() -> None:
        nonlocal w
        ((mg.Tensor(some(1)[0], name="x") @ w) ** 2).sum().backward()
        with mg.no_grad():
            w -= 0.1 * w.grad
        w.zero_grad()

    return step


@pytest.mark.parametrize(
    ("step", "why"),
    [
        (training([*some(2), some(1, rows=2)[0]]), "step 3 of the recording is another program"),
        (by_hand(), "w is another before step 2, and no optimizer"),
    ],
)
def test_what_is_not_one_program_says_why(step: Callable[[], None], why: str) -> None:
    trace = call(step, "page", steps=3)
    made, said = page_live.page(trace)
    assert made is None
    assert said.startswith(why)
    assert said.endswith("(MG-671)")
    assert f"No number can be changed here: {why}" in trace.html()


def test_without_live_the_steps_stand_one_below_the_other() -> None:
    trace = call(training(some(3)), "page", steps=3)
    (alive, rest), (still, all_of_them) = (
        html.split('class="mg-controls"') for html in (trace.html(), trace.html(live=False))
    )
    assert "takes the batches of the 3 recorded steps in turn" in alive
    assert "in turn" not in still
    assert all_of_them.count("<li>") == 3 * rest.count("<li>")


@pytest.mark.parametrize("name", examples.NAMES)
def test_every_example_is_live_small_and_introduced(name: str) -> None:
    trace = examples.record(name)
    made, _ = page_live.page(trace)
    assert made is not None
    assert len(made.batches) == examples.EXAMPLES[name].steps - 1
    html = trace.html()
    assert len(html.encode()) < 2_500_000
    assert "No number can be changed" not in html
    assert trace.hint.startswith("Try: ")
    assert f'<p class="mg-about mg-try">{xml(trace.hint)}</p>' in html
