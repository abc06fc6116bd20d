from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from PIL import Image
from rich.console import Console

from minigrad.bench import page, report, summary
from tests.bench.fixed import results, timing


def test_geometric_means() -> None:
    """√(2 · 8.0) = 4.0 against torch, the one timed row against jax."""
    assert summary.verdicts(results(), "eager") == [
        "4.00 times as fast as torch in the geometric mean of 2 rows, from 2.00 to 8.00",
        "0.50 times as fast as jax in the geometric mean of 1 row, from 0.50 to 0.50",
    ]


def test_tiny_networks_count_by_themselves() -> None:
    """√(2 · 8.0) = 4.0 on the 32 rows' kind, 10 on the tiny one."""
    found = results()
    tiny = {
        **found["rows"][0],
        "row": {"widths": [2, 4, 1], "batch": 1, "optimizer": "sgd"},
        "peers": {"minigrad": timing(20), "torch": timing(200)},
    }
    found["rows"].append(tiny)  # type: ignore[arg-type]
    assert summary.verdicts(found, "eager")[0] == (
        "4.00 times as fast as torch in the geometric mean of 2 rows, from 2.00 to 8.00; "
        "10.00 in the geometric mean of 1 row with tiny networks, from 10.00 to 10.00"
    )
    assert summary.rates(found).rows == [["2–4–1 · 1 · SGD", "50,000", "–", "5,000", "–"]]
    assert summary.by_batch(found, "eager").rows == [
        ["batch 32", "1", "2.00×", "0.50×", "50 %"],
        ["batch 1,024", "1", "8.00×", "–", "8 %"],
        ["tiny networks", "1", "10×", "–", "250 %"],
    ]


def test_the_compiled_step_is_compared_with_the_eager_one() -> None:
    assert summary.kinds(results()) == ["eager", "compiled"]
    assert summary.ratios(results(), "compiled").head[1:] == [
        "mg.compile",
        "minigrad",
        "torch",
        "jax",
        "limit",
    ]
    assert summary.ratios(results(), "compiled").rows[0][1:] == ["40.0", "2.50×", "5.00×", "1.25×", "50.0"]
    assert "minigrad" not in summary.others(results(), "eager")


def test_what_compiling_costs_and_when_it_has_paid() -> None:
    """0.25 s cold, 30 ms warm; and 0.03 s / (100 - 40) µs = 500 steps."""
    name = "784–128–10 · 32 · Adam: mg.compile"
    assert summary.compiling(results()).rows == [[name, "250 ms", "30 ms", "500"]]
    slower = results()
    slower["rows"][0]["peers"]["minigrad"] = timing(30)
    assert summary.compiling(slower).rows[0][-1] == "never"
    del slower["rows"][0]["peers"]["minigrad"]
    assert summary.compiling(slower).rows[0][-1] == "–"


def test_a_limit_that_is_passed_is_called_none() -> None:
    assert summary.passed(results()) == ["mg.compile on 784–128–10, batch 32, Adam: 40.0 µs, below 50.0"]


@pytest.mark.parametrize(
    ("value", "text"), [(0.0004, "0.4 ms"), (0.0312, "31 ms"), (8.64, "8.6 s"), (23.4, "23 s")]
)
def test_times_of_compiling(value: float, text: str) -> None:
    assert summary.seconds(value) == text


def test_where_minigrad_loses() -> None:
    (lost,) = summary.behind(results(), "eager")
    assert (lost.row.name, lost.peer, lost.speed) == ("784–128–10, batch 32, Adam", "jax", 0.5)


def test_the_sheets() -> None:
    assert summary.ratios(results(), "eager").rows == [
        ["784–128–10 · 32 · Adam", "100", "2.00×", "0.50×", "50.0"],
        ["784–512–512–10 · 1024 · SGD", "1,230", "8.00×", "–", "100"],
    ]
    assert summary.shares(results()).rows[0][1:] == ["50 %", "125 %", "25 %", "100 %"]
    assert summary.times(results()).rows[0][1] == "100 (90.0–120)"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3.14159, "3.1"),
        (99.94, "99.9"),
        (0.01234, "0.012"),
        (187.4, "187"),
        (1234.5, "1,230"),
        (23456, "23,500"),
    ],
)
def test_times_have_about_three_figures(value: float, text: str) -> None:
    assert summary.number(value) == text


def test_the_page_says_what_a_sceptic_asks() -> None:
    text = page.render(results(), "minigrad bench --full", "bench.png")
    for part in (
        "### Where minigrad loses\n\n- 784–128–10, batch 32, Adam: 0.50 times the speed of jax",
        "processor: Abacus 3000",
        "kernel Bead",
        "the largest difference was 4.0e-07",
        "- tinygrad: not installed; pip install tinygrad",
        "- jax on 784–512–512–10, batch 1024, SGD: out of memory",
        "| network · batch · optimizer | **minigrad** | torch | jax | limit |",
        "torch 2.5 s",
        "| network · batch · optimizer | **mg.compile** | **minigrad** | torch | jax | limit |",
        "| 784–128–10 · 32 · Adam: mg.compile | 250 ms | 30 ms | 500 |",
        "Faster than the limit, which is none there:\n\n- mg.compile on 784",
        "![Speed relative to PyTorch](bench.png)",
        "minigrad bench --full",
    ):
        assert part in text


def test_a_page_without_a_loss_says_so() -> None:
    won = results()
    won["rows"] = won["rows"][1:]
    assert "### Where minigrad loses\n\nOn none of these rows." in page.render(won, "", None)


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
