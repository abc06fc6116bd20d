"""The emulation under AddressSanitizer: an access outside of an array ends the tests, and is named by its line.

    python -m tests.kernels.emulation.sanitized                 # every test that runs CUDA sources
    python -m tests.kernels.emulation.sanitized -k dropout      # pytest's options

AddressSanitizer has to be in a process before anything else is, so pytest runs in a process of its own, into which the
dynamic linker loads it first. There NumPy's arrays come from its ``malloc``: each has forbidden bytes around it. So has
each ``__shared__`` array, and each array in a thread's registers.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[3]
TESTS = [f"tests/kernels/test_{name}.py" for name in ("emulation", "registry", "matmul", "int8", "gpu")]
FOUND = 99
"""The exit status where there was an access outside of an array."""


@cache
def library() -> str:
    """Return the path of g++'s AddressSanitizer, or its bare name where it comes without, or nothing without g++."""
    try:
        asked = ["g++", "-print-file-name=libasan.so"]
        return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""


@cache
def missing() -> str | None:
    """Return why it cannot be run here, or None."""
    if not library():
        return "g++ is not installed: the CUDA sources cannot be emulated"
    if not os.path.isabs(library()):
        return "g++ comes without AddressSanitizer (libasan.so)"
    done = _python("-c", "import ctypes; ctypes.CDLL(None).__asan_init")
    return f"Python does not start with {library()} in it: {done.stderr}" if done.returncode else None


def run(*options: str, kernels: Path = ROOT / "kernels") -> subprocess.CompletedProcess[str]:
    """Run the tests with AddressSanitizer, those of the package in the folder ``kernels``."""
    # without -s, what AddressSanitizer says last would end with the process
    return _python(
        "-m", "pytest", "-q", "-s", "-x", "-p", "no:cacheprovider", *options, *TESTS, kernels=kernels
    )


def _python(*arguments: str, kernels: Path = ROOT / "kernels") -> subprocess.CompletedProcess[str]:
    with tempfile.TemporaryDirectory() as folder:  # where a process that ends at once leaves what it compiled
        settings = {
            "LD_PRELOAD": library(),
            "ASAN_OPTIONS": f"detect_leaks=0:exitcode={FOUND}",  # Python keeps what it has until the end
            "MINIGRAD_EMULATION_FLAGS": "-fsanitize=address -g",
            "MINIGRAD_KERNELS": "reference",  # Numba's loops are not what is looked at
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(kernels)]),
            "TMPDIR": folder,
        }
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env={**os.environ, **settings},
            capture_output=True,
            text=True,
            check=False,
        )


def main() -> None:
    reason = missing()
    if reason:
        sys.exit(reason)
    done = run(*sys.argv[1:])
    print(done.stdout + done.stderr, end="")
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
