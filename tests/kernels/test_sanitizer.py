"""No CUDA kernel reads or writes outside of its arrays; and where one does, AddressSanitizer names the line."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.kernels.emulation import sanitized
from tests.long import first

pytestmark = pytest.mark.skipif(sanitized.missing() is not None, reason=str(sanitized.missing()))


@pytest.mark.parametrize(
    "which", first(["parity and ascending and float32", "not plain"]), ids=["once each", "all"]
)
def test_every_kernel_stays_inside_its_arrays(which: str) -> None:
    done = sanitized.run("-k", which)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "AddressSanitizer:" not in done.stderr


PLANTED = {
    "one entry too many": ("dropout", "i < size", "i <= size", "dropout and emulated", "heap"),
    "one row too many": ("matmul", "if (i >= m ||", "if (i > m ||", "cuda_source and naive", "heap"),
    "an id out of range": ("embedding", "id < count ?", "id <= count ?", "touches_nothing", "heap"),
    "shared memory": (
        "matmul",
        "tile_b[TILE][TILE]",
        "tile_b[TILE - 1][TILE]",
        "cuda_source and tiled",
        "global",
    ),
    "registers": ("matmul", "next_b[4]", "next_b[3]", "cuda_source and register_blocked", "stack"),
}
"""Source, text in it, what is put there; the tests that run it; the memory that is overrun."""


@pytest.mark.parametrize("mistake", first(PLANTED, 2))
def test_a_mistake_is_named_by_its_line(mistake: str, tmp_path: Path) -> None:
    source, right, wrong, tests, where = PLANTED[mistake]
    shutil.copytree(sanitized.ROOT / "kernels" / "minigrad_kernels", tmp_path / "minigrad_kernels")
    path = tmp_path / "minigrad_kernels" / "cuda" / f"{source}.cu"
    text = path.read_text("utf-8")
    assert text.count(right) == 1
    path.write_text(text.replace(right, wrong), "utf-8")
    done = sanitized.run("-k", tests, kernels=tmp_path)
    assert done.returncode == sanitized.FOUND, done.stdout + done.stderr
    assert f"AddressSanitizer: {where}-buffer-overflow" in done.stderr
    assert re.search(rf"SUMMARY: .*{source}\.cu:\d+ in \w+", done.stderr)
