"""Inside a network: each plotted number against the same worked out here."""

import math

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim
from minigrad.errors import GradientError, ShapeError
from minigrad.viz import inside


def net():
    rng = np.random.default_rng(0)
    return nn.Sequential(nn.Linear(3, 4, rng=rng), nn.ReLU(), nn.Linear(4, 2, rng=rng))


X = np.random.default_rng(1).standard_normal((20, 3)).astype(np.float32)


def test_gradient_sizes_are_root_mean_squares():
    w = mg.Tensor([3.0, 4.0], requires_grad=True, name="w")
    v = mg.Tensor([1.0], requires_grad=True, name="v")
    (w * w).sum().backward()
    assert inside.gradient_sizes([w, v]) == {"w": pytest.approx(math.sqrt((36 + 64) / 2))}


def test_gradient_flow_has_a_bar_per_parameter_with_its_number():
    model = net()
    (model(mg.Tensor(X)) ** 2).mean().backward()
    axis = inside.gradient_flow(model).axes[0]
    assert [label.get_text() for label in axis.get_yticklabels()] == list(model.named_parameters().keys())
    for parameter, bar, text in zip(model.parameters(), axis.patches, axis.texts, strict=True):
        size = math.sqrt((parameter.grad.numpy().astype(np.float64) ** 2).mean())
        assert bar.get_x() + bar.get_width() == pytest.approx(size)
        assert float(text.get_text().replace("−", "-")) == pytest.approx(size, rel=5e-4)
    assert axis.yaxis_inverted()


def test_gradient_flow_shows_a_gradient_of_zero_and_asks_for_one():
    model = net()
    with pytest.raises(GradientError, match="MG-903"):
        inside.gradient_flow(model)
    (model(mg.Tensor(X)) * 0.0).sum().backward()
    texts = [text.get_text() for text in inside.gradient_flow(model).axes[0].texts]
    assert texts == ["0: no gradient"] * 4


def test_firing_rates_are_the_share_of_samples_above_zero():
    model = net()
    weight, bias = (p.numpy() for p in model.parameters()[:2])
    bias[1] = -100
    bias[2] = 100
    [rates] = inside.firing_rates(model, X)
    np.testing.assert_allclose(rates, ((X @ weight.T + bias) > 0).mean(axis=0))
    assert rates[1] == 0
    assert rates[2] == 1


def test_dead_units_are_counted_and_marked():
    model = net()
    model.parameters()[1].data[[0, 3]] = -100
    axis = inside.dead_units(model, mg.Tensor(X)).axes[0]
    assert axis.get_title(loc="left") == "ReLU 1: 2 of 4 units dead"
    assert len(axis.lines[-1].get_xdata()) == 2
    assert [bar.get_height() for bar in axis.patches] == sorted(inside.firing_rates(model, X)[0])
    with mg.no_grad():
        inside.dead_units(model, X)
    with pytest.raises(GradientError, match="MG-903"):
        inside.dead_units(nn.Linear(3, 2), X)


def test_update_ratios_are_step_over_weight():
    w = mg.Tensor([3.0, 4.0], requires_grad=True, name="w")
    zero = mg.Tensor([0.0], requires_grad=True, name="zero")
    optimizer = optim.SGD([w, zero], lr=0.1)
    with inside.watch_updates() as ratios:
        for _ in range(3):
            optimizer.zero_grad()
            ((w * w).sum() / 2 + zero.sum()).backward()
            optimizer.step()
    assert ratios["w"] == pytest.approx([0.1] * 3)  # w ← 0.9 w
    assert math.isnan(ratios["zero"][0])
    assert ratios["zero"][1:] == pytest.approx([1.0, 0.5])
    axis = inside.update_ratios(ratios).axes[0]
    np.testing.assert_allclose(axis.lines[0].get_xydata(), [(1, 0.1), (2, 0.1), (3, 0.1)], rtol=1e-6)
    assert list(axis.lines[-1].get_ydata()) == [1e-3, 1e-3]
    optimizer.zero_grad()
    ((w * w).sum() + zero.sum()).backward()
    optimizer.step()
    assert len(ratios["w"]) == 3, "the watch ends with the block"


def test_weights_are_images_on_one_scale():
    weight = np.arange(24, dtype=np.float32).reshape(4, 6) - 20
    figure = inside.weight_images(mg.Tensor(weight), (2, 3), most=3)
    images = [image for axis in figure.axes for image in axis.images if image.get_array().shape == (2, 3)]
    assert len(images) == 3
    for row, image in zip(weight, images, strict=False):
        np.testing.assert_array_equal(image.get_array(), row.reshape(2, 3))
        assert image.get_clim() == (-20, 20)
    assert figure.texts[0].get_text() == "Weights of 3 of 4 units"
    with pytest.raises(ShapeError, match=r"MG-905 .*\(4, 6\)"):
        inside.weight_images(weight, (3, 3))


def test_the_pictures_are_written(tmp_path):
    inside.weight_images(np.eye(4), (2, 2), path=tmp_path / "weights.png")
    inside.update_ratios({"w": [0.1, 0.01]}, path=tmp_path / "ratios.png")
    for name in ("weights.png", "ratios.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
