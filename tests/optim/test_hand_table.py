"""What the documents print, against ten steps worked by hand in exact arithmetic.

Every number below was derived with fractions and decimals, as the comments say; none is output of minigrad.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from minigrad import Tensor
from minigrad.optim import GD, AdamAsPrinted, penalties
from minigrad.optim.schedules import ExponentialAsPrinted, PerEpoch, StepAsPrinted

# AdamAsPrinted with eta = 1/2, beta1 = 1/2, beta2 = 3/4.
#
# Gradient g_t = t, theta_0 = 100. The mean m_t = m_{t-1}/2 + t/2 solves to m_t = t - 1 + 2^-t, which the column
# m shows as a fraction; v_t = 3 v_{t-1}/4 + t^2/4. The correction is c_t = 1 - 2^-t, and
# eta_t = sqrt(1 - (3/4)^t) / (2 c_t), so the step eta_t m_t / c_t takes m_t by c_t once and, inside eta_t, again:
# theta_1 = 100 - (1/2)(1/2)/(1/2) = 99.5
# theta_2 = 99.5 - sqrt(7/16)/(2 * 3/4) * (5/4)/(3/4) = 99.5 - 5 sqrt(7)/18 = 98.765069080259...
RISING = [
    # t, m_t, v_t, eta_t, theta_t
    (1, "1/2", "1/4", "0.50000000000000000000", "99.50000000000000000000"),
    (2, "5/4", "19/16", "0.44095855184409843175", "98.76506908025983594708"),
    (3, "17/8", "201/64", "0.43448303787844426350", "97.70989598826932845001"),
    (4, "49/16", "1627/256", "0.44095855184409843175", "96.26943138557860690629"),
    (5, "129/32", "11281/1024", "0.45074801975748774894", "94.39373801303938369296"),
    (6, "321/64", "70707/4096", "0.46052266909219074236", "92.04726536576012610096"),
    (7, "769/128", "412825/16384", "0.46909907280645973982", "89.20681507451471240079"),
    (8, "1793/256", "2287051/65536", "0.47617193900317220767", "85.85867277399436821116"),
    (9, "4097/512", "12169569/262144", "0.48180361056470873805", "81.99575811159982476732"),
    (10, "9217/1024", "62723107/1048576", "0.48619243268113609678", "77.61527360326939328732"),
]

# Gradient g_t = 1, theta_0 = 1. Now m_t = 1 - 2^-t = c_t and v_t = 1 - (3/4)^t, so the step is eta_t itself:
# theta_1 = 1 - 1/2, theta_2 = 1/2 - sqrt(7)/6 = 0.0590414481559...
# (Adam itself would step by exactly 1/2 each time, for m^ = v^ = 1: theta_t = 1 - t/2.)
CONSTANT = [
    (1, "1/2", "1/4", "0.50000000000000000000", "0.50000000000000000000"),
    (2, "3/4", "7/16", "0.44095855184409843175", "0.05904144815590156825"),
    (3, "7/8", "37/64", "0.43448303787844426350", "-0.37544158972254269525"),
    (4, "15/16", "175/256", "0.44095855184409843175", "-0.81640014156664112700"),
    (5, "31/32", "781/1024", "0.45074801975748774894", "-1.26714816132412887594"),
    (6, "63/64", "3367/4096", "0.46052266909219074236", "-1.72767083041631961830"),
    (7, "127/128", "14197/16384", "0.46909907280645973982", "-2.19676990322277935812"),
    (8, "255/256", "58975/65536", "0.47617193900317220767", "-2.67294184222595156579"),
    (9, "511/512", "242461/262144", "0.48180361056470873805", "-3.15474545279066030384"),
    (10, "1023/1024", "989527/1048576", "0.48619243268113609678", "-3.64093788547179640062"),
]
TABLES = {"rising": (RISING, 100, lambda t: t), "constant": (CONSTANT, 1, lambda t: 1)}


@pytest.mark.parametrize("table", TABLES)
def test_the_table_follows_from_the_print(table: str) -> None:
    rows, start, gradient = TABLES[table]
    m = v = Fraction(0)
    with localcontext() as context:
        context.prec = 40
        theta = Decimal(start)
        for t, m_t, v_t, eta_t, theta_t in rows:
            m = m / 2 + Fraction(gradient(t)) / 2
            v = 3 * v / 4 + Fraction(gradient(t)) ** 2 / 4
            c = 1 - Fraction(1, 2**t)
            eta = _decimal(1 - Fraction(3, 4) ** t).sqrt() / 2 / _decimal(c)
            theta -= eta * _decimal(m) / _decimal(c)
            assert (m, v) == (Fraction(m_t), Fraction(v_t))
            assert abs(eta - Decimal(eta_t)) < Decimal("1e-20")
            assert abs(theta - Decimal(theta_t)) < Decimal("1e-20")


def _decimal(fraction: Fraction) -> Decimal:
    return Decimal(fraction.numerator) / Decimal(fraction.denominator)


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("table", TABLES)
def test_adam_as_printed(table: str, fast: bool) -> None:
    rows, start, gradient = TABLES[table]
    theta = Tensor(np.array([float(start)]), requires_grad=True, name="theta")
    opt = AdamAsPrinted([theta], lr=0.5, betas=(0.5, 0.75), fast=fast)
    for t, m_t, v_t, _, theta_t in rows:
        theta.grad = Tensor(np.array([float(gradient(t))]))
        opt.step()
        state = opt.state["theta"]
        assert state["m"][0] == float(Fraction(m_t))  # all dyadic, so exact
        assert state["v"][0] == float(Fraction(v_t))
        assert theta.data[0] == pytest.approx(float(theta_t), rel=1e-14)


def test_first_step_with_the_usual_betas() -> None:
    # m_1 / (1 - 0.9) = g, so the step is eta_1 g with eta_1 = eta sqrt(0.001) / 0.1 = eta sqrt(0.1).
    theta = Tensor(np.array([0.0]), requires_grad=True)
    theta.grad = Tensor(np.array([2.0]))
    AdamAsPrinted([theta], lr=0.1).step()
    assert theta.data[0] == pytest.approx(-0.1 * float(Decimal("0.1").sqrt()) * 2, rel=1e-12)


def test_printed_exponential_schedule() -> None:
    # lr r^(T - t) with lr = 0.1, r = 0.9, T = 10; the powers of 0.9 are finite decimals.
    by_hand = [
        "0.03486784401",  # 0.1 * 0.9^10
        "0.0387420489",  # 0.1 * 0.9^9
        "0.043046721",
        "0.04782969",
        "0.0531441",
        "0.059049",
        "0.06561",
        "0.0729",
        "0.081",
        "0.09",  # step 9: 0.1 * 0.9
    ]
    schedule = ExponentialAsPrinted(0.1, decay_rate=0.9, decay_steps=10)
    assert [schedule(t) for t in range(10)] == pytest.approx([float(x) for x in by_hand], rel=1e-14)
    assert schedule(10) == 0.1
    assert schedule(11) == pytest.approx(1 / 9, rel=1e-14)  # 0.1 / 0.9: it goes on growing


def test_printed_step_schedule() -> None:
    # The running rate, 0.001 at first, times 0.1 at every epoch that 10 divides, epoch 0 included.
    by_hand = {0: "1e-4", 1: "1e-4", 9: "1e-4", 10: "1e-5", 11: "1e-5", 19: "1e-5", 20: "1e-6", 29: "1e-6"}
    by_hand |= {30: "1e-7", 40: "1e-8"}
    schedule = StepAsPrinted(0.001)
    for epoch, rate in by_hand.items():
        assert schedule(epoch) == pytest.approx(float(rate), rel=1e-14)
    assert PerEpoch(schedule, steps_per_epoch=7)(69) == schedule(9)
    assert PerEpoch(schedule, steps_per_epoch=7)(70) == schedule(10)


# Gradient descent on nothing but a penalty, from w_0 = 1. All numbers are dyadic, so they must come out exactly.
#
# L1, printed:   lam/(2m) |w|, lam = 1/2, m = 4, eta = 1: w falls by lam/(2m) = 1/16, w_t = (16 - t)/16.
# L2, printed:   lam/(2m) w^2, lam = 2, m = 4, eta = 1: w_t = (1 - lam/m) w_{t-1}, so w_t = 2^-t.
# L2, as coded:  lam w^2 / 2, lam = 1/2, eta = 1/2: w_t = (1 - 1/4) w_{t-1}, so w_t = (3/4)^t.
# ElasticNet:    lam (rho |w| + (1 - rho)/2 w^2), lam = rho = 1/2, eta = 1/8: w_t = w - (1 + w)/32, so
#                1 + w_t = (31/32) (1 + w_{t-1}) and w_t = 2 (31/32)^t - 1, which is positive to t = 10.
PENALTIES: dict[
    str, tuple[Callable[[Any], Any], float, Callable[[int], Fraction], Callable[[Fraction], Fraction]]
] = {
    "l1": (
        lambda w: penalties.l1([w], 0.5, m=4),
        1.0,
        lambda t: Fraction(16 - t, 16),
        lambda w: abs(w) / 16,
    ),
    "l2": (
        lambda w: penalties.l2([w], 2.0, m=4),
        1.0,
        lambda t: Fraction(1, 2**t),
        lambda w: w * w / 4,
    ),
    "l2_as_coded": (
        lambda w: penalties.l2_as_coded([w], 0.5),
        0.5,
        lambda t: Fraction(3, 4) ** t,
        lambda w: w * w / 4,
    ),
    "elastic_net": (
        lambda w: penalties.elastic_net([w], 0.5, rho=0.5),
        0.125,
        lambda t: 2 * Fraction(31, 32) ** t - 1,
        lambda w: w / 4 + w * w / 8,
    ),
}


@pytest.mark.parametrize("name", PENALTIES)
def test_printed_penalties(name: str) -> None:
    penalty, eta, solution, value = PENALTIES[name]
    w = Tensor(np.array([1.0]), requires_grad=True)
    opt = GD([w], lr=eta)
    for t in range(1, 11):
        opt.zero_grad()
        loss = penalty(w)
        assert loss.item() == pytest.approx(float(value(solution(t - 1))), rel=1e-15)
        loss.backward()
        opt.step()
        assert w.data[0] == pytest.approx(float(solution(t)), rel=1e-15)
