"""``import minigrad`` loads what networks are made of, and nothing that only some programs ask for."""

from __future__ import annotations

import subprocess
import sys

import minigrad as mg
from minigrad import ops

LATER = {f"minigrad.ops.{name}" for name in (*ops._LATER, "special", "stub")} | {"minigrad.catalogue"}
HEAVY = {
    "minigrad.unsupported",
    "scipy.special",
    "scipy.optimize",
    "scipy.linalg",
    "matplotlib",
    "PIL",
    "rich",
    "typer",
    "pandas",
    "torch",
}


def loaded(program: str) -> set[str]:
    ran = subprocess.run(
        [sys.executable, "-c", f"{program}; import sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(ran.stdout.split())


def test_the_import_loads_no_family_that_is_seldom_used():
    assert loaded("import minigrad") & (LATER | HEAVY) == set()


def test_a_step_of_training_loads_none_either():
    program = (
        "import numpy as np, minigrad as mg; x = mg.Tensor([1.0, 2.0], requires_grad=True); "
        "y = (np.sin(x) * x.exp().softmax(0)).sum() + x.reshape(2, 1).T.mean(); y.backward(); dir(x)"
    )
    assert loaded(program) & (LATER | HEAVY) == set()


def test_what_is_asked_for_is_loaded():
    seen = loaded("import numpy as np, minigrad as mg; np.argsort(mg.Tensor([2.0, 1.0]))")
    assert LATER - {"minigrad.ops.special", "minigrad.ops.stub", "minigrad.catalogue"} <= seen
    assert "scipy.special" not in seen


def test_completion_needs_no_family():
    assert "argsort" in dir(mg.Tensor)
