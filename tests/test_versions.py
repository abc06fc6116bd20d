"""What a gradient rule needs is what it was in the forward pass, or MG-205 says that it is not."""

from __future__ import annotations

import array
import copy
import mmap
import pickle

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, versions
from minigrad.errors import ConfigError, GradientError, MinigradWarning
from minigrad.versions import checksum
from tests.ops.cases import ALL, Case, on_every_case

T = mg.Tensor

ALONE = {
    "pad": 1,  # NumPy hands a call over for its arrays, and not for constant_values, initial, left
    "add.reduce": 1,
    "interp": 3,
    "histogram": 1,  # the values that are counted say where, and have no gradient
}
WITH_BARE_INPUTS = [
    pytest.param(case, k, id=f"{name}-{n}-{case.layout}-{k}")
    for name in ALL
    for n, case in enumerate(ALL[name])
    if len(case.inputs) > 1
    for k, x in enumerate(case.inputs)
    if isinstance(x, np.ndarray) and x.dtype == np.float64 and ALONE.get(name) != k
]


def leaf(values, **options):
    return T(np.asarray(values, dtype=float), requires_grad=True, **options)


def _gradient(case: Case, k: int, scribble: bool, create_graph: bool) -> np.ndarray:
    """dL/d(input k), the other inputs being bare arrays that are overwritten before the walk where asked for."""
    inputs = [np.array(x) if isinstance(x, np.ndarray) else x for x in case.inputs]
    inputs[k] = x = leaf(case.inputs[k])
    result = case.f(*inputs)
    weights = T(np.cos(np.arange(result.size)).reshape(result.shape))
    loss = (result * weights).sum()
    for other in inputs:
        if scribble and isinstance(other, np.ndarray):
            other[...] = 0 if other.dtype.kind in "iu" else ~other if other.dtype == bool else other + 1.5
    loss.backward(create_graph=create_graph)
    assert x.grad is not None
    return x.grad.numpy()


class TestBareArrays:
    @pytest.mark.parametrize("create_graph", [False, True])
    @pytest.mark.parametrize(("case", "k"), WITH_BARE_INPUTS)
    def test_every_operation_remembers_them(self, case, k, create_graph):
        expected = _gradient(case, k, False, create_graph)
        np.testing.assert_array_equal(_gradient(case, k, True, create_graph), expected)

    @pytest.mark.parametrize(("case", "k"), WITH_BARE_INPUTS)
    def test_or_says_that_a_large_one_changed(self, case, k, monkeypatch):
        monkeypatch.setattr(versions, "COPIED", 0)
        expected = _gradient(case, k, False, False)
        try:
            found = _gradient(case, k, True, False)
        except GradientError as error:
            assert error.code == "MG-205"  # noqa: PT017 (either outcome is right)
        else:
            np.testing.assert_array_equal(found, expected)

    def test_a_large_one_is_named(self):
        factor = np.ones(versions.COPIED // 8 + 1)
        a = leaf(np.ones_like(factor))
        kept, changed = (a * factor).sum(), (a * factor).sum()
        kept.backward()
        factor[-1] = 2
        with pytest.raises(GradientError, match="MG-205 input 1 was saved by multiply"):
            changed.backward()

    @pytest.mark.parametrize(
        "change",
        [
            lambda a: np.negative(a, out=a),
            lambda a: np.multiply(a, 16, out=a),
            lambda a: a.__setitem__(slice(None), a[::-1].copy()),
            lambda a: np.random.default_rng(0).shuffle(a),
            lambda a: a.__setitem__((5, 5), np.nextafter(1, 2)),
        ],
    )
    @pytest.mark.parametrize("make", [np.ones, lambda shape: np.eye(*shape), lambda shape: np.ones(shape).T])
    def test_no_change_of_a_large_one_is_missed(self, make, change, monkeypatch):
        monkeypatch.setattr(versions, "COPIED", 1 << 20)
        factor = make((1024, 1024))
        before = factor.copy()
        a = leaf(np.ones(factor.shape))
        loss = (a * factor).sum()
        change(factor)
        if np.array_equal(before, factor):
            pytest.skip("this changes nothing here")
        with pytest.raises(GradientError, match="MG-205"):
            loss.backward()

    @pytest.mark.parametrize("writeable", [False, True])
    def test_memory_that_is_read_only_for_a_while(self, writeable):
        index = np.array([0, 0])
        view = index[:]
        index.flags.writeable = False
        x = leaf([1.0, 2.0, 3.0])
        y = np.take_along_axis(x, index, 0).sum()
        if writeable:
            index.flags.writeable = True
            view = index
        view[...] = 2
        y.backward()
        np.testing.assert_array_equal(x.grad.data, [2, 0, 0])

    @pytest.mark.parametrize("debug", [False, True])
    @pytest.mark.parametrize(
        ("index", "change"),
        [
            (np.array([0, 0]), lambda i: i.fill(2)),
            (np.array([True, False, True]), lambda i: i.fill(True)),
            ([0, 1], lambda i: i.reverse()),
            ([0, 1], lambda i: i.__setitem__(0, 2)),
            ((np.array([0, 2]),), lambda i: i[0].fill(1)),
            ((Ellipsis, np.array([0, 2])), lambda i: i[1].fill(1)),
            (slice(np.array(0), np.array(2)), lambda i: i.stop.fill(1)),
            (T(np.array([0, 0])), lambda i: i.__setitem__(0, 2)),
            (np.array(1), lambda i: i.fill(2)),
            (array.array("q", [0, 0]), lambda i: i.__setitem__(0, 2)),
            ([0] * 1000, lambda i: i.__setitem__(0, 2)),
        ],
    )
    def test_an_index(self, index, change, debug):
        index = copy.deepcopy(index)
        x = leaf([1.0, 2.0, 3.0])
        fresh = leaf([1.0, 2.0, 3.0])
        (fresh[copy.deepcopy(index)] * 1.0).sum().backward()
        with mg.debug() if debug else mg.enable_grad():
            y = (x[index] * 1.0).sum()
            change(index)
            y.backward()
        np.testing.assert_array_equal(x.grad.data, fresh.grad.data)

    @pytest.mark.parametrize(
        ("f", "parameter", "change"),
        [
            (lambda x, p: np.transpose(x, p), [1, 0, 2], lambda p: p.reverse()),
            (lambda x, p: np.clip(x, p, 5.0), np.array([0.0, 2.0]), lambda p: p.fill(9.0)),
            (lambda x, p: np.pad(x, p), np.array([[1, 0], [0, 2], [1, 1]]), lambda p: p.fill(0)),
            (lambda x, p: np.moveaxis(x, p, [1, 2]), [0, 1], lambda p: p.reverse()),
            (lambda x, p: np.split(x, p, axis=2)[0], np.array([1]), lambda p: p.fill(2)),
        ],
    )
    def test_any_parameter(self, f, parameter, change):
        values = np.arange(12.0).reshape(2, 3, 2) - 3.2
        weights = np.cos(np.arange(100.0))
        expected, x = leaf(values), leaf(values)
        for leaf_, changed in ((expected, False), (x, True)):
            own = copy.deepcopy(parameter)
            y = f(leaf_, own)
            loss = (y * T(weights[: y.size].reshape(y.shape))).sum()
            if changed:
                change(own)
            loss.backward()
        np.testing.assert_array_equal(x.grad.data, expected.grad.data)

    def test_a_parameter_of_an_operation_of_ones_own(self, monkeypatch):
        monkeypatch.setattr("minigrad.registry.operations", dict(mg.registry.operations))
        scale = mg.define(
            "scale_by", lambda a, by: a * by[0]["k"], "a · k", ("g · k", lambda g, by: g * by[0]["k"]),
            inputs="a", params={"by": None},
        )  # fmt: skip
        by = [{"k": np.array([2.0, 3.0])}]
        x = leaf([1.0, 1.0])
        y = scale(x, by=by).sum()
        by[0]["k"][...] = 100
        y.backward()
        np.testing.assert_array_equal(x.grad.data, [2, 3])

    @pytest.mark.parametrize("create_graph", [False, True])
    @pytest.mark.parametrize("fused", [False, True])
    def test_labels(self, fused, create_graph):
        logits, labels = leaf([[1.0, 2.0, 0.5], [0.1, 0.2, 0.3]]), np.array([0, 2])
        with mg.enable_grad() if fused else mg.unfused():
            loss = nn.cross_entropy(logits, labels)
        labels[...] = 1
        loss.backward(create_graph=create_graph)
        p = np.exp(logits.data) / np.exp(logits.data).sum(1, keepdims=True)
        np.testing.assert_allclose(logits.grad.data, (p - np.eye(3)[[0, 2]]) / 2, rtol=1e-12)

    def test_labels_in_a_tensor_where_the_gradient_is_recorded(self):
        logits, labels = leaf([[1.0, 2.0], [0.1, 0.2]]), T(np.array([0, 1]))
        loss = nn.cross_entropy(logits, labels)
        labels[0] = 1
        with pytest.raises(GradientError, match="MG-205"):
            loss.backward(create_graph=True)

    @pytest.mark.parametrize("ids", [np.array([1, 1]), T(np.array([1, 1]))])
    def test_ids(self, ids):
        table = nn.Embedding(3, 2, rng=np.random.default_rng(0))
        loss = table(ids).sum()
        ids[...] = 2
        loss.backward()
        np.testing.assert_array_equal(table.weight.grad.data, [[0, 0], [2, 2], [0, 0]])

    def test_a_read_only_view_of_what_can_change_is(self):
        memory = np.array([3.0, 4.0])
        view = memory[:]
        view.flags.writeable = False
        a = leaf([1.0, 2.0])
        loss = (a * view).sum()
        memory[0] = 9
        loss.backward()
        np.testing.assert_array_equal(a.grad.data, [3, 4])


def _second_tensors():
    """Every way to a second tensor on a tensor's memory: a name, and how."""
    return {
        "Tensor(x)": lambda x: T(x),
        "Tensor(x, dtype)": lambda x: T(x, dtype=x.dtype),
        "Tensor(x, device)": lambda x: T(x, device="cpu"),
        "Tensor(x.data)": lambda x: T(x.data),
        "Tensor(x.numpy())": lambda x: T(x.numpy()),
        "Tensor(np.asarray(x))": lambda x: T(np.asarray(x.detach())),
        "Tensor(a view)": lambda x: T(x.data[:1]),
        "Tensor(a view of a view)": lambda x: T(x.data[::-1][-1:].reshape(1, 1)),
        "Tensor(a buffer)": lambda x: T(np.frombuffer(memoryview(x.data).cast("B"), x.dtype)),
        "Tensor(as_strided)": lambda x: T(np.lib.stride_tricks.as_strided(x.data, (1,), (8,))),
        "Tensor(another dtype's view)": lambda x: T(x.data.view(np.int64)),
        "Buffer(x)": lambda x: nn.Buffer(x),
        "detach": lambda x: x.detach(),
        "copy.copy": lambda x: copy.copy(x.detach()),
        "astype": lambda x: x.detach().astype(x.dtype),
        "to": lambda x: x.detach().to("cpu"),
        "reshape": lambda x: x.detach().reshape(1, -1),
        "index": lambda x: x.detach()[:2],
        "a data setter": lambda x: _given(x),
        "a gradient": lambda x: _as_gradient(x),
    }


def _given(x):
    other = T(np.zeros(3))
    other.data = x.data
    return other


def _as_gradient(x):
    other = leaf(np.zeros(3))
    other.grad = x.data
    return other.grad


class _Foreign:
    """Another library's array, which gives out its memory anew each time."""

    def __init__(self, held):
        self.held = held
        self.__array_interface__ = held.__array_interface__


def _as_numpy(held):
    if isinstance(held, np.ndarray):
        return np.from_dlpack(held)
    return np.asarray(held) if isinstance(held, _Foreign) else np.frombuffer(held, np.float64)


class TestTwoTensorsOnOneMemory:
    @pytest.mark.parametrize("computed", [False, True])
    @pytest.mark.parametrize("way", _second_tensors())
    def test_a_write_through_the_second_is_seen(self, way, computed):
        x = leaf([1.0, 2.0, 3.0])
        x = x * 1.0 if computed else x
        y = (x * x).sum()
        second = _second_tensors()[way](x)
        assert np.shares_memory(second.data, x.data)
        with mg.no_grad():
            second[...] = 100
        with pytest.raises(GradientError, match="MG-205"):
            y.backward()

    @pytest.mark.parametrize("way", _second_tensors())
    def test_a_write_through_the_first_is_seen(self, way):
        x = leaf([1.0, 2.0, 3.0])
        second = _second_tensors()[way](x)
        if second.dtype.kind != "f":
            pytest.skip("integers have no gradient")
        second = second.detach().requires_grad_()
        y = (second * second).sum()
        with mg.no_grad():
            x += 1
        with pytest.raises(GradientError, match="MG-205"):
            y.backward()

    @pytest.mark.parametrize(
        "memory",
        [
            lambda: np.zeros(3),
            lambda: bytearray(24),
            lambda: memoryview(bytearray(24)),
            lambda: mmap.mmap(-1, 24),
            lambda: _Foreign(np.zeros(3)),
            lambda: np.from_dlpack(np.zeros(3)),
        ],
    )
    def test_two_tensors_made_of_the_users_memory(self, memory):
        held = memory()
        first, second = (T(_as_numpy(held), requires_grad=True) for _ in range(2))
        y = (first * first).sum()
        with mg.no_grad():
            second += 1
        with pytest.raises(GradientError, match="MG-205"):
            y.backward()

    @pytest.mark.parametrize("recorded", [False, True])
    @on_every_case()
    def test_every_operation_that_returns_a_view_shares_the_version(self, case, recorded):
        inputs = [
            T(np.array(x), requires_grad=recorded) if isinstance(x, np.ndarray) and x.dtype == float else x
            for x in case.inputs
        ]
        result = case.f(*inputs)
        for x in inputs:
            if isinstance(x, T) and np.shares_memory(x.data, result.data):
                assert result.version is x.version

    def test_a_copy_is_its_own(self):
        x = leaf([1.0, 2.0])
        y = (x * x).sum()
        for other in (T(x, dtype="float32"), copy.deepcopy(x), nn.Parameter(x), T(x.numpy().copy())):
            with mg.no_grad():
                other += 1
        y.backward()
        np.testing.assert_array_equal(x.grad.data, [2, 4])

    def test_what_is_gone_is_forgotten(self):
        kept = leaf([1.0, 2.0])
        T(kept.data)
        alive = sum(known() is not None for known in versions._by_memory.values())
        for _ in range(3 * alive + 5000):
            T(np.zeros(3))
        assert len(versions._by_memory) < 3 * alive + 2000
        assert T(kept.data).version is kept.version

    def test_new_data_does_not_accuse_whose_memory_it_is(self):
        x, other = leaf([1.0, 2.0]), leaf([0.0, 0.0])
        y = (x * x).sum()
        other.data = x.data
        y.backward()
        np.testing.assert_array_equal(x.grad.data, [2, 4])


class TestCopies:
    def test_a_leaf(self):
        w = nn.Parameter(np.ones(2), name="w")
        twin = copy.copy(w)
        assert type(twin) is nn.Parameter
        assert twin.name == "w"
        assert twin.requires_grad
        assert np.shares_memory(twin.data, w.data)

    @pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, pickle.dumps])
    @pytest.mark.parametrize("within", [lambda t: t, lambda t: [t], lambda t: {"loss": t}])
    def test_a_computed_tensor_says_what_to_do(self, duplicate, within):
        y = leaf([1.0, 2.0]) * 2.0
        if duplicate is copy.copy:
            within = lambda t: t  # noqa: E731 (a shallow copy of a list holds the tensor itself)
        with pytest.raises(
            GradientError, match=r"MG-206 the result of multiply is part of a graph.*\.detach\(\)"
        ):
            duplicate(within(y))

    @pytest.mark.parametrize("kind", [T, nn.Parameter, nn.Buffer])
    def test_a_pickled_leaf_comes_back(self, kind):
        w = kind(np.array([1.0, 2.0], np.float32), name="w")
        back = pickle.loads(pickle.dumps(w))
        assert type(back) is kind
        assert (back.name, back.requires_grad, back.dtype) == ("w", w.requires_grad, np.float32)
        np.testing.assert_array_equal(back.data, w.data)

    def test_an_optimizer_and_its_model(self):
        model = nn.Linear(2, 1, rng=np.random.default_rng(0))
        opt = mg.optim.SGD(model, lr=0.5, momentum=0.9)
        back_model, back = pickle.loads(pickle.dumps((model, opt)))
        for net, rule in ((model, opt), (back_model, back)):
            net(T([[1.0, 2.0]])).sum().backward()
            rule.step()
        np.testing.assert_array_equal(back_model.weight.data, model.weight.data)

    def test_an_error_comes_back_from_another_process(self):
        y = leaf([1.0, 2.0]) * 2
        with pytest.raises(GradientError) as caught:
            y.backward()
        for back in (pickle.loads(pickle.dumps(caught.value)), copy.copy(caught.value)):
            assert type(back) is GradientError
            assert (back.code, str(back)) == ("MG-202", str(caught.value))
        kinds = [
            kind for kind in mg.errors.MinigradError.__subclasses__() if kind.__module__ == "minigrad.errors"
        ]
        for kind in kinds:
            assert str(pickle.loads(pickle.dumps(kind("MG-999", "text")))) == "MG-999 text"


class TestGradientsOfLeaves:
    @pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
    @pytest.mark.parametrize("given", ["float16", "float32", "float64", "int64"])
    @pytest.mark.parametrize("as_tensor", [False, True])
    @pytest.mark.parametrize("create_graph", [False, True])
    def test_a_gradient_has_its_leafs_dtype(self, dtype, given, as_tensor, create_graph):
        x = T(np.ones(2, dtype), requires_grad=True)
        g = np.array([2, 3], given)
        for root in (x, x * 1, x.reshape(2, 1).reshape(2)):
            x.grad = None
            root.backward(T(g) if as_tensor else g, create_graph=create_graph)
            assert x.grad.dtype == dtype
            np.testing.assert_array_equal(x.grad.numpy(), [2, 3])

    def test_a_recorded_gradient_does_not_follow_the_array_it_began_with(self):
        x, g = leaf([1.0, 2.0]), np.array([1.0, 1.0])
        (x**3).backward(g, create_graph=True)
        first = x.grad
        g[...] = 100
        x.grad = None
        first.sum().backward()
        np.testing.assert_array_equal(x.grad.data, [6, 12])

    def test_gradients_of_what_requires_none(self):
        a, b = T([1.0, 2.0], name="a"), leaf([3.0, 4.0], dtype="float32")
        with pytest.raises(GradientError, match="MG-204 input 0 of gradients, 'a', does not require"):
            mg.gradients((a * b).sum(), [a])
        with pytest.raises(GradientError, match="MG-204 input 1"):
            mg.gradients((a * b).sum(), [b, a])

    @pytest.mark.parametrize("cut", [lambda y: y.detach(), lambda y: T(1.0), lambda y: T(y.item())])
    def test_gradients_of_what_was_not_recorded(self, cut):
        x = leaf([1.0, 2.0])
        with pytest.raises(GradientError, match="MG-204"):
            mg.gradients(cut((x * x).sum()), [x])
        with mg.no_grad():
            y = (x * x).sum()
        with pytest.raises(GradientError, match="MG-204"):
            mg.gradients(y, [x])

    def test_gradients_are_zero_only_where_no_path_leads(self):
        x, other = leaf([1.0, 2.0]), leaf([5.0])
        found = mg.gradients((x * x).sum(), [x, other])
        assert [g.numpy().tolist() for g in found] == [[2, 4], [0]]
        assert mg.grad(mg.grad(lambda x: 3.0 * x))(2.0).item() == 0

    def test_gradients_of_what_was_used_before_it_required_one(self):
        a, c = T([1.0, 2.0], dtype="float64", name="a"), leaf([3.0, 3.0])
        loss = (a * a).sum() + (a * c).sum()
        a.requires_grad_()
        with pytest.raises(GradientError, match="MG-204 input 0 of gradients, 'a', was used before"):
            mg.gradients(loss, [a])
        loss.backward()
        assert a.grad is None  # as in PyTorch; a part of it would be worse than none
        np.testing.assert_array_equal(c.grad.data, [1, 2])

    def test_gradients_of_any_collection_of_tensors(self):
        x = leaf([1.0, 2.0])
        assert mg.gradients((x * x).sum(), (t for t in [x]))[0].numpy().tolist() == [2, 4]
        with pytest.raises(GradientError, match="MG-204 input 0 of gradients is array"):
            mg.gradients((x * x).sum(), [np.ones(2)])

    def test_a_gradient_added_to_an_assigned_one(self):
        x = T(np.ones(2, "float32"), requires_grad=True)
        x.grad = np.zeros(2)
        (x * 2).sum().backward()
        assert x.grad.dtype == np.float32
        x.grad = np.zeros(3)
        with pytest.raises(GradientError, match=r"MG-505 .*\(2,\).*\(3,\)"):
            (x * 2).sum().backward()

    def test_gradients_of_one_tensor_are_not_those_of_its_rows(self):
        w = leaf([1.0, 2.0])
        (g,) = mg.gradients((w * w).sum(), w)
        np.testing.assert_array_equal(g.data, [2, 4])


class Averaging(nn.Module):
    def __init__(self):
        self.mean = nn.Buffer(np.zeros(2, np.float32))

    def forward(self, x):
        self.mean = 0.9 * self.mean + 0.1 * x.mean(0)
        return x - self.mean


class TestWhatAModuleHolds:
    @pytest.mark.parametrize(
        "new",
        [
            lambda mean: 0.9 * mean + 0.1,
            lambda mean: 0.9 * mean.numpy() + np.float32(0.1),
            lambda mean: [0.1, 0.1],
            lambda mean: nn.Buffer([0.1, 0.1]),
        ],
    )
    def test_a_buffer_stays_a_buffer(self, new):
        model = Averaging()
        model.mean = new(model.mean)
        assert isinstance(model.mean, nn.Buffer)
        assert model.mean.dtype == np.float32
        np.testing.assert_allclose(model.state_dict()["mean"], [0.1, 0.1])

    def test_the_tensor_that_is_kept_stays_what_it_was(self):
        model, t = Averaging(), T([1.0, 2.0], dtype="float64")
        model.mean = t
        assert type(t) is T
        assert model.mean.dtype == np.float32
        model.count = nn.Buffer(np.array(3))
        model.count = 3.7
        assert model.count.item() == pytest.approx(3.7)
        model.count = nn.Buffer(np.array(3))
        model.count = model.count + 1
        assert (model.count.item(), model.count.dtype) == (4, np.int64)

    def test_a_running_mean_is_saved(self):
        model = Averaging()
        for _ in range(2):
            model(T([[1.0, 2.0], [3.0, 4.0]]))
        np.testing.assert_allclose(model.state_dict()["mean"], [0.38, 0.57], rtol=1e-6)

    def test_a_graph_in_a_buffer_is_warned_of_and_not_cut(self):
        model, w = Averaging(), T([2.0, 3.0], requires_grad=True)
        with pytest.warns(MinigradWarning, match=r"MG-516 Averaging\.mean is a Buffer.*detach"):
            loss = model(w * T([[1.0, 1.0]])).sum()
        loss.backward()
        np.testing.assert_allclose(w.grad.data, [0.9, 0.9], rtol=1e-6)

    @pytest.mark.parametrize("value", [lambda w: w.T, lambda w: w.numpy(), lambda w: 3.0, lambda w: T(w)])
    def test_a_parameter_is_not_replaced_by_something_that_nobody_trains(self, value):
        model = nn.Linear(2, 2, rng=np.random.default_rng(0))
        before = model.weight
        with pytest.raises(ConfigError, match=r"MG-515 Linear\.weight is a Parameter"):
            model.weight = value(model.weight)
        assert model.weight is before

    def test_a_parameter_may_be_shared_renewed_or_removed(self):
        one, two = (nn.Linear(2, 2, rng=np.random.default_rng(k)) for k in range(2))
        one.weight = two.weight
        one.bias = None
        two.bias = nn.Parameter(np.zeros(2, np.float32))
        assert nn.Sequential(one, two).count_parameters() == 6

    def test_shared_weights_have_pytorchs_keys(self):
        torch = pytest.importorskip("torch")

        model = nn.Sequential(*(nn.Linear(2, 2, rng=np.random.default_rng(k)) for k in range(3)))
        theirs = torch.nn.Sequential(*(torch.nn.Linear(2, 2) for _ in range(3)))
        for net in (model, theirs):
            net[2].weight = net[0].weight
        assert list(model.state_dict()) == list(theirs.state_dict())
        theirs.load_state_dict({k: torch.from_numpy(v) for k, v in model.state_dict().items()})
        x = np.ones((1, 2), np.float32)
        np.testing.assert_allclose(
            theirs(torch.from_numpy(x)).detach().numpy(), model(T(x)).numpy(), rtol=1e-5
        )
        model.load_state_dict({k: v.numpy() * 2 for k, v in theirs.state_dict().items()})
        assert model[2].weight is model[0].weight

    def test_shared_weights_load_from_any_of_their_names_and_only_if_they_agree(self):
        model = nn.Sequential(*(nn.Linear(2, 2, rng=np.random.default_rng(k)) for k in range(2)))
        model[1].weight = model[0].weight
        state = model.state_dict()
        for left_out in ("0.weight", "1.weight"):
            model.load_state_dict({k: v for k, v in state.items() if k != left_out})
        with pytest.raises(mg.errors.DataError, match=r"MG-713[\s\S]*two values: 1\.weight and 0\.weight"):
            model.load_state_dict(state | {"1.weight": state["1.weight"] + 1})
        model.load_state_dict({k: np.full_like(v, np.nan) for k, v in state.items()})

    def test_a_shared_module_too(self, tmp_path):
        layer = nn.Linear(2, 2, rng=np.random.default_rng(0))
        model = nn.Sequential(layer, nn.ReLU(), layer)
        assert list(model.state_dict()) == ["0.weight", "0.bias", "2.weight", "2.bias"]
        nn.save_weights(model, tmp_path / "w.safetensors")
        nn.load_weights(model, tmp_path / "w.safetensors")


@pytest.mark.parametrize("shape", [(), (0, 2), (7,), (3000,), (40, 300), (2, 3, 500)])
@pytest.mark.parametrize("dtype", ["float32", "int64", "bool", "float16"])
@pytest.mark.parametrize("view", [lambda a: a, lambda a: a.T, lambda a: a[..., ::2] if a.ndim else a])
def test_a_checksum_sees_every_entry_and_the_order(shape, dtype, view):
    rng = np.random.default_rng(0)
    numbers = np.asarray(rng.random(shape) * 100)
    a = np.asarray(view(numbers > 50 if dtype == "bool" else numbers.astype(dtype)))
    before = checksum(a)
    assert checksum(a.copy("K")) == before
    for k in rng.integers(0, a.size, 5) if a.size else ():
        place = np.unravel_index(k, a.shape)
        old, a[place] = a[place].copy(), not a[place] if dtype == "bool" else a[place] + 1
        assert checksum(a) != before
        a[place] = old
        other = np.unravel_index(a.size - 1 - k, a.shape)
        if a[other] != a[place]:
            a[place], a[other] = a[other].copy(), a[place].copy()
            assert checksum(a) != before
            a[place], a[other] = a[other].copy(), a[place].copy()
    assert checksum(a) == before
