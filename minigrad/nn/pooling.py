"""Pooling layers for rows and for pictures, with PyTorch's arguments."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from minigrad_kernels.geometry import Sides
from minigrad_kernels.pool import Axis

from minigrad.errors import ConfigError
from minigrad.nn.convolution import Lengths, lengths, lowered, raised, require_picture, require_room
from minigrad.nn.module import Module
from minigrad.ops import convolution
from minigrad.tensor import Tensor


def _count(length: int, span: int, stride: int, padding: int, ceil: bool) -> int:
    """How many windows there are; ``ceil`` counts one more that begins inside, or in the padding before it."""
    room = length + 2 * padding - span
    count = (room + (stride - 1 if ceil else 0)) // stride + 1
    return count - 1 if ceil and (count - 1) * stride >= length + padding else count


class _Pool(Module):
    axes = 2

    def _set(self, kernel_size: Lengths, stride: Lengths | None, padding: Lengths, ceil_mode: bool) -> None:
        self.kernel_size = lengths("kernel_size", kernel_size, self.axes)
        self.stride = self.kernel_size if stride is None else lengths("stride", stride, self.axes)
        self.padding = lengths("padding", padding, self.axes, 0)
        self.dilation = (1,) * self.axes
        self.ceil_mode = ceil_mode

    def _require_half(self) -> None:
        for k, p in zip(self.kernel_size, self.padding, strict=True):
            if p > k // 2:
                raise ConfigError(
                    "MG-527",
                    f"padding is {p}, more than half of a window of {k}: some windows would see nothing but padding. "
                    f"Use padding={k // 2} or less.",
                )

    def _settings(self) -> list[tuple[int, ...]]:
        """(kernel, stride, padding, dilation) for rows and for columns."""
        each: list[tuple[int, ...]] = list(
            zip(self.kernel_size, self.stride, self.padding, self.dilation, strict=True)
        )
        return each if self.axes == 2 else [(1, 1, 0, 1), *each]

    def _counts(self, size: tuple[int, ...]) -> list[int]:
        settings = self._settings()
        spans = [(k - 1) * d + 1 for k, _, _, d in settings]
        counts = [
            _count(n, span, s, p, self.ceil_mode)
            for n, span, (_, s, p, _) in zip(size, spans, settings, strict=True)
        ]
        first, last = ((p, p) for _, _, p, _ in settings)
        require_room(size, spans, (first, last), counts)
        return counts

    def forward(self, x: Any) -> Any:
        """Return x with each window pooled."""
        if not isinstance(x, Tensor):
            x = Tensor(x)
        single = require_picture(x, self.axes)
        return lowered(self._run(raised(x, self.axes, single)), self.axes, single)

    def _run(self, x: Any) -> Any:
        raise NotImplementedError

    def extra_repr(self) -> str:
        """Return the kernel, and what is not the default."""
        text = "x".join(map(str, self.kernel_size))
        if self.stride != self.kernel_size:
            text += f", stride {'x'.join(map(str, self.stride))}"
        return text + (f", padding {'x'.join(map(str, self.padding))}" if any(self.padding) else "")


class MaxPool2d(_Pool):
    """y[n, c, p, q] = the largest x in the window of ``kernel_size`` that begins at (p, q) · stride - padding.

    x (n, c, h, w), or (c, h, w); the padding never is the largest. The gradient goes to the largest one, of several
    equal ones to the first. ``stride`` None is ``kernel_size``; ``ceil_mode`` keeps a window that reaches over the end.
    Ranzato et al. 2007, "Unsupervised learning of invariant feature hierarchies", section 2. Raises ShapeError MG-525
    and MG-526 where x is no picture or no window fits, MG-528 where one sees nothing of x, ConfigError MG-527 where
    padding is more than half a window.
    """

    def __init__(
        self,
        kernel_size: Lengths,
        stride: Lengths | None = None,
        padding: Lengths = 0,
        dilation: Lengths = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        if return_indices:
            raise ConfigError(
                "MG-527",
                "return_indices is for MaxUnpool, which is not there: a layer gives one result. The gradient knows the "
                "places by itself.",
            )
        self._set(kernel_size, stride, padding, ceil_mode)
        self.dilation = lengths("dilation", dilation, self.axes)
        self._require_half()

    def _run(self, x: Any) -> Any:
        size, settings = x.shape[2:], self._settings()
        counts = self._counts(size)
        (top, bottom), (left, right) = (
            (p, max(p, (count - 1) * s + (k - 1) * d + 1 - n - p))
            for n, count, (k, s, p, d) in zip(size, counts, settings, strict=True)
        )
        kernel, stride, _, dilation = zip(*settings, strict=True)
        padding: Sides = ((top, bottom), (left, right))
        y = convolution.max_pool2d(x, kernel=kernel, stride=stride, padding=padding, dilation=dilation)
        return y if y.shape[2:] == tuple(counts) else y[:, :, : counts[0], : counts[1]]


class MaxPool1d(MaxPool2d):
    """``MaxPool2d`` for rows: x (n, c, length), or (c, length)."""

    axes = 1


@lru_cache(maxsize=256)
def _averaged(
    length: int, count: int, kernel: int, stride: int, padding: int, include: bool, override: int
) -> Axis:
    axis = []
    for p in range(count):
        start = p * stride - padding
        stop = min(start + kernel, length + padding)
        inside = max(start, 0), min(stop, length)
        axis.append((*inside, override or (stop - start if include else inside[1] - inside[0])))
    return tuple(axis)


class AvgPool2d(_Pool):
    """y[n, c, p, q] = the mean of x in the window of ``kernel_size`` that begins at (p, q) · stride - padding.

    Zeros of the padding count where ``count_include_pad``, the rest of a window that reaches over the padded end
    (``ceil_mode``) never does; ``divisor_override`` is what the sum is divided by instead. LeCun et al. 1998,
    section II.B. Shapes, other arguments and errors as with ``MaxPool2d``.
    """

    def __init__(
        self,
        kernel_size: Lengths,
        stride: Lengths | None = None,
        padding: Lengths = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        self._set(kernel_size, stride, padding, ceil_mode)
        self._require_half()
        if divisor_override is not None:
            lengths("divisor_override", divisor_override, 1)
        self.count_include_pad, self.divisor_override = count_include_pad, divisor_override

    def _run(self, x: Any) -> Any:
        size, settings, divisor = x.shape[2:], self._settings(), self.divisor_override
        overrides = (divisor, 1) if divisor else (0, 0)
        rows, columns = (
            _averaged(n, count, k, s, p, self.count_include_pad, override)
            for n, count, (k, s, p, _), override in zip(
                size, self._counts(size), settings, overrides, strict=True
            )
        )
        return convolution.mean_pool2d(x, rows=rows, columns=columns)


class AvgPool1d(AvgPool2d):
    """``AvgPool2d`` for rows: x (n, c, length), or (c, length)."""

    axes = 1

    def __init__(
        self,
        kernel_size: Lengths,
        stride: Lengths | None = None,
        padding: Lengths = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__(kernel_size, stride, padding, ceil_mode, count_include_pad)


@lru_cache(maxsize=256)
def _parts(length: int, count: int) -> Axis:
    parts = [(p * length // count, -(-(p + 1) * length // count)) for p in range(count)]
    return tuple((start, stop, stop - start) for start, stop in parts)


class AdaptiveAvgPool2d(Module):
    """The mean of windows so chosen that the result has ``output_size``, whatever the size of x (n, c, h, w).

    Window p of an axis of length h reaches from ⌊p h / oh⌋ to before ⌈(p + 1) h / oh⌉. ``output_size`` is one number,
    or (rows, columns), of which None keeps x's. With 1 it is the global mean of Lin et al. 2014, "Network in network",
    section 3.2. Raises ShapeError MG-525 where x is no picture, ConfigError MG-527 where a size is no whole number.
    """

    axes = 2

    def __init__(self, output_size: int | tuple[int | None, ...] | None) -> None:
        found = output_size if isinstance(output_size, (tuple, list)) else (output_size,) * self.axes
        lengths("output_size", tuple(1 if n is None else n for n in found), self.axes)
        self.output_size = tuple(found)

    def forward(self, x: Any) -> Any:
        """Return the means of x."""
        if not isinstance(x, Tensor):
            x = Tensor(x)
        single = require_picture(x, self.axes)
        x = raised(x, self.axes, single)
        wanted = self.output_size if self.axes == 2 else (1, *self.output_size)
        rows, columns = (
            _parts(n, n if out is None else out) for n, out in zip(x.shape[2:], wanted, strict=True)
        )
        y = convolution.mean_pool2d(x, rows=rows, columns=columns)
        return lowered(y, self.axes, single)

    def extra_repr(self) -> str:
        """Return the size of the result."""
        return "x".join("any" if n is None else str(n) for n in self.output_size)


class AdaptiveAvgPool1d(AdaptiveAvgPool2d):
    """``AdaptiveAvgPool2d`` for rows: x (n, c, length), or (c, length)."""

    axes = 1
