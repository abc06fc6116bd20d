"""The students' wheel: assignments' answers are in it to be used, by the same bits, and not to be read as text."""

from __future__ import annotations

import ast
import copy
import json
import re
import sys
import zipfile
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import minigrad
from minigrad import registry
from minigrad.course.assignment import find, load
from minigrad.course.cells import to_percent
from minigrad.course.release import release
from minigrad.course.sealing import ANSWERS, PLACEHOLDER, files_of, sealed
from minigrad.course.wheel import students_wheel
from minigrad.errors import ConfigError
from tests.course.planting import sources
from tests.course.wheels import HERE, OURS, install, run
from tests.long import long

LEAST = 3  # operations: what has fewer (g * b) is no answer by its form


class Renamed(ast.NodeTransformer):
    """Every name by the order in which names come: what is left is the form alone."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}

    def _new(self, name: str) -> str:
        return self.names.setdefault(name, f"v{len(self.names)}")

    def visit_Name(self, node):
        return ast.Name(self._new(node.id), ast.Load())

    def visit_arg(self, node):
        return ast.arg(self._new(node.arg))


def normal(node: ast.AST) -> str:
    return ast.dump(Renamed().visit(copy.deepcopy(node)))


def operations(node: ast.AST) -> int:
    kinds = (ast.operator, ast.unaryop, ast.cmpop, ast.Call, ast.Subscript)
    return sum(isinstance(part, kinds) for part in ast.walk(node))


def forms(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """The functions' bodies, and what they return and assign, as far as they say something."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.Lambda)):
            body = node.body if isinstance(node.body, list) else [ast.Return(node.body)]
            body = [
                part
                for part in body
                if not (isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant))
            ]
            whole = ast.Module(body, [])
            if operations(whole) >= LEAST:
                yield normal(whole), ast.unparse(whole)
        if isinstance(node, (ast.Return, ast.Assign)) and node.value is not None:
            parts = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
            for part in parts:
                if operations(part) > LEAST:
                    yield normal(part), ast.unparse(part)


def texts(files: dict[str, str]) -> Iterator[tuple[str, str]]:
    for name, text in files.items():
        if name.endswith(".py"):
            yield name, text
        elif name.endswith(".md"):
            yield from ((name, block) for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL))


def forms_in(files: dict[str, str]) -> dict[str, set[str]]:
    """Which files have which forms."""
    where: dict[str, set[str]] = {}
    for name, text in texts(files):
        for form, _ in forms(ast.parse(text)):
            where.setdefault(form, set()).add(name)
    return where


def solutions(path: Path) -> dict[str, str]:
    cells = [cell for cell in load(path).cells if cell.is_solution]
    return dict(form for cell in cells for form in forms(ast.parse(cell.source)))


def readable(folder: Path) -> dict[str, str]:
    files = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            try:
                files[str(path.relative_to(folder))] = path.read_text(encoding="utf-8")
            except UnicodeDecodeError:  # compiled
                continue
    return files


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    return students_wheel(tmp_path_factory.mktemp("wheel"))[0]


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    return install(wheel, tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def forms_of_wheel(installed) -> dict[str, set[str]]:
    return forms_in(readable(installed))


@pytest.fixture(scope="module")
def forms_of_package() -> dict[str, set[str]]:
    return forms_in(
        {f"{folder.name}/{name}": text for folder in OURS for name, text in readable(folder).items()}
    )


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.stem)
def test_no_solution_stands_in_what_can_be_read(path, forms_of_wheel):
    wanted = solutions(path)
    assert len(wanted) > 3
    assert {wanted[form]: forms_of_wheel[form] for form in wanted.keys() & forms_of_wheel} == {}


@pytest.mark.parametrize("name", ["A1", "A3"])
def test_every_family_of_rules_is_closed_to_those_who_are_asked_for_rules(name):
    import_module("minigrad.ops.special")  # or scipy.special may not be there yet
    registry.load()
    holding = {
        rule.function.__module__.replace(".", "/") + ".py"
        for operation in registry.operations.values()
        for rule in operation.rules
        if rule is not None
    }
    refusals = {"minigrad/ops/library.py"}  # a rule that raises, where there is no formula
    assert {path for path in holding if path.startswith("minigrad/ops/")} - refusals == holding & set(
        ANSWERS[name]
    )


@pytest.mark.parametrize("name", ["A1", "A2", "A6", "A7"])
def test_the_search_finds_what_the_package_itself_has(name, forms_of_package):
    forms = solutions(find(name)).keys() & forms_of_package
    assert set(ANSWERS[name]) & {file for form in forms for file in forms_of_package[form]}


def test_no_text_of_a_formula_is_left_in_what_is_compiled(wheel):
    with zipfile.ZipFile(wheel) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    everything = b"".join(content.values())
    for words in (
        "g · (1 - y²)",
        "g @ bᵀ",
        "y · (g - Σ g · y)",
        "m is corrected for its bias",
        "adam_reference(theta",
    ):
        assert words.encode() not in everything
    assert PLACEHOLDER.encode() in everything
    assert not [name for name in content if "tutorial" in name or "assignments" in name]
    assert not [name for name in content if name.endswith((".c", ".cu")) and "adam" in content[name].decode()]
    assert not any(b"BEGIN SOLUTION\n    return" in text for text in content.values())


def test_the_wheel_is_as_the_format_wants_it(wheel):
    version = f"cp{sys.version_info.major}{sys.version_info.minor}"
    assert wheel.name == f"minigrad_engine-{minigrad.__version__}+students-{version}-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (record,) = [name for name in names if name.endswith("/RECORD")]
        listed = [row.split(",")[0] for row in archive.read(record).decode().splitlines()]
        metadata = archive.read(record.replace("RECORD", "METADATA")).decode()
    assert sorted(listed) == sorted(names)
    assert "Requires-Dist: numpy" in metadata
    assert "optimizer.step()" not in metadata


CHECKED = """
import json, sys
from pathlib import Path
from minigrad.course.checking import Check
import minigrad
assert minigrad.__file__.startswith(sys.argv[1]), minigrad.__file__
said = {}
for path in sys.argv[2:]:
    check = Check.of(Path(path))
    said[path] = [outcome.passed for _, some in check.outcomes() for outcome in some] + [bool(check.problems)]
print(json.dumps(said))
"""


@long
def test_every_release_can_be_checked_with_it(installed, tmp_path):
    wanted = {}
    for path in sources():
        one, public = load(path), sum(not test.hidden for test in load(path).tests)
        if path.stem[:2] in ("a1", "a8"):
            wanted[str(release(one, tmp_path / "given"))] = [False] * public + [False]
        solved = tmp_path / f"{path.stem}.py"
        solved.write_text(to_percent(one.cells), encoding="utf-8")
        wanted[str(solved)] = [True] * public + [False]
    assert json.loads(run(str(installed), CHECKED, tmp_path, str(installed), *wanted)) == wanted


WORKS = """
import hashlib, inspect, warnings
import numpy as np
import minigrad as mg
from minigrad import nn, optim
from minigrad.optim import formulas

def step():
    rng = np.random.default_rng(0)
    model = nn.Sequential(nn.Linear(6, 5, rng=rng), nn.ReLU(), nn.Linear(5, 3, rng=rng))
    total = hashlib.sha256()
    for make in (optim.Adam, optim.AdamAsPrinted):
        optimizer = make(model, lr=0.1)
        for _ in range(3):
            optimizer.zero_grad()
            loss = nn.CrossEntropyLoss()(model(mg.Tensor(rng.normal(size=(4, 6)).astype("float32"))), [0, 1, 2, 0])
            loss.backward()
            optimizer.step()
        for parameter in model.parameters():
            total.update(parameter.numpy().tobytes())
    return total.hexdigest()

x = mg.Tensor([0.5, 3.0], requires_grad=True, name="x")
y = np.clip(np.tanh(x), 0, 0.9).sum()
print(step(), mg.tape(y)[1], sep="\\n")
"""


def test_what_is_compiled_gives_the_same_bits_and_names_the_users_lines(installed, tmp_path):
    of_wheel, of_package = (run(path, WORKS, tmp_path) for path in (str(installed), HERE))
    assert of_wheel == of_package
    assert "line" in of_wheel.splitlines()[1]


UNREADABLE = """
import inspect
import numpy as np
import minigrad as mg
from minigrad import nn, optim
from minigrad.optim import formulas

for one in (formulas.adam, formulas.adam_as_printed, optim.AdamAsPrinted, nn.CrossEntropyLoss):
    try:
        found = inspect.getsource(one)
    except OSError:  # of a class
        continue
    if one.__doc__ not in found or len(found.splitlines()) > 1:
        raise SystemExit(f"the source of {one} can be had: {found}")
x = mg.Tensor([0.5, 3.0], requires_grad=True, name="x")

def step():
    optimizer = optim.Adam([x], lr=0.1, weight_decay=0.1)
    np.tanh(x).sum().backward()
    optimizer.step()

mg.record(step).save("step.html")
print(mg.table.operations["tanh"].rules[0].formula, open("step.html", encoding="utf-8").read())
"""


def test_viewers_show_values_and_no_formula(installed, tmp_path):
    shown = run(str(installed), UNREADABLE, tmp_path)
    assert shown.startswith(PLACEHOLDER)
    assert "1 - y" not in shown
    assert "beta2 ** t" not in shown
    assert "beta2**t" not in shown
    assert "np.sqrt(" not in shown


FORMULAS = """
import inspect, json, os, sys
from functools import partial
from pathlib import Path
import numpy as np
import minigrad as mg
from minigrad import optim
from minigrad.optim import chain, formulas
from minigrad.optim.generate import built_in
from minigrad.optim.optimizer import Optimizer
from minigrad.optim.program import formula_lines, program
from minigrad_kernels.update_rules import RULES

def own(theta, g, b, *, eta, mu):
    b = mu * b + abs(g)
    return theta - eta * b, b

class Own(Optimizer):
    rule, rate_name, mu = staticmethod(own), "eta", 0.5

class Borrowed(Optimizer):
    state_names, rate_name = ("m", "v"), "alpha"

    def formula(self, theta, g, m, v, *, rate, t):
        return formulas.adam(theta, g, m, v, t, alpha=rate, beta1=0.5, beta2=0.25, eps=0.125)

def text_of(function):
    try:
        return inspect.getsource(function)
    except OSError:
        return ""

x = mg.Tensor([0.5, 3.0], requires_grad=True, name="x")
told = {}
for name, one in {
    **built_in(),
    "chain": chain.Chain([x], [chain.scale_by_adam, partial(chain.add_decay, decay=0.01)], lr=0.1),
    "borrowed": Borrowed([x], lr=0.1),
    "own": Own([x], lr=0.1),
}.items():
    kernel = one.kernel
    functions = [kernel.reference, inspect.unwrap(kernel.reference), kernel.coefficients, kernel.cpu.function]
    said = [repr(one), repr(kernel), *formula_lines(program(one)), *(str(each.__doc__) for each in functions)]
    told[name] = [kernel is RULES.get(name), "\\n".join([*said, *map(text_of, functions)])]
kept = "".join(path.read_text() for path in sorted(Path(os.environ["NUMBA_CACHE_DIR"]).rglob("*.py")))
print(json.dumps([told, kept]))
"""


def test_optimizers_have_their_kernels_and_none_shows_a_formula_but_a_users_own(
    installed, tmp_path, monkeypatch
):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "of the wheel"))
    of_wheel, kept = json.loads(run(str(installed), FORMULAS, tmp_path))
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "of the package"))
    of_package, _ = json.loads(run(HERE, FORMULAS, tmp_path))
    assert {name for name, (ready, _) in of_wheel.items() if not ready} == {"chain", "borrowed", "own"}
    assert {name: ready for name, (ready, _) in of_wheel.items()} == {
        name: ready for name, (ready, _) in of_package.items()
    }
    forms = ("←", "theta_i", "new_theta", "np.sqrt")
    for name, (_, text) in of_package.items():
        assert "θ ←" in text, name
    for name, (_, text) in of_wheel.items():
        assert any(form in text for form in forms) == (name == "own"), (name, text)
        assert (PLACEHOLDER in text) == (name != "own"), (name, text)
    assert "b = mu" in kept
    assert "sqrt" not in kept


def test_an_instructor_chooses_which_assignments_are_closed(tmp_path):
    wheel, closed = students_wheel(tmp_path, ["a6"])
    assert "minigrad/optim/formulas.py" in closed
    assert "minigrad/tape.py" not in closed
    with zipfile.ZipFile(wheel) as archive:
        assert archive.read("minigrad/tape.py") == (OURS[0] / "tape.py").read_bytes()
        assert b"marshal" in archive.read("minigrad/optim/formulas.py")


@pytest.mark.parametrize(
    ("without", "pythons", "says"),
    [
        (["A9"], [""], "'A9'.*A1, A2"),
        (["A6"], ["no-such-python"], "no-such-python"),
        (["A6"], ["false"], "false"),
    ],
)
def test_what_cannot_be_built_is_said(tmp_path, without, pythons, says):
    with pytest.raises(ConfigError, match=f"MG-953.*{says}"):
        students_wheel(tmp_path, without, pythons)
    assert not list(tmp_path.glob("*.whl"))


def test_the_name_of_a_wheel_is_no_folder(tmp_path):
    with pytest.raises(ConfigError, match=r"MG-953.*students\.whl"):
        students_wheel(tmp_path / "students.whl")


def test_a_students_wheel_has_nothing_to_build_one_from():
    stub = sealed("minigrad/optim/formulas.py", "x = 1\n", [""])["minigrad/optim/formulas.py"].decode()
    with pytest.raises(ConfigError, match=r"MG-953.*formulas.*compiled already"):
        sealed("minigrad/optim/formulas.py", stub, [""])


def test_every_file_that_is_closed_exists():
    here = {path.relative_to(folder.parent).as_posix() for folder in OURS for path in folder.rglob("*")}
    for name in ANSWERS:
        for path in files_of([name]):
            assert "*" in path or path in here, path
