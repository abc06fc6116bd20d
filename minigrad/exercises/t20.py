"""Checks of tutorial 20: searching for the learning rate."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.exercises.checking import answer, array, call, close, judge


@answer("20.1", right="a tenth if drawn evenly, three decades of four in the logarithm.")
def shares(given: Any) -> str | None:
    """(1e-2 - 1e-5)/(1e-1 - 1e-5), and 3/4."""
    even, log = (1e-2 - 1e-5) / (1e-1 - 1e-5), 3 / 4
    return judge(
        given,
        [even, log],
        {
            "the two are swapped.": [log, even],
            "those are the shares above 0.01.": [1 - even, 1 - log],
            "the first is right; in the logarithm there are four decades, and three of them lie below 0.01.": [
                even,
                even,
            ],
            "the second is right; drawn evenly, the share is a length divided by a length.": [log, log],
            "below 0.01 there are three of the four decades, not two of them.": [even, 0.5],
            "shares from 0 to 1, not percentages.": [100 * even, 100 * log],
        },
        "a share is a length divided by the whole length: of the rates, or of their logarithms.",
        rtol=2e-3,
    )


@answer("20.2", right="equal steps of u are equal factors of the rate.")
def draw(given: Any) -> str | None:
    """low (high/low)^u at a few u."""
    low, high, us = 1e-4, 0.5, np.array([0.0, 0.25, 0.5, 0.8, 1.0])
    got = [array(call(given, low, high, float(u))) for u in us]
    linear = low + (high - low) * us
    return judge(
        got,
        low * (high / low) ** us,
        {
            "that is even in the rate itself, not in its logarithm.": linear,
            "that runs from high down to low: u = 0 has to give low.": high * (low / high) ** us,
            "that is the logarithm of the rate: raise the base to it.": np.log(low) + np.log(high / low) * us,
            "a logarithm to base 10 has to be undone with 10**, and the natural one with exp.": np.exp(
                np.log10(low) + np.log10(high / low) * us
            ),
            "low and high go into a logarithm first, 10**low is about 1.": 10.0**linear,
        },
        "for low = 0.0001 and high = 0.5 the middle, u = 0.5, is √(low · high) = 0.00707.",
    )


@answer("20.3", right="chosen by the validation loss, reported with the test loss of that one trial.")
def choose(given: Any) -> str | None:
    """The smallest validation loss that is a number, and its test loss; with a NaN in front and one behind."""
    trials = np.array(
        [[np.nan, np.nan], [0.40, 0.31], [0.25, 0.38], [0.30, 0.27], [np.nan, np.nan], [0.90, 0.85]]
    )
    got = array(call(given, trials))
    if got.shape != (2,):
        return "return two things: the number of the row, and the loss that you report."
    row, reported = got
    if np.isnan(reported) or close(row, 0) or close(row, 4):
        return "that trial diverged: a NaN is smaller than nothing, but argmin takes it. np.nanargmin passes over it."
    if close(row, 3):
        return "that is the lowest test loss: chosen so, the test data flatter it. Choose by the validation loss."
    return judge(
        [row, reported],
        [2, 0.38],
        {
            "the right trial; but its validation loss flatters it, since it was chosen by that.": [2, 0.25],
            "the right trial; but the loss that is reported belongs to another one.": [2, 0.27],
            "that row comes from counting only the trials that did not diverge.": [1, 0.38],
        },
        "the validation losses are NaN, 0.40, 0.25, 0.30, NaN, 0.90: row 2, and its test loss.",
    )
