from __future__ import annotations

import base64
import html
import io
import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import minigrad as mg
from minigrad.errors import ConfigError
from minigrad.escape import printable
from minigrad.viz import examples, page_arrays, page_follow, page_source, thread
from minigrad.viz.embed import embedded
from minigrad.viz.graphs import graph
from minigrad.viz.recording import Recording

SVG = "{http://www.w3.org/2000/svg}"


def recorded(name: str) -> Recording:
    return mg.record(examples.load(name)["step"], title=name)


def data_of(html: str) -> Any:
    found = re.search(r'<script type="application/json">(.*?)</script>', html, re.S)
    assert found
    return json.loads(found[1])


def svg_of(html: str) -> ET.Element:
    found = re.search(r'src="data:image/svg\+xml;base64,([^"]+)"', html)
    assert found
    return ET.fromstring(base64.b64decode(found[1]))


def texts(svg: ET.Element) -> dict[str, list[str]]:
    """What every box of the drawing says, by its first text."""
    boxes = [g for g in svg.iter(f"{SVG}g") if "node" in g.get("class", "")]
    said = [[t.text or "" for t in box.iter(f"{SVG}text")] for box in boxes]
    return {box[0]: box[1:] for box in said}


def test_the_static_picture_shows_the_last_frame() -> None:
    said = texts(svg_of(recorded("diamond").html()))
    # a = 3², b = 2 · 3, loss = 9 · 6; dloss/dx = b · 2x + a · 2 = 36 + 18
    values = {name: row[row.index("value") + 1] for name, row in said.items()}
    gradients = {name: row[row.index("grad") + 1] for name, row in said.items()}
    assert values == {"x": "3", "a": "9", "b": "6", "loss": "54"}
    assert gradients == {"x": "54", "a": "6", "b": "9", "loss": "1"}


def test_what_is_not_computed_yet_is_told_from_zero() -> None:
    nodes = {node["name"]: node for node in data_of(recorded("diamond").html())["nodes"]}
    # events: 0 a, 1 b, 2 loss, 3 seed, 4 a receives 6, 5 b receives 9, then x: 18, + 18, + 18
    assert [(k, text) for k, text, *_ in nodes["loss"]["value"]] == [(2, "54")]
    gradient = [(k, text) for k, text, *_ in nodes["x"]["grad"]]
    assert [text for _, text in gradient] == ["18", "36", "54", "54"]
    assert min(k for k, _ in gradient) > 3
    assert [line[:3] for line in nodes["x"]["value"]] == [[-1, "3", ""]]


def test_a_second_contribution_is_an_addition() -> None:
    events = data_of(recorded("diamond").html())["events"]
    to_x = [event for event in events if event["kind"] == "backward" and event["target"] == 0]
    assert [event["added"] for event in to_x] == [False, True, True]
    assert all("added to what came before" in event["notes"][-1] for event in to_x[1:])
    assert [event["explanations"][""][2] for event in to_x] == [18, 36, 54]
    assert all(
        event["explanations"][""][1].endswith(f"= {total}")
        for event, total in zip(to_x, (18, 36, 54), strict=True)
    )


@pytest.mark.parametrize("name", examples.NAMES)
def test_the_number_asked_for_is_the_one_that_the_formula_ends_with(name: str) -> None:
    for event in data_of(recorded(name).html())["events"]:
        for _, numbers, answer, *_ in event["explanations"].values():
            shown = re.split("[=→]", numbers)[-1].strip().replace("−", "-")
            assert float(shown) == pytest.approx(answer, rel=6e-4, abs=1e-30), (event["title"], numbers)


def test_following_one_weight_keeps_what_concerns_it() -> None:
    trace = recorded("mlp")
    # W1[0,1] reaches the loss through the sample [1, 1] alone: the others' errors are 0, or x[n,0] is
    steps = page_follow.followed(trace, trace.node("W1"), (0, 1))
    told = []
    for k, entry in steps:
        event = trace.events[k]
        node = trace.nodes[event.input if event.kind == "backward" else event.node].name
        told.append((event.kind, node, entry))
    forward = [(name, entry) for kind, name, entry in told if kind == "forward"]
    assert forward[1:] == [
        ("z", (3, 1)), ("hidden", (3, 1)), ("prediction", (3, 0)), ("error", (3, 0)), ("squared", (3, 0)),
        ("mean_1", ()), ("loss", ()),
    ]  # fmt: skip
    assert forward[0][1] == (3, 1)
    backward = [name for kind, name, _ in told if kind == "backward"]
    assert "W2" not in backward
    assert "b1" not in backward
    assert backward[-1] == "W1"
    assert told[-3:] == [("accumulate_grad", "W1", (0, 1)), ("update", "W1", (0, 1)), ("outcome", "loss", ())]


def test_a_weight_behind_a_dead_unit_reaches_nothing_behind_it() -> None:
    w = mg.Tensor([-2.0], requires_grad=True, name="w")
    with mg.record() as trace:
        z = w * 3.0
        y = mg.ops.relu(z)
        loss = y.sum()
        loss.backward()
    touched = thread.reach(trace, trace.node("w"), (0,))
    assert {trace.nodes[k].name for k in touched} == {"w", "z"}


def test_weights_to_follow_may_be_named() -> None:
    trace = recorded("digits")
    names = [weight["name"] for weight in data_of(trace.html(follow="fc1.weight[3, 40]"))["follow"]]
    assert names[0] == "fc1.weight[3,40]"
    for wrong in ("fc1.weight[3]", "fc1.weight[128,0]", "fc9.weight[0,0]"):
        with pytest.raises(ConfigError, match="MG-911"):
            trace.html(follow=wrong)


def test_broadcasting_names_its_axes_both_ways() -> None:
    notes = [note for event in data_of(recorded("mlp").html())["events"] for note in event["notes"]]
    assert "b1 (2) is stretched to 4×2 along axis 0" in notes
    assert "summed over axis 0, along which b1 was stretched: 4×2 → 2" in notes
    notes = [note for event in data_of(recorded("line").html())["events"] for note in event["notes"]]
    assert "bias (1) is stretched to 4×1 along axis 0" in notes


def test_labels_are_escaped() -> None:
    name = "</script><img src=x onerror='boom()'>&\"\u2028"
    x = mg.Tensor([1.0, 2.0], requires_grad=True, name=name)
    with mg.record() as trace:
        (x * x).sum().backward()
    trace.title = "<b>title</b>"
    html = trace.html()
    assert "<img src=x" not in html
    assert "<b>title" not in html
    assert html.count("</script>") == 2
    assert name in {node["name"] for node in data_of(html)["nodes"]}
    svg_of(html)


@pytest.mark.parametrize("name", examples.NAMES)
def test_the_drawing_is_xml_and_nothing_is_fetched(name: str) -> None:
    html = recorded(name).html()
    assert svg_of(html).tag == f"{SVG}svg"
    assert not re.findall(r"""(?:src|href)=["'](?!data:|#)""", html)
    assert "http" not in html.replace("http://www.w3.org/2000/svg", "")
    assert "currentScript" not in html


def test_every_display_has_an_id_of_its_own() -> None:
    trace = recorded("diamond")
    ids = {re.search(r'id="(mg[0-9a-f]+)"', trace.html())[1] for _ in range(20)}  # type: ignore[index]
    assert len(ids) == 20


def test_the_list_has_every_event_for_readers_without_scripts() -> None:
    trace = recorded("line")
    listed = trace.html().split("<details")[1].split("</details>")[0]
    assert listed.count("<li>") == len(trace.events)
    assert "line.py line 20" in listed


def test_pages_keep_to_their_size(tmp_path: Path) -> None:
    for name, most in (("line", 300_000), ("digits", 1_000_000)):
        trace = recorded(name)
        trace.save(tmp_path / "page.html")
        assert (tmp_path / "page.html").stat().st_size < most
    trace.save(tmp_path / "small.html", budget=0)
    text = (tmp_path / "small.html").read_text(encoding="utf-8")
    assert len(text) < 400_000
    assert not any("data" in array for array in data_of(text)["arrays"])


def test_entries_on_the_page_are_the_recorded_ones() -> None:
    trace = recorded("digits")
    data = data_of(trace.html())
    weight, number = trace.node("fc1.weight"), 0
    for event in data["events"]:
        if event["kind"] == "accumulate_grad" and event["target"] == weight.index:
            stored = data["arrays"][event["answer"]]
            assert not stored["wide"]
            entries = np.frombuffer(base64.b64decode(stored["data"]), "<f4").reshape(stored["shape"])
            assert np.array_equal(entries, trace.gradient(weight.index))
            number += 1
    assert number == 1


def pixels(uri: str) -> Any:
    raw = base64.b64decode(uri.removeprefix("data:image/png;base64,"))
    return np.asarray(Image.open(io.BytesIO(raw)))


def test_the_heat_map_tells_signs_and_sizes() -> None:
    found = pixels(page_arrays.heat(np.array([[2.0, -1.0], [0.0, np.nan]])))
    assert found[..., 3].tolist() == [[255, 128], [0, 0]]
    assert found[0, 0, :3].tolist() == [213, 94, 0]
    assert found[0, 1, :3].tolist() == [0, 114, 178]
    large = np.zeros((100, 784))
    large[99, 783] = -5
    small = pixels(page_arrays.heat(large))
    assert small.shape == (24, 48, 4)
    assert small[..., 3].sum() == small[-1, -1, 3] == 255


def test_short_texts_of_arrays() -> None:
    assert page_arrays.brief(np.array([[1.0, -0.5]])) == "[[1, −0.5]]"
    assert page_arrays.brief(np.arange(9.0)) == "0 … 8"
    assert page_arrays.brief(np.full(9, 0.25)) == "all 0.25"
    assert page_arrays.brief(np.zeros((0, 3))) == "no entries"
    assert thread.peak(np.array([[1.0, -7.0], [np.nan, 3.0]])) == (0, 1)


def test_source_lines_are_marked_up_and_escaped() -> None:
    lines = page_source.coloured(["if a < b:  # <tag>\n", "    s = '&'\n"])
    assert lines == [
        '<span class="mg-k">if</span> a &lt; b:  <span class="mg-c"># &lt;tag&gt;</span>',
        '    s = <span class="mg-s">&#x27;&amp;&#x27;</span>',
    ]
    assert page_source.coloured(["x = '''never closed\n"]) == ["x = &#x27;&#x27;&#x27;never closed"]


def test_a_trace_without_events_is_a_page_too() -> None:
    assert data_of(Recording("nothing").html())["events"] == []


def test_numbers_that_json_does_not_know() -> None:
    x = mg.Tensor([0.0, 1.0], requires_grad=True, name="x")
    with np.errstate(all="ignore"), mg.record() as trace:
        np.log(x).sum().backward()
    assert "NaN" not in embedded(data_of(trace.html()))


@pytest.mark.parametrize("name", ["\udcffile", "two\nlines", "\x1b[31m", "\u202egnp", "<b>&amp;"])
def test_what_cannot_be_seen_in_a_name_is_spelled_in_page_and_graph(name: str, tmp_path: Path) -> None:
    with mg.record(title=name) as trace:
        w = mg.Tensor(2.0, requires_grad=True, name=name)
        loss = w * w
    trace.save(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert f'<h1 class="mg-title">{html.escape(printable(name))}</h1>' in page
    graph(loss).save(tmp_path / "graph.svg")
    assert printable(name) in [element.text for element in ET.parse(tmp_path / "graph.svg").getroot()]
