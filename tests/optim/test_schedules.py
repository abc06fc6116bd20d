"""Schedules by hand and against PyTorch; those as printed are in test_hand_table.py."""

from __future__ import annotations

import inspect
import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from minigrad.errors import ConfigError, OptimizerError
from minigrad.optim import schedules
from minigrad.optim.schedules import (
    Constant,
    Cosine,
    CosineRestarts,
    Exponential,
    ExponentialAsPrinted,
    InverseSquareRoot,
    Linear,
    MultiStep,
    OneCycle,
    PerEpoch,
    Polynomial,
    ReduceLROnPlateau,
    Schedule,
    StepAsPrinted,
    StepDecay,
    Warmup,
)

EXAMPLES: dict[type[Schedule], Callable[[], Schedule]] = {
    Constant: lambda: Constant(0.1),
    Exponential: lambda: Exponential(0.1, decay_rate=0.5, decay_steps=10),
    ExponentialAsPrinted: lambda: ExponentialAsPrinted(0.1, decay_rate=0.5, decay_steps=10),
    StepDecay: lambda: StepDecay(0.1, size=10, gamma=0.5),
    StepAsPrinted: lambda: StepAsPrinted(0.1),
    Cosine: lambda: Cosine(0.1, steps=10, floor=0.01),
    MultiStep: lambda: MultiStep(0.1, milestones=(5, 12), gamma=0.5),
    Linear: lambda: Linear(0.1, steps=10, end=0.02),
    Polynomial: lambda: Polynomial(0.1, steps=10, power=2.0, floor=0.01),
    InverseSquareRoot: lambda: InverseSquareRoot(0.1, steps=10),
    CosineRestarts: lambda: CosineRestarts(0.1, steps=10, factor=2, floor=0.01),
    OneCycle: lambda: OneCycle(0.1, steps=40),
    Warmup: lambda: Warmup(Constant(0.1), steps=10),
    PerEpoch: lambda: PerEpoch(StepDecay(0.1), steps_per_epoch=45),
    ReduceLROnPlateau: lambda: ReduceLROnPlateau(0.1),
}


def test_no_schedule_dodges_this_file() -> None:
    found = {s for _, s in inspect.getmembers(schedules, inspect.isclass) if issubclass(s, Schedule)}
    assert found - {Schedule} == set(EXAMPLES)


@pytest.mark.parametrize("kind", EXAMPLES)
def test_a_schedule_is_a_pure_function_that_prints_and_saves_itself(kind: type[Schedule]) -> None:
    schedule = EXAMPLES[kind]()
    rates = [schedule(step) for step in range(50)]
    assert [schedule(step) for step in range(50)] == rates
    assert all(type(rate) is float for rate in rates)
    assert repr(schedule).startswith(f"{kind.__name__}(")
    assert ":math:" in kind.__doc__ or ".. math::" in kind.__doc__
    schedule.observe(1.0)
    other = EXAMPLES[kind]()
    other.load_state(json.loads(json.dumps(schedule.state())))
    assert other == schedule


def test_base_has_no_rate() -> None:
    with pytest.raises(NotImplementedError):
        Schedule()(0)


def test_exponential_by_hand() -> None:
    smooth = Exponential(0.8, decay_rate=0.25, decay_steps=10)
    assert [smooth(t) for t in (0, 5, 10, 20)] == pytest.approx([0.8, 0.4, 0.2, 0.05], rel=1e-14)
    stairs = Exponential(0.8, decay_rate=0.25, decay_steps=10, staircase=True)
    assert [stairs(t) for t in (0, 9, 10, 19, 20)] == [0.8, 0.8, 0.2, 0.2, 0.05]


def test_printed_exponential_ends_at_infinity() -> None:
    assert ExponentialAsPrinted(0.1, decay_rate=0.5, decay_steps=10)(5000) == math.inf


def test_cosine_by_hand() -> None:
    cosine = Cosine(1.0, steps=6, floor=0.2)
    # 0.2 + 0.4 (1 + cos) at 0, 60, 90, 120 and 180 degrees, and after the end
    assert [cosine(t) for t in (0, 2, 3, 4, 6, 60)] == pytest.approx(
        [1.0, 0.8, 0.6, 0.4, 0.2, 0.2], rel=1e-14
    )


def test_warmup_by_hand() -> None:
    warmup = Warmup(StepDecay(0.8, size=2, gamma=0.5), steps=4)
    assert [warmup(t) for t in range(8)] == pytest.approx([0.2, 0.4, 0.6, 0.8, 0.8, 0.8, 0.4, 0.4], rel=1e-14)


def test_inverse_square_root_by_hand() -> None:
    schedule = InverseSquareRoot(0.8, steps=4)
    assert [schedule(t) for t in (0, 1, 3, 15, 63)] == pytest.approx([0.2, 0.4, 0.8, 0.4, 0.2], rel=1e-14)


def test_what_comes_after_the_end_of_a_cycle_is_its_last_rate() -> None:
    schedule = OneCycle(1.0, steps=10, div_factor=4, final_div_factor=8)
    assert [schedule(t) for t in (9, 10, 10**6)] == pytest.approx([1 / 32] * 3, rel=1e-14)


def test_a_warm_up_before_a_line_as_bert_has_it() -> None:
    schedule = Warmup(Linear(1.0, steps=4), steps=2)
    assert [schedule(t) for t in range(8)] == [0.5, 1.0, 1.0, 0.75, 0.5, 0.25, 0.0, 0.0]


def test_per_epoch_by_hand() -> None:
    schedule = PerEpoch(StepDecay(1.0, size=1, gamma=0.5), steps_per_epoch=3)
    assert [schedule(t) for t in range(7)] == [1, 1, 1, 0.5, 0.5, 0.5, 0.25]


@pytest.mark.parametrize(
    ("schedule", "twin", "settings"),
    [
        (Exponential(0.1, decay_rate=0.9, decay_steps=1), "ExponentialLR", {"gamma": 0.9}),
        (StepDecay(0.1, size=7, gamma=0.3), "StepLR", {"step_size": 7, "gamma": 0.3}),
        (Cosine(0.1, steps=30, floor=0.01), "CosineAnnealingLR", {"T_max": 30, "eta_min": 0.01}),
        (MultiStep(0.1, (3, 8, 20), gamma=0.5), "MultiStepLR", {"milestones": [3, 8, 20], "gamma": 0.5}),
        (Linear(0.1, 20, 0.04), "LinearLR", {"start_factor": 1.0, "end_factor": 0.4, "total_iters": 20}),
        (Linear(0.025, 9, 0.1), "LinearLR", {"start_factor": 0.25, "total_iters": 9}),
        (Polynomial(0.1, 25, power=2.0), "PolynomialLR", {"total_iters": 25, "power": 2.0}),
        *(
            (
                CosineRestarts(0.1, steps, factor, 0.01),
                "CosineAnnealingWarmRestarts",
                {"T_0": steps, "T_mult": factor, "eta_min": 0.01},
            )
            for steps, factor in ((7, 1), (4, 2), (1, 3))
        ),
        *(
            (
                OneCycle(0.3, steps, share, linear=linear, three_phase=three),
                "OneCycleLR",
                {
                    **{"max_lr": 0.3, "total_steps": steps, "pct_start": share, "three_phase": three},
                    **{"anneal_strategy": "linear" if linear else "cos", "cycle_momentum": False},
                },
            )
            for steps in (32, 47)
            for share in (0.3, 0.45, 0.05)
            for linear in (False, True)
            for three in (False, True)
        ),
        (
            OneCycle(0.3, 40, div_factor=10, final_div_factor=100),
            "OneCycleLR",
            {
                **{"max_lr": 0.3, "total_steps": 40, "div_factor": 10, "final_div_factor": 100},
                "cycle_momentum": False,
            },
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_equals_pytorch(schedule: Schedule, twin: str, settings: dict[str, Any]) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    opt = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    other = getattr(torch.optim.lr_scheduler, twin)(opt, **settings)
    for step in range(31):
        assert schedule(step) == pytest.approx(other.get_last_lr()[0], rel=1e-9)
        opt.step()
        other.step()


@pytest.mark.filterwarnings("ignore:MG-409")
@pytest.mark.parametrize("seed", range(5))
def test_plateau_equals_pytorch(seed: int) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    rng = np.random.default_rng(seed)
    opt = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    other = torch.optim.lr_scheduler.ReduceLROnPlateau(
        opt, factor=0.5, patience=2, threshold=0.01, min_lr=0.002, eps=0
    )
    schedule = ReduceLROnPlateau(0.1, factor=0.5, patience=2, threshold=0.01, floor=0.002)
    rates = set()
    for epoch in range(60):
        metric = float(1 / (1 + epoch) + rng.normal() * 0.05) if epoch != 4 else math.nan
        other.step(metric)
        schedule.observe(metric)
        assert schedule(epoch) == pytest.approx(opt.param_groups[0]["lr"], rel=1e-14)
        rates.add(schedule(epoch))
    assert len(rates) > 3


@pytest.mark.filterwarnings("ignore:MG-409")
def test_plateau_that_starts_with_nan_still_learns_a_best() -> None:
    schedule = ReduceLROnPlateau(0.1)
    schedule.observe(math.nan)
    schedule.observe(2.0)
    assert schedule.state() == {"rate": 0.1, "best": 2.0, "waited": 0}


def test_a_state_that_does_not_fit() -> None:
    with pytest.raises(OptimizerError) as caught:
        ReduceLROnPlateau(0.1).load_state({"rate": 0.1})
    assert caught.value.code == "MG-506"
    assert "ReduceLROnPlateau: it has rate, expected rate, best, waited" in caught.value.message
    with pytest.raises(OptimizerError, match=r"MG-506 .* it has rate, expected no keys"):
        Constant(0.1).load_state({"rate": 0.1})


@pytest.mark.parametrize(
    ("build", "told"),
    [
        (lambda: Constant(-1), "rate is -1; it must be 0 or more"),
        (lambda: Exponential(0.1, 0.0, 10), "decay_rate is 0.0; it must be above 0"),
        (lambda: ExponentialAsPrinted(0.1, 0.5, 0), "decay_steps is 0"),
        (lambda: StepDecay(0.1, size=0), "size is 0"),
        (lambda: Cosine(0.1, 0), "steps is 0; it must be 1 or more"),
        (lambda: Cosine(0.1, 10, floor=0.2), "floor is 0.2; it must be from 0 to the rate, 0.1"),
        (lambda: Warmup(0.1, 10), "then is 0.1; it must be a schedule, such as Constant(0.1)"),
        (lambda: Warmup(Constant(0.1), 0), "steps is 0"),
        (lambda: PerEpoch(0.1, 10), "schedule is 0.1; it must be a schedule"),
        (lambda: PerEpoch(Constant(0.1), 0), "steps_per_epoch is 0"),
        (lambda: ReduceLROnPlateau(0.1, factor=1.0), "factor is 1.0; it must be above 0 and below 1"),
        (lambda: ReduceLROnPlateau(0.1, patience=-1), "patience is -1"),
    ],
)
def test_settings_out_of_range(build: Callable[[], Schedule], told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        build()
    assert caught.value.code == "MG-507"
    assert told in caught.value.message
