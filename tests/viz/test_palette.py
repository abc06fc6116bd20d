"""One palette and one formatter: no other file names a colour or rounds a number for show; pages find their colours."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import minigrad
from minigrad.viz.palette import DARK, LIGHT, THEME, pale, rgb

PACKAGE = Path(minigrad.__file__).parent
FILES = sorted(
    file
    for folder in ("viz", "bench")
    for file in (PACKAGE / folder).rglob("*")
    if file.suffix in (".py", ".js", ".css") and file.name != "palette.py"
)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_no_other_file_names_a_colour_by_its_digits(file: Path) -> None:
    assert re.findall(r"#(?:[0-9a-fA-F]{3}){1,2}\b|rgba?\(\d", file.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "assets",
    [
        ("graph.css", "stepper.css", "stepper.js", "parts.js", "arrays.js", "graph.js"),
        ("paths.css", "optimizers.css", "optimizers.js"),
    ],
    ids=["stepper", "optimizers"],
)
def test_every_colour_that_a_page_names_is_there_in_light_and_dark(assets: tuple[str, ...]) -> None:
    texts = [(PACKAGE / "viz" / "assets" / name).read_text(encoding="utf-8") for name in assets]
    own = {
        name for text in texts for name in re.findall(r"(--[\w-]+)\s*:|\"(--[\w-]+)\"", text) for name in name
    }
    used = {name for text in texts for name in re.findall(r"var\((--[\w-]+)", text)}
    assert len(used) > 5
    for theme in (LIGHT, DARK):
        assert used - own <= set(re.findall(r"(--[\w-]+):#[0-9a-fA-F]", theme))


@pytest.mark.parametrize("file", sorted((PACKAGE / "viz").rglob("*.py")), ids=lambda file: file.name)
def test_no_other_file_rounds_a_number_to_digits_for_show(file: Path) -> None:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    rounded = [
        ast.unparse(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.FormattedValue) and node.format_spec
        if re.search(r"\.\d[ge]'", ast.unparse(node.format_spec))
    ]
    kept = {"numbers.py": ["size"], "page_data.py": ["float(value)"]}  # the formatter; what a script reads
    assert [value for value in rounded if not value.startswith("100 * ")] == kept.get(file.name, [])


def test_light_and_dark_are_of_one_table() -> None:
    assert [part.split(":")[0] for part in LIGHT.split(";")] == [f"--{name}" for name in THEME]
    assert [part.split(":")[0] for part in DARK.split(";")] == [f"--{name}" for name in THEME]


def test_a_pale_colour_is_between_the_colour_and_white() -> None:
    assert rgb("#0072B2") == (0, 114, 178)
    assert pale("#0072B2", 1) == "#0072b2"
    assert pale("#0072B2", 0) == "#ffffff"
    assert rgb(pale("#000000", 0.2)) == (204, 204, 204)
