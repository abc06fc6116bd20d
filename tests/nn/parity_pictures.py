"""Random configurations of convolution and pooling layers, compared with PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad import nn
from tests.nn.parity import check_module

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


def _of(name: str) -> Any:
    return lambda torch, rng: compare(torch, name, rng)


CONFIGURATIONS = {name: _of(name) for name in LAYERS}
