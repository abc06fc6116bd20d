from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from PIL import Image
from rich.console import Console

from minigrad.bench import page, report, summary
from tests.bench.fixed import results


def test_geometric_means() -> None:
    """√(2 · 8.0) = 4.0 against torch, the one timed row against jax."""
    assert summary.verdicts(results()) == [
        "4.00 times as fast as torch in the geometric mean of 2 rows, from 2.00 to 8.00",
        "0.50 times as fast as jax in the geometric mean of 1 row, from 0.50 to 0.50",
    ]


def test_where_minigrad_loses() -> None:
    (lost,) = summary.behind(results())
    assert (lost.row.name, lost.peer, lost.speed) == ("784–128–10, batch 32, Adam", "jax", 0.5)


def test_the_sheets() -> None:
    assert summary.ratios(results()).rows == [
        ["784–128–10 · 32 · Adam", "100", "2.00×", "0.50×", "50.0"],
        ["784–512–512–10 · 1024 · SGD", "1,230", "8.00×", "–", "100"],
    ]
    assert summary.shares(results()).rows[0][1:] == ["50 %", "25 %", "100 %"]
    assert summary.times(results()).rows[0][1] == "100 (90.0–120)"


@pytest.mark.parametrize(
    ("value", "text"),
    [(3.14159, "3.1"), (99.94, "99.9"), (187.4, "187"), (1234.5, "1,230"), (23456, "23,500")],
)
def test_times_have_about_three_figures(value: float, text: str) -> None:
    assert summary.number(value) == text


def test_the_page_says_what_a_sceptic_asks() -> None:
    text = page.render(results(), "minigrad bench --full", "bench.png")
    for part in (
        "## Where minigrad loses\n\n- 784–128–10, batch 32, Adam: 0.50 times the speed of jax",
        "processor: Abacus 3000",
        "kernel Bead",
        "the largest difference was 4.0e-07",
        "- tinygrad: not installed; pip install tinygrad",
        "- jax on 784–512–512–10, batch 1024, SGD: out of memory",
        "| network · batch · optimizer | **minigrad** | torch | jax | limit |",
        "torch 2.5 s",
        "![Speed relative to PyTorch](bench.png)",
        "minigrad bench --full",
    ):
        assert part in text


def test_a_page_without_a_loss_says_so() -> None:
    won = results()
    won["rows"] = won["rows"][1:]
    assert "## Where minigrad loses\n\nOn none of these rows." in page.render(won, "", None)


def test_files_and_terminal(tmp_path: Path) -> None:
    report.write(results(), tmp_path, "minigrad bench")
    assert json.loads((tmp_path / "bench.json").read_text()) == results()
    with Image.open(tmp_path / "bench.png") as picture:
        assert picture.width > 500
    assert (tmp_path / "bench.md").read_text().startswith("# ")
    to = Console(file=io.StringIO(), width=40)
    report.show(results(), to)
    shown = to.file.getvalue()  # type: ignore[attr-defined]
    assert "784–512–512–10 · 1024 · SGD     1,230  8.00×      –    100" in shown
    assert "slower than jax on 784–128–10, batch 32, Adam: 0.50 of its speed" in shown
    assert "left out: tinygrad (not installed" in shown


def test_without_pytorch_there_is_no_chart(tmp_path: Path) -> None:
    alone = results()
    for row in alone["rows"]:
        del row["peers"]["torch"]
    report.write(alone, tmp_path, "minigrad bench")
    assert not (tmp_path / "bench.png").exists()
    assert "![" not in (tmp_path / "bench.md").read_text()
