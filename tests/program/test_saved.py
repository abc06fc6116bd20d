"""A saved step runs where there is NumPy alone, and its numbers are the program's."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim
from minigrad.errors import ProgramError

ALONE = """
import sys
for name in ("minigrad", "minigrad_kernels", "numba", "scipy"):
    sys.modules[name] = None  # an import raises
import numpy as np
import step
data = np.load("data.npz")
np.save("losses.npy", [step.step(x, y) for x, y in zip(data["x"], data["y"])])
"""

MAKES = {
    "sgd": lambda m: optim.SGD(m, lr=0.1, momentum=0.9, weight_decay=0.01),
    "adam, a schedule, clipping": lambda m: optim.Adam(m, lr=optim.Cosine(0.01, steps=40), max_norm=0.5),
    "rmsprop": optim.RMSprop,
    "nadam": optim.NAdam,
    "lion": optim.Lion,
}


@pytest.mark.parametrize("make", MAKES)
def test_a_saved_step_runs_with_numpy_alone(make: str, tmp_path: Path):
    rng = np.random.default_rng(0)
    layers = [nn.Linear(5, 4, rng=rng), nn.ReLU(), nn.Dropout(0.3), nn.Linear(4, 3, rng=rng), nn.Tanh()]
    model = nn.Sequential(*layers, nn.LayerNorm(3)).to("float64")
    nn.seed_dropout(model, 4)
    optimizer, loss_of = MAKES[make](model), nn.CrossEntropyLoss()

    @mg.compile
    def step(x, y):
        optimizer.zero_grad()
        loss = loss_of(model(mg.Tensor(x)), y)
        loss.backward()
        optimizer.step()
        return loss

    x, y = rng.standard_normal((23, 6, 5)), rng.integers(0, 3, (23, 6))
    for k in range(3):
        step(x[k], y[k])
    step.program.save(tmp_path / "step.py")
    np.savez(tmp_path / "data.npz", x=x[3:], y=y[3:])
    subprocess.run([sys.executable, "-c", ALONE], cwd=tmp_path, env={}, check=True, timeout=60)
    expected = [step(a, b).item() for a, b in zip(x[3:], y[3:], strict=True)]
    np.testing.assert_allclose(np.load(tmp_path / "losses.npy"), expected, rtol=1e-9)


def test_what_a_step_puts_in_another_place_is_the_saved_steps_next(tmp_path: Path, monkeypatch: Any):
    hidden = mg.Tensor(np.zeros(2))

    @mg.compile
    def step(x):
        nonlocal hidden
        hidden = 0.5 * hidden + x
        return {"sum": hidden.sum(), "parts": (hidden[0], 3)}

    step(np.full(2, 4.0))
    step.program.save(tmp_path / "hidden_step.py")
    monkeypatch.syspath_prepend(str(tmp_path))
    import hidden_step

    for total in (12, 14, 15):
        assert hidden_step.step(np.full(2, 4.0)) == {"sum": total, "parts": (total / 2, 3)}


def test_a_saved_step_counts_in_place_and_refuses_ids_outside(tmp_path: Path, monkeypatch: Any):
    table, norm = nn.Embedding(3, 2), nn.BatchNorm1d(2, momentum=None)
    table.weight.data[...] = [[1, 8], [3, 2], [5, 20]]

    @mg.compile
    def step(ids):
        norm(table(ids))
        return norm.running_mean.sum()

    for _ in range(2):
        assert step(np.array([0, 1])).item() == pytest.approx(7)
    step.program.save(tmp_path / "counting_step.py")
    monkeypatch.syspath_prepend(str(tmp_path))
    import counting_step

    for mean in ((7 + 7 + 25) / 3, (7 + 7 + 25 + 25) / 4):
        assert counting_step.step(np.array([2, 2])) == pytest.approx(mean)
    for wrong in ([0, 3], [-1, 0]):
        with pytest.raises(ValueError, match=r"an id is outside 0 \.\.\. 2"):
            counting_step.step(np.array(wrong))


def test_what_a_step_writes_through_a_view_is_written_by_the_saved_step(tmp_path: Path, monkeypatch: Any):
    w = mg.Tensor(np.zeros((2, 3)))

    @mg.compile
    def step(x):
        turned, swapped, row = w.data.T, np.swapaxes(w.data, 0, 1), w.data[0]
        turned += x
        swapped += x
        row += 1
        return w.sum()

    step(np.ones((3, 2)))
    step.program.save(tmp_path / "views_step.py")
    monkeypatch.syspath_prepend(str(tmp_path))
    import views_step

    assert [views_step.step(np.ones((3, 2))) for _ in range(2)] == [30, 45]


def test_a_formula_that_is_no_list_of_numpy_functions_cannot_be_saved(tmp_path: Path):
    w = nn.module.Parameter(np.ones((2, 2)))
    optimizer = optim.Muon([w], lr=0.1)

    @mg.compile
    def step(x):
        optimizer.zero_grad()
        (w @ x).sum().backward()
        optimizer.step()

    step(np.ones((2, 2)))
    with pytest.raises(ProgramError, match="MG-638 Muon"):
        step.program.save(tmp_path / "step.py")
