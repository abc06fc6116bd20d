"""What is measured: the rows of the benchmark, and the work that a training step of each consists of."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Any

from minigrad.bench.further import FURTHER, Further
from minigrad.bench.rows import BYTES, OPTIMIZERS, Product, Step, products_of
from minigrad.errors import ConfigError


@dataclass(frozen=True)
class Row(Step):
    """A dense ReLU network of these widths, trained in float32: by cross-entropy, or with one output by squared error.

    ``batch`` is the number of samples in a step, ``optimizer`` is ``sgd`` (no momentum) or ``adam``.
    """

    widths: tuple[int, ...]
    batch: int
    optimizer: str

    @property
    def network(self) -> str:
        """The widths as text: ``784–128–10``."""
        return "–".join(map(str, self.widths))

    @property
    def is_regression(self) -> bool:
        """Whether the loss is the mean squared error: a single output has no classes to choose from."""
        return self.widths[-1] == 1

    @property
    def group(self) -> str:
        """See ``Step``: in ``TINY``'s networks a step is hardly any arithmetic."""
        return TINY_GROUP if self.widths in TINY_NETWORKS else ""

    @property
    def layers(self) -> list[tuple[int, int]]:
        """The widths in and out of each layer."""
        return list(pairwise(self.widths))

    @property
    def parameters(self) -> int:
        """Number of weights and biases."""
        return sum((inputs + 1) * outputs for inputs, outputs in self.layers)

    @property
    def products(self) -> list[Product]:
        """See ``Step``; x Wᵀ forward, gᵀ x and, save in the first layer, g W backward."""
        return [
            each
            for k, (inputs, outputs) in enumerate(self.layers)
            for each in products_of(self.batch, inputs, outputs, first=k == 0)
        ]

    @property
    def batch_bytes(self) -> int:
        """See ``Step``."""
        return BYTES * self.batch * self.widths[0]


def row_of(fields: dict[str, Any]) -> Step:
    """Return the row with these fields; undoes ``to_dict``."""
    if "kind" in fields:
        return Further(**fields)
    return Row(**{**fields, "widths": tuple(fields["widths"])})


NETWORKS = ((784, 128, 10), (784, 128, 128, 10), (784, 512, 512, 10), (784, 1024, 1024, 10))
BATCHES = (1, 32, 128, 1024)

TINY_NETWORKS = ((2, 4, 1), (64, 32, 10))
TINY_BATCHES = (1, 16)
TINY_GROUP = "tiny networks"


def _rows(networks: Iterable[tuple[int, ...]], batches: Iterable[int]) -> tuple[Row, ...]:
    return tuple(Row(*each) for each in product(networks, batches, OPTIMIZERS))


GRID = _rows(NETWORKS, BATCHES)
"""The 32 rows over which means are taken."""

TINY = _rows(TINY_NETWORKS, TINY_BATCHES)
"""Networks for exclusive or and for the digits of 8 x 8 pixels, where what surrounds the arithmetic is all."""

ALL: tuple[Step, ...] = TINY + GRID + FURTHER

FEW = (
    Row(TINY_NETWORKS[0], 1, "sgd"),
    Row(NETWORKS[0], 1, "sgd"),
    Row(NETWORKS[0], 32, "adam"),
    Row(NETWORKS[0], 128, "adam"),
    Row(NETWORKS[2], 128, "adam"),
)
"""A row of each kind: hardly any arithmetic, bound by Python, a student's usual one, in between, bound by products."""

USUAL = FEW[2]
COMPILED: tuple[Step, ...] = tuple(Row(widths, 16, "adam") for widths in TINY_NETWORKS) + tuple(
    Row(widths, 32, "adam") for widths in NETWORKS
)
"""The rows on which compilation itself is timed, one for each network, and the usual one of these."""


def as_typed(name: str) -> str:
    """Return a network's name as one types it: ``784-128-10``, ``gpt-of-4192``."""
    return name.lower().replace("–", "-").replace(" ", "-").replace(",", "")


def chosen(
    networks: Iterable[str] | None = None,
    batches: Iterable[str] | None = None,
    optimizers: Iterable[str] | None = None,
) -> tuple[Step, ...]:
    """Return the rows of ``ALL`` with one of these networks (``784-128-10``, ``lstm``), batches and optimizers; None
    means any.

    Raises ConfigError MG-802 where a name is on no row, or no row has all that was asked for.
    """
    asked: dict[str, tuple[Iterable[str] | None, Callable[[Step], str]]] = {
        "network": (networks, lambda row: as_typed(row.network)),
        "batch": (batches, lambda row: str(row.batch)),
        "optimizer": (optimizers, lambda row: row.optimizer),
    }
    found = list(ALL)
    for what, (names, of) in asked.items():
        if names is None:
            continue
        wanted = set(map(as_typed, names))
        known = list(dict.fromkeys(map(of, ALL)))
        if unknown := sorted(wanted - set(known)):
            raise ConfigError(
                "MG-802", f"no row has {what} {unknown[0]!r}. There are rows with {', '.join(known)}."
            )
        here = list(dict.fromkeys(map(of, found)))
        found = [row for row in found if of(row) in wanted]
        if not found:
            raise ConfigError(
                "MG-802",
                f"no row has {what} {' or '.join(sorted(wanted))} and what else was asked for; "
                f"those that do have {what} {', '.join(here)}.",
            )
    return tuple(found)
