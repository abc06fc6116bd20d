"""Layers that normalise: over features, over groups of channels, over a batch, and by root mean square.

Their arguments, parameters and buffers have PyTorch's names, and start as PyTorch's: weights at 1, biases at 0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.backend import default_dtype
from minigrad.errors import ConfigError, ShapeError
from minigrad.nn.module import Buffer, Module, Parameter
from minigrad.ops.fused import width_mismatch
from minigrad.ops.half import wide
from minigrad.ops.normalization import batch_norm, group_norm, layer_norm, rms_norm, statistics
from minigrad.tensor import unwrap


def _parameters(
    shape: tuple[int, ...], weight: bool, bias: bool
) -> tuple[Parameter | None, Parameter | None]:
    return (
        Parameter(np.ones(shape, default_dtype())) if weight else None,
        Parameter(np.zeros(shape, default_dtype())) if bias else None,
    )


class LayerNorm(Module):
    """y = (x - mean) / √(var + eps) · weight + bias, over the last axes, each sample by itself.

    ``normalized_shape`` is the length of the last axis, or the lengths of the last axes; weight and bias have that
    shape. ``elementwise_affine=False`` leaves both out, ``bias=False`` the bias. The variance is divided by n, not
    n - 1. Ba, Kiros & Hinton 2016, "Layer normalization", eq. 3 and 4. Raises ShapeError MG-101 where x ends in other
    lengths.
    """

    def __init__(
        self,
        normalized_shape: int | tuple[int, ...],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
    ) -> None:
        self.shape = _shape(normalized_shape)
        self.eps = eps
        self.weight, self.bias = _parameters(self.shape, elementwise_affine, elementwise_affine and bias)

    def forward(self, x: Any) -> Any:
        """Return x normalised, scaled and shifted."""
        _require_ending(x.shape, self.shape)
        return layer_norm(x, self.weight, self.bias, axes=len(self.shape), eps=self.eps)

    def extra_repr(self) -> str:
        """Return the lengths that are normalised over."""
        return "x".join(str(length) for length in self.shape)


class RMSNorm(Module):
    """y = x / √(mean(x²) + eps) · weight, over the last axes, each sample by itself.

    As ``LayerNorm`` without the mean and the bias. ``eps=None``, the default, is the machine's: the distance from 1 to
    the next number of x's dtype. Zhang & Sennrich 2019, "Root mean square layer normalization", eq. 4. Raises
    ShapeError MG-101 where x ends in other lengths.
    """

    def __init__(
        self,
        normalized_shape: int | tuple[int, ...],
        eps: float | None = None,
        elementwise_affine: bool = True,
    ) -> None:
        self.shape, self.eps = _shape(normalized_shape), eps
        self.weight, _ = _parameters(self.shape, elementwise_affine, False)

    def forward(self, x: Any) -> Any:
        """Return x over its root mean square, scaled."""
        _require_ending(x.shape, self.shape)
        eps = float(np.finfo(x.dtype).eps) if self.eps is None else self.eps
        return rms_norm(x, self.weight, axes=len(self.shape), eps=eps)

    def extra_repr(self) -> str:
        """Return the lengths that are normalised over."""
        return "x".join(str(length) for length in self.shape)


def _shape(given: int | tuple[int, ...]) -> tuple[int, ...]:
    return (given,) if isinstance(given, int) else tuple(given)


def _require_ending(shape: tuple[int, ...], wanted: tuple[int, ...]) -> None:
    count = len(wanted)
    if shape[-count:] != wanted:
        raise ShapeError(
            "MG-101",
            width_mismatch(shape, wanted[0])
            if count == 1
            else f"input x is {shape}, but its last {count} axes have to be {wanted}.",
        )


class GroupNorm(Module):
    """y = (x - mean) / √(var + eps) · weight + bias, with the mean and variance of each sample's groups of channels.

    x is (n, num_channels, …); num_groups has to divide num_channels (ConfigError MG-521). One group is all of a sample,
    a group a channel is instance normalisation. weight and bias are (num_channels,), or absent with ``affine=False``.
    Wu & He 2018, "Group normalization", eq. 1 to 7. Raises ShapeError MG-101 where x has another number of channels.
    """

    def __init__(self, num_groups: int, num_channels: int, eps: float = 1e-5, affine: bool = True) -> None:
        if num_groups < 1 or num_channels % num_groups:
            near = [k for k in range(1, num_channels + 1) if not num_channels % k]
            raise ConfigError(
                "MG-521",
                f"{num_channels} channels cannot be shared out among {num_groups} groups of one size; "
                f"num_groups can be {', '.join(map(str, near))}.",
            )
        self.num_groups, self.num_channels, self.eps = num_groups, num_channels, eps
        self.weight, self.bias = _parameters((num_channels,), affine, affine)

    def forward(self, x: Any) -> Any:
        """Return x normalised, scaled and shifted."""
        _require_channels(x.shape, self.num_channels, least=2)
        return group_norm(x, self.weight, self.bias, groups=self.num_groups, eps=self.eps)

    def extra_repr(self) -> str:
        """Return the numbers of groups and channels."""
        return f"{self.num_groups} groups of {self.num_channels} channels"


def _require_channels(shape: tuple[int, ...], channels: int, least: int, most: int = 99) -> None:
    if least <= len(shape) <= most and shape[1] == channels:
        return
    if len(shape) > 1 and shape[-1] == channels and least <= len(shape) <= most:
        order = (0, len(shape) - 1, *range(1, len(shape) - 1))
        hint = f" Are the channels last? np.transpose(x, {order})"
    else:
        axes = f"{least}" if most == least else f"{least} to {most}" if most < 99 else f"{least} or more"
        hint = f" It needs {axes} axes, (samples, {channels}, …)."
    raise ShapeError("MG-101", f"input x is {shape}, but {channels} channels are expected on axis 1.{hint}")


def in_training(
    x: Any, running_mean: Any, running_var: Any, weight: Any, bias: Any, rate: Callable[[], Any], eps: float
) -> Any:
    """Return x normalised by its channels' own statistics, towards which the running ones, unless None, are moved.

    Each goes ``rate()`` of the way; the variance that they move towards is divided by one less than its entries. Raises
    ShapeError MG-520 where there is one number a channel.
    """
    count = x.size // max(1, x.shape[1])
    if count == 1:
        raise ShapeError(
            "MG-520",
            f"input x is {x.shape}: one number for each of {x.shape[1]} channels, whose variance is 0, so that every "
            "output would be the bias. Train on batches of 2 or more (DataLoader(..., drop_last=True) leaves out a "
            "last batch of one sample), or predict with model.eval(), which takes the running statistics.",
        )
    y = batch_norm(x, weight, bias, eps=eps)
    if running_mean is not None and count:
        record, part = getattr(y, "record", None), rate()
        mean, var = record.saved[:2] if record is not None else statistics(unwrap(x))
        kept, part = (_as_in(each, running_mean.dtype) for each in (1 - part, part))
        for running, new in ((running_mean, mean), (running_var, var * (count / (count - 1)))):
            running.data *= kept
            running.data += part * new
            running.bump_version()
    return y


def _as_in(number: Any, dtype: Any) -> Any:
    """Return a number that widens no array of this dtype, as Python's numbers do not."""
    return number.astype(dtype) if hasattr(number, "astype") else number


def in_evaluation(x: Any, mean: Any, var: Any, weight: Any, bias: Any, eps: float) -> Any:
    """Return (x - mean) / √(var + eps) · weight + bias for statistics that are given, (channels,)."""
    shape = (*mean.shape, *(1,) * (len(x.shape) - 2))
    scale = 1 / np.sqrt(wide(unwrap(var)) + eps)
    if weight is not None:
        scale = weight * scale.astype(weight.dtype)
    y = (x - unwrap(mean).reshape(shape)) * scale.reshape(shape).astype(x.dtype)
    return y if bias is None else y + bias.reshape(shape)


class _BatchNorm(Module):
    axes = (2, 3)

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
    ) -> None:
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.track_running_stats = track_running_stats
        self.weight, self.bias = _parameters((num_features,), affine, affine)
        self.running_mean: Buffer | None = None
        self.running_var: Buffer | None = None
        self.num_batches_tracked: Buffer | None = None
        if track_running_stats:
            self.running_mean = Buffer(np.zeros(num_features, default_dtype()))
            self.running_var = Buffer(np.ones(num_features, default_dtype()))
            self.num_batches_tracked = Buffer(np.array(0, np.int64))

    def forward(self, x: Any) -> Any:
        """Return x normalised by its own statistics in training, in evaluation by the running ones, if there are."""
        _require_channels(x.shape, self.num_features, *self.axes)
        running = self.running_mean, self.running_var
        if not self.training and running[0] is not None:
            return in_evaluation(x, *running, self.weight, self.bias, self.eps)
        return in_training(x, *running, self.weight, self.bias, self._rate, self.eps)

    def _rate(self) -> Any:
        """Count a batch; return the part of the way to its statistics that the running ones go."""
        assert self.num_batches_tracked is not None
        self.num_batches_tracked.data += 1
        return 1 / self.num_batches_tracked.data if self.momentum is None else self.momentum

    def extra_repr(self) -> str:
        """Return the number of channels."""
        return f"{self.num_features}"


class BatchNorm1d(_BatchNorm):
    """y = (x - mean) / √(var + eps) · weight + bias, with each feature's mean and variance over the batch.

    x is (n, num_features) or (n, num_features, length). In training the mean and variance are the batch's, and the
    buffers ``running_mean`` and ``running_var`` move towards them, by the part ``momentum`` of the way (None: such that
    they are the mean over all batches so far, which ``num_batches_tracked`` counts); in evaluation the running ones are
    used. The batch's variance is divided by its number of entries, the running one by one less.
    ``track_running_stats=False`` always takes the batch's, ``affine=False`` leaves weight and bias out. Ioffe & Szegedy
    2015, "Batch normalization", algorithms 1 and 2.

    Raises ShapeError MG-101 where x has another number of features, and MG-520 in training where there is one number a
    feature.
    """

    axes = (2, 3)


class BatchNorm2d(_BatchNorm):
    """As ``BatchNorm1d``, for pictures x (n, num_features, height, width)."""

    axes = (4, 4)
