"""Our own linker: it puts object files where they run, and refuses what it does not know."""

from __future__ import annotations

import ctypes
import platform
import sys

import pytest
from minigrad_kernels import elf

binding = pytest.importorskip("llvmlite.binding")
pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() != "x86_64", reason="it is for Linux on x86-64"
)

COUNTER = """
@begun = internal global i64 40, align 64
@zeros = internal global [3000 x i64] zeroinitializer
@common = common global i64 0, align 8
@table = private constant [4 x i64] [i64 5, i64 6, i64 7, i64 8], align 32
declare i64 @outside(i64)

define i64 @helper(i64 %k) {
  %place = getelementptr [4 x i64], [4 x i64]* @table, i64 0, i64 %k
  %found = load i64, i64* %place
  ret i64 %found
}

define i64 @count(i64 %k) {
  %old = load i64, i64* @begun
  %new = add i64 %old, 1
  store i64 %new, i64* @begun
  %last = getelementptr [3000 x i64], [3000 x i64]* @zeros, i64 0, i64 2999
  %zero = load i64, i64* %last
  store i64 %zero, i64* @common
  %shared = load i64, i64* @common
  %entry = call i64 @helper(i64 %k)
  %squared = call i64 @outside(i64 %entry)
  %one = add i64 %new, %shared
  %sum = add i64 %one, %squared
  ret i64 %sum
}
"""
WORD = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)


@WORD
def square(k: int) -> int:
    return k * k


def outside(name: str) -> int:
    return {"outside": ctypes.cast(square, ctypes.c_void_p).value or 0}[name]


def compiled(model: str, text: str = COUNTER) -> bytes:
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    target = binding.Target.from_default_triple()
    machine = target.create_target_machine(reloc="static", codemodel=model, jit=model == "jitdefault")
    code: bytes = machine.emit_object(binding.parse_assembly(text))
    return code


@pytest.mark.parametrize("model", ["jitdefault", "large"])
def test_data_constants_and_functions_find_each_other(model: str) -> None:
    image = elf.image_of(compiled(model), "count")
    assert set(image.words) == {"", "outside"}
    count, other = (WORD(elf.put(image, outside)) for _ in range(2))
    assert [count(k) for k in range(4)] == [41 + 25, 42 + 36, 43 + 49, 44 + 64]
    assert other(0) == 41 + 25  # each has memory of its own


def test_a_name_that_is_not_there_is_said() -> None:
    code = compiled("jitdefault")
    with pytest.raises(KeyError, match="outside"):
        elf.put(elf.image_of(code, "count"), lambda name: {}[name])
    with pytest.raises(ValueError, match="no function other"):
        elf.image_of(code, "other")


def test_other_files_are_refused() -> None:
    with pytest.raises(ValueError, match="a relocation of kind"):
        elf.image_of(compiled("small"), "count")
    code = compiled("jitdefault")
    machine = bytearray(code)
    machine[18] = 183  # 64-bit Arm
    for other in (bytes(machine), b"MZ" + code[2:], code[:4] + b"\1" + code[5:]):
        with pytest.raises(ValueError, match="no object file for x86-64"):
            elf.image_of(other, "count")
