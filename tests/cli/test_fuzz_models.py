from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("optuna", reason="searching stands on Optuna")
pytest.importorskip("onnxruntime", reason="exports are checked in onnxruntime")

from tests.cli.fuzz_models import fuzz


@pytest.mark.filterwarnings("ignore")  # of networks that begin with damaged weights
def test_damaged_and_mixed_up_inputs_give_clear_errors_or_the_right_result(tmp_path: Path) -> None:
    counts, wrong = fuzz(25, tmp_path)
    assert not wrong, "\n".join(wrong[:5])
    assert sum(counts.values()) == 75
