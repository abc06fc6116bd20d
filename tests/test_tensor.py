"""What a Tensor holds, how it behaves as a Python object and towards NumPy, and which dtypes come out."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import minigrad as mg
from minigrad.errors import DtypeError, GradientError, ShapeError


class TestConstruction:
    @pytest.mark.parametrize(
        ("data", "dtype"),
        [
            (1.5, "float32"),
            ([1.0, 2.0], "float32"),
            ([[1, 2.5]], "float32"),
            (1, "int64"),
            ([1, 2], "int64"),
            ([True, False], "bool"),
            (np.ones(2), "float64"),
            (np.ones(2, "float16"), "float16"),
            (np.float64(1), "float64"),
            (np.arange(3, dtype="uint8"), "uint8"),
        ],
    )
    def test_dtypes(self, data, dtype):
        assert mg.Tensor(data).dtype == dtype

    def test_an_array_is_not_copied(self):
        a = np.ones(3)
        assert mg.Tensor(a).data is a

    def test_options(self):
        t = mg.Tensor([1, 2], requires_grad=True, dtype="float64", device="cpu", name="w")
        assert (t.dtype, t.device, t.name, t.requires_grad, t.is_leaf) == (np.float64, "cpu", "w", True, True)

    def test_of_a_tensor(self):
        t = mg.Tensor([1.0], requires_grad=True)
        again = mg.Tensor(t)
        assert again.data is t.data
        assert not again.requires_grad

    @pytest.mark.parametrize("data", ["text", [1, "a"], [[1], [2, 3]], object(), 1j, None])
    def test_what_is_no_array_of_numbers(self, data):
        with pytest.raises(DtypeError, match="MG-212"):
            mg.Tensor(data)

    def test_the_default_dtype(self):
        try:
            mg.set_default_dtype("float64")
            assert mg.Tensor(1.0).dtype == np.float64
        finally:
            mg.set_default_dtype("float32")
        assert mg.default_dtype() == np.float32
        with pytest.raises(DtypeError, match=r"MG-212 .*int64"):
            mg.set_default_dtype("int64")


class TestAttributes:
    t = mg.Tensor(np.arange(6.0).reshape(2, 3))

    def test_what_it_holds(self):
        assert (self.t.shape, self.t.ndim, self.t.size, self.t.device) == ((2, 3), 2, 6, "cpu")
        np.testing.assert_array_equal(self.t.T.data, self.t.data.T)
        assert self.t.numpy() is self.t.data

    def test_a_misspelt_attribute_raises(self):
        with pytest.raises(AttributeError, match="'requires_gard'"):
            _ = self.t.requires_gard
        assert not hasattr(self.t, "nmae")

    def test_setting_a_misspelt_attribute_raises(self):
        with pytest.raises(AttributeError):
            self.t.requires_gard = True
        with pytest.raises(AttributeError):
            self.t.shape = (3, 2)

    def test_dir_lists_methods_from_the_table(self):
        assert {"sum", "reshape", "backward", "data", "requires_grad_"} <= set(dir(self.t))

    def test_grad_can_be_set_and_forgotten(self):
        t = mg.Tensor([1.0], requires_grad=True)
        t.grad = np.array([5.0])
        assert isinstance(t.grad, mg.Tensor)
        assert t.grad_passes == 1
        t.zero_grad()
        assert t.grad is None
        assert t.grad_passes == 0

    def test_detach_shares_memory_and_no_graph(self):
        t = mg.Tensor([1.0], requires_grad=True)
        u = (t * 2).detach()
        assert not u.requires_grad
        assert u.record is None
        assert t.detach().data is t.data

    def test_to_and_astype(self):
        t = mg.Tensor([1.0, 2.0], requires_grad=True)
        wide = t.to("float64")
        assert (wide.dtype, t.astype("int64").dtype, t.to("cpu").dtype) == (np.float64, np.int64, np.float32)
        (wide * wide).sum().backward()
        assert t.grad.dtype == np.float32
        np.testing.assert_array_equal(t.grad.data, [2, 4])
        assert not t.astype("int64").requires_grad


class TestRequiresGrad:
    def test_integers_are_refused(self):
        with pytest.raises(
            DtypeError, match=r"MG-210 requires_grad needs floats; got int64\. .*\[1., 2., 3.\]"
        ):
            mg.Tensor([1, 2, 3], requires_grad=True)

    def test_in_place(self):
        t = mg.Tensor([1.0])
        assert t.requires_grad_() is t
        assert t.requires_grad
        assert not t.requires_grad_(False).requires_grad


class TestDtypes:
    f32 = mg.Tensor([1.0, 2.0])
    ints = mg.Tensor([1, 2])

    @pytest.mark.parametrize(
        "f",
        [
            lambda t: t + 1,
            lambda t: t * 2.5,
            lambda t: 1 / t,
            lambda t: t**2,
            lambda t: 2.0**t,
            lambda t: np.maximum(t, 0.5),
            lambda t: np.where(t > 1, t, 0.0),
            lambda t: t.mean() * 3.0,
            lambda t: t.sum() + 1,
            lambda t: t - True,
            lambda t: t.clip(0.5, 1.5),
        ],
    )
    def test_float32_stays_float32_beside_python_numbers(self, f):
        t = mg.Tensor([1.0, 2.0], requires_grad=True)
        assert f(t).dtype == np.float32
        f(t).sum().backward()
        assert t.grad.dtype == np.float32

    def test_integers_stay_integers(self):
        for result in (self.ints + 1, self.ints * 2, self.ints - self.ints, self.ints.sum(), abs(self.ints)):
            assert result.dtype == np.int64
            assert not result.requires_grad

    def test_comparisons_give_booleans_without_a_graph(self):
        t = mg.Tensor([1.0, 2.0], requires_grad=True)
        for result in (t > 1, t == t, t != 1, t <= 2):
            assert result.dtype == bool
            assert not result.requires_grad

    def test_mixing_widths_in_a_product_is_an_error(self):
        with pytest.raises(DtypeError, match=r"MG-211 .*float32.*float64"):
            mg.Tensor(np.ones((2, 2), "float32")) @ mg.Tensor(np.ones((2, 2)))


class TestNumPy:
    def test_an_untracked_tensor_is_an_array(self):
        t = mg.Tensor([1.0, 2.0])
        np.testing.assert_array_equal(np.asarray(t), [1, 2])
        assert np.asarray(t, dtype="float64").dtype == np.float64
        assert np.shares_memory(np.asarray(t), t.data)
        assert not np.shares_memory(np.array(t), t.data)

    def test_a_tracked_one_refuses(self):
        t = mg.Tensor([1.0], requires_grad=True, name="w")
        with pytest.raises(GradientError, match=r"MG-208 'w' requires a gradient.*\.numpy\(\)"):
            np.asarray(t)
        np.testing.assert_array_equal(t.numpy(), [1])


class TestPython:
    def test_item(self):
        assert mg.Tensor([[2.5]]).item() == 2.5
        assert isinstance(mg.Tensor(3).item(), int)
        with pytest.raises(ShapeError, match=r"MG-104 'x' has shape \(2,\), which is 2 numbers"):
            mg.Tensor([1.0, 2.0], name="x").item()

    def test_conversions(self):
        t = mg.Tensor(2.5)
        assert (float(t), int(t), bool(t), bool(mg.Tensor(0.0))) == (2.5, 2, True, False)
        with pytest.raises(ShapeError, match="MG-104"):
            bool(mg.Tensor([1.0, 2.0]))

    def test_format(self):
        t = mg.Tensor(2.0)
        assert f"{t:.3f}" == "2.000"
        assert f"{t}" == "Tensor(2.)"
        assert f"{mg.Tensor([1.0, 2.0])}" == "Tensor([1., 2.])"

    def test_length_and_iteration(self):
        t = mg.Tensor(np.arange(6.0).reshape(3, 2), requires_grad=True)
        assert len(t) == 3
        rows = list(t)
        assert [row.shape for row in rows] == [(2,)] * 3
        (rows[0] * 1 + rows[2] * 3).sum().backward()
        np.testing.assert_array_equal(t.grad.data, [[1, 1], [0, 0], [3, 3]])
        with pytest.raises(TypeError):
            len(mg.Tensor(1.0))
        with pytest.raises(TypeError):
            iter(mg.Tensor(1.0))

    def test_tensors_can_be_keys(self):
        a, b = mg.Tensor([1.0, 2.0]), mg.Tensor([1.0, 2.0])
        assert {a: 1, b: 2}[b] == 2

    @pytest.mark.parametrize(
        ("make", "text"),
        [
            (lambda: mg.Tensor([1.0, 2.0]), "Tensor([1., 2.])"),
            (lambda: mg.Tensor([1.0], requires_grad=True), "Tensor([1.], requires_grad=True)"),
            (lambda: mg.Tensor([1], name="y"), "Tensor([1], dtype=int64, name='y')"),
            (lambda: mg.Tensor([1.0], requires_grad=True) * 2, "Tensor([2.], from multiply)"),
            (lambda: mg.Tensor(np.zeros((0, 2))), "Tensor([], dtype=float64)"),
            (lambda: mg.Tensor(0.123456789), "Tensor(0.1235)"),
        ],
    )
    def test_repr(self, make, text):
        assert repr(make()).replace("shape=(0, 2), ", "") == text

    def test_deepcopy(self):
        t = mg.Tensor([1.0, 2.0], requires_grad=True, name="w")
        t.grad = np.ones(2)
        twin = copy.deepcopy(t)
        assert (twin.name, twin.requires_grad) == ("w", True)
        assert not np.shares_memory(twin.data, t.data)
        np.testing.assert_array_equal(twin.data, t.data)
        with pytest.raises(GradientError, match="MG-206"):
            copy.deepcopy(t * 2)

    def test_operators(self):
        a, b = mg.Tensor([7.0, -3.0]), mg.Tensor([2.0, 2.0])
        np.testing.assert_array_equal((a // b).data, [3, -2])
        np.testing.assert_array_equal((-a).data, [-7, 3])
        np.testing.assert_array_equal((+a).data, [7, -3])
        np.testing.assert_array_equal(abs(a).data, [7, 3])
        np.testing.assert_array_equal((2 / b).data, [1, 1])
        np.testing.assert_array_equal((a @ b).data, 8)
        np.testing.assert_array_equal(((a > 0) | (b > 0)).data, [True, True])
        np.testing.assert_array_equal((~(a > 0)).data, [False, True])


class TestMessagesUseNames:
    def test_labels(self):
        t = mg.Tensor([1.0], requires_grad=True)
        assert t.label == "this tensor"
        assert (t * 2).label == "the result of multiply"
        t.name = "w"
        assert t.label == "'w'"


def test_no_attribute_goes_through_getattr():
    """With a __getattr__ Python 3.11 looks every attribute of the class up by its name, each time."""
    assert "__getattr__" not in {name for base in mg.Tensor.__mro__ for name in vars(base)}
    with pytest.raises(AttributeError, match="no attribute 'summ'"):
        mg.Tensor([1.0]).summ()
    assert {"sum", "abs", "reshape"} <= set(dir(mg.Tensor))
