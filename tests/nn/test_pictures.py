"""Convolution and pooling layers: as PyTorch's, at every size and number of threads, and their errors."""

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, ops
from minigrad.errors import ConfigError, ShapeError
from minigrad.symbols.meanings import Entries
from minigrad.symbols.terms import worth


@pytest.mark.parametrize(
    ("function", "weight", "bias", "said"),
    [
        ("conv2d", (4, 3, 2), None, "(out, in / groups, height, width of the kernel) is needed"),
        ("conv_transpose1d", (3, 4), None, "(in, out / groups, width of the kernel) is needed"),
        ("conv2d", (4, 3, 2, 2), (3,), "one number for each of 4 channels"),
    ],
)
def test_a_function_says_which_weights_it_needs(function, weight, bias, said):
    b = None if bias is None else np.ones(bias, "float32")
    with pytest.raises(ShapeError, match="MG-525") as caught:
        getattr(nn.functional, function)(np.ones((2, 3, 5, 5), "float32"), np.ones(weight, "float32"), b)
    assert said in str(caught.value)


def test_an_edge_between_two_colours_is_found():
    """By hand: the filter (-1, 1) is 1 where a 0 is followed by a 1, and its gradient is -1 and 1 there."""
    picture = mg.Tensor([[[0.0, 0.0, 1.0, 1.0], [0.0, 1.0, 1.0, 0.0]]], requires_grad=True)
    layer = nn.Conv2d(1, 1, (1, 2), bias=False)
    layer.weight.data[...] = [-1.0, 1.0]
    y = layer(picture)
    assert y.numpy().tolist() == [[[0, 1, 0], [1, 0, -1]]]
    y[0, 0, 1].backward()
    assert picture.grad.numpy().tolist() == [[[0, -1, 1, 0], [0, 0, 0, 0]]]
    assert layer.weight.grad.numpy().tolist() == [[[[0, 1]]]]


def test_of_equal_largest_numbers_the_first_one_gets_the_gradient():
    x = mg.Tensor([[[1.0, 3.0, 3.0], [3.0, 0.0, 3.0], [2.0, 2.0, 2.0]]], requires_grad=True)
    y = nn.MaxPool2d(2, stride=1)(x)
    assert y.numpy().tolist() == [[[3, 3], [3, 3]]]
    y.sum().backward()
    assert x.grad.numpy().tolist() == [[[0, 2, 0], [1, 0, 1], [0, 0, 0]]]


@pytest.mark.parametrize("kind", ["forward", "input", "weight"])
def test_the_bits_do_not_depend_on_the_number_of_threads(kind):
    from minigrad_kernels import conv

    rng = np.random.default_rng(0)
    x = rng.normal(size=(9, 16, 20, 20)).astype("float32")
    w = rng.normal(size=(24, 16, 3, 3)).astype("float32")
    g = rng.normal(size=(9, 24, 10, 10)).astype("float32")
    settings = ((2, 2), ((1, 1), (1, 1)), (1, 1), 1)
    run = {
        "forward": lambda: conv.forward(x, w, None, *settings),
        "input": lambda: conv.backward_input(g, w, (20, 20), *settings),
        "weight": lambda: conv.backward_weight(g, x, (3, 3), *settings),
    }[kind]
    before = mg.threads()["kernels"]
    try:
        mg.set_threads(1)
        alone = run()
        mg.set_threads(2)
        assert run().tobytes() == alone.tobytes()
    finally:
        mg.set_threads(before)


def test_a_convolution_holds_no_copy_of_the_patches():
    """25 taps of 8 channels: the patches would take 25 times x's memory, and all that is taken is less than 4 times."""
    import tracemalloc

    from minigrad_kernels import conv

    x = np.ones((4, 8, 128, 128), "float32")
    w = np.ones((8, 8, 5, 5), "float32")
    padding = ((2, 2), (2, 2))
    conv.forward(x, w, None, (1, 1), padding)
    tracemalloc.start()
    conv.forward(x, w, None, (1, 1), padding)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * x.nbytes


def test_second_derivatives_of_a_network_are_right():
    rng = np.random.default_rng(3)
    w = rng.normal(size=(2, 1, 2, 2))

    def network(x, w):
        y = ops.tanh(ops.convolution.conv2d(x, w, stride=(1, 2), padding=((1, 0), (0, 1))))
        y = ops.convolution.max_pool2d(y, kernel=(2, 1), stride=(1, 1))
        return ops.convolution.conv2d_input(y, w, size=(4, 4), stride=(1, 2), padding=((0, 0), (0, 1))).sum()

    mg.gradcheck(network, [rng.normal(size=(1, 1, 4, 4)), w], order=2)


PICTURE = np.arange(16.0).reshape(1, 1, 4, 4)
HALVES = ((0, 2, 2), (2, 4, 2))
EXPLAINED = {
    "conv2d": (lambda x: ops.convolution.conv2d(x, PICTURE[:, :, :2, :2]), (1, 2), 6 * 0 + 7 * 1 + 10 * 4 + 11 * 5),
    "conv2d_input": (
        lambda g: ops.convolution.conv2d_input(g, PICTURE[:, :, :2, :2], size=(5, 5)),
        (1, 1),
        0 * 5 + 1 * 4 + 4 * 1 + 5 * 0,
    ),
    "conv2d_weight": (
        lambda x: ops.convolution.conv2d_weight(PICTURE[:, :, :3, :3], x, kernel=(2, 2)),
        (0, 1),
        sum(PICTURE[0, 0, i, j] * PICTURE[0, 0, i, j + 1] for i in range(3) for j in range(3)),
    ),
    "max_pool2d": (lambda x: ops.convolution.max_pool2d(x, kernel=(2, 2), stride=(2, 2)), (1, 0), 13),
    "mean_pool2d": (lambda x: ops.convolution.mean_pool2d(x, rows=HALVES, columns=HALVES), (1, 0), 10.5),
    "mean_pool2d_input": (
        lambda g: ops.convolution.mean_pool2d_input(
            g, rows=HALVES * 2, columns=((0, 3, 2), (1, 4, 2), (3, 4, 1), (0, 1, 1)), size=(4, 4)
        ),
        (2, 3),
        (5 / 2 + 6 / 1) / 2 + (13 / 2 + 14 / 1) / 2,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", EXPLAINED)
def test_an_entry_is_explained_by_what_makes_it(name):
    f, (i, j), wanted = EXPLAINED[name]
    tree = f(Entries.named("x", PICTURE)).entry((0, 0, i, j))
    assert worth(tree) == pytest.approx(wanted)


X = np.ones((5, 6, 6, 3), "float32")
MISTAKES = {
    "channels last": (lambda: nn.Conv2d(3, 2, 3)(X), "MG-525", "x.transpose(0, 3, 1, 2) is (5, 3, 6, 6)"),
    "channels last, one": (lambda: nn.Conv2d(3, 2, 3)(X[0]), "MG-525", "x.transpose(2, 0, 1) is (3, 6, 6)"),
    "no channel": (lambda: nn.Conv2d(1, 2, 3)(X[:, :, :, 0]), "MG-525", "x.reshape(5, 1, 6, 6)"),
    "rows of pixels": (lambda: nn.Conv2d(1, 2, 3)(np.ones((5, 36))), "MG-525", "x.reshape(5, 1, 6, 6)"),
    "other channels": (lambda: nn.Conv2d(4, 2, 3)(X), "MG-525", "axis 1 holds 6 channels, and 4 are expected"),
    "pooled rows": (lambda: nn.MaxPool2d(2)(np.ones((4, 5))), "MG-525", "x.reshape(1, 1, 4, 5)"),
    "too small": (lambda: nn.Conv2d(6, 2, 7)(X), "MG-526", "the height is 6"),
    "pooled away": (lambda: nn.MaxPool2d(4)(X), "MG-526", "a window takes 4"),
    "nothing left": (lambda: nn.ConvTranspose2d(6, 2, 1, padding=4)(X), "MG-526", "padding of (4, 4)"),
    "groups": (lambda: nn.Conv2d(6, 8, 3, groups=4), "MG-527", "6 channels in and 8 out"),
    "same, strided": (lambda: nn.Conv2d(1, 1, 3, stride=2, padding="same"), "MG-527", "padding=(1, 1)"),
    "a word": (lambda: nn.Conv2d(1, 1, 3, padding="full"), "MG-527", "'same' or 'valid'"),
    "no kernel": (lambda: nn.Conv2d(1, 1, 0), "MG-527", "kernel_size is 0"),
    "three lengths": (lambda: nn.Conv2d(1, 1, (1, 2, 3)), "MG-527", "height and width"),
    "a mode": (lambda: nn.Conv2d(1, 1, 3, padding_mode="mirror"), "MG-527", "reflect"),
    "more than half": (lambda: nn.MaxPool2d(2, padding=2), "MG-527", "padding=1 or less"),
    "more than half, dilated": (lambda: nn.MaxPool2d(3, padding=2, dilation=2), "MG-527", "padding=1 or less"),
    "stepped over": (
        lambda: nn.MaxPool2d(2, 1, padding=1, dilation=4)(np.ones((1, 3, 3))),
        "MG-528", "rows -1, 3 of x, which has rows 0 to 2",
    ),
    "in the padding": (
        lambda: ops.convolution.max_pool2d(np.ones((1, 1, 2, 9)), kernel=(1, 2), padding=((0, 0), (3, 0))),
        "MG-528", "columns -3, -2 of x",
    ),
    "in the padding, symbolically": (
        lambda: ops.convolution.max_pool2d(Entries.named("x", np.ones((1, 1, 2, 2))), padding=((0, 1), (0, 0))),
        "MG-528", "rows 2 of x",
    ),
    "indices": (lambda: nn.MaxPool2d(2, return_indices=True), "MG-527", "MaxUnpool"),
    "output padding": (lambda: nn.ConvTranspose2d(1, 1, 3, output_padding=1), "MG-527", "smaller than"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_explained(mistake):
    act, code, said = MISTAKES[mistake]
    with pytest.raises((ShapeError, ConfigError)) as caught:
        act()
    assert caught.value.code == code
    assert said in str(caught.value)
