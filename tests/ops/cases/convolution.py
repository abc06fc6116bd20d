"""Cases of convolution and pooling."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.ops import convolution
from tests.ops.cases.core import Case, apart, between

MEANS = {"rows": ((0, 2, 3), (1, 3, 2)), "columns": ((0, 1, 1), (0, 3, 3), (2, 3, 2))}
SETTINGS = {"stride": (2, 1), "padding": ((1, 1), (0, 1)), "dilation": (1, 2), "groups": 2}


def convolutions() -> list[Case]:
    n = between(-1, 1)

    def f(x: Any, w: Any, b: Any = None, **settings: Any) -> Any:
        return convolution.conv2d(x, w, b, **settings)

    def g(*inputs: Any) -> Any:
        return convolution.conv2d(*inputs, **SETTINGS)

    return [
        Case("contiguous", f, (n((2, 1, 3, 4)), n((2, 1, 2, 3)), n((2,)))),
        Case("contiguous", f, (n((1, 2, 3, 3)), n((2, 2, 2, 2)))),
        Case("contiguous", g, (n((1, 2, 3, 4)), n((4, 1, 2, 2)), n((4,)))),
        Case("transposed", g, (n((4, 3, 2, 1)).T, n((2, 2, 1, 4)).T, n((8,))[::2])),
        Case("broadcast", f, (np.broadcast_to(n((3, 3)), (2, 2, 3, 3)), n((1, 2, 2, 2)), n((1,)))),
        Case("size-0", f, (n((0, 1, 3, 3)), n((2, 1, 2, 2)), n((2,)))),
        Case("size-1", f, (n((1, 1, 1, 1)), n((1, 1, 1, 1)), n((1,)))),
    ]


def inputs() -> list[Case]:
    n = between(-1, 1)

    def f(values: Any, w: Any, b: Any = None) -> Any:
        return convolution.conv2d_input(values, w, b, size=(3, 4))

    def g(values: Any, w: Any, b: Any = None) -> Any:
        return convolution.conv2d_input(values, w, b, size=(3, 5), **SETTINGS)

    return [
        Case("contiguous", f, (n((2, 2, 2, 3)), n((2, 1, 2, 2)), n((1,)))),
        Case("contiguous", g, (n((1, 2, 2, 4)), n((2, 1, 2, 2)), n((2,)))),
        Case("contiguous", g, (n((1, 2, 2, 4)), n((2, 1, 2, 2)))),
        Case("transposed", g, (n((4, 2, 4, 1)).T, n((2, 2, 1, 4)).T)),
        Case("broadcast", f, (np.broadcast_to(n((2, 3)), (1, 2, 2, 3)), n((2, 1, 2, 2)))),
        Case("size-0", f, (n((0, 2, 2, 3)), n((2, 1, 2, 2)))),
        Case(
            "size-1",
            lambda g, w: convolution.conv2d_input(g, w, size=(1, 1)),
            (n((1, 1, 1, 1)), n((1, 1, 1, 1))),
        ),
    ]


def weights() -> list[Case]:
    n = between(-1, 1)

    def f(values: Any, x: Any) -> Any:
        return convolution.conv2d_weight(values, x, kernel=(2, 2))

    def g(values: Any, x: Any) -> Any:
        return convolution.conv2d_weight(values, x, kernel=(2, 2), **SETTINGS)

    return [
        Case("contiguous", f, (n((2, 2, 2, 3)), n((2, 1, 3, 4)))),
        Case("contiguous", g, (n((1, 2, 2, 3)), n((1, 2, 3, 4)))),
        Case("transposed", g, (n((3, 2, 4, 1)).T, n((4, 3, 2, 1)).T)),
        Case("broadcast", f, (np.broadcast_to(n((2, 3)), (1, 2, 2, 3)), n((1, 1, 3, 4)))),
        Case("size-0", f, (n((0, 2, 2, 3)), n((0, 1, 3, 4)))),
        Case("size-1", lambda g, x: convolution.conv2d_weight(g, x), (n((1, 1, 1, 1)), n((1, 1, 1, 1)))),
    ]


def of_pictures(
    f: Callable[..., Any], sample: Any, *more: Any, shape: tuple[int, ...] = (2, 1, 3, 3)
) -> list[Case]:
    """f on pictures of each kind."""
    return [
        Case("contiguous", f, (sample(shape), *more)),
        Case("transposed", f, (sample(shape[::-1]).T, *more)),
        Case("broadcast", f, (np.broadcast_to(sample(shape[1:]), shape), *more)),
        Case("size-0", f, (sample((0, *shape[1:])), *(each[:0] for each in more))),
    ]


def maxima() -> list[Case]:
    def f(x: Any) -> Any:
        return convolution.max_pool2d(x, kernel=(2, 2), stride=(1, 2), padding=((0, 1), (1, 0)))

    return [
        *(case for case in of_pictures(f, apart()) if case.layout != "broadcast"),
        Case("broadcast", f, (np.broadcast_to(apart()((3, 3)), (2, 1, 3, 3)),)),
        Case("size-1", lambda x: convolution.max_pool2d(x), (apart()((1, 1, 1, 1)),)),
    ]


def put_back() -> list[Case]:
    places = np.array([[[[0, 5], [5, 3]]], [[[8, 8], [8, 0]]]])

    def f(values: Any, places: Any) -> Any:
        return convolution.max_pool2d_input(values, places, size=(3, 3))

    one = np.zeros((1, 1, 1, 1), int)
    return [
        *of_pictures(f, between(-1, 1), places, shape=(2, 1, 2, 2)),
        Case("size-1", lambda v, p: convolution.max_pool2d_input(v, p), (between(-1, 1)((1, 1, 1, 1)), one)),
    ]


def means() -> list[Case]:
    n, one = between(-1, 1), {"rows": ((0, 1, 1),), "columns": ((0, 1, 2),)}
    return [
        *of_pictures(lambda x: convolution.mean_pool2d(x, **MEANS), n),
        Case("size-1", lambda x: convolution.mean_pool2d(x, **one), (n((1, 1, 1, 1)),)),
    ]


def spread() -> list[Case]:
    n, one = between(-1, 1), {"rows": ((0, 1, 1),), "columns": ((0, 1, 2),)}
    return [
        *of_pictures(lambda g: convolution.mean_pool2d_input(g, size=(3, 3), **MEANS), n, shape=(2, 1, 2, 3)),
        Case("size-1", lambda g: convolution.mean_pool2d_input(g, size=(1, 1), **one), (n((1, 1, 1, 1)),)),
    ]


CASES = {
    "conv2d": convolutions(),
    "conv2d_input": inputs(),
    "conv2d_weight": weights(),
    "max_pool2d": maxima(),
    "max_pool2d_input": put_back(),
    "mean_pool2d": means(),
    "mean_pool2d_input": spread(),
}
COMPOSED: dict[str, list[Case]] = {}
CONSTANT: dict[str, Callable[..., Any]] = {}
