"""With the students' wheel a compiled step gives the same numbers, and nothing that prints it tells a formula."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest

import minigrad
from minigrad.course.sealing import PLACEHOLDER
from minigrad.course.wheel import students_wheel
from tests.course.wheels import HERE, install, run
from tests.long import long

STEP = """
import numpy as np
import minigrad as mg
from minigrad import nn, optim

rng = np.random.default_rng(0)
w = mg.Tensor(rng.normal(size=(6, 3)).astype("float32"), requires_grad=True, name="w")
loss_of, optimizer = nn.CrossEntropyLoss(), optim.Adam([w], lr=0.1)
x, y = rng.normal(size=(4, 6)).astype("float32"), np.array([0, 1, 2, 0])

def step():
    optimizer.zero_grad()
    loss = loss_of(np.sin(mg.Tensor(x) @ w), y)
    loss.backward()
    optimizer.step()
    return loss

if __name__ == "__main__":
    for _ in range(3):
        step()
"""

LOOK = """
import inspect, json, os, sys
from pathlib import Path
import numpy as np
import minigrad as mg
from minigrad.program import javascript, messages
from minigrad.viz import page
from minigrad.viz.explain import explain
from program import step, w

page.asset = lambda name: ""  # without the scripts and styles that every page has
eager = mg.record(step)
compiled = mg.compile(step)
losses = [float(compiled()) for _ in range(6)]
told = {}

def note(name, make):
    try:
        found = make()
    except Exception as error:
        found = error
    told[name] = f"{found}\\n{found!r}"

def look(name, thing, leave_out=()):
    note(name, lambda: thing)
    for each in dir(thing):
        if each.startswith("_") or each in leave_out:
            continue
        member = getattr(thing, each)
        if not callable(member):
            note(f"{name}.{each}", lambda: member)
        elif not any(p.default is p.empty for p in inspect.signature(member).parameters.values()):
            note(f"{name}.{each}()", member)

program = compiled.program
look("program", program)
look("compiled", compiled, leave_out=["program"])
for k, stage in enumerate(program.passes()):
    look(f"stage {k}", stage)
for name, listing in (("replayed", program.replayed), ("lowered", program.lowered)):
    look(name, listing)
    for k, each in enumerate(listing.instructions):
        told[f"{name} {k}"] = f"{each!r} {each}"
look("memory", program.memory())
look("step", program._native._steps)
note("save", lambda: program.save("saved.py"))
told["saved"] = Path("saved.py").read_text() if Path("saved.py").exists() else ""
note("javascript", lambda: javascript.phases_text(program.lowered))
eager.save("page.html")
told["page"] = Path("page.html").read_text(encoding="utf-8")
for k, event in enumerate(eager.events):
    shape = np.shape(eager.nodes[getattr(event, "input", event.node)].value)
    note(f"explained {k}", lambda: explain(eager, event, (0,) * len(shape)))
for name, function in inspect.getmembers(messages, inspect.isfunction):
    wanted = inspect.signature(function).parameters
    if "instruction" in wanted:
        for k, each in enumerate(program.lowered.instructions):
            given = {key: each if key == "instruction" else "why" for key in wanted}
            if name != "closed_instruction" or each.closed:
                note(f"message {name} {k}", lambda: function(**given))
print(json.dumps([losses, w.numpy().tolist(), told, mg.__file__]))
"""

FORMULAS = {
    "A1": r"\bcos\b|\.cos\(",
    "A5": r"\.exp\(|\.log\(|e\^|ln\(",
    "A6": r"sqrt|√",
}
"""What only a formula of that assignment's has: the slope of a sine, a softmax and a logarithm, Adam's root."""


@pytest.fixture(scope="module")
def closed(tmp_path_factory) -> Path:
    wheel, _ = students_wheel(tmp_path_factory.mktemp("wheel"), tuple(FORMULAS))
    return install(wheel, tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def looked(closed, tmp_path_factory) -> dict[str, list]:
    found = {}
    for name, path in {"whole": HERE, "closed": closed}.items():
        folder = tmp_path_factory.mktemp("work")
        (folder / "program.py").write_text(STEP)
        found[name] = json.loads(run(str(path), LOOK, folder))
    return found


def tells(text: str, assignments: tuple[str, ...] = tuple(FORMULAS)) -> list[str]:
    return [name for name in assignments if re.search(FORMULAS[name], text)]


@long
def test_the_numbers_are_those_of_the_whole_package(looked, closed):
    assert looked["closed"][3].startswith(str(closed))
    assert looked["closed"][:2] == looked["whole"][:2]


def test_no_way_of_looking_at_a_program_tells_a_closed_formula(looked):
    *_, told, _ = looked["closed"]
    assert {name: text for name, text in told.items() if tells(text)} == {}
    for name in ("program", "program.numpy", "program.native", "program.passes()", "program.lowered", "page"):
        assert PLACEHOLDER in told[name], name
    for name in ("save", "javascript", "page"):
        assert "MG-650" in told[name], name
    assert told["saved"] == ""
    assert "const program = null" in told["page"]


def test_what_is_closed_is_one_line_that_names_it(looked):
    *_, told, _ = looked["closed"]
    (line,) = [line for line in told["program"].split("\n") if "sin.rule" in line][:1]
    assert re.search(rf"= sin\.rule\(.*\)  # closed {re.escape(PLACEHOLDER)}$", line)
    numpy = told["program.numpy"].split("\n")
    (line,) = [line for line in numpy if line.strip().startswith("adam(")]
    assert line.endswith(f"# closed {PLACEHOLDER}")


def test_the_whole_package_shows_everything_in_each_of_these_ways(looked):
    *_, told, _ = looked["whole"]
    shown = {name: tells(text) for name, text in told.items()}
    for name in ("program.numpy", "program.lowered", "saved", "page"):
        assert shown[name] == ["A1", "A5", "A6"], name
    assert shown["javascript"] == ["A1", "A5"]
    for name in ("program", "program.stages", "program.passes()", "program.listing", "stage 0"):
        assert "A1" in shown[name], name
    for kind in ("replayed ", "lowered ", "explained ", "message no_javascript", "message frozen"):
        assert any(found for name, found in shown.items() if name.startswith(kind)), kind
    assert not any(PLACEHOLDER in text for text in told.values())


OPEN = """
import minigrad as mg
from minigrad_kernels.launch import reference_only
from program import step

with reference_only():
    compiled = mg.compile(step)
    compiled()
print(compiled.program, compiled.program.numpy, sep="\\n---\\n")
"""


def test_other_assignments_stay_open(tmp_path):
    path = install(students_wheel(tmp_path / "wheel", ["A6"])[0], tmp_path / "site")
    (tmp_path / "program.py").write_text(STEP)
    program, numpy = run(str(path), OPEN, tmp_path).split("\n---\n")
    assert tells(program) == ["A1"]
    assert tells(numpy) == ["A1", "A5"]
    assert PLACEHOLDER in numpy


COMMAND = (
    "import sys; from minigrad.cli import main; sys.argv = ['minigrad', *sys.argv[1:]]; sys.exit(main())"
)


def test_the_command_shows_a_step_without_them(closed, tmp_path):
    (tmp_path / "program.py").write_text(STEP)
    words = ["step", "program.py", "--out", "page.html", "--terminal"]
    told = run(str(closed), COMMAND, tmp_path, *words)
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "const program = null" in page
    assert "MG-650" in page
    assert tells(told) == []
    assert tells(run(HERE, COMMAND, tmp_path, *words)) == ["A1", "A5", "A6"]


def going_around() -> set[str]:
    """The functions that take an instruction's code, where ``Instruction.text`` would be what people may read."""
    folder, found = Path(minigrad.__file__).parent, set()
    for path in [
        *(folder / "program").rglob("*.py"),
        *(folder / "viz").rglob("*.py"),
        *(folder / "cli").rglob("*.py"),
    ]:
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(function, ast.FunctionDef):
                continue
            for node in ast.walk(function):
                text = ast.unparse(node) if isinstance(node, (ast.Call, ast.FormattedValue)) else ""
                if re.search(r"\.code\(\)$|function\.(text|statement)\(|^f?.?\{[\w.]*function\.name\}", text):
                    found.add(f"{path.stem}.{function.name}")
    return found


def test_whoever_takes_the_code_of_an_instruction_runs_it_and_shows_it_to_nobody():
    assert going_around() == {
        "instructions.code",
        "instructions.text",  # where nothing is closed
        "source.compiled",  # runs it
        "native._by_python",  # runs it; what is read in its place is noted by native._line
        "lines.into",
        "graph._by_host",  # runs it, and notes what is read in its place
        "chain.statement",  # of a chain, which is closed where a part of it is
        "fold.folded",  # of instructions that are not closed
        "fold._with",
        "fold.other",
        "javascript._by_place",  # what is closed has been refused before
        "javascript._with_options",
        "saving._coefficients_text",
    }
