"""How a process joins the others, and how all of them end when one does."""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from minigrad.errors import MinigradError
from minigrad.parallel.communicator import ALONE, Communicator, is_of_all
from minigrad.parallel.mpi import connect, is_launched
from minigrad.stopping import exit_code, renew

_GRACE = (
    1.0  # seconds that rank 0 has to report an error that all ranks have, before another rank reports its own
)
_current: Communicator = ALONE


def join() -> Communicator:
    """Return this process's communicator: of its MPI job, or the single process where it belongs to none.

    Raises ParallelError MG-871 where it was started by MPI and mpi4py is missing.
    """
    global _current
    if _current is ALONE and is_launched():
        _current = connect()
        renew()  # MPICH takes SIGHUP
    return _current


@contextmanager
def joined() -> Iterator[Communicator]:
    """Join for the length of the block; an exception in it ends all processes within seconds.

    Process 0's exception leaves the block as it is, for ``ending_together`` to end the job when it has been reported.
    Another process prints its own, with the traceback, unless process 0 was faster.
    """
    communicator = join()
    try:
        yield communicator
    except BaseException as error:
        if communicator.is_root:
            raise
        time.sleep(communicator.deadline if is_of_all(error) else _GRACE)
        if isinstance(error, KeyboardInterrupt):
            lines = [
                f"\n{communicator.name} was interrupted, and ends the others.",
                *getattr(error, "__notes__", ()),
            ]
            print(*lines, sep="\n", file=sys.stderr)
            communicator.abort(exit_code(error))
        print(f"\n{communicator.name} failed, and ends the others:", file=sys.stderr)
        traceback.print_exception(error)
        communicator.abort(1)
        raise


@contextmanager
def ending_together() -> Iterator[None]:
    """Around a whole program: where this process ends with an error, all others end at once."""
    try:
        yield
    except BaseException as error:
        code = error.code if isinstance(error, SystemExit) else 1
        if _current.size == 1 or not code:
            raise
        if not isinstance(error, (SystemExit, MinigradError)):
            print(f"\n{_current.name} failed, and ends the others:", file=sys.stderr)
        if not isinstance(error, SystemExit):
            sys.excepthook(type(error), error, error.__traceback__)
        _current.abort(code if isinstance(code, int) else 1)
        raise
