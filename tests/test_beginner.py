"""The lines that a first loop of one's own is made of: they do what they do in PyTorch, or say what to write."""

from __future__ import annotations

import math

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim
from minigrad.errors import DtypeError, GradientError, MinigradWarning, ShapeError


def leaf(values, name=None, dtype="float64") -> mg.Tensor:
    return mg.Tensor(np.array(values, dtype=dtype), requires_grad=True, name=name)


@pytest.fixture(autouse=True)
def _warn_again(monkeypatch):
    monkeypatch.setattr(mg.errors, "_warned", set())


class TestUpdatesByHand:
    """Descent on Σ w² with the rate 0.1: each step leaves 0.8 of w."""

    def descend(self, update, forget, steps=3):
        w = leaf([1.0, -2.0], "w")
        for _ in range(steps):
            (w * w).sum().backward()
            made = update(w)
            w = w if made is None else made
            forget(w)
        np.testing.assert_allclose(w.numpy(), np.array([1.0, -2.0]) * 0.8**steps, rtol=1e-12)
        return w

    def add_to_data(self, w):
        w.data += -0.1 * w.grad

    def subtract_from_data(self, w):
        w.data -= 0.1 * w.grad

    def new_data(self, w):
        w.data = w.data - 0.1 * w.grad

    def new_data_of_arrays(self, w):
        w.data = w.data - 0.1 * w.grad.data

    def part_of_data(self, w):
        w.data[:] -= 0.1 * w.grad
        w.bump_version()

    def under_no_grad(self, w):
        with mg.no_grad():
            w -= 0.1 * w.grad

    def in_place_word(self, w):
        with mg.no_grad():
            w.add_(w.grad, alpha=-0.1)

    def in_place_words(self, w):
        with mg.no_grad():
            w.sub_(w.grad.mul(0.1))

    def entries(self, w):
        with mg.no_grad():
            w[...] = w - 0.1 * w.grad

    def out(self, w):
        np.subtract(w.data, 0.1 * w.grad, out=w.data)
        w.bump_version()

    def made_anew(self, w):
        return mg.Tensor(w.data - 0.1 * w.grad.data, requires_grad=True)

    def detached(self, w):
        return (w - 0.1 * w.grad).detach().requires_grad_()

    @pytest.mark.parametrize(
        "update",
        [
            *(add_to_data, subtract_from_data, new_data, new_data_of_arrays, part_of_data, under_no_grad),
            *(in_place_word, in_place_words, entries, out, made_anew, detached),
        ],
    )
    def test_a_way_to_write_the_update(self, update):
        self.descend(lambda w: update(self, w), lambda w: w.zero_grad())

    @pytest.mark.parametrize(
        "forget",
        [
            lambda w: w.zero_grad(),
            lambda w: setattr(w, "grad", None),
            lambda w: w.grad.zero_(),
            lambda w: w.grad.fill_(0),
            lambda w: w.grad.data.fill(0),
            lambda w: w.grad.__setitem__(..., 0),
            lambda w: setattr(w, "grad", [0, 0]),
        ],
    )
    def test_a_way_to_forget_the_gradient(self, forget):
        w = self.descend(lambda w: self.under_no_grad(w), forget)
        assert w.grad is None or w.grad.dtype == np.float64
        (w * w).sum().backward()
        assert w.grad.dtype == np.float64
        optim.SGD([w], lr=0.1).step()  # no MG-201: there is one pass in it

    def test_the_loop_that_makes_its_weight_anew(self):
        w = leaf([1.0, 2.0], "w")
        (w * w).sum().backward()
        w = w - 0.1 * w.grad
        (w * w).sum().backward()
        with pytest.warns(MinigradWarning, match=r"MG-218") as caught, pytest.raises(TypeError):
            0.1 * w.grad
        told = str(caught[0].message)
        for part in (
            "the result of subtract",
            "test_beginner.py line",
            "no leaf",
            "mg.no_grad(): w -= 0.1 * w.grad",
        ):
            assert part in told

    def test_who_keeps_a_gradient_is_not_warned(self):
        w = leaf([1.0])
        assert w.grad is None
        y = (w * 2).retain_grad()
        assert y.grad is None
        y.sum().backward()
        np.testing.assert_array_equal(y.grad.data, [1])
        assert mg.Tensor([1.0]).grad is None

    @pytest.mark.parametrize("value", [0, 0.0, [1.0], [[1.0, 2.0]]])
    def test_a_gradient_of_another_shape(self, value):
        w = leaf([1.0, 2.0], "w")
        with pytest.raises(
            GradientError, match=r"MG-219 'w' has shape \(2,\).* given .*w\.grad = None"
        ) as caught:
            w.grad = value
        assert repr(value) in str(caught.value)

    def test_an_update_outside_of_no_grad(self):
        w = leaf([1.0, 2.0], "w")
        (w * w).sum().backward()
        with pytest.raises(
            GradientError, match=r"MG-207 .*'w'.*with mg\.no_grad\(\):', w -= 0\.1 \* w\.grad"
        ):
            w -= 0.1 * w.grad
        with pytest.raises(
            GradientError, match=r"MG-207 .*the result of multiply.*a = np\.where\(mask, b, a\)"
        ):
            (w * 2)[0] = 1.0
        c = mg.Tensor([0.0, 0.0], name="c")
        with pytest.raises(
            GradientError, match=r"MG-207 .*'c'.*Write c = c \+ b, or c = np\.where\(mask, b, c\)"
        ):
            c[0] = w[0]


class TestArraysAndTensors:
    def test_a_tensor_without_a_graph_is_written_into_an_array(self):
        a, t = np.array([1.0, 2.0]), mg.Tensor([10.0, 20.0])
        memory = a
        a += t
        a *= mg.Tensor(2.0)
        assert a is memory
        np.testing.assert_array_equal(np.subtract(a, t, out=a), [12, 24])
        assert np.exp(t, out=a) is a
        np.testing.assert_allclose(a, np.exp([10.0, 20.0]))
        with mg.no_grad():
            a += leaf([1.0, 1.0])
        np.testing.assert_allclose(a, np.exp([10.0, 20.0]) + 1)

    @pytest.mark.parametrize(
        ("write", "name"),
        [
            (lambda a, w: a.__iadd__(w), "add"),
            (lambda a, w: a.__isub__(w), "subtract"),
            (lambda a, w: np.multiply(a, w, out=a), "multiply"),
            (lambda a, w: np.exp(w, out=a), "exp"),
        ],
    )
    def test_one_with_a_graph_is_not(self, write, name):
        a = np.zeros(2)
        with pytest.raises(GradientError, match=rf"MG-208 np\.{name} writes 'w'.*y = a \+ t.*t\.numpy\(\)"):
            write(a, leaf([1.0, 2.0], "w"))
        np.testing.assert_array_equal(a, 0)

    def test_a_function_of_two_results_writes_into_none(self):
        with pytest.raises(mg.errors.OperationError, match=r"MG-602 np\.modf\(tensor, out=…\)"):
            np.modf(mg.Tensor([1.5]), out=(np.zeros(1), np.zeros(1)))

    @pytest.mark.parametrize(
        "call",
        [np.mean, np.array, np.sum, np.max, np.asarray, np.median, mg.tensor, mg.Tensor, max],
    )
    def test_a_list_of_tensors_is_joined_with_its_graph(self, call):
        t0, t1 = leaf([1.0, 2.0]), leaf([3.0, 4.0])
        with pytest.raises((GradientError, mg.errors.OperationError, ShapeError, DtypeError)) as caught:
            call([t0, t1])
        told = str(caught.value)
        assert "np.stack([t" in told or "np.maximum" in told
        np.mean(np.stack([t0, t1])).backward()
        np.testing.assert_array_equal(t0.grad.data, [0.25, 0.25])

    def test_rows_are_joined_with_their_graph(self):
        t0, t1 = leaf([1.0, 2.0]), leaf([3.0, 4.0])
        np.mean(np.vstack([t0, t1])).backward()
        np.testing.assert_array_equal(t1.grad.data, [0.25, 0.25])

    def test_pythons_own_sum_and_max(self):
        t0, t1 = leaf(1.0), leaf(3.0)
        sum([t0, t1, t0]).backward()
        assert (t0.grad.item(), t1.grad.item()) == (2, 1)
        assert max(t0, t1) is t1
        assert math.exp(t0) == math.e  # a number, without a graph

    @pytest.mark.parametrize(
        "test", [lambda t: bool(t > 0), lambda t: max(t, t + 1), lambda t: not t, lambda t: 0 < t < 1]
    )
    def test_many_entries_have_no_truth(self, test):
        with pytest.raises(
            ShapeError, match=r"MG-104 .*\(2, 3\).*\(t > 0\)\.any\(\).*np\.where.*np\.maximum"
        ):
            test(leaf(np.ones((2, 3))))

    @pytest.mark.parametrize("convert", [float, int, mg.Tensor.item])
    def test_many_entries_are_no_number(self, convert):
        with pytest.raises(ShapeError, match=r"MG-104 'x' has shape \(2,\).* 2 numbers.*t\[0\].*t\.mean\(\)"):
            convert(leaf([1.0, 2.0], "x"))

    @pytest.mark.parametrize("dtype", ["float64", "float32", "int64"])
    def test_an_array_takes_a_number_out_of_the_graph_and_not_in_silence(self, dtype):
        losses, w = np.zeros(4, dtype), leaf(2.0, "w")
        with pytest.warns(MinigradWarning, match=r"MG-208 a\[…\] = 'w'.* store float\(t\).*np\.stack"):
            losses[1] = w
        losses[2] = float(w)
        losses[int(w) + 1] = w.item()
        losses[0] = leaf(1.0).detach()
        numbers = {}
        numbers[0] = w
        assert losses.tolist() == [1, 2, 2, 2]


class TestOperandsThatAreNone:
    @pytest.mark.parametrize(
        ("compute", "operation", "where"),
        [
            (lambda w: w - w.grad, "subtract", "b"),
            (lambda w: None * w, "multiply", "a"),
            (lambda w: w @ None, "matmul", "b"),
            (lambda w: np.maximum(w, None), "maximum", "b"),
            (lambda w: w.add(w.grad), "add", "b"),
        ],
    )
    def test_none(self, compute, operation, where):
        with pytest.raises(
            mg.errors.OperationError,
            match=rf"MG-609 {operation} .*input {where} is None.*backward\(\).*'return'",
        ):
            compute(leaf([1.0, 2.0]))

    @pytest.mark.parametrize(
        ("value", "told"), [("0.1", "'0.1', a str"), (np.sin, "a ufunc"), (nn.ReLU(), "a ReLU")]
    )
    def test_what_is_no_number(self, value, told):
        with pytest.raises(mg.errors.OperationError, match=rf"MG-609 multiply .*input b is .*{told}"):
            leaf([1.0]) * value

    def test_a_bias_may_be_none(self):
        with pytest.raises(DtypeError, match="MG-211"):
            mg.ops.linear(leaf([[1.0]]), leaf([[1.0]], dtype="float32"), None)
        assert mg.ops.linear(leaf([[2.0]]), leaf([[3.0]]), None).item() == 6

    @pytest.mark.filterwarnings("ignore::DeprecationWarning")
    def test_a_tensor_of_pytorch(self):
        torch = pytest.importorskip("torch")
        for compute in (lambda w, o: w * o, lambda w, o: np.add(w, o)):
            with pytest.raises(
                mg.errors.OperationError, match=r"MG-608 a torch\.Tensor .*mg\.Tensor\(other\.numpy"
            ):
                compute(leaf([1.0, 2.0]), torch.ones(2, dtype=torch.float64))


class TestListsOfNumbers:
    @pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
    @pytest.mark.parametrize("numbers", [[1, 2], [0.1, 0.7], (1, 2), [1, 0.5]])
    @pytest.mark.parametrize(
        "f",
        [
            lambda t, n: t + n,
            lambda t, n: n - t,
            lambda t, n: t * n,
            lambda t, n: t / n,
            lambda t, n: t**n,
            lambda t, n: np.maximum(t, n),
            lambda t, n: np.where(t.numpy() > 1.5, t, n),
            lambda t, n: np.where([True, False], t, n),
            lambda t, n: np.concatenate([t, n]),
            lambda t, n: np.stack([t, n]),
            lambda t, n: t @ n,
            lambda t, n: np.dot(t, n),
        ],
    )
    def test_take_the_dtype_of_the_tensor_beside_them(self, f, numbers, dtype):
        t = leaf([1.0, 2.0], dtype=dtype)
        expected = f(leaf([1.0, 2.0], dtype=dtype), np.array(numbers, dtype=dtype))
        value = f(t, numbers)
        assert value.dtype == dtype
        np.testing.assert_array_equal(value.data, expected.data)
        value.sum().backward()
        assert t.grad.dtype == dtype

    def test_are_compared_in_it(self):
        t = mg.Tensor(np.array([0.1, 0.7]))
        assert (t == [0.1, 0.7]).data.all()
        assert (mg.Tensor([0.1, 0.7]) == [0.1, 0.7]).data.all()

    def test_stay_what_they_are_where_they_are_no_operands(self):
        t = leaf([[1.0, 2.0], [3.0, 4.0]], dtype="float32")
        np.testing.assert_array_equal(t[[1, 0]].data, [[3, 4], [1, 2]])
        np.testing.assert_array_equal(np.take_along_axis(t, [[0], [1]], 1).data, [[1], [4]])
        np.testing.assert_array_equal(np.where([[1, 0]], t, 0).data, [[1, 0], [3, 0]])
        assert nn.cross_entropy(t, [0, 1]).dtype == np.float32
        assert (mg.Tensor([1, 2]) * [1, 2]).dtype == np.int64

    def test_an_array_keeps_its_own(self):
        assert (leaf([1.0], dtype="float32") + np.array([1.0])).dtype == np.float64  # NumPy's promotion


class TestNoGraph:
    def test_a_forgotten_requires_grad_comes_first(self):
        w, b, x = mg.Tensor([1.0, 2.0]), mg.Tensor(0.5, name="bias"), mg.Tensor(np.ones((3, 2), "float32"))
        labels = mg.Tensor([1, 2, 3])
        loss = ((x @ w + b - labels) ** 2).mean()
        with pytest.raises(GradientError, match=r"MG-204") as caught:
            loss.backward()
        told = str(caught.value)
        assert (
            "Was requires_grad=True forgotten? None of the tensors here has it: w (2,), bias (), x (3, 2)."
            in told
        )
        assert "w = mg.Tensor(…, requires_grad=True), or gets it by w.requires_grad_()" in told
        assert told.index("requires_grad") < told.index("no_grad()")
        assert "labels" not in told

    def test_a_leaf_that_has_it_is_named(self):
        w, x = leaf([1.0, 2.0], "weight"), mg.Tensor([1.0, 2.0])
        loss = (x * w.numpy()).sum()
        with pytest.raises(
            GradientError, match=r"MG-204 .*weight has requires_grad=True, but the graph does not reach it"
        ):
            loss.backward()
        v = leaf([1.0])
        with pytest.raises(
            GradientError, match=r"MG-204 .*weight, v have requires_grad=True.*not reach them"
        ):
            loss.backward()
        assert v.grad is None

    def test_frozen_weights_are_named_too(self):
        model = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
        for _, p in model.named_parameters():
            p.requires_grad_(False)
        with pytest.raises(GradientError, match="MG-204") as caught:
            model(mg.Tensor([[1.0, 2.0]])).sum().backward()
        told = str(caught.value)
        assert (
            "None of the tensors here has it: model.0.weight (3, 2), model.0.bias (3,), model.1.weight (1, 3)"
            in told
        )

    def test_integers_have_no_gradient(self):
        t = mg.Tensor([1, 2], name="t")
        t.requires_grad = True
        with pytest.raises(GradientError, match=r"MG-204 .* t holds integers.*mg\.Tensor\(\[1\., 2\.\]"):
            (t * t).sum().backward()

    def test_a_weight_that_lost_it_under_no_grad(self):
        w = leaf([1.0, 2.0])
        with mg.no_grad():
            w = w - 0.1
        with pytest.raises(
            GradientError, match=r"MG-204 .*w \(2,\).*w = w - … under mg\.no_grad\(\) is a new tensor"
        ):
            (w * w).sum().backward()

    def test_inside_no_grad_it_says_so(self):
        w = leaf([1.0])
        with (
            mg.no_grad(),
            pytest.raises(GradientError, match=r"MG-204 .*Nothing is recorded here.*mg\.no_grad"),
        ):
            (w * w).sum().backward()


def test_a_backward_without_its_parentheses():
    w = leaf([1.0])
    loss = (w * w).sum()
    loss.backward  # noqa: B018
    with pytest.raises(mg.errors.OptimizerError, match=r"MG-503 .*loss\.backward\(\).* with its parentheses"):
        optim.SGD([w], lr=0.1).step()


class TestWrittenMeanwhile:
    """MG-205: what to do depends on how the saved value was written."""

    def after(self, write, told):
        w, c = leaf([1.0, 2.0], "w"), mg.Tensor(np.array([3.0, 4.0]), name="c")
        loss = (w * w * c).sum()
        write(w, c)
        with pytest.raises(GradientError, match=r"MG-205") as caught:
            loss.backward()
        assert told in str(caught.value)
        assert "test_beginner.py line" in str(caught.value)

    @pytest.mark.parametrize("value", [100, [1.0, 2.0]])
    def test_an_entry(self, value):
        self.after(lambda w, c: c.__setitem__(..., value), "c = np.where(mask, value, c)")

    @pytest.mark.parametrize(
        "write", [lambda c: c.__iadd__(1), lambda c: c.mul_(2), lambda c: np.exp(c, out=c)]
    )
    def test_in_place(self, write):
        self.after(lambda w, c: write(c), "Write c = c + 1 instead of c += 1")

    def test_new_data(self):
        self.after(lambda w, c: setattr(w, "data", np.ones(2)), "Assign w.data after backward()")

    def test_data_in_place(self):
        def add(w, c):
            w.data += 1

        self.after(add, "Assign w.data after backward()")

    def test_an_optimizer(self):
        def step(w, c):
            w.grad = np.ones(2)
            optim.SGD([w], lr=0.1).step()

        self.after(step, "opt.step() comes after every backward()")

    def test_loaded_weights(self):
        model = nn.Linear(2, 1)
        loss = (model(mg.Tensor([[1.0, 2.0]])) ** 2).sum()
        loss = (loss * model.weight * model.weight).sum()
        model.load_state_dict(model.state_dict())
        with pytest.raises(GradientError, match=r"MG-205 .*Load the weights first, then compute the loss"):
            loss.backward()


class TestNamedParameters:
    def test_a_loop_gives_pairs(self):
        model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
        names = ["0.weight", "0.bias", "2.weight", "2.bias"]
        assert [(name, p.shape) for name, p in model.named_parameters()] == list(
            zip(names, [(3, 2), (3,), (1, 3), (1,)], strict=True)
        )
        assert dict(model.named_parameters()) == model.named_parameters()
        assert list(dict(model.named_parameters())) == list(model.named_parameters().keys()) == names
        assert {**model.named_parameters()}["0.bias"] is model.named_parameters()["0.bias"]
        assert "2.bias" in model.named_parameters()
        assert len(model.named_parameters()) == 4
        assert [name for name, _ in model.named_modules()] == ["", "0", "1", "2"]

    def test_an_optimizer_takes_them(self):
        model = nn.Linear(2, 1)
        for params in (model.named_parameters(), dict(model.named_parameters()), model.parameters(), model):
            model.zero_grad()
            (model(mg.Tensor([[1.0, 2.0]])) ** 2).sum().backward()
            optim.SGD(params, lr=0.1).step()
