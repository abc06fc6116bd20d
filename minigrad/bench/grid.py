"""What is measured: the rows of the benchmark, and the work that a training step of each consists of."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, NamedTuple

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
    """A dense ReLU network of these widths, trained with cross-entropy in float32.

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
        return sum(product.flops for product in self.products)

    @property
    def bytes(self) -> int:
        """Bytes that a step has to move outside its matrix products, were everything else fused into single passes.

        The update reads parameter and gradient and writes the parameter (SGD), or moves both moments in and out
        as well (Adam). A hidden activation is read and written once forward (bias, ReLU), and read beside its
        gradient, which is written, backward. The logits are read and their gradient is written.
        """
        update = {"sgd": 3, "adam": 7}[self.optimizer] * self.parameters
        hidden = 5 * self.batch * sum(self.widths[1:-1])
        return BYTES * (update + hidden + 2 * self.batch * self.widths[-1])

    def to_dict(self) -> dict[str, Any]:
        """The fields, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> Row:
        """The row with these fields; undoes ``to_dict``."""
        return cls(tuple(fields["widths"]), fields["batch"], fields["optimizer"])


NETWORKS = ((784, 128, 10), (784, 128, 128, 10), (784, 512, 512, 10), (784, 1024, 1024, 10))
BATCHES = (1, 32, 128, 1024)

GRID = tuple(Row(widths, batch, name) for widths in NETWORKS for batch in BATCHES for name in OPTIMIZERS)
"""All 32 rows."""

FEW = (
    Row(NETWORKS[0], 1, "sgd"),
    Row(NETWORKS[0], 32, "adam"),
    Row(NETWORKS[0], 128, "adam"),
    Row(NETWORKS[2], 128, "adam"),
)
"""A row of each kind: bound by Python, a student's usual one, in between, and bound by the matrix products."""
