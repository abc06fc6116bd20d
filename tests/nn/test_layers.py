import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad as mg
from minigrad import nn
from minigrad.errors import ConfigError, ShapeError
from tests.nn.parity import check_module, close, numeric_gradient, tensor

FEW = settings(max_examples=25, deadline=None)
SEED = st.integers(0, 2**32 - 1)
LENGTH = st.integers(1, 6)
SHAPE = st.lists(LENGTH, min_size=1, max_size=4).map(tuple)

ACTIVATIONS = {
    "ReLU": nn.ReLU,
    "LeakyReLU": lambda: nn.LeakyReLU(0.2),
    "GELU": nn.GELU,
    "Sigmoid": nn.Sigmoid,
    "Tanh": nn.Tanh,
    "Softmax": nn.Softmax,
}
TORCH_ARGUMENTS = {"LeakyReLU": (0.2,), "Softmax": (-1,)}


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip("torch", reason="PyTorch is not installed")


@FEW
@given(
    leading=st.lists(LENGTH, max_size=3).map(tuple), width=LENGTH, out=LENGTH, bias=st.booleans(), seed=SEED
)
def test_linear_equals_pytorch(torch, leading, width, out, bias, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(*leading, width))
    check_module(
        torch, nn.Linear(width, out, bias=bias, rng=rng), torch.nn.Linear(width, out, bias=bias), x, rng
    )


@pytest.mark.parametrize("name", ACTIVATIONS)
@FEW
@given(shape=SHAPE, scale=st.sampled_from([0.1, 1.0, 30.0]), seed=SEED)
def test_activations_equal_pytorch(torch, name, shape, scale, seed):
    rng = np.random.default_rng(seed)
    theirs = getattr(torch.nn, name)(*TORCH_ARGUMENTS.get(name, ()))
    check_module(torch, ACTIVATIONS[name](), theirs, scale * rng.normal(size=shape), rng)


@FEW
@given(shape=st.lists(LENGTH, min_size=2, max_size=4).map(tuple), seed=SEED)
def test_flatten_equals_pytorch(torch, shape, seed):
    rng = np.random.default_rng(seed)
    check_module(torch, nn.Flatten(), torch.nn.Flatten(), rng.normal(size=shape), rng)


@FEW
@given(
    leading=st.lists(LENGTH, max_size=2).map(tuple),
    shape=st.lists(st.integers(2, 6), min_size=1, max_size=2).map(tuple),
    seed=SEED,
)
def test_layer_norm_equals_pytorch(torch, leading, shape, seed):
    rng = np.random.default_rng(seed)
    ours = nn.LayerNorm(shape[0] if len(shape) == 1 else shape)
    ours.to("float64").load_state_dict({"weight": rng.normal(size=shape), "bias": rng.normal(size=shape)})
    check_module(torch, ours, torch.nn.LayerNorm(shape), 3 + 2 * rng.normal(size=(*leading, *shape)), rng)


@FEW
@given(shape=st.lists(LENGTH, max_size=3).map(tuple), count=LENGTH, width=LENGTH, seed=SEED)
def test_embedding_equals_pytorch(torch, shape, count, width, seed):
    rng = np.random.default_rng(seed)
    ids = np.asarray(rng.integers(0, count, size=shape))
    check_module(torch, nn.Embedding(count, width, rng=rng), torch.nn.Embedding(count, width), ids, rng)


@FEW
@given(samples=LENGTH, seed=SEED)
def test_sequential_equals_pytorch(torch, samples, seed):
    rng = np.random.default_rng(seed)
    ours = nn.Sequential(
        nn.Flatten(), nn.Linear(6, 5, rng=rng), nn.Tanh(), nn.LayerNorm(5), nn.Linear(5, 3, rng=rng)
    )
    theirs = torch.nn.Sequential(
        torch.nn.Flatten(),
        torch.nn.Linear(6, 5),
        torch.nn.Tanh(),
        torch.nn.LayerNorm(5),
        torch.nn.Linear(5, 3),
    )
    check_module(torch, ours, theirs, rng.normal(size=(samples, 2, 3)), rng)


MADE = {
    **ACTIVATIONS,
    "Linear": lambda: nn.Linear(4, 3, rng=np.random.default_rng(0)),
    "LayerNorm": lambda: nn.LayerNorm(4),
    "Flatten": nn.Flatten,
    "Dropout": lambda: nn.Dropout(0.5, rng=np.random.default_rng(0)),
    "Sequential": lambda: nn.Sequential(nn.Linear(4, 3, rng=np.random.default_rng(0)), nn.ReLU()),
}


@pytest.mark.parametrize("name", MADE)
def test_gradients_equal_differences_of_the_output(name):
    """Each evaluation is of a layer made anew, so that dropout draws the same mask every time."""
    rng = np.random.default_rng(7)
    x = rng.normal(size=(3, 4))
    g = rng.normal(size=MADE[name]()(x.astype("float32")).shape)

    def f(x):
        return float((MADE[name]().to("float64")(mg.Tensor(x)).numpy() * g).sum())

    t = tensor(x)
    MADE[name]().to("float64")(t).backward(g)
    np.testing.assert_allclose(t.grad.numpy(), numeric_gradient(f, x), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", MADE)
def test_float32_stays_float32(name):
    layer = MADE[name]()
    x = mg.Tensor(np.ones((3, 4), "float32"), requires_grad=True)
    y = layer(x)
    y.sum().backward()
    assert y.dtype == x.grad.dtype == np.float32
    assert all(p.dtype == p.grad.dtype == np.float32 for p in layer.parameters())


@pytest.mark.parametrize("name", MADE)
def test_an_empty_batch_passes_through(name):
    assert MADE[name]()(mg.Tensor(np.zeros((0, 4), "float32"))).shape[0] == 0


def test_embedding_stays_float32():
    layer = nn.Embedding(4, 2)
    layer([[0, 3], [3, 1]]).sum().backward()
    assert layer.weight.grad.dtype == np.float32
    np.testing.assert_array_equal(layer.weight.grad.numpy(), [[1, 1], [1, 1], [0, 0], [2, 2]])


@pytest.mark.parametrize(
    "layer", [nn.Sigmoid(), nn.Tanh(), nn.Softmax(), nn.GELU(), nn.ReLU(), nn.LeakyReLU()]
)
def test_activations_take_extreme_inputs(layer):
    x = mg.Tensor(np.array([[-1e30, -1e4, 0.0, 1e4, 1e30]], "float32"), requires_grad=True)
    with np.errstate(over="ignore", under="ignore"):
        y = layer(x)
        y.sum().backward()
    assert np.isfinite(y.numpy()).all()
    assert np.isfinite(x.grad.numpy()).all()


def test_layer_norm_of_constant_and_of_far_away_rows():
    layer = nn.LayerNorm(3).to("float64")
    np.testing.assert_array_equal(layer(mg.Tensor(np.full((2, 3), 1e6))).numpy(), np.zeros((2, 3)))
    near = np.array([[1.0, 2.0, 3.0]])
    close(layer(mg.Tensor(near + 2.0**20)).numpy(), layer(mg.Tensor(near)).numpy())
    variance = 2 / 3
    close(layer(mg.Tensor(near)).numpy(), [[-1 / np.sqrt(variance + 1e-5), 0, 1 / np.sqrt(variance + 1e-5)]])


def test_layer_norm_refuses_what_would_broadcast():
    with pytest.raises(
        ShapeError, match=r"MG-101 in layer LayerNorm 4: input x is \(5, 1\), its last axis is 1"
    ):
        nn.LayerNorm(4)(np.zeros((5, 1), "float32"))
    with pytest.raises(ShapeError, match=r"MG-101 in layer LayerNorm 2x4: .*last 2 axes have to be \(2, 4\)"):
        nn.LayerNorm((2, 4))(np.zeros((5, 4), "float32"))


def test_an_id_outside_the_embedding_is_named_with_its_place():
    layer = nn.Embedding(10, 2)
    with pytest.raises(ShapeError, match=r"MG-106 .*0\.\.9.*found 12 at index \(1, 0\)"):
        layer(np.array([[1, 2], [12, -1]]))
    with pytest.raises(ShapeError, match=r"found -1 at index 2"):
        layer(mg.Tensor(np.array([0, 9, -1])))
    with pytest.raises(ShapeError, match=r"MG-106 .*float32.*astype\('int64'\)"):
        layer([0.5])


def test_sequential_is_a_sequence_of_modules():
    first, second = nn.Linear(2, 2), nn.ReLU()
    net = nn.Sequential(first, second)
    assert (len(net), net[0], net[-1], list(net)) == (2, first, second, [first, second])
    assert list(net.state_dict()) == ["0.weight", "0.bias"]
    x = np.ones((1, 2), "float32")
    assert nn.Sequential()(x) is x


def test_a_sequential_with_attributes_of_its_own_lists_them_too():
    class Scaled(nn.Sequential):
        def __init__(self):
            super().__init__(nn.Linear(2, 2))
            self.gain = nn.Parameter([1.0])

    assert list(Scaled().named_parameters().keys()) == ["0.weight", "0.bias", "gain"]


@pytest.mark.parametrize(
    ("layers", "hint"),
    [
        ((nn.ReLU,), r"Make one of the class: ReLU\(\)"),
        (([nn.ReLU()],), r"Sequential\(\*layers\)"),
        ((nn.ReLU(), np.tanh), r"layer 1 .*Wrap a function in a Module"),
    ],
)
def test_sequential_of_something_else_says_how_to_mend_it(layers, hint):
    with pytest.raises(ConfigError, match=f"MG-802 .*{hint}"):
        nn.Sequential(*layers)


def test_linear_checks_its_settings():
    with pytest.raises(ConfigError, match="MG-802 there is no init 'xavier'; there are uniform, normal"):
        nn.Linear(2, 2, init="xavier")
    with pytest.raises(ConfigError, match="MG-802 rng is 0"):
        nn.Linear(2, 2, rng=0)
