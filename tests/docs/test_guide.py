"""The Python examples in the guide run as printed."""

from __future__ import annotations

import linecache
import re
from pathlib import Path

import pytest

WRITES = {
    "main_job": "weights.safetensors",
    "stepper": "step.html",
    "compression": "weights.safetensors",
    "handing_on": "mine.onnx",
}
TRANSFORMS = (
    *("grad", "value_and_grad", "vjp", "jvp", "linearize", "jacobian", "hessian", "hvp"),
    *("functional_call", "checkpoint", "stop_gradient", "custom_gradient"),
)
GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guide"


@pytest.mark.parametrize("page", ["main_job", "stepper", "compression", "handing_on"])
def test_the_examples_run(page: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", (GUIDE / f"{page}.md").read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 1
    names: dict[str, object] = {"__name__": "example"}
    linecache.cache[page] = (len(blocks[0]), None, blocks[0].splitlines(keepends=True), page)
    exec(compile(blocks[0], page, "exec"), names)
    assert (tmp_path / WRITES[page]).stat().st_size > 1000


def test_the_transforms_of_the_guide_run_one_after_the_other() -> None:
    text = (GUIDE / "transforms.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == 6
    names: dict[str, object] = {"__name__": "example"}
    for block in blocks:
        exec(compile(block, "transforms", "exec"), names)
    assert all(f"mg.{name}(" in text for name in TRANSFORMS)
