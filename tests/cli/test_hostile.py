"""Class names, file names and settings that hold markup, orders to the terminal, or bytes that are no UTF-8."""

from __future__ import annotations

import csv
import os
import subprocess
import warnings
import xml.etree.ElementTree as etree
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from markdown_it import MarkdownIt

from minigrad.escape import printable
from minigrad.viz import graphs, plots, record
from tests.cli.shared import command, environment, minigrad, on_a_terminal
from tests.test_escape import CONTROLS, HOSTILE

NAMES = sorted({name.strip() for name in HOSTILE if name.isprintable() or "\x1b" in name or "\u202e" in name})
TINY = ["--epochs", 2, "--batch-size", 64]
FILES = [
    b"a|b [red]x[b].csv",
    b"$x_1$ `y`.csv",
    b"\xff\xe4.csv",
    b"two\nlines.csv",
    b"\x1b[31mred.csv",
    b"n" * 250 + b".csv",
]


def write_table(path: Path, names: list[str]) -> None:
    chance = np.random.default_rng(0)
    with open(path, "w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["[/]", "a|b", "class"])
        for _ in range(20):
            table.writerows([*chance.normal(size=2).round(3), name] for name in names)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run, and what is made of it, of a table whose classes are called so."""
    folder = tmp_path_factory.mktemp("hostile")
    write_table(folder / "t.csv", NAMES)
    said = minigrad("train", "--data", folder / "t.csv", *TINY, "--out", folder / "run")
    said += minigrad("prune", folder / "run", "--sparsity", 0.5, "--epochs", 1, "--out", folder / "pruned")
    said += minigrad("quantize", folder / "run", "--out", folder / "int8")
    assert not CONTROLS & set(said.replace("\n", ""))
    return folder


def tables(page: str) -> list[list[list[str]]]:
    """Read the tables of a Markdown page: their rows of cells."""
    rendered = MarkdownIt().enable(["table", "strikethrough"]).render(page)
    root = etree.fromstring(f"<page>{rendered}</page>")
    return [
        [[cell.text or "" for cell in row if cell.tag == "td"] for row in table.iter("tr")][1:]
        for table in root.iter("table")
    ]


@pytest.mark.parametrize("kind", ["run", "pruned", "int8"])
def test_the_page_reads_as_the_names_were(folder: Path, kind: str) -> None:
    classes, settings = tables((folder / kind / "summary.md").read_text())
    assert sorted(row[0] for row in classes) == sorted(map(printable, NAMES))
    assert {len(row) for row in classes} == {4}
    assert {len(row) for row in settings} == {2}
    assert ["data", str(folder / "t.csv")] in settings


def test_the_terminal_shows_the_names(folder: Path) -> None:
    said = minigrad("evaluate", folder / "run")
    for name in NAMES:
        assert printable(name) in said
    assert not CONTROLS & set(said.replace("\n", ""))
    said = minigrad("predict", folder / "run", "--row", "0.1, 0.2")
    assert not CONTROLS & set(said.replace("\n", ""))
    said = on_a_terminal("evaluate", "run", cwd=folder, columns=120)
    assert "\x1b[31mred" not in said
    assert r"\x1b[31mred" in said


def test_pictures_take_any_name(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plots.confusion(np.eye(len(HOSTILE), dtype=int), HOSTILE, tmp_path / "x.png")
    assert (tmp_path / "x.png").stat().st_size > 1000


class Texts(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, _: object) -> None:
        self.tags.add(tag)


def test_pages_and_graphs_are_well_formed_whatever_tensors_are_called(tmp_path: Path) -> None:
    import minigrad as mg

    def step(names: list[str]) -> None:
        weights = [mg.Tensor([1.0, 2.0], requires_grad=True, name=name) for name in names]
        sum((w * w).sum() for w in weights).backward()

    for start in range(0, len(HOSTILE), 8):
        trace = record(lambda: step(HOSTILE[start : start + 8]), title=HOSTILE[start])  # noqa: B023 (called at once)
        trace.save(tmp_path / "x.html")
        page = Texts()
        page.feed((tmp_path / "x.html").read_text(encoding="utf-8"))
        assert "alert" not in page.tags
        weights = [mg.Tensor([1.0], requires_grad=True, name=name) for name in HOSTILE[start : start + 8]]
        total = weights[0]
        for weight in weights[1:]:
            total = total * weight
        etree.fromstring(graphs.graph(total).svg)


@pytest.mark.parametrize("name", FILES, ids=range(len(FILES)))
def test_files_may_be_called_so(tmp_path: Path, name: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path(os.fsdecode(name))
    write_table(path, ["a", "b"])
    said = minigrad("train", "--data", path, *TINY)
    [run] = Path("runs").iterdir()
    assert run.name.isprintable()
    assert [len(row) for row in tables((run / "summary.md").read_text())[0]] == [4, 4]
    other = path.with_suffix("").with_name(path.stem[:200])
    for words in (
        ["train", "--data", path, *TINY, "--out", other],
        ["train", "--data", path, *TINY, "--from", other, "--epochs", 1],
        ["evaluate", other],
        ["predict", other, "--row", "1, 2"],
        ["quantize", other],
        ["prune", other, "--sparsity", 0.5, "--epochs", 1],
        ["train", "--resume", other],
    ):
        said += minigrad(*words)
    for words in (
        ["train", "--resume", f"{other}x"],
        ["evaluate", f"{other}x"],
        ["predict", other, f"{other}x"],
        ["export", other, other],
    ):
        said += minigrad(*words, code=2 if words[0] == "export" else 1)
    assert not CONTROLS & set(said.replace("\n", ""))


def test_a_process_takes_names_that_are_no_utf8_and_prints_them_back_byte_for_byte(tmp_path: Path) -> None:
    write_table(tmp_path / "t.csv", ["a", "b"])
    for words in ([*TINY], ["--data", "t.csv", *TINY, "--out", os.fsdecode(b"r\xff[/]"), "--quiet"]):
        done = subprocess.run(
            command("train", *words), cwd=tmp_path, env=environment(), capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr
    assert done.stdout == b"r\xff[/]\n"
    done = subprocess.run(
        command("evaluate", os.fsdecode(b"none\xff")),
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1
    assert rb"none\xff" in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["train", "[/]"], ["[/]"], ["train", "mlp-sgd", "[/]"], ["train", "--[/]"],
        ["train", "--lr", "[/]"], ["explain", "[/]"],
        ["train", "--data", "[/]"], ["train", "--optimizer", "[red]x"], ["train", "--resume", "[/]"],
        ["evaluate", "[/]"],
        ["search", "--space", "[/]=1,2"], ["search", "--set", "[/]=1"],
        ["prune", "[/]", "--sparsity", "0.5"], ["step", "[/]"],
        ["bench", "--peers", "[/]"], ["course", "check", "[/]"], ["course", "release", "[/]", "x"],
        ["launch", "[/]"],
        ["course", "report", "A1", "[/]"], ["train", "--freeze", "[/]"], ["quantize", "[/]"],
        ["predict", "[/]", "--row", "[/]"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_messages_quote_what_was_given(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for text in ("[/]", "\x1b[31m[/]"):
        from typer.testing import CliRunner

        from minigrad.cli import app

        given = [word.replace("[/]", text).replace("[red]x", f"[red]x{text}") for word in words]
        result = CliRunner().invoke(app, given)
        assert result.exit_code in (1, 2)
        assert isinstance(result.exception, SystemExit), result.exception
        assert "[/]" in result.output or "--lr" in words  # Typer does not say which number it could not read
        assert "\x1b[31m[/]" not in result.output
