from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from minigrad.errors import DataError
from minigrad.files import atomic_folder, atomic_path, atomic_write, load_arrays, read_json, save_arrays

ARRAYS = {"b": np.arange(3, dtype=np.float32), "a": np.ones((2, 2)), "empty": np.zeros((0, 4), np.int64)}
TEXTS = {"config": '{"lr": 0.1}', "network": "é", "z": "", "a": "1"}


def test_arrays_and_texts_come_back(tmp_path: Path) -> None:
    save_arrays(tmp_path / "x.safetensors", ARRAYS, TEXTS)
    arrays, texts = load_arrays(tmp_path / "x.safetensors")
    assert texts == TEXTS
    assert arrays.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert arrays[name].dtype == array.dtype
        assert np.array_equal(arrays[name], array)


def test_equal_content_gives_equal_bytes_in_every_process(tmp_path: Path) -> None:
    program = (
        "import sys; from minigrad.files import save_arrays; import numpy as np\n"
        f"save_arrays(sys.argv[1], {{'w': np.ones(5)}}, {TEXTS!r})"
    )
    contents = set()
    for number in range(3):
        path = tmp_path / f"{number}.safetensors"
        subprocess.run([sys.executable, "-c", program, str(path)], check=True)
        contents.add(path.read_bytes())
    assert len(contents) == 1


def test_the_file_is_aligned_safetensors(tmp_path: Path) -> None:
    save_arrays(tmp_path / "x.safetensors", ARRAYS, TEXTS)
    content = (tmp_path / "x.safetensors").read_bytes()
    length = int.from_bytes(content[:8], "little")
    assert length % 8 == 0
    header = json.loads(content[8 : 8 + length])
    start, stop = header["b"]["data_offsets"]
    assert np.frombuffer(content[8 + length :][start:stop], "<f4").tolist() == [0, 1, 2]


@pytest.mark.parametrize("word", [b"0.1}", b"float", np.float32(2).tobytes()])
def test_a_changed_byte_is_noticed(tmp_path: Path, word: bytes) -> None:
    path = tmp_path / "x.safetensors"
    save_arrays(path, {"b": ARRAYS["b"]}, {"config": "float 0.1}"})
    content = bytearray(path.read_bytes())
    content[content.rindex(word)] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match="MG-711"):
        load_arrays(path)


def _fail_half_way(path: Path) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text("new")
        raise ZeroDivisionError


def test_a_failed_write_leaves_the_old_file_alone(tmp_path: Path) -> None:
    atomic_write(tmp_path / "x", "old")
    with pytest.raises(ZeroDivisionError):
        _fail_half_way(tmp_path / "x")
    assert (tmp_path / "x").read_text() == "old"
    assert os.listdir(tmp_path) == ["x"]


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 100_000])
def test_what_is_no_json_is_an_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.json").write_bytes(content)
    with pytest.raises(DataError, match="MG-712"):
        read_json(tmp_path / "x.json")


def test_a_folder_appears_whole(tmp_path: Path) -> None:
    for target in (tmp_path / "deep" / "new", tmp_path / "empty"):
        (tmp_path / "empty").mkdir(exist_ok=True)
        with atomic_folder(target) as temporary:
            (temporary / "inside").write_text("x")
            assert not (target / "inside").exists()
        assert (target / "inside").read_text() == "x"
        assert [path.name for path in target.parent.glob(".*")] == []
        (target / "another").mkdir()
        assert target.stat().st_mode == (target / "another").stat().st_mode


@pytest.mark.parametrize("exists", [False, True])
def test_a_folder_that_fails_leaves_nothing(tmp_path: Path, exists: bool) -> None:
    if exists:
        (tmp_path / "new").mkdir()

    def interrupted() -> None:
        with atomic_folder(tmp_path / "new") as temporary:
            (temporary / "inside").write_text("x")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_something_in_it_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").write_text("mine")
    with pytest.raises(OSError, match="not empty"), atomic_folder(tmp_path / "mine") as temporary:
        (temporary / "file").write_text("other")
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
    assert (tmp_path / "mine" / "file").read_text() == "mine"
