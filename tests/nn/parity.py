"""Comparing a module with PyTorch's, and with differences of its own values.

``python -m tests.nn.parity NAME COUNT`` compares COUNT random configurations of a layer or loss, 200 where that is left
out; without a name, or with ``all``, those of each: outputs, gradients, and of single layers second derivatives. What
they are stands in the modules ``parity_*.py`` beside this one: in each, ``CONFIGURATIONS`` has by name a function of
PyTorch and a generator that draws one and compares it, and returns to how much where that is not 1e-10.
"""

import importlib
import sys
from pathlib import Path

import numpy as np

import minigrad as mg

SMALL = 1e-10


def close(ours, theirs, what="", within=SMALL):
    np.testing.assert_allclose(ours, theirs, rtol=within, atol=within, err_msg=what)


def tensor(array):
    return mg.Tensor(np.array(array), requires_grad=True)


def check_module(torch, ours, theirs, x, rng, within=SMALL):
    """Same weights, same input: equal outputs, equal gradients of the input and of every parameter."""
    ours.to("float64")
    theirs = theirs.double()
    theirs.load_state_dict({name: torch.from_numpy(array) for name, array in ours.state_dict().items()})
    differentiable = x.dtype.kind == "f"
    mine = tensor(x) if differentiable else x
    other = torch.tensor(x, requires_grad=differentiable)
    y, z = ours(mine), theirs(other)
    close(y.numpy(), z.detach().numpy(), "output", within)
    g = rng.normal(size=y.shape)
    if not y.requires_grad:
        return
    y.backward(g)
    z.backward(torch.from_numpy(g))
    if differentiable:
        close(mine.grad.numpy(), other.grad.numpy(), "input", within)
    for name, parameter in theirs.named_parameters():
        close(ours.named_parameters()[name].grad.numpy(), parameter.grad.numpy(), name)
    if differentiable:
        check_twice(torch, ours, theirs, mine, other, g, rng)


def check_twice(torch, ours, theirs, x, their_x, g, rng):
    """The gradients' own gradients: those of Σ v · dL/dw over the input and all parameters w, v drawn."""
    named = ours.named_parameters()
    mine = [x, *(named[name] for name, _ in theirs.named_parameters())]
    other = [their_x, *theirs.parameters()]
    y, z = ours(x), theirs(their_x)
    first = mg.functional.gradients((y * g).sum(), mine, create_graph=True)
    their_first = torch.autograd.grad((z * torch.from_numpy(g)).sum(), other, create_graph=True)
    drawn = [rng.normal(size=a.shape) for a in first]
    total = sum((a * v).sum() for a, v in zip(first, drawn, strict=True))
    their_total = sum((a * torch.from_numpy(v)).sum() for a, v in zip(their_first, drawn, strict=True))
    if not their_total.requires_grad:  # linear in everything
        return
    try:
        wanted = torch.autograd.grad(their_total, other, allow_unused=True)
    except RuntimeError as error:
        if "is not implemented" not in str(error):  # by PyTorch
            raise
        return
    found = mg.functional.gradients(total, mine, allow_constant=True)
    for a, b in zip(found, wanted, strict=True):
        b = torch.zeros(a.shape) if b is None else b
        largest = max(1.0, float(b.abs().max())) if b.numel() else 1.0
        close(a.numpy() / largest, b.numpy() / largest, "second derivative", 1e-9)


def numeric_gradient(f, x, step=1e-6):
    """Central differences of the number f(x) with respect to each entry of x, in float64."""
    gradient = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[index] += step
        down[index] -= step
        gradient[index] = (f(up) - f(down)) / (2 * step)
    return gradient


def configurations():
    """All that can be compared: name -> function(torch, rng)."""
    found = {}
    for path in sorted(Path(__file__).parent.glob("parity_*.py")):
        found |= importlib.import_module(f"tests.nn.{path.stem}").CONFIGURATIONS
    return found


def main(name=None, count="200"):
    import torch

    every = configurations()
    for each in every if name in (None, "all") else [name]:
        within = {every[each](torch, np.random.default_rng(seed)) or SMALL for seed in range(int(count))}
        print(f"{each}: {count} random configurations equal PyTorch's, to {max(within):g}")


if __name__ == "__main__":
    main(*sys.argv[1:])
