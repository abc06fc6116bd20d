"""Every CUDA source compiles for every generation of GPUs, with the compiler that CuPy uses; no GPU is needed."""

from __future__ import annotations

import ctypes
import importlib.util
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest
from minigrad_kernels import gpu

ARCHITECTURES = ["sm_75", "sm_80", "sm_90"]


@cache
def nvrtc() -> ctypes.CDLL:
    """The library of the wheel nvidia-cuda-nvrtc."""
    package = importlib.util.find_spec("nvidia")
    for folder in package.submodule_search_locations or [] if package else []:
        for path in Path(folder).rglob("libnvrtc.so*"):
            return ctypes.CDLL(str(path))
    pytest.skip("nvidia-cuda-nvrtc is not installed")


def compiled(code: str, options: tuple[str, ...]) -> tuple[int, str, int]:
    """Return NVRTC's result, its log, and the size of the cubin."""
    library, program = nvrtc(), ctypes.c_void_p()
    library.nvrtcCreateProgram(ctypes.byref(program), code.encode(), b"kernel.cu", 0, None, None)
    flags = (ctypes.c_char_p * len(options))(*(option.encode() for option in options))
    result = library.nvrtcCompileProgram(program, len(options), flags)
    size = ctypes.c_size_t()
    library.nvrtcGetProgramLogSize(program, ctypes.byref(size))
    log = ctypes.create_string_buffer(size.value)
    library.nvrtcGetProgramLog(program, log)
    size.value = 0
    library.nvrtcGetCUBINSize(program, ctypes.byref(size))
    library.nvrtcDestroyProgram(ctypes.byref(program))
    return result, log.value.decode(), size.value


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("source", gpu.sources())
@pytest.mark.parametrize("real", ["float", "double"])
def test_compiles_for(architecture: str, source: str, real: str) -> None:
    options = (*gpu.options(source), f"--gpu-architecture={architecture}")
    result, log, size = compiled(gpu.code(source, real), options)
    assert result == 0, log
    assert not log.strip("\0\n "), log  # no warnings either
    assert size > 1000


def test_an_error_names_the_line_of_the_source() -> None:
    result, log, _ = compiled(
        'typedef float real;\n#line 1 "wrong.cu"\n__global__ void f() {\n  x = 1;\n}\n', ()
    )
    assert result != 0
    assert 'wrong.cu(2): error: identifier "x" is undefined' in log


@pytest.mark.skipif(shutil.which("nvcc") is None, reason="nvcc is not installed")
@pytest.mark.parametrize("source", gpu.sources())
def test_registers_stay_within_the_budget(source: str, tmp_path: Path) -> None:
    # 128 registers let two blocks of 256 threads share a processor; a spill would go through memory.
    (tmp_path / "kernel.cu").write_text(gpu.code(source, "float"), encoding="utf-8")
    flags = [flag.replace("--fmad", "-fmad").replace("--std", "-std") for flag in gpu.options(source)]
    command = ["nvcc", "-cubin", "-arch=sm_90", "-Xptxas", "-v", *flags, "kernel.cu", "-o", "kernel.cubin"]
    built = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    registers = [int(count) for count in re.findall(r"Used (\d+) registers", built.stderr)]
    assert len(registers) == len(gpu.signatures(source))
    assert max(registers) <= 128, built.stderr
    assert all(int(spilled) == 0 for spilled in re.findall(r"(\d+) bytes spill", built.stderr)), built.stderr
