"""Pictures of the inside of a run's network: which there are, and that the summary shows them."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest

from minigrad import nn
from minigrad.data import Dataset
from minigrad.data.text import Vocabulary, windows
from minigrad.train import views
from minigrad.train.pictures import lenet
from minigrad.train.prepare import Prepared
from minigrad.train.sequences import RowReader
from minigrad.train.texts import CharacterGPT, CharacterRNN, NextCharacter

RNG = np.random.default_rng(0)
TEXT = "to be or not to be, that is the question\n" * 3


def pictures() -> Prepared:
    data = Dataset(RNG.random((20, 64)).astype("float32"), RNG.integers(0, 3, 20), image_shape=(8, 8))
    return Prepared(data, None, data, [])


def text() -> Prepared:
    vocabulary = Vocabulary.of(TEXT)
    data = windows(vocabulary.encode(TEXT), vocabulary, 40)
    return Prepared(data, None, data, [])


CHARACTERS = len(Vocabulary.of(TEXT))
CASES = {
    "lenet": (lenet(64, 3, RNG, RNG, 0.1, (8, 8)), ["filters.png", "feature-maps.png", "histograms.png"]),
    "rows": (RowReader(64, 3, 4, 1, 0.0, RNG, RNG), ["gates.png", "histograms.png"]),
    "an LSTM": (CharacterRNN(nn.LSTM, CHARACTERS, 4, 2, 0.1, RNG, RNG), ["gates.png", "histograms.png"]),
    "a plain RNN": (CharacterRNN(nn.RNN, CHARACTERS, 4, 1, 0.0, RNG, RNG), []),
    "a GPT": (CharacterGPT(CHARACTERS, 8, 2, 0.1, 40, RNG, RNG), ["attention.png", "histograms.png"]),
    "a dense network": (nn.Sequential(nn.Linear(64, 3, rng=RNG)), []),
}


@pytest.mark.parametrize("name", CASES)
def test_a_network_is_drawn_by_what_it_has_inside(name: str, tmp_path: Path) -> None:
    model, files = CASES[name]
    reads = isinstance(model, (CharacterRNN, CharacterGPT))
    data, loss = (text(), NextCharacter()) if reads else (pictures(), nn.CrossEntropyLoss())
    before = model.state_dict()
    found = views.write(tmp_path, model, data, loss)
    assert [file for file, _ in found] == files
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(files)
    assert all((tmp_path / file).read_bytes()[1:4] == b"PNG" for file in files)
    assert all(caption for _, caption in found)
    for key, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[key])


def test_every_head_of_every_layer_is_named(tmp_path: Path) -> None:
    model, _ = CASES["a GPT"]
    with patch("minigrad.train.views.attention_maps") as drawn:
        views.write(tmp_path, model, text(), NextCharacter())
    (maps, labels), options = drawn.call_args
    assert maps.shape == (8, views.CHARACTERS, views.CHARACTERS)
    np.testing.assert_allclose(maps.sum(axis=-1), 1, rtol=1e-5)
    assert "".join(labels) == TEXT[: views.CHARACTERS]
    assert options["names"][:5] == [*(f"layer 0, head {k}" for k in range(4)), "layer 1, head 0"]
