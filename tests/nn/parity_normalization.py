"""Random configurations of what normalises, compared with PyTorch."""

import numpy as np

import minigrad as mg
from minigrad import nn
from tests.nn.parity import check_module, close, tensor


def some(rng, least, most):
    return int(rng.integers(least, most + 1))


def shape(rng, least, most, length=5):
    return tuple(some(rng, 1, length) for _ in range(some(rng, least, most)))


def drawn(ours, rng):
    """The module in float64 with parameters that are not all 1 or 0."""
    ours.to("float64")
    for parameter in ours.parameters():
        parameter.data[...] = rng.normal(size=parameter.shape)
    return ours


def compared(torch, ours, theirs, x, rng):
    check_module(torch, drawn(ours, rng), theirs, x, rng)


def far(rng, *lengths):
    return rng.choice([0.0, 3.0, -20.0]) + rng.choice([0.3, 1.0, 5.0]) * rng.normal(size=lengths)


def layer_norm(torch, rng):
    ending = tuple(some(rng, 2, 6) for _ in range(some(rng, 1, 2)))
    settings = {"eps": float(rng.choice([1e-5, 0.1])), "elementwise_affine": rng.random() < 0.8}
    settings["bias"] = rng.random() < 0.8
    ours, theirs = nn.LayerNorm(ending, **settings), torch.nn.LayerNorm(ending, **settings)
    compared(torch, ours, theirs, far(rng, *shape(rng, 0, 2), *ending), rng)


def rms_norm(torch, rng):
    ending = tuple(some(rng, 1, 6) for _ in range(some(rng, 1, 2)))
    settings = {"eps": rng.choice([None, 1e-5, 0.1]), "elementwise_affine": rng.random() < 0.8}
    ours, theirs = nn.RMSNorm(ending, **settings), torch.nn.RMSNorm(ending, **settings)
    compared(torch, ours, theirs, far(rng, *shape(rng, 0, 2), *ending), rng)


def group_norm(torch, rng):
    groups, width = some(rng, 1, 3), some(rng, 1, 3)
    beyond = shape(rng, 0, 2)
    if width * int(np.prod(beyond)) == 1:
        width = 2  # a group of one number is its bias, whatever its gradient's rounding
    settings = {"eps": float(rng.choice([1e-5, 0.1])), "affine": rng.random() < 0.8}
    ours = nn.GroupNorm(groups, groups * width, **settings)
    theirs = torch.nn.GroupNorm(groups, groups * width, **settings)
    compared(torch, ours, theirs, far(rng, some(rng, 1, 5), groups * width, *beyond), rng)


def batch_norm(dimensions):
    def one(torch, rng):
        """Twenty steps of training with their running statistics, then evaluation, all of it compared."""
        channels = some(rng, 1, 4)
        beyond = shape(rng, 0, 1) if dimensions == 1 else shape(rng, 2, 2)
        momentum = rng.choice([0.1, 0.7, None])
        settings = {"eps": float(rng.choice([1e-5, 0.1])), "momentum": momentum, "affine": rng.random() < 0.8}
        settings["track_running_stats"] = rng.random() < 0.8
        name = f"BatchNorm{dimensions}d"
        ours = drawn(getattr(nn, name)(channels, **settings), rng)
        theirs = getattr(torch.nn, name)(channels, **settings).double()
        for _ in range(some(rng, 1, 20)):
            compared(torch, ours, theirs, far(rng, some(rng, 2, 6), channels, *beyond), rng)
        for key, value in theirs.state_dict().items():
            close(ours.state_dict()[key], value.numpy(), key)
        ours.eval()
        theirs.eval()
        x = far(rng, some(rng, 2, 6), channels, *beyond)
        check_module(torch, ours, theirs, x, rng)
        with mg.no_grad():
            close(ours(tensor(x)).numpy(), theirs(torch.from_numpy(x)).detach().numpy())

    return one


CONFIGURATIONS = {
    "LayerNorm": layer_norm,
    "RMSNorm": rms_norm,
    "GroupNorm": group_norm,
    "BatchNorm1d": batch_norm(1),
    "BatchNorm2d": batch_norm(2),
}
