"""Convolutional layers for rows and for pictures, and their transposes, with PyTorch's arguments."""

from __future__ import annotations

from collections.abc import Sequence
from math import isqrt
from typing import Any

import numpy as np
from minigrad_kernels.geometry import UNPADDED, Sides, input_length, output_length

from minigrad import ops
from minigrad.errors import ConfigError, DtypeError, ShapeError
from minigrad.nn import init as inits
from minigrad.nn.module import Module, Parameter
from minigrad.ops import convolution
from minigrad.tensor import Tensor

Lengths = int | Sequence[int]

PADDING_MODES = {"zeros": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}
"""PyTorch's names and NumPy's."""

_AXES = {1: ("length",), 2: ("height", "width")}


def lengths(name: str, value: Any, axes: int, least: int = 1) -> tuple[int, ...]:
    """Return one whole number for each axis; ConfigError MG-527 where there is another count, or one is too small."""
    found = tuple(value) if isinstance(value, (tuple, list)) else (value,) * axes
    whole = all(isinstance(n, (int, np.integer)) and not isinstance(n, bool) for n in found)
    if len(found) != axes or not whole or min(found) < least:
        raise ConfigError(
            "MG-527",
            f"{name} is {value!r}; it must be one whole number from {least} on, or "
            f"{axes} of them in a tuple, for {' and '.join(_AXES[axes])}.",
        )
    return tuple(int(n) for n in found)


def require_picture(x: Any, axes: int, channels: int | None = None) -> bool:
    """Tell whether x is a single sample, without an axis for several.

    ShapeError MG-525 where x has another number of axes, or other than so many channels.
    """
    names, shape = ", ".join(_AXES[axes]), x.shape
    if len(shape) not in (axes + 1, axes + 2):
        hint = ""
        if len(shape) == 2 and channels and shape[1] == channels * (side := isqrt(shape[1] // channels)) ** 2:
            hint = f" Pictures as rows? x.reshape({shape[0]}, {channels}, {side}, {side})"
        elif len(shape) == axes:
            hint = f" A single channel? x.reshape(1, 1, {', '.join(map(str, shape))})"
        raise ShapeError(
            "MG-525",
            f"input x is {shape}; (samples, channels, {names}) is needed, or (channels, {names}) for one "
            f"sample.{hint}",
        )
    if channels is not None and shape[-axes - 1] != channels:
        hint = ""
        if shape[-1] == channels:
            order = (0, axes + 1, *range(1, axes + 1)) if len(shape) == axes + 2 else (axes, *range(axes))
            hint = (
                f" The last axis has {channels}: are the channels last? x.transpose{order} is "
                f"{tuple(shape[k] for k in order)}."
            )
        elif len(shape) == axes + 1 and channels == 1:
            whole = ", ".join(map(str, (shape[0], 1, *shape[1:])))
            hint = f" An axis for the one channel is missing: x.reshape({whole})"
        raise ShapeError(
            "MG-525",
            f"input x is {shape}: axis {len(shape) - axes - 1} holds {shape[-axes - 1]} channels, and "
            f"{channels} are expected.{hint}",
        )
    return len(shape) == axes + 1


def require_room(size: Sequence[int], spans: Sequence[int], padding: Sides, result: Sequence[int]) -> None:
    """Raise ShapeError MG-526 where a window does not fit into the padded picture."""
    for axis, (length, span, sides, count) in enumerate(zip(size, spans, padding, result, strict=True)):
        if count < 1:
            name = _AXES[2][axis] if len(size) == 2 and size[0] > 1 else "length"
            raise ShapeError(
                "MG-526",
                f"no window fits: the {name} is {length}, {length + sum(sides)} with the padding, and a window takes "
                f"{span}: nothing would be left. Use a smaller kernel, stride or fewer poolings before it, or "
                f"padding={-(-(span - length) // 2)}.",
            )


def _require_alike(x: Any, w: Any) -> None:
    if x.dtype != w.dtype:
        raise DtypeError(
            "MG-211",
            f"convolution: x is {x.dtype}, the weights are {w.dtype}. Cast the data once: x.astype('{w.dtype}').",
        )


def raised(x: Any, axes: int, single: bool) -> Any:
    """Return x as (samples, channels, height, width): a row becomes a picture of height 1, a sample a batch of one."""
    if single:
        x = ops.expand_dims(x, axis=0)
    return x if axes == 2 else ops.expand_dims(x, axis=2)


def lowered(y: Any, axes: int, single: bool) -> Any:
    """Undo ``raised``."""
    if axes == 1:
        y = ops.squeeze(y, axis=2)
    return ops.squeeze(y, axis=0) if single else y


class _Conv(Module):
    """What the layers have in common: settings, and weights as PyTorch starts them."""

    axes = 2
    transposed = False

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Lengths,
        stride: Lengths = 1,
        padding: Lengths | str = 0,
        dilation: Lengths = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        rng: np.random.Generator | None = None,
    ) -> None:
        self._settle(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, padding_mode)
        rng = inits.as_generator(rng)
        ends = (in_channels, out_channels) if self.transposed else (out_channels, in_channels)
        shape = (ends[0], ends[1] // groups, *self.kernel_size)
        fan_in = int(np.prod(shape[1:]))
        self.weight = Parameter(inits.torch_default(shape, rng, fan_in=fan_in))
        self.bias = Parameter(inits.torch_default((out_channels,), rng, fan_in=fan_in)) if bias else None

    @classmethod
    def applied(
        cls, x: Any, weight: Any, bias: Any, settings: dict[str, Any], output_padding: Lengths = 0
    ) -> Any:
        """Return what a layer with these weights and settings makes of x; ``nn.functional``."""
        x, weight = (each if isinstance(each, Tensor) else Tensor(each) for each in (x, weight))
        if bias is not None and not isinstance(bias, Tensor):
            bias = Tensor(bias)
        ends, groups = weight.shape[:2], settings["groups"]
        if len(weight.shape) != cls.axes + 2:
            order = "in, out / groups" if cls.transposed else "out, in / groups"
            raise ShapeError(
                "MG-525",
                f"weight is {weight.shape}; ({order}, {', '.join(('height', 'width')[-cls.axes :])} of the kernel) is "
                "needed.",
            )
        layer = cls.__new__(cls)
        channels = (ends[0], ends[1] * groups) if cls.transposed else (ends[1] * groups, ends[0])
        layer._settle(*channels, weight.shape[2:], **settings)
        if isinstance(layer, _ConvTranspose):
            layer._add(output_padding)
        if bias is not None and bias.shape != (layer.out_channels,):
            raise ShapeError(
                "MG-525",
                f"bias is {bias.shape}; one number for each of {layer.out_channels} channels is needed.",
            )
        return layer._convolved(x, weight, bias)

    def _settle(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Lengths,
        stride: Lengths,
        padding: Lengths | str,
        dilation: Lengths,
        groups: int,
        padding_mode: str = "zeros",
    ) -> None:
        axes = self.axes
        if min(groups, in_channels, out_channels) < 1 or in_channels % groups or out_channels % groups:
            raise ConfigError(
                "MG-527",
                f"{in_channels} channels in and {out_channels} out do not part into {groups} groups: groups must "
                "divide both.",
            )
        if padding_mode not in PADDING_MODES:
            raise ConfigError(
                "MG-527", f"padding_mode is {padding_mode!r}; there are {', '.join(PADDING_MODES)}."
            )
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size = lengths("kernel_size", kernel_size, axes)
        self.stride = lengths("stride", stride, axes)
        self.dilation = lengths("dilation", dilation, axes)
        self.padding_mode = padding_mode
        self.padding = padding if isinstance(padding, str) else lengths("padding", padding, axes, 0)
        self._sides = self._padded(self.padding)

    def _padded(self, padding: tuple[int, ...] | str) -> Sides:
        """((above, below), (left, right)); a row's picture has nothing above and below."""
        if isinstance(padding, str):
            if padding not in ("same", "valid"):
                raise ConfigError(
                    "MG-527", f"padding is {padding!r}; it must be a number, a tuple, 'same' or 'valid'."
                )
            if padding == "same" and any(n != 1 for n in self.stride):
                raise ConfigError(
                    "MG-527",
                    f"padding='same' keeps the size, which a stride of {self.stride} does not: use stride=1, or "
                    f"padding={tuple(d * (k - 1) // 2 for k, d in zip(self.kernel_size, self.dilation, strict=True))}.",
                )
            added = [
                d * (k - 1) if padding == "same" else 0
                for k, d in zip(self.kernel_size, self.dilation, strict=True)
            ]
            sides = [(n // 2, n - n // 2) for n in added]
        else:
            sides = [(n, n) for n in padding]
        first, last = sides if self.axes == 2 else ((0, 0), *sides)
        return first, last

    def _pair(self, values: tuple[int, ...]) -> Any:
        return values if self.axes == 2 else (1, *values)

    def extra_repr(self) -> str:
        """Return the channels, the kernel and what is not the default."""
        text = f"{self.in_channels}->{self.out_channels}, {'x'.join(map(str, self.kernel_size))}"
        for name, default in (("stride", 1), ("padding", 0), ("dilation", 1)):
            value = getattr(self, name)
            if isinstance(value, str) or any(n != default for n in value):
                shown = value if isinstance(value, str) else "x".join(map(str, value))
                text += f", {name} {shown}"
        if self.groups != 1:
            text += f", {self.groups} groups"
        return text + ("" if self.bias is not None else ", without bias")

    def forward(self, x: Any) -> Any:
        """Return the convolution of x."""
        return self._convolved(x if isinstance(x, Tensor) else Tensor(x), self.weight, self.bias)

    def _convolved(self, x: Any, w: Any, b: Any) -> Any:
        single = require_picture(x, self.axes, self.in_channels)
        _require_alike(x, w)
        x = raised(x, self.axes, single)
        if self.axes == 1:
            w = ops.expand_dims(w, axis=2)
        return lowered(self._run(x, w, b), self.axes, single)

    def _run(self, x: Any, w: Any, b: Any) -> Any:
        padding, stride, dilation = self._sides, self._pair(self.stride), self._pair(self.dilation)
        kernel = w.shape[2:]
        size = [
            output_length(*each) for each in zip(x.shape[2:], kernel, stride, padding, dilation, strict=True)
        ]
        spans = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
        require_room(x.shape[2:], spans, padding, size)
        if self.padding_mode != "zeros" and padding != UNPADDED:
            x = np.pad(x, ((0, 0), (0, 0), *padding), mode=PADDING_MODES[self.padding_mode])  # type: ignore[call-overload]
            padding = UNPADDED
        return convolution.conv2d(
            x, w, b, stride=stride, padding=padding, dilation=dilation, groups=self.groups
        )


class Conv2d(_Conv):
    """y[n, o, p, q] = b[o] + Σ_cij x[n, c, p·stride + i·dilation - padding, q·… + j·… - …] · w[o, c, i, j].

    x (n, in, h, w), or (in, h, w) for one picture; weight (out, in / groups, kh, kw), bias (out,); y (n, out, oh, ow)
    with oh = (h + 2 padding - dilation (kh - 1) - 1) / stride + 1, rounded down. LeCun et al. 1998, "Gradient-based
    learning applied to document recognition", section II.A.

    Parameters
    ----------
    in_channels, out_channels : the channels in and out; ``groups`` divides both, and each group sees its own.
    kernel_size, stride, dilation : one whole number, or (rows, columns).
    padding : as those, or "valid" (none) or "same" (so much that with a stride of 1 the size stays).
    padding_mode : what is there: "zeros", "reflect", "replicate" or "circular".
    rng : the generator that the weights are drawn from, U(-1/√fan, 1/√fan) as in PyTorch, fan = in / groups · kh · kw.

    Raises ShapeError MG-525 where x has other channels, MG-526 where no window fits into it, ConfigError MG-527 where
    the settings contradict each other, DtypeError MG-211 where x has another dtype.
    """


class Conv1d(_Conv):
    """``Conv2d`` for rows: x (n, in, length), or (in, length) for one; weight (out, in / groups, kernel)."""

    axes = 1


class _ConvTranspose(_Conv):
    transposed = True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Lengths,
        stride: Lengths = 1,
        padding: Lengths = 0,
        output_padding: Lengths = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Lengths = 1,
        padding_mode: str = "zeros",
        rng: np.random.Generator | None = None,
    ) -> None:
        if isinstance(padding, str) or padding_mode != "zeros":
            raise ConfigError(
                "MG-527",
                f"a transposed convolution takes padding as numbers and zeros alone; got padding={padding!r}, "
                f"padding_mode={padding_mode!r}.",
            )
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode, rng
        )
        self._add(output_padding)

    def _add(self, output_padding: Lengths) -> None:
        self.output_padding = lengths("output_padding", output_padding, self.axes, 0)
        for added, step, apart in zip(self.output_padding, self.stride, self.dilation, strict=True):
            if added >= max(step, apart):
                raise ConfigError(
                    "MG-527",
                    f"output_padding is {added}; it must be smaller than the stride, {step}, or the dilation, {apart}: "
                    "it chooses among the sizes that a convolution would have made into x's.",
                )

    def _run(self, x: Any, w: Any, b: Any) -> Any:
        stride, dilation = self._pair(self.stride), self._pair(self.dilation)
        added = self.output_padding if self.axes == 2 else (0, *self.output_padding)
        size = tuple(
            input_length(*each)
            for each in zip(x.shape[2:], w.shape[2:], stride, self._sides, dilation, added, strict=True)
        )
        if min(size) < 1:
            raise ShapeError(
                "MG-526",
                f"the result would be of size {size}: a padding of {self.padding} takes away more than "
                f"x {x.shape} makes. Use a smaller padding.",
            )
        return convolution.conv2d_input(
            x, w, b, size=size, stride=stride, padding=self._sides, dilation=dilation, groups=self.groups
        )


class ConvTranspose2d(_ConvTranspose):
    """The transpose of ``Conv2d``, that is its gradient as a layer: every pixel writes a kernel's worth of them.

    x (n, in, h, w), weight (in, out / groups, kh, kw), y (n, out, oh, ow) with oh = (h - 1) stride - 2 padding +
    dilation (kh - 1) + output_padding + 1. Zeiler et al. 2010, "Deconvolutional networks". Arguments and errors as
    with ``Conv2d``; ``output_padding`` adds rows below and columns on the right that only some pixels reach.
    """


class ConvTranspose1d(_ConvTranspose):
    """``ConvTranspose2d`` for rows: x (n, in, length), weight (in, out / groups, kernel)."""

    axes = 1
