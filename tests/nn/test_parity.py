"""A few of the random configurations that ``python -m tests.nn.parity`` compares with PyTorch by the hundred."""

import numpy as np
import pytest

from tests.nn.parity import configurations, main

EVERY = configurations()


@pytest.mark.parametrize("name", EVERY)
def test_random_configurations_equal_pytorch_s(name):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    for seed in range(6):
        EVERY[name](torch, np.random.default_rng(1000 + seed))


def test_the_command_says_what_it_compared(capsys):
    pytest.importorskip("torch", reason="PyTorch is not installed")
    main("Flatten", "3")
    assert capsys.readouterr().out == "Flatten: 3 random configurations equal PyTorch's, to 1e-10\n"
