from __future__ import annotations

import re
import sys
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from minigrad.errors import ConfigError, ParallelError
from minigrad.parallel import ALONE, join
from minigrad.parallel.launching import find_mpiexec, launch_command, launch_environment
from minigrad.parallel.mpi import connect
from minigrad.parallel.waiting import deadline
from tests.cli.shared import minigrad
from tests.parallel.launched import needs_mpi, on


def test_the_single_process_talks_to_itself() -> None:
    array = np.array([1.5, 2.5])
    assert ALONE.sum(array, "a sum") is array
    assert array.tolist() == [1.5, 2.5]
    assert ALONE.gather("me", "texts") == ["me"]
    assert ALONE.share("me", "a text") == "me"
    assert ALONE.is_root
    assert ALONE.name == "rank 0 of 1"
    ALONE.barrier("nobody")


def test_a_process_that_nobody_launched_is_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PMI_SIZE", "PMIX_RANK", "OMPI_COMM_WORLD_SIZE", "MPI_LOCALNRANKS"):
        monkeypatch.delenv(name, raising=False)
    with mock.patch.dict(sys.modules):
        sys.modules.pop("mpi4py.MPI", None)
        assert join() is ALONE


def test_without_mpi4py_the_error_says_how_to_get_it() -> None:
    with (
        mock.patch.dict(sys.modules, {"mpi4py": None}),
        pytest.raises(ParallelError, match=r"MG-871 .*pip install 'minigrad-engine\[mpi\]'"),
    ):
        connect()


def test_without_mpiexec_launch_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ParallelError, match=r"MG-871 .*there is no mpiexec"):
        find_mpiexec()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-n", "0", "train"], "MG-802 -n is 0"),
        (["-n", "2", "evaluate", "RUN"], "MG-802 launch starts a training, not 'evaluate'"),
        (["-n", "2", "--threads", "-3", "train"], "MG-802 threads is -3"),
        (["-n", "2", "--deadline", "0", "train"], "MG-802 deadline is 0"),
        (["-n", "3", "--staleness", "0", "train"], "MG-802 staleness is 0"),
    ],
)
@needs_mpi
def test_a_wrong_launch_is_refused(arguments: list[str], message: str) -> None:
    assert message in " ".join(minigrad("launch", *arguments, code=2).split())


def test_the_cores_are_divided_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    assert launch_environment(3)["OPENBLAS_NUM_THREADS"] == "2"
    assert launch_environment(3)["OMP_NUM_THREADS"] == "5"
    assert launch_environment(3, threads=4)["OMP_NUM_THREADS"] == "4"
    assert launch_environment(16)["OPENBLAS_NUM_THREADS"] == "1"


@needs_mpi
def test_what_comes_after_train_is_trains() -> None:
    command = launch_command(4, ["train", "--epochs", "3", "-q"])
    assert command[1:3] == ["-n", "4"]
    assert command[-9:] == [sys.executable, "-m", "mpi4py", "-m", "minigrad", "train", "--epochs", "3", "-q"]


@pytest.mark.parametrize("wrong", ["0", "-1", "soon", "nan", "inf"])
def test_a_deadline_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    monkeypatch.setenv("MINIGRAD_DEADLINE", wrong)
    with pytest.raises(ConfigError, match="MG-802 MINIGRAD_DEADLINE is"):
        deadline()
    monkeypatch.setenv("MINIGRAD_DEADLINE", "2.5")
    assert deadline() == 2.5


@needs_mpi
def test_arrays_on_gpus_are_summed_by_nccl_or_through_the_host(tmp_path: Path) -> None:
    """With stand-ins for CuPy and NCCL: which way is taken, and that every wait is waited for. Not on a GPU."""
    ended = on(2, "tests.parallel.on_standin_gpus", cwd=tmp_path)
    assert ended.code == 0, ended.err
    assert ended.out.split("\n") == ["NCCL 2", "staged 2", "staged 2", ""]


@needs_mpi
def test_texts_and_sums_go_round(tmp_path: Path) -> None:
    program = tmp_path / "texts.py"
    program.write_text(
        "from minigrad.parallel import join\n"
        "import numpy as np\n"
        "c = join()\n"
        "assert c.gather('é' * c.rank, 'x') == ['é' * r for r in range(c.size)]\n"
        "assert c.share(f'from {c.rank}', 'x') == 'from 0'\n"
        "a = c.sum(np.full(100_000, c.rank + 0.5), 'x')\n"
        "assert (a == sum(r + 0.5 for r in range(c.size))).all()\n"
        "c.barrier('x')\n"
        "print(c.name)\n"
    )
    ended = on(3, "texts", cwd=tmp_path)
    assert ended.code == 0, ended.err
    assert sorted(re.findall(r"rank \d of 3", ended.out)) == ["rank 0 of 3", "rank 1 of 3", "rank 2 of 3"]
