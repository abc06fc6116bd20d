"""Checks of tutorial 10: learning-rate schedules."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.exercises.checking import answer, call, judge, number


@answer("10.1", right="2,000 updates are two times 1,000, and 0.1² is the hundredth that is wanted.")
def decay_rate(given: Any) -> str | None:
    """r^(2000/1000) = 0.001/0.1."""
    return judge(
        given,
        0.1,
        {
            "0.01 is the whole way; over 2,000 updates it would be applied twice.": 0.01,
            "the unit is the update: 50 epochs are 50 · 40 = 2,000 of them, and not 50.": 0.01 ** (1000 / 50),
            "the other way round: r^(2000/1000) = 0.01, so r is a root of 0.01.": 0.01**2,
            "that is the end rate; the decay is about the quotient 0.001 / 0.1.": 0.001,
            "0.001 is the rate at the end; its share of the start is 0.01, and r is the root of that.": 0.001
            ** 0.5,
            "above 1 the rate would grow.": 10.0,
            "that is the factor of one update; Exponential's factor is for every decay_steps.": 0.01
            ** (1 / 2000),
        },
        "solve 0.1 · r^(t/1000) = 0.001 for t = the number of updates in 50 epochs.",
        rtol=1e-3,
    )


@answer("10.2", right="it starts above 0, meets the peak at t = warmup and lands at 0.")
def warm_cosine(given: Any) -> str | None:
    """(t + 1)/W · peak below W; peak/2 (1 + cos(π (t - W)/(T - W))) from there on."""
    peak, warmup, total = 0.4, 10, 110
    rise = np.array([number(call(given, t, peak, warmup, total)) for t in range(warmup)])
    hint = judge(
        rise,
        peak * np.arange(1, 11) / 10,
        {
            "the first update would have the rate 0 and be lost: (t + 1)/warmup, not t/warmup.": peak
            * np.arange(10)
            / 10,
            "there is no warm-up yet: for t < warmup the rate grows linearly.": np.full(10, peak),
            "the warm-up is multiplied by a cosine: it is linear alone.": (
                peak * np.arange(1, 11) / 10 * 0.5 * (1 + np.cos(np.pi * np.arange(10) / total))
            ),
        },
        "for t < warmup it is (t + 1)/warmup · peak.",
    )
    if hint:
        return hint
    times = np.array([10, 35, 60, 85, 110])
    fall = np.array([number(call(given, int(t), peak, warmup, total)) for t in times])
    share = (times - warmup) / (total - warmup)
    return judge(
        fall,
        peak / 2 * (1 + np.cos(np.pi * share)),
        {
            "the cosine has to begin at t = warmup: put t − warmup over total − warmup into it.": (
                peak / 2 * (1 + np.cos(np.pi * times / total))
            ),
            "it begins at the right place and is too long: it has total − warmup updates to fall.": (
                peak / 2 * (1 + np.cos(np.pi * (times - warmup) / total))
            ),
            "a whole turn of the cosine goes down and up again; half a turn, π, is wanted.": (
                peak / 2 * (1 + np.cos(2 * np.pi * share))
            ),
            "the cosine runs from 1 to −1: ½(1 + cos …) runs from 1 to 0.": peak * np.cos(np.pi * share),
            "the ½ is missing: 1 + cos 0 is 2.": peak * (1 + np.cos(np.pi * share)),
            "a quarter of a turn is no soft landing; the formula is ½(1 + cos(π · share)).": peak
            * np.cos(np.pi / 2 * share),
            "that is a straight line; a cosine is wanted.": peak * (1 - share),
        },
        "the warm-up is right; then peak · ½(1 + cos(π · share)), the share running from 0 to 1.",
        atol=1e-6,
    )


@answer("10.3", right="epoch 0 is left alone, and the running rate is what gets the tenth.")
def mended(given: Any) -> str | None:
    """Lr * 0.1 if epoch and epoch % 10 == 0 else lr, on the running rate."""
    for start in (0.001, 0.5):
        rate, seen = start, []
        for epoch in range(35):
            rate = number(call(given, epoch, rate))
            seen.append(rate / start)
        epochs = np.arange(35)
        hint = judge(
            seen,
            0.1 ** (epochs // 10),
            {
                "as printed: in epoch 0 the condition epoch % 10 == 0 holds as well.": 0.1
                ** (epochs // 10 + 1),
                "lr is the rate as it is now, with all earlier tenths in it: multiply only in the epochs 10, 20, 30.": (
                    0.1 ** np.cumsum(epochs // 10)
                ),
                "the tenth comes an epoch early: epochs count from 0, so epoch 9 is the tenth with the full rate.": (
                    0.1 ** ((epochs + 1) // 10)
                ),
                "the tenth comes an epoch late: the eleventh epoch has the number 10.": 0.1
                ** ((epochs - 1).clip(0) // 10),
                "the rate falls once and then never again: every ten epochs.": np.where(
                    epochs < 10, 1.0, 0.1
                ),
                "the rate never changes.": np.ones(35),
                "0.001 is written into the function; the configured rate comes in as lr.": (
                    0.001 / start * 0.1 ** (epochs // 10)
                ),
            },
            "run it for 35 epochs on paper: factor 1 in the epochs 0–9, 0.1 in 10–19, 0.01 in 20–29.",
        )
        if hint:
            return hint
    return None
