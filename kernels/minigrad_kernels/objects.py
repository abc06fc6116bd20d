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
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from minigrad_kernels import elf, runtime
from minigrad_kernels.loops import numba


class Object(NamedTuple):
    """An object file, the name of the function in it that is asked for, and the names that it takes from outside."""

    content: bytes
    function: str
    needs: Sequence[str]


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
    found: elf.Image | Object | None = None
    try:
        if path is not None and path.exists():
            digest, content = (whole := path.read_bytes())[:_DIGEST], whole[_DIGEST:]
            if digest == _digest(content):
                found = _read(content)
                if (place := _linked(found)) is not None:
                    return place
    except Exception:  # damaged, or of another kind: it is made anew
        pass
    function = compiled()
    if path is not None and not isinstance(
        found, elf.Image
    ):  # which is for other threads than are there today
        with suppress(Exception):  # what it relies on of Numba's is no interface, and the disk may be full
            _keep(path, _made(function))
    return int(function.address)


_DIGEST = 16  # bytes in front of what is kept, since LLVM takes a damaged object file for a good one


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=_DIGEST).digest()


def _made(function: Any) -> elf.Image | Object:
    """Return a function that Numba has compiled as an image, or else as an object file for LLVM."""
    library = function._library
    module = library._final_module
    code = library._get_compiled_object()
    with suppress(LookupError, ValueError, ImportError, OSError):
        image = elf.image_of(code, function._wrapper_name)
        known = {_known(name) if name else "": places for name, places in image.words.items()}
        elf.put(image := image._replace(words=known), runtime.address_of)
        return image
    names = [each.name for each in (*module.functions, *module.global_variables) if each.is_declaration]
    return Object(code, function._wrapper_name, [name for name in names if not name.startswith("llvm.")])


def _known(name: str) -> str:
    """Return by which name ``runtime`` finds what LLVM finds by this one; LookupError where it does not.

    Numba has functions for numbers of its own in the place of C's.
    """
    from llvmlite import binding

    place = binding.address_of_symbol(name)
    other = f"numba_{name}" if runtime.names().get(f"numba_{name}") == place else name
    if runtime.address_of(other) != place:
        raise LookupError(name)
    return other


def _keep(path: Path, made: elf.Image | Object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        content = json.dumps([type(made).__name__, *made[1:]]).encode() + b"\n" + made.content
        file.write(_digest(content) + content)
    os.replace(file.name, path)


def _read(content: bytes) -> elf.Image | Object:
    """Return what a file holds: a line of JSON, and machine code."""
    head, _, code = content.partition(b"\n")
    kind, *parts = json.loads(head)
    return elf.Image(code, *parts) if kind == "Image" else Object(code, *parts)


def _linked(found: elf.Image | Object) -> int | None:
    """Return where the function lies now; None where a name is not there (threads that nobody has started, say)."""
    if isinstance(found, elf.Image):
        of_threads = runtime.NAMES_OF_THREADS.intersection(found.words)
        if of_threads and not runtime.goes_without():  # which may have chosen others
            for name in of_threads:
                _known(name)
        return elf.put(found, runtime.address_of)
    numba()
    from llvmlite import binding

    _target()
    if any(name.startswith("NRT_") for name in found.needs):
        _memory_known()
    if not all(map(binding.address_of_symbol, found.needs)):
        return None
    engine = _engine()
    engine.add_object_file(binding.ObjectFileRef.from_data(found.content))
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
    """Return what tells apart what machine code depends on: versions, the processor, Numba's settings and threads."""
    known = (runtime.versions(), runtime.processor(), runtime.settings(), runtime.has_tbb())
    return zlib.crc32(repr(known).encode())
