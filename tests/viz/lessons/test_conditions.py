"""The language of conditions: what it takes, what it refuses, and that it is worth what NumPy says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from minigrad.viz.lessons.conditions import FUNCTIONS, SLACK, Unfit, parse, worth

W = np.array([[1.0, -2.0], [0.5, 4.0]], np.float32)
HERE = {"W1": W, "fc1.weight": W, "d_W1": -W, "loss": np.float32(0.25), "after.loss": np.float32(0.2)}
THEN = {key: value * 2 for key, value in HERE.items()}


class Names:
    def value(self, name: str) -> str:
        if name not in HERE:
            raise Unfit(f"there is no tensor {name}")
        return name

    def gradient(self, name: str) -> str:
        return f"d_{name}"

    def updated(self, name: str) -> str:
        return name

    def loss(self, *, after: bool) -> str:
        return "after.loss" if after else "loss"


def look_in(values: dict[str, Any]) -> Any:
    def look(kind: str, name: str = "") -> Any:
        own = {"rate": 0.1, "step": 3}
        return own[kind] if kind in own else values[name] + (100 if kind == "new" else 0)

    return look


def told(text: str, slack: float = 0.0) -> Any:
    return worth(parse(text, Names()), look_in(HERE), look_in(THEN), slack)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("1 + 2 * 3 ** 2 - 4 / 2", 17.0),
        ("-loss", -0.25),
        ("sum(W1)", W.sum()),
        ("W1[0, 1]", -2.0),
        ("sum(W1[:, 1])", 2.0),
        ("W1[-1, 0:1]", [0.5]),
        ("norm(W1)", np.sqrt((W * W).sum())),
        ("count(W1 > 0)", 3),
        ("argmax(W1)", 3),
        ("max(abs(W1)) + min(W1) + mean(W1)", 4.0 - 2.0 + 0.875),
        ("sqrt(4) + exp(0) + log(1) + sign(0 - 2)", 2.0),
        ("grad(W1)[0, 0]", -1.0),
        ("new(W1)[0, 0]", 101.0),
        ("start(sum(W1)) - sum(W1)", W.sum()),
        ("start(loss) + loss_after", 0.7),
        ("rate * step", 0.3),
        ("fc1.weight[1, 1]", 4.0),
        ('value("fc1.weight")[1, 1]', 4.0),
    ],
)
def test_an_expression_is_worth_what_numpy_says(text: str, wanted: Any) -> None:
    np.testing.assert_allclose(told(text), wanted, rtol=1e-6)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("loss < 0.3 and step >= 3", True),
        ("loss < 0.3 and not step == 3", False),
        ("loss > 1 or isfinite(loss)", True),
        ("0.1 < loss < 0.2", False),
        ("0.1 < loss <= 0.25", True),
        ("all(W1[:, 0] > 0)", True),
        ("any(W1 > 5)", False),
        ("all(grad(W1) == 0 - W1)", True),
        ("W1[0, 0] != 1", False),
    ],
)
def test_a_condition_is_true_or_false(text: str, wanted: bool) -> None:
    assert bool(told(text)) is wanted


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("__import__('os').system('true')", "no function|not in the language"),
        ("(lambda: 1)()", "not in the language"),
        ("[1, 2]", "not in the language"),
        ("W1 @ W1", "not in the language"),
        ("loss < 0.1 if step else 1", "not in the language"),
        ("open(loss)", "there is no function open"),
        ("max(W1, loss)", "takes one argument, and 2"),
        ("max(W1, key=loss)", "not in the language"),
        ("loss in W1", "compares by"),
        ("loss is 1", "compares by"),
        ("W1[loss]", "no index"),
        ("W1[0.5]", "no index"),
        ("grad(W1 + 1)", "no name of a tensor"),
        ("W2", "there is no tensor W2"),
        ("W1.__class__", "there is no tensor W1.__class__"),
        ("sum", "is a function"),
        ("loss <", "cannot be read"),
        ("", "cannot be read"),
        ("'text'", "not in the language"),
        ("True", "not in the language"),
        ("1j", "not in the language"),
        ("x := 1", "cannot be read"),
        ("(" * 500 + "1" + ")" * 500, "cannot be read"),
    ],
)
def test_anything_else_is_refused(text: str, why: str) -> None:
    with pytest.raises(Unfit, match=why):
        parse(text, Names())


def test_slack_is_in_the_learners_favour() -> None:
    close = 0.25 * (1 - SLACK / 2)
    assert not told(f"loss < {close}")
    assert told(f"loss < {close}", SLACK)
    assert told(f"loss == {close}", SLACK)
    assert not told(f"not loss > {close}")
    assert told(f"not loss > {close}", SLACK)
    assert not told("sum(W1) - sum(W1) == 1e-9", SLACK)  # 0 is 0


def test_every_function_is_tried_here() -> None:
    tables = test_an_expression_is_worth_what_numpy_says, test_a_condition_is_true_or_false
    texts = [case[0] for table in tables for mark in table.pytestmark for case in mark.args[1]]
    assert {each for each in FUNCTIONS if any(f"{each}(" in text for text in texts)} == set(FUNCTIONS)
