from __future__ import annotations

import re

import numpy as np
import pytest

from minigrad.train.config import OPTIMIZERS, SCHEDULES
from minigrad.train.recipes import RECIPES
from tests.cli.shared import minigrad

COMMANDS = ("train", "evaluate", "predict", "sample", "recipes", "step", "bench", "explain", "info")


@pytest.mark.parametrize("command", [None, *COMMANDS])
def test_every_command_explains_itself(command: str | None) -> None:
    said = minigrad(*([command] if command else []), "--help")
    assert "Usage" in said
    assert max(map(len, said.splitlines())) <= 80
    if command is None:
        assert all(name in said for name in COMMANDS)


def test_the_help_of_train_names_every_choice() -> None:
    said = re.sub(r"[^\w-]+", " ", minigrad("train", "--help"))
    for name in (*RECIPES, *OPTIMIZERS, *SCHEDULES):
        assert name in said


def test_without_a_command_there_is_help() -> None:
    assert "Start with: minigrad train" in minigrad(code=2)


def test_a_wrong_command_is_wrong_usage() -> None:
    assert "trian" in minigrad("trian", code=2)


def test_the_version() -> None:
    assert re.fullmatch(r"minigrad \d+\.\d+\.\d+\S*\n", minigrad("--version"))


def test_recipes_lists_them_all() -> None:
    said = minigrad("recipes")
    assert max(map(len, said.splitlines())) <= 80
    for recipe in RECIPES.values():
        assert recipe.name in said
        assert recipe.document in said
    assert "step-as-printed schedule" in said


@pytest.mark.parametrize("code", ["MG-101", "mg-101", "101"])
def test_explain_shows_a_page(code: str) -> None:
    said = minigrad("explain", code)
    assert "Wrong width into a layer" in said
    assert "fc1" in said


def test_explain_lists_all_codes() -> None:
    said = minigrad("explain")
    assert len(re.findall(r"^MG-\d{3}  \S", said, re.MULTILINE)) > 40


def test_explain_names_the_nearest_codes() -> None:
    said = minigrad("explain", "MG-1O1", code=2)
    assert "MG-801" in said
    assert "MG-101" in said


def test_info_knows_the_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENBLAS_CORETYPE", raising=False)
    said = minigrad("info")
    assert f"NumPy       {np.__version__}" in said
    assert "thread" in said
    assert "float32 by default" in said
    assert "OPENBLAS_CORETYPE" not in said


def test_info_warns_of_a_kernel_chosen_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    assert "unset OPENBLAS_CORETYPE" in minigrad("info")
