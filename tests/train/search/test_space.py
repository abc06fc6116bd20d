from __future__ import annotations

import dataclasses
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigrad.errors import ConfigError
from minigrad.train.config import Config
from minigrad.train.search.plan import Plan
from minigrad.train.search.space import Choices, Range, parse, points, searchable


def test_what_can_be_written() -> None:
    space = parse(
        [
            "lr=1e-5:1e-1:log",
            "hidden = 64, 128,256",
            "momentum=0:0.99",
            "batch-size=16:256:log",
            "nesterov=true,False",
        ]
    )
    assert space == {
        "lr": Range("lr", 1e-5, 0.1, True, False),
        "hidden": Choices("hidden", (64, 128, 256)),
        "momentum": Range("momentum", 0.0, 0.99, False, False),
        "batch_size": Range("batch_size", 16, 256, True, True),
        "nesterov": Choices("nesterov", (True, False)),
    }
    assert all(type(value) is int for value in space["hidden"].ends())


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", ["no setting ''", "Searched can be: "]),
        ("lr", ["lr has no values", "NAME=LOW:HIGH:log"]),
        ("lr=", ["lr has no values"]),
        ("=1:2", ["no setting ''"]),
        ("learning_rate=1:2", ["no setting 'learning_rate'", "hidden"]),
        ("momentun=0:1", ["Did you mean momentum?"]),
        ("LR=1e-3:1", ["Did you mean lr?"]),
        ("seed=1,2,3", ["seed is not searched", "luckiest"]),
        ("data=digits,mnist", ["data is not searched"]),
        ("validation=0.1,0.2", ["validation is not searched"]),
        ("weight_decay=0:0.1:log", ["logarithmic", "begins at 0"]),
        ("lr=0.1:1e-5:log", ["Did you mean lr=1e-05:0.1?"]),
        ("lr=0.1:0.1", ["from a smaller to a larger"]),
        ("lr=1e-5:1e-1:lin", ["only :log"]),
        ("lr=1e-5:1e-1:log:5", ["only :log"]),
        ("lr=1e-5:", ["'' is no number"]),
        ("lr=a:b", ["'a' is no number"]),
        ("lr=1e-5:inf", ["no finite number"]),
        ("lr=nan,1", ["no finite number"]),
        ("lr=-1:1", ["lr is -1.0; it must be above 0"]),
        ("momentum=0:1.5", ["momentum is 1.5", "from 0 to 1"]),
        ("hidden=64.5,128", ["whole number"]),
        ("hidden=0,64", ["hidden is 0", "1 or more"]),
        ("hidden=64,64", ["64 is there twice"]),
        ("hidden=64,,128", ["'' is no number"]),
        ("optimizer=adam,sdg", ["optimizer is 'sdg'", "Did you mean sgd?"]),
        ("optimizer=a:b", ["optimizer is no number", "optimizer=A,B,C"]),
        ("nesterov=yes,no", ["nesterov is true or false", "'yes'"]),
        ("nesterov=0:1", ["nesterov is no number"]),
    ],
)
def test_a_wrong_space_is_explained(text: str, parts: list[str]) -> None:
    with pytest.raises(ConfigError, match="MG-851") as caught:
        parse([text])
    for part in (*parts, "--space"):
        assert part in str(caught.value)


def test_a_setting_is_searched_once_and_something_is() -> None:
    with pytest.raises(ConfigError, match=r"MG-851 .*lr is given twice"):
        parse(["lr=1,2", "lr=1:2"])
    with pytest.raises(ConfigError, match="MG-851 nothing to search"):
        parse([])


@given(
    st.text(max_size=30) | st.builds("{}={}".format, st.sampled_from(Config.names()), st.text(max_size=20))
)
def test_no_text_raises_anything_else(text: str) -> None:
    try:
        space = parse([text])
    except ConfigError as error:
        if error.code != "MG-851":
            raise
    else:
        assert set(space) <= set(searchable())


def test_every_setting_of_a_config_is_searched_or_said_not_to_be() -> None:
    from minigrad.train.search.space import _NOT_SEARCHED

    fields = {field.name for field in dataclasses.fields(Config)}
    assert set(searchable()) | set(_NOT_SEARCHED) == fields


def test_points_of_a_grid() -> None:
    space = parse(["lr=1e-4:1e-1:log", "hidden=64,128"])
    found = points(space, 9)  # 2 widths x 4 rates is the most that fits
    assert len(found) == 8
    rates = sorted({point["lr"] for point in found})
    assert [math.log10(rate) for rate in rates] == pytest.approx([-4, -3, -2, -1])
    assert (rates[0], rates[-1]) == (1e-4, 1e-1)
    assert {(p["lr"], p["hidden"]) for p in found} == {(r, h) for r in rates for h in (64, 128)}


def test_a_grid_of_whole_numbers_has_none_twice() -> None:
    assert [p["patience"] for p in points(parse(["patience=1:4"]), 10)] == [1, 2, 3, 4]
    assert [p["batch_size"] for p in points(parse(["batch_size=8:128:log"]), 5)] == [8, 16, 32, 64, 128]


def test_a_grid_that_is_too_large_says_how_large_it_is() -> None:
    space = parse(["lr=1e-4:1e-1:log", "momentum=0:1", "hidden=64,128,256"])
    with pytest.raises(ConfigError, match=r"MG-851 this grid has at least 12 points and there are 11 trials"):
        points(space, 11)
    assert len(points(space, 12)) == 12


@pytest.mark.parametrize(
    ("change", "code", "part"),
    [
        ({"sampler": "bayesian"}, "MG-802", "Did you mean bayes?"),
        ({"trials": 0}, "MG-802", "trials is 0"),
        ({"trials": 2.5}, "MG-802", "trials must be of type int"),
        ({"settings": {"validation": 0.0}}, "MG-803", "validation"),
        ({"settings": {"learning": 1}}, "MG-802", "unknown settings learning"),
        (
            {"space": ["momentum=0:1"]},
            "MG-851",
            "momentum: it is a setting of sgd, and the optimizer is adam",
        ),
        ({"space": ["nesterov=true,false", "optimizer=adam,gd"]}, "MG-851", "adam or gd"),
        ({"space": "lr=1,2"}, "MG-802", "space must be of type list"),
        ({"sampler": "grid", "trials": 1}, "MG-851", "at least 2 points"),
    ],
)
def test_a_wrong_plan_is_explained(change: dict, code: str, part: str) -> None:
    good = {"settings": {}, "space": ["lr=1e-3:1e-1:log"], "sampler": "random", "trials": 3}
    Plan(**good)
    with pytest.raises(ConfigError, match=code) as caught:
        Plan(**{**good, **change})
    assert part in str(caught.value)


def test_momentum_counts_for_sgd_alone() -> None:
    plan = Plan({}, ["optimizer=adam,sgd", "momentum=0.1:0.9"])
    assert plan.config_of({"optimizer": "adam", "momentum": 0.5}).momentum == 0
    assert plan.config_of({"optimizer": "sgd", "momentum": 0.5}).momentum == 0.5
