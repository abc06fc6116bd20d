"""What is measured: the rows of the benchmark, and the work that a training step of each consists of."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from itertools import pairwise, product
from typing import Any, NamedTuple

from minigrad.errors import ConfigError

BYTES = 4  # of a float32
OPTIMIZERS = {"sgd": "SGD", "adam": "Adam"}


class Product(NamedTuple):
    """A matrix product (m, k) @ (k, n), and which of its factors is stored transposed."""

    m: int
    k: int
    n: int
    transposed: str = ""

    @property
    def flops(self) -> int:
        """Multiplications and additions: 2 m k n."""
        return 2 * self.m * self.k * self.n


@dataclass(frozen=True)
class Row:
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
    def name(self) -> str:
        """The row as text: ``784–128–10, batch 32, Adam``."""
        return f"{self.network}, batch {self.batch}, {OPTIMIZERS[self.optimizer]}"

    @property
    def is_regression(self) -> bool:
        """Whether the loss is the mean squared error: a single output has no classes to choose from."""
        return self.widths[-1] == 1

    @property
    def is_tiny(self) -> bool:
        """Whether the row is one of ``TINY``'s networks, where a step is hardly any arithmetic."""
        return self.widths in TINY_NETWORKS

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
        """Every matrix product of a step: x Wᵀ forward; gᵀ x and, save in the first layer, g W backward."""
        n = self.batch
        found = [Product(n, inputs, outputs, "right") for inputs, outputs in self.layers]
        found += [Product(outputs, n, inputs, "left") for inputs, outputs in self.layers]
        found += [Product(n, outputs, inputs) for inputs, outputs in self.layers[1:]]
        return found

    @property
    def flops(self) -> int:
        """Floating-point operations of all matrix products of a step."""
        return sum(each.flops for each in self.products)

    @property
    def bytes(self) -> int:
        """Bytes that a step has to move however well it is written, each number as seldom as can be.

        A parameter is read forward; the update reads and writes it (SGD), and both moments as well (Adam). The batch is
        read once. Gradients and activations need not lie in memory.
        """
        moves = {"sgd": 3, "adam": 7}[self.optimizer]
        return BYTES * (moves * self.parameters + self.batch * self.widths[0])

    @property
    def lasting_bytes(self) -> int:
        """Bytes of what lies in memory from step to step, and of the batch: the cache has to hold these."""
        arrays = {"sgd": 1, "adam": 3}[self.optimizer]
        return BYTES * (arrays * self.parameters + self.batch * self.widths[0])

    def to_dict(self) -> dict[str, Any]:
        """The fields, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> Row:
        """The row with these fields; undoes ``to_dict``."""
        return cls(tuple(fields["widths"]), fields["batch"], fields["optimizer"])


NETWORKS = ((784, 128, 10), (784, 128, 128, 10), (784, 512, 512, 10), (784, 1024, 1024, 10))
BATCHES = (1, 32, 128, 1024)

TINY_NETWORKS = ((2, 4, 1), (64, 32, 10))
TINY_BATCHES = (1, 16)


def _rows(networks: Iterable[tuple[int, ...]], batches: Iterable[int]) -> tuple[Row, ...]:
    return tuple(Row(*each) for each in product(networks, batches, OPTIMIZERS))


GRID = _rows(NETWORKS, BATCHES)
"""The 32 rows over which means are taken."""

TINY = _rows(TINY_NETWORKS, TINY_BATCHES)
"""Networks for exclusive or and for the digits of 8 x 8 pixels, where what surrounds the arithmetic is all."""

ALL = TINY + GRID

FEW = (
    Row(TINY_NETWORKS[0], 1, "sgd"),
    Row(NETWORKS[0], 1, "sgd"),
    Row(NETWORKS[0], 32, "adam"),
    Row(NETWORKS[0], 128, "adam"),
    Row(NETWORKS[2], 128, "adam"),
)
"""A row of each kind: hardly any arithmetic, bound by Python, a student's usual one, in between, bound by products."""

USUAL = FEW[2]
COMPILED = tuple(Row(widths, 16, "adam") for widths in TINY_NETWORKS) + tuple(
    Row(widths, 32, "adam") for widths in NETWORKS
)
"""The rows on which compilation itself is timed, one for each network, and the usual one of these."""


def chosen(
    networks: Iterable[str] | None = None,
    batches: Iterable[str] | None = None,
    optimizers: Iterable[str] | None = None,
) -> tuple[Row, ...]:
    """Return the rows of ``ALL`` with one of these networks (``784-128-10``), batches and optimizers; None means any.

    Raises ConfigError MG-802 where a name is on no row, or no row has all that was asked for.
    """
    asked: dict[str, tuple[Iterable[str] | None, Callable[[Row], str]]] = {
        "network": (networks, lambda row: row.network.replace("–", "-")),
        "batch": (batches, lambda row: str(row.batch)),
        "optimizer": (optimizers, lambda row: row.optimizer),
    }
    found = list(ALL)
    for what, (names, of) in asked.items():
        if names is None:
            continue
        wanted = {name.replace("–", "-").lower() for name in names}
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
