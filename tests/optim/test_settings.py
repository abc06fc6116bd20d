"""Every setting of every optimizer, schedule, penalty and clipping function, with absurd values: by introspection."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from minigrad import Tensor, optim
from minigrad.errors import ConfigError, OptimizerError
from minigrad.optim import (
    GD,
    SGD,
    AdaGrad,
    Adam,
    AdamAsPrinted,
    AdamW,
    AMSGrad,
    Constant,
    Exponential,
    ExponentialAsPrinted,
    Lion,
    Muon,
    NAdam,
    Optimizer,
    ReduceLROnPlateau,
    RMSprop,
    StepDecay,
    clip_grad_norm,
    clip_grad_value,
    penalties,
    schedules,
)
from tests.optim.test_schedules import EXAMPLES

NO_NUMBERS: list[Any] = [
    "0.1",
    "",
    None,
    [0.1],
    (),
    {},
    1j,
    True,
    object,
    math.nan,
    math.inf,
    -math.inf,
    10**400,
]
"""What no setting of numbers takes, save where None means that it is off."""

NUMBERS = [0, -1, -0.5, 1e-300, 0.5, 1, 1.5, 2, 7, 1e6, 1e300]

OPTIMIZERS = [GD, SGD, AdaGrad, RMSprop, Adam, AdamW, AdamAsPrinted, AMSGrad, NAdam, Lion, Muon]

SHARED = ("lr", "weight_decay", "max_norm", "fast", "allow_unused")
FLAGS = ("fast", "allow_unused", "nesterov", "centered")

SETTINGS: list[tuple[Callable[..., Any], str]] = [
    *((optimizer, name) for optimizer in OPTIMIZERS for name in SHARED),
    *((SGD, name) for name in ("momentum", "nesterov")),
    *((RMSprop, name) for name in ("momentum", "centered")),
    (Muon, "momentum"),
    *((optimizer, "eps") for optimizer in (AdaGrad, RMSprop, Adam, AdamW)),
    *((optimizer, "betas") for optimizer in (Adam, AdamW, AdamAsPrinted, NAdam, Lion)),
    (NAdam, "momentum_decay"),
    (RMSprop, "alpha"),
]


def weight() -> Tensor:
    w = Tensor([[1.0, -2.0]], requires_grad=True, name="w")
    w.grad = Tensor([[0.5, 0.25]])
    return w


def test_no_optimizer_dodges_this_file() -> None:
    found = {
        value for value in vars(optim).values() if inspect.isclass(value) and issubclass(value, Optimizer)
    }
    assert found - {Optimizer} == set(OPTIMIZERS)
    named = {name for optimizer in OPTIMIZERS for name in inspect.signature(optimizer).parameters}
    shared = set(inspect.signature(Optimizer).parameters)
    assert (named | shared) - {"params", "settings"} == {name for _, name in SETTINGS}


@pytest.mark.parametrize("value", NO_NUMBERS, ids=lambda value: repr(value)[:12])
@pytest.mark.parametrize(("optimizer", "name"), SETTINGS)
def test_optimizers_refuse_what_is_no_number(optimizer: Any, name: str, value: Any) -> None:
    if (name == "max_norm" and value is None) or (name in FLAGS and value is True):
        value = "yes"
    with pytest.raises(ConfigError) as caught:
        optimizer([weight()], **{name: value})
    assert caught.value.code == "MG-507"
    assert caught.value.message.startswith(f"{name} is ")


@pytest.mark.parametrize("value", NUMBERS)
@pytest.mark.parametrize(("optimizer", "name"), SETTINGS)
def test_optimizers_take_numbers_in_range_and_no_others(optimizer: Any, name: str, value: float) -> None:
    given = (value, 0.9) if name == "betas" else value
    fits = {
        "lr": value >= 0,
        "weight_decay": value >= 0,
        "eps": value >= 0,
        "momentum_decay": value >= 0,
        "max_norm": value > 0,
        **dict.fromkeys(FLAGS, False),
    }.get(name, 0 <= value < 1)
    if fits:
        optimizer([weight()], **{name: given})
    else:
        with pytest.raises(ConfigError, match=f"MG-507 {name} is "):
            optimizer([weight()], **{name: given})


@pytest.mark.parametrize(
    "value", [np.float32(0.5), np.float64(0.5), Fraction(1, 2), np.array(0.5), Tensor(0.5)]
)
def test_numbers_of_other_libraries_are_numbers(value: Any) -> None:
    opt = SGD([weight()], lr=value, momentum=value, max_norm=value)
    assert (opt.lr, opt.momentum, opt.max_norm) == (0.5, 0.5, 0.5)
    assert type(opt.lr) is float
    assert Constant(value)(0) == 0.5


def test_text_that_holds_a_number_is_told_so() -> None:
    with pytest.raises(
        ConfigError, match=r"lr is '0\.1'; it must be a finite number.*Write 0\.1, without quotes"
    ):
        SGD([weight()], lr="0.1")
    with pytest.raises(ConfigError, match=r"lr is <class .*that was built"):
        SGD([weight()], lr=Constant)


@pytest.mark.parametrize("value", [*NO_NUMBERS, -1.0], ids=lambda value: repr(value)[:12])
def test_a_rate_that_is_set_later_is_checked_too(value: Any) -> None:
    opt = SGD([weight()], lr=0.5)
    with pytest.raises(ConfigError, match="MG-507 lr is "):
        opt.lr = value
    assert opt.rate == 0.5


@pytest.mark.parametrize("value", [*NO_NUMBERS, -1.0], ids=lambda value: repr(value)[:12])
def test_a_rate_that_a_schedule_gives_is_checked_before_anything_changes(value: Any) -> None:
    w = weight()
    opt = SGD([w], lr=lambda t: value)
    if value is object:
        return
    with pytest.raises(ConfigError, match=r"MG-507 the rate that .* gives after 0 steps is "):
        opt.step()
    assert opt.t == 0
    assert w.numpy().tolist() == [[1.0, -2.0]]


def test_the_printed_exponential_ends_where_the_rate_is_infinite() -> None:
    opt = SGD([weight()], lr=ExponentialAsPrinted(0.1, decay_rate=0.5, decay_steps=10))
    opt.t = 5000
    with pytest.raises(ConfigError, match=r"ExponentialAsPrinted\(.*after 5000 steps is inf"):
        opt.step()


# -- schedules ----------------------------------------------------------------------------------------------

ARGUMENTS = [
    (kind, name) for kind in EXAMPLES for name, parameter in inspect.signature(kind).parameters.items()
]
STEPS = [0, 1, 2, 9, 10, 11, 999, 10**6, 10**18, 10**400, np.int64(3), 2.5]


def settings_of(kind: type[schedules.Schedule]) -> dict[str, Any]:
    example = EXAMPLES[kind]()
    return {name: getattr(example, name) for name in inspect.signature(kind).parameters}


@pytest.mark.parametrize("value", NO_NUMBERS, ids=lambda value: repr(value)[:12])
@pytest.mark.parametrize(("kind", "name"), ARGUMENTS)
def test_schedules_refuse_what_is_no_number(kind: Any, name: str, value: Any) -> None:
    if name in ("staircase", "linear", "three_phase") and value is True:
        value = 1
    with pytest.raises(ConfigError) as caught:
        kind(**settings_of(kind) | {name: value})
    assert caught.value.code == "MG-507"
    assert caught.value.message.startswith(f"{name} is ")


@pytest.mark.parametrize("value", NUMBERS)
@pytest.mark.parametrize(("kind", "name"), ARGUMENTS)
def test_schedules_refuse_a_number_or_give_finite_rates(kind: Any, name: str, value: float) -> None:
    settings = settings_of(kind) | {name: value}
    schedule, refusal = outcome(lambda: kind(**settings))
    if refusal:
        assert "must be" in refusal
        assert (
            refusal.startswith(f"{name} is ") or name == "rate"
        )  # too low for the floor, which is named then
        return
    grows = kind is ExponentialAsPrinted or max(settings.get("gamma", 0), settings.get("decay_rate", 0)) > 1
    for step in STEPS:
        found, refusal = outcome(lambda step=step: schedule(step))
        if refusal:
            assert refusal.startswith(("gamma is", "decay_rate is"))
            assert grows
            continue
        assert type(found) is float
        assert found >= 0
        highest = getattr(schedule, "rate", 0.1)
        assert grows or getattr(schedule, "floor", 0.0) <= found <= max(
            highest, getattr(schedule, "end", 0.0)
        )


def outcome(call: Callable[[], Any]) -> tuple[Any, str]:
    try:
        return call(), ""
    except ConfigError as error:
        return None, error.message


@pytest.mark.parametrize("step", [-1, -100, math.nan, math.inf, "3", None, True, [1]])
@pytest.mark.parametrize("kind", EXAMPLES)
def test_schedules_refuse_a_step_that_is_none(kind: Any, step: Any) -> None:
    with pytest.raises(ConfigError, match="MG-507 step is "):
        EXAMPLES[kind]()(step)


@pytest.mark.parametrize("kind", [Exponential, StepDecay])
def test_a_factor_above_1_is_named_where_the_rate_has_become_infinite(kind: Any) -> None:
    schedule = kind(0.1, 2.0, 1) if kind is Exponential else kind(0.1, size=1, gamma=2.0)
    assert schedule(3) == pytest.approx(0.8)
    with pytest.raises(
        ConfigError, match=r"(gamma|decay_rate) is 2\.0; .* after 5000 steps the rate is infinite"
    ):
        schedule(5000)


# -- the plateau --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("threshold", [0.0, 0.01, 0.5])
@pytest.mark.parametrize("start", [-100.0, -1.0, -1e-3, 0.0, 1e-3, 1.0, 100.0])
def test_a_worsening_is_never_progress_and_an_improvement_beyond_the_threshold_always_is(
    start: float, threshold: float
) -> None:
    step = max(threshold * abs(start), 1e-12)
    for better in (1.5 * step, 100 * step):
        schedule = ReduceLROnPlateau(0.1, threshold=threshold)
        schedule.observe(start)
        schedule.observe(start - better)
        assert schedule.state()["best"] == start - better
    for worse in (
        start,
        start + 1e-9,
        start + 0.5 * step,
        start + 100 * step,
        start - 0.5 * threshold * abs(start),
    ):
        schedule = ReduceLROnPlateau(0.1, patience=0, factor=0.5, threshold=threshold)
        schedule.observe(start)
        schedule.observe(worse)
        assert schedule.state() == {"rate": 0.05, "best": start, "waited": 0}


@pytest.mark.filterwarnings("ignore:MG-409")
def test_no_run_of_metrics_raises_the_rate_or_leaves_its_bounds() -> None:
    rng = np.random.default_rng(0)
    odd = [math.nan, math.inf, -math.inf, 0.0, -0.0, 1e308, -1e308, -1.0, 1.0, 10**400]
    for _ in range(100):
        rate = float(rng.uniform(0, 1))
        schedule = ReduceLROnPlateau(
            rate, factor=0.3, patience=int(rng.integers(3)), floor=float(rng.uniform(0, rate))
        )
        before = schedule(0)
        for _ in range(40):
            schedule.observe(odd[rng.integers(len(odd))] if rng.random() < 0.5 else float(rng.normal()))
            assert schedule.floor <= schedule(0) <= before
            before = schedule(0)
            assert schedule.best is None or math.isfinite(schedule.best)


@pytest.mark.parametrize("metric", [math.nan, math.inf, -math.inf])
def test_a_metric_that_is_not_finite_counts_as_no_improvement_and_is_told(metric: float) -> None:
    schedule = ReduceLROnPlateau(0.1, patience=1, factor=0.5)
    schedule.observe(-2.0)
    with pytest.warns(UserWarning, match=f"MG-409 ReduceLROnPlateau was given {metric} as the metric"):
        exec(
            compile(f"schedule.observe({metric!r})", f"<{metric}>", "exec"),
            {"schedule": schedule, "nan": math.nan, "inf": math.inf},
        )
    assert schedule.state() == {"rate": 0.1, "best": -2.0, "waited": 1}
    schedule.observe(-3.0)
    assert schedule.state() == {"rate": 0.1, "best": -3.0, "waited": 0}


@pytest.mark.parametrize("metric", ["0.5", None, [1.0, 2.0], True, object(), Tensor([1.0, 2.0])])
def test_a_metric_that_is_no_number(metric: Any) -> None:
    schedule = ReduceLROnPlateau(0.1)
    with pytest.raises(ConfigError, match="MG-507 metric is "):
        schedule.observe(metric)
    assert schedule.state() == {"rate": 0.1, "best": None, "waited": 0}
    schedule.observe(Tensor(0.5))
    assert schedule.best == 0.5


@pytest.mark.parametrize("floor", [0.2, -0.1, math.nan])
def test_a_floor_lies_between_0_and_the_rate(floor: float) -> None:
    with pytest.raises(ConfigError, match="MG-507 floor is "):
        ReduceLROnPlateau(0.1, floor=floor)


@pytest.mark.parametrize(
    "change",
    [{"rate": math.nan}, {"rate": "x"}, {"best": math.nan}, {"best": "x"}, {"waited": -1}, {"waited": 0.5}],
)
def test_a_saved_plateau_is_taken_up_whole_or_not_at_all(change: dict[str, Any]) -> None:
    schedule = ReduceLROnPlateau(0.1)
    with pytest.raises(OptimizerError, match="MG-506"):
        schedule.load_state({"rate": 0.05, "best": 1.0, "waited": 2} | change)
    assert schedule.state() == {"rate": 0.1, "best": None, "waited": 0}
    schedule.load_state({"rate": 0.01, "best": -1.0, "waited": 2})
    assert schedule.rate == 0.01


# -- penalties and clipping ---------------------------------------------------------------------------------

W = [np.array([1.0, -2.0])]
CALLS: dict[str, tuple[Callable[..., Any], Callable[[float], bool]]] = {
    "l1 lam": (lambda v: penalties.l1(W, v), lambda v: v >= 0),
    "l1 m": (lambda v: penalties.l1(W, 0.1, v), lambda v: v >= 1 and v == int(v) and v < 2**53),
    "l2 lam": (lambda v: penalties.l2(W, v), lambda v: v >= 0),
    "l2 m": (lambda v: penalties.l2(W, 0.1, v), lambda v: v >= 1 and v == int(v) and v < 2**53),
    "l2_as_coded lam": (lambda v: penalties.l2_as_coded(W, v), lambda v: v >= 0),
    "elastic_net lam": (lambda v: penalties.elastic_net(W, v), lambda v: v >= 0),
    "elastic_net rho": (lambda v: penalties.elastic_net(W, 0.1, v), lambda v: 0 <= v <= 1),
    "clip_grad_norm max_norm": (lambda v: clip_grad_norm([weight()], v), lambda v: v > 0),
    "clip_grad_value limit": (lambda v: clip_grad_value([weight()], v), lambda v: v > 0),
}


@pytest.mark.parametrize("value", [*NO_NUMBERS, *NUMBERS], ids=lambda value: repr(value)[:12])
@pytest.mark.parametrize("call", CALLS)
def test_penalties_and_clipping(call: str, value: Any) -> None:
    function, fits = CALLS[call]
    if value in NUMBERS and value is not True and fits(value):
        with np.errstate(all="ignore"):
            function(value)
        return
    with pytest.raises(ConfigError, match=f"MG-507 {call.split()[1]} is "):
        function(value)


@pytest.mark.parametrize("weights", [[], (), {"w": W[0]}, [1.0], [None], W[0], 3, None])
def test_the_weights_of_a_penalty_are_a_list(weights: Any) -> None:
    with pytest.raises(ConfigError, match="MG-507 weights is "):
        penalties.l1(weights, 0.1)
