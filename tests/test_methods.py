"""The methods of Tensors: an editor finds them, a type checker knows them, and what runs is the table's function."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad import methods, registry, words
from minigrad.errors import OperationError
from minigrad.ops import stub
from minigrad.ops.words import function_of

T = mg.Tensor([[1.0, 2.0, 3.0], [0.5, 0.25, 2.0]], requires_grad=True)
READY = [name for name in methods.NAMES if hasattr(T, name)]

OTHERS = {"equal"}  # which is PyTorch's: one answer

PASSES = """
import minigrad as mg

x = mg.Tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
y: mg.Tensor = x.exp().log().sin().cos().tanh().sqrt().square().abs().relu().sigmoid()
z: mg.Tensor = y.softmax(axis=0).log_softmax(dim=1).unsqueeze(0).permute(2, 1, 0).view(4).reshape(2, 2).clone()
w: mg.Tensor = z.masked_fill(z > 0, 0.0).cumsum(axis=0).argsort().pow(2).sinh().tril(1).clamp(min=0).sum(0).mean()
w.exp_()
pair = x.sort(dim=1), x.median(dim=0), x.topk(1)
numbers = x.tolist(), x.numel(), x.dim()
"""


def test_the_stub_is_current():
    written = stub.PATH.read_text(encoding="utf-8")
    if written.partition("NumPy ")[2].startswith(f"{stub.VERSION}:"):
        assert written == stub.text(), "run: python -m minigrad.ops.stub"
    declared = set(re.findall(r"^    def (\w+)\(", written, re.M))
    assert declared == set(re.findall(r"^    def (\w+)\(", stub.text(), re.M))
    assert declared >= {*methods.NAMES, *registry.methods} - {"getitem"}


@pytest.mark.parametrize(
    ("program", "error"),
    [
        (PASSES, None),
        (PASSES + "x.expp()\n", '"Tensor" has no attribute "expp"'),
        (PASSES + "x.unsqueeze()\n", "Missing positional argument"),
        (PASSES + "s: str = x.exp()\n", "Incompatible types in assignment"),
    ],
)
def test_a_type_checker_knows_the_methods(tmp_path: Path, program: str, error: str | None):
    pytest.importorskip("mypy")
    path = tmp_path / "program.py"
    path.write_text(program)
    root = Path(mg.__file__).parents[1]
    ran = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file", str(root / "pyproject.toml"), str(path)],
        capture_output=True,
        text=True,
        cwd=root,
    )
    if error is None:
        assert ran.returncode == 0, ran.stdout + ran.stderr
    else:
        assert ran.returncode == 1
        assert ran.stdout.count(" error: ") == 1, ran.stdout
        assert error in ran.stdout


def test_completion_finds_what_there_is_and_nothing_else():
    found = dir(T)
    assert {"exp", "softmax", "unsqueeze", "tolist", "sum", "argsort", "exp_", "backward", "shape"} <= set(
        found
    )
    assert set(found) & set(words.METHODS) == set()
    found = [name for name in found if not name.startswith("_")]
    assert [
        name for name in found if not hasattr(T, name) and name.removesuffix("_") not in methods.NAMES
    ] == []


@pytest.mark.parametrize(
    "name", [name for name in READY if isinstance(function_of(name), np.ufunc) and name not in OTHERS]
)
def test_a_method_is_the_function_of_its_name(name: str):
    function = function_of(name)
    t = T.detach()
    if name in ("gcd", "lcm", "ldexp", "invert") or name.startswith(("bitwise", "logical")):
        t = t > 1
    if name in ("matmul", "mm", "bmm", "mv", "vecdot"):
        t = t @ t.T
    if name in ("arccosh", "acosh"):
        t = t + 1
    if name in ("gcd", "lcm", "ldexp") or "shift" in name:
        t = t.astype("int64")
    inputs = (t,) * function.nin
    with np.errstate(all="ignore"):
        results, expected = getattr(t, name)(*inputs[1:]), function(*(x.data for x in inputs))
    for result, right in zip(results, expected, strict=True) if function.nout > 1 else [(results, expected)]:
        np.testing.assert_array_equal(result.data, right)


def test_methods_of_numpy_s_functions_take_both_libraries_words():
    assert T.count_nonzero(dim=1).data.tolist() == T.count_nonzero(axis=1).data.tolist() == [3, 3]
    assert T.isclose(other=1.0, atol=0.5).data.tolist() == [[True, False, False], [True, False, False]]
    with pytest.raises(
        OperationError, match=r"MG-606 count_nonzero has no parameter 'axes'.*Did you mean 'axis'"
    ):
        T.count_nonzero(axes=1)


def test_numpys_meaning_stays_where_pytorchs_is_another():
    assert T.max(1).data.tolist() == [3.0, 2.0]
    assert [part.data.tolist() for part in T.nonzero()] == [[0, 0, 0, 1, 1, 1], [0, 1, 2, 0, 1, 2]]
    assert T.nonzero(as_tuple=False).shape == (6, 2)
    with pytest.raises(OperationError, match=r"MG-215 repeat is NumPy's.*t\.tile\(\(2, 1, 3\)\)"):
        T.repeat(2, 1, 3)


def test_no_name_stands_twice():
    assert len(set(methods.NAMES)) == len(methods.NAMES)
    assert len(set(methods.IN_PLACE)) == len(methods.IN_PLACE)


@pytest.mark.parametrize("values", [[3.0, 1.0, 2.0, 1.0], [1.0, np.nan, 0.5], [2.0]])
def test_sorting_down_keeps_equal_entries_in_their_order(values: list[float]):
    torch = pytest.importorskip("torch")
    ours = mg.Tensor(values).argsort(descending=True).data
    theirs = torch.tensor(values).argsort(descending=True, stable=True).numpy()
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("row", [[3.0, 1.0, 2.0, 5.0], [1.0, np.nan, 0.5, 2.0], [2.0], [np.nan, np.nan]])
@pytest.mark.parametrize("name", ["median", "nanmedian"])
def test_the_lower_median_is_pytorchs(name: str, row: list[float]):
    torch = pytest.importorskip("torch")
    t, u = (
        mg.Tensor([row], dtype="float64", requires_grad=True),
        torch.tensor([row], dtype=torch.float64, requires_grad=True),
    )
    ours, theirs = getattr(t, name)(dim=1), getattr(u, name)(dim=1)
    np.testing.assert_array_equal(ours.values.data, theirs.values.detach().numpy())
    if not np.isnan(row).any():
        assert ours.indices.data.tolist() == theirs.indices.tolist()
        ours.values.sum().backward()
        theirs.values.sum().backward()
        np.testing.assert_array_equal(t.grad.data, u.grad.numpy())
