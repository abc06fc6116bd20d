"""The drawn graph: what is in it, that it is XML, that names cannot break it, large graphs, used-up graphs."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.errors import GradientError
from minigrad.viz.graphs import graph, to_dot

SVG = "{http://www.w3.org/2000/svg}"


def texts(drawn):
    return [element.text for element in ElementTree.fromstring(drawn.svg).iter(f"{SVG}text")]


def arrows(drawn):
    return [(drawn.boxes[a].title, drawn.boxes[b].title) for a, b in drawn.edges]


def diamond():
    w = mg.Tensor([1.5, -2.0], requires_grad=True, name="w")
    return w, (w * w).sum() + np.exp(w).sum()


def test_every_tensor_and_operation_has_a_box_with_shape_and_value():
    _, loss = diamond()
    drawn = graph(loss)
    assert [(box.title, box.kind) for box in drawn.boxes] == [
        ("w", "parameter"),
        ("multiply", "operation"),
        ("sum", "operation"),
        ("exp", "operation"),
        ("sum", "operation"),
        ("add", "result"),
    ]
    assert drawn.boxes[0].lines == ("shape (2,) = [1.5, −2]",)
    assert drawn.boxes[1].lines[-1] == "shape (2,) = [2.25, 4]"
    assert drawn.boxes[2].lines[-1] == "= 6.25"
    total = 6.25 + 4.481689 + 0.135335  # e^1.5 and e^-2
    assert drawn.boxes[5].lines[-1] == f"= {total:.4g}"
    assert arrows(drawn).count(("w", "multiply")) == 2
    assert len(drawn.edges) == 7


def test_numbers_and_data_are_shown():
    w = mg.Tensor(3.0, requires_grad=True, name="w")
    x = mg.Tensor([1.0, 2.0, 3.0], name="x")
    drawn = graph(((w * x + np.ones(3, np.float32)) ** 2).sum())
    assert ("x", "multiply") in arrows(drawn)
    assert ("data", "add") in arrows(drawn)
    assert next(box for box in drawn.boxes if box.title == "power").lines[0].endswith(", b = 2")
    assert [box.kind for box in drawn.boxes if box.title in ("x", "data")] == ["input", "input"]


def test_the_svg_is_xml_with_a_background_and_nothing_from_outside():
    _, loss = diamond()
    drawn = graph(loss)
    root = ElementTree.fromstring(drawn.svg)
    width, height = float(root.get("width")), float(root.get("height"))
    background = root.find(f"{SVG}rect")
    assert background.get("fill") == "#FFFFFF"
    assert float(background.get("width")) == pytest.approx(width, abs=1)
    assert "http" not in drawn.svg.replace("http://www.w3.org/2000/svg", "")
    assert all(element.get("fill") for element in root.iter(f"{SVG}text"))
    left, top = (float(part) for part in root.get("viewBox").split()[:2])
    for box in list(root.iter(f"{SVG}rect"))[1:]:
        assert left <= float(box.get("x")) <= left + width - float(box.get("width")) + 1
        assert top <= float(box.get("y")) <= top + height - float(box.get("height")) + 1


def test_a_name_is_data(tmp_path):
    name = "</text><script>alert('1')</script> & \"q\" \x00\x1b"
    w = mg.Tensor([1.0], requires_grad=True, name=name)
    drawn = graph(w.sum())
    root = ElementTree.fromstring(drawn.svg)
    assert not list(root.iter(f"{SVG}script"))
    assert texts(drawn)[0].startswith("</text><script>alert")
    assert '\\"q' in graph(mg.Tensor([1.0], requires_grad=True, name='"q"').sum()).dot
    drawn.save(tmp_path / "graph.svg")
    assert ElementTree.parse(tmp_path / "graph.svg").getroot().tag == f"{SVG}svg"


def test_a_layer_is_one_box_with_its_parameters():
    rng = np.random.default_rng(0)
    model = nn.Sequential(nn.Linear(4, 3, rng=rng), nn.ReLU(), nn.LayerNorm(3), nn.Linear(3, 2, rng=rng))
    x = mg.Tensor(np.ones((5, 4), np.float32))
    plain = graph(model(x).sum())
    assert not [box for box in plain.boxes if box.kind == "layer"], "the parameters have no names yet"
    model.named_parameters()
    fused = graph(model(x).sum())
    assert next(box.lines[0] for box in fused.boxes if box.title == "layer 0") == "linear_relu"
    with mg.unfused():
        drawn = graph(model(x).sum())
    layers = {box.title: box.lines for box in drawn.boxes if box.kind == "layer"}
    assert list(layers) == ["layer 0", "layer 2", "layer 3"]
    assert layers["layer 0"] == (
        "linear",
        "weight shape (3, 4)",
        "bias shape (3,) = [" + layers["layer 0"][2].partition("[")[2],
        "→ shape (5, 3)",
    )
    assert layers["layer 2"][0] == "layer_norm"
    assert "parameter" not in {box.kind for box in drawn.boxes}
    whole = graph(model(x).sum(), collapse=False)
    assert {box.title for box in whole.boxes if box.kind == "parameter"} == set(
        model.named_parameters().keys()
    )


def test_shared_weights_are_two_boxes():
    layer = nn.Linear(3, 3, rng=np.random.default_rng(0))
    model = nn.Sequential(layer)
    model.named_parameters()
    drawn = graph(layer(np.tanh(layer(mg.Tensor(np.ones((2, 3), np.float32))))).sum())
    assert arrows(drawn) == [
        ("data", "layer 0"),
        ("layer 0", "tanh"),
        ("tanh", "layer 0"),
        ("layer 0", "sum"),
    ]


def test_after_a_backward_that_keeps_the_graph_the_gradients_are_there():
    _, loss = diamond()
    loss.backward(retain_graph=True)
    gradient = 2 * np.array([1.5, -2.0]) + np.exp([1.5, -2.0])
    shown = graph(loss).boxes[0].lines[1]
    numbers = [float(n) for n in re.findall(r"[\d.]+", shown.replace("−", "-").replace("-", ""))]
    assert shown.startswith("grad = [")
    np.testing.assert_allclose(numbers, np.abs(gradient), rtol=1e-3)


def test_a_used_up_graph_and_a_value_without_one_say_so():
    _, loss = diamond()
    loss.backward()
    with pytest.raises(GradientError, match=r"MG-901 .*consumed by backward\(\) at test_graph.py line"):
        graph(loss)
    with mg.no_grad():
        _, without = diamond()
    with pytest.raises(GradientError, match="MG-902"):
        graph(without)


def test_a_large_graph_is_cut_and_says_how_much_is_missing():
    z = mg.Tensor([1.0], requires_grad=True, name="z")
    first = z
    for _ in range(1000):
        z = z * 0.99
    drawn = graph(z.sum())
    assert len(drawn.boxes) == 201
    assert drawn.boxes[0].title == "… 801 more"
    assert drawn.boxes[-1].kind == "result"
    assert graph(z.sum(), most=2000).boxes[0].title == first.name
    ElementTree.fromstring(drawn.svg)


def test_dot_lists_every_box_and_arrow():
    _, loss = diamond()
    text = to_dot(loss)
    assert text.startswith("digraph {\n")
    assert re.findall(r"^  (n\d+) -> (n\d+);$", text, re.MULTILINE) == [
        (f"n{a}", f"n{b}") for a, b in graph(loss).edges
    ]
    assert len(re.findall(r"^  n\d+ \[label=", text, re.MULTILINE)) == 6


def test_a_notebook_gets_the_svg():
    _, loss = diamond()
    drawn = mg.viz.graph(loss)
    assert drawn._repr_mimebundle_()["image/svg+xml"] == drawn.svg == drawn._repr_svg_()
