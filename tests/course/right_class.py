"""Right solutions of all assignments, written as students write them, graded as a class: all must have all points.

    python -m tests.course.right_class FOLDER [A1 …]

``right/a1_loops.py`` is what somebody has written for assignment 1: the functions that are asked for, in their cells,
and whatever else is in the file in a cell of its own before them. This command hands all of it in, runs ``minigrad
course grade`` on each assignment's and ``minigrad course check`` on each file, and fails where a point is lost.
"""

from __future__ import annotations

import ast
import csv
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from minigrad.course.assignment import Assignment, load, released
from minigrad.course.cells import Cell, to_percent
from tests.course.planting import sources

FOLDER = Path(__file__).with_name("right")


def programs(one: Assignment) -> list[Path]:
    return sorted(FOLDER.glob(f"{one.name.partition('_')[0]}_*.py"))


def handed_in(one: Assignment, program: Path) -> list[Cell]:
    """The released cells with a program in them: what a cell asks for in that cell, helpers before the first."""
    text = program.read_text(encoding="utf-8")
    asked = {
        name: cell.name
        for cell in one.cells
        if cell.is_solution
        for name in _defined(ast.parse(cell.source).body)
    }
    parts: dict[str, list[str]] = {}
    for part in ast.parse(text).body:
        place = next((asked[name] for name in _defined([part]) if name in asked), "")
        first = min([part.lineno, *(mark.lineno for mark in getattr(part, "decorator_list", []))])
        parts.setdefault(place, []).append("\n".join(text.split("\n")[first - 1 : part.end_lineno]))
    cells = []
    for cell in released(one):
        if cell.is_solution:
            if parts.get("") and not any(each.is_solution for each in cells):
                cells.append(Cell("code", "\n\n\n".join(parts[""])))
            assert cell.name in parts, f"{program.name} has nothing for {cell.name}"
            cell = replace(cell, source="\n\n\n".join(parts[cell.name]))
        cells.append(cell)
    return cells


def _defined(body: list[ast.stmt]) -> Iterator[str]:
    for part in body:
        if isinstance(part, (ast.FunctionDef, ast.ClassDef)):
            yield part.name
        elif isinstance(part, ast.Assign):
            yield from (target.id for target in part.targets if isinstance(target, ast.Name))


def main(folder: Path, names: list[str]) -> int:
    lost = 0
    for path in sources():
        one = load(path)
        if names and one.name.partition("_")[0].upper() not in names:
            continue
        class_ = folder / one.name
        class_.mkdir(parents=True)
        for program in programs(one):
            (class_ / program.name).write_text(to_percent(handed_in(one, program)), encoding="utf-8")
        table = folder / f"{one.name}.csv"
        _run("grade", path, class_, "--out", table)
        with table.open(encoding="utf-8") as file:
            for row in csv.DictReader(file):
                full = row["score"] == row["points"]
                checked = _run("check", class_ / f"{row['student']}.py").returncode == 0
                lost += not (full and checked)
                print(
                    f"{row['student']:24} {row['score']:>3} / {row['points']}  check {'ok' if checked else 'FAILS'}"
                )
    return lost


def _run(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "minigrad", "course", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


if __name__ == "__main__":
    sys.exit(bool(main(Path(sys.argv[1]), sys.argv[2:])))
