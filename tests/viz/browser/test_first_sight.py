"""What a newcomer sees: on a laptop's screen the formula, an introduction, a legend; colours that mean one thing."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import optim
from minigrad.viz import examples
from minigrad.viz.numbers import show
from minigrad.viz.palette import ABOVE, BELOW, DARK, LIGHT, rgb
from minigrad.viz.trace import NewLoss, Trace
from tests.viz.browser.chromium import Browser, find

CHROMIUM = find()
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium is installed (CHROMIUM names one elsewhere)"
)
WIDTH, HEIGHT = 1366, 768


@pytest.fixture
def laptop(browser: Browser) -> Any:
    browser.size(WIDTH, HEIGHT)
    yield browser
    browser.size(1300, 900)


def save(trace: Trace, path: Path, live: bool = True) -> Path:
    trace.save(path, live=live)
    return path


def bottom(browser: Browser, selector: str) -> float:
    found = f"[...document.querySelectorAll({selector!r})].map(e => e.getBoundingClientRect())"
    boxes = browser.js(f"{found}.map(b => [b.top, b.bottom, b.height])")
    assert boxes
    assert all(top >= 0 and height > 8 for top, _, height in boxes)
    return max(low for _, low, _ in boxes)


@pytest.mark.parametrize("name", examples.NAMES)
def test_the_formula_of_every_event_is_above_the_fold(laptop: Browser, name: str, tmp_path: Path) -> None:
    trace = mg.record(examples.load(name)["step"], title=name)
    laptop.open(save(trace, tmp_path / "page.html"))
    for _ in trace.events:
        assert bottom(laptop, ".mg-numbers") <= HEIGHT
        assert bottom(laptop, ".mg-symbols") <= HEIGHT
        laptop.key("ArrowRight")
    assert bottom(laptop, ".mg-legend") <= HEIGHT
    assert laptop.js("document.documentElement.scrollWidth") == WIDTH


@pytest.mark.parametrize("name", examples.NAMES)
def test_every_example_is_introduced(laptop: Browser, name: str, tmp_path: Path) -> None:
    from tests.cli.shared import minigrad

    page = tmp_path / "page.html"
    minigrad("step", name, "--out", page)
    laptop.open(page)
    said = laptop.text(".mg-about")
    own = examples.load(name)["__doc__"]
    assert own.split(".")[0] in said
    assert "values are computed forwards" in said
    assert ("optimizer moves the weights" in said) == (name != "diamond")
    legend = laptop.text(".mg-legend")
    for word in ("forward", "backward", "weights", "broadcasting", "above 0", "below 0"):
        assert word in legend
    laptop.open(page, scripts=False)
    assert bottom(laptop, ".mg-legend, .mg-about") <= HEIGHT


def parsed(theme: str) -> dict[str, tuple[int, ...]]:
    found = {}
    for name, value in re.findall(r"--([\w-]+):#([0-9a-fA-F]+)", theme):
        digits = value if len(value) == 6 else "".join(2 * c for c in value)
        found[name] = tuple(int(digits[k : k + 2], 16) for k in (0, 2, 4))
    return found


def linear(colour: tuple[int, ...]) -> Any:
    share = np.array(colour) / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def contrast(a: tuple[int, ...], b: tuple[int, ...]) -> float:
    light, dark = sorted((float(linear(c) @ (0.2126, 0.7152, 0.0722)) for c in (a, b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_text_can_be_read_in_light_and_dark(theme: str) -> None:
    colours = parsed(theme)
    for ground in ("bg", "panel", "box"):
        for ink in ("ink", "muted", "fwd", "bwd", "upd"):
            assert contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)
    for phase in ("fwd", "bwd", "upd"):
        assert contrast(colours[phase], colours[f"{phase}-soft"]) >= 4.5
        assert contrast(colours["ink"], colours[f"{phase}-soft"]) >= 4.5
        assert contrast(colours["muted"], colours[f"{phase}-soft"]) >= 4.5


SEEN = {  # Machado, Oliveira & Fernandes (2009), full protanopia and deuteranopia, on linear RGB
    "everything": np.eye(3),
    "no red": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "no green": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
}


def lab(colour: tuple[int, ...], eyes: str) -> Any:
    rgb = np.clip(np.asarray(SEEN[eyes]) @ linear(colour), 0, 1)
    xyz = (
        np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
        @ rgb
        / (0.9505, 1, 1.089)
    )
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("eyes", SEEN)
@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_directions_and_signs_have_colours_of_their_own(theme: str, eyes: str) -> None:
    """Any two of them differ by more than 20 in CIELAB, for people who see no red or no green too."""
    colours = parsed(theme)
    told = {name: colours[name] for name in ("fwd", "bwd")} | {"above": rgb(ABOVE), "below": rgb(BELOW)}
    for a, b in combinations(told, 2):
        assert np.linalg.norm(lab(told[a], eyes) - lab(told[b], eyes)) > 20, (a, b)


def training(steps: int) -> Trace:
    w = mg.Tensor([[0.5, 1.0]], requires_grad=True, name="w")
    x = np.array([[1.0], [2.0], [3.0]], np.float32)
    opt = optim.SGD([w], lr=0.01)
    with mg.record(title="training") as trace:
        for _ in range(steps):
            opt.zero_grad()
            loss = ((x @ w - 2 * x) ** 2).mean()
            loss.backward()
            opt.step()
    return trace


def test_of_several_steps_one_segment_is_lit_and_the_width_stays(laptop: Browser, tmp_path: Path) -> None:
    one, many = training(1), training(30)
    widths = []
    for trace, name in ((one, "one"), (many, "many")):
        laptop.open(save(trace, tmp_path / f"{name}.html", live=False))
        widths.append(laptop.js("document.querySelector('.mg-graph').viewBox.baseVal.width"))
        assert laptop.js("document.documentElement.scrollWidth") == WIDTH
    assert widths[1] == widths[0]
    assert [len(part) for part in many.steps] == [len(one.events)] * 30
    assert laptop.js("document.querySelectorAll('.mg-phase').length") == 90
    for step in (0, 7, 29):
        for k in many.steps[step]:
            laptop.js(
                f"(() => {{ const s = document.querySelector('.mg-slider'); s.value = {k};"
                "s.dispatchEvent(new Event('input')); })()"
            )
            lit = laptop.js(
                "[...document.querySelectorAll('.mg-current')].map(e => [e.dataset.phase, e.dataset.step])"
            )
            assert [part[1] for part in lit] == [str(step)]
            assert laptop.text(".mg-which-step") == f"step {step + 1} of 30"
            boxes = "document.querySelectorAll('.node.active, .node.from')"
            assert set(laptop.js(f"[...{boxes}].map(e => e.dataset.step)")) == {str(step)}
            assert laptop.js("document.querySelectorAll('.node.active').length") == 1
    laptop.size(390, 800)
    laptop.open(tmp_path / "many.html")
    assert laptop.js("document.documentElement.scrollWidth") == 390


def test_a_walk_that_goes_on_into_an_earlier_step_is_shown_there(laptop: Browser, tmp_path: Path) -> None:
    u, v = (mg.Tensor([k], requires_grad=True, name=n) for k, n in ((2.0, "u"), (3.0, "v")))
    one, two = optim.SGD([v], lr=0.1), optim.SGD([u], lr=0.1)
    with mg.record(title="in turn") as trace:
        fake = u * 1.5
        first = (fake * v).sum()
        first.backward(retain_graph=True)
        one.step()
        second = (fake * fake).sum()
        u.zero_grad()
        second.backward()
        two.step()
    assert len(trace.steps) == 2
    laptop.open(save(trace, tmp_path / "page.html"))
    for event in trace.events:
        target = trace.nodes[getattr(event, "input", event.node)].name
        assert laptop.js("[...document.querySelectorAll('.node.active .name')].map(n => n.textContent)") == [
            target
        ]
        laptop.key("ArrowRight")


def test_an_update_goes_by_the_weight_s_name_and_the_loss_is_seen_to_fall(
    laptop: Browser, tmp_path: Path
) -> None:
    trace = mg.record(examples.load("digits")["step"])
    laptop.open(save(trace, tmp_path / "page.html"))
    laptop.key("End")
    told = next(event for event in trace.events if isinstance(event, NewLoss))
    assert laptop.text(".mg-numbers") == f"{show(told.old)} → {show(told.new)}"
    laptop.click(".mg-predict")
    assert laptop.text(".mg-numbers") == f"{show(told.old)} → ?"
    laptop.click(".mg-predict")
    laptop.key("ArrowLeft")
    laptop.js(
        "(() => { const e = document.querySelector('.mg-entry'); e.value = '3';"
        "e.dispatchEvent(new Event('change')); })()"
    )
    assert laptop.text(".mg-spoken .mg-symbols").startswith("m[3] ←")
    laptop.js("document.querySelector('.mg-stepper').focus()")
    laptop.key("ArrowLeft")
    laptop.js(
        "(() => { const e = document.querySelector('.mg-entry'); e.value = '3,77';"
        "e.dispatchEvent(new Event('change')); })()"
    )
    rows = laptop.js("[...document.querySelectorAll('.mg-rows tr')].map(r => r.textContent)")
    assert rows[-1].startswith("fc2.weight← fc2.weight − α · m̂ / (√(v̂) + ε)")
    assert rows[2].startswith("m̂= m / (1 − β₁^t)")
    assert "θ" not in laptop.text(".mg-formula")
    assert re.fullmatch(r"everything, along fc2\.weight\[\d+,\d+\]", laptop.text(".mg-follow option"))
