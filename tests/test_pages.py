"""The Python examples in README.md, CONTRIBUTING.md and docs/core.md run as printed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import minigrad_kernels.launch as launch
import pytest

from minigrad import registry
from minigrad.tensor import Tensor

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def restored_registries() -> Iterator[None]:
    registries = (registry.operations, registry.functions, registry.methods, launch.kernels)
    before = [dict(each) for each in registries]
    attributes = set(vars(Tensor))
    yield
    for name in set(vars(Tensor)) - attributes:
        if name not in before[2]:
            delattr(Tensor, name)
    for each, content in zip(registries, before, strict=True):
        each.clear()
        each.update(content)


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "docs/core.md"])
def test_the_examples_run(page: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), re.S)
    assert blocks, f"{page} has no example"
    names: dict[str, object] = {"__name__": "example"}
    for block in blocks:
        exec(compile(block, page, "exec"), names)
