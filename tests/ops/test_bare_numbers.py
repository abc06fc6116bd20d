"""Operations compute numbers and lists, which are no Tensors and no arrays, as they compute arrays of them."""

from __future__ import annotations

import numpy as np
import pytest

from minigrad import ops

ONE = [
    ops.gelu,
    ops.sigmoid,
    ops.softplus,
    ops.relu,
    ops.normal_cdf,
    ops.leaky_relu,
    ops.exp,
    ops.tanh,
    ops.square,
]
SEVERAL = [
    *(ops.softmax, ops.log_softmax, ops.logsumexp, ops.mean, ops.sum, ops.var, ops.std, ops.prod, ops.max),
    *(
        ops.cumsum,
        ops.flip,
        lambda a: ops.pad(a, 1),
        lambda a: ops.reshape(a, (2, 1)),
        lambda a: ops.clip(a, 0, 1),
    ),
]


@pytest.mark.parametrize("f", ONE)
def test_a_number(f):
    np.testing.assert_allclose(f(0.5), f(np.array(0.5)))


@pytest.mark.parametrize("f", [*ONE, *SEVERAL])
def test_a_list(f):
    if f in (ops.leaky_relu, ops.sigmoid):
        pytest.skip("NumPy multiplies and compares no list with a number")
    np.testing.assert_allclose(f([0.5, 2.0]), f(np.array([0.5, 2.0])), rtol=1e-6)
