import math

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.errors import ConfigError
from minigrad.nn import init

SHAPE = OUT, IN = 300, 500
STD = {
    "uniform": 0.05 / math.sqrt(3),
    "normal": 0.05,
    "glorot_uniform": math.sqrt(2 / (IN + OUT)),
    "glorot_normal": math.sqrt(2 / (IN + OUT)),
    "he_uniform": math.sqrt(2 / IN),
    "he_normal": math.sqrt(2 / IN),
    "torch_default": 1 / math.sqrt(3 * IN),
}
"""Standard deviations by the papers; a uniform distribution on (-a, a) has a / √3."""


@pytest.mark.parametrize("name", init.INITS)
def test_moments_and_bounds(name):
    w = init.INITS[name](SHAPE, np.random.default_rng(0), "float64")
    assert w.shape == SHAPE
    error = STD[name] / math.sqrt(w.size)
    assert abs(w.mean()) < 5 * error
    assert abs(w.std() - STD[name]) < 5 * error
    bound = STD[name] * math.sqrt(3)
    if "normal" in name:
        assert abs(w).max() > 1.5 * bound
        assert abs((abs(w) < STD[name]).mean() - math.erf(math.sqrt(0.5))) < 0.01
    else:
        assert 0.999 * bound < abs(w).max() <= bound


@pytest.mark.parametrize("name", init.INITS)
def test_one_seed_gives_the_same_numbers_in_each_dtype(name):
    one, other, double = (
        init.INITS[name]((3, 4), np.random.default_rng(5), dtype) for dtype in (None, "float32", "float64")
    )
    assert one.dtype == mg.default_dtype()
    np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(double.astype("float32"), one)


def test_the_default_is_distributed_as_pytorch_s():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    ours = nn.Linear(IN, 4000, rng=np.random.default_rng(0))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        theirs = torch.nn.Linear(IN, 4000)
    for mine, other in ((ours.weight, theirs.weight), (ours.bias, theirs.bias)):
        mine, other = np.sort(mine.numpy().ravel()), np.sort(other.detach().numpy().ravel())
        assert abs(mine - other).max() < 0.05 / math.sqrt(IN)


def test_keras_dense_is_glorot_uniform_with_a_bias_of_0():
    layer = nn.Linear(IN, OUT, rng=np.random.default_rng(0), init="glorot_uniform")
    np.testing.assert_array_equal(
        layer.weight.numpy(), init.glorot_uniform(SHAPE, np.random.default_rng(0)).astype("float32")
    )
    np.testing.assert_array_equal(layer.bias.numpy(), np.zeros(OUT))
    assert layer.bias.dtype == np.float32


def test_init_may_be_a_function():
    layer = nn.Linear(2, 3, init=lambda shape, rng: np.ones(shape, "float32"))
    np.testing.assert_array_equal(layer.weight.numpy(), np.ones((3, 2)))


def test_without_a_generator_every_layer_is_drawn_anew():
    assert (nn.Linear(4, 4).weight.numpy() != nn.Linear(4, 4).weight.numpy()).any()


def test_a_shape_without_in_and_out_is_refused():
    with pytest.raises(ConfigError, match=r"MG-802 a weight of shape \(out, in\) is needed .*not \(3,\)"):
        init.he_normal((3,), np.random.default_rng(0))
