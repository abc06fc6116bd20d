"""Comparing a module with PyTorch's, and with differences of its own values."""

import numpy as np

import minigrad as mg

SMALL = 1e-10


def close(ours, theirs, what=""):
    np.testing.assert_allclose(ours, theirs, rtol=SMALL, atol=SMALL, err_msg=what)


def tensor(array):
    return mg.Tensor(np.array(array), requires_grad=True)


def check_module(torch, ours, theirs, x, rng):
    """Same weights, same input: equal outputs, equal gradients of the input and of every parameter."""
    ours.to("float64")
    theirs = theirs.double()
    theirs.load_state_dict({name: torch.from_numpy(array) for name, array in ours.state_dict().items()})
    differentiable = x.dtype.kind == "f"
    mine = tensor(x) if differentiable else x
    other = torch.tensor(x, requires_grad=differentiable)
    y, z = ours(mine), theirs(other)
    close(y.numpy(), z.detach().numpy(), "output")
    g = rng.normal(size=y.shape)
    if not y.requires_grad:
        return
    y.backward(g)
    z.backward(torch.from_numpy(g))
    if differentiable:
        close(mine.grad.numpy(), other.grad.numpy(), "input")
    for name, parameter in theirs.named_parameters():
        close(ours.named_parameters()[name].grad.numpy(), parameter.grad.numpy(), name)


def numeric_gradient(f, x, step=1e-6):
    """Central differences of the number f(x) with respect to each entry of x, in float64."""
    gradient = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[index] += step
        down[index] -= step
        gradient[index] = (f(up) - f(down)) / (2 * step)
    return gradient
