"""Machine code that is kept on disk and taken up again within a fraction of a millisecond.

Numba keeps what it compiles, too, but to take that up it parses the whole module once more: 5 to 10 ms for each loop,
which is most of what a new program would wait for. Here it is the object file alone, loaded by LLVM's linker for code
in memory. Where something is not as it is expected, nothing is kept, and Numba's own way is left.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from minigrad_kernels.loops import numba


class Object(NamedTuple):
    """An object file, the name of the function in it that is asked for, and the names that it takes from outside."""

    function: str
    code: bytes
    needs: Sequence[str]


def address(name: str, compiled: Callable[[], Any]) -> int:
    """Return the address of a function that was kept under a name, or else of ``compiled()``, Numba's CFunc.

    The name has to tell apart whatever is another function; processor and Numba's version are looked after here.
    """
    path = _path(name)
    try:
        if path is not None and path.exists():
            digest, content = (whole := path.read_bytes())[:_DIGEST], whole[_DIGEST:]
            if digest == _digest(content) and (found := _linked(_read(content))) is not None:
                return found
    except Exception:  # damaged, or of another kind: it is made anew
        pass
    function = compiled()
    if path is not None:
        with suppress(Exception):  # what it relies on of Numba's is no interface, and the disk may be full
            _keep(path, function)
    return int(function.address)


_DIGEST = 16  # bytes in front of what is kept, since LLVM takes a damaged object file for a good one


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=_DIGEST).digest()


def _keep(path: Path, function: Any) -> None:
    library = function._library
    module = library._final_module
    needs = [each.name for each in (*module.functions, *module.global_variables) if each.is_declaration]
    found = Object(
        function._wrapper_name,
        library._get_compiled_object(),
        tuple(name for name in needs if not name.startswith("llvm.")),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        content = json.dumps([found.function, found.needs]).encode() + b"\n" + found.code
        file.write(_digest(content) + content)
    os.replace(file.name, path)


def _read(content: bytes) -> Object:
    """Return what a file holds: a line of JSON, and the object file."""
    head, _, code = content.partition(b"\n")
    function, needs = json.loads(head)
    return Object(function, code, needs)


def _linked(found: Object) -> int | None:
    """Return where the function lies now; None where a name is not there (threads that nobody has started, say)."""
    from llvmlite import binding

    if any(name.startswith("NRT_") for name in found.needs):
        _memory_known()
    if not all(map(binding.address_of_symbol, found.needs)):
        return None
    engine = _engine()
    engine.add_object_file(binding.ObjectFileRef.from_data(found.code))
    engine.finalize_object()
    return engine.get_function_address(found.function) or None


@cache
def _memory_known() -> None:
    """Tell the linker where Numba's functions for memory are, as Numba does before it compiles anything itself."""
    from llvmlite import binding
    from numba.core.runtime import nrt

    for name, place in nrt._nrt.c_helpers.items():  # type: ignore[attr-defined]
        binding.add_symbol(name if name.startswith("_") else f"NRT_{name}", place)


@cache
def _engine() -> Any:
    from llvmlite import binding

    _target()
    machine = binding.Target.from_default_triple().create_target_machine(jit=True)
    return binding.create_mcjit_compiler(binding.parse_assembly(""), machine)


@cache
def _target() -> Any:
    """Return Numba's target, which makes the names of its runtime known."""
    from numba.core.registry import cpu_target

    return cpu_target.target_context.codegen()


@cache
def _path(name: str) -> Path | None:
    folder = _folder()
    return None if folder is None else folder / f"{name}-{_key():08x}.object"


@cache
def _folder() -> Path | None:
    """Return a folder that can be written, Numba's own where one is named."""
    named = os.environ.get("NUMBA_CACHE_DIR")
    folder = Path(named) / "minigrad_kernels" if named else Path(__file__).parent / "__pycache__"
    existing = next(each for each in (folder, *folder.parents) if each.exists())
    return folder if os.access(existing, os.W_OK) else None


@cache
def _key() -> int:
    """Return what tells versions apart, of Numba, of LLVM and of the processor."""
    module = numba()
    assert module is not None
    import llvmlite

    return zlib.crc32(repr((module.__version__, llvmlite.__version__, _target().magic_tuple())).encode())
