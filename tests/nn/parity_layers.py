"""Random configurations of the plainest layers, compared with PyTorch."""

from minigrad import nn
from tests.nn.parity import check_module
from tests.nn.parity_normalization import shape, some


def linear(torch, rng):
    width, out, bias = some(rng, 1, 6), some(rng, 1, 6), bool(rng.random() < 0.7)
    x = rng.normal(size=(*shape(rng, 0, 3), width))
    check_module(torch, nn.Linear(width, out, bias, rng=rng), torch.nn.Linear(width, out, bias), x, rng)


def embedding(torch, rng):
    count, width = some(rng, 1, 6), some(rng, 1, 6)
    ids = rng.integers(0, count, shape(rng, 1, 3))
    check_module(torch, nn.Embedding(count, width, rng=rng), torch.nn.Embedding(count, width), ids, rng)


CONFIGURATIONS = {"Linear": linear, "Embedding": embedding}
