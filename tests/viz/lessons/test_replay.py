"""A page's changes made in Python give what the engine gives; lines are read and verified."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.cli.step import recorded
from minigrad.errors import DataError
from minigrad.viz import examples, page_live
from minigrad.viz.lessons.binding import Bound, bind
from minigrad.viz.lessons.lines import code, read_lines, verify
from minigrad.viz.lessons.reading import read
from minigrad.viz.lessons.replay import NoChange, Replay, State


def replay_of(name: str) -> Replay:
    trace = mg.record(examples.load(name)["step"])
    page, _ = page_live.page(trace)
    assert page is not None
    return Replay(trace, page)


def last(replay: Replay, changes: Sequence[Any]) -> State:
    return [replay.start, *replay.states(changes)][-1]


@pytest.mark.parametrize(("name", "leaf"), [("mlp", "W1"), ("line", "weight"), ("diamond", "x")])
def test_steps_behind_a_change_are_the_engines(name: str, leaf: str) -> None:
    names = examples.load(name)
    tensor = names["model"].weight if name == "line" else names[leaf]
    tensor.data.reshape(-1)[0] = 0.75
    replay = replay_of(name)
    count = 5 if replay.page.updates else 0
    traces = [mg.record(names["step"]) for _ in range(count + 1)]
    changes: list[Any] = [[leaf, 0, 0.75], *([["", "step", count]] if count else [])]
    worked = replay.worked_out(last(replay, changes))
    trace = traces[-1]
    assert replay.page.program.loss is not None
    np.testing.assert_allclose(
        worked("value", replay.page.program.loss.name), trace.node("loss").value, rtol=1e-5
    )
    gradient = trace.gradient(trace.node(leaf).index)
    named = replay.page.program.gradients[trace.node(leaf).index].name
    np.testing.assert_allclose(worked("value", named), gradient, rtol=1e-5)


def test_another_optimizer_in_the_middle_is_the_engines() -> None:
    names = examples.load("mlp")
    replay = replay_of("mlp")
    adam = next(k for k, rule in enumerate(replay.page.rules) if rule["name"] == "Adam")
    state = last(replay, [["", "step", 2], ["", "optimizer", adam], ["", "alpha", 0.05], ["", "step", 3]])
    names["step"]()
    names["step"]()
    names["step"].__globals__["optimizer"] = mg.optim.Adam([names["W1"], names["b1"], names["W2"]], lr=0.05)
    for _ in range(3):
        names["step"]()
    for name in ("W1", "b1", "W2"):
        np.testing.assert_allclose(state.values[name], names[name].numpy(), rtol=1e-5, atol=1e-6)
    assert replay.worked_out(state)("rate") == 0.05
    assert state.step == 5


@pytest.mark.parametrize("make", [mg.optim.SGD, mg.optim.Adam])
def test_clipped_steps_are_the_engines(make: Any) -> None:
    names = examples.load("mlp")
    leaves = [names["W1"], names["b1"], names["W2"]]

    def clipped() -> mg.optim.Optimizer:
        return make(leaves, lr=0.1, max_norm=0.02)  # type: ignore[no-any-return]

    names["step"].__globals__["optimizer"] = clipped()
    start = [leaf.numpy().copy() for leaf in leaves]
    trace = mg.record(names["step"])
    page, why = page_live.page(trace)
    assert page is not None, why
    for leaf, array in zip(leaves, start, strict=True):
        leaf.data[...] = array
    names["step"].__globals__["optimizer"] = clipped()
    for _ in range(3):
        names["step"]()
    replay = Replay(trace, page)
    state = last(replay, [["", "step", 3]])
    for leaf, array in zip(("W1", "b1", "W2"), start, strict=True):
        np.testing.assert_allclose(state.values[leaf], names[leaf].numpy(), rtol=1e-5, atol=1e-7)
        assert not np.array_equal(state.values[leaf], array)


def test_arrays_are_changed_as_a_whole() -> None:
    replay = replay_of("digits")
    labels = next(name for name in replay.start.values if name.startswith("labels"))
    recorded = replay.start.values["x"]
    width = recorded[0].size
    picture = "0123456789abcdefg" * width
    state = last(replay, [["x", "rows", picture[:width]], [labels, "fill", 7]])
    assert np.all(state.values["x"] == state.values["x"][0])
    np.testing.assert_array_equal(state.values["x"].reshape(len(recorded), -1)[0, :17], np.arange(17) / 16)
    assert np.all(state.values[labels] == 7)
    np.testing.assert_array_equal(last(replay, [["x", "sample", 3]]).values["x"][5], recorded[3])
    back = last(replay, [["x", "sample", 3], ["x", "recorded", 0]])
    np.testing.assert_array_equal(back.values["x"], recorded)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (["W9", 0, 1.0], "nothing that the step was given"),
        (["W1", 4, 1.0], "no whole number from 0 to 3"),
        (["W1", 0.5, 1.0], "no whole number"),
        (["W1", 0, float("nan")], "no number"),
        (["W1", 0, "1"], "no number"),
        (["W1", "rows", "zz"], "a picture here is 2 letters"),
        (["W1", "sample", 2], "no whole number from 0 to 1"),
        (["", "step", 10**9], "no whole number from 1 to 50000"),
        (["", "step", True], "no whole number"),
        (["", "optimizer", 99], "no whole number"),
        (["", "temperature", 1.0], "no setting of the optimizer"),
        (["", ["eta"], 1.0], "no setting of the optimizer"),
        (["", "add", [[0.0, 1.0], 1.0]], "no setting of the optimizer"),
        (["W1", 0], "is no change"),
        (3, "is no change"),
    ],
)
def test_a_change_that_means_nothing_is_refused(change: Any, said: str) -> None:
    replay = replay_of("mlp")
    with pytest.raises(NoChange, match=said):
        last(replay, [change])


def test_steps_together_have_an_end() -> None:
    replay = replay_of("mlp")
    states = replay.states([["", "step", 1], ["", "step", 50_000]])
    next(states)
    with pytest.raises(NoChange, match="more than 50,000"):
        next(states)


# -- lines ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def dead() -> Bound:
    lesson = read("dead-units")
    trace = recorded(lesson)
    return bind(lesson, trace, page_live.page(trace)[0])


def line(bound: Bound, challenge: str, changes: Any, answer: Any = None, who: str = "Ada") -> str:
    made = {"changes": changes} | ({} if answer is None else {"answer": answer})
    packed = base64.urlsafe_b64encode(json.dumps(made).encode()).decode().rstrip("=")
    text = f"minigrad:{bound.lesson.name}@{bound.lesson.version}:{challenge}:{who}:{packed}"
    return f"{text}:{code(text)}"


DEAD = ["b1", 1, -9.0]


@pytest.mark.parametrize(
    ("challenge", "changes", "why"),
    [
        ("die", [DEAD], ""),
        ("die", [["b1", 1, -1.2]], "does not hold"),
        ("die", [DEAD, ["W2", 0, 3.0]], "W2 was changed, which is locked"),
        ("die", [DEAD, ["y", 0, 1.0]], "y was changed, which is locked"),
        ("no-way-back", [DEAD, ["", "step", 20]], ""),
        ("no-way-back", [DEAD, ["", "step", 19]], "does not hold"),
        ("revive", [DEAD, ["b1", 1, 0.0]], ""),
        ("revive", [["b1", 1, 0.0]], "die has to come first"),
        ("too-far", [["", "eta", 4.0], ["", "step", 3]], ""),
        ("too-far", [["", "eta", 0.05], ["", "step", 60]], "does not hold"),
        ("too-far", [["b1", 0, -50.0], ["", "step", 1]], "b1 was changed, which is locked"),
        ("nonsense", [], "has no challenge nonsense"),
        ("die", [["b1", 7, 1.0]], "no whole number"),
    ],
)
def test_a_line_is_verified_by_making_its_changes(
    dead: Bound, challenge: str, changes: Any, why: str
) -> None:
    (solved,) = read_lines(line(dead, challenge, changes))
    verdict = verify(solved, dead)
    assert verdict.holds is (why == "")
    assert why in verdict.why
    assert solved.who == "Ada"


SOLUTIONS = {
    "diverge": [["", "eta", 0.2], ["", "step", 60]],
    "slow": [["", "eta", 0.0005], ["", "step", 50]],
    "by-hand": [["weight", 0, 2.0], ["bias", 0, 1.0]],
}


@pytest.mark.parametrize("challenge", SOLUTIONS)
def test_rates_can_be_found(challenge: str) -> None:
    lesson = read("rates")
    trace = recorded(lesson)
    bound = bind(lesson, trace, page_live.page(trace)[0])
    (solved,) = read_lines(line(bound, challenge, SOLUTIONS[challenge]))
    assert verify(solved, bound).why == ""


def test_a_quick_rate_is_there() -> None:
    lesson = read("rates")
    trace = recorded(lesson)
    bound = bind(lesson, trace, page_live.page(trace)[0])
    momentum = next(k for k, rule in enumerate(bound.page.rules) if rule["name"] == "SGD with momentum")
    tried = [
        [["", "optimizer", momentum], ["", "eta", rate], ["", "mu", mu], ["", "step", steps]]
        for rate in (0.02, 0.04, 0.06) for mu in (0.5, 0.6, 0.7, 0.8) for steps in (15, 20, 25)
    ]  # fmt: skip
    held = [verify(read_lines(line(bound, "quick", each))[0], bound).holds for each in tried]
    assert any(held)


def test_four_points_are_learnt_by_heart(dead: Bound) -> None:
    """How many steps it takes is looked for, so that the challenge can be solved."""
    for steps in (100, 300, 1000, 3000):
        (solved,) = read_lines(line(dead, "overfit", [["", "step", steps]]))
        if verify(solved, dead).holds:
            return
    pytest.fail("3,000 steps do not bring the loss below 0.0001")


@pytest.mark.parametrize(
    ("typed", "right"), [(36.0, True), (36.02, True), (35.5, False), ("36", False), (None, False)]
)
def test_an_answer_is_right_to_three_digits(typed: Any, right: bool) -> None:
    lesson = read("first-quarter")
    trace = recorded(lesson)
    bound = bind(lesson, trace, page_live.page(trace)[0])
    (solved,) = read_lines(line(bound, "second-link", [], typed))
    assert verify(solved, bound).holds is right


def test_a_line_survives_mail_and_is_found_in_any_text(dead: Bound) -> None:
    text = line(dead, "die", [DEAD], who="Ada%20L%C3%B6w")
    broken = "\n> ".join(text[i : i + 30] for i in range(0, len(text), 30))
    found = read_lines(f"Dear all,\n> {broken}\n> Ada\n{line(dead, 'die', [])}")
    assert [each.who for each in found] == ["Ada Löw", "Ada"]
    assert [verify(each, dead).holds for each in found] == [True, False]


def test_a_line_that_was_changed_or_cut_says_so(dead: Bound) -> None:
    text = line(dead, "die", [DEAD])
    (changed,) = read_lines(text.replace(":Ada:", ":Eve:"))
    assert "check code does not fit" in verify(changed, dead).why
    (cut,) = read_lines(text[:-12])
    assert "is cut" in verify(cut, dead).why
    head = f"minigrad:dead-units@{dead.lesson.version}:die:Ada:AAAA"
    (senseless,) = read_lines(f"{head}:{code(head)}")
    assert "cannot be read" in verify(senseless, dead).why
    with pytest.raises(DataError, match="MG-658"):
        read_lines("I did it!")


def test_a_line_of_another_version_is_told(dead: Bound) -> None:
    text = line(dead, "die", [DEAD]).rpartition(":")[0].replace(dead.lesson.version, "00000000")
    (solved,) = read_lines(f"{text}:{code(text)}")
    verdict = verify(solved, dead)
    assert verdict.holds
    assert "changed since" in verdict.why
