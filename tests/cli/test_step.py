from __future__ import annotations

import webbrowser
from pathlib import Path

import pytest

from minigrad.viz.examples import NAMES
from tests.cli.shared import minigrad


@pytest.fixture(autouse=True)
def no_screen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr(webbrowser, "open", lambda url: pytest.fail(f"opened {url}"))
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", NAMES)
def test_every_example_makes_a_page(name: str, tmp_path: Path) -> None:
    said = minigrad("step", name)
    page = tmp_path / f"step-{name}.html"
    assert page.as_uri() in said.replace("\n", "")
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_a_page_opens_where_there_is_a_browser(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    opened: list[str] = []
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(webbrowser, "open", lambda url: opened.append(url) or True)
    said = minigrad("step", "--out", tmp_path / "here.html")
    assert opened == [(tmp_path / "here.html").as_uri()]
    assert "10 events of diamond" in said
    assert "Open it" not in said


def test_in_the_terminal_it_writes_no_page(tmp_path: Path) -> None:
    said = minigrad("step", "--terminal")
    assert "36 + 18 = 54" in said
    assert not list(tmp_path.iterdir())


def test_a_plain_script_is_recorded_whole(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import minigrad as mg\nimport beside\n"
        "x = mg.Tensor(beside.START, requires_grad=True, name='x')\ny = x * x\n"
        "if __name__ == '__main__':\n    y.backward()\n"
    )
    (tmp_path / "beside.py").write_text("START = 5.0\n")
    said = minigrad("step", program, "--terminal")
    assert "5 · 5 = 25" in said
    assert "program.py line 4" in said


def test_of_a_file_with_a_step_only_that_is_recorded(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import minigrad as mg\nx = mg.Tensor(5.0, requires_grad=True, name='x')\nbefore = x + 1\n"
        "def step():\n    y = x * x\n    y.backward()\n"
    )
    said = minigrad("step", program, "--terminal")
    assert "5 · 5 = 25" in said
    assert "line 3" not in said


def test_what_is_no_program_is_told_so(tmp_path: Path) -> None:
    said = minigrad("step", "rhombus", code=2)
    assert "MG-912" in said
    assert "diamond" in said
    (tmp_path / "broken.py").write_text("x = = 1\n")
    said = minigrad("step", "broken.py", code=1)
    assert "MG-912" in said
    assert "broken.py line 1" in said


def test_nothing_to_record_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "plain.py").write_text("x = 1\n")
    assert "MG-913" in minigrad("step", "plain.py", code=1)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["plain.py"]
