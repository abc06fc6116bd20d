"""Short runs of the recipes on pictures, rows and text; as a program, on several processes.

mpiexec -n 2 python -m mpi4py -m tests.train.recipes_on_processes FOLDER RECIPE …
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from minigrad.parallel import ALONE, Communicator, join
from minigrad.train.config import Config
from minigrad.train.progress import ShowProgress
from minigrad.train.recipes import RECIPES
from minigrad.train.run import start

TEXT = "the cat sat on the mat and the dog lay by the log, and the cat saw the dog.\n" * 30
NEW = [name for name, recipe in RECIPES.items() if recipe.sees or recipe.reads or name == "rows-lstm"]


def settings(name: str, folder: Path) -> dict[str, Any]:
    """Those of a short run, whose text is put into the folder."""
    recipe = RECIPES[name]
    data = str(folder / "cats.txt") if recipe.reads else recipe.data
    small: dict[str, Any] = {"epochs": 2, "validation": 0.1, "batch_size": 256}
    if recipe.reads:
        if not Path(data).exists():
            Path(data).write_text(TEXT)
        small |= {"hidden": 8, "context": 12, "batch_size": 4}
    return Config.from_dict(recipe.settings(data) | small).to_dict()


def train(name: str, folder: Path, communicator: Communicator = ALONE) -> None:
    """Leave the run in the folder, under the recipe's name."""
    config = Config.from_dict(settings(name, folder))
    start(config, folder / name, ShowProgress("quiet"), communicator=communicator)


@contextmanager
def without_pictures() -> Iterator[None]:
    """Drawing takes longer than such a training."""
    nothing: Any = lambda *_, **__: None  # noqa: E731
    with (
        patch.multiple("minigrad.viz.plots", curves=nothing, confusion=nothing, mistakes=nothing),
        patch("minigrad.train.views.write", lambda *_: []),
    ):
        yield


if __name__ == "__main__":
    processes = join()
    with without_pictures():
        for each in sys.argv[2:]:
            train(each, Path(sys.argv[1]), processes)
