from __future__ import annotations

import re
import sys
import webbrowser
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from minigrad.cli import app
from minigrad.viz.examples import EXAMPLES, NAMES
from minigrad.viz.recording import Recording
from minigrad.viz.trace import Forward, Seed, Trace, Update
from tests.cli.shared import minigrad, on_a_terminal


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


def test_the_examples_are_listed_with_what_there_is_to_try(tmp_path: Path) -> None:
    said = " ".join(minigrad("step", "--list").split())
    for name, example in EXAMPLES.items():
        assert f"{name} {example.title}" in said
    assert said.count("Try: ") == len(EXAMPLES) == 12
    assert "minigrad step NAME" in said
    assert not list(tmp_path.iterdir())


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


HEAD = """\
import sys
import numpy as np
import minigrad as mg
from minigrad import nn, optim
x, y = np.array([[1.0], [2.0]], "float32"), np.array([[2.0], [4.0]], "float32")
w = mg.Tensor([[0.5]], requires_grad=True, name="w")
def forward():
    return ((x @ w - y) ** 2).mean()
"""
TAIL = "\nopen('ended', 'w').close()\n"
LOOPS = {
    "an optimizer": """
opt = optim.SGD([w], lr=0.1)
for epoch in range(2000):
    opt.zero_grad()
    loss = forward()
    loss.backward()
    opt.step()
""",
    "by hand": """
for epoch in range(2000):
    loss = forward()
    loss.backward()
    with mg.no_grad():
        w -= 0.1 * w.grad
    w.zero_grad()
""",
    "by hand with new leaves": """
for epoch in range(2000):
    loss = forward()
    loss.backward()
    w = mg.Tensor(w.numpy() - 0.1 * w.grad.numpy(), requires_grad=True, name="w")
""",
    "what catches everything": """
opt = optim.SGD([w], lr=0.1)
for epoch in range(2000):
    try:
        opt.zero_grad()
        loss = forward()
        loss.backward()
        opt.step()
    except Exception:
        continue
""",
    "two backward passes for an update": """
opt = optim.SGD([w], lr=0.1)
for epoch in range(2000):
    opt.zero_grad()
    with mg.accumulate(2):
        for half in range(2):
            loss = forward()
            loss.backward()
    opt.step()
""",
    "two optimizers for one loss": """
b = mg.Tensor([0.0], requires_grad=True, name="b")
one, two = optim.SGD([w], lr=0.1), optim.SGD([b], lr=0.2)
for epoch in range(2000):
    one.zero_grad(); two.zero_grad()
    loss = (forward() + b * b).sum()
    loss.backward()
    one.step()
    two.step()
""",
    "two losses in turn": """
v = mg.Tensor([[1.0]], requires_grad=True, name="v")
one, two = optim.SGD([w], lr=0.1), optim.SGD([v], lr=0.1)
for epoch in range(2000):
    one.zero_grad()
    loss = (forward() * v).sum()
    loss.backward()
    one.step()
    two.zero_grad()
    other = (v * v).sum()
    other.backward()
    two.step()
""",
    "an evaluation first": """
opt = optim.SGD([w], lr=0.1)
print("before", forward().item())
with mg.no_grad():
    for k in range(10):
        forward()
for epoch in range(2000):
    opt.zero_grad()
    loss = forward()
    loss.backward()
    opt.step()
    after = forward().item()
""",
    "a function and a guard": """
def main():
    opt = optim.Adam([w], lr=0.1)
    for epoch in range(2000):
        opt.zero_grad()
        loss = forward()
        loss.backward()
        opt.step()
if __name__ == "__main__":
    main()
""",
    "a while loop": """
opt = optim.SGD([w], lr=0.1)
while True:
    opt.zero_grad()
    loss = forward()
    loss.backward()
    opt.step()
""",
    "a step with arguments": """
opt = optim.SGD([w], lr=0.1)
def step(x, y):
    opt.zero_grad()
    loss = ((x @ w - y) ** 2).mean()
    loss.backward()
    opt.step()
for epoch in range(2000):
    step(x, y)
""",
    "a step of its own in a loop": """
opt = optim.SGD([w], lr=0.1)
unrelated = w * 2
def step():
    opt.zero_grad()
    loss = forward()
    loss.backward()
    opt.step()
for epoch in range(2000):
    step()
""",
    "a trainer of a module": """
model = nn.Linear(1, 1, rng=np.random.default_rng(0))
opt, loss_of = optim.Adam(model, lr=0.1), nn.MSELoss()
def epoch():
    opt.zero_grad()
    loss = loss_of(model(x), y)
    loss.backward()
    opt.step()
    return loss.item()
losses = [epoch() for k in range(2000)]
""",
}
BACKWARDS = {"two backward passes for an update": 2}
UPDATES = {
    "by hand": 0,
    "by hand with new leaves": 0,
    "two optimizers for one loss": 2,
    "a trainer of a module": 2,
}


def recorded(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> tuple[Trace, str]:
    """What a command records, and what it says."""
    kept: list[Trace] = []
    monkeypatch.setattr(Recording, "save", lambda self, path, **options: kept.append(self))
    said = minigrad("step", *arguments)
    assert len(kept) == 1
    return kept[0], said


def kinds(trace: Trace) -> Counter[str]:
    return Counter(event.kind for event in trace.events)


@pytest.mark.parametrize("name", LOOPS)
def test_of_a_training_loop_the_first_step_is_recorded(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "train.py").write_text(HEAD + LOOPS[name] + TAIL)
    trace, said = recorded(monkeypatch, "train.py")
    assert not (tmp_path / "ended").exists()
    found = kinds(trace)
    assert found["seed"] == BACKWARDS.get(name, 1)
    assert found["update"] == UPDATES.get(name, 1)
    assert [e.t for e in trace.events if isinstance(e, Update)] == [1] * found["update"]
    assert "Step 1 of its training recorded; train.py was stopped there." in said
    assert "--at STEP" in said
    assert "--steps N" in said
    last = max(e.index for e in trace.events if isinstance(e, Seed))
    leading = {e.node for e in trace.events if isinstance(e, Forward)}
    assert all(e.index < last for e in trace.events if isinstance(e, Forward))
    used = {i for n in leading for i in trace.nodes[n].inputs} | {trace.loss}
    assert leading <= used | {e.node for e in trace.events if isinstance(e, Seed)}


@pytest.mark.parametrize("name", LOOPS)
def test_later_steps_and_several(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The value of w in the recorded steps is the one that plain gradient descent has there."""
    (tmp_path / "train.py").write_text(HEAD + LOOPS[name] + TAIL)
    trace, said = recorded(monkeypatch, "train.py", "--at", 3, "--steps", 2)
    assert "Steps 3 to 4 of its training recorded; train.py was stopped there." in said
    assert not (tmp_path / "ended").exists()
    assert len(trace.starts) == 2
    assert kinds(trace)["seed"] == 2 * BACKWARDS.get(name, 1)
    if name in (
        "an optimizer",
        "by hand",
        "by hand with new leaves",
        "a step with arguments",
        "a while loop",
    ):
        w = 0.5
        wanted = []
        for _ in range(4):
            wanted.append(w)
            w -= 0.1 * np.mean([2 * (a * w - 2 * a) * a for a in (1.0, 2.0)])
        values = [n.value.item() for n in trace.nodes if n.role == "parameter"]
        assert values == pytest.approx(wanted[2:], rel=1e-5)


def test_a_program_that_ends_before_says_how_many_steps_it_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "train.py").write_text(HEAD + LOOPS["an optimizer"].replace("2000", "5") + TAIL)
    trace, said = recorded(monkeypatch, "train.py", "--at", 4, "--steps", 9)
    assert "Steps 4 to 5 recorded: train.py takes no more than 5." in said
    assert kinds(trace)["update"] == 2
    assert (tmp_path / "ended").exists()
    said = minigrad("step", "train.py", "--at", 6, code=2)
    assert "MG-947" in said
    assert "takes 5 steps" in said
    for wrong in (("--at", 0), ("--steps", 0), ("--steps", 1000)):
        minigrad("step", "train.py", *wrong, code=2)


def test_a_step_that_needs_arguments_is_told_what_to_offer(tmp_path: Path) -> None:
    for parameters, needed in (
        ("x", "needs x,"),
        ("x, y=1", "needs x,"),
        ("x, /, y, *, z", "needs x, y and z,"),
        ("*, rate", "needs rate,"),
    ):
        (tmp_path / "mine.py").write_text(f"{HEAD}def step({parameters}):\n    forward().backward()\n")
        said = minigrad("step", "mine.py", code=2)
        assert "MG-946" in said
        assert f"step({parameters}) in line 9 {needed}" in said
        assert "defaults" in said
        assert not list(tmp_path.glob("*.html"))
    for text in ("async def step():\n    forward().backward()\n", "def step():\n    yield forward()\n"):
        (tmp_path / "mine.py").write_text(HEAD + text)
        assert "MG-946" in minigrad("step", "mine.py", code=2)
    (tmp_path / "mine.py").write_text(HEAD + "def step(x=3, *more, **others):\n    forward().backward()\n")
    assert "events of mine.py" in minigrad("step", "mine.py")


def test_steps_of_a_function_are_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.py").write_text(
        HEAD + "opt = optim.SGD([w], lr=0.1)\ncalls = []\n"
        "def step():\n    calls.append(1)\n    opt.zero_grad()\n    forward().backward()\n    opt.step()\n"
        "    print('call', len(calls))\n"
    )
    trace, said = recorded(monkeypatch, "mine.py", "--at", 2, "--steps", 3)
    assert "call 4" in said
    assert "call 5" not in said
    assert [e.t for e in trace.events if isinstance(e, Update)] == [2, 3, 4]
    assert len(trace.starts) == 3
    trace, _ = recorded(monkeypatch, "diamond", "--steps", 2)
    assert trace.starts == [0, 10]


def test_a_program_has_its_own_arguments_and_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "train.py").write_text(
        "from __future__ import annotations\nfrom dataclasses import dataclass\nimport pickle\n"
        + HEAD.replace("import sys\n", "")
        + "import argparse\nparser = argparse.ArgumentParser()\nparser.add_argument('--lr', type=float, default=1.0)\n"
        "@dataclass\nclass Settings:\n    lr: float\n"
        "settings = pickle.loads(pickle.dumps(Settings(parser.parse_args().lr)))\n"
        "opt = optim.SGD([w], lr=settings.lr)\n"
        "for k in range(3):\n    opt.zero_grad()\n    forward().backward()\n    opt.step()\n"
    )
    before = sys.argv, list(sys.path), sys.modules["__main__"]
    trace, _ = recorded(monkeypatch, "train.py", "--", "--lr", "0.25")
    (update,) = [e for e in trace.events if isinstance(e, Update)]
    assert {row.symbol: row.value for row in update.rows}["eta"] == 0.25
    assert (sys.argv, list(sys.path), sys.modules["__main__"]) == before


def test_a_program_that_exits_is_recorded_until_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "plain.py").write_text(HEAD + "forward().backward()\nsys.exit(0)\n")
    trace, _ = recorded(monkeypatch, "plain.py")
    assert kinds(trace)["seed"] == 1
    (tmp_path / "plain.py").write_text(HEAD + "sys.exit('no data')\n")
    result = CliRunner().invoke(app, ["step", "plain.py"])
    assert isinstance(result.exception, SystemExit)
    assert result.exception.code == "no data" or (result.exit_code == 1 and "no data" in result.output)


ERRORS = {
    "its own": ("def helper():\n    raise ValueError('mine')\nhelper()\n", ["in helper", "ValueError: mine"]),
    "minigrad's": ("x @ w @ w.T @ y @ y\n", ["MG-10", "minigrad explain MG-10"]),
    "in a step": ("def step():\n    1 / 0\n", ["in step", "ZeroDivisionError"]),
    "with a cause": (
        "try:\n    {}['a']\nexcept KeyError as e:\n    raise RuntimeError('b') from e\n",
        ["KeyError: 'a'", "direct cause", "RuntimeError: b"],
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_what_a_program_raises_is_shown_as_its_own_traceback(name: str, tmp_path: Path) -> None:
    text, parts = ERRORS[name]
    (tmp_path / "wrong.py").write_text(HEAD + text)
    result = CliRunner().invoke(app, ["step", "wrong.py"])
    assert result.exit_code == 1
    assert "Traceback (most recent call last)" in result.output
    assert 'wrong.py", line' in result.output
    for part in parts:
        assert part in result.output
    ours = [line for line in result.output.splitlines() if "File" in line and "/minigrad/" in line]
    assert ours == []
    assert not list(tmp_path.glob("*.html"))


def test_a_program_that_catches_everything_ends_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = LOOPS["what catches everything"].replace("except Exception:", "except:")
    (tmp_path / "train.py").write_text(HEAD + loop)
    trace, said = recorded(monkeypatch, "train.py")
    assert kinds(trace)["update"] == 1
    assert "Step 1 of its training recorded" in said


def test_progress_is_shown_on_a_terminal(tmp_path: Path) -> None:
    slow = LOOPS["an optimizer"].replace("opt.zero_grad()", "opt.zero_grad(); time.sleep(0.02)")
    (tmp_path / "train.py").write_text("import time\n" + HEAD + slow)
    said = on_a_terminal("step", "train.py", "--at", 40, "--out", "page.html", cwd=tmp_path)
    assert "running train.py up to step 40 of its training" in said
    assert re.search(r"step \d+ of 40", said)
    assert "Step 40 of its training recorded" in said
