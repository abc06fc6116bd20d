"""The pad for pictures in headless Chromium: what it reads, its gradient, teaching, by pen and keys."""

from __future__ import annotations

import json
import time
from itertools import islice, repeat
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad.viz import examples, page_live
from minigrad.viz.lessons.replay import run
from minigrad.viz.pixels import pixels
from tests.viz.browser.chromium import Browser, find

pytestmark = pytest.mark.skipif(find() is None, reason="no Chromium is installed")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pad") / "digits.html"
    mg.record(examples.load("digits")["step"], title="digits").save(path)
    return path


def row(browser: Browser, name: str = "x") -> np.ndarray:
    """The first picture of the batch as the page has it now."""
    told = browser.js(
        f"(() => {{ const {{ step }} = document.querySelector('.mg-stepper'), a = step.now().values[{name!r}]; "
        "return [a.shape, [...a.data]]; })()"
    )
    return np.array(told[1]).reshape(told[0])


def bars(browser: Browser) -> list[float]:
    return [
        float(text)
        for text in browser.js(
            "[...document.querySelectorAll('.mg-bars li > span:last-child')].map((e) => e.textContent)"
        )
    ]


def batch(number: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """The pictures and the labels of the example's n-th step."""
    pictures, labels = next(islice(examples.load("digits")["batches"], number - 1, None))
    return np.array(pictures), np.array(labels)


def python(picture: np.ndarray, label: int | None = None, steps: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """What the engine reads in a picture that is every row of the batch, and dL/d(pixels); after some steps on it."""
    names, (first, labels) = examples.load("digits"), batch()
    rows = np.broadcast_to(picture.reshape(first.shape[1:]), first.shape).astype(first.dtype)
    if label is not None:
        labels = np.full_like(labels, label)
    names["step"].__globals__["batches"] = repeat((rows, labels))
    for _ in range(steps):
        names["step"]()
    x = mg.Tensor(rows, requires_grad=True)
    logits = names["model"](x)
    names["loss_of"](logits, labels).backward()
    scores = logits.numpy()[0].astype(float)
    shares = np.exp(scores - scores.max())
    return shares / shares.sum(), np.asarray(x.grad).sum(0)


def test_the_gradient_by_the_pixels_is_the_engines() -> None:
    trace = mg.record(examples.load("digits")["step"])
    found = pixels(trace)
    assert found is not None
    page, _ = page_live.page(trace)
    assert page is not None
    values = {value.name: trace.nodes[node].value for node, value in page.program.given.items()}
    values |= {value.name: array for value, array in found.constants}
    run(found.listing, ("forward", "backward"), values)
    names, (pictures, labels) = examples.load("digits"), batch()
    x = mg.Tensor(pictures, requires_grad=True)
    names["loss_of"](names["model"](x), labels).backward()
    np.testing.assert_allclose(values[found.gradient.name], x.grad, rtol=1e-4, atol=1e-7)


def test_a_sample_is_read_as_python_reads_it(browser: Browser, page: Path) -> None:
    browser.open(page)
    choose(browser, "sample", "4")
    pictures, labels = batch()
    shares, _ = python(pictures[4])
    np.testing.assert_allclose(bars(browser), shares, atol=0.0051)
    assert browser.js("document.querySelector('[data-pad=label]').value") == str(labels[4])
    np.testing.assert_array_equal(row(browser), np.broadcast_to(pictures[4], pictures.shape))
    assert browser.errors == []


def choose(browser: Browser, control: str, value: str) -> None:
    browser.js(
        f"(() => {{ const s = document.querySelector('[data-pad={control}]'); s.value = '{value}'; "
        "s.dispatchEvent(new Event('change')); })()"
    )


def stroke(browser: Browser, *places: tuple[float, float]) -> None:
    """Draw a line through places, as shares of the pad's width and height."""
    x, y, wide, high = browser.js(
        "(() => { const p = document.querySelector('.mg-paper'); p.scrollIntoView({ block: 'center' }); "
        "const r = p.getBoundingClientRect(); return [r.left, r.top, r.width, r.height]; })()"
    )
    points = [(x + a * wide, y + b * high) for a, b in places]
    for kind, (a, b) in [
        ("mousePressed", points[0]),
        *(("mouseMoved", p) for p in points),
        ("mouseReleased", points[-1]),
    ]:
        browser.send("Input.dispatchMouseEvent", type=kind, x=a, y=b, button="left", buttons=1, clickCount=1)


def test_what_it_reads_follows_the_pen(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.click("[data-pad=clear]")
    assert not row(browser).any()
    blank = bars(browser)
    stroke(browser, (0.5, 0.15), (0.5, 0.5), (0.5, 0.85))
    drawn = row(browser)
    assert drawn[0].sum() > 3
    assert np.all(drawn == drawn[0])
    assert bars(browser) != blank
    label = int(browser.js("document.querySelector('[data-pad=label]').value"))
    shares, slopes = python(drawn[0], label)
    np.testing.assert_allclose(bars(browser), shares, atol=0.0051)
    alphas = browser.js(
        "(() => { const c = document.querySelector('.mg-slope'); "
        "return [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data].filter((_, i) => i % 4 === 3); })()"
    )
    np.testing.assert_allclose(
        np.array(alphas) / 255, np.abs(slopes.ravel()) / np.abs(slopes).max(), atol=0.02
    )
    assert "It reads" in browser.text(".mg-drawn [role=status]")


def test_the_rest_of_the_page_follows_too(browser: Browser, page: Path) -> None:
    loss = mg.record(examples.load("digits")["step"]).node("loss").value.item()
    told = f"loss {loss:.4g} "
    browser.open(page)
    assert told in browser.text(".mg-loss")
    browser.click("[data-pad=clear]")
    assert told not in browser.text(".mg-loss")
    browser.click("[data-pad=back]")
    assert told in browser.text(".mg-loss")
    browser.click("[data-change=undo]")
    assert told not in browser.text(".mg-loss")


def test_teaching_takes_one_step_on_the_picture(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.click("[data-pad=clear]")
    stroke(browser, (0.2, 0.2), (0.8, 0.2), (0.4, 0.8))
    choose(browser, "label", "7")
    picture = row(browser)[0]
    browser.click("[data-pad=teach]")
    shares, _ = python(picture, 7, steps=1)
    np.testing.assert_allclose(bars(browser), shares, atol=0.0051)
    assert "One step on this picture" in browser.text(".mg-drawn [role=status]")
    assert "step 1:" in browser.text(".mg-loss")
    browser.click("[data-pad=back]")
    np.testing.assert_array_equal(row(browser), batch()[0])
    assert browser.errors == []


def test_of_several_steps_the_pad_has_the_batch_whose_turn_it_is(browser: Browser, tmp_path: Path) -> None:
    examples.record("digits", steps=3).save(tmp_path / "digits.html")
    browser.open(tmp_path / "digits.html")
    browser.click("[data-change=step]")
    pictures, labels = batch(2)
    listed = "[...document.querySelectorAll('[data-pad=sample] option')].slice(1).map((o) => o.textContent)"
    assert browser.js(listed) == [f"{k}: a {label}" for k, label in enumerate(labels, 1)]
    choose(browser, "sample", "4")
    np.testing.assert_array_equal(row(browser), np.broadcast_to(pictures[4], pictures.shape))
    browser.click("[data-pad=back]")
    np.testing.assert_array_equal(row(browser), pictures)
    assert browser.errors == []


def test_a_picture_that_is_taught_stays_while_other_batches_have_their_turn(
    browser: Browser, tmp_path: Path
) -> None:
    examples.record("digits", steps=3).save(tmp_path / "digits.html")
    browser.open(tmp_path / "digits.html")
    choose(browser, "sample", "4")
    pictures, labels = batch()
    for steps in (1, 2):
        browser.click("[data-pad=teach]")
        np.testing.assert_array_equal(row(browser), np.broadcast_to(pictures[4], pictures.shape))
        shares, _ = python(pictures[4], int(labels[4]), steps)
        np.testing.assert_allclose(bars(browser), shares, atol=0.0051)
    browser.click("[data-pad=back]")
    np.testing.assert_array_equal(row(browser), batch(3)[0])
    browser.click("[data-change=step]")
    np.testing.assert_array_equal(row(browser), pictures)
    assert browser.errors == []


def test_one_draws_by_keys(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.click("[data-pad=clear]")
    browser.js("document.querySelector('.mg-paper').focus()")
    browser.key(" ")
    first = row(browser)[0].sum()
    assert first > 0
    for _ in range(3):
        browser.send(
            "Input.dispatchKeyEvent", type="keyDown", key="ArrowDown", windowsVirtualKeyCode=40, modifiers=8
        )
    assert row(browser)[0].sum() > first
    assert browser.text(".mg-drawn .mg-unseen").startswith("row ")
    for _ in range(3):
        browser.key("Backspace")
        browser.send("Input.dispatchKeyEvent", type="keyDown", key="ArrowUp", windowsVirtualKeyCode=38)
    browser.key("Backspace")
    assert row(browser)[0].sum() < first
    assert "drawing pad" in browser.js("document.querySelector('.mg-paper').getAttribute('aria-label')")


def test_a_finger_draws(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.click("[data-pad=clear]")
    x, y = browser.js(
        "(() => { const p = document.querySelector('.mg-paper'); p.scrollIntoView({ block: 'center' }); "
        "const r = p.getBoundingClientRect(); return [r.left + r.width / 2, r.top + 20]; })()"
    )
    for kind, points in (
        ("touchStart", [(x, y)]),
        ("touchMove", [(x, y + 40)]),
        ("touchMove", [(x, y + 80)]),
        ("touchEnd", []),
    ):
        browser.send("Input.dispatchTouchEvent", type=kind, touchPoints=[{"x": a, "y": b} for a, b in points])
    assert row(browser)[0].sum() > 3


def test_a_link_carries_the_drawing(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.click("[data-pad=clear]")
    stroke(browser, (0.5, 0.2), (0.5, 0.8))
    picture, told = row(browser)[0], browser.text(".mg-loss")
    browser.click('[data-change="link"]')
    address = browser.js("location.hash")
    browser.open(page)
    browser.js(f"location.hash = {json.dumps(address)}")
    browser.send("Page.reload")
    deadline = time.monotonic() + 10
    while browser.text(".mg-loss") != told and time.monotonic() < deadline:
        time.sleep(0.05)
    np.testing.assert_array_equal(row(browser)[0], picture)


def test_an_autoencoder_shows_what_it_makes_of_it(browser: Browser, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x = mg.Tensor(rng.random((4, 64)).astype("float32"), name="x")
    down = mg.nn.Linear(64, 6, rng=rng)
    up = mg.nn.Linear(6, 64, rng=rng)
    optimizer = mg.optim.SGD([*down.parameters(), *up.parameters()], lr=0.1)

    def step() -> None:
        optimizer.zero_grad()
        made = up(mg.ops.relu(down(x)))
        loss = ((made - x) ** 2).mean()
        loss.backward()
        optimizer.step()

    mg.record(step, title="autoencoder").save(tmp_path / "auto.html")
    browser.open(tmp_path / "auto.html")
    assert browser.js("document.querySelectorAll('.mg-drawn canvas').length") >= 4
    assert not browser.js("document.querySelector('.mg-bars')")
    browser.click("[data-pad=clear]")
    assert not row(browser).any()
    assert browser.errors == []


def test_a_step_without_pictures_has_no_pad(browser: Browser, tmp_path: Path) -> None:
    mg.record(examples.load("mlp")["step"], title="mlp").save(tmp_path / "mlp.html")
    assert "padPanel = " not in (tmp_path / "mlp.html").read_text()
    browser.open(tmp_path / "mlp.html")
    assert not browser.js("document.querySelector('.mg-drawn')")


def test_the_page_stays_small_and_fits_a_telephone(browser: Browser, page: Path) -> None:
    assert page.stat().st_size < 2_500_000
    browser.size(390, 844)
    try:
        browser.open(page)
        assert browser.js("document.documentElement.scrollWidth") <= 390
    finally:
        browser.size(1300, 900)
