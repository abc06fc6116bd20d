"""Course assignments: hand out, check, grade, give feedback; ``minigrad course --help``.

This package's own names are what an assignment's source imports; tutorials/assignments/README.md says how one
is written.
"""

from minigrad.course.install import forward, kernel, method, piece, rule, unbroadcast
from minigrad.course.marking import test
from minigrad.course.testing import close, holds, moved, same, vjp
from minigrad.course.variant import varied

__all__ = [
    "close",
    "forward",
    "holds",
    "kernel",
    "method",
    "moved",
    "piece",
    "rule",
    "same",
    "test",
    "unbroadcast",
    "varied",
    "vjp",
]
