"""Ctrl-C, SIGTERM and SIGHUP, for the command ``minigrad``: one line and the right exit status at any moment.

The package imports this first, and it imports next to nothing: the other imports take half a second, in which a signal
would end in a traceback. A command that runs gets the signal as an exception, so that it can tidy up and say how to go
on; before that, after it, and where a second signal comes, the process ends at once. Once Python takes itself apart, a
signal changes nothing any more.
"""

import atexit
import os
import signal
import sys
import time

_NUMBERS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]

_raises = False
_AGAIN = 0.01  # seconds
_sent_again = 0  # when the one that will be sent again was lost, 0 where there is none


class Stopped(KeyboardInterrupt):
    """The process was asked to end; ``code`` is the exit status that tells by which signal."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.code = 128 + number


def exit_code(stop: KeyboardInterrupt) -> int:
    """Return the exit status for an interruption; one that no signal brought counts as Ctrl-C."""
    return stop.code if isinstance(stop, Stopped) else 128 + signal.SIGINT


def is_command() -> bool:
    """Tell whether this process runs ``minigrad …`` or ``python -m minigrad …``, under MPI too."""
    program = sys.argv[0] if sys.argv else ""
    if program == "-m":  # as it stands while Python looks for the module
        return _module(sys.orig_argv) == "minigrad"
    return os.path.splitext(os.path.basename(program))[0] == "minigrad"


def _module(words: list[str]) -> str:
    """Return the module that a command line of Python names, and where that is ``mpi4py``, the one that it runs."""
    for place, word in enumerate(words[1:], 1):
        flags, m, attached = word[1:].partition("m")
        if (
            word.startswith("-")
            and m
            and (not flags or flags.isalpha())
            and not word.startswith(("-X", "-W"))
        ):
            module = attached or "".join(words[place + 1 : place + 2])
            return _module(words[place + 1 :]) if module == "mpi4py" else module
    return ""


def watch() -> None:
    """Take the signals from now on, but for those that the process was started to ignore, as ``nohup`` does."""
    for number in _NUMBERS:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _stop)
    sys.unraisablehook = _unraisable
    # at its end Python gives back what is not ignored, and one more would end it by another status
    atexit.register(_let, signal.SIG_IGN)


def renew() -> None:
    """Take those signals again that are ours, after a library in C may have taken them for itself."""
    _let(_stop)


def _let(handler: "signal._HANDLER") -> None:
    """Let this be done about those signals that are ours."""
    for number in _NUMBERS:
        if signal.getsignal(number) is _stop:
            signal.signal(number, handler)


class Raising:
    """``with Raising():`` the first signal raises ``Stopped``."""

    def __enter__(self) -> None:
        global _raises
        _raises = True

    def __exit__(self, *_: object) -> None:
        global _raises
        _raises = False


def _stop(number: int, _: object) -> None:
    global _raises, _sent_again
    if _raises:
        _raises, _sent_again = False, 0
        raise Stopped(number)
    os.write(2, b"\nInterrupted.\n")
    os._exit(128 + number)


def _unraisable(lost: "sys.UnraisableHookArgs") -> None:
    """Send the signal again where its exception was lost, in a destructor or a callback that can raise nothing."""
    if not isinstance(lost.exc_value, Stopped):
        sys.__unraisablehook__(lost)
        return
    from threading import Timer

    global _raises, _sent_again
    _raises, _sent_again = True, time.monotonic_ns()
    again = Timer(_AGAIN, _send, (lost.exc_value.code - 128, _sent_again))
    again.daemon = True
    again.start()


def _send(number: int, which: int) -> None:
    if which == _sent_again:  # none has come in between, which this one would find on its way out
        os.kill(os.getpid(), number)


if is_command():
    watch()
