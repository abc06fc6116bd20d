from __future__ import annotations

from pathlib import Path

from tests.cli.fuzz_files import fuzz


def test_damaged_files_give_clear_errors_or_the_right_result(tmp_path: Path) -> None:
    counts, wrong = fuzz(300, tmp_path)
    assert not wrong, "\n".join(wrong[:5])
    assert sum(counts.values()) == 300
