"""Pictures of the loss: what is plotted against numbers worked out here, and that no weight is changed."""

import numpy as np
import pytest
from PIL import Image

import minigrad as mg
from minigrad import nn
from minigrad.errors import ShapeError
from minigrad.viz import landscape


def lines(axis):
    return {line.get_label(): line.get_xydata() for line in axis.lines}


def test_the_race_draws_each_path_and_the_fall_of_j(tmp_path):
    figure = mg.viz.optimizer_race("valley", steps=8, noise=0.0, path=tmp_path / "race.png")
    left, right = figure.axes
    expected = np.array([(-4 * 0.9**t, 1.6 * (-0.2) ** t) for t in range(9)])  # GD at rate 0.1
    np.testing.assert_allclose(left.lines[0].get_xydata(), expected, rtol=1e-9)
    gd = lines(right)["GD  (rate 0.1)"]
    np.testing.assert_allclose(gd[:, 1], 0.5 * (expected[:, 0] ** 2 + 12 * expected[:, 1] ** 2))
    assert len(lines(right)) == 7
    looks = list(landscape.LINES.values())
    assert len({look[0] for look in looks}) == len({look[2] for look in looks}) == 7
    with Image.open(tmp_path / "race.png") as image:
        assert image.width > 1200


def test_a_slice_shows_the_loss_along_the_line_and_puts_the_weights_back():
    w = mg.Tensor(np.array([1.0, -2.0], np.float32), requires_grad=True, name="w")
    before = w.numpy().tobytes()
    figure = landscape.loss_slice(
        lambda: (w**2).sum(), [w], [[np.array([1.0, 2.0])]], span=2.0, count=9, path=None
    )
    curve = figure.axes[0].lines[0].get_xydata()
    a = np.linspace(-2, 2, 9)
    np.testing.assert_allclose(curve[:, 0], a)
    np.testing.assert_allclose(curve[:, 1], (1 + a) ** 2 + (-2 + 2 * a) ** 2, rtol=1e-6)
    assert w.numpy().tobytes() == before


def test_a_failing_loss_leaves_the_weights_as_they_were():
    w = mg.Tensor([1.0, -2.0], requires_grad=True)

    def loss():
        if w.numpy()[0] > 1:
            raise ZeroDivisionError
        return (w**2).sum()

    with pytest.raises(ZeroDivisionError):
        landscape.loss_slice(loss, [w], [[np.array([1.0, 0.0])]])
    assert w.numpy().tolist() == [1.0, -2.0]


def test_a_plane_is_the_loss_of_both_directions():
    w = mg.Tensor(np.array([0.5, 1.0]), requires_grad=True)
    axes = [[np.array([1.0, 0.0])], [np.array([0.0, 2.0])]]
    steps = np.linspace(-1, 1, 5)
    values = landscape._losses(lambda: w[0] ** 2 + 3 * w[1], [w], axes, steps)
    for i, a in enumerate(steps):
        for j, b in enumerate(steps):
            assert values[i, j] == pytest.approx((0.5 + a) ** 2 + 3 * (1 + 2 * b))
    figure = landscape.loss_slice(lambda: w[0] ** 2 + 3 * w[1], [w], axes, count=5)
    assert figure.axes[0].get_title(loc="left") == "The loss over a plane"


def test_a_random_direction_is_seeded_and_as_long_as_its_parameter():
    rng = np.random.default_rng(0)
    parameter = rng.random((3, 4))
    scaled = landscape._scaled(rng.standard_normal((3, 4)), parameter)
    assert np.linalg.norm(scaled) == pytest.approx(np.linalg.norm(parameter))
    model = nn.Linear(3, 2, rng=rng)
    curves = [
        landscape.loss_slice(
            lambda: (model(mg.Tensor(np.eye(3, dtype=np.float32))) ** 2).mean(), model, seed=s
        )
        .axes[0]
        .lines[0]
        .get_ydata()
        for s in (1, 1, 2)
    ]
    assert (curves[0] == curves[1]).all()
    assert (curves[0] != curves[2]).any()


def test_a_direction_of_another_shape_is_refused():
    w = mg.Tensor([1.0, 2.0], requires_grad=True)
    for wrong in ([[np.ones(3)]], [[np.ones(2)]] * 3, []):
        with pytest.raises(ShapeError, match="MG-905"):
            landscape.loss_slice(lambda: w.sum(), [w], wrong)


@pytest.mark.parametrize("logits", [1, 2])
def test_the_probability_is_that_of_class_1(logits):
    points = np.array([[0.0, 1.0], [2.0, -1.0]])
    slope = np.array([[1.0], [3.0]])
    weight = slope if logits == 1 else np.hstack([-slope, slope]) / 2

    share = landscape._probability(lambda x: x @ weight, points)
    np.testing.assert_allclose(share, [1 / (1 + np.exp(-3.0)), 1 / (1 + np.exp(1.0))])


def test_a_boundary_counts_what_is_right_and_marks_the_classes_apart():
    points = np.array([[-1.0, 0], [1, 0], [2, 1], [-2, 1]], np.float32)
    figure = landscape.decision_boundary(lambda x: x[:, :1], points, [0, 1, 0, 0], count=21)
    axis = figure.axes[0]
    assert axis.get_title(loc="left").startswith("3 of 4 right")
    assert {line.get_marker() for line in axis.lines} == {"o", "^"}
    assert len(lines(axis)["class 0"]) == 3


def test_a_boundary_needs_two_features_and_leaves_the_mode_alone():
    model = nn.Sequential(nn.Linear(2, 2, rng=np.random.default_rng(0)), nn.Dropout(0.5))
    points = np.random.default_rng(0).random((6, 2), dtype=np.float32)
    first, second = (landscape._probability(model, points) for _ in range(2))
    assert (first == second).all(), "dropout was on"
    assert model.training
    with pytest.raises(ShapeError, match="MG-905"):
        landscape.decision_boundary(model, np.zeros((4, 3)), [0, 1, 0, 1])
    with pytest.raises(ShapeError, match="MG-905"):
        landscape.decision_boundary(lambda x: mg.Tensor(np.zeros((len(x), 3))), points, [0, 1] * 3)


def test_a_notebook_shows_a_figure_without_pyplot():
    picture = landscape.optimizer_race(steps=1)._repr_png_()
    assert picture.startswith(b"\x89PNG")


@pytest.mark.parametrize("weights", ["float32", "float64"])
@pytest.mark.parametrize("data", ["int64", "float32", "float64"])
def test_data_of_any_floats_fit_a_model_of_any(weights, data):
    model = mg.nn.Sequential(mg.nn.Linear(2, 2, rng=np.random.default_rng(0))).to(weights)
    points = np.array([[0, 0], [1, 3], [2, 1], [4, 2]], data)
    figure = landscape.decision_boundary(model, points, [0, 1, 0, 1], count=5)
    assert "of 4 right" in figure.axes[0].get_title(loc="left")
    plain = landscape.decision_boundary(lambda x: x[:, 0] * 0.5 - 1.2, points, [0, 1, 0, 1], count=5)
    assert plain.axes[0].get_title(loc="left").startswith("3 of 4")
