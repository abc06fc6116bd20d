"""Points of the data in the live page: added, taken away, relabelled, by pointer and keys; the numbers are Python's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim
from minigrad.viz import examples
from minigrad.viz.numbers import show
from tests.viz.browser.either import Browser

STEP = "document.querySelector('.mg-stepper').step"


@pytest.fixture(scope="module")
def browser(either: Browser) -> Browser:
    return either


def classifier(x: np.ndarray, y: np.ndarray) -> tuple[Callable[[], None], Any]:
    """A step with cross-entropy, whose program has constants with a row for each point."""
    inputs, labels = mg.Tensor(x, name="x"), y
    model = nn.Sequential(
        nn.Linear(2, 5, rng=np.random.default_rng(1)),
        nn.Tanh(),
        nn.Linear(5, 3, rng=np.random.default_rng(2)),
    )
    optimizer, loss_of = optim.SGD(model, lr=0.5), nn.CrossEntropyLoss()

    def step() -> None:
        optimizer.zero_grad()
        loss = loss_of(model(inputs), labels)
        loss.backward()
        optimizer.step()

    return step, model


def told(browser: Browser) -> Any:
    return browser.js(
        f"(() => {{ const step = {STEP}, {{ theta }} = step.result(); return {{ loss: step.loss(), "
        "theta: step.updates.map((each) => [...step.entries(theta[each.theta])]) }; })()"
    )


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("points") / "mlp.html"
    mg.record(examples.load("mlp")["step"], title="mlp").save(path)
    return path


def test_more_and_fewer_points_give_pythons_numbers(browser: Browser, page: Path) -> None:
    browser.open(page)
    rng = np.random.default_rng(0)
    names = examples.load("mlp")
    x, y = names["x"].numpy().copy(), names["y"].numpy().copy()
    for k in range(6):
        if k % 3 == 2:
            browser.js(f"{STEP}.remove(1)")
            x, y = np.delete(x, 1, 0), np.delete(y, 1, 0)
        else:
            entry, label = np.float32(rng.normal(size=2)), float(rng.integers(2))
            browser.js(f"{STEP}.add({[float(each) for each in entry]}, {label})")
            x, y = np.vstack([x, entry]).astype("f"), np.vstack([y, [[label]]]).astype("f")
        names = examples.load("mlp")
        names["step"].__globals__.update(x=mg.Tensor(x, name="x"), y=mg.Tensor(y, name="y"))
        trace = mg.record(names["step"])
        found = told(browser)
        assert found["loss"] == pytest.approx(float(trace.node("loss").value), rel=1e-5)
        for name, ours in zip(("W1", "b1", "W2"), found["theta"], strict=True):
            np.testing.assert_allclose(ours, names[name].numpy().ravel(), rtol=1e-5, atol=1e-7)


def test_with_cross_entropy_too(browser: Browser, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(7, 2)).astype("f"), rng.integers(0, 3, 7)
    y[0] = 2
    mg.record(classifier(x, y)[0], title="three").save(tmp_path / "three.html")
    browser.open(tmp_path / "three.html")
    browser.js(f"{STEP}.add([0.5, -1.25], 1)")
    browser.js(f"{STEP}.add([1.5, 2], 0)")
    browser.js(f"{STEP}.remove(2)")
    x = np.delete(np.vstack([x, [[0.5, -1.25], [1.5, 2]]]).astype("f"), 2, 0)
    y = np.delete(np.append(y, [1, 0]), 2)
    step, model = classifier(x, y)
    trace = mg.record(step)
    assert trace.loss is not None
    found = told(browser)
    assert found["loss"] == pytest.approx(float(trace.nodes[trace.loss].value), rel=1e-5)
    for parameter, ours in zip(model.parameters(), found["theta"], strict=True):
        np.testing.assert_allclose(ours, parameter.numpy().ravel(), rtol=1e-4, atol=1e-6)


def points(browser: Browser) -> int:
    found: int = browser.js(
        "[...document.querySelectorAll('.mg-point')].filter((p) => p.style.display !== 'none').length"
    )
    return found


def test_the_buttons_and_keys_add_relabel_and_take_away(browser: Browser, page: Path) -> None:
    browser.open(page)
    assert points(browser) == 4
    browser.js("(() => { const s = document.querySelector('[data-change=label]'); s.selectedIndex = 1; })()")
    browser.click("[data-change=add]")
    assert points(browser) == 5
    assert browser.js("document.activeElement.getAttribute('aria-label')").startswith(
        "point 5 at 0.5, 0.5, target 1"
    )
    browser.key("Enter")
    assert browser.js(f"{STEP}.now().values.y.data[4]") == 0
    browser.click("[data-change=relabel]")
    assert browser.js(f"{STEP}.now().values.y.data[4]") == 1
    browser.key("Delete")
    assert points(browser) == 4
    browser.click("[data-change=undo]")
    assert points(browser) == 5
    browser.click("[data-change=remove]")
    browser.click("[data-change=remove]")
    browser.click("[data-change=remove]")
    assert points(browser) == 2
    assert browser.js("document.querySelector('[data-change=remove]').disabled")
    browser.click("[data-change=reset]")
    assert points(browser) == 4
    assert browser.errors == []


def test_a_click_beside_the_points_adds_one_there(browser: Browser, page: Path) -> None:
    browser.open(page)
    x, y, size = browser.js(
        "(() => { const s = document.querySelector('.mg-see svg'); s.scrollIntoView({ block: 'center' });"
        "const r = s.getBoundingClientRect(); return [r.left, r.top, r.width]; })()"
    )
    browser.drag((x + size / 2, y + size / 4))
    assert points(browser) == 5
    assert browser.js(f"[...{STEP}.now().values.x.data].slice(8)") == pytest.approx([0.5, 0.9], abs=0.02)


def test_sums_over_another_batch_do_not_show_the_old_formula(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.click("[data-change=add]")
    trace = mg.record(examples.load("mlp")["step"])
    mean = next(
        e.index for e in trace.events if e.kind == "forward" and trace.nodes[e.node].operation == "mean"
    )
    for _ in range(mean):
        browser.click('[data-do="next"]')
    value = browser.js(
        f"{STEP}.result().v[JSON.parse(document.querySelector('script[type=\"application/json\"]').textContent).live.loss].data[0]"
    )
    assert "over 5 points; it was recorded with 4" in browser.text(".mg-spoken")
    assert browser.text(".mg-spoken .mg-numbers") == f"= {show(2 * value)}"


def test_a_link_carries_points(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.click("[data-change=add]")
    browser.click("[data-change=link]")
    before = browser.text(".mg-loss")
    browser.reload()
    assert points(browser) == 5
    assert browser.text(".mg-loss") == before
