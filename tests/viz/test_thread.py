"""The entries that are explained by default, one thread; and the loss that is worked out again with the new weights."""

from collections.abc import Iterator
from itertools import repeat

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, ops, optim
from minigrad.viz import examples, page_data, thread
from minigrad.viz.explain import explain
from minigrad.viz.trace import Backward, Forward, NewLoss, Seed
from tests.viz.networks import NETWORKS
from tests.viz.test_explain_numbers import Reader, arrays_for, right

STEPS = {f"example {name}": (lambda name=name: examples.load(name)["step"]) for name in examples.NAMES}
STEPS |= {name: (lambda made=made: made().step) for name, made in NETWORKS.items()}
SEVERAL = tuple(name for name, each in examples.EXAMPLES.items() if each.steps > 1)  # each on other data


def target(event):
    return event.input if isinstance(event, Backward) else event.node


def mentioned(trace, event):
    """The entries that the formula of the event's entry names, its sums written out."""
    told = explain(trace, event, trace.thread[target(event)])
    reader = Reader(arrays_for(trace, event))
    return set(reader.reference.findall(reader.expand(right(told.symbols), cut=False)))


def written(trace, i):
    entry = trace.thread[i]
    return trace.nodes[i].name + (f"[{','.join(map(str, entry))}]" if entry else "")


@pytest.mark.parametrize("name", STEPS)
def test_the_thread_is_that_of_the_largest_gradient(name):
    trace = mg.record(STEPS[name]())
    found = thread.strongest(trace)
    assert found is not None
    weight, entry = found
    most = abs(trace.gradient(weight.index)[entry])
    for node in trace.nodes:
        gradient = trace.gradient(node.index)
        if node.role == "parameter" and node.earlier is None and gradient is not None:
            assert most >= np.abs(gradient).max()
    assert trace.thread[weight.index] == entry


@pytest.mark.parametrize("name", STEPS)
def test_a_tensor_has_one_entry_in_all_events(name):
    trace = mg.record(STEPS[name]())
    shown = {}
    for event in trace.events:
        first = page_data.entries(trace, event)[0]
        node = trace.nodes[target(event)]
        key = node.name.split("#")[0]
        assert shown.setdefault(key, first) == first
        assert len(first) == len(node.shape)


@pytest.mark.parametrize("name", STEPS)
def test_each_entry_of_the_thread_is_made_of_those_before_it(name):
    """Forwards the formula names the entry of an argument; backwards it names that of the result."""
    trace = mg.record(STEPS[name]())
    weight, entry = thread.strongest(trace)
    on = thread.reach(trace, weight, entry)
    checked = 0
    for event in trace.events:
        if isinstance(event, Forward) and event.node in on:
            sources = [i for i in trace.nodes[event.node].inputs if i in on]
            names = mentioned(trace, event)
            assert any(written(trace, i) in names for i in sources), (event.index, names)
            checked += 1
        elif isinstance(event, Backward) and event.node in on and event.input in on and event.first:
            made = next(e for e in trace.events if isinstance(e, Forward) and e.node == event.node)
            if written(trace, event.input) in mentioned(trace, made):
                assert "dL/d" + written(trace, event.node) in mentioned(trace, event)
                checked += 1
    assert checked >= 3


def test_what_the_thread_does_not_pass_is_looked_at_where_it_meets_it():
    """By hand: the largest gradient is that of b2, 0.6; hidden[0,1] counts most in prediction[0,0]."""
    x = mg.Tensor([[1.0, 2.0]], name="x")
    w1 = mg.Tensor([[0.1, 0.3], [0.1, 0.4]], requires_grad=True, name="W1")
    w2 = mg.Tensor([[0.1], [0.5]], requires_grad=True, name="W2")
    b2 = mg.Tensor([0.0], requires_grad=True, name="b2")

    def step():
        hidden = ops.relu(x @ w1)  # 0.3, 1.1
        prediction = hidden @ w2 + b2
        loss = ((prediction - np.array([[0.28]], np.float32)) ** 2).sum()  # 2 · (0.58 − 0.28) = 0.6
        loss.backward()

    trace = mg.record(step)
    weight, _ = thread.strongest(trace)
    assert weight.name in ("b2", "W2")
    at = {node.name: trace.thread[node.index] for node in trace.nodes}
    assert (at["W2"], at["hidden"], at["W1"][1]) == ((1, 0), (0, 1), 1)


@pytest.mark.parametrize("name", SEVERAL)
def test_the_new_loss_is_that_on_the_same_data_once_more(name):
    first = examples.record(name, steps=1)
    outcome = next(event for event in first.events if isinstance(event, NewLoss))
    names = examples.load(name)
    data = next(value for value in names.values() if isinstance(value, Iterator))
    batch = next(data)
    names.update({key: repeat(batch) for key, value in names.items() if value is data})
    names["step"]()
    second = mg.record(names["step"])
    assert outcome.new.item() == second.nodes[second.loss].value.item()


def test_labels_go_by_the_row_of_the_thread():
    trace = mg.record(examples.load("digits")["step"])
    losses = trace.node("softmax_cross_entropy_1")
    labels = trace.nodes[losses.inputs[1]]
    assert trace.thread[labels.index] == trace.thread[losses.index]


def test_without_a_gradient_there_is_an_entry_too():
    w = mg.Tensor([[1.0, -5.0]], requires_grad=True, name="w")
    trace = mg.record(lambda: w * np.array([1.0, 2.0], np.float32))
    assert thread.strongest(trace) is None
    assert trace.thread[trace.node("w").index] == (0, 1)
    empty = mg.Tensor(np.zeros((0, 3), np.float32), requires_grad=True, name="empty")
    assert len(mg.record(lambda: (empty * 2).sum().backward()).thread) == 3


UNTRAINED = ("diamond", "scalar_expression", "broadcasting", "activations")
TRAINED = [name for name in STEPS if not name.endswith((*UNTRAINED, *SEVERAL))]


@pytest.mark.parametrize("name", TRAINED)
def test_the_new_loss_is_that_of_really_running_it_bit_for_bit(name):
    if name == "dropout":
        pytest.skip("its random numbers are others each time; see the next test")
    network = NETWORKS[name]() if name in NETWORKS else None
    step = network.step if network else STEPS[name]()
    first = mg.record(step)
    if network:
        network.optimizer.zero_grad()
    second = mg.record(step)
    ran = [t.nodes[e.node].value.item() for t in (first, second) for e in t.events if isinstance(e, Seed)]
    told = [event for event in first.events if isinstance(event, NewLoss)]
    losses = 2 if name == "accumulation" else 1  # to an update
    assert len(told) == len(ran) // 2
    for k, event in enumerate(told):
        assert event.old.item() == ran[k]
        assert event.new.item() == ran[k + losses]
        assert explain(first, event).numbers.count("→") == 1


def test_dropout_keeps_its_random_numbers_in_the_new_loss():
    rng = np.random.default_rng(0)
    model = nn.Sequential(nn.Linear(4, 16, rng=rng), nn.Dropout(0.5, rng=rng), nn.Linear(16, 3, rng=rng))
    opt, loss_of = optim.SGD(model, lr=0.3), nn.CrossEntropyLoss()
    x, y = rng.standard_normal((6, 4)).astype(np.float32), np.array([0, 1, 2, 0, 1, 2])

    def step():
        opt.zero_grad()
        loss = loss_of(model(x), y)
        loss.backward()
        opt.step()
        return loss

    before = rng.bit_generator.state
    trace = mg.record(step)
    (told,) = [event for event in trace.events if isinstance(event, NewLoss)]
    rng.bit_generator.state = before
    assert step().item() == told.new.item() != told.old.item()


def test_a_loss_has_no_new_value_where_it_cannot_be_worked_out():
    w = mg.Tensor([1.0, 2.0], requires_grad=True, name="w")
    other = mg.Tensor([3.0], requires_grad=True, name="other")
    opt, beside = optim.SGD([w], lr=0.1), optim.SGD([other], lr=0.1)
    other.grad = np.ones(1, np.float32)

    def step():
        loss = (w * w).sum()
        loss.backward()
        beside.step()  # the loss does not depend on what it changes

    assert not [e for e in mg.record(step).events if isinstance(e, NewLoss)]
    opt.zero_grad()
    losses = {}

    def two():
        for name in ("first", "second"):
            losses[name] = (w * w).sum()
            losses[name].backward()
            opt.step()
            opt.zero_grad()

    told = [e for e in mg.record(two).events if isinstance(e, NewLoss)]
    assert [e.old.item() for e in told] == [losses["first"].item(), losses["second"].item()]
    assert told[0].new.item() == losses["second"].item()


def test_two_optimizers_after_one_walk_are_one_update():
    u, v = (mg.Tensor([k], requires_grad=True, name=n) for k, n in ((2.0, "u"), (3.0, "v")))
    one, two = optim.SGD([u], lr=0.1), optim.SGD([v], lr=0.1)

    def step():
        (u * v).sum().backward()
        one.step()
        two.step()

    (told,) = [e for e in mg.record(step).events if isinstance(e, NewLoss)]
    assert told.new.item() == pytest.approx((2 - 0.3) * (3 - 0.2))
