"""The pictures of a search are drawn for whatever a search can find."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from minigrad.viz import search

LOSSES: dict[str, tuple[list[float | None], list[bool]]] = {
    "usual": ([2.0, 0.5, 0.7, 0.4], [True, True, False, True]),
    "some diverged": ([2.0, None, 0.7, None], [True, False, True, False]),
    "all diverged": ([None, None, None, None], [False] * 4),
    "one": ([0.3], [True]),
    "equal": ([0.3, 0.3, 0.3, 0.3], [True] * 4),
    "none complete": ([0.3, 0.2, 0.1, 0.4], [False] * 4),
    "huge": ([0.1, 1e30, 0.2, 5.0], [True] * 4),
    "zero": ([0.0, 1.0, 0.5, 2.0], [True] * 4),
}


def ink(path: Path) -> int:
    return int((np.asarray(Image.open(path).convert("L")) < 200).sum())


@pytest.mark.parametrize("case", LOSSES)
def test_pictures_are_drawn(case: str, tmp_path: Path) -> None:
    losses, complete = LOSSES[case]
    n = len(losses)
    search.history(losses, complete, tmp_path / "history.png")
    columns = {"lr": [10.0**-k for k in range(n)], "hidden": [64, 128, 64, 128][:n], "momentum": [0.5] * n}
    search.slices(
        columns,
        losses,
        complete,
        {"lr": "log", "hidden": "choice", "momentum": "linear"},
        tmp_path / "slice.png",
    )
    assert ink(tmp_path / "history.png") > 500
    assert ink(tmp_path / "slice.png") > 500


def test_importance(tmp_path: Path) -> None:
    search.importance({"lr": 0.9, "hidden": 0.1}, tmp_path / "some.png")
    search.importance({}, tmp_path / "none.png")
    blue = np.asarray(Image.open(tmp_path / "some.png").convert("RGB")).astype(int)
    rows = np.unique(np.where((abs(blue - [0, 0x72, 0xB2]).sum(axis=2) < 10).sum(axis=1) > 0)[0])
    widths = {int((abs(blue[row] - [0, 0x72, 0xB2]).sum(axis=1) < 10).sum()) for row in rows}
    assert max(widths) / min(widths) == pytest.approx(9, rel=0.15)
    assert ink(tmp_path / "none.png") > 200
