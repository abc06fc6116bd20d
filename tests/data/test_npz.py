from __future__ import annotations

import io
import tracemalloc
import zipfile

import numpy as np
import pytest

from minigrad.data import load_npz
from minigrad.errors import DataError


def save(tmp_path, **arrays):
    path = tmp_path / "mine.npz"
    np.savez(path, **arrays)
    return path


def refused(path, message, code="MG-707"):
    with pytest.raises(DataError, match=message) as raised:
        load_npz(path)
    assert raised.value.code == code
    return str(raised.value)


def test_features_and_class_ids(tmp_path):
    data = load_npz(save(tmp_path, x=np.array([[1.5, 2], [3, 4]]), y=np.array([1, 0], np.uint8)))
    assert data.x.dtype == np.float32
    assert data.x.tolist() == [[1.5, 2], [3, 4]]
    assert data.y.dtype == np.int64
    assert data.y.tolist() == [1, 0]
    assert (data.classes, data.name, data.image_shape) == (None, "mine", None)


def test_pictures_are_flattened_and_keep_their_shape(tmp_path):
    pictures = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    data = load_npz(save(tmp_path, x=pictures, y=np.array([0, 1]), classes=np.array(["no", "yes"])))
    assert data.x.tolist() == [list(range(12)), list(range(12, 24))]
    assert data.image_shape == (3, 4)
    assert data.classes == ("no", "yes")


def test_text_labels_and_regression_targets(tmp_path):
    data = load_npz(save(tmp_path, x=np.zeros((3, 1)), y=np.array(["b", "a", "b"])))
    assert data.y.tolist() == [1, 0, 1]
    assert data.classes == ("a", "b")
    data = load_npz(save(tmp_path, x=np.zeros((3, 1)), y=np.array([0.5, 1, 2])))
    assert data.y.dtype == np.float32
    assert not data.is_classification


def test_compressed_files_read_as_well(tmp_path):
    np.savez_compressed(tmp_path / "packed.npz", x=np.ones((4, 2)), y=np.arange(4))
    assert load_npz(tmp_path / "packed.npz").x.sum() == 8


def test_missing_arrays_are_named(tmp_path):
    refused(
        save(tmp_path, x_train=np.ones((2, 2)), y_train=np.ones(2)), "it holds x_train, y_train, and x and y"
    )


def test_arrays_that_do_not_fit(tmp_path):
    refused(save(tmp_path, x=np.ones((3, 2)), y=np.arange(2)), "'mine'.*same length", code="MG-701")
    refused(
        save(tmp_path, x=np.ones((2, 2)), y=np.array([0, 2**64 - 1], np.uint64)), "class ids", code="MG-701"
    )
    refused(save(tmp_path, x=np.ones((2, 2), complex), y=np.arange(2)), "complex", code="MG-701")
    refused(save(tmp_path, x=np.ones((0, 2, 2)), y=np.arange(0)), "no sample", code="MG-701")


def test_nothing_is_unpickled(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (pytest.fail, ("an object of the file was made",))

    path = tmp_path / "bomb.npz"
    np.savez(path, x=np.array([[Bomb()]], dtype=object), y=np.array([0]), allow_pickle=True)
    refused(path, "Object arrays cannot be loaded")


def test_missing_file_and_other_formats(tmp_path):
    refused(tmp_path / "none.npz", "cannot be read", code="MG-703")
    refused(tmp_path, "cannot be read", code="MG-703")
    np.save(tmp_path / "single.npy", np.ones(3))
    refused(tmp_path / "single.npy", "no NPZ file")


def test_a_huge_claim_is_refused(tmp_path):
    content = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        content, {"descr": "<f8", "fortran_order": False, "shape": (10**13, 2)}
    )
    with zipfile.ZipFile(tmp_path / "huge.npz", "w") as archive:
        archive.writestr("x.npy", content.getvalue() + bytes(64))
        archive.writestr("y.npy", content.getvalue())
    refused(tmp_path / "huge.npz", "160,000,000,000,000 bytes, and 64 follow")


def header(shape, descr):
    content = io.BytesIO()
    np.lib.format.write_array_header_1_0(content, {"descr": descr, "fortran_order": False, "shape": shape})
    return content.getvalue()


@pytest.mark.parametrize("pack", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("descr", ["<f8", "|u1", "<i2", "<U4"])
def test_an_array_that_is_not_what_it_announces_is_refused_before_it_is_unpacked(tmp_path, pack, descr):
    for numbers, body in ((2_000_000_000, bytes(64)), (3, bytes(64)), (100, bytes(8))):
        with zipfile.ZipFile(tmp_path / "mine.npz", "w", pack) as archive:
            archive.writestr("x.npy", header((numbers, 1), descr) + body)
            archive.writestr("y.npy", header((8,), "<i8") + bytes(64))
        size = numbers * np.dtype(descr).itemsize
        refused(tmp_path / "mine.npz", rf"x is announced as .*, {size:,} bytes, and {len(body)} follow")


@pytest.mark.parametrize("name", ["x", "y"])
def test_zeros_that_would_fill_the_memory_are_never_unpacked(tmp_path, monkeypatch, name):
    monkeypatch.setattr("minigrad.data.unpacking._memory", lambda: 10**12)
    path = tmp_path / "mine.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for each, shape in (("x", (4, 1)), ("y", (4,))):
            large = header((2**31, 1), "|u1") if each == name else header(shape, "<i8")
            archive.writestr(f"{each}.npy", large + bytes(32))
            archive.getinfo(f"{each}.npy").file_size = len(large) + (2**31 if each == name else 32)
    tracemalloc.start()
    refused(path, rf"{name} is too large: it unpacks to 2.1 GB, .*times its size")
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()


def test_what_the_memory_cannot_hold_is_never_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr("minigrad.data.unpacking._memory", lambda: 100_000)
    path = save(tmp_path, x=np.random.default_rng(0).random((100, 50)), y=np.arange(100))
    refused(path, "x is too large: it unpacks to 0.0 GB, of which 3 copies do not fit")


@pytest.mark.filterwarnings("ignore:Reading `.npy`")
def test_damaged_files_give_clear_errors_or_datasets(tmp_path):
    rng = np.random.default_rng(4)
    for save_as in (np.savez, np.savez_compressed):
        save_as(tmp_path / "whole.npz", x=rng.normal(size=(20, 3)), y=np.arange(20) % 3)
        whole = (tmp_path / "whole.npz").read_bytes()
        for _ in range(150):
            content = bytearray(whole)
            for _ in range(rng.integers(1, 4)):
                content[int(rng.integers(0, len(content)))] = int(rng.integers(0, 256))
            if rng.random() < 0.3:
                del content[int(rng.integers(0, len(content))) :]
            path = tmp_path / "damaged.npz"
            path.write_bytes(content)
            try:
                data = load_npz(path)
            except DataError as error:
                assert error.code in {"MG-701", "MG-707"}  # noqa: PT017 (either outcome is right)
            else:
                assert len(data) == 20
