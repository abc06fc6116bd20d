"""The optimizer stepper: the paths and rows against rules written out here, and the page that shows them."""

import base64
import json
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest

import minigrad as mg
from minigrad.errors import ConfigError
from minigrad.viz.landscape import LINES
from minigrad.viz.optimizer_page import table
from minigrad.viz.race import OPTIMIZERS, SURFACES, heights, levels, race, surface_of, window

NAMES = ["GD", "SGD", "momentum", "AdaGrad", "RMSprop", "Adam", "AdamAsPrinted"]


def gradient(theta):
    """Of ½ (x² + 12 y²)."""
    return np.array([theta[0], 12 * theta[1]])


def path_by_hand(name, theta, rate, noise):
    """The papers' update rules on the valley, each written out once more."""
    m = v = np.zeros(2)
    path = [theta]
    for t, nu in enumerate(noise, start=1):
        g = gradient(theta) + (0 if name == "GD" else nu)
        if name in ("GD", "SGD"):
            step = rate * g
        elif name == "momentum":
            m = 0.9 * m + g
            step = rate * m
        elif name == "AdaGrad":
            v = v + g * g
            step = rate * g / (np.sqrt(v) + 1e-10)
        elif name == "RMSprop":
            v = 0.9 * v + 0.1 * g * g
            step = rate * g / (np.sqrt(v) + 1e-8)
        else:
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
            m_hat, v_hat = m / (1 - 0.9**t), v / (1 - 0.999**t)
            step = rate * m_hat / (np.sqrt(v_hat) + 1e-8)
            if name == "AdamAsPrinted":
                step = rate * np.sqrt(1 - 0.999**t) / (1 - 0.9**t) * m_hat
        theta = theta - step
        path.append(theta)
    return np.array(path)


@pytest.mark.parametrize("noise", [0.0, 0.6])
def test_every_path_is_that_of_its_paper(noise):
    runs = race("valley", start=(-3.0, 1.0), steps=12, noise=noise, seed=5)
    assert [run.name for run in runs] == NAMES == list(LINES)
    drawn = noise * np.random.default_rng(5).standard_normal((12, 2))
    for run in runs:
        expected = path_by_hand(run.name, np.array([-3.0, 1.0]), run.rate, drawn)
        np.testing.assert_allclose(run.path, expected, rtol=1e-12, err_msg=run.name)
        heights_there = 0.5 * (expected[:, 0] ** 2 + 12 * expected[:, 1] ** 2)
        np.testing.assert_allclose(run.losses, heights_there, rtol=1e-12)


def test_the_rows_are_the_formula_and_end_at_the_new_theta():
    run = race("valley", start=(-3.0, 1.0), steps=4, noise=0.0)[NAMES.index("Adam")]
    third = {(row.symbol, row.given): row.value for row in run.steps[2].rows}
    g = [gradient(theta) for theta in run.path[:3]]
    m = 0.1 * (0.81 * g[0] + 0.9 * g[1] + g[2])
    v = 0.001 * (0.999**2 * g[0] ** 2 + 0.999 * g[1] ** 2 + g[2] ** 2)
    np.testing.assert_allclose(third["g", True], g[2])
    np.testing.assert_allclose(third["m", False], m)
    np.testing.assert_allclose(third["v", False], v)
    np.testing.assert_allclose(third["m_hat", False], m / (1 - 0.9**3))
    np.testing.assert_allclose(third["v_hat", False], v / (1 - 0.999**3))
    np.testing.assert_array_equal(third["step", False], run.path[3] - run.path[2])
    np.testing.assert_array_equal(third["theta", False], run.path[3])
    np.testing.assert_array_equal(third["theta", True], run.path[2])


def test_the_table_shows_symbols_formula_and_both_numbers():
    run = race("valley", start=(-4.0, 2.0), steps=1, noise=0.0, lr=0.5)[NAMES.index("Adam")]
    shown = table(run.steps[0])
    assert [row[0] for row in shown] == [
        *["t", "θ, before", "g", "m, before", "v, before"],
        *["m", "v", "m̂", "v̂", "step", "θ, after"],
    ]
    rows = {symbol: (text, value) for symbol, text, value in shown}
    assert rows["t"] == ("", ("1", ""))
    assert rows["g"] == ("", ("−4", "24"))
    assert rows["m̂"] == ("m / (1 − β₁ᵗ)", ("−4", "24"))
    assert rows["v̂"] == ("v / (1 − β₂ᵗ)", ("16", "576"))
    assert rows["step"][1] == ("0.5", "−0.5")
    assert rows["θ, after"][1] == ("−3.5", "1.5")


def test_one_rate_for_all_or_one_by_name():
    assert {run.rate for run in race(lr=0.05, steps=1)} == {0.05}
    by_name = {run.name: run.rate for run in race(lr={"Adam": 0.5}, steps=1)}
    assert by_name["Adam"] == 0.5
    assert by_name["GD"] == OPTIMIZERS["GD"][2]


def test_a_run_that_flies_off_ends_and_can_still_be_shown():
    runs = race(lambda x, y: x**4 + y**4, start=(-3.0, 2.0), lr=10.0, steps=40)
    gd = runs[0]
    assert len(gd.steps) < 40
    assert not np.isfinite(gd.path[-1]).all()
    assert np.isfinite(gd.path[:-1]).all()
    page = mg.viz.optimizers(lambda x, y: x**4 + y**4, start=(-3.0, 2.0), lr=10.0, steps=40).html()
    payload = json.loads(re.search(r'application/json">(.*?)</script>', page).group(1))
    assert "nan" not in json.dumps([run["points"] for run in payload["runs"]]).lower()


def test_what_is_not_there_is_named():
    for wrong in ({"surface": "vally"}, {"lr": {"adam": 1.0}}, {"steps": 0}):
        with pytest.raises(ConfigError, match="MG-904"):
            race(**wrong)


@pytest.mark.parametrize("name", SURFACES)
def test_a_surface_s_lowest_point_is_its_lowest(name):
    surface = SURFACES[name]
    if surface.lowest is None:
        pytest.skip("it has no single lowest point")
    _, _, grid = heights(surface, (-3, 3), (-3, 3), count=61)
    assert grid.min() >= surface.function(*surface.lowest) - 1e-12
    spaced = levels(grid)
    assert (np.diff(spaced) > 0).all()


def test_the_window_holds_start_and_goal():
    runs = race("valley", steps=20)
    (x0, x1), (y0, y1) = window(runs, surface_of("valley"))
    for x, y in (SURFACES["valley"].start, (0.0, 0.0)):
        assert x0 < x < x1
        assert y0 < y < y1


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.images, self.rows = [], [], [], 0
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.ids += [found["id"]] if "id" in found else []
        self.images += [found["src"]] if tag == "img" else []
        self.rows += tag == "tr"
        if tag not in ("img", "meta", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_static_first_and_stands_alone():
    shown = mg.viz.optimizers(steps=9)
    page = Page(shown.html())
    assert page.open == []
    assert page.rows == 7 * (9 + 1)
    picture = base64.b64decode(page.images[0].partition("base64,")[2]).decode()
    root = ElementTree.fromstring(picture)
    labels = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert set(NAMES) <= set(labels)
    html = shown.html()
    assert not re.search(r'(src|href)="(?!data:)', html)
    assert "http" not in html.replace("http://www.w3.org/2000/svg", "")
    assert len(html) < 200_000


def test_two_displays_on_one_page_do_not_meet():
    shown = mg.viz.optimizers(steps=2)
    assert not set(Page(shown.html()).ids) & set(Page(shown.html()).ids)
    assert "currentScript" not in shown.html()


def test_the_script_s_data_are_the_runs():
    shown = mg.viz.optimizers(steps=5, noise=0.0)
    payload = json.loads(re.search(r'application/json">(.*?)</script>', shown.html()).group(1))
    assert [run["name"] for run in payload["runs"]] == NAMES
    ElementTree.fromstring(payload["svg"])
    gd = payload["runs"][0]
    # GD on ½ x²: each step keeps 0.9 of x at rate 0.1, and −0.2 of y.
    x, y = shown.surface.start
    assert gd["steps"][2][-1][2] == [f"−{-x * 0.9**3:.4g}", f"{y * (-0.2) ** 3:.4g}".replace("-", "−")]
    assert len(gd["points"]) == 6


def test_a_surface_s_name_is_escaped():
    def J(x, y):
        return x**2 + y**2

    J.__name__ = "</script><b>&"
    html = mg.viz.optimizers(J, steps=1).html()
    assert "</script><b>" not in html
    assert Page(html).open == []


def test_a_page_can_be_saved(tmp_path):
    mg.viz.optimizers("bowl", steps=2).save(tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text(encoding="utf-8").startswith("<!doctype html>")
