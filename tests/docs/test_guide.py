"""The Python examples in the guide run as printed."""

from __future__ import annotations

import linecache
import re
from pathlib import Path

import pytest

from minigrad.cli.step import recorded
from minigrad.viz import page_live
from minigrad.viz.lessons import conditions, reading
from minigrad.viz.lessons.binding import bind

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


def test_the_lesson_of_the_guide_is_one_and_its_words_are_all() -> None:
    text = (GUIDE / "lessons.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    lesson = reading.parse(block, "guide.toml")
    trace = recorded(lesson)
    made = bind(lesson, trace, page_live.page(trace)[0])
    (solved,) = [[["bias", 0, value]] for value in (3.4675,)]
    worked = made.replay.worked_out([*made.replay.states(solved)][-1])
    assert isinstance(made.worth(1, worked, 0.0).item(), float)
    words = {*reading._LESSON[:-1], *reading._CHALLENGE, *conditions.FUNCTIONS, *conditions.OWN_NAMES}
    assert not [word for word in words if not re.search(rf"\b{word}\b", text)]
    assert all(f"`{name}`" in text for name in reading.names())


def test_the_first_quarter_of_an_hour_says_what_the_page_says() -> None:
    text = (GUIDE / "first_quarter.md").read_text(encoding="utf-8")
    lesson = reading.read("first-quarter")
    trace = recorded(lesson)
    made = bind(lesson, trace, page_live.page(trace)[0])

    def loss(x: float) -> float:
        (state,) = made.replay.states([["x", 0, x]])
        return float(made.worth(0, made.replay.worked_out(state), 0.0))

    assert f"{loss(3.01):.4f}" == "54.5418"
    assert "54.5418" in text
    assert round((loss(3.001) - 54) / 0.001, 1) == 54.0
    answers = [float(made.worth(k, made.replay.worked_out(made.replay.start), 0.0)) for k in (0, 2, 3, 4, 6)]
    assert answers == pytest.approx([54, 6, 36, 54, 2.46])


def test_the_transforms_of_the_guide_run_one_after_the_other() -> None:
    text = (GUIDE / "transforms.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == 6
    names: dict[str, object] = {"__name__": "example"}
    for block in blocks:
        exec(compile(block, "transforms", "exec"), names)
    assert all(f"mg.{name}(" in text for name in TRANSFORMS)
