"""Lessons in headless Chromium: challenges checked on the page, locks, lines that Python verifies; predictions."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

import minigrad as mg
from minigrad.cli.step import recorded
from minigrad.viz import examples, page_live
from minigrad.viz.lessons.binding import Bound, bind, on_page
from minigrad.viz.lessons.lines import read_lines, verify
from minigrad.viz.lessons.reading import names, read
from minigrad.viz.numbers import show
from tests.viz.browser.chromium import Browser, find

pytestmark = pytest.mark.skipif(find() is None, reason="no Chromium is installed")


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    made = {}
    for name in names():
        made[name] = tmp_path_factory.mktemp("lessons") / f"{name}.html"
        lesson = read(name)
        recorded(lesson).save(made[name], lesson=on_page(lesson))
    return made


def bound(name: str) -> Bound:
    lesson = read(name)
    trace = recorded(lesson)
    return bind(lesson, trace, page_live.page(trace)[0])


def fresh(browser: Browser, path: Path) -> None:
    browser.open(path)
    browser.js("localStorage.clear()")
    browser.open(path)


def edit(browser: Browser, *changes: list[Any]) -> None:
    """Make changes as a link does, and draw."""
    browser.js(
        f"(() => {{ document.querySelector('.mg-stepper').step.replay({json.dumps(changes)}); "
        "const b = document.querySelector('[data-change=h]'); b.dispatchEvent(new Event('change')); })()"
    )


def solved(browser: Browser) -> list[str]:
    found: list[str] = browser.js(
        "[...document.querySelectorAll('.mg-done')].map((e) => e.dataset.challenge)"
    )
    return found


def lines(browser: Browser) -> str:
    browser.js(
        "(() => { const w = document.querySelector('.mg-who'); w.value = 'Ada Löw'; "
        "document.querySelector('[data-lesson=copy]').click(); })()"
    )
    return str(browser.js("document.querySelector('.mg-lines').value"))


def test_a_unit_dies_and_is_revived_and_python_agrees(browser: Browser, pages: dict[str, Path]) -> None:
    fresh(browser, pages["dead-units"])
    assert solved(browser) == []
    assert browser.js("document.querySelector('[data-lesson=copy]').disabled")
    edit(browser, ["b1", 1, -0.9])
    assert solved(browser) == []
    edit(browser, ["b1", 1, -9.0])
    assert solved(browser) == ["die"]
    assert "Solved" in browser.text(".mg-told")
    edit(browser, ["", "step", 20])
    assert solved(browser) == ["die", "no-way-back"]
    edit(browser, ["b1", 1, 0.5])
    assert solved(browser) == ["die", "no-way-back", "revive"]
    browser.js("document.querySelector('.mg-stepper').step.reset()")
    edit(browser, ["", "eta", 4.0])
    assert "too-far" not in solved(browser)
    edit(browser, ["", "step", 3])
    assert "too-far" in solved(browser)
    here = bound("dead-units")
    found = read_lines(lines(browser))
    assert [each.challenge for each in found] == ["die", "no-way-back", "revive", "too-far"]
    assert {each.who for each in found} == {"Ada Löw"}
    assert [(verdict := verify(each, here)).holds and verdict.why for each in found] == [""] * 4
    assert browser.errors == []


def test_what_comes_after_needs_what_comes_before(browser: Browser, pages: dict[str, Path]) -> None:
    fresh(browser, pages["dead-units"])
    edit(browser, ["b1", 1, -0.5])  # alive, as it was from the start
    assert solved(browser) == []
    edit(browser, ["b1", 1, -9.0])
    browser.click('[data-change="undo"]')
    assert solved(browser) == ["die"]  # to undo it is not to revive it


def test_a_locked_number_stays_and_a_locked_way_does_not_count(
    browser: Browser, pages: dict[str, Path]
) -> None:
    fresh(browser, pages["dead-units"])
    edit(browser, ["y", 0, 1.0])
    assert "y is locked" in browser.text(".mg-told")
    assert browser.js("document.querySelector('.mg-stepper').step.now().values.y.data[0]") == 0
    edit(browser, ["W2", 0, 3.0], ["b1", 1, -9.0])
    assert solved(browser) == []
    assert "You have changed W2" in browser.text("[data-challenge=die] .mg-note")
    browser.click('[data-change="reset"]')
    edit(browser, ["b1", 1, -9.0])
    assert solved(browser) == ["die"]


def test_a_drag_becomes_one_change_in_the_line(browser: Browser, pages: dict[str, Path]) -> None:
    fresh(browser, pages["dead-units"])
    for value in (-1.2, -1.3, -1.4, -9.0):
        edit(browser, ["b1", 1, value])
    (found,) = read_lines(lines(browser))
    assert [list(each) for each in found.changes] == [["b1", 1, -9]]


def test_four_points_by_heart_in_the_page_and_in_python(browser: Browser, pages: dict[str, Path]) -> None:
    fresh(browser, pages["dead-units"])
    for _ in range(40):
        edit(browser, ["", "step", 100])
        if "overfit" in solved(browser):
            break
    (found,) = [each for each in read_lines(lines(browser)) if each.challenge == "overfit"]
    assert verify(found, bound("dead-units")).holds


def test_answers_are_asked_for_and_checked(browser: Browser, pages: dict[str, Path]) -> None:
    fresh(browser, pages["first-quarter"])

    def answer(challenge: str, text: str) -> str:
        browser.js(
            f"(() => {{ const f = document.querySelector('[data-challenge={challenge}] form'); "
            f"f.querySelector('input').value = {text!r}; f.requestSubmit(); }})()"
        )
        return browser.text(f"[data-challenge={challenge}] .mg-reply")

    assert answer("first-link", "") == "Type a number."
    assert "sign" in answer("first-link", "-6")
    assert "Not yet" in answer("first-link", "7")
    assert answer("first-link", "6") == ""
    answer("forwards", "54")
    answer("second-link", "36")
    answer("both-ways", "54")
    answer("predict", "2.46")
    edit(browser, ["x", 0, 3.01])
    browser.click('[data-change="reset"]')
    edit(browser, ["x", 0, -1.0])
    browser.click('[data-change="reset"]')
    edit(browser, ["", "step", 30])
    assert len(solved(browser)) == 8
    here = bound("first-quarter")
    found = read_lines(lines(browser))
    assert len(found) == 8
    assert [verify(each, here).why for each in found if not verify(each, here).holds] == []


def test_vanishing_gradients_can_be_made_and_mended(browser: Browser, pages: dict[str, Path]) -> None:
    fresh(browser, pages["vanishing"])
    edit(browser, ["w2", 0, 0.5], ["w3", 0, 0.5], ["w4", 0, 0.5], ["w5", 0, 0.5])
    assert "vanish" in solved(browser)
    edit(browser, ["", "step", 50])
    assert "stuck" in solved(browser)
    here = bound("vanishing")
    assert all(verify(each, here).holds for each in read_lines(lines(browser)))


def test_what_was_solved_is_kept_until_one_starts_over(browser: Browser, pages: dict[str, Path]) -> None:
    fresh(browser, pages["dead-units"])
    edit(browser, ["b1", 1, -9.0])
    browser.open(pages["dead-units"])
    assert solved(browser) == ["die"]
    browser.click("[data-lesson=forget]")
    assert solved(browser) == []
    browser.open(pages["dead-units"])
    assert solved(browser) == []


def test_it_shows_what_a_challenge_is_about(browser: Browser, pages: dict[str, Path]) -> None:
    fresh(browser, pages["first-quarter"])
    browser.click("[data-challenge=both-ways] .mg-task > button")
    assert browser.text(".mg-what b") == "x.grad"


def test_challenges_are_opened_and_answered_by_keys_and_have_labels(
    browser: Browser, pages: dict[str, Path]
) -> None:
    fresh(browser, pages["first-quarter"])
    browser.js("document.querySelector('[data-challenge=forwards] input').focus()")
    browser.type("54")
    browser.key("Enter")
    assert solved(browser) == ["forwards"]
    assert browser.js("document.activeElement.closest('.mg-challenge').dataset.challenge") == "nudge"
    browser.js("document.querySelector('[data-challenge=both-ways] summary').focus()")
    browser.key("Enter")
    assert browser.js("document.querySelector('[data-challenge=both-ways]').open")
    unnamed = browser.js(
        "[...document.querySelectorAll('.mg-lesson input, .mg-lesson textarea, .mg-lesson button')]"
        ".filter((e) => !(e.labels && e.labels.length) && !e.getAttribute('aria-label') && !e.textContent.trim())"
        ".length"
    )
    assert unnamed == 0
    assert "solved" in browser.text("[data-challenge=forwards] summary")


def test_a_lesson_fits_a_telephone_and_asks_for_nothing(browser: Browser, pages: dict[str, Path]) -> None:
    browser.size(390, 844)
    try:
        for page in pages.values():
            browser.open(page)
            assert browser.js("document.documentElement.scrollWidth") <= 390
            asked = [address for address in browser.requests if not address.startswith("data:")]
            assert asked == [page.resolve().as_uri()]
            assert browser.errors == []
    finally:
        browser.size(1300, 900)


def test_on_a_telephone_the_graph_covers_nothing(browser: Browser, mlp: Path) -> None:
    browser.size(390, 844)
    try:
        browser.open(mlp)
        browser.js("document.querySelector('[data-change=step]').scrollIntoView()")
        graph, panel = browser.js(
            "[document.querySelector('.mg-drawing').getBoundingClientRect().bottom, "
            "document.querySelector('.mg-change').getBoundingClientRect().top]"
        )
        assert graph <= panel
    finally:
        browser.size(1300, 900)


def test_nothing_of_a_lesson_is_run_as_text(pages: dict[str, Path]) -> None:
    for page in pages.values():
        text = page.read_text()
        assert not re.search(r"\beval\(", text)
        assert "new Function" not in text


# -- predicted changes ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def mlp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("predict") / "mlp.html"
    mg.record(examples.load("mlp")["step"], title="mlp").save(path)
    return path


def predict(browser: Browser, on: bool = True) -> None:
    browser.js(
        f"(() => {{ const b = document.querySelector('.mg-predict'); b.checked !== {json.dumps(on)} && b.click(); }})()"
    )


def foresee(browser: Browser, side: str, size: str = "") -> str:
    browser.js(
        f"(() => {{ const f = document.querySelector('.mg-foresee'); f.querySelector('[value={side}]').checked = true; "
        f"f.querySelector('.mg-setting').value = {size!r}; f.requestSubmit(); }})()"
    )
    return browser.text(".mg-foresee .mg-reply")


def loss_with(value: float) -> float:
    names = examples.load("mlp")
    names["W1"].data[0, 0] = value
    return float(mg.record(names["step"]).node("loss").value)


def test_a_change_waits_until_its_outcome_is_predicted(browser: Browser, mlp: Path) -> None:
    browser.open(mlp)
    predict(browser)
    edit(browser, ["W1", 0, 0.5])
    assert not browser.js("document.querySelector('.mg-foresee').hidden")
    assert "W1[0,0] becomes 0.5 (it is 1)" in browser.text(".mg-foresee")
    assert "loss 0.2812" in browser.text(".mg-loss")
    after = loss_with(0.5)
    side = "falls" if after < 0.2812 else "rises"
    said = foresee(browser, side, f"{after:.4f}")
    assert f"Right: it {side}, 0.2812 → {show(after)}" in said
    assert "1 of 1 directions right, 1 of 1 sizes" in said
    assert f"loss {show(after)}" in browser.text(".mg-loss")
    browser.click('[data-change="step"]')
    said = foresee(browser, "rises", "9")
    assert "No: it falls" in said
    assert "1 of 2 directions right, 1 of 2 sizes" in said
    predict(browser, False)
    browser.click('[data-change="step"]')
    assert "step 2:" in browser.text(".mg-loss")
    assert browser.js("document.querySelector('.mg-foresee').hidden")


def test_a_setting_is_predicted_by_the_loss_behind_its_update(browser: Browser, mlp: Path) -> None:
    browser.open(mlp)
    predict(browser)
    edit(browser, ["", "eta", 0.0001])
    assert "after the update" in browser.text(".mg-foresee legend")
    assert "Right: it rises, 0.166" in foresee(browser, "rises")


def test_a_predicted_change_can_be_left_and_undone(browser: Browser, mlp: Path) -> None:
    browser.open(mlp)
    predict(browser)
    edit(browser, ["W1", 0, 0.5])
    browser.click("[data-guess=leave]")
    assert browser.js("document.querySelector('.mg-foresee').hidden")
    assert "loss 0.2812 →" in browser.text(".mg-loss")
    edit(browser, ["W1", 0, 0.5])
    foresee(browser, "falls")
    browser.click('[data-change="undo"]')
    assert "loss 0.2812 →" in browser.text(".mg-loss")
    edit(browser, ["W1", 0, 0.5])
    predict(browser, False)  # what was asked happens
    assert "(was 0.2812)" in browser.text(".mg-loss")


def test_run_waits_for_an_answer(browser: Browser, mlp: Path) -> None:
    browser.open(mlp)
    predict(browser)
    browser.click('[data-change="run"]')
    browser.js("new Promise((done) => setTimeout(done, 200))")
    assert "step 0:" in browser.text(".mg-loss")
    assert browser.text('[data-change="run"]') == "Run"
    foresee(browser, "falls")
    assert "step 1:" in browser.text(".mg-loss")


def test_predictions_are_made_by_keys(browser: Browser, mlp: Path) -> None:
    browser.open(mlp)
    predict(browser)
    browser.js("document.querySelector('[data-change=step]').focus()")
    browser.key("Enter")
    assert browser.js("document.activeElement.value") == "falls"
    browser.key(" ", " ")
    browser.key("Enter")
    assert "Right" in browser.text(".mg-foresee .mg-reply")
