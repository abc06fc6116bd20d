from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import minigrad as mg
from minigrad import nn
from minigrad.compress import QuantizedLinear, affine, input_ranges, quantize
from minigrad.compress.quantized import prepared, quantize_with, stored_bytes
from minigrad.errors import ConfigError, NonFiniteError, ShapeError

FLOATS = st.floats(-1e6, 1e6, width=32)


def network(seed: int = 0, dtype: str = "float32") -> nn.Sequential:
    rng = np.random.default_rng(seed)
    return nn.Sequential(
        nn.Linear(20, 16, rng=rng), nn.ReLU(), nn.Dropout(0.5, rng=rng), nn.Linear(16, 5, rng=rng)
    ).to(dtype)


def samples(n: int = 300, seed: int = 1) -> Any:
    return np.random.default_rng(seed).normal(size=(n, 20)).astype(np.float32)


@given(FLOATS, FLOATS)
def test_a_range_is_covered_and_zero_is_exact(one: float, other: float) -> None:
    low, high = min(one, other), max(one, other)
    scale, zero_point = affine.parameters_for(low, high)
    assert (
        affine.dequantize(affine.quantize(np.zeros(1, np.float32), scale, zero_point), scale, zero_point) == 0
    )
    ends = np.array([min(low, 0), max(high, 0)], np.float32)
    apart = affine.dequantize(affine.quantize(ends, scale, zero_point), scale, zero_point) - ends
    assert np.abs(apart).max() <= 1.001 * float(scale) or scale == 1


@given(arrays(np.float32, st.integers(1, 40), elements=st.floats(-3, 5, width=32)))
def test_no_number_inside_the_range_moves_by_more_than_half_a_step(x: Any) -> None:
    scale, zero_point = affine.parameters_for(-3, 5)
    apart = affine.dequantize(affine.quantize(x, scale, zero_point), scale, zero_point) - x
    assert np.abs(apart).max() <= 1.0 * float(
        scale
    )  # half a step, and half of one more at the ends, where z was rounded
    inner = x[(x > -2.9) & (x < 4.9)]
    apart = affine.dequantize(affine.quantize(inner, scale, zero_point), scale, zero_point) - inner
    assert np.abs(apart).max(initial=0) <= 0.5001 * float(scale)


def test_numbers_by_hand() -> None:
    scale, zero_point = affine.parameters_for(0, 255)
    assert (scale, zero_point) == (1, -128)
    q = affine.quantize(np.array([0, 0.5, 1.5, 2.49, 254.6, 300, -7], np.float32), scale, zero_point)
    assert q.tolist() == [-128, -128, -126, -126, 127, 127, -128]  # ties to even; beyond the range to its end
    assert affine.parameters_for(3, 7) == affine.parameters_for(0, 7)
    assert affine.parameters_for(0, 0) == (1, 0)


def test_numbers_at_the_end_of_float32_count_as_zeros() -> None:
    assert affine.parameters_for(0, 9.5e-42) == (1, 0)
    assert affine.channel_scales(np.array([[1e-40, 0], [1e-30, 0]], np.float32))[0] == 1


def test_what_is_not_finite_has_no_range() -> None:
    with pytest.raises(NonFiniteError, match="MG-403"):
        affine.parameters_for(0, float("nan"))


@given(arrays(np.float32, (4, 7), elements=st.floats(-100, 100, width=32)))
def test_each_row_of_a_weight_has_its_own_scale(weight: Any) -> None:
    scales = affine.channel_scales(weight)
    q = affine.quantize_weight(weight, scales)
    assert q.min() >= -127
    largest = np.abs(weight).max(axis=1)
    assert (np.abs(q.astype(int)).max(axis=1)[largest > 1e-30] == 127).all()
    assert (np.abs(q * scales[:, None] - weight) <= 0.5001 * scales[:, None] + 1e-35).all()


def test_minmax_and_percentile_find_the_ranges() -> None:
    model, x = network(), samples()
    x[0, 0] = 50
    ranges = input_ranges(model, x)
    assert ranges["0"] == (float(x.min()), 50)
    hidden = np.maximum(x @ model[0].weight.numpy().T + model[0].bias.numpy(), 0)
    assert ranges["3"] == pytest.approx((hidden.min(), hidden.max()), rel=1e-5)
    cut = input_ranges(model, x, "percentile", 99)
    assert cut["0"] == pytest.approx(np.percentile(x, [0.5, 99.5]))
    assert cut["0"][1] < 4


def test_calibration_leaves_the_network_alone() -> None:
    model = network().train()
    before = model.state_dict()
    input_ranges(model, samples())
    quantize(model, samples())
    assert model.training
    assert [type(part).__name__ for part in model] == ["Linear", "ReLU", "Dropout", "Linear"]
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


def by_hand(layer: QuantizedLinear, x: Any) -> Any:
    """The layer in float64, with the integers taken apart: x̂ Ŵᵀ + b."""
    scale, zero = float(layer.input_scale.data), int(layer.input_zero_point.data)
    steps = np.clip(np.rint(x / np.float32(scale)) + zero, -128, 127)
    return scale * (steps - zero) @ layer.dequantized().astype(float).T + layer.bias.data


def test_a_layer_computes_with_the_rounded_numbers() -> None:
    model, x = network(), samples()
    small = quantize(model, x)
    y = small[0](mg.Tensor(x)).numpy()
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, by_hand(small[0], x), rtol=1e-5, atol=1e-5)
    torch = pytest.importorskip("torch")
    q = torch.fake_quantize_per_tensor_affine(
        torch.tensor(x), float(small[0].input_scale.data), int(small[0].input_zero_point.data), -128, 127
    )
    w = torch.fake_quantize_per_channel_affine(
        torch.tensor(model[0].weight.numpy()), torch.tensor(small[0].scale.data),
        torch.zeros(16, dtype=torch.int32), 0, -127, 127,
    )  # fmt: skip
    wanted = torch.nn.functional.linear(q, w, torch.tensor(model[0].bias.numpy())).numpy()
    np.testing.assert_allclose(y, wanted, rtol=1e-4, atol=1e-5)


def test_outputs_stay_close_and_bytes_are_a_quarter() -> None:
    model, x = network(), samples()
    small = quantize(model.eval(), x)
    with mg.no_grad():
        wanted, got = model(mg.Tensor(x)).numpy(), small(mg.Tensor(x)).numpy()
    assert np.abs(got - wanted).max() < 0.05 * np.abs(wanted).max()
    weights = 20 * 16 + 16 * 5
    assert stored_bytes(small.state_dict()) == weights + 21 * 4 * 2 + 2 * 5
    assert {name: a.dtype.name for name, a in small.state_dict().items() if "weight" in name} == {
        "0.weight": "int8",
        "3.weight": "int8",
    }


def test_any_leading_shape_and_none_at_all() -> None:
    small = quantize(network(), samples())
    x = samples(6)
    flat = small(mg.Tensor(x)).numpy()
    np.testing.assert_array_equal(small(mg.Tensor(x.reshape(2, 3, 20))).numpy().reshape(6, 5), flat)
    np.testing.assert_array_equal(small(mg.Tensor(x[0])).numpy(), flat[0])
    assert small(mg.Tensor(x[:0])).shape == (0, 5)
    with pytest.raises(ShapeError, match=r"MG-101 in layer '0' .*20"):
        small(mg.Tensor(x[:, :7]))


def test_weights_go_through_a_file_and_back(tmp_path: Any) -> None:
    model, x = network(), samples()
    small = quantize(model, x)
    nn.save_weights(small, tmp_path / "small.safetensors")
    again = prepared(network(seed=9))
    first = again(mg.Tensor(x)).numpy()  # so that what is remembered of the old weights would show
    nn.load_weights(again, tmp_path / "small.safetensors")
    np.testing.assert_array_equal(again(mg.Tensor(x)).numpy(), small(mg.Tensor(x)).numpy())
    assert not np.array_equal(first, again(mg.Tensor(x)).numpy())


def test_a_quantised_network_is_not_quantised_again() -> None:
    with pytest.raises(ConfigError, match="MG-821"):
        quantize(quantize(network(), samples()), samples())


@pytest.mark.parametrize(
    "settings",
    [{"calibration": "guess"}, {"calibration": "percentile", "percentile": 50}, {"samples": samples(0)}],
)
def test_settings_are_checked(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="MG-802"):
        quantize(network(), **{"samples": samples(), **settings})


def test_networks_of_float64_and_other_forms() -> None:
    class Odd(nn.Module):
        def __init__(self) -> None:
            rng = np.random.default_rng(0)
            self.first = nn.Linear(20, 4, bias=False, rng=rng)
            self.many = {"a": [nn.Linear(4, 4, rng=rng)], "b": nn.Sequential(nn.Linear(4, 3, rng=rng))}
            self.again = self.many["b"]
            self.parent = self

        def forward(self, x: Any) -> Any:
            return self.again(self.many["a"][0](self.first(x)))

    model = Odd().to("float64")
    small = quantize(model, samples().astype("float64"))
    assert small.again is small.many["b"]
    assert small.parent is small
    assert [name for name, part in small.named_modules().items() if isinstance(part, QuantizedLinear)] == [
        "first", "many.a.0", "many.b.0",
    ]  # fmt: skip
    x = samples(5)
    np.testing.assert_allclose(
        small(mg.Tensor(x)).numpy(), model(mg.Tensor(x.astype("float64"))).numpy(), atol=0.1
    )


def test_a_single_layer_is_a_network() -> None:
    layer = nn.Linear(20, 3, rng=np.random.default_rng(0))
    small = quantize_with(layer, {"": (-1, 1)})
    assert isinstance(small, QuantizedLinear)
    assert quantize(layer, samples()).describe() == "QuantizedLinear 20->3 in int8"
