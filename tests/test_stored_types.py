"""Every number type, byte order and memory layout through a safetensors file, here and in PyTorch."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from minigrad import nn
from minigrad.errors import DataError, MinigradWarning
from minigrad.files import load_arrays, save_arrays

TYPES = (
    *("float64", "float32", "float16", "complex64", "bool"),
    *("int64", "int32", "int16", "int8", "uint64", "uint32", "uint16", "uint8"),
)
LAYOUTS = {
    "C": lambda a: a,
    "Fortran": np.asfortranarray,
    "transposed": lambda a: a.T,
    "backwards": lambda a: a[::-1, ::-1],
    "every second": lambda a: a[:, ::2],
    "broadcast": lambda a: np.broadcast_to(a[0], (5, *a.shape[1:])),
    "read-only": lambda a: np.frombuffer(a.tobytes(), a.dtype).reshape(a.shape),
    "0-d": lambda a: a[1, 1],
    "empty": lambda a: a[:0],
    "memmap": lambda a: a.view(np.memmap),
}


@pytest.fixture(autouse=True)
def _nothing_was_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("minigrad.errors._warned", set())


def numbers(kind: str) -> np.ndarray:
    return (np.arange(12).reshape(3, 4) * 21 % 97).astype(kind)


def file_of(path: Path, kind: str, content: bytes, shape: list[int]) -> Path:
    header = json.dumps({"w": {"dtype": kind, "shape": shape, "data_offsets": [0, len(content)]}}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + content)
    return path


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("order", "<>")
def test_every_type_comes_back_in_every_order_and_layout(tmp_path: Path, order: str, layout: str) -> None:
    given = {
        kind: np.asanyarray(LAYOUTS[layout](numbers(kind).astype(np.dtype(kind).newbyteorder(order))))
        for kind in TYPES
    }
    save_arrays(tmp_path / "w.safetensors", given)
    found, _ = load_arrays(tmp_path / "w.safetensors")
    for kind in TYPES:
        assert found[kind].dtype == np.dtype(kind)
        assert found[kind].dtype.isnative
        assert found[kind].shape == given[kind].shape
        assert found[kind].tolist() == given[kind].tolist()


def test_equal_numbers_give_equal_bytes_whatever_their_order(tmp_path: Path) -> None:
    contents = set()
    for number, kind in enumerate(("<f4", ">f4")):
        path = tmp_path / f"{number}.safetensors"
        save_arrays(path, {"w": numbers(kind)})
        contents.add(path.read_bytes())
    assert len(contents) == 1


def test_pytorch_reads_every_type_and_writes_it(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="PyTorch is not installed")
    from safetensors.torch import load_file, save_file

    given = {kind: numbers(kind).astype(np.dtype(kind).newbyteorder(">")) for kind in TYPES}
    save_arrays(tmp_path / "ours.safetensors", given)
    theirs = load_file(tmp_path / "ours.safetensors")
    save_file(theirs, tmp_path / "theirs.safetensors")
    back, _ = load_arrays(tmp_path / "theirs.safetensors")
    for kind in TYPES:
        assert str(theirs[kind].dtype).removeprefix("torch.") == kind
        assert theirs[kind].tolist() == numbers(kind).tolist()
        assert back[kind].dtype == np.dtype(kind)
        assert np.array_equal(back[kind], numbers(kind))


@pytest.mark.parametrize(
    ("bits", "value"),
    [
        (0x3F80, 1.0),
        (0xC2F7, -123.5),
        (0x0080, 2.0**-126),
        (0x0001, 2.0**-133),
        (0x7F7F, (2 - 2**-7) * 2.0**127),
        (0x8000, -0.0),
        (0xFF80, -np.inf),
        (0x7FC0, np.nan),
    ],
)
def test_bfloat16_is_read_exactly_and_said(tmp_path: Path, bits: int, value: float) -> None:
    path = file_of(tmp_path / "w.safetensors", "BF16", bits.to_bytes(2, "little"), [1, 1])
    with pytest.warns(MinigradWarning, match=r"MG-719 w .*bfloat16.*float32"):
        found = load_arrays(path)[0]["w"]
    assert found.dtype == np.float32
    assert found.shape == (1, 1)
    assert np.array_equal(found, [[np.float32(value)]], equal_nan=True)
    assert np.signbit(found[0, 0]) == np.signbit(value)


def test_a_network_takes_pytorchs_bfloat16(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    from safetensors.torch import save_file

    theirs = torch.nn.Linear(5, 3).bfloat16()
    save_file(theirs.state_dict(), tmp_path / "w.safetensors")
    ours = nn.Linear(5, 3)
    with pytest.warns(MinigradWarning, match="MG-719"):
        nn.load_weights(ours, tmp_path / "w.safetensors")
    assert ours.weight.dtype == np.float32
    assert ours.weight.numpy().tolist() == theirs.weight.tolist()


@pytest.mark.parametrize(
    "kind",
    ["F8_E4M3", "F8_E5M2", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ", "F6_E2M3", "F6_E3M2", "F4"],
)
def test_types_that_numpy_lacks_are_named(tmp_path: Path, kind: str) -> None:
    path = file_of(tmp_path / "w.safetensors", kind, bytes(12), [4, 4] if kind.startswith("F6") else [12])
    with pytest.raises(DataError, match=rf"MG-718 w in .*w\.safetensors.* {kind}\. Convert.*\.float\(\)"):
        load_arrays(path)


@pytest.mark.parametrize("legacy", [False, True])
def test_what_torch_save_wrote_is_not_called_damaged(tmp_path: Path, legacy: bool) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    torch.save({"w": torch.ones(3)}, tmp_path / "w.pt", _use_new_zipfile_serialization=not legacy)
    with pytest.raises(
        DataError, match=r"MG-711 .*It is a (ZIP archive|pickle).*safetensors\.torch\.save_file"
    ) as raised:
        load_arrays(tmp_path / "w.pt")
    assert "damaged" not in str(raised.value)


@pytest.mark.parametrize("kind", ["f32", "G8", "", None, 8, []])
def test_a_type_that_nobody_has_is_damage(tmp_path: Path, kind: str) -> None:
    with pytest.raises(DataError, match="MG-711"):
        load_arrays(file_of(tmp_path / "w.safetensors", kind, bytes(12), [3]))


@pytest.mark.parametrize(
    "array",
    [
        np.ones(2, np.longdouble),
        np.ones(2, np.complex128),
        np.array(["2020-01-01"], "datetime64[D]"),
        np.array(["a"]),
        np.array([None]),
        np.zeros(2, [("a", "f4")]),
        np.ma.masked_array([1.0, 2.0], [False, True]),
    ],
    ids=lambda array: f"{type(array).__name__} {array.dtype}",
)
def test_what_a_file_cannot_hold_is_named_before_anything_is_written(
    tmp_path: Path, array: np.ndarray
) -> None:
    with pytest.raises(DataError, match=r"MG-718 layer\.odd is "):
        save_arrays(tmp_path / "w.safetensors", {"fine": np.ones(2), "layer.odd": array})
    assert list(tmp_path.iterdir()) == []


def test_a_claim_of_terabytes_is_refused_at_once(tmp_path: Path) -> None:
    for kind in ("F32", "BF16"):
        header = json.dumps({"w": {"dtype": kind, "shape": [2**40], "data_offsets": [0, 2**42]}}).encode()
        (tmp_path / "w.safetensors").write_bytes(len(header).to_bytes(8, "little") + header)
        with pytest.raises(DataError, match="MG-711"):
            load_arrays(tmp_path / "w.safetensors")
    (tmp_path / "w.safetensors").write_bytes((2**62).to_bytes(8, "little") + b"{}")
    with pytest.raises(DataError, match="MG-711"):
        load_arrays(tmp_path / "w.safetensors")
