from __future__ import annotations

import os

import pytest

from minigrad.bench.machine import clean_environment, on_processors, stamp


def test_what_tunes_a_library_by_hand_is_taken_out() -> None:
    given = {"OPENBLAS_CORETYPE": "Haswell", "OPENBLAS_L2_SIZE": "1", "OMP_NUM_THREADS": "7", "HOME": "/h"}
    kept, taken_out = clean_environment(given, 2)
    assert taken_out == ["OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"]
    assert kept["HOME"] == "/h"
    threads = [kept[name] for name in kept if name.endswith("_NUM_THREADS")]
    assert threads == ["2"] * 4
    assert "OPENBLAS_CORETYPE" not in kept


@pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity"), reason="this system keeps no process on a processor"
)
def test_processors_are_given_back() -> None:
    before = os.sched_getaffinity(0)
    with on_processors(1):
        assert len(os.sched_getaffinity(0)) == 1
    assert os.sched_getaffinity(0) == before


def test_the_stamp_names_processor_blas_and_threads() -> None:
    facts = stamp("cpu", 2)
    assert {"date", "processor", "system", "Python", "NumPy", "BLAS", "threads"} == set(facts)
    assert facts["threads"].startswith("2 ")
