"""What the processes of one training exchange: sums of arrays, and short texts.

``Communicator`` is that of a single process; ``mpi.py`` and ``nccl.py`` hold those of several.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import TypeVar

from minigrad.backend import Array
from minigrad.parallel.transport import MessageTransport, Transport, Work
from minigrad.parallel.waiting import DEADLINE, wait_until
from minigrad.renamed import renamed


class Communicator:
    """One process among ``size``, by its number ``rank`` from 0; here the only one (size 1).

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

    def start_sum(self, array: Array) -> Work:
        """Begin to replace ``array`` by the sum of all processes' arrays, entry by entry, and return at once.

        The array is contiguous, of one shape and dtype everywhere, and nobody touches it until the work is done. All
        processes get the same bits.
        """
        return _Done()

    def test(self, under_way: Sequence[Work]) -> bool:
        """Move the sums on; tell whether all of them are done."""
        return not [work for work in under_way if not work.done()]

    def wait(self, under_way: Sequence[Work], what: str) -> None:
        """Wait until all sums are done; ``what`` names them in the error where one never is."""
        wait_until(lambda: self.test(under_way), self.deadline, what, self.name)

    def sum(self, array: Array, what: str) -> Array:
        """Replace ``array`` by the sum of all processes' arrays and return it."""
        self.wait([self.start_sum(array)], what)
        return array

    def transports(
        self, groups: Sequence[Sequence[Array]], what: str
    ) -> tuple[Sequence[Transport], Callable[[], None]]:
        """Return, for each group, what sums arrays like these over and over; and a function that ends all of it.

        The arrays of a group are of one dtype. All processes call this together, and so they do with the function.
        ``what`` names the wait for them.
        """
        return [MessageTransport(self.start_sum, group) for group in groups], lambda: None

    def carriers(
        self, groups: Sequence[Sequence[Array]], what: str
    ) -> tuple[Sequence[Transport], Callable[[], None]]:
        """Deprecated: ``transports``."""
        warnings.warn("Communicator.carriers is called transports now", DeprecationWarning, stacklevel=2)
        return self.transports(groups, what)

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


__getattr__ = renamed(__name__, {"Ticket": ("minigrad.parallel.transport.Work", Work)})
