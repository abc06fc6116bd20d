"""Error types, each with a stable code such as MG-101 that ``minigrad explain MG-101`` explains.

A message says what is wrong, with names, shapes and numbers; then where; then why; then a fix to paste.
Every type derives from the built-in type that a caller would expect to catch.
"""

from __future__ import annotations

import warnings

import numpy as np

from minigrad.source import here


class MinigradError(Exception):
    """Base of every error that minigrad raises on purpose; ``code`` names its page."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code} {message}")
        self.code = code
        self.message = message

    def __reduce__(self) -> tuple[type[MinigradError], tuple[str, str]]:
        return type(self), (self.code, self.message)  # so that it comes back from another process


class ShapeError(MinigradError, ValueError):
    """Shapes that do not fit each other (MG-1xx)."""


class AxisError(ShapeError, IndexError):
    """An axis that an array does not have (MG-216)."""


class MatrixError(MinigradError, np.linalg.LinAlgError):
    """A matrix without the inverse or the factors that were asked for (MG-616, MG-617, MG-618)."""


class GradientError(MinigradError, RuntimeError):
    """A gradient that cannot be computed or would be wrong (MG-2xx)."""


class DtypeError(MinigradError, TypeError):
    """A dtype that does not fit the operation (MG-21x)."""


class DeviceError(MinigradError, RuntimeError):
    """Arrays on different devices, or a device that is not there (MG-3xx)."""


class LabelError(MinigradError, ValueError):
    """Class labels that cannot be class labels (MG-402)."""


class NonFiniteError(MinigradError, ArithmeticError):
    """A NaN or an infinity where a finite number was expected (MG-403)."""


class OptimizerError(MinigradError, RuntimeError):
    """An optimizer used in the wrong order or with nothing to do (MG-5xx)."""


class WeightsError(MinigradError, ZeroDivisionError):
    """Weights that sum to zero (MG-614)."""


class OperationError(MinigradError, TypeError):
    """A function without a gradient rule, or a rule that is wrong (MG-6xx)."""


class ProgramError(MinigradError, RuntimeError):
    """A step that cannot be compiled, or whose program does not hold any more (MG-63x, MG-64x)."""


class DataError(MinigradError, ValueError):
    """A file or an array that does not hold what it should (MG-7xx)."""


class FileError(MinigradError, OSError):
    """A file or a folder that cannot be written (MG-80x)."""


class ConfigError(MinigradError, ValueError):
    """A setting with a value that is not allowed (MG-8xx)."""


class ParallelError(MinigradError, RuntimeError):
    """Processes of one training that cannot work together (MG-85x)."""


class MinigradWarning(UserWarning):
    """Base of minigrad's warnings; each is shown once per line of the user's program."""


_warned: set[tuple[str, str, str, int]] = set()


def warn(code: str, message: str, about: object = "") -> None:
    """Warn once per code and line of the user's program, and for each file or thing that it is ``about``."""
    location = here()
    key = (code, str(about), location.filename, location.line)
    if key in _warned:
        return
    _warned.add(key)
    warnings.warn_explicit(f"{code} {message}", MinigradWarning, location.filename, location.line)
