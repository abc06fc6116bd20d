import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.errors import ConfigError, DtypeError, ShapeError
from minigrad.viz.explain import explain
from minigrad.viz.trace import Backward, Forward
from tests import strict_array  # noqa: F401  which enters the device "strict"
from tests.nn.parity import close, tensor
from tests.nn.parity_recurrent import LAYERS

SEQUENCES = ("RNN", "GRU", "LSTM")


def made(name, *sizes, **options):
    return getattr(nn, name)(*sizes, rng=np.random.default_rng(0), **options)


@pytest.mark.parametrize("name", LAYERS)
def test_initial_weights_are_uniform_within_one_over_the_root_of_hidden(name):
    weights = np.concatenate([p.numpy().ravel() for p in made(name, 30, 400).parameters()])
    assert np.abs(weights).max() <= 0.05
    assert np.abs(weights).max() > 0.0499
    np.testing.assert_allclose(weights.std(), 0.05 / np.sqrt(3), rtol=0.01)


@pytest.mark.parametrize("name", SEQUENCES)
def test_gradients_to_second_order(name):
    layer = made(name, 2, 2, num_layers=2, bidirectional=True).to("float64")
    x = np.random.default_rng(1).normal(size=(3, 2, 2))
    weights = [p.numpy().copy() for p in layer.parameters()]

    def f(x, *weights):
        for (name, held), weight in zip(names, weights, strict=True):
            vars(layer)[name] = weight if isinstance(weight, mg.Tensor) else held
        return layer(x)[0]

    names = list(layer.named_parameters().items())
    mg.gradcheck(f, [x, *weights], order=2)


@pytest.mark.parametrize("name", SEQUENCES)
def test_single_operations_give_the_same(name):
    """A sequence as one operation, and as the plain operations of its formula at each time."""
    layer = made(name, 3, 4, num_layers=2, bidirectional=True, batch_first=True).to("float64")
    x = np.random.default_rng(1).normal(size=(2, 5, 3))
    results = []
    for mode in (mg.enable_grad(), mg.unfused()):
        layer.zero_grad()
        mine = tensor(x)
        with mode:
            y = layer(mine)[0]
            (y * y).sum().backward()
        results.append([y.numpy(), mine.grad.numpy(), *(p.grad.numpy() for p in layer.parameters())])
    for fused, plain in zip(*results, strict=True):
        close(fused, plain)


def test_an_lstm_by_hand():
    """One unit, one input, two times; worked out from the formula of Gers et al. with every weight a half."""
    layer = made("LSTM", 1, 1, bias=False).to("float64")
    layer.load_state_dict({"weight_ih_l0": np.full((4, 1), 0.5), "weight_hh_l0": np.full((4, 1), 0.5)})
    y, (h, c) = layer(np.array([[[2.0]], [[0.0]]]))
    sigma = 1 / (1 + np.exp(-1.0))
    c1 = sigma * np.tanh(1.0)
    h1 = sigma * np.tanh(c1)
    gate = 1 / (1 + np.exp(-h1 / 2))
    c2 = gate * c1 + gate * np.tanh(h1 / 2)
    close(y.numpy().ravel(), [h1, gate * np.tanh(c2)])
    close(h.numpy().ravel(), [gate * np.tanh(c2)])
    close(c.numpy().ravel(), [c2])


@pytest.mark.parametrize("name", SEQUENCES)
def test_cut_in_two_it_gives_the_same_and_no_gradient_passes_the_cut(name):
    layer = made(name, 2, 3).to("float64")
    x = np.random.default_rng(1).normal(size=(6, 2, 2))
    whole, _ = layer(x)
    first, second = tensor(x[:2]), tensor(x[2:])
    early, state = layer(first)
    state = tuple(part.detach() for part in state) if name == "LSTM" else state.detach()
    late, _ = layer(second, state)
    close(np.concatenate([early.numpy(), late.numpy()]), whole.numpy())
    late.sum().backward()
    assert first.grad is None
    assert np.abs(second.grad.numpy()).min() > 0


@pytest.mark.parametrize("name", SEQUENCES)
def test_dropout_acts_between_layers_while_training_alone(name):
    layer = made(name, 2, 50, num_layers=2, dropout=0.5, masks=np.random.default_rng(3))
    plain = made(name, 2, 50, num_layers=2)
    x = np.ones((2, 3, 2), "float32")
    assert not np.array_equal(layer(x)[0].numpy(), plain(x)[0].numpy())
    np.testing.assert_array_equal(layer(x)[1][0].numpy()[0], plain(x)[1][0].numpy()[0])  # the first layer's
    np.testing.assert_array_equal(layer.eval()(x)[0].numpy(), plain(x)[0].numpy())


@pytest.mark.parametrize("name", LAYERS)
def test_it_runs_in_debug_mode_and_stays_float32(name):
    layer, cell = made(name, 2, 3), name.endswith("Cell")
    x = mg.Tensor(np.ones((2, 2) if cell else (4, 2, 2), "float32"), requires_grad=True)
    with mg.debug():
        result = layer(x)
        y = result[0] if isinstance(result, tuple) else result
        y.sum().backward()
    assert {y.dtype, x.grad.dtype, *(p.grad.dtype for p in layer.parameters())} == {np.dtype("float32")}


@pytest.mark.parametrize("name", SEQUENCES)
def test_the_stand_in_for_a_gpu(name):
    layer = made(name, 2, 3, num_layers=2, bidirectional=True).to("float64")
    x = np.random.default_rng(1).normal(size=(4, 2, 2))
    here = layer(x)[0].numpy()
    layer.to("strict")
    close(layer(mg.Tensor(x, device="strict"))[0].numpy(), here)


def test_the_stepper_shows_each_gate_with_its_numbers():
    """The forget gate at the second time, forwards; its part of the gradient, backwards; worked out by hand."""
    layer = made("LSTM", 1, 1, bias=False).to("float64")
    layer.load_state_dict({"weight_ih_l0": np.full((4, 1), 0.5), "weight_hh_l0": np.full((4, 1), 0.5)})
    with mg.record() as trace:
        _, (_, c) = layer(np.array([[[2.0]], [[0.0]]]))
        c.sum().backward()
    places = {node.name: k for k, node in enumerate(trace.nodes)}
    assert {f"{gate}{t}" for gate in "ifgohc" for t in (0, 1)} <= set(places)
    sigma = 1 / (1 + np.exp(-1.0))
    c0 = sigma * np.tanh(1.0)
    h0 = sigma * np.tanh(c0)
    f1 = 1 / (1 + np.exp(-h0 / 2))
    forward = next(e for e in trace.events if isinstance(e, Forward) and e.node == places["f1"])
    said = explain(trace, forward, (0, 0))
    assert said.symbols == "f1[0,0] = 1 / (1 + e^(−p_f1[0,0]))"
    assert said.numbers.endswith(f"= {f1:.4f}")
    backward = next(e for e in trace.events if isinstance(e, Backward) and e.input == places["f1"])
    assert explain(trace, backward, (0, 0)) == (
        "dL/df1[0,0] = dL/dkept1[0,0] · c0[0,0]",
        f"= 1 · {c0:.4f} = {c0:.4f}",
    )


class Packed:
    """What PyTorch's pack_padded_sequence returns has these."""

    data, batch_sizes = np.zeros((3, 2)), np.array([2, 1])


@pytest.mark.parametrize("name", SEQUENCES)
@pytest.mark.parametrize(
    ("x", "error", "words"),
    [
        (
            np.zeros(2, "float32"),
            ShapeError,
            r"MG-529 .*input x is \(2,\); it has to be \(times, samples, width\)",
        ),
        (np.zeros((3, 2, 5), "float32"), ShapeError, r"MG-101 .*last axis is 5 but 2 is expected"),
        (np.zeros((0, 3, 2), "float32"), ShapeError, "MG-529 .*a sequence needs a time at least"),
        (np.zeros((3, 4, 2)), DtypeError, "MG-211"),
        (np.zeros((3, 4, 2), "int64"), DtypeError, "MG-211"),
        (Packed(), ConfigError, "MG-530 .*no packed sequences. Pad them"),
    ],
    ids=lambda value: None,
)
def test_an_input_that_does_not_fit_is_explained(name, x, error, words):
    with pytest.raises(error, match=words):
        made(name, 2, 3)(x)


def test_a_state_that_does_not_fit_is_explained():
    x, h = np.zeros((3, 4, 2), "float32"), np.zeros((1, 4, 3), "float32")
    for name in ("RNN", "GRU"):
        with pytest.raises(ShapeError, match=r"MG-529 .*state h is \(4, 3\); it has to be \(1, 4, 3\)"):
            made(name, 2, 3)(x, h[0])
    for state in (h, [h], (h, h, h)):
        with pytest.raises(ShapeError, match=r"MG-529 .*an LSTM is a pair, \(h, c\), each \(1, 4, 3\)"):
            made("LSTM", 2, 3)(x, state)
    with pytest.raises(ShapeError, match=r"MG-529 .*state c is \(1, 4, 2\)"):
        made("LSTM", 2, 3)(x, (h, h[..., :2]))
    with pytest.raises(DtypeError, match=r"MG-211 .*state c is float64, the weights are float32"):
        made("LSTM", 2, 3)(x, (h, h.astype("float64")))
    with pytest.raises(ShapeError, match=r"MG-529 .*state h is \(1, 4, 3\); it has to be \(4, 3\)"):
        made("GRUCell", 2, 3)(x[0], h)


def test_settings_that_cannot_be_are_refused_by_name():
    with pytest.raises(ConfigError, match=r"MG-530 .*proj_size is 2.*nn.Linear\(3, 2\)"):
        nn.LSTM(2, 3, proj_size=2)
    with pytest.raises(ConfigError, match=r"MG-802 .*hidden_size is 0"):
        nn.GRU(2, 0)
    with pytest.raises(ConfigError, match=r"MG-802 .*num_layers is 1.5"):
        nn.GRU(2, 3, num_layers=1.5)
    with pytest.raises(ConfigError, match=r"MG-802 .*nonlinearity is 'elu'; it can be 'tanh' or 'relu'"):
        nn.RNN(2, 3, nonlinearity="elu")
