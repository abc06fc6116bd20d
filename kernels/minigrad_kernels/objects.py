"""Machine code that is kept on disk and taken up again within a fraction of a millisecond.

Numba keeps what it compiles, too, but to take that up it has to be imported itself, which takes a third of a second,
and parses each loop's module once more, for 5 to 10 ms: most of what a new program would wait for. Here it is the
object file alone, put into memory by our own linker (``elf``), or by LLVM's where that one does not know how. Where
something is not as it is expected, nothing is kept, and Numba compiles it in each process anew.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from minigrad_kernels import elf, runtime
from minigrad_kernels.loops import numba


class Object(NamedTuple):
    """An object file, the name of the function in it that is asked for, and the names that it takes from outside.

    ``known`` holds by which name ``runtime`` finds what the file needs; None where it does not go without Numba.
    """

    function: str
    code: bytes
    needs: Sequence[str]
    known: Mapping[str, str] | None


@cache
def has_numba() -> bool:
    """Tell whether loops can be compiled; Numba is imported for the answer only where nothing is kept."""
    return (runtime.goes_without() and _are_kept()) or numba() is not None


def _are_kept() -> bool:
    """Tell whether Numba has compiled something here, of these versions, so that it would do so again."""
    path = _path("")
    if path is None or not path.parent.is_dir():
        return False
    with os.scandir(path.parent) as files:
        return any(each.name.endswith(path.name) for each in files)


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
    names = [each.name for each in (*module.functions, *module.global_variables) if each.is_declaration]
    needs = [name for name in names if not name.startswith("llvm.")]
    found = Object(function._wrapper_name, library._get_compiled_object(), needs, None)
    with suppress(LookupError, ValueError, ImportError, OSError):  # LLVM has to link it
        alone = found._replace(known=_known(elf.outside(found.code)))
        _link_alone(alone)
        found = alone
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        content = json.dumps([found.function, found.needs, found.known]).encode() + b"\n" + found.code
        file.write(_digest(content) + content)
    os.replace(file.name, path)


def _known(needs: Sequence[str]) -> dict[str, str]:
    """Return by which names ``runtime`` finds what LLVM finds by these, at the same place; LookupError if it does not.

    Numba has functions for numbers of its own in the place of C's.
    """
    from llvmlite import binding

    found = {}
    for name in needs:
        place = binding.address_of_symbol(name)
        found[name] = f"numba_{name}" if runtime.names().get(f"numba_{name}") == place else name
        if runtime.address_of(found[name]) != place:
            raise LookupError(name)
    return found


def _read(content: bytes) -> Object:
    """Return what a file holds: a line of JSON, and the object file."""
    head, _, code = content.partition(b"\n")
    function, needs, known = json.loads(head)
    return Object(function, code, needs, known)


def _link_alone(found: Object) -> int:
    known = found.known or {}
    return elf.link(found.code, found.function, lambda name: runtime.address_of(known[name]))


def _linked(found: Object) -> int | None:
    """Return where the function lies now; None where a name is not there (threads that nobody has started, say)."""
    numbas_threads = not runtime.goes_without() and runtime.NAMES_OF_THREADS.intersection(found.needs)
    if found.known is not None and not numbas_threads:
        return _link_alone(found)
    numba()
    from llvmlite import binding

    _target()
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
    return None if folder is None or runtime.versions() is None else folder / f"{name}-{_key():08x}.object"


@cache
def _folder() -> Path | None:
    """Return a folder that can be written, Numba's own where one is named."""
    named = os.environ.get("NUMBA_CACHE_DIR")
    folder = Path(named) / "minigrad_kernels" if named else Path(__file__).parent / "__pycache__"
    existing = next(each for each in (folder, *folder.parents) if each.exists())
    return folder if os.access(existing, os.W_OK) else None


@cache
def _key() -> int:
    """Return what tells apart what machine code depends on: versions, the processor, and Numba's settings."""
    return zlib.crc32(repr((runtime.versions(), runtime.processor(), runtime.settings())).encode())
