"""Recurrent layers of random configurations, compared with PyTorch's."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

import minigrad as mg
from minigrad import nn
from tests.nn.parity import close, tensor

LAYERS = ("RNN", "GRU", "LSTM", "RNNCell", "GRUCell", "LSTMCell")


def configuration(name: str, rng: np.random.Generator) -> tuple[dict[str, object], tuple[int, ...], bool]:
    """Draw settings, the input's shape and whether a state is given."""
    width, hidden = (int(n) for n in rng.integers(1, 7, 2))
    settings: dict[str, object] = {
        "input_size": width,
        "hidden_size": hidden,
        "bias": bool(rng.random() < 0.7),
    }
    if name.startswith("RNN"):
        settings["nonlinearity"] = str(rng.choice(["tanh", "relu"]))
    samples, times = (int(n) for n in rng.integers(1, 6, 2))
    if name.endswith("Cell"):
        shape = (samples, width) if rng.random() < 0.7 else (width,)
        return settings, shape, bool(rng.random() < 0.7)
    settings |= {
        "num_layers": int(rng.integers(1, 4)),
        "bidirectional": bool(rng.random() < 0.5),
        "batch_first": bool(rng.random() < 0.5),
    }
    shape = (samples, times, width) if settings["batch_first"] else (times, samples, width)
    return settings, shape if rng.random() < 0.7 else (times, width), bool(rng.random() < 0.7)


def check(torch: object, name: str, rng: np.random.Generator) -> None:
    """Same weights, input, state: equal outputs and states, equal gradients of all of them and of each parameter."""
    settings, shape, with_state = configuration(name, rng)
    ours = getattr(nn, name)(**settings, rng=rng).to("float64")
    theirs = getattr(torch.nn, name)(**settings).double()
    theirs.load_state_dict({key: torch.from_numpy(array) for key, array in ours.state_dict().items()})
    ours.load_state_dict({key: p.detach().numpy() for key, p in theirs.state_dict().items()})
    x = rng.normal(size=shape)
    mine, other = [tensor(x)], [torch.tensor(x, requires_grad=True)]
    if with_state:
        hidden = (settings["hidden_size"],)
        if name.endswith("Cell"):
            of_state = (*shape[:-1], *hidden)
        else:
            leading = settings["num_layers"] * (1 + settings["bidirectional"])
            samples = () if len(shape) == 2 else (shape[0 if settings["batch_first"] else 1],)
            of_state = (leading, *samples, *hidden)
        for _ in range(2 if name.startswith("LSTM") else 1):
            numbers = rng.normal(size=of_state)
            mine.append(tensor(numbers))
            other.append(torch.tensor(numbers, requires_grad=True))
    found, wanted = (
        flat(layer(*([a[0], a[1] if len(a) == 2 else tuple(a[1:])] if with_state else a)))
        for layer, a in ((ours, mine), (theirs, other))
    )
    assert len(found) == len(wanted)
    loss, their_loss = mg.Tensor(0.0, dtype="float64"), 0.0
    for k, (a, b) in enumerate(zip(found, wanted, strict=True)):
        close(a.numpy(), b.detach().numpy(), f"{name} {settings}: result {k}")
        g = rng.normal(size=a.shape)
        loss, their_loss = loss + (a * g).sum(), their_loss + (b * torch.from_numpy(g)).sum()
    loss.backward()
    their_loss.backward()
    for k, (a, b) in enumerate(zip(mine, other, strict=True)):
        close(a.grad.numpy(), b.grad.numpy(), f"{name} {settings}: gradient {k}")
    for key, parameter in theirs.named_parameters():
        close(ours.named_parameters()[key].grad.numpy(), parameter.grad.numpy(), f"{name} {settings}: {key}")


def flat(results: object) -> list[object]:
    if not isinstance(results, tuple):
        return [results]
    return [part for result in results for part in flat(result)]


def _of(name: str) -> Callable[[object, np.random.Generator], None]:
    return lambda torch, rng: check(torch, name, rng)


CONFIGURATIONS = {name: _of(name) for name in LAYERS}
