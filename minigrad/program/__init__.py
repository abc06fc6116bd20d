"""The compiler of the training step: a step is traced once, printed as NumPy, and replayed.

A module is an idea: what a step can reach (``surroundings``), what stands for its arrays (``tracer``), what is noted
down (``trace``, ``instructions``), when that holds (``guards``), and how it is written and run (``source``).
"""

from minigrad.program.compiled import Compiled, compile
from minigrad.program.program import Program

__all__ = ["Compiled", "Program", "compile"]
