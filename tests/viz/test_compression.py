from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from minigrad.viz.compression import pruning

ONCE, TRAINED = [(0.0, 0.98), (0.5, 0.97), (0.9, 0.4)], [(0.0, 0.98), (0.6, 0.982), (0.9, 0.979)]


@pytest.mark.parametrize("measure", ["test accuracy", "validation loss"])
@pytest.mark.parametrize("trained", [TRAINED, TRAINED[-1:]])
def test_the_last_value_is_written_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, measure: str, trained: list[tuple[float, float]]
) -> None:
    from matplotlib.axes import Axes

    words: list[str] = []
    draw = Axes.annotate

    def note(axis: Any, text: str, *rest: Any, **style: Any) -> Any:
        words.append(text)
        return draw(axis, text, *rest, **style)

    monkeypatch.setattr(Axes, "annotate", note)
    pruning(ONCE, trained, tmp_path / "pruning.png", measure=measure)
    assert words == ["97.90 %" if measure == "test accuracy" else "0.979", "before"]
    assert Image.open(tmp_path / "pruning.png").size[0] > 600
