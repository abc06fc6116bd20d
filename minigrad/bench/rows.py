"""What rows of the benchmark are made of, whatever network they train."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict
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


def products_of(samples: int, inputs: int, outputs: int, first: bool = False) -> list[Product]:
    """Return a dense layer's products in a step: x Wᵀ forward; gᵀ x and, save in the ``first`` layer, g W backward."""
    found = [Product(samples, inputs, outputs, "right"), Product(outputs, samples, inputs, "left")]
    return found if first else [*found, Product(samples, outputs, inputs)]


class Step(ABC):
    """A network in training, of which a row times one step.

    ``batch`` is the number of samples in a step, ``optimizer`` is ``sgd`` (no momentum) or ``adam``.
    """

    batch: int
    optimizer: str

    @property
    def group(self) -> str:
        """What rows are called that count by themselves; nothing for those over which means are taken."""
        return ""

    @property
    @abstractmethod
    def network(self) -> str:
        """The network as text."""

    @property
    @abstractmethod
    def parameters(self) -> int:
        """Number of weights and biases."""

    @property
    @abstractmethod
    def products(self) -> list[Product]:
        """Every matrix product of a step."""

    @property
    @abstractmethod
    def batch_bytes(self) -> int:
        """Bytes of a batch's inputs."""

    @property
    def name(self) -> str:
        """The row as text: ``784–128–10, batch 32, Adam``."""
        return f"{self.network}, batch {self.batch}, {OPTIMIZERS[self.optimizer]}"

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
        return BYTES * moves * self.parameters + self.batch_bytes

    @property
    def lasting_bytes(self) -> int:
        """Bytes of what lies in memory from step to step, and of the batch: the cache has to hold these."""
        arrays = {"sgd": 1, "adam": 3}[self.optimizer]
        return BYTES * arrays * self.parameters + self.batch_bytes

    def to_dict(self) -> dict[str, Any]:
        """The fields, for JSON."""
        return asdict(self)  # type: ignore[call-overload, no-any-return]  # those that there are are data classes
