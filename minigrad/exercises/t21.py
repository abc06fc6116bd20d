"""Checks of tutorial 21: a compiler for your training step."""

from __future__ import annotations

from typing import Any

from minigrad.exercises.checking import NotYet, answer, array, call, judge

_MADE = {
    "a": ["x"],
    "b": ["a", "x"],
    "unused": ["b"],
    "c": ["a"],
    "also_unused": ["unused"],
    "d": ["c", "a"],
    "e": ["b"],
}


@answer("21.1", right="backwards, since only the lines behind it say whether a line is needed.")
def needed(given: Any) -> str | None:
    """The lines that d and e depend on."""
    hint = _same_names(call(given, _MADE, ["d"]), ["a", "c", "d"])
    return hint or _same_names(call(given, _MADE, ["d", "e"]), ["a", "b", "c", "d", "e"])


def _same_names(found: Any, right: list[str]) -> str | None:
    if isinstance(found, str) or not all(isinstance(each, str) for each in _listed(found)):
        raise NotYet("a list of names is wanted.")
    names = [each for each in _listed(found) if isinstance(each, str)]
    if names == right:
        return None
    if names == right[::-1]:
        return "these are the lines, in the order in which you found them; turn the list round."
    if "x" in names:
        return "x is given: no line makes it."
    if "unused" in names and set(right) <= set(names):
        return "'unused' is read by a line, but by one that nobody needs: that counts for nothing."
    if set(names) == set(right):
        return "these are the lines, but not in their order."
    if set(names) < set(right):
        missing = next(each for each in right if each not in names)
        return (
            f"'{missing}' is missing: what a needed line reads is needed too, and what that reads, and so on."
        )
    return f"for these results the lines are {', '.join(right[:1])}, …, {right[-1]}."


def _listed(found: Any) -> list[Any]:
    if not isinstance(found, (list, tuple)):
        raise NotYet("a list of names is wanted.")
    return list(found)


@answer("21.2", right="a buffer is there at its last line too, where it is still read.")
def peak(given: Any) -> str | None:
    """At line 2 a, b and d are there, at line 3 b, c and d."""
    lives = [(0, 2, 100), (1, 3, 10), (3, 5, 70), (2, 3, 30), (5, 6, 5)]
    hint = judge(
        call(given, lives),
        140,
        {
            "that is all of them together; not all are there at once.": 215,
            "that is the largest buffer; add up what is there beside it.": 100,
            "at its last line a buffer is still read: both ends are included.": 110,
            "that is how many are alive; their bytes are wanted.": 3,
            "that is the number of the line; the bytes at it are wanted.": 2,
        },
        "at line 2 the first (100), the second (10) and the fourth (30) are alive.",
    )
    return hint or judge(
        call(given, [(4, 4, 8)]), 8, {}, "right; but a buffer that is read by nobody lives at its own line."
    )


@answer("21.3", right="the branch and the number of the trace are both frozen in.")
def frozen(given: Any) -> str | None:
    """-6 by the replay, -3 by the function."""
    got = array(given).ravel()
    if got.size != 2:
        raise NotYet("two numbers are wanted: (by the replay, by the function itself).")
    return judge(
        got,
        [-6, -3],
        {
            "the replay keeps the branch of the trace, but the rate of the trace too.": [-15, -3],
            "the two are swapped: the replay comes first.": [-3, -6],
            "the replay does not decide anew: it does what was done for x = 3.": [-3, -3],
            "the function itself does decide: −3 is not above 0.": [-6, -15],
            "the function itself takes the branch of a negative x, whatever the rate is.": [-6, -6],
        },
        "the trace of x = 3 is one line: 2 times x.",
    )
