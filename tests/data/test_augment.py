from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from minigrad.data import Compose, Noise, Rotate, Shift
from minigrad.data.augment import rotate_images, shift_images
from minigrad.errors import DataError


def pictures(count=5, height=7, width=6, dtype=np.float64):
    return np.random.default_rng(0).random((count, height, width)).astype(dtype)


def rng(seed=0):
    return np.random.default_rng(seed)


def test_shift_by_hand():
    image = np.array([[[1.0, 2, 3], [4, 5, 6]]] * 3)
    moved = shift_images(image, np.array([1, 0, -1]), np.array([0, -2, 1]))
    assert moved[0].tolist() == [[0, 0, 0], [1, 2, 3]]
    assert moved[1].tolist() == [[3, 0, 0], [6, 0, 0]]
    assert moved[2].tolist() == [[0, 4, 5], [0, 0, 0]]


def test_shift_equals_scipys():
    images, down, right = pictures(), np.array([0, 3, -2, 9, 1]), np.array([0, -1, 2, 0, -8])
    expected = [ndimage.shift(image, move, order=0) for image, *move in zip(images, down, right, strict=True)]
    assert np.array_equal(shift_images(images, down, right), expected)


def test_a_quarter_turn_is_counter_clockwise():
    images = pictures(3, 5, 5)
    turned = rotate_images(images, np.array([90.0, -90.0, 180.0]))
    np.testing.assert_allclose(turned, [np.rot90(images[0]), np.rot90(images[1], -1), np.rot90(images[2], 2)])


@pytest.mark.parametrize(("height", "width"), [(7, 7), (8, 8), (9, 6), (1, 4)])
def test_rotation_equals_scipys(height, width):
    images = pictures(6, height, width)
    angles = np.array([0, 10.0, -33.3, 45.0, 120.0, 359.0])
    expected = [
        ndimage.rotate(image, angle, reshape=False, order=1, mode="grid-constant")
        for image, angle in zip(images, angles, strict=True)
    ]
    np.testing.assert_allclose(rotate_images(images, angles), expected, atol=1e-9)


def test_noise_has_the_deviation_and_no_bias():
    x = np.full((400, 100), 3, np.float32)
    noise = Noise(0.2)(x, rng()) - 3
    assert abs(noise.mean()) < 5 * 0.2 / 200
    assert abs(noise.std() - 0.2) < 5 * 0.2 / np.sqrt(2 * 40_000)
    assert np.unique(noise).size > 10_000


TRANSFORMS = [
    Shift((7, 6), 2),
    Rotate((7, 6), 25),
    Noise(0.1),
    Compose((Shift((7, 6)), Rotate((7, 6)), Noise())),
]


@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("flat", [True, False])
def test_every_transform_keeps_shape_dtype_and_input_and_repeats_with_its_seed(transform, dtype, flat):
    x = pictures(dtype=dtype)
    x = x.reshape(5, 42) if flat else x
    before = x.copy()
    result = transform(x, rng(1))
    assert result.shape == x.shape
    assert result.dtype == dtype
    assert not np.shares_memory(result, x)
    assert np.array_equal(x, before)
    assert np.array_equal(transform(x, rng(1)), result)
    assert not np.array_equal(transform(x, rng(2)), result)


def test_each_picture_gets_its_own_draw():
    x = np.tile(pictures(1), (50, 1, 1))
    for transform, most in ((Shift((7, 6), 2), 25), (Rotate((7, 6), 25), 50)):
        different = np.unique(transform(x, rng()).reshape(50, -1), axis=0)
        assert most * 0.7 < len(different) <= most


def test_shifts_reach_their_limits_and_no_further():
    x = np.zeros((2000, 7, 7))
    x[:, 3, 3] = 1
    places = np.argwhere(Shift((7, 7), 2)(x, rng()))[:, 1:] - 3
    values, counts = np.unique(places[:, 0] * 10 + places[:, 1], return_counts=True)
    assert sorted(values) == sorted(a * 10 + b for a in range(-2, 3) for b in range(-2, 3))
    assert counts.min() > 40


@pytest.mark.parametrize("transform", TRANSFORMS[:3])
def test_nothing_to_do(transform):
    still = type(transform)(**{**vars(transform), list(vars(transform))[-1]: 0})
    np.testing.assert_allclose(still(pictures(), rng()), pictures(), atol=1e-12)
    assert transform(pictures(0), rng()).shape == (0, 7, 6)


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_mistakes(transform):
    with pytest.raises(DataError, match=r"MG-709 x is uint8.*astype"):
        transform(np.zeros((2, 42), np.uint8), rng())
    if not isinstance(transform, Noise):
        with pytest.raises(DataError, match=r"MG-709 images of 7x6 have 42 values; x is \(2, 84\)"):
            transform(np.zeros((2, 84)), rng())
