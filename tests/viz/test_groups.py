"""Boxes of the stepper's graph: every tensor in one of them, no circles between them, a layer together."""

from __future__ import annotations

import re

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.escape import cut
from minigrad.train.pictures import resnet
from minigrad.train.sequences import RowReader
from minigrad.train.texts import CharacterGPT
from minigrad.viz import examples, page_follow
from minigrad.viz.page_graph import draw
from minigrad.viz.page_groups import FEW, MANY, Group, groups
from minigrad.viz.trace import Trace
from tests.viz.networks import NETWORKS
from tests.viz.test_page import data_of, svg_of


def chain(depth: int, width: int = 3) -> Trace:
    rng = np.random.default_rng(0)
    parts = [p for _ in range(depth) for p in (nn.Linear(width, width, rng=rng), nn.Tanh())]
    model = nn.Sequential(*parts)
    x, y = rng.normal(size=(2, width)).astype(np.float32), np.array([0, 1])

    def step() -> None:
        loss = nn.cross_entropy(model(mg.Tensor(x)), y)
        loss.backward()

    return mg.record(step)


def names(trace: Trace, group: Group) -> list[str]:
    return [trace.nodes[i].name for i in group.members]


def acyclic(trace: Trace, made: list[Group]) -> bool:
    """Take away, again and again, the boxes into which nothing leads."""
    of = {i: k for k, group in enumerate(made) for i in group.members}
    into: dict[int, set[int]] = {k: set() for k in range(len(made))}
    for node in trace.nodes:
        for i in node.inputs:
            if i is not None and of[i] != of[node.index]:
                into[of[node.index]].add(of[i])
    while into:
        free = {k for k, sources in into.items() if not sources}
        if not free:
            return False
        into = {k: sources - free for k, sources in into.items() if k not in free}
    return True


@pytest.mark.parametrize("most", [1, 3, 120])
@pytest.mark.parametrize("collapse", [None, False, True])
@pytest.mark.parametrize("name", NETWORKS)
def test_every_tensor_is_in_one_box_and_no_arrows_go_round(
    name: str, collapse: bool | None, most: int
) -> None:
    trace = mg.record(NETWORKS[name]().step)
    made = groups(trace, collapse, most)
    assert sorted(i for group in made for i in group.members) == list(range(len(trace.nodes)))
    assert all(group.shown in group.members for group in made)
    assert all(bool(group.title) == (len(group.members) > 1) for group in made)
    assert acyclic(trace, made)


def test_a_small_step_has_a_box_for_each_tensor_unless_asked_otherwise() -> None:
    trace = chain(3)
    assert len(trace.nodes) < MANY
    assert [group.members for group in groups(trace)] == [[i] for i in range(len(trace.nodes))]
    assert len(groups(trace, collapse=True)) < len(trace.nodes)


def test_a_large_step_has_a_box_for_each_layer() -> None:
    trace = chain(12)
    assert len(trace.nodes) > MANY
    layers = [group for group in groups(trace) if group.title]
    assert len(layers) == 12
    assert names(trace, layers[1]) == ["2.weight", "2.bias", "linear_2", "tanh_2"]
    assert layers[1].title == "2: linear · tanh"
    assert trace.nodes[layers[1].shown].name == "tanh_2"
    alone = [names(trace, group)[0] for group in groups(trace) if not group.title]
    assert len(alone) == 4  # the input, the labels, the losses of the samples, their mean
    assert len(groups(trace, collapse=False)) == len(trace.nodes)


def test_a_layer_of_one_s_own_needs_no_name() -> None:
    trace = mg.record(examples.load("mlp")["step"])
    found = [names(trace, group) for group in groups(trace, collapse=True)]
    first = next(one for one in found if "z" in one)
    assert set(first) == {"W1", "matmul_1", "b1", "z", "hidden"}


def test_what_is_used_twice_keeps_its_own_box() -> None:
    w = mg.Tensor(np.eye(2, dtype=np.float32), requires_grad=True, name="w")
    x = mg.Tensor(np.ones((1, 2), np.float32), name="x")
    with mg.record() as trace:
        first = np.tanh(x @ w)
        second = np.tanh(first @ w) + first
        loss = second.sum()
        loss.backward()
    found = [set(names(trace, group)) for group in groups(trace, collapse=True)]
    assert {"w"} in found
    assert {"second"} in found  # two results meet there
    assert not any({"first", "second"} <= one for one in found)


def test_far_from_the_loss_is_one_box() -> None:
    trace = chain(12)
    made = groups(trace, most=4)
    assert sum(bool(group.title) for group in made) == 3  # the rest, and two layers before the two losses
    rest = made[0]
    assert rest.title == f"the first {len(rest.members)} tensors"
    assert trace.nodes[rest.shown].name == "tanh_10"
    assert "0.weight" in names(trace, rest)


def step_of(model: nn.Module, x: np.ndarray) -> Trace:
    def step() -> None:
        y = model(x if x.dtype.kind == "i" else mg.Tensor(x))
        loss = (y * y).mean()
        loss.backward()

    return mg.record(step)


RNG = np.random.default_rng(0)
BLOCKS = {
    "GPT": (nn.GPT(7, 5, 4, 2, 4, rng=RNG), np.zeros((1, 5), np.int64), [f"h.{i}: Block" for i in range(4)]),
    "a GPT within a module": (
        CharacterGPT(7, 8, 4, 0.0, 5, RNG, RNG),
        np.zeros((1, 5), np.int64),
        [f"gpt.h.{i}: Block" for i in range(4)],
    ),
    "TransformerEncoder": (
        nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 8, 0.0, rng=RNG), 4),
        np.ones((3, 1, 4), np.float32),
        [f"layers.{i}: TransformerEncoderLayer" for i in range(4)],
    ),
    "residual blocks": (
        resnet(64, 3, RNG, RNG, layers=1, image_shape=(8, 8)),
        RNG.random((3, 64)).astype("float32"),
        [f"{i}: Residual" for i in (4, 5, 6)],
    ),
    "an LSTM, time by time": (
        RowReader(64, 3, 4, 1, 0.0, RNG, RNG),
        np.ones((1, 64), np.float32),
        ["layers: LSTM"],
    ),
}


@pytest.mark.parametrize("name", BLOCKS)
def test_a_block_is_folded(name: str) -> None:
    model, x, titles = BLOCKS[name]
    trace = step_of(model, x)
    made = groups(trace)
    assert len(made) <= FEW
    assert sorted(i for group in made for i in group.members) == list(range(len(trace.nodes)))
    assert acyclic(trace, made)
    folded = [group for group in made if group.title in titles]
    assert [group.title for group in folded] == titles
    for group in folded:
        layer = group.title.partition(":")[0]
        assert {trace.nodes[i].layer or trace.nodes[i].name for i in group.members} == {
            node.layer or node.name
            for node in trace.nodes
            if f"{node.layer or node.name}.".startswith(f"{layer}.")
        }
    labels = re.findall(r'class="label"[^>]*>([^<]*)<', str(draw(trace, "g")))
    assert {cut(title, 30) for title in titles} <= set(labels)


def test_blocks_are_folded_no_further_out_than_has_to_be() -> None:
    """Of two blocks in each of two parts, ten operations each."""

    class Deep(nn.Module):
        def __init__(self) -> None:
            self.parts = [nn.Sequential(*(self.block() for _ in range(2))) for _ in range(2)]

        def block(self) -> nn.Module:
            return nn.Sequential(*(nn.Sequential(nn.Linear(2, 2, rng=RNG), nn.Softmax()) for _ in range(10)))

        def forward(self, x: mg.Tensor) -> mg.Tensor:
            for part in self.parts:
                x = part(x)
            return x

    trace = step_of(Deep(), np.ones((1, 2), np.float32))
    found = [group.title for group in groups(trace) if group.title.endswith(": Sequential")]
    assert found == [f"parts.{i}.{k}: Sequential" for i in range(2) for k in range(2)]


def test_a_module_that_runs_twice_has_a_box_for_each_time() -> None:
    model = nn.Sequential(*(nn.Sequential(nn.Linear(2, 2, rng=RNG), nn.Tanh()) for _ in range(8)))
    x = np.ones((1, 2), np.float32)

    def step() -> None:
        ((model(mg.Tensor(x)) * model(mg.Tensor(2 * x))).sum()).backward()

    trace = mg.record(step)
    made = groups(trace)
    assert acyclic(trace, made)
    assert [g.title for g in made if g.title] == 2 * [f"{i}: Sequential" for i in range(8)]


def test_the_page_says_which_tensors_share_a_box() -> None:
    trace = chain(12)
    html = trace.html()
    boxes = [g for g in svg_of(html).iter() if "node" in g.get("class", "").split()]
    assert len(boxes) == 12 + 4
    shared = [list(map(int, g.get("data-members", "").split())) for g in boxes if g.get("data-members")]
    assert sorted(map(tuple, shared)) == sorted(tuple(g.members) for g in groups(trace) if g.title)
    heads = [node["head"][0] for node in data_of(html)["nodes"]]
    assert all(
        name == node.name or len(node.name) > 16 for name, node in zip(heads, trace.nodes, strict=True)
    )
    assert len([g for g in svg_of(trace.html(collapse=False)).iter() if g.get("data-node")]) == len(
        trace.nodes
    )


def test_of_a_deep_network_some_weights_may_be_followed() -> None:
    chosen = page_follow.choices(chain(30))
    layers = [int(node.name.partition(".")[0]) for node, _ in chosen]
    assert len(chosen) == 12
    assert layers == sorted(layers)
    assert (layers[0], layers[-1]) == (0, 58)
