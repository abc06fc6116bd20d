"""Networks that look at pictures: LeNet-5 and a residual network, on the rows of pixels that data sets hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad import nn, ops
from minigrad.errors import ConfigError

ROOM = 16
"""Pixels a side from which LeNet has room for all that makes a picture smaller."""


class Pictures(nn.Module):
    """Rows of pixels, or pictures with their colours last, to (n, channels, height, width), as convolutions see them.

    ``image_shape`` is a data set's: (height, width), or (height, width, channels).
    """

    def __init__(self, image_shape: Sequence[int]) -> None:
        self.image_shape = tuple(image_shape)

    def forward(self, x: Any) -> Any:
        """Return x (n, …) as pictures."""
        pictures = x.reshape((x.shape[0], *self.image_shape))
        if len(self.image_shape) == 2:
            return ops.expand_dims(pictures, axis=1)
        return ops.transpose(pictures, axes=(0, 3, 1, 2))

    def extra_repr(self) -> str:
        """Return the height and the width."""
        return "x".join(str(n) for n in self.image_shape)


def lenet(
    inputs: int,
    outputs: int,
    rng: np.random.Generator,
    masks: np.random.Generator,
    dropout: float,
    image_shape: Sequence[int],
) -> nn.Module:
    """LeNet-5 (LeCun et al. 1998, section II.B) with today's ReLU, maxima, softmax and dropout.

    61,706 weights for 28x28. Of less than 16 pixels a side only the second convolution is pooled, and it takes nothing
    off the edge, as it does in the paper: the 8x8 digits would be 2x2 otherwise.
    """
    height, width, channels = (*image_shape, 1)[:3]
    if min(height, width) < 2:
        raise ConfigError(
            "MG-624",
            f"lenet halves a picture, and of {height}x{width} pixels nothing is left then: 2x2 is the least. "
            "Use mlp-dropout for these.",
        )
    small = min(height, width) < ROOM
    rows, columns = ((n if small else n // 2 - 4) // 2 for n in (height, width))
    return nn.Sequential(
        Pictures(image_shape),
        nn.Conv2d(channels, 6, 5, padding=2, rng=rng),
        nn.ReLU(),
        *(() if small else (nn.MaxPool2d(2),)),
        nn.Conv2d(6, 16, 5, padding=2 if small else 0, rng=rng),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Dropout(dropout, rng=masks),
        nn.Linear(16 * rows * columns, 120, rng=rng),
        nn.ReLU(),
        nn.Dropout(dropout, rng=masks),
        nn.Linear(120, 84, rng=rng),
        nn.ReLU(),
        nn.Linear(84, outputs, rng=rng),
    )


class Residual(nn.Module):
    """relu(x + f(x)), f two 3×3 convolutions, each normalised over the batch (He et al. 2016, figure 2).

    Where f halves the picture, x comes by a 1×1 convolution of the same stride (their option B).
    """

    def __init__(self, channels: int, wider: int, stride: int, rng: np.random.Generator) -> None:
        def conv(c: int, kernel: int, step: int) -> nn.Module:
            return nn.Conv2d(c, wider, kernel, step, kernel // 2, bias=False, rng=rng)

        self.conv1, self.norm1 = conv(channels, 3, stride), nn.BatchNorm2d(wider)
        self.conv2, self.norm2 = conv(wider, 3, 1), nn.BatchNorm2d(wider)
        self.relu = nn.ReLU()
        alike = stride == 1 and channels == wider
        self.shortcut = None if alike else nn.Sequential(conv(channels, 1, stride), nn.BatchNorm2d(wider))

    def forward(self, x: Any) -> Any:
        """Return the block's pictures."""
        y = self.norm2(self.conv2(self.relu(self.norm1(self.conv1(x)))))
        return self.relu(y + (x if self.shortcut is None else self.shortcut(x)))


def resnet(
    inputs: int,
    outputs: int,
    rng: np.random.Generator,
    masks: np.random.Generator,
    layers: int,
    image_shape: Sequence[int],
) -> nn.Module:
    """Three stages of ``layers`` residual blocks, 16, 32 and 64 channels wide, and the mean of what is left.

    He et al. 2016, "Deep residual learning for image recognition", section 4.2, where n is ``layers``: 6 n + 2 layers
    with weights, 77,850 of these for 28×28 where n is 1.
    """
    channels = (*image_shape, 1)[2]
    blocks = []
    wide = 16
    for stage, wider in enumerate((16, 32, 64)):
        for block in range(layers):
            blocks.append(Residual(wide, wider, 2 if stage and not block else 1, rng))
            wide = wider
    return nn.Sequential(
        Pictures(image_shape),
        nn.Conv2d(channels, 16, 3, padding=1, bias=False, rng=rng),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        *blocks,
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(64, outputs, rng=rng),
    )
