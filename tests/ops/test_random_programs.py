"""A short run of the random programs; ``python -m tests.ops.random_programs 1000`` is the long one."""

from __future__ import annotations

import random
import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import minigrad as mg
from minigrad import registry
from tests.ops import random_programs

REFUSED = {
    *(
        "dot",
        "linalg.multi_dot",
        "cross",
    ),  # of stacks of matrices, which is not matmul; of vectors in the plane
    *(
        "histogram",
        "divmod",
        "modf",
        "linalg.slogdet",
        "vander",
    ),  # counts, whole parts, signs, a column of ones
}


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**32))
def test_a_random_program_has_the_gradient_that_differences_say(seed: int):
    draw = random.Random(seed)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = random_programs.build(draw)
        error = random_programs.error_of(draw, program)
    assume(error is not None)
    assert error <= random_programs.TOLERANCE, " > ".join(program.names)


def test_a_run_uses_nearly_all_functions_of_the_table():
    count, worst, _, used, refused = random_programs.run(150, seed=5)
    assert count == 150
    assert worst <= random_programs.TOLERANCE
    assert {name for name in refused if not name.startswith("special.")} <= REFUSED
    assert len(used) > 0.6 * len(set().union(*random_programs.functions().values()))
    assert {"sin", "multiply", "sum", "matmul"} <= set(used)


def test_a_wrong_rule_is_found(monkeypatch):
    monkeypatch.setattr(registry, "operations", dict(registry.operations))
    wrong = mg.define("half_sin", lambda a: np.sin(a), "sin a", ("g / 2", lambda g: g / 2), inputs="a")
    monkeypatch.setitem(registry.functions, np.sin, wrong)
    monkeypatch.setattr(
        random_programs, "functions", lambda: {kind: [("sin", np.sin)] for kind in random_programs.KINDS}
    )
    with pytest.raises(AssertionError, match=r"program 3: sin > sin > .* is wrong by"):
        random_programs.run(1, seed=3)
