"""The update alone, and softmax with cross-entropy alone, in minigrad and in PyTorch.

Two frameworks in one process disturb each other: compare the two with ``-k minigrad`` and ``-k torch``, or with
``python -m bench.compare``, which lets them take turns.
"""

from __future__ import annotations

from typing import Any

import pytest

from bench.parts import PARTS, WHOLE

PROGRAMS = [
    pytest.param(part, program, id=f"{part}, {program}")
    for part, programs in PARTS.items()
    for program in programs
    if part not in WHOLE
]


@pytest.mark.parametrize(("part", "program"), PROGRAMS)
def test_part(benchmark: Any, part: str, program: str) -> None:
    if program != "minigrad":
        pytest.importorskip("torch", reason="PyTorch is not installed")
    benchmark.group = part
    benchmark(PARTS[part][program]())
