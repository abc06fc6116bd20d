"""NumPy's own functions and Python's operators, given Tensors; and values worked out by hand."""

from __future__ import annotations

import operator

import numpy as np
import pytest

import minigrad as mg
from minigrad import ops
from minigrad.errors import DtypeError, GradientError, LabelError, OperationError, ShapeError


def leaf(values) -> mg.Tensor:
    return mg.Tensor(np.array(values, dtype=np.float64), requires_grad=True)


def test_functions_give_tensors():
    t, u = leaf([1.0, 2.0]), leaf([3.0])
    for result in (
        np.sin(t),
        np.concatenate([t, u]),
        np.array([1.0, 2.0]) @ t,
        2 - t,
        np.stack([t, t]),
        np.ravel(t),
    ):
        assert isinstance(result, mg.Tensor)
        assert result.requires_grad
    np.testing.assert_array_equal(np.concatenate([t, u]).data, [1, 2, 3])


def test_a_bare_array_beside_a_tensor_may_stand_on_either_side():
    t, a = leaf([[1.0, 2.0], [3.0, 4.0]]), np.array([[5.0, 6.0], [7.0, 8.0]])
    np.testing.assert_array_equal((a @ t).data, a @ t.data)
    np.testing.assert_array_equal((t @ a).data, t.data @ a)
    np.testing.assert_array_equal((a - t).data, a - t.data)
    (a @ t).sum().backward()
    np.testing.assert_array_equal(
        t.grad.data, [[12.0, 12.0], [14.0, 14.0]]
    )  # column sums of a, in each column


def test_operations_on_bare_arrays_give_bare_arrays():
    assert type(ops.relu(np.array([-1.0, 2.0]))) is np.ndarray
    assert type(ops.softmax(np.ones((2, 3)))) is np.ndarray
    assert type(ops.split(np.arange(4.0), 2)[0]) is np.ndarray


def test_an_input_may_be_given_by_name():
    x, w, b = leaf([[1.0, 2.0]]), leaf([[3.0, 4.0]]), leaf([5.0])
    ops.linear(x, w, b=b).sum().backward()
    np.testing.assert_array_equal(b.grad.data, [1.0])
    t = leaf([1.0, 2.0])
    np.sum(a=t).backward()
    np.testing.assert_array_equal(t.grad.data, [1.0, 1.0])


def test_a_tensor_as_a_parameter_is_refused():
    with pytest.raises(
        OperationError, match="MG-605 leaky_relu has no gradient rule for its parameter 'slope'"
    ):
        ops.leaky_relu(leaf([1.0]), slope=leaf(0.1))
    with pytest.raises(OperationError, match="MG-605"):
        ops.leaky_relu(np.ones(2), leaf(0.1))


def test_shapes_and_likes():
    t = leaf(np.ones((2, 3)))
    assert (np.shape(t), np.ndim(t), np.size(t)) == ((2, 3), 2, 6)
    zeros, ones = np.zeros_like(t), np.ones_like(t)
    assert isinstance(zeros, mg.Tensor)
    assert not zeros.requires_grad
    np.testing.assert_array_equal(ones.data - zeros.data, np.ones((2, 3)))


@pytest.mark.parametrize("axis", [None, 0, 1, -1, (0, 1), (0, 2), (-1, 1)])
@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("name", ["sum", "mean", "var", "std", "max", "min", "prod"])
def test_reductions_as_methods(name, axis, keepdims):
    a = np.random.default_rng(0).normal(size=(2, 3, 4))
    expected = getattr(np, name)(a, axis=axis, keepdims=keepdims)
    result = getattr(leaf(a), name)(axis=axis, keepdims=keepdims)
    np.testing.assert_allclose(result.data, expected, rtol=1e-15)
    np.testing.assert_allclose(getattr(np, name)(leaf(a), axis, keepdims=keepdims).data, expected, rtol=1e-15)


def test_reshape_and_transpose_in_all_their_spellings():
    t = leaf(np.arange(6.0).reshape(2, 3))
    for spelling in (t.reshape(3, 2), t.reshape((3, 2)), t.reshape(-1, 2), np.reshape(t, (3, 2))):
        assert spelling.shape == (3, 2)
    for spelling in (t.T, t.transpose(), t.transpose(1, 0), t.transpose((1, 0)), np.transpose(t)):
        np.testing.assert_array_equal(spelling.data, t.data.T)
    assert t.flatten().shape == t.ravel().shape == t.reshape(-1).shape == (6,)


class TestIndexing:
    @pytest.mark.parametrize(
        ("index", "gradient"),
        [
            (1, [[0, 0, 0], [1, 1, 1]]),
            ((slice(None), -1), [[0, 0, 1], [0, 0, 1]]),
            (np.array([[True, False, False], [False, True, True]]), [[1, 0, 0], [0, 1, 1]]),
            (np.array([0, 0, 1]), [[2, 2, 2], [1, 1, 1]]),
            ([0, 0, 0], [[3, 3, 3], [0, 0, 0]]),
            ((np.array([0, 1, 0]), np.array([2, 0, 2])), [[0, 0, 2], [1, 0, 0]]),
            (mg.Tensor([0, 0]), [[2, 2, 2], [0, 0, 0]]),
            ((mg.Tensor([1, 1]), mg.Tensor([0, 0])), [[0, 0, 0], [2, 0, 0]]),
            (np.int64(1), [[0, 0, 0], [1, 1, 1]]),
            (..., [[1, 1, 1], [1, 1, 1]]),
            (None, [[1, 1, 1], [1, 1, 1]]),
            (True, [[1, 1, 1], [1, 1, 1]]),
        ],
    )
    def test_repeated_indices_add_up(self, index, gradient):
        t = leaf(np.arange(6.0).reshape(2, 3))
        t[index].sum().backward()
        np.testing.assert_array_equal(t.grad.data, gradient)

    def test_a_mask_may_be_a_comparison_of_tensors(self):
        t = leaf([1.0, -2.0, 3.0])
        t[t > 0].sum().backward()
        np.testing.assert_array_equal(t.grad.data, [1, 0, 1])

    def test_out_of_range_is_an_index_error(self):
        with pytest.raises(IndexError):
            leaf([1.0])[3]


class TestInPlace:
    @pytest.mark.parametrize(
        "write",
        [
            lambda t: t.__iadd__(1),
            lambda t: t.__imul__(2),
            lambda t: t.__setitem__(0, 1.0),
            lambda t: np.add(t, 1, out=t),
            lambda t: np.exp(t, out=t),
        ],
    )
    def test_a_write_that_the_graph_cannot_see_is_refused(self, write):
        with pytest.raises(GradientError, match="MG-207 an in-place write to 'w'"):
            write(mg.Tensor([1.0, 2.0], requires_grad=True, name="w"))

    def test_writing_a_tracked_value_into_an_untracked_tensor_is_refused(self):
        t = mg.Tensor([1.0, 2.0])
        with pytest.raises(GradientError, match="MG-207"):
            t[0] = leaf(1.0)
        with pytest.raises(GradientError, match="MG-207"):
            np.add(t, leaf([1.0, 1.0]), out=t)

    @pytest.mark.parametrize("name", ["add", "sub", "mul", "truediv", "pow"])
    def test_an_operator_on_what_was_computed_makes_a_new_tensor(self, name):
        w, p = leaf([1.5, 2.0]), leaf([3.0, 0.5])
        old = new = w * 2
        new = getattr(operator, f"i{name}")(new, p)
        assert new is not old
        expected = getattr(operator, name)(leaf([3.0, 4.0]), p)
        np.testing.assert_array_equal(new.data, expected.data)
        np.testing.assert_array_equal(old.data, [3, 4])
        mg.gradcheck(lambda w, p: getattr(operator, f"i{name}")(w * 2, p), (w.numpy(), p.numpy()))

    def test_a_total_takes_up_what_requires_a_gradient(self):
        w, total = leaf([1.0, 2.0]), mg.Tensor(0.0)
        for k in range(3):
            total += (k * w).sum()
        total.backward()
        np.testing.assert_array_equal(w.grad.data, [3, 3])

    def test_its_dtype_and_shape_stay(self):
        h = leaf([1.0, 2.0]).astype("float32") * 2
        h += np.array([0.5, 0.5])
        assert h.dtype == np.float32
        with pytest.raises(ShapeError, match=r"MG-103 add in place: .* \(2,\) cannot take \(3, 2\)"):
            h += np.ones((3, 2))

    def test_a_view_and_whole_numbers_are_refused(self):
        h = leaf([[1.0, 2.0], [3.0, 4.0]]) * 2
        for old in (h[0], h.reshape(-1), h.T, mg.Tensor(np.ones((2, 2)))[0], mg.Tensor(np.arange(2))):
            with pytest.raises(GradientError, match="MG-207"):
                old += leaf(1.0)

    def test_under_no_grad_it_writes_into_the_same_memory(self):
        t = leaf([1.0, 2.0])
        memory = t.data
        with mg.no_grad():
            assert np.add(t, 1, out=t) is t
            computed = same = t * 1
            computed += 1
            assert computed is same
            t *= 2
            t[0] = 7
        assert t.data is memory
        np.testing.assert_array_equal(memory, [7.0, 6.0])
        assert t.requires_grad

    def test_an_untracked_tensor_can_be_written(self):
        t = mg.Tensor([1.0, 2.0])
        t += 1
        t[0] = 5
        np.testing.assert_array_equal(t.data, [5.0, 3.0])

    def test_a_bare_array_is_no_place_for_a_tensor(self):
        with pytest.raises(GradientError, match=r"MG-208 np\.add writes this tensor.*y = a \+ t"):
            np.add(leaf([1.0]), 1, out=np.zeros(1))


class TestRefusals:
    @pytest.mark.parametrize(
        ("call", "name"),
        [
            (lambda t: np.add.at(t, [0], t), "np.add.at"),
            (lambda t: np.add(t, t, where=np.array([True, False])), "where="),
            (lambda t: np.linalg.eigvals(t), "np.linalg.eigvals"),
            (lambda t: np.fft.fft(t), "np.fft.fft"),
        ],
    )
    def test_functions_without_a_rule_are_named(self, call, name):
        with pytest.raises(OperationError, match="MG-602") as caught:
            call(leaf([1.0, 2.0]))
        assert name in str(caught.value)

    def test_unknown_options_are_refused(self):
        with pytest.raises(TypeError):
            np.sum(leaf([1.0]), dtype="float32")

    def test_a_name_can_be_used_once(self):
        with pytest.raises(OperationError, match="MG-603 there is an operation named 'sin' in minigrad"):
            mg.define("sin", np.sin, "sin a", None)

    def test_a_rule_that_asks_for_something_unknown(self):
        with pytest.raises(OperationError, match=r"MG-603 .*asks for 'z'; it can have g, y, a, a_shape"):
            mg.define("unheard_of", lambda a: a, "a", ("z", lambda g, z: z), inputs="a")

    def test_one_rule_per_input(self):
        with pytest.raises(OperationError, match=r"MG-603 .*has inputs \['a', 'b'\] but 1 gradient rules"):
            mg.define("lopsided", lambda a, b: a, "a", ("g", lambda g: g))

    def test_a_rule_that_returns_another_shape(self, monkeypatch):
        monkeypatch.setattr(mg.registry, "operations", dict(mg.registry.operations))
        short = mg.define("short", lambda a: a * 1, "a", ("g[:2]", lambda g: g[:2]), inputs="a")
        with pytest.raises(
            OperationError, match=r"MG-604 rule short_vjp_0 .* returned shape \(2,\) .* shape \(3,\)"
        ):
            short(leaf([1.0, 2.0, 3.0])).sum().backward()


class TestMatmul:
    def test_a_transposed_matrix_is_recognised(self):
        with pytest.raises(ShapeError) as caught:
            leaf(np.ones((64, 784))) @ np.ones((128, 784))
        assert str(caught.value).startswith(
            "MG-102 x(64,784) @ W(128,784): inner sizes 784 and 128 differ. "
            "W.T is (784,128) and fits: x @ W.T -> (64,128)."
        )

    def test_numbers_are_no_matrices(self):
        with pytest.raises(ShapeError, match="MG-102"):
            leaf([1.0]) @ 2.0

    def test_mixed_dtypes(self):
        with pytest.raises(DtypeError, match=r"MG-211 .*float64.*float32"):
            leaf([[1.0]]) @ mg.Tensor([[1.0]])

    def test_dot_is_not_matmul_on_stacks(self):
        assert np.dot(leaf(np.ones((2, 3))), np.ones((5, 3, 2))).shape == (2, 5, 2)
        with pytest.raises(ShapeError, match="MG-103 tensordot"):
            np.dot(leaf(np.ones((2, 3))), np.ones((5, 2, 3)))
        np.testing.assert_array_equal(np.dot(leaf([1.0, 2.0]), 3.0).data, [3.0, 6.0])


class TestPointsWhereRulesGoWrong:
    def test_ties_share_the_gradient(self):
        a, b = leaf([1.0, 2.0, 3.0]), leaf([1.0, 5.0, 0.0])
        np.maximum(a, b).sum().backward()
        np.testing.assert_array_equal(a.grad.data, [0.5, 0, 1])
        np.testing.assert_array_equal(b.grad.data, [0.5, 1, 0])
        c, d = leaf([1.0, 2.0, 3.0]), leaf([1.0, 5.0, 0.0])
        np.minimum(c, d).sum().backward()
        np.testing.assert_array_equal(c.grad.data, [0.5, 1, 0])
        np.testing.assert_array_equal(d.grad.data, [0.5, 0, 1])

    def test_equal_extremes_share_the_gradient(self):
        a = leaf([[2.0, 1.0, 2.0], [0.0, 0.0, 0.0]])
        a.max(axis=1).sum().backward()
        np.testing.assert_array_equal(a.grad.data, [[0.5, 0, 0.5], [1 / 3, 1 / 3, 1 / 3]])

    def test_products_with_zeros(self):
        a = leaf([[2.0, 3.0, 4.0], [0.0, 3.0, 4.0], [0.0, 0.0, 4.0]])
        a.prod(axis=1).sum().backward()
        np.testing.assert_array_equal(a.grad.data, [[12, 8, 6], [12, 0, 0], [0, 0, 0]])

    def test_powers_of_zero(self):
        a = leaf([0.0, 0.0, 0.0])
        (a ** np.array([0.0, 1.0, 2.0])).sum().backward()
        np.testing.assert_array_equal(a.grad.data, [0, 1, 0])
        b = leaf([0.0, 1.0, 2.0])
        (np.zeros(3) ** b).sum().backward()
        np.testing.assert_array_equal(b.grad.data, [0, 0, 0])

    def test_the_exponent_zero_has_a_second_derivative(self):
        # d²/da db a^b at b = 0 is 1/a
        mixed = mg.grad(lambda b: mg.grad(lambda a: (a**b).sum())(np.array([4.0])).sum())(np.array([0.0]))
        np.testing.assert_allclose(mixed.data, [0.25], rtol=1e-15)

    def test_absolute_value_at_zero(self):
        a = leaf([-2.0, 0.0, 2.0])
        abs(a).sum().backward()
        np.testing.assert_array_equal(a.grad.data, [-1, 0, 1])

    def test_relu_at_zero(self):
        a = leaf([-1.0, 0.0, 1.0])
        ops.relu(a).sum().backward()
        np.testing.assert_array_equal(a.grad.data, [0, 0, 1])

    def test_the_deviation_of_equal_numbers(self):
        a = leaf([3.0, 3.0, 3.0])
        a.std().backward()
        np.testing.assert_array_equal(a.grad.data, [0, 0, 0])

    def test_clip_at_its_bounds(self):
        a = leaf([-1.0, 0.0, 0.5, 1.0, 2.0])
        a.clip(0.0, 1.0).sum().backward()
        np.testing.assert_array_equal(a.grad.data, [0, 1, 1, 1, 0])

    def test_clip_gives_tensor_bounds_their_gradients(self):
        a, low = leaf([-1.0, 3.0]), leaf([0.0, 0.0])
        np.clip(a, low, 2.0).sum().backward()
        np.testing.assert_array_equal(low.grad.data, [1, 0])
        np.testing.assert_array_equal(a.grad.data, [0, 0])
        np.testing.assert_array_equal(np.clip(np.array([5.0, -5.0]), low, None).data, [5, 0])


class TestStableForms:
    """Where the textbook form breaks, and the other does not."""

    @pytest.fixture(autouse=True)
    def _quietly(self):
        with np.errstate(all="ignore"):
            yield

    def test_sigmoid(self):
        x = np.array([-1000.0, 0.0, 1000.0])
        with pytest.raises(FloatingPointError), np.errstate(over="raise"):
            ops.naive_sigmoid(x)
        with np.errstate(over="raise", invalid="raise"):
            np.testing.assert_array_equal(ops.sigmoid(x), [0, 0.5, 1])
        tiny = ops.sigmoid(np.float64(-700.0))
        np.testing.assert_allclose(tiny, np.exp(-700.0), rtol=1e-15)

    def test_sigmoid_gradient(self):
        x = leaf([-1000.0, 0.0, 1000.0])
        ops.sigmoid(x).sum().backward()
        np.testing.assert_array_equal(x.grad.data, [0, 0.25, 0])

    def test_softmax(self):
        x = np.array([1000.0, 1000.0])
        assert np.isnan(ops.naive_softmax(x)).all()
        np.testing.assert_array_equal(ops.softmax(x), [0.5, 0.5])

    def test_logsumexp(self):
        x = np.array([1000.0, 1000.0])
        assert np.isinf(ops.naive_logsumexp(x))
        np.testing.assert_allclose(ops.logsumexp(x), 1000 + np.log(2), rtol=1e-15)
        np.testing.assert_allclose(ops.logsumexp(-x), -1000 + np.log(2), rtol=1e-15)
        assert ops.logsumexp(np.array([-np.inf, -np.inf])) == -np.inf

    def test_log_softmax(self):
        x = np.array([0.0, 2000.0])
        with np.errstate(divide="ignore"):
            assert np.isinf(np.log(ops.softmax(x))[0])
        np.testing.assert_array_equal(ops.log_softmax(x), [-2000, 0])

    def test_softplus(self):
        x = np.array([-800.0, 0.0, 800.0])
        assert np.isinf(np.log(1 + np.exp(x))[2])
        np.testing.assert_allclose(ops.softplus(x), [0.0, np.log(2), 800.0], rtol=1e-15)
        np.testing.assert_allclose(ops.softplus(np.float64(-40.0)), np.exp(-40.0), rtol=1e-15)

    def test_gelu_keeps_its_tail(self):
        x = np.array([-9.0])
        assert ops.naive_gelu(x) == 0
        # Φ(-9) = 1.1285884059538405e-19, from tables of the normal distribution
        np.testing.assert_allclose(ops.gelu(x), [-9 * 1.1285884059538405e-19], rtol=1e-12)
        np.testing.assert_allclose(ops.naive_gelu(np.array([0.5])), ops.gelu(np.array([0.5])), rtol=1e-15)

    def test_cross_entropy(self):
        z = leaf([[1000.0, 0.0], [0.0, 1000.0]])
        losses = ops.softmax_cross_entropy(z, np.array([0, 0]))
        np.testing.assert_array_equal(losses.data, [0, 1000])
        losses.sum().backward()
        np.testing.assert_array_equal(z.grad.data, [[0, 0], [-1, 1]])


class TestFused:
    def test_a_wrong_width(self):
        with pytest.raises(ShapeError) as caught:
            ops.linear(leaf(np.ones((64, 28, 28))), leaf(np.ones((128, 784))), leaf(np.ones(128)))
        for part in ("MG-101", "(64, 28, 28)", "784 is expected", "28*28 = 784", "x.reshape(64, 784)"):
            assert part in str(caught.value)

    @pytest.mark.parametrize(
        ("labels", "parts"),
        [
            ([0, 10, 2], ["0..9", "found 10 at index 1"]),
            ([1, 10, 2], ["0..9", "found 10 at index 1", "y - 1"]),
            ([0, -1, 2], ["found -1 at index 1"]),
            ([0.0, 1.0, 2.0], ["float64", "astype"]),
            ([0, 1], ["(2,)", "(3, 10)"]),
            (np.eye(3, 10, dtype=int), ["one-hot", "argmax(1)"]),
            (np.eye(3, 10), ["argmax(1)"]),
            (np.zeros((3, 1), dtype=int), ["(3, 1)", "y.ravel()"]),
            (np.zeros((3, 1)), ["y.ravel()"]),
        ],
    )
    def test_bad_labels(self, labels, parts):
        with pytest.raises(LabelError, match="MG-402") as caught:
            ops.softmax_cross_entropy(leaf(np.zeros((3, 10))), np.array(labels))
        for part in parts:
            assert part in str(caught.value)

    def test_logits_have_two_axes(self):
        with pytest.raises(ShapeError, match="MG-105"):
            ops.softmax_cross_entropy(leaf(np.zeros(10)), np.array([1]))


class TestSmallThings:
    def test_pad_knows_its_modes(self):
        with pytest.raises(OperationError, match=r"MG-214 np.pad\(tensor, mode='median'\).*'reflect'"):
            np.pad(leaf([1.0]), 1, mode="median")

    def test_split(self):
        t = leaf(np.arange(6.0))
        parts = np.split(t, [1, 3])
        assert [p.shape for p in parts] == [(1,), (2,), (3,)]
        (parts[0].sum() + 2 * parts[1].sum() + 3 * parts[2].sum()).backward()
        np.testing.assert_array_equal(t.grad.data, [1, 2, 2, 3, 3, 3])
        with pytest.raises(ValueError, match="4 equal parts"):
            np.split(t, 4)

    def test_einsum_counts_its_operands(self):
        with pytest.raises(ShapeError, match="MG-103 einsum 'ij,jk' names 2 operands; 1 were given"):
            np.einsum("ij,jk", leaf(np.ones((2, 2))))

    def test_shapes_that_do_not_fit(self):
        with pytest.raises(ShapeError, match=r"MG-103 .*\(2,\) and \(3,\)"):
            leaf([1.0, 2.0]) + leaf([1.0, 2.0, 3.0])

    def test_an_operation_says_what_it_is(self):
        assert repr(ops.sigmoid) == "<operation sigmoid: 1 / (1 + e^-a)>"
