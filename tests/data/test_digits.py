from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

import minigrad.data
from minigrad.data import load_digits

ROOT = Path(__file__).parents[2]
SAMPLES_BY_DIGIT = [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
"""As the data set's own description counts its test set (optdigits.names, 1998)."""


def test_the_digits_are_those_of_the_description():
    data = load_digits()
    assert data.x.shape == (1797, 64)
    assert (data.x.dtype, data.y.dtype) == (np.float32, np.int64)
    assert np.bincount(data.y).tolist() == SAMPLES_BY_DIGIT
    assert np.array_equal(np.unique(data.x), np.arange(17, dtype=np.float32) / 16)
    assert data.classes == tuple("0123456789")
    assert data.image_shape == (8, 8)


def test_the_digits_are_scikit_learns_divided_by_16():
    raw = pytest.importorskip("sklearn.datasets").load_digits()
    data = load_digits()
    assert np.array_equal(data.x * 16, raw.data)
    assert np.array_equal(data.y, raw.target)


def test_their_licence_lies_beside_them():
    text = Path(minigrad.data.__file__).with_name("digits-LICENSE.txt").read_text()
    for part in ("Alpaydin", "Creative Commons Attribution 4.0", "The scikit-learn developers"):
        assert part in text


def test_scikit_learn_is_needed_by_the_tests_alone():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert not [each for each in project["dependencies"] if "scikit" in each]
    assert [each for each in project["optional-dependencies"]["test"] if "scikit" in each]
    code = (
        "import sys; sys.modules['sklearn'] = None\n"
        "from minigrad.train.build import build\n"
        "from minigrad.train.config import Config\n"
        "session = build(Config(recipe='mlp-dropout', data='digits', epochs=1))\n"
        "print(len(session.trainer.fit(session.loader, session.data.validation, 1)['loss']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "1", done.stderr


def test_pooch_is_imported_only_when_needed():
    code = "import sys, minigrad.data; print([m for m in ('pooch', 'requests') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
