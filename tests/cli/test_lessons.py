"""``minigrad step --lesson`` and ``minigrad course lines``: from a file to a page, from learners' lines to verdicts."""

from __future__ import annotations

import base64
import csv
import json
from pathlib import Path

import pytest

from minigrad.viz.lessons.lines import code
from minigrad.viz.lessons.reading import names, read
from tests.cli.shared import minigrad

MINE = """
lesson = "mine"
title = "Mine"
example = "diamond"

[[challenge]]
name = "lower"
title = "Lower"
text = "Bring the loss down."
condition = "loss < 10"
"""


@pytest.fixture(autouse=True)
def no_screen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.chdir(tmp_path)


def line(lesson: str, version: str, challenge: str, changes: list[object], who: str = "Ada") -> str:
    packed = base64.urlsafe_b64encode(json.dumps({"changes": changes}).encode()).decode().rstrip("=")
    text = f"minigrad:{lesson}@{version}:{challenge}:{who}:{packed}"
    return f"{text}:{code(text)}"


def test_a_lesson_becomes_a_page(tmp_path: Path) -> None:
    said = minigrad("step", "--lesson", "dead-units")
    page = tmp_path / "lesson-dead-units.html"
    assert "It has 5 challenges; minigrad course lines reads what learners hand in." in said.replace(
        "\n", " "
    )
    assert "Make the second hidden unit die" in page.read_text(encoding="utf-8")


def test_a_lesson_of_ones_own_and_its_mistakes(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(MINE)
    minigrad("step", "--lesson", "mine.toml", "--out", "here.html")
    assert "Bring the loss down." in (tmp_path / "here.html").read_text(encoding="utf-8")
    (tmp_path / "mine.toml").write_text(MINE.replace("loss < 10", "lss < 10"))
    said = minigrad("step", "--lesson", "mine.toml", code=1)
    assert "MG-657 mine.toml line 10" in said
    said = minigrad("step", "--lesson", "nothing", code=2)
    assert "MG-656" in said
    assert all(name in said for name in names())


def test_lines_are_verified_and_make_a_table(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(MINE)
    dead = read("dead-units").version
    mine = read("mine.toml").version
    good = [
        line("dead-units", dead, "die", [["b1", 1, -9]]),
        line("mine", mine, "lower", [["x", 0, 1.0]], "Bo%20B"),
    ]
    (tmp_path / "good.txt").write_text("\n".join(["Dear all,", *good, "Yours"]))
    said = minigrad("course", "lines", "good.txt", "--lesson", "mine.toml", "--out", "solved.csv")
    assert "2 of 2 lines hold" in said
    assert "Bo B" in said
    rows = list(csv.reader((tmp_path / "solved.csv").read_text().splitlines()))
    assert rows[0] == ["name", "lesson", "challenge", "solved", "why"]
    assert rows[1][:4] == ["Ada", "dead-units", "die", "yes"]
    bad = line("dead-units", dead, "die", [["b1", 1, 0.5]], "=1+1")
    (tmp_path / "bad.txt").write_text("\n".join([bad, good[1]]))
    said = minigrad("course", "lines", "good.txt", "bad.txt", "--out", "solved.csv", code=1)
    assert "1 of 4 lines hold" in said
    assert "there is no lesson mine here; name its file: --lesson FILE.toml" in said
    assert "'=1+1" in (tmp_path / "solved.csv").read_text()


def test_a_text_without_lines(tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_text("I did it")
    assert "MG-658" in minigrad("course", "lines", "empty.txt", code=1)
