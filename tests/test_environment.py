"""A wrong ``MINIGRAD_KERNELS`` is told in minigrad's manner, whoever meets it first."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MESSAGE = (
    "MG-802 MINIGRAD_KERNELS is 'fast'; it must be 'auto' (the default) or 'reference'. "
    "To go back to the default: unset MINIGRAD_KERNELS"
)


def run(*arguments: str, kernels: str = "fast", **environment: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(ROOT), str(ROOT / "kernels")])
    return subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, "PYTHONPATH": path, "MINIGRAD_KERNELS": kernels, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def script(tmp_path: Path) -> str:
    """The command as an installer writes it."""
    path = tmp_path / "minigrad"
    path.write_text(
        "import sys\nfrom minigrad.cli import main\nif __name__ == '__main__':\n    sys.exit(main())\n"
    )
    return str(path)


@pytest.mark.parametrize(
    "options",
    [
        ["-m", "minigrad"],
        ["-X", "utf8", "-m", "minigrad"],
        ["-mminigrad"],
        ["-Bm", "minigrad"],
        ["-sBmminigrad"],
    ],
)
def test_the_module_ends_with_one_line(options: list[str]) -> None:
    done = run(*options, "info")
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"error: {MESSAGE}\n")


def test_the_command_ends_with_one_line(script: str) -> None:
    done = run(script, "info")
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"error: {MESSAGE}\n")


def test_a_traceback_can_be_asked_for(script: str) -> None:
    done = run(script, "info", MINIGRAD_TRACEBACK="1")
    assert done.returncode == 1
    assert done.stderr.startswith("Traceback")
    assert done.stderr.endswith(f"ConfigError: {MESSAGE}\n")


@pytest.mark.parametrize("name", ["minigrad", "minigrad.nn", "minigrad.cli"])
def test_an_import_raises_an_error_with_a_code(name: str) -> None:
    program = f"""
try:
    import {name}
except ValueError as error:
    print(type(error).__module__, type(error).__name__, error.code, error, error.__suppress_context__, sep="\\n")
"""
    done = run("-c", program)
    assert done.stderr == ""
    assert done.stdout.splitlines() == ["minigrad.errors", "ConfigError", "MG-802", MESSAGE, "True"]


def test_another_package_run_as_a_module_is_no_command(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "__init__.py").write_text("import minigrad\n")
    (tmp_path / "theirs" / "__main__.py").write_text("")
    path = os.pathsep.join([str(tmp_path), str(ROOT), str(ROOT / "kernels")])
    done = run("-m", "theirs", PYTHONPATH=path)
    assert done.stderr.endswith(f"ConfigError: {MESSAGE}\n")


@pytest.mark.parametrize("kernels", ["auto", "reference"])
def test_a_right_value_is_no_error(kernels: str) -> None:
    done = run("-m", "minigrad", "--version", kernels=kernels)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("NUMBA_NUM_THREADS", value) for value in ("0", "-1", "abc", "1.5", "1e3", "9999999")),
        ("NUMBA_THREADING_LAYER", "nonsense"),
        ("MINIGRAD_MALLOC", "System"),
        ("MINIGRAD_KERNELS", ""),
    ],
)
def test_absurd_values_are_told_before_the_work(name: str, value: str) -> None:
    done = run("-m", "minigrad", "recipes", **{"kernels": "auto", name: value})
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: MG-802 {name} is {value!r}; it must be ")
    assert done.stderr.endswith(f"unset {name}\n")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("value", ["nonsense", "module://nowhere", "agg"])
def test_a_picture_in_a_file_needs_no_backend(tmp_path: Path, value: str) -> None:
    program = (
        "from minigrad.viz import plots, search\n"
        "plots.curves({'epoch': [1, 2], 'loss': [2.0, 1.0]}, 'x.png')\n"
        "search.history([1.0, 2.0], [True, True], 'y.png')\n"
        "import matplotlib.pyplot\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "kernels")]),
            "MPLBACKEND": value,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert (tmp_path / "x.png").exists()
    assert (tmp_path / "y.png").exists()
    assert done.returncode == 0 or value == "module://nowhere", done.stderr  # pyplot looks for it itself
