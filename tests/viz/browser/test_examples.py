"""The live examples in a browser: their batches in turn, the sliding window, texts that are typed over."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad.viz import examples
from minigrad.viz.numbers import show
from minigrad.viz.program import call
from tests.viz.browser.chromium import Browser, find

pytestmark = pytest.mark.skipif(find() is None, reason="no Chromium is installed")

STEP = "document.querySelector('.mg-stepper').step"


def opened(browser: Browser, name: str, folder: Path) -> None:
    examples.record(name).save(folder / f"{name}.html")
    browser.open(folder / f"{name}.html")
    assert browser.errors == []


@pytest.mark.parametrize("name", ["digits", "convolution", "lstm", "attention", "autoencoder"])
def test_the_next_steps_have_the_recorded_batches_in_turn(
    browser: Browser, tmp_path: Path, name: str
) -> None:
    opened(browser, name, tmp_path)
    count = examples.EXAMPLES[name].steps
    recorded = examples.record(name, steps=count)
    losses = [recorded.nodes[e.node].value.item() for e in recorded.events if e.kind == "seed"]
    told = [browser.js(f"{STEP}.loss()")]
    told += [browser.js(f"({STEP}.step(), {STEP}.loss())") for _ in range(count)]
    np.testing.assert_allclose(told[:count], losses, rtol=2e-4)
    name_of_x = browser.js(f"Object.keys({STEP}.now().edited)[0]")
    assert name_of_x == "0"  # the first batch, whose turn it is again
    assert browser.js(
        f"(() => {{ const s = {STEP}, batch = s.now().edited[0]; "
        "return Object.entries(batch).every(([name, array]) => s.now().values[name] === array); })()"
    )


def test_an_edited_batch_is_found_again_as_it_was_left(browser: Browser, tmp_path: Path) -> None:
    opened(browser, "digits", tmp_path)
    browser.js(f"{STEP}.edit('x', 3, 0.625)")
    browser.js(f"({STEP}.step(), 0)")
    assert browser.js(f"{STEP}.now().values.x.data[3]") != 0.625
    browser.js(
        f"(() => {{ for (let i = 1; i < {examples.EXAMPLES['digits'].steps}; i++) {STEP}.step(); }})()"
    )
    assert browser.js(f"{STEP}.now().values.x.data[3]") == 0.625


def test_a_schedule_goes_on_from_step_to_step(browser: Browser, tmp_path: Path) -> None:
    w = mg.Tensor([1.0, 2.0], requires_grad=True, name="w")
    rates = mg.optim.Exponential(0.1, decay_rate=0.5, decay_steps=1)
    optimizer = mg.optim.SGD([w], lr=rates)

    def step() -> None:
        optimizer.zero_grad()
        (w**2).sum().backward()
        optimizer.step()

    trace = call(step, "schedule", steps=3)
    trace.save(tmp_path / "page.html")
    losses = [trace.nodes[e.node].value.item() for e in trace.events if e.kind == "seed"]
    browser.open(tmp_path / "page.html")
    told = [browser.js(f"({'' if k == 0 else f'{STEP}.step(), '}{STEP}.loss())") for k in range(3)]
    np.testing.assert_allclose(told, losses, rtol=1e-6)


def clipped(first: float, most: float) -> tuple[Callable[[], None], list[mg.Tensor]]:
    w = mg.Tensor([first, -2.0], requires_grad=True, name="w")
    b = mg.Tensor([3.0], requires_grad=True, name="b")
    optimizer = mg.optim.Adam([w, b], lr=0.1, max_norm=most)

    def step() -> None:
        optimizer.zero_grad()
        ((w * w).sum() + (b * b * b).sum()).backward()
        optimizer.step()

    return step, [w, b]


@pytest.mark.parametrize("most", [0.5, 100.0])
def test_gradients_are_cut_to_a_norm(browser: Browser, tmp_path: Path, most: float) -> None:
    mg.record(clipped(1.0, most)[0]).save(tmp_path / "page.html")
    browser.open(tmp_path / "page.html")
    for first in (1.0, 400.0):
        step, tensors = clipped(first, most)
        step()
        step()
        browser.js(f"({STEP}.reset(), {STEP}.edit('w', 0, {first}), {STEP}.step(), {STEP}.step(), 0)")
        for tensor in tensors:
            told = browser.js(f"[...{STEP}.now().values['{tensor.name}'].data]")
            np.testing.assert_allclose(told, tensor.numpy(), rtol=1e-6)


def test_the_window_slides_and_its_sum_is_the_entry(browser: Browser, tmp_path: Path) -> None:
    opened(browser, "convolution", tmp_path)
    y = examples.record("convolution", steps=1)
    conv = next(node for node in y.nodes if node.operation == "conv2d")
    assert browser.text(".mg-sum").endswith(f"= {show(conv.value[0, 0, 0, 0])}")
    browser.js("document.querySelector('.mg-slid').focus()")
    for key in ("ArrowDown", "ArrowRight", "ArrowRight"):
        browser.send("Input.dispatchKeyEvent", type="keyDown", key=key)
    said = browser.text(".mg-sum")
    assert said.startswith(f"{conv.name}[0,0,1,2] = ")
    assert said.endswith(f"= {show(conv.value[0, 0, 1, 2])}")
    assert "row 1, column 2" in browser.text(".mg-windows figcaption")
    box = browser.js(
        "(() => { const c = document.querySelector('.mg-slid'); c.scrollIntoView({ block: 'center' }); "
        "const r = c.getBoundingClientRect(); return [r.left, r.top, r.width, r.height]; })()"
    )
    x, y_ = box[0] + box[2] * 0.99, box[1] + box[3] * 0.99
    browser.send("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y_)
    assert browser.text(".mg-sum").startswith(f"{conv.name}[0,0,5,5] = ")


@pytest.mark.parametrize("name", ["lstm", "attention"])
def test_a_text_is_typed_over(browser: Browser, tmp_path: Path, name: str) -> None:
    opened(browser, name, tmp_path)
    recorded = browser.js("document.querySelector('.mg-typed').value")
    text = recorded[:2] + "x" + recorded[3:]
    browser.js("(() => { const b = document.querySelector('.mg-typed'); b.focus(); b.select(); })()")
    browser.type(text)
    names = examples.load(name)
    word = np.array([names["ALPHABET"].index(letter) for letter in text])
    logits = names["model"](word[:-1])
    loss = names["loss_of"](logits, word[1:])
    assert browser.js(f"{STEP}.loss()") == pytest.approx(float(loss.item()), rel=1e-5)
    said = [names["ALPHABET"][k].replace(" ", "␣") for k in logits.numpy().argmax(1)]
    assert browser.js("[...document.querySelectorAll('.mg-spelled span')].map((s) => s.textContent)") == said
    browser.js("document.querySelector('.mg-typed').select()")
    browser.type("Ä")
    assert "is not among the letters" in browser.text(".mg-reading .mg-note")
    browser.js("document.querySelector('.mg-typed').blur()")
    assert browser.js("document.querySelector('.mg-typed').value") == text
    browser.click('[data-change="undo"]')
    assert browser.js("document.querySelector('.mg-typed').value") == recorded


def test_the_map_of_attention_is_its_weights(browser: Browser, tmp_path: Path) -> None:
    opened(browser, "attention", tmp_path)
    trace = examples.record("attention", steps=1)
    weights = trace.node("weights").value
    browser.js("document.querySelector('.mg-map canvas').focus()")
    for _ in range(10):
        browser.send("Input.dispatchKeyEvent", type="keyDown", key="ArrowUp")
    largest = int(weights[9].argmax())
    said = browser.text(".mg-looks")
    assert "(9) looks at " in said
    assert f"({largest}) by {show(weights[9, largest])}" in said
    assert browser.js("document.querySelectorAll('.mg-across span').length") == 20


def test_what_is_not_live_says_why(browser: Browser, tmp_path: Path) -> None:
    a = mg.Tensor(np.eye(2) * 2, requires_grad=True, name="a")
    mg.record(lambda: np.linalg.inv(a).sum().backward(), title="inverse").save(tmp_path / "page.html")
    browser.open(tmp_path / "page.html")
    said = browser.text(".mg-still")
    assert said.startswith("No number can be changed here: ")
    assert "np.linalg.inv(a)" in said
    assert json.dumps(said).count("MG-670") == 1


def test_on_a_phone_the_graph_stays_in_its_place(browser: Browser, tmp_path: Path) -> None:
    browser.size(390, 900)
    try:
        opened(browser, "attention", tmp_path)
        browser.js("document.querySelector('.mg-reading').scrollIntoView({ block: 'start' })")
        below, above = browser.js(
            "[...document.querySelectorAll('.mg-drawing, .mg-change')].map((p) => p.getBoundingClientRect())"
            ".map(({ top, bottom }) => [top, bottom])"
        )
        assert below[1] <= above[0]
        assert browser.js("document.documentElement.scrollWidth") == 390
    finally:
        browser.size(1300, 900)
