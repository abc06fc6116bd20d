"""A few of the random configurations that ``python -m tests.nn.parity`` compares with PyTorch by the hundred."""

import numpy as np
import pytest

from minigrad import nn
from tests.nn.parity import configurations, main

EVERY = configurations()


@pytest.mark.parametrize("name", EVERY)
def test_random_configurations_equal_pytorch_s(name):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    for seed in range(4):
        EVERY[name](torch, np.random.default_rng(1000 + seed))


def test_the_command_says_what_it_compared(capsys):
    pytest.importorskip("torch", reason="PyTorch is not installed")
    main("Flatten", "3")
    assert capsys.readouterr().out == "Flatten: 3 random configurations equal PyTorch's, to 1e-10\n"


ELSEWHERE = {
    "Identity": "is what comes in",
    "Dropout": "is random: test_dropout.py",
    "HalfMSELoss": "PyTorch has none: test_losses.py",
    "TransformerEncoderLayer": "in TransformerEncoder",
    "GPT": "PyTorch has none: test_gpt.py, against its functions",
    **dict.fromkeys(
        ("LearnedPositions", "RotaryPositions", "SinusoidalPositions"), "PyTorch has none: test_attention.py"
    ),
    **dict.fromkeys(
        ("Sequential", "ModuleList", "ModuleDict", "ParameterList", "ParameterDict"), "test_containers.py"
    ),
}


def test_no_layer_is_left_out():
    """A new module of ``nn`` has random configurations, or stands above with where it is compared."""
    kinds = {name: getattr(nn, name) for name in nn.__all__ if isinstance(getattr(nn, name), type)}
    modules = {name for name, kind in kinds.items() if issubclass(kind, nn.Module)} - {"Module", "Loss"}
    assert modules - EVERY.keys() == ELSEWHERE.keys()
