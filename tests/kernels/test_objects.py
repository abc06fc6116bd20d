"""Machine code that is kept on disk: it is taken up again, and made anew where it is damaged."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from minigrad_kernels import driver, objects
from minigrad_kernels.launch import Loop

numba = pytest.importorskip("numba")
caching = pytest.importorskip("numba.core.caching")


def double_loop(a: Any, out: Any) -> None:
    for i in range(a.size):
        out[i] = 2 * a[i]


KINDS = (("C", "float64", 1), ("C", "float64", 1))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    driver.driver()  # which is none of the files that the tests count
    monkeypatch.setattr(objects, "_folder", lambda: tmp_path)
    monkeypatch.setattr(objects, "_path", objects._path.__wrapped__)
    return tmp_path


def run(function: Any, raises: bool = False) -> tuple[int, Any]:
    entry = driver.Entry(Loop(function, raises=raises), KINDS)  # not the one that is remembered
    a, out = np.arange(5.0), np.empty(5)
    words = np.array([0, *driver.words_of(a), *driver.words_of(out)], np.int64)
    return driver.run(np.array([(entry.address, driver.address_of(words))], np.int64)), out


@pytest.fixture
def compiled(monkeypatch):
    """The names of the functions that Numba compiles, each time anew."""
    found: list[str] = []
    monkeypatch.setattr(caching.FunctionCache, "load_overload", lambda *_: None)
    cfunc = numba.cfunc

    def counted(*args, **options):
        def decorate(function):
            found.append(function.__name__)
            return cfunc(*args, **options)(function)

        return decorate

    monkeypatch.setattr(numba, "cfunc", counted)
    return found


def digested(content: bytes) -> bytes:
    return objects._digest(content) + content


def test_an_entry_is_kept_and_taken_up(folder, compiled):
    for _ in range(3):
        ended, out = run(double_loop)
        assert ended == -1
        np.testing.assert_array_equal(out, 2 * np.arange(5.0))
    assert len(compiled) == 1
    (path,) = folder.glob("*.object")
    assert path.name.startswith(f"{compiled[0]}-")


DAMAGE = {
    "empty": lambda whole: b"",
    "cut off": lambda whole: whole[:-100],
    "a bit": lambda whole: whole[:700] + bytes([whole[700] ^ 1]) + whole[701:],
    "no JSON": lambda whole: digested(b"no JSON\n"),
    "another form": lambda whole: digested(b"1\n"),
    "an image whose name is not there": lambda whole: digested(
        b'["Image", 4096, 4096, 0, {"no_such_name_anywhere": [0]}]\n' + bytes(4096)
    ),
    "a name that is not there": lambda whole: digested(b'["Object", "f", ["no_such_name_anywhere"]]\n'),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_is_made_anew(folder, compiled, damage):
    run(double_loop)
    (path,) = folder.glob("*.object")
    path.write_bytes(DAMAGE[damage](path.read_bytes()))
    _, out = run(double_loop)
    np.testing.assert_array_equal(out, 2 * np.arange(5.0))
    assert len(compiled) == 2
