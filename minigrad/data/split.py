"""Dividing a dataset into training, validation and test parts (D0 section 3.1)."""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from minigrad.data.dataset import Dataset
from minigrad.errors import DataError

_TOLERANCE = 1e-9  # a share such as 0.29 * 100 = 28.999999999999996 is meant to be 29


class Split(NamedTuple):
    """The three parts of a dataset; together they hold each of its samples once."""

    train: Dataset
    validation: Dataset
    test: Dataset


def split(
    dataset: Dataset,
    validation: float = 0.1,
    test: float = 0.1,
    *,
    rng: np.random.Generator,
    stratify: bool = True,
) -> Split:
    """Divide a dataset at random into training, validation and test parts, as ``divide`` does.

    Args:
        dataset: what to divide.
        validation: the share of the samples for validation, above 0.
        test: the share for testing, above 0; the training part is the rest.
        rng: the generator that draws; the same state gives the same parts.
        stratify: keep the proportions of the classes. Regression targets have none and are drawn freely.

    Raises:
        DataError: MG-708, a share is impossible, or a part would get no sample or none of some class.
    """
    return Split(*divide(dataset, (1 - validation - test, validation, test), rng=rng, stratify=stratify))


def divide(
    dataset: Dataset, shares: Sequence[float], *, rng: np.random.Generator, stratify: bool = True
) -> tuple[Dataset, ...]:
    """Divide a dataset at random into parts of these shares, for instance ``(0.9, 0.1)``.

    Every sample goes to one part, where the samples keep their order. Stratified, a class of n samples gives
    each part share*n of them, rounded down or up by the method of largest remainders: no count is off by
    more than one sample, and what one class's rounding takes from a part the next ones give back.

    Raises:
        DataError: MG-708, the shares are not above 0 with the sum 1, or a part would get no sample or none of
            some class.
    """
    if len(shares) < 2 or not all(0 < share < 1 for share in shares) or abs(fsum(shares) - 1) > _TOLERANCE:
        raise DataError(
            "MG-708",
            f"shares must each lie above 0 and sum to 1; got {_list(shares)}. For two parts: "
            "train, validation = divide(dataset, (0.9, 0.1), rng=rng).",
        )
    stratify = stratify and dataset.is_classification
    groups = dataset.y if stratify else np.zeros(len(dataset), np.int64)
    present, members = np.unique(groups, return_counts=True)
    counts = _apportion(members, np.array(shares, np.float64))
    _check_counts(dataset, shares, present, members, counts, stratify)
    by_group = np.lexsort((rng.permutation(len(dataset)), groups))
    part_of = np.empty(len(dataset), np.int64)
    part_of[by_group] = np.repeat(np.tile(np.arange(len(shares)), len(present)), counts.ravel())
    return tuple(dataset.take(np.flatnonzero(part_of == part)) for part in range(len(shares)))


def _apportion(members: NDArray[np.int64], shares: NDArray[np.float64]) -> NDArray[np.int64]:
    """Whole counts (groups, parts): the rows sum to ``members``, each is within 1 of members*shares."""
    exact = members[:, None] * shares
    counts = np.floor(exact + _TOLERANCE).astype(np.int64)
    owed = np.zeros(len(shares))
    for group, left in enumerate(members - counts.sum(axis=1)):
        owed += exact[group] - counts[group]
        chosen = np.argsort(-owed, kind="stable")[:left]
        counts[group, chosen] += 1
        owed[chosen] -= 1
    return counts


def _check_counts(
    dataset: Dataset,
    shares: Sequence[float],
    present: NDArray[Any],
    members: NDArray[np.int64],
    counts: NDArray[np.int64],
    stratify: bool,
) -> None:
    empty = np.argwhere(counts == 0)
    if not len(empty):
        return
    group, part = empty[0]
    what = f"class {dataset.class_name(int(present[group]))!r}" if stratify else f"dataset {dataset.name!r}"
    fix = "Collect more, give that part a larger share, or pass stratify=False." if stratify else ""
    samples = "1 sample" if members[group] == 1 else f"{members[group]} samples"
    raise DataError(
        "MG-708",
        f"{what} has {samples}, too few for the shares {_list(shares)}: "
        f"the part of {shares[part]:g} would get none of them. {fix}".rstrip(),
    )


def _list(shares: Sequence[float]) -> str:
    return ", ".join(f"{share:g}" for share in shares)
