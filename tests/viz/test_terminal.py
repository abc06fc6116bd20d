from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

import minigrad as mg
from minigrad.viz import examples, terminal
from minigrad.viz.trace import Trace


def recorded(name: str) -> Trace:
    return mg.record(examples.load(name)["step"], title=name)


def printed(trace: Trace, position: int | None = None, width: int = 100) -> str:
    to = Console(file=io.StringIO(), width=width)
    if position is None:
        terminal.run(trace, to)
    else:
        to.print(terminal.frame(trace, position))
    assert isinstance(to.file, io.StringIO)
    return to.file.getvalue()


def test_piped_it_prints_every_event() -> None:
    trace = recorded("diamond")
    said = printed(trace)
    assert (
        len(re.findall(r"^ +\d+ (?:forward|seed|backward|accumulate_grad)", said, re.M))
        == len(trace.events)
        == 10
    )
    assert "18 + 18 = 36" in said  # the second contribution to dloss/dx, and the third
    assert "36 + 18 = 54" in said


def test_a_frame_marks_the_line_and_what_is_not_known_yet() -> None:
    said = printed(recorded("diamond"), 1)
    assert re.search(r"▶\s+14\s+b = 2\.0 \* x", said)
    row = {line.split()[0]: line for line in said.splitlines() if re.match(r"\s+(x|a|loss) ", line)}
    assert row["loss"].count("not yet") == 2
    assert row["a"].count("not yet") == 1
    assert " 9 " in row["a"]


def test_the_update_is_shown_line_by_line() -> None:
    trace = recorded("digits")
    said = printed(trace, len(trace.events) - 2, width=140)
    for symbol in ("m[", "v[", "m̂[", "v̂[", "fc2.bias["):
        assert symbol in said


def test_of_several_steps_a_frame_shows_the_tensors_of_its_own() -> None:
    w = mg.Tensor([2.0], requires_grad=True, name="w")
    opt = mg.optim.SGD([w], lr=0.1)
    with mg.record() as trace:
        for _ in range(3):
            opt.zero_grad()
            (w * w).sum().backward()
            opt.step()
    middle = trace.steps[1][0]
    said = printed(trace, middle)
    assert "step 2 of 3" in said
    assert re.findall(r"^ *▶? +(w\S*|multiply\S*|sum\S*) ", said, re.M) == ["w#2", "multiply_2", "sum_2"]
    assert "step" not in printed(recorded("diamond"), 0).splitlines()[-1]


class Screen:
    def __init__(self) -> None:
        self.shown: list[str] = []

    def __enter__(self) -> Screen:
        return self

    def __exit__(self, *_: object) -> None: ...

    def update(self, frame: object) -> None:
        to = Console(file=io.StringIO(), width=100)
        to.print(frame)
        assert isinstance(to.file, io.StringIO)
        found = re.search(r"(\d+) of 10", to.file.getvalue())
        assert found
        self.shown.append(found[1])


def test_keys_step(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = iter(["n", "\x1b[C", "b", "\x1b[D", "\x1b[D", "G", "n", "g", " ", "?", "q"])
    monkeypatch.setattr(terminal, "_key", lambda: next(keys))
    monkeypatch.setattr("sys.stdin", type("Tty", (), {"isatty": lambda self: True})())
    screen = Screen()
    to = Console(force_terminal=True, file=io.StringIO())
    monkeypatch.setattr(to, "screen", lambda **_: screen)
    terminal.run(recorded("diamond"), to)
    assert screen.shown == ["1", "2", "3", "2", "1", "1", "10", "10", "1", "2", "2"]
