import subprocess
import sys

import numpy as np
import pytest

import minigrad as mg
from minigrad import modes, nn, ops, optim, registry
from minigrad.viz.trace import AccumulateGrad, Backward, Forward, Seed, Update
from tests.viz.networks import NETWORKS


def of(trace, kind):
    return [event for event in trace.events if isinstance(event, kind)]


def same(a, b):
    a, b = np.asarray(a), np.asarray(b)
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


@pytest.fixture(params=NETWORKS)
def pair(request):
    """A recorded run, and a second one from the same seeds, of which nobody keeps more than its own tensors."""
    recorded, plain = NETWORKS[request.param](), NETWORKS[request.param]()
    trace = mg.record(recorded.step)
    made = []

    def keep(record, output):
        made.append(output.retain_grad())

    with mg.hooks(forward=keep):
        plain.step()
    return trace, recorded, plain, made


def test_the_step_is_the_same_with_and_without_the_recorder(pair):
    _, recorded, plain, _ = pair
    for name, parameter in recorded.parameters.items():
        other = plain.parameters[name]
        assert same(parameter.data, other.data)
        assert same(parameter.grad.data, other.grad.data)
    for name, tensor in recorded.seen.items():
        assert same(tensor.data, plain.seen[name].data)
    if recorded.optimizer is not None:
        for name, state in recorded.optimizer.state.items():
            for key, array in state.items():
                assert same(array, plain.optimizer.state[name][key])


def test_every_result_and_its_gradient_is_the_engine_s_bit_for_bit(pair):
    trace, _, _, made = pair
    events = of(trace, Forward)
    assert len(events) == len(made) >= 4
    for event, tensor in zip(events, made, strict=True):
        node = trace.nodes[event.node]
        assert same(node.value, tensor.data)
        assert (node.shape, node.dtype) == (tensor.shape, str(tensor.dtype))
        assert node.operation == tensor.record.operation.name
        found = trace.gradient(event.node)
        assert (found is None) == (tensor.grad is None)
        if found is not None:
            assert same(found, tensor.grad.data)


def test_every_parameter_its_gradient_and_its_update_is_the_engine_s_bit_for_bit(pair):
    trace, _, plain, _ = pair
    for name, parameter in plain.parameters.items():
        newest = max(n.index for n in trace.nodes if n.name.split("#")[0] == name)
        assert same(trace.gradient(newest), parameter.grad.data)
        updates = [e for e in of(trace, Update) if e.node == newest]
        if plain.optimizer is None:
            assert updates == []
            continue
        assert same(updates[-1].rows[-1].value, parameter.data)
        assert updates[-1].t == plain.optimizer.t
        rows = {row.symbol: row.value for row in updates[-1].rows}
        for key, array in plain.optimizer.state[name].items():
            assert same(rows[key], array)


def test_the_walk_adds_up(pair):
    """incoming · local, summed where broadcasting was undone, is the contribution; the total is their sum."""
    trace = pair[0]
    running = {}
    for event in trace.events:
        if isinstance(event, Seed):
            running = {event.node: event.gradient}
        if not isinstance(event, Backward):
            continue
        assert same(event.incoming, running[event.node])
        assert event.first == (event.input not in running)
        if event.first:
            assert same(event.total, event.contribution)
        else:
            assert same(event.total, running[event.input] + event.contribution)
        running[event.input] = event.total
        if event.local is not None:
            product = (event.incoming.astype(float) * event.local).sum(axis=event.summed, keepdims=True)
            np.testing.assert_allclose(
                product.reshape(event.total.shape), event.contribution, rtol=1e-4, atol=1e-6
            )
        assert trace.nodes[event.node].inputs[event.position] == event.input


def test_the_arrays_are_copies_that_nobody_can_write(pair):
    trace, recorded, _, _ = pair
    own = [p.data for p in recorded.parameters.values()] + [p.grad.data for p in recorded.parameters.values()]
    for event in trace.events:
        arrays = [getattr(event, name, None) for name in ("gradient", "incoming", "total", "before", "local")]
        arrays += [trace.nodes[event.node].value, *(row.value for row in getattr(event, "rows", ()))]
        for array in arrays:
            if array is not None:
                assert not array.flags.writeable
                assert not any(np.shares_memory(array, other) for other in own)


OPTIMIZERS = {
    "GD": (optim.GD, {}),
    "SGD": (optim.SGD, {"lr": 0.1}),
    "momentum": (optim.SGD, {"momentum": 0.9}),
    "nesterov": (optim.SGD, {"momentum": 0.9, "nesterov": True}),
    "AdaGrad": (optim.AdaGrad, {}),
    "RMSprop": (optim.RMSprop, {"alpha": 0.9}),
    "Adam": (optim.Adam, {"lr": optim.Exponential(0.01, 0.5, 1)}),
    "AdamW": (optim.AdamW, {}),
    "AdamAsPrinted": (optim.AdamAsPrinted, {}),
    "AMSGrad": (optim.AMSGrad, {}),
    "NAdam": (optim.NAdam, {}),
    "Lion": (optim.Lion, {}),
    "Muon": (optim.Muon, {}),
}
SETTINGS = {"plain": {}, "decay": {"weight_decay": 0.1}, "clip": {"max_norm": 0.05}}
SETTINGS["both"] = {**SETTINGS["decay"], **SETTINGS["clip"]}


def test_every_optimizer_is_among_them():
    classes = {c for c in vars(optim).values() if isinstance(c, type) and issubclass(c, optim.Optimizer)}
    assert {made for made, _ in OPTIMIZERS.values()} == classes - {optim.Optimizer}


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_last_row_is_the_kernel_s_new_parameter(name, settings):
    kind, options = OPTIMIZERS[name]
    rng = np.random.default_rng(3)
    w = mg.Tensor(rng.standard_normal((3, 4)).astype(np.float32), requires_grad=True, name="w")
    opt = kind([w], **options, **SETTINGS[settings])
    assert opt.fast
    for t in range(1, 4):
        old, state = w.data.copy(), {key: array.copy() for key, array in opt.state["w"].items()}

        def step():
            opt.zero_grad()
            np.sin(w).sum().backward()
            opt.step()

        (update,) = of(mg.record(step), Update)
        rows = update.rows
        assert update.t == t
        assert [row.symbol for row in rows[: 2 + len(state)]] == ["theta", "g", *state]
        assert same(rows[0].value, old)
        assert same(rows[1].value, w.grad.data)
        assert all(same(row.value, state[row.symbol]) for row in rows[2 : 2 + len(state)])
        assert rows[-1].symbol == "theta"
        assert not rows[-1].given
        assert same(rows[-1].value, w.data)
        shown = any(row.text == "clip * g + l2 * theta" for row in rows)
        through_the_gradient = (
            {"clip", "both"} if kind in (optim.AdamW, optim.Lion, optim.Muon) else {"decay", "clip", "both"}
        )
        assert shown == (settings in through_the_gradient)


def test_the_rows_of_adam_are_its_formula():
    w = mg.Tensor([2.0], requires_grad=True, name="w")
    opt = optim.Adam([w], lr=0.5)

    def step():
        (3 * w).sum().backward()
        opt.step()

    (update,) = of(mg.record(step), Update)
    lines = [(row.symbol, row.text, row.value.item()) for row in update.rows if not row.given]
    assert [line[:2] for line in lines] == [
        ("m", "beta1 * m + (1 - beta1) * g"),
        ("v", "beta2 * v + (1 - beta2) * g**2"),
        ("m_hat", "m / (1 - beta1**t)"),
        ("v_hat", "v / (1 - beta2**t)"),
        ("theta", "theta - alpha * m_hat / (np.sqrt(v_hat) + eps)"),
    ]
    assert [line[2] for line in lines] == pytest.approx([0.3, 0.009, 3, 9, 1.5], rel=1e-5)
    given = {row.symbol: row.value.item() for row in update.rows if row.given}
    assert given == {
        "theta": 2, "g": 3, "m": 0, "v": 0, "t": 1, "alpha": 0.5, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8
    }  # fmt: skip


class Sign(optim.Optimizer):
    """An optimizer of a user, whose formula stands in its own class."""

    def formula(self, theta, g, *state, rate, t):
        step = rate * g
        return (theta - step,)


class Odd(Sign):
    """One whose formula loops, which is not read."""

    def formula(self, theta, g, *state, rate, t):
        for _ in range(1):
            theta = theta - rate * g
        return (theta,)


@pytest.mark.parametrize(("kind", "symbols"), [(Sign, ["step", "theta"]), (Odd, ["theta"])])
def test_an_optimizer_of_one_s_own_has_rows_too(kind, symbols):
    w = mg.Tensor([2.0], requires_grad=True, name="w")
    w.grad = np.array([0.5], np.float32)
    with mg.record() as trace:
        kind([w], lr=1.0).step()
    (update,) = of(trace, Update)
    assert [row.symbol for row in update.rows if not row.given] == symbols
    assert update.rows[-1].value == 1.5
    assert update.optimizer == kind.__name__


def test_names_lines_and_order():
    x = mg.Tensor([1.0, 2.0])
    weights = {"w": mg.Tensor([3.0, 4.0], requires_grad=True)}

    def step():
        product = x * weights["w"]
        loss = (product + product).sum()
        loss.backward()

    trace = mg.record(step)
    assert [node.name for node in trace.nodes] == ["x", "weights['w']", "product", "add_1", "loss"]
    assert [node.role for node in trace.nodes] == ["input", "parameter", "result", "result", "result"]
    assert [event.kind for event in trace.events] == [
        *["forward"] * 3, "seed", *["backward"] * 4, "accumulate_grad",
    ]  # fmt: skip
    assert [e.index for e in trace.events] == list(range(9))
    first = step.__code__.co_firstlineno
    assert [e.line.number - first for e in trace.events] == [1, 2, 2, 3, 2, 2, 2, 1, 3]
    assert trace.events[0].line.text.strip() == 'product = x * weights["w"]'
    assert trace.events[0].line.file == __file__
    assert trace.source[__file__][first - 1].strip() == "def step():"
    assert trace.title == "step"
    assert trace.loss == 4
    assert trace.node("product").index == 2
    twice = [e for e in of(trace, Backward) if e.input == 2]
    assert [(e.first, e.position, e.total.tolist()) for e in twice] == [(True, 0, [1, 1]), (False, 1, [2, 2])]
    assert [trace.gradient(2, until=k) is None for k in range(9)] == [True] * 5 + [False] * 4
    with pytest.raises(KeyError, match="product"):
        trace.node("nothing")


def test_names_of_parameters_layers_and_arrays():
    rng = np.random.default_rng(0)

    class Net(nn.Module):
        def __init__(self):
            self.fc1 = nn.Linear(3, 2, rng=rng)
            self.tail = nn.Sequential(nn.Tanh(), nn.Linear(2, 1, rng=rng))

        def forward(self, x):
            return self.tail(self.fc1(x)) * 2

    net, samples = Net(), np.ones((4, 3), np.float32)
    with mg.record() as trace:
        out = net(samples)
    assert [node.name for node in trace.nodes] == [
        "x", "fc1.weight", "fc1.bias", "linear_1", "tanh_1", "tail.1.weight", "tail.1.bias", "linear_2", "out",
    ]  # fmt: skip
    assert [n.layer for n in trace.nodes if n.role == "result"] == ["fc1", "tail.0", "tail.1", None]
    linear = trace.node("linear_1")
    assert linear.inputs == (0, 1, 2)
    assert trace.nodes[0].role == "input"  # called x, as by the innermost of the user's functions
    assert same(trace.nodes[0].value, samples)
    assert out.shape == (4, 1)


def cross_entropy(p, t):
    return nn.CrossEntropyLoss()(p, t)


TARGETS = {
    "an array": (lambda p, t: ((p - t) ** 2).mean(), np.array([[1.0], [0.0]], np.float32)),
    "a single one": (lambda p, t: (p[0, 0] - t) ** 2, np.array(1.0, np.float32)),
    "of one entry": (lambda p, t: ((p[0] - t) ** 2).sum(), np.array([1.0], np.float32)),
    "labels": (cross_entropy, np.array([0, 0])),
    "a list of labels": (cross_entropy, [0, 0]),
    "a list": (lambda p, t: ((p - t) ** 2).mean(), [[1.0], [0.0]]),
    "a mask": (lambda p, t: np.where(t, p, p * 2).sum(), np.array([[True], [False]])),
    "rows": (lambda p, t: np.take_along_axis(p, t, 0).sum(), np.array([[1], [0]])),
    "joined": (lambda p, t: np.concatenate([p, t]).sum(), np.array([[1.0], [0.0]], np.float32)),
}


@pytest.mark.parametrize("kind", TARGETS)
def test_data_that_are_no_tensors_are_nodes_too(kind):
    loss_of, t = TARGETS[kind]
    w = mg.Tensor([[2.0], [3.0]], requires_grad=True, name="w")

    def step():
        targets = t
        loss = loss_of(w * 1.0, targets)
        loss.backward()

    trace = mg.record(step)
    node = trace.node("labels" if kind == "a list of labels" else "t")  # the loss makes an array of the list
    assert node.role == "input"
    assert node.operation is None
    assert np.array_equal(node.value, t)
    takers = [n for n in trace.nodes if node.index in n.inputs]
    assert len(takers) == 1
    assert takers[0].constants[takers[0].inputs.index(node.index)] is None


def test_an_array_that_was_refilled_is_a_node_of_its_own_and_numbers_are_none():
    w, batch = mg.Tensor([2.0, 3.0], requires_grad=True, name="w"), np.array([1.0, 5.0], np.float32)
    with mg.record() as trace:
        a = w * batch + 1
        again = w * batch
        batch[:] = 7
        b = w * batch
        dropped = nn.Dropout(0.5, rng=np.random.default_rng(0))(b)
    assert [n.name for n in trace.nodes if n.role == "input"] == ["batch", "batch#2"]
    first, second = trace.node("batch"), trace.node("batch#2")
    assert (first.value.tolist(), second.value.tolist()) == ([1, 5], [7, 7])
    assert trace.node("again").inputs[1] == first.index
    assert trace.node("b").inputs[1] == second.index
    assert a.shape == again.shape == dropped.shape


def test_a_name_that_comes_twice_is_numbered_and_hostile_names_are_kept_as_they_are():
    a = mg.Tensor(1.0, requires_grad=True, name="<b>&")
    other = mg.Tensor(2.0, requires_grad=True, name="<b>&")
    assert [n.name for n in mg.record(lambda: a * other).nodes] == ["<b>&", "<b>&_2", "multiply_1"]


def test_a_tensor_that_was_written_in_place_is_a_node_of_its_own():
    w = mg.Tensor([1.0], requires_grad=True, name="w")
    opt = optim.SGD([w], lr=1.0)

    def step():
        for _ in range(2):
            opt.zero_grad()
            (w * w).sum().backward()
            opt.step()

    trace = mg.record(step)
    old, new = trace.node("w"), trace.node("w#2")
    assert (old.value, new.value, new.earlier) == ([1.0], [-1.0], old.index)
    assert [e.node for e in of(trace, Update)] == [old.index, new.index]
    assert [e.node for e in of(trace, AccumulateGrad)] == [old.index, new.index]


def test_a_graph_from_before_the_recording_is_known():
    a = mg.Tensor(2.0, requires_grad=True, name="a")
    loss = np.exp(a) * a
    with mg.record() as trace:
        loss.backward()
    assert [n.name for n in trace.nodes] == ["a", "exp_1", "loss"]
    assert of(trace, Forward) == []
    assert [e.first for e in of(trace, Backward)] == [True, True, False]


def test_two_walks_over_one_graph_do_not_mix():
    a = mg.Tensor(3.0, requires_grad=True, name="a")

    def step():
        loss = a * a
        loss.backward(retain_graph=True)
        loss.backward()

    trace = mg.record(step)
    assert [e.first for e in of(trace, Backward)] == [True, False, True, False]
    assert [e.total.item() for e in of(trace, Backward)] == [3, 6, 3, 6]
    assert [(e.before is None, e.total.item()) for e in of(trace, AccumulateGrad)] == [(True, 6), (False, 12)]
    assert len(of(trace, Seed)) == 2


def test_the_second_derivative_is_recorded_too():
    trace = mg.record(lambda: mg.grad(mg.grad(lambda x: x**3))(2.0))
    assert of(trace, Backward)[-1].total.dtype.kind == "f"
    assert len(of(trace, Seed)) == 2
    assert any(trace.gradient(n.index) is not None and trace.gradient(n.index) == 12 for n in trace.nodes)


def test_one_recording_inside_another_both_see_everything():
    a = mg.Tensor(3.0, requires_grad=True, name="a")
    inner = []

    def step():
        with mg.record() as trace:
            (a * a).backward()
        inner.append(trace)

    outer = mg.record(step)
    assert [e.kind for e in outer.events] == [e.kind for e in inner[0].events]
    assert len(outer.events) == 5


def test_what_raises_in_the_step_comes_out_with_the_trace_so_far():
    a = mg.Tensor([1.0, 2.0], requires_grad=True, name="a")

    def step():
        doubled = a * 2
        doubled.backward()

    with pytest.raises(mg.errors.GradientError, match="MG-202") as caught:
        mg.record(step)
    assert [n.name for n in caught.value.trace.nodes] == ["a", "multiply_1"]
    assert modes.hooked.get() == modes.Hooks()


def test_nothing_is_left_behind_when_it_is_off():
    assert modes.hooked.get() == modes.Hooks()
    with mg.record() as trace:
        pass
    assert (trace.nodes, trace.events, trace.loss) == ([], [], None)
    assert modes.hooked.get() == modes.Hooks()


def test_importing_minigrad_does_not_import_the_recorder():
    program = (
        "import sys, minigrad as mg; before = [m for m in sys.modules if m.startswith('minigrad.viz')]; "
        "mg.record; mg.viz; print(before, 'minigrad.viz.recorder' in sys.modules, 'matplotlib' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[0] == "[] True False"


def test_broadcasting_says_over_which_axes_it_was_undone(monkeypatch):
    monkeypatch.setattr(registry, "operations", dict(registry.operations))
    a = mg.Tensor(np.ones((3, 1), np.float32), requires_grad=True, name="a")
    stack = mg.Tensor(np.ones((2, 3, 4), np.float32), requires_grad=True, name="stack")
    matrix = mg.Tensor(np.ones((4, 5), np.float32), requires_grad=True, name="matrix")
    user = mg.define("outer_sum", lambda a, b: a + b, "a + b", ("g", lambda g: g), ("g", lambda g: g))

    def step():
        spread = ops.broadcast_to(a, shape=(2, 3, 4))
        (user(a * stack + spread, a) @ matrix).sum().backward()

    trace = mg.record(step)
    undone = {
        (trace.nodes[e.node].operation, trace.nodes[e.input].name): e.summed for e in of(trace, Backward)
    }
    assert undone["matmul", "matrix"] == (0,)
    assert undone["multiply", "a"] == (0, 2)
    assert undone["outer_sum", "a"] == (0, 2)
    assert undone["broadcast_to", "a"] == (0, 2)
    assert undone["multiply", "stack"] == ()
    assert {v for k, v in undone.items() if k[1] != "a" and k[1] != "matrix"} == {()}
