"""README's map of the code is the contract that ``lint-imports`` holds; what a reader of the core meets is short."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from pathlib import Path
from types import FrameType

import numpy as np

import minigrad as mg
from bench.walk import walk

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "minigrad"


def layers() -> list[list[str]]:
    """The rows of the contract, from the top."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    contract = next(each for each in contracts if each["type"] == "layers")
    assert contract["exhaustive"]
    assert not any("ignore_imports" in each for each in contracts)
    return [[name.strip(" ()") for name in row.split("|")] for row in contract["layers"]]


def mapped() -> list[list[str]]:
    """The rows of README's map, from the top: the names of minigrad's packages and modules."""
    table = (ROOT / "README.md").read_text().partition("## Map of the code")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`minigrad/[^|]*) \|", table, re.M)
    return [
        [name.removesuffix(".py") for name in re.findall(r"`(?:minigrad/)?(\w+(?:\.py)?)/?`", row)]
        for row in rows
    ]


def test_the_map_names_every_file_and_no_other() -> None:
    there = {path.stem for path in PACKAGE.glob("*.py")} | {
        path.parent.name for path in PACKAGE.glob("*/__init__.py")
    }
    named = [name for row in mapped() for name in row]
    assert sorted(named) == sorted(there - {"__init__", "__main__"})


def test_the_map_goes_down_as_the_contract_does() -> None:
    depth = {name: i for i, row in enumerate(layers()) for name in row}
    depths = [{depth[name] for name in row} for row in mapped()]
    assert all(len(row) == 1 for row in depths)  # a row of the map lies in one of the contract
    assert [min(row) for row in depths] == sorted(min(row) for row in depths)


def upward() -> list[str]:
    """Imports under ``if TYPE_CHECKING`` from a higher layer, as "file: module"."""
    depth = {name: i for i, row in enumerate(layers()) for name in row}
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        own = path.relative_to(PACKAGE).with_suffix("").parts[0]
        for block in ast.walk(ast.parse(path.read_text())):
            if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.unparse(block.test):
                for node in ast.walk(block):
                    if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("minigrad."):
                        name = str(node.module).split(".")[1]
                        if own in depth and name != own and depth[name] <= depth[own]:
                            found.append(f"{path.relative_to(PACKAGE)}: {node.module}")
    return found


def test_only_types_point_up_and_few() -> None:
    assert upward() == [
        "tape.py: minigrad.tensor",  # a Step says that what it holds are Tensors
        "viz/__init__.py: minigrad.train.faults",  # offered there, and imported when it is asked for
    ]


def test_a_batch_of_training_is_a_short_walk() -> None:
    batch = walk()
    assert len(batch.calls) <= 215
    assert batch.depth <= 17
    assert len(batch.files) <= 42
    assert sum(name == "Optimizer.rate" for _, _, name in batch.calls) == 1
    assert len(walk(compiled=True).calls) <= 152


def test_what_runs_in_backward_is_read_in_one_sitting() -> None:
    weight = mg.Tensor(np.ones((3, 2)), requires_grad=True)
    x = weight * 1.0
    loss = ((np.sin(x) + x) * np.ones(2)).mean()
    files = set()

    def note(frame: FrameType, event: str, _: object) -> None:
        path = Path(frame.f_code.co_filename)
        if event == "call" and path.parent == PACKAGE:
            files.add(path.name)

    sys.setprofile(note)
    try:
        loss.backward()
    finally:
        sys.setprofile(None)
    read = {
        "tensor.py",
        "variable.py",
        "tape.py",
        "cotangents.py",
        "records.py",
        "rules.py",
        "source.py",
        "backend.py",
    }
    assert files == read
    lines = sum(len((PACKAGE / name).read_text().splitlines()) for name in read | {"switches.py"})
    assert lines <= 1200
