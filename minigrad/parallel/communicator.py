"""What the processes of one training say to each other: sums of arrays, and short texts.

``Communicator`` is the single process, which talks to itself; ``mpi.py`` and ``nccl.py`` hold the other two bodies.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from minigrad.backend import Array
from minigrad.parallel.carriers import Carrier, Messages
from minigrad.parallel.waiting import DEADLINE, wait_until


class Ticket(Protocol):
    """A sum under way, from ``start_sum``."""

    def done(self) -> bool:
        """Tell whether the array holds the sum; asking also moves it on."""


class Communicator:
    """One process among ``size``, by its number ``rank`` from 0; this body is the only one there is (size 1).

    All processes make the same calls in the same order. Every wait ends after ``deadline`` seconds with
    ParallelError MG-873.
    """

    rank = 0
    size = 1
    shares_memory = False
    """Whether all processes are on one machine, so that gradients may be summed in its memory."""

    def __init__(self, deadline: float = DEADLINE) -> None:
        self.deadline = deadline

    @property
    def is_root(self) -> bool:
        """Whether this is process 0, which prints and writes files for all."""
        return self.rank == 0

    @property
    def name(self) -> str:
        """What the process is called in messages."""
        return f"rank {self.rank} of {self.size}"

    def start_sum(self, array: Array) -> Ticket:
        """Begin to replace ``array`` by the sum of all processes' arrays, entry by entry, and return at once.

        The array is contiguous, of one shape and dtype everywhere, and nobody touches it until the ticket is done. All
        processes get the same bits.
        """
        return _Done()

    def test(self, tickets: Sequence[Ticket]) -> bool:
        """Move the sums on; tell whether all of them are done."""
        return not [ticket for ticket in tickets if not ticket.done()]

    def wait(self, tickets: Sequence[Ticket], what: str) -> None:
        """Wait until all sums are done; ``what`` names them in the error where one never is."""
        wait_until(lambda: self.test(tickets), self.deadline, what, self.name)

    def sum(self, array: Array, what: str) -> Array:
        """Replace ``array`` by the sum of all processes' arrays and return it."""
        self.wait([self.start_sum(array)], what)
        return array

    def carriers(
        self, groups: Sequence[Sequence[Array]], what: str
    ) -> tuple[Sequence[Carrier], Callable[[], None]]:
        """Return, for each group, what sums arrays like these over and over; and a function that ends all of it.

        The arrays of a group are of one dtype. All processes call this together, and so they do with the function.
        ``what`` names the wait for them.
        """
        return [Messages(self, group) for group in groups], lambda: None

    def gather(self, text: str, what: str) -> list[str]:
        """Return the texts of all processes, by rank."""
        return [text]

    def share(self, text: str, what: str) -> str:
        """Return process 0's text on all of them."""
        return self.gather(text if self.is_root else "", what)[0]

    def barrier(self, what: str) -> None:
        """Wait until all processes are here."""
        self.gather("", what)

    def abort(self, code: int) -> None:
        """End all processes at once, with an exit code; the only one goes on to its own end."""


class _Done:
    def done(self) -> bool:
        return True


ALONE = Communicator()
"""The single process."""

E = TypeVar("E", bound=Exception)


def of_all(error: E) -> E:
    """Note in ``error`` that every process raises it now, so that one reports it for all; return it."""
    error.of_all = True  # type: ignore[attr-defined]
    return error


def is_of_all(error: BaseException) -> bool:
    """Tell whether every process raises ``error`` alike."""
    return getattr(error, "of_all", False)
