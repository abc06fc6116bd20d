"""Random configurations of the activations, compared with PyTorch."""

from minigrad import nn
from tests.nn.parity import SMALL, check_module
from tests.nn.parity_normalization import shape, some

SETTINGS = {
    # name -> settings drawn for both
    "ReLU": lambda rng: {},
    "LeakyReLU": lambda rng: {"negative_slope": rng.uniform(0, 0.5)},
    "Sigmoid": lambda rng: {},
    "Tanh": lambda rng: {},
    "SiLU": lambda rng: {},
    "Mish": lambda rng: {},
    "ELU": lambda rng: {"alpha": rng.uniform(0.1, 2)},
    "CELU": lambda rng: {"alpha": rng.choice([0.25, 0.5, 1.0, 2.0])},  # PyTorch rounds 1/α to float32
    "SELU": lambda rng: {},
    "GELU": lambda rng: {"approximate": str(rng.choice(["none", "tanh"]))},
    "Softplus": lambda rng: {"beta": rng.choice([1.0, 0.5, 3.0]), "threshold": rng.choice([20.0, 2.0])},
    "LogSigmoid": lambda rng: {},
    "Softsign": lambda rng: {},
    "Tanhshrink": lambda rng: {},
    "Hardtanh": lambda rng: {"min_val": rng.uniform(-2, 0), "max_val": rng.uniform(0, 2)},
    "ReLU6": lambda rng: {},
    "Hardsigmoid": lambda rng: {},
    "Hardswish": lambda rng: {},
    "Softmax": lambda rng: {"dim": int(rng.integers(-1, 1))},
    "LogSoftmax": lambda rng: {"dim": int(rng.integers(-1, 1))},
    "Softmin": lambda rng: {"dim": int(rng.integers(-1, 1))},
}


def activation(name, settings):
    def one(torch, rng):
        x = rng.choice([0.1, 1.0, 5.0, 30.0]) * rng.normal(size=shape(rng, 1, 4, 6))
        given = settings(rng)
        within = 1e-7 if name == "Hardsigmoid" else SMALL  # PyTorch rounds 1/6 to float32
        check_module(torch, getattr(nn, name)(**given), getattr(torch.nn, name)(**given), x, rng, within)
        return within

    return one


def prelu(torch, rng):
    channels = some(rng, 1, 4)
    x = rng.normal(size=(some(rng, 1, 4), channels, *shape(rng, 0, 2)))
    given = {"num_parameters": int(rng.choice([1, channels])), "init": rng.uniform(-1, 1)}
    check_module(torch, nn.PReLU(**given), torch.nn.PReLU(**given), x, rng)


def glu(torch, rng):
    x = rng.normal(size=(some(rng, 1, 4), 2 * some(rng, 1, 4), *shape(rng, 0, 1)))
    check_module(torch, nn.GLU(dim=1), torch.nn.GLU(dim=1), x, rng)


def flatten(torch, rng):
    x = rng.normal(size=shape(rng, 2, 5, 3))
    start = some(rng, 0, x.ndim - 1)
    given = {
        "start_dim": start,
        "end_dim": some(rng, start, x.ndim - 1) - (x.ndim if rng.random() < 0.5 else 0),
    }
    check_module(torch, nn.Flatten(**given), torch.nn.Flatten(**given), x, rng)


def unflatten(torch, rng):
    a, b = some(rng, 1, 4), some(rng, 1, 4)
    x = rng.normal(size=(3, a * b, *shape(rng, 0, 1)))
    size = (a, -1) if rng.random() < 0.5 else (a, b)
    check_module(torch, nn.Unflatten(1, size), torch.nn.Unflatten(1, size), x, rng)


CONFIGURATIONS = {
    **{name: activation(name, settings) for name, settings in SETTINGS.items()},
    "PReLU": prelu,
    "GLU": glu,
    "Flatten": flatten,
    "Unflatten": unflatten,
}
