"""What makes compiled steps of others go wrong: here they have the right numbers, or an error that says what it is."""

from __future__ import annotations

import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim, versions
from minigrad.errors import LabelError, MinigradError, MinigradWarning, ProgramError


class Linear2:
    """A net of one layer, its optimizer, and the step; every test makes two, one of them compiled."""

    def __init__(self, seed: int = 0, **options: Any) -> None:
        self.model = nn.Sequential(nn.Linear(3, 2, rng=np.random.default_rng(seed)))
        self.optimizer = optim.Adam(self.model, lr=0.1)
        self.loss = nn.CrossEntropyLoss()

    def step(self, x: Any, y: Any) -> Any:
        self.optimizer.zero_grad()
        loss = self.loss(self.model(mg.Tensor(x)), y)
        loss.backward()
        self.optimizer.step()
        return loss

    @property
    def weights(self) -> np.ndarray:
        return np.concatenate([p.numpy().ravel() for p in self.model.parameters()])


def data(n: int = 4, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, 3)).astype("float32"), rng.integers(0, 2, n)


def same(step: Any, compiled: Any, calls: list[tuple[Any, ...]]) -> None:
    for args in calls:
        a, b = step(*args), compiled(*args)
        np.testing.assert_array_equal(np.asarray(a.numpy()), np.asarray(b.numpy()))


def code_of(function: Any, *args: Any) -> str:
    with pytest.raises(MinigradError) as raised:
        function(*args)
    return raised.value.code


# -- numbers that are asked for inside the step -----------------------------------------------------------


@pytest.mark.parametrize(
    "ask",
    [
        lambda loss: 1 if loss > 1 else 0,
        float,
        lambda loss: loss.item(),
        lambda loss: loss.numpy(),
        print,
        lambda loss: f"{loss:.3f}",
        lambda loss: np.asarray(loss.detach()),
        lambda loss: int(loss),
        lambda loss: bool(loss > 0),
        lambda loss: loss.data.tolist(),
        lambda loss: [1, 2, 3][loss.astype("int64")],
        lambda loss: max(loss, 0.5),
        lambda loss: repr(loss),
    ],
    ids=[
        "if",
        "float",
        "item",
        "numpy",
        "print",
        "format",
        "asarray",
        "int",
        "bool",
        "tolist",
        "index",
        "max",
        "repr",
    ],
)
def test_a_number_of_the_step_is_not_given_away(ask: Any):
    net = Linear2()

    @mg.compile
    def step(x, y):
        loss = net.step(x, y)
        ask(loss)
        return loss

    before = net.weights
    with pytest.raises(ProgramError, match=r"MG-630 test_traps\.py line \d+: .*Return it") as raised:
        step(*data())
    assert raised.value.code == "MG-630"
    np.testing.assert_array_equal(net.weights, before)  # and nothing has happened
    assert net.optimizer.t == 0
    assert all(type(p._data) is np.ndarray for p in net.model.parameters())


def test_an_exception_that_the_step_catches_is_a_decision_by_numbers():
    @mg.compile
    def step(x, y):
        try:
            return nn.losses.cross_entropy(mg.Tensor(x), y)
        except LabelError:
            return mg.Tensor(x).sum()

    x, y = data()
    step(x, y)
    assert code_of(mg.compile(step.function), x, y + 5) == "MG-639"


# -- what the step reads from outside ---------------------------------------------------------------------


def test_a_number_of_the_closure_makes_another_program():
    scale = 2.0

    def step(x):
        return (mg.Tensor(x) * scale).sum()

    compiled = mg.compile(step)
    x = np.arange(3.0)
    assert [compiled(x).item() for _ in range(3)] == [6, 6, 6]
    scale = 3.0
    assert compiled(x).item() == 9
    scale = 2.0
    assert compiled(x).item() == 6
    assert "scale is 3.0, not 2.0" in compiled.why()
    assert compiled.why().count("made for") == 2


def test_a_number_that_an_object_holds_makes_another_program():
    class Settings:
        scale = 1

    settings = Settings()
    settings.scale = 2
    settings.other = 0

    @mg.compile
    def step(x):
        return mg.Tensor(x) * settings.scale

    x = np.ones(2)
    for k in range(6):
        settings.other = k  # which the step does not read
        assert step(x).numpy().tolist() == [2, 2]
    settings.scale = 5
    assert step(x).numpy().tolist() == [5, 5]
    assert step.why().count("made for") == 2


def test_a_captured_array_may_change_and_may_be_replaced():
    mask = np.ones(3)

    @mg.compile
    def step(x):
        return (mg.Tensor(x) * mask).sum()

    x = np.arange(3.0)
    assert step(x).item() == 3
    mask[:] = [0, 1, 0]
    assert step(x).item() == 1
    mask = np.full(3, 10.0)
    assert step(x).item() == 30
    assert step(x).item() == 30
    assert step.why().count("made for") == 1


def test_arithmetic_on_a_captured_array_is_followed():
    mask = np.ones(3)

    @mg.compile
    def step(x):
        weights = mask / mask.sum()
        return (mg.Tensor(x) * weights).sum()

    x = np.arange(3.0)
    assert step(x).item() == 1
    mask[:] = [0, 0, 4]
    assert step(x).item() == 2
    assert step(x).item() == 2


def test_numbers_that_no_guard_sees_are_found_by_the_second_call():
    hidden = iter(range(10))

    def draw():
        return np.full(3, float(next(hidden)))

    @mg.compile
    def step(x):
        y = mg.Tensor(x) * 2
        return (y + draw()).sum()

    x = np.arange(3.0)
    assert step(x).item() == 6
    with pytest.raises(ProgramError, match=r"MG-635 .*'the result' differs.*constant") as raised:
        step(x)
    assert raised.value.code == "MG-635"


def test_random_numbers_that_a_replay_would_not_draw_are_refused():
    rng = np.random.default_rng(0)

    @mg.compile
    def step(x):
        return (mg.Tensor(x) * rng.random(3)).sum()

    assert code_of(step, np.ones(3)) == "MG-633"
    assert rng.random() == np.random.default_rng(0).random()  # it stands where it stood


def test_what_a_step_appends_is_said_once():
    kept = []

    @mg.compile
    def step(x):
        loss = mg.Tensor(x).sum()
        kept.append(loss)
        return loss

    with pytest.warns(MinigradWarning, match="MG-636 a compiled step changes 'kept', which grew from 0 to 1"):
        step(np.ones(3))
    for _ in range(5):
        step(np.ones(3))  # also where it is compared with the eager step
    assert [each.item() for each in kept] == [3]


def test_a_count_that_the_step_keeps_is_said_once():
    count = 0

    @mg.compile
    def step(x):
        nonlocal count
        count += 1
        return mg.Tensor(x).sum()

    with pytest.warns(MinigradWarning, match="MG-636 .*'count', which was 0 and is 1"):
        step(np.ones(3))


def test_a_tensor_that_the_step_replaces_is_the_next_steps():
    hidden = mg.Tensor(np.zeros(2))

    def step(x):
        nonlocal hidden
        hidden = 0.5 * hidden + x
        return hidden.sum()

    compiled = mg.compile(step)
    found = [compiled(np.full(2, 4.0)).item() for _ in range(6)]
    assert found == [8, 12, 14, 15, 15.5, 15.75]
    np.testing.assert_array_equal(hidden.numpy(), [7.875, 7.875])


def test_a_buffer_is_updated_once_a_step():
    class Norm(nn.Module):
        def __init__(self):
            self.mean = nn.module.Buffer(np.zeros(3, "float32"))
            self.count = nn.module.Buffer(np.zeros((), "float32"))

        def forward(self, x):
            self.mean = 0.5 * self.mean + 0.5 * x.mean(axis=0).detach()
            with mg.no_grad():
                self.count[...] = self.count + 1
            return x - self.mean

    norm = Norm()

    @mg.compile
    def step(x):
        return norm(mg.Tensor(x)).sum()

    for k in range(1, 7):
        step(np.ones((2, 3), "float32"))
        np.testing.assert_array_equal(norm.mean.numpy(), np.full(3, 1 - 0.5**k, "float32"))
        assert norm.count.item() == k
        assert type(norm.mean) is nn.module.Buffer


def test_what_a_step_keeps_in_an_attribute_is_the_last_calls():
    class Box:
        pass

    box = Box()

    @mg.compile
    def step(x):
        box.last = mg.Tensor(x) * 2
        return box.last.sum()

    for k in range(6):
        assert step(np.full(3, float(k))).item() == 6 * k
        assert box.last.numpy().tolist() == [2 * k] * 3


def test_a_trace_leaves_no_versions_behind():
    """Memory that a tracer had may be another array's afterwards, which then has a version of its own."""
    w = mg.Tensor(np.ones(3), requires_grad=True)
    step = mg.compile(lambda x: (mg.Tensor(x) * w.data).sum())
    for _ in range(3):
        step(np.ones(3))
    known = {key for key, version in versions._by_memory.items() if version() is w.version}
    assert known <= {id(w._data)}


# -- arguments --------------------------------------------------------------------------------------------


def test_results_of_two_calls_are_two_arrays():
    net = Linear2()
    step = mg.compile(net.step)
    x, y = data()
    losses = [step(x, y) for _ in range(6)]
    values = [loss.item() for loss in losses]
    assert len(set(values)) == 6
    assert [loss.item() for loss in losses] == values


def test_an_input_that_is_assigned_to_is_assigned_to():
    def step(x):
        x[0] = 7
        x += 1
        return mg.Tensor(x).sum()

    compiled = mg.compile(step)
    for _ in range(4):
        a, b = np.arange(3.0), np.arange(3.0)
        assert step(a).item() == compiled(b).item() == 13
        np.testing.assert_array_equal(a, b)


def test_the_same_array_twice_is_a_case_of_its_own():
    def step(a, b):
        a[0] = 5
        return (mg.Tensor(a) * b).sum()

    compiled = mg.compile(step)
    for _ in range(3):
        for twice in (True, False):
            a, b = np.ones(2), np.ones(2)
            c, d = np.ones(2), np.ones(2)
            assert step(a, a if twice else b).item() == compiled(c, c if twice else d).item()
    assert compiled.why().count("made for") == 2


def test_one_program_is_not_shared_by_two_models():
    nets = [Linear2(0), Linear2(1)]
    others = [Linear2(0), Linear2(1)]

    @mg.compile
    def step(net, x, y):
        return net.step(x, y)

    x, y = data()
    for _ in range(4):
        for net, other in zip(nets, others, strict=True):
            assert step(net, x, y).item() == other.step(x, y).item()


def test_a_float_among_the_arguments_makes_no_program_of_its_own():
    @mg.compile
    def step(x, rate):
        return (mg.Tensor(x) * rate).sum()

    x = np.ones(2, "float32")
    for k in range(8):
        assert step(x, 0.5 * k).item() == k
        assert step(x, 0.5 * k).dtype == np.float32
    assert step.why().count("made for") == 1


def test_a_float_that_a_kernel_takes_is_followed():
    @mg.compile
    def step(x, p):
        return nn.dropout.dropout(mg.Tensor(x), np.linspace(0, 1, 8, dtype="f"), p=p)

    x = np.ones(8, "float32")
    for p in (0.5, 0.25, 0.75, 0.5, 0.1):
        kept = np.linspace(0, 1, 8, dtype="f") >= p
        np.testing.assert_allclose(step(x, p).numpy(), kept / (1 - p), rtol=1e-6)


def test_a_rate_that_is_set_makes_no_program_of_its_own():
    net, other = Linear2(), Linear2()
    step = mg.compile(net.step)
    x, y = data()
    for k in range(8):
        net.optimizer.lr = other.optimizer.lr = 0.1 / (k + 1)
        net.optimizer.weight_decay = other.optimizer.weight_decay = 0.01 * k
        same(other.step, step, [(x, y)])
    np.testing.assert_array_equal(net.weights, other.weights)
    assert step.why().count("made for") == 1


def test_shapes_have_programs_side_by_side_and_a_fifth_is_too_many():
    net, other = Linear2(), Linear2()
    step = mg.compile(net.step)
    for n in (4, 3, 4, 2, 3, 1, 4):
        same(other.step, step, [data(n, seed=n)])
    np.testing.assert_array_equal(net.weights, other.weights)
    with pytest.raises(
        ProgramError, match=r"(?s)MG-634 .*program number 5: float32 \(5, 3\), int64 \(5,\).*drop_last"
    ):
        step(*data(5))
    same(other.step, step, [data(4)])


def test_parts_of_a_read_only_argument_are_read():
    @mg.compile
    def step(x):
        a, b = np.split(mg.Tensor(x), 2)
        return (a * b).sum(), np.broadcast_to(b, (2, 2))

    for k in range(5):
        x = np.arange(4.0) + k
        x.flags.writeable = False
        total, stretched = step(x)
        assert total.item() == x[0] * x[2] + x[1] * x[3]
        np.testing.assert_array_equal(stretched.numpy(), [x[2:], x[2:]])


def test_layouts_and_dtypes_are_cases():
    @mg.compile
    def step(x):
        return mg.Tensor(x).reshape(-1) * 2

    a = np.arange(6.0).reshape(2, 3)
    for x in (a, np.asfortranarray(a), a.astype("float32"), a, np.asfortranarray(a)):
        np.testing.assert_array_equal(step(x).numpy(), x.reshape(-1) * 2)
    assert step.why().count("made for") == 3


# -- what the guards see ----------------------------------------------------------------------------------


def test_modes_are_cases():
    model = nn.Sequential(nn.Linear(3, 3), nn.Dropout(0.5, np.random.default_rng(0)))

    @mg.compile
    def forward(x):
        return model(mg.Tensor(x))

    x, _ = data()
    dropped = forward(x).numpy()
    model.eval()
    whole = forward(x).numpy()
    np.testing.assert_array_equal(whole, model(mg.Tensor(x)).numpy())
    assert (dropped == 0).any()
    assert not (whole == 0).any()
    model.train()
    assert (forward(x).numpy() == 0).any()
    assert "eval mode" in forward.why()


def test_a_frozen_parameter_stays():
    net, other = Linear2(), Linear2()
    step = mg.compile(net.step)
    x, y = data()
    same(other.step, step, [(x, y)] * 3)
    for each in (net, other):
        each.model[0].bias.requires_grad_(False)
    bias = net.model[0].bias.numpy().copy()
    same(other.step, step, [(x, y)] * 3)
    np.testing.assert_array_equal(net.model[0].bias.numpy(), bias)
    np.testing.assert_array_equal(net.weights, other.weights)


def test_a_replaced_layer_is_trained():
    net, other = Linear2(), Linear2()
    step = mg.compile(net.step)
    x, y = data()
    same(other.step, step, [(x, y)] * 3)
    for each in (net, other):
        each.model = nn.Sequential(nn.Linear(3, 2, rng=np.random.default_rng(9)))
        each.optimizer = optim.SGD(each.model, lr=0.1)
    same(other.step, step, [(x, y)] * 3)
    np.testing.assert_array_equal(net.weights, other.weights)


def test_loaded_weights_are_the_next_steps():
    net, other = Linear2(), Linear2()
    step = mg.compile(net.step)
    x, y = data()
    same(other.step, step, [(x, y)] * 2)
    state = Linear2(7).model.state_dict()
    for each in (net, other):
        each.model.load_state_dict(state)
    same(other.step, step, [(x, y)])
    for each in (net, other):
        each.model[0].weight.data = np.ones((2, 3), "float32")
    same(other.step, step, [(x, y)] * 2)
    np.testing.assert_array_equal(net.weights, other.weights)
    assert step.why().count("made for") == 1


def test_a_loaded_optimizer_goes_on():
    net, other = Linear2(), Linear2()
    step = mg.compile(net.step)
    x, y = data()
    same(other.step, step, [(x, y)] * 3)
    saved = other.optimizer.state_dict()
    same(other.step, step, [(x, y)] * 3)
    for each in (net, other):
        each.optimizer.load_state_dict(saved)
    same(other.step, step, [(x, y)] * 3)
    np.testing.assert_array_equal(net.weights, other.weights)


# -- gradients --------------------------------------------------------------------------------------------


def test_accumulation_over_calls_adds_up():
    net, other = Linear2(), Linear2()

    def parts(each):
        def backward(x, y):
            loss = each.loss(each.model(mg.Tensor(x)), y)
            loss.backward()
            return loss

        def update():
            each.optimizer.step()
            each.optimizer.zero_grad()

        return backward, update

    backward, update = parts(other)
    compiled, compiled_update = map(mg.compile, parts(net))
    for k in range(4):
        with mg.accumulate(2):
            same(backward, compiled, [data(seed=k), data(seed=k + 10)])
        for a, b in zip(net.model.parameters(), other.model.parameters(), strict=True):
            np.testing.assert_array_equal(a.grad.numpy(), b.grad.numpy())
            assert a.grad_passes == b.grad_passes
        update()
        compiled_update()
        np.testing.assert_array_equal(net.weights, other.weights)
        assert net.model[0].weight.grad is None


def test_gradients_are_left_where_they_are_asked_for():
    for grads in (False, True):
        net, other = Linear2(), Linear2()
        step = mg.compile(net.step, grads=grads)
        for k in range(4):
            same(other.step, step, [data(seed=k)])
            for a, b in zip(net.model.parameters(), other.model.parameters(), strict=True):
                if grads:
                    np.testing.assert_array_equal(a.grad.numpy(), b.grad.numpy())
                else:
                    assert a.grad is None


@pytest.mark.filterwarnings("ignore:MG-201")
def test_gradients_that_nobody_zeroes_add_up_as_they_do_eagerly():
    net, other = Linear2(), Linear2()

    def forgetful(each):
        def step(x, y):
            loss = each.loss(each.model(mg.Tensor(x)), y)
            loss.backward()
            each.optimizer.step()
            return loss

        return step

    step, compiled = forgetful(other), mg.compile(forgetful(net))
    for k in range(6):
        same(step, compiled, [data(seed=k)])
        np.testing.assert_array_equal(net.weights, other.weights)


def test_an_input_that_requires_a_gradient_gets_it():
    @mg.compile
    def step(x):
        (x * x).sum().backward()

    for k in range(4):
        x = mg.Tensor(np.arange(3.0) + k, requires_grad=True)
        step(x)
        np.testing.assert_array_equal(x.grad.numpy(), 2 * x.numpy())


# -- failures ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("calls", [0, 1, 2, 4])
def test_a_failure_leaves_everything_as_it_was(calls: int):
    net = Linear2()
    step = mg.compile(net.step)
    x, y = data()
    for _ in range(calls):
        step(x, y)
    before = net.weights, net.optimizer.t
    with pytest.raises(LabelError, match=r"MG-402 .*found 2 at index 3"):
        step(x, np.array([0, 1, 0, 2]))
    np.testing.assert_array_equal(net.weights, before[0])
    assert net.optimizer.t == before[1]
    assert all(type(p._data) is np.ndarray for p in net.model.parameters())
    step(x, y)
    assert net.optimizer.t == before[1] + 1
    assert step.why().count("made for") == 1


@pytest.mark.parametrize("calls", [0, 1, 2, 4])
def test_a_failure_leaves_the_generators_as_they_were(calls: int):
    rng = np.random.default_rng(3)
    drop, loss_of = nn.Dropout(0.5, rng), nn.CrossEntropyLoss()

    @mg.compile
    def step(x, y):
        return loss_of(drop(mg.Tensor(x)), y)

    x, y = data()
    for _ in range(calls):
        step(x, y)
    state = rng.bit_generator.state
    with pytest.raises(LabelError):
        step(x, y + 7)
    assert rng.bit_generator.state == state


@pytest.mark.parametrize("calls", [0, 1, 2])
def test_a_loss_that_is_nan_is_told(calls: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("minigrad.errors._warned", set())  # the same line has warned before
    net = Linear2()
    step = mg.compile(net.step)
    x, y = data()
    for _ in range(calls):
        step(x, y)
    with pytest.warns(MinigradWarning, match=f"MG-408 .*step {calls + 1}"):
        step(x * np.float32("nan"), y)


@pytest.mark.parametrize("calls", [0, 1, 2, 4])
def test_a_failure_behind_an_update_takes_it_back(calls: int):
    """Two updates in a step, as of a generator and its critic; the second never comes to pass."""
    first, second = Linear2(0), Linear2(1)

    @mg.compile
    def step(x, y, z):
        first.step(x, y)
        return second.step(x, z)

    x, y = data()
    for _ in range(calls):
        step(x, y, y.copy())
    before = first.weights, second.weights
    with pytest.raises(LabelError):
        step(x, y, np.array([0, 1, 0, 2]))
    np.testing.assert_array_equal(first.weights, before[0])
    np.testing.assert_array_equal(second.weights, before[1])
    assert first.optimizer.t == second.optimizer.t == calls


def test_what_is_kept_of_a_trace_says_so():
    class Hidden:
        __slots__ = ("kept",)

    hidden = Hidden()

    @mg.compile
    def step(x):
        hidden.kept = mg.Tensor(x) * 2
        return hidden.kept.sum()

    step(np.ones(3))
    assert code_of(lambda: hidden.kept + 1) == "MG-631"
    assert code_of(lambda: hidden.kept.numpy()) == "MG-631"


def test_a_method_has_programs_for_each_object():
    class Scaled:
        def __init__(self, scale: float) -> None:
            self.scale = scale

        @mg.compile
        def step(self, x):
            return (mg.Tensor(x) * self.scale).sum()

    one, two = Scaled(1), Scaled(2)
    for _ in range(4):
        assert (one.step(np.ones(3)).item(), two.step(np.ones(3)).item()) == (3, 6)
    assert "Scaled" in one.step.why()


def test_threads_take_turns():
    model = nn.Sequential(nn.Linear(8, 8, rng=np.random.default_rng(0)), nn.Tanh(), nn.Linear(8, 8))
    predict = mg.compile(model)
    data = [np.full((4, 8), k, "float32") for k in range(8)]
    expected = [model(mg.Tensor(x)).numpy() for x in data]
    predict(data[0])

    def often(k: int) -> bool:
        return all(np.array_equal(predict(data[k]).numpy(), expected[k]) for _ in range(200))

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(often, range(8)))


def test_a_compiled_step_in_a_compiled_step_is_part_of_it():
    inner = mg.compile(lambda x: np.sin(mg.Tensor(x)))

    @mg.compile
    def outer(x):
        return (inner(x) * 2).sum()

    for k in range(5):
        x = np.arange(3.0) + k
        np.testing.assert_allclose(outer(x).item(), 2 * np.sin(x).sum())
    assert "np.sin" in str(outer.program)


# -- who watches ------------------------------------------------------------------------------------------


def test_a_watched_step_is_the_whole_step():
    net = Linear2()
    step = mg.compile(net.step)
    x, y = data()
    for _ in range(3):
        step(x, y)
    names: list[str] = []
    with mg.hooks(forward=lambda record, output: names.append(record.operation.name)):
        step(x, y)
    assert names == ["linear", "softmax_cross_entropy", "mean"]
    with mg.unfused():
        step(x, y)
    with mg.debug():
        step(x, y)
    assert net.optimizer.t == 6
    assert step.program.calls == 3


def test_before_the_first_call_there_is_no_program():
    step = mg.compile(Linear2().step)
    assert code_of(lambda: step.program) == "MG-640"
    assert "no program yet" in step.why()


def test_compile_takes_functions_alone():
    assert code_of(mg.compile, 3) == "MG-802"


def test_gradients_that_a_program_has_used_up_count_no_more():
    """The warning of a gradient that was used twice knows nothing of one that is gone."""
    w = mg.Tensor([1.0, 2.0], requires_grad=True)
    optimizer = mg.optim.SGD([w], lr=0.1)

    def step(x):
        loss = ((w - x) ** 2).sum()
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        return loss

    compiled = mg.compile(step, verify=False)
    x = mg.Tensor([0.5, 0.5])
    compiled(x)
    ((w - x) ** 2).sum().backward()
    optimizer.step()  # between two calls, and its gradient stays
    w.grad.zero_()
    for _ in range(2):
        compiled(x)
    assert (w.grad_passes, w.stepped_passes) == (0, 0)
    for _ in range(2):
        ((w - x) ** 2).sum().backward()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        optimizer.step()
