import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.errors import ConfigError, DtypeError


def test_kept_entries_are_scaled_so_that_the_mean_stays():
    n, p = 200_000, 0.2
    y = nn.Dropout(p, rng=np.random.default_rng(0))(np.ones(n, "float32"))
    assert set(np.unique(y)) == {np.float32(0), np.float32(1.25)}
    dropped = (y == 0).mean()
    assert abs(dropped - p) < 5 * np.sqrt(p * (1 - p) / n)


def test_the_gradient_goes_through_the_same_mask():
    x = mg.Tensor(np.ones((50, 20)), requires_grad=True)
    y = nn.Dropout(0.3, rng=np.random.default_rng(1))(x)
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), y.numpy())


def test_each_pass_draws_a_new_mask_and_the_seed_decides_them_all():
    def masks(seed):
        layer = nn.Dropout(0.5, rng=np.random.default_rng(seed))
        return [layer(np.ones(100, "float32")) for _ in range(2)]

    first, second = masks(0)
    assert (first != second).any()
    np.testing.assert_array_equal([first, second], masks(0))
    assert (first != masks(1)[0]).any()


def test_in_evaluation_and_at_p_0_it_is_the_identity():
    x = np.ones(5, "float32")
    assert nn.Dropout(0.5).eval()(x) is x
    assert nn.Dropout(0.0)(x) is x


def test_training_without_a_generator_is_refused():
    net = nn.Sequential(nn.ReLU(), nn.Dropout(0.2))
    with pytest.raises(
        ConfigError, match=r"MG-508 in layer '1' \(Dropout p=0\.2\).*nn\.seed_dropout\(model, 0\)"
    ):
        net(np.ones((1, 2), "float32"))


def test_seed_dropout_gives_all_layers_one_generator():
    net = nn.Sequential(nn.Dropout(0.2), nn.Sequential(nn.Dropout(0.3)))
    rng = nn.seed_dropout(net, 5)
    assert net[0].rng is net[1][0].rng is rng
    assert rng.random() == np.random.default_rng(5).random()
    assert nn.seed_dropout(net, rng) is rng


@pytest.mark.parametrize("p", [-0.1, 1.0, 20, float("nan")])
def test_p_must_be_a_probability_below_1(p):
    with pytest.raises(ConfigError, match="MG-802 p is"):
        nn.Dropout(p)


def test_integers_cannot_be_scaled():
    with pytest.raises(DtypeError, match=r"MG-211 .*by 1\.25, so x must be floats; it is uint8"):
        nn.Dropout(0.2, rng=np.random.default_rng(0))(np.ones(3, "uint8"))
