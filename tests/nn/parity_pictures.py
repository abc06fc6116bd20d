"""Random configurations of convolution and pooling layers, and of their functions, compared with PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad import Tensor, nn
from minigrad.nn import functional
from tests.nn.parity import check_module, close

Rng = np.random.Generator


def _lengths(rng: Rng, axes: int, low: int, high: int) -> Any:
    """One number, or one for each axis."""
    drawn = tuple(int(n) for n in rng.integers(low, high + 1, axes))
    return drawn if rng.random() < 0.5 else drawn[0]


def _all(value: Any, axes: int) -> tuple[int, ...]:
    return value if isinstance(value, tuple) else (value,) * axes


def _input(rng: Rng, channels: int, size: Any) -> np.ndarray:
    leading = (int(rng.integers(1, 4)),) if rng.random() < 0.8 else ()
    return rng.normal(size=(*leading, channels, *size))


def conv(rng: Rng, axes: int) -> tuple[dict[str, Any], np.ndarray]:
    groups = int(rng.choice([1, 1, 2, 3]))
    channels = groups * int(rng.integers(1, 4))
    settings: dict[str, Any] = {
        "in_channels": channels,
        "out_channels": groups * int(rng.integers(1, 7)),
        "kernel_size": _lengths(rng, axes, 1, 4),
        "stride": _lengths(rng, axes, 1, 3),
        "padding": _lengths(rng, axes, 0, 3),
        "dilation": _lengths(rng, axes, 1, 3),
        "groups": groups,
        "bias": bool(rng.random() < 0.7),
    }
    kind = rng.integers(4)
    if kind == 0:
        settings |= {"padding": "same", "stride": 1}
    elif kind == 1:
        settings["padding"] = "valid"
    elif kind == 2:
        settings["padding_mode"] = str(rng.choice(["reflect", "replicate", "circular"]))
    spans = [
        (k - 1) * d + 1
        for k, d in zip(_all(settings["kernel_size"], axes), _all(settings["dilation"], axes), strict=True)
    ]
    return settings, _input(rng, channels, [int(rng.integers(max(4, span), span + 12)) for span in spans])


def transposed(rng: Rng, axes: int) -> tuple[dict[str, Any], np.ndarray]:
    settings, _ = conv(rng, axes)
    settings.pop("padding_mode", None)
    settings["stride"] = _lengths(rng, axes, 1, 3)
    settings["padding"] = _lengths(rng, axes, 0, 2)
    room = min(
        max(s, d)
        for s, d in zip(_all(settings["stride"], axes), _all(settings["dilation"], axes), strict=True)
    )
    settings["output_padding"] = _lengths(rng, axes, 0, room - 1)
    return settings, _input(rng, settings["in_channels"], rng.integers(5, 9, axes))


def _pool(rng: Rng, axes: int) -> tuple[dict[str, Any], list[int]]:
    kernel = _lengths(rng, axes, 1, 4)
    settings = {"kernel_size": kernel, "ceil_mode": bool(rng.random() < 0.5)}
    if rng.random() < 0.7:
        settings["stride"] = _lengths(rng, axes, 1, 4)
    settings["padding"] = tuple(int(rng.integers(0, k // 2 + 1)) for k in _all(kernel, axes))
    return settings, [int(rng.integers(k, k + 9)) for k in _all(kernel, axes)]


def max_pool(rng: Rng, axes: int) -> tuple[dict[str, Any], np.ndarray]:
    settings, size = _pool(rng, axes)
    if rng.random() < 0.3:
        settings["dilation"] = 2
        size = [n + 5 for n in size]
    x = _input(rng, 2, size)
    return settings, np.round(x * 2) if rng.random() < 0.4 else x  # whole numbers: many ties


def avg_pool(rng: Rng, axes: int) -> tuple[dict[str, Any], np.ndarray]:
    settings, size = _pool(rng, axes)
    settings["count_include_pad"] = bool(rng.random() < 0.5)
    if axes == 2 and rng.random() < 0.2:
        settings["divisor_override"] = int(rng.integers(1, 6))
    return settings, _input(rng, 2, size)


def adaptive(rng: Rng, axes: int) -> tuple[dict[str, Any], np.ndarray]:
    sizes = _lengths(rng, axes, 1, 7)
    if axes == 2 and isinstance(sizes, tuple) and rng.random() < 0.3:
        sizes = (None, sizes[1])
    return {"output_size": sizes}, _input(rng, 2, rng.integers(1, 14, axes))


LAYERS = {
    f"{name}{axes}d": (draw, axes)
    for axes in (1, 2)
    for name, draw in {
        "Conv": conv,
        "ConvTranspose": transposed,
        "MaxPool": max_pool,
        "AvgPool": avg_pool,
        "AdaptiveAvgPool": adaptive,
    }.items()
}


def compare(torch: Any, name: str, rng: Rng) -> None:
    """Compare one random configuration with PyTorch's: outputs, and all gradients."""
    draw, axes = LAYERS[name]
    settings, x = draw(rng, axes)
    theirs = getattr(torch.nn, name)(**settings)
    extra = {"rng": rng} if "Conv" in name else {}
    try:
        check_module(torch, getattr(nn, name)(**settings, **extra), theirs, x, rng)
    except Exception as error:
        error.add_note(f"{name}({settings}) on {x.shape}")
        raise


_CONVOLUTION = ("stride", "padding", "dilation", "groups")
_TRANSPOSED = ("stride", "padding", "output_padding", "groups", "dilation")
_AVERAGE = ("kernel_size", "stride", "padding", "ceil_mode", "count_include_pad")

FUNCTIONS: dict[str, tuple[str, tuple[str, ...]]] = {
    "Conv1d": ("conv1d", _CONVOLUTION),
    "Conv2d": ("conv2d", _CONVOLUTION),
    "ConvTranspose1d": ("conv_transpose1d", _TRANSPOSED),
    "ConvTranspose2d": ("conv_transpose2d", _TRANSPOSED),
    "MaxPool1d": ("max_pool1d", ("kernel_size", "stride", "padding", "dilation", "ceil_mode")),
    "MaxPool2d": ("max_pool2d", ("kernel_size", "stride", "padding", "dilation", "ceil_mode")),
    "AvgPool1d": ("avg_pool1d", _AVERAGE),
    "AvgPool2d": ("avg_pool2d", (*_AVERAGE, "divisor_override")),
    "AdaptiveAvgPool1d": ("adaptive_avg_pool1d", ("output_size",)),
    "AdaptiveAvgPool2d": ("adaptive_avg_pool2d", ("output_size",)),
}
"""Each layer's function, and its settings in the order in which PyTorch takes them."""

_DEFAULTS = {"stride": None, "padding": 0, "dilation": 1, "divisor_override": None}


def compare_function(torch: Any, name: str, rng: Rng) -> None:
    """Compare one as functions, whose settings are given by their places."""
    draw, axes = LAYERS[name]
    settings, x = draw(rng, axes)
    if "padding_mode" in settings:
        return  # the functions have zeros alone
    function, order = FUNCTIONS[name]
    given = [settings.get(key, _DEFAULTS.get(key)) for key in order]
    arrays = [x]
    if "Conv" in name:
        layer = getattr(nn, name)(**settings, rng=rng)
        arrays += [rng.normal(size=each.shape) for each in layer.parameters()]
        given = given if settings["bias"] else [None, *given]
    mine, theirs = ([make(each, requires_grad=True) for each in arrays] for make in (Tensor, torch.tensor))
    try:
        y = getattr(functional, function)(*mine, *given)
        z = getattr(torch.nn.functional, function)(*theirs, *given)
        g = rng.normal(size=y.shape)
        y.backward(g)
        z.backward(torch.from_numpy(g))
        close(y.numpy(), z.detach().numpy(), "output")
        for k, (a, b) in enumerate(zip(mine, theirs, strict=True)):
            close(a.grad.numpy(), b.grad.numpy(), f"gradient {k}")
    except Exception as error:
        error.add_note(f"{function}({settings}) on {x.shape}")
        raise


def _of(name: str) -> Any:
    return lambda torch, rng: compare(torch, name, rng)


def _of_function(name: str) -> Any:
    return lambda torch, rng: compare_function(torch, name, rng)


CONFIGURATIONS = {name: _of(name) for name in LAYERS} | {
    function: _of_function(name) for name, (function, _) in FUNCTIONS.items()
}
