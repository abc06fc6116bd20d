"""What a check is made of: the registry, running a learner's function, comparing numbers, choosing a hint."""

from __future__ import annotations

import inspect
import linecache
import os
import re
import traceback
from collections.abc import Callable, Mapping
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from minigrad.answers import NotYet as NotYet
from minigrad.answers import agree, slip
from minigrad.errors import ConfigError
from minigrad.escape import cut
from minigrad.tensor import Tensor

Judgement = Callable[[Any], str | None]

_OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_EMPTY = "no answer here yet. Put yours in the place of the dots (or of None) and run the cell again."


class Verdict(int):
    """True or False as a number; a notebook shows nothing for it below what has been printed."""

    def __repr__(self) -> str:
        return str(bool(self))

    def _ipython_display_(self) -> None:
        pass


class Exercise(NamedTuple):
    """One exercise: its number, what is said when it is right, and the function that judges an answer."""

    name: str
    right: str
    judgement: Judgement

    def __call__(self, given: Any) -> Verdict:
        """Print "04.2 right: …" or "04.2 not yet: …" and return whether the answer is right; never raise."""
        hint = self.hint(given)
        print(f"{self.name} right: {self.right}" if hint is None else f"{self.name} not yet: {hint}")
        return Verdict(hint is None)

    def hint(self, given: Any) -> str | None:
        """Return what is wrong with an answer, or None where it is right."""
        if given is None or given is ...:
            return _EMPTY
        try:
            with np.errstate(all="ignore"):
                return self.judgement(given)
        except NotYet as not_yet:
            return str(not_yet)
        except Exception as error:
            return f"the check could not make sense of this answer: {_told(error)}"


_exercises: dict[str, Exercise] = {}


def answer(name: str, right: str) -> Callable[[Judgement], Judgement]:
    """Register a function as the check of exercise ``name`` ("04.2"); see the package's docstring."""

    def register(judgement: Judgement) -> Judgement:
        if not re.fullmatch(r"\d\d\.\d", name) or name in _exercises:
            raise ConfigError("MG-802", f"exercise {name!r}: a new number such as '04.2' is needed.")
        _exercises[name] = Exercise(name, right, judgement)
        return judgement

    return register


def exercise(name: str) -> Exercise:
    """Return the check of exercise ``name``: ``exercise("04.2")`` is tutorial 04, exercise 2.

    Raises:
        ConfigError: MG-930, there is no such exercise; those of the same tutorial are named.
    """
    tutorial = name.partition(".")[0]
    known = _tutorials()
    if tutorial in known:
        import_module(known[tutorial])
    if name not in _exercises:
        siblings = [known for known in sorted(_exercises) if known.startswith(f"{tutorial}.")]
        there_are = ", ".join(siblings) or f"those of the tutorials {', '.join(known)}"
        raise ConfigError("MG-930", f"there is no exercise {name!r}; there are {there_are}.")
    return _exercises[name]


def registered() -> dict[str, Exercise]:
    """Return every exercise by its number, in order."""
    for module in _tutorials().values():
        import_module(module)
    return dict(sorted(_exercises.items()))


def _tutorials() -> dict[str, str]:
    """The modules with checks, by tutorial: '04' -> 'minigrad.exercises.t04'."""
    package = __name__.rpartition(".")[0]
    found = (module.name for module in iter_modules([os.path.dirname(__file__)]))
    return {name[1:]: f"{package}.{name}" for name in sorted(found) if re.fullmatch(r"t\d\d", name)}


def call(function: Any, *args: Any, **kwargs: Any) -> Any:
    """Run the learner's function on copies of the arrays among ``args``; NotYet where it raises or returns nothing."""
    fits(function, *args, **kwargs)
    try:
        result = function(*map(_copied, args), **{name: _copied(value) for name, value in kwargs.items()})
    except NotYet:
        raise
    except KeyError as error:
        raise NotYet(f"your function raised {_told(error)}{_absent(error)}") from error
    except (Exception, SystemExit) as error:
        raise NotYet(f"your function raised {_told(error)}") from error
    if result is None or result is ... or result is NotImplemented:
        raise NotYet(
            "your function returns nothing yet. Put your answer in the place of the dots and return it."
        )
    return result


def fits(function: Any, *args: Any, **kwargs: Any) -> None:
    """NotYet where this is no function, or none that takes such arguments."""
    if not callable(function):
        raise NotYet(f"a function is wanted here, and this is {_described(function)}.")
    try:
        taken = inspect.signature(function)
    except Exception:  # a function of C's may have none to show
        return
    try:
        taken.bind(*args, **kwargs)
    except TypeError:
        given = len(args) + len(kwargs)
        raise NotYet(
            f"your function has the parameters {taken}, and is called with {given} "
            f"argument{'s' * (given != 1)}. Keep the parameters that the exercise gives it."
        ) from None


def array(given: Any) -> NDArray[np.float64]:
    """Return a learner's number, list, array or Tensor as a float64 array; NotYet where it holds no numbers."""
    if given is None or given is ...:
        raise NotYet(_EMPTY)
    if isinstance(given, (list, tuple)):
        given = [array(part) for part in given]
        if len({part.shape for part in given}) > 1:
            raise NotYet(
                f"parts of one shape are wanted here; yours have {', '.join(str(part.shape) for part in given)}."
            )
    try:
        found = np.asarray(given.numpy() if isinstance(given, Tensor) else given)
        if found.dtype.kind == "O":
            found = found.astype(np.float64)
        if found.dtype.kind in "biuf" and not isinstance(given, np.ma.MaskedArray):
            return np.array(found, dtype=np.float64)
    except Exception:  # whatever an object of another kind does when it is asked for its numbers
        pass
    raise NotYet(f"numbers are wanted here, and this is {_described(given)}.")


def number(given: Any) -> float:
    """Return a learner's answer as one number; NotYet where it is none, or several."""
    found = array(given)
    if found.size != 1:
        raise NotYet(f"one number is wanted here; yours has shape {found.shape}.")
    return float(found.reshape(()))


def parts(given: Any, count: int, told: str) -> list[Any]:
    """Return the parts of a tuple, list or array; NotYet with what is told where there are not ``count`` of them."""
    given = given.numpy() if isinstance(given, Tensor) else given
    stacked = isinstance(given, np.ndarray) and given.ndim > 1
    if not (isinstance(given, (tuple, list)) or stacked) or len(given) != count:
        raise NotYet(told)
    return list(given)


def close(given: Any, expected: Any, rtol: float = 1e-5, atol: float = 1e-7) -> bool:
    """Tell whether two answers have one shape and agree entry by entry; one number may come in any shape."""
    a, b = array(given), array(expected)
    return agree(a.reshape(b.shape) if a.size == b.size == 1 else a, b, rtol, atol, equal_nan=False)


def judge(
    given: Any,
    expected: Any,
    slips: Mapping[str, Any] | None = None,
    otherwise: str = "",
    *,
    rtol: float = 1e-5,
    atol: float = 1e-7,
) -> str | None:
    """Return None where the numbers agree, otherwise a hint.

    ``slips`` maps a hint to the numbers that the slip leads to; the first slip whose numbers were handed in speaks.
    For other numbers it is a wrong shape that is named, and then ``otherwise``.
    """
    got, wanted = array(given), array(expected)
    if close(got, wanted, rtol, atol):
        return None
    hint = slip(slips, lambda numbers: close(got, numbers, rtol, atol))
    if hint is not None:
        return hint
    if got.shape != wanted.shape:
        return f"your answer has shape {got.shape}; {wanted.shape} is wanted. {otherwise}".rstrip()
    return otherwise or (
        f"{got.item():.4g} is not it yet." if got.size == 1 else "the numbers are not right yet."
    )


def _copied(value: Any) -> Any:
    return value.copy() if isinstance(value, np.ndarray) else value


def _described(value: Any) -> str:
    kind = type(value).__name__
    if isinstance(value, type):
        return f"the class {value.__name__}"
    try:
        return "a function" if callable(value) else f"{_one_line(repr(value), 40)} ({kind})"
    except Exception:
        return f"an object of type {kind}"


def _one_line(text: str, length: int = 200) -> str:
    return cut(" ".join(text.split()), length)


def _absent(error: KeyError) -> str:
    """What a KeyError means, in words."""
    if not error.args:
        return ""
    return (
        f" That is: a dictionary was asked for {_one_line(repr(error.args[0]), 40)}, which is not in it at that "
        "point. d.get(key, 0.0) answers 0 where nothing has been put in yet."
    )


def _told(error: BaseException) -> str:
    """What was raised, and the learner's line, innermost first, where there is one."""
    message = _one_line(f"{type(error).__name__}: {str(error).rstrip('.')}".rstrip(": "), 400)
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if not frame.filename.startswith(_OURS) and "site-packages" not in frame.filename:
            line = linecache.getline(frame.filename, frame.lineno or 0).strip()
            return f"{message}, in line {frame.lineno} of its cell" + (f": {line}" if line else ".")
    return f"{message}."
