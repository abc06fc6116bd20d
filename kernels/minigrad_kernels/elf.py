"""A linker for one kind of object file: what LLVM writes for x86-64 on Linux, put where its functions can be called.

LLVM has a linker for code in memory; to load LLVM for it takes longer than to trace a step and make its program. In
the code model that Numba asks for, whatever is referred to may lie anywhere, so that a single kind of relocation does:
eight bytes that become a symbol's address plus a number. So an image is made once of the file, and what is left to do
in each process is to add addresses. See "System V Application Binary Interface, AMD64 Architecture Processor
Supplement", chapter 4, for the numbers here.
"""

from __future__ import annotations

import ctypes
import mmap
import struct
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np

_HEAD = struct.Struct("<4sBB10xHH20xQ10xHHH")
_SECTION = struct.Struct("<IIQQQQIIQQ")
_SYMBOL = struct.Struct("<IBBHQQ")
_WORD = struct.Struct("<Q")
_RELOCATION = struct.Struct("<QIIq")

_SYMBOLS, _RELOCATIONS, _ZEROS, _UNWINDING = 2, 4, 8, 0x70000001  # kinds of sections
_WRITE, _ALLOCATE = 1, 2  # flags of sections
_UNDEFINED, _COMMON = 0, 0xFFF2  # in the place of a symbol's section
_ADDRESS = 1  # the kind of relocation


class _Section(NamedTuple):
    name: int
    kind: int
    flags: int
    address: int
    offset: int
    size: int
    link: int
    info: int
    alignment: int
    entry: int

    @property
    def is_loaded(self) -> bool:
        """Whether it is needed to run; Numba's loops do not throw, so that nobody looks how a stack is unwound."""
        return bool(self.flags & _ALLOCATE) and self.kind != _UNWINDING


class _Symbol(NamedTuple):
    name: int
    info: int
    other: int
    section: int
    value: int
    size: int


class Image(NamedTuple):
    """What an object file becomes in memory, but for the addresses, which are known there.

    Behind the ``content`` there are zeros, up to ``size`` bytes in all; of these the first ``fixed``, whole pages, can
    be run and are not written. The function that is asked for begins at ``function``. ``words`` holds the places of
    words to which the address of a name is to be added, or the image's own for the name "".
    """

    content: bytes
    size: int
    fixed: int
    function: int
    words: dict[str, list[int]]


def image_of(code: bytes, name: str) -> Image:
    """Return the image of an object file and of its function of this name.

    Raises ValueError where the file is of a kind that is not known here.
    """
    sections, symbols, names = _parts(code)
    places, fixed, size = _places(sections, symbols)
    content = bytearray(
        max([fixed, *(places[k] + each.size for k, each in enumerate(sections) if k in places)])
    )
    for k, section in enumerate(sections):
        if k in places and section.kind != _ZEROS:
            content[places[k] : places[k] + section.size] = _content(code, section)

    def place_of(k: int) -> int:
        return places[~k] if symbols[k].section == _COMMON else places[symbols[k].section] + symbols[k].value

    words: dict[str, list[int]] = {}
    for section in sections:
        if section.kind == _RELOCATIONS and section.info in places:
            for offset, kind, k, added in _RELOCATION.iter_unpack(_content(code, section)):
                if kind != _ADDRESS:
                    raise ValueError(f"a relocation of kind {kind}")
                is_outside = symbols[k].section == _UNDEFINED
                at = places[section.info] + offset
                words.setdefault(_name(symbols[k], names) if is_outside else "", []).append(at)
                _WORD.pack_into(content, at, (added if is_outside else place_of(k) + added) % 2**64)
    found = [k for k, each in enumerate(symbols) if each.section != _UNDEFINED and _name(each, names) == name]
    if len(found) != 1:
        raise ValueError(f"no function {name}")
    return Image(bytes(content), size, fixed, place_of(found[0]), words)


_held: list[mmap.mmap] = []  # for as long as the process runs, since nobody knows who holds an address


def put(image: Image, address_of: Callable[[str], int]) -> int:
    """Put an image into memory, and return the address of its function; what ``address_of`` raises is let through."""
    memory = mmap.mmap(-1, max(1, image.size), mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    memory[: len(image.content)] = image.content
    content = np.frombuffer(memory, np.uint8)
    start = int(content.ctypes.data)
    places = [place for each in image.words.values() for place in each]
    added = [address_of(name) if name else start for name, each in image.words.items() for _ in each]
    at = np.add.outer(np.array(places, np.int64), np.arange(_WORD.size))
    content[at] = (content[at].view(np.uint64) + np.array(added, np.uint64)[:, None]).view(np.uint8)
    if _protect()(start, image.fixed, mmap.PROT_READ | mmap.PROT_EXEC):
        raise OSError(ctypes.get_errno(), "memory cannot be made to run")
    _held.append(memory)
    return start + image.function


@cache
def _protect() -> Any:
    protect = ctypes.CDLL(None, use_errno=True).mprotect
    protect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    return protect


def _parts(code: bytes) -> tuple[list[_Section], list[_Symbol], bytes]:
    """Return a file's sections, its symbols, and the table of their names."""
    sections = _sections(code)
    tables = [each for each in sections if each.kind == _SYMBOLS]
    if len(tables) != 1:
        raise ValueError("not one table of symbols")
    names = _content(code, sections[tables[0].link])
    symbols = [_Symbol(*each) for each in _SYMBOL.iter_unpack(_content(code, tables[0]))]
    return sections, symbols, names


def _name(symbol: _Symbol, names: bytes) -> str:
    return names[symbol.name : names.index(b"\0", symbol.name)].decode()


def _sections(code: bytes) -> list[_Section]:
    magic, bits, order, kind, machine, offset, size, count, _ = _HEAD.unpack_from(code)
    if (magic, bits, order, kind, machine, size) != (b"\x7fELF", 2, 1, 1, 62, _SECTION.size):
        raise ValueError("no object file for x86-64")
    return [_Section(*_SECTION.unpack_from(code, offset + k * size)) for k in range(count)]


def _places(sections: Sequence[_Section], symbols: Sequence[_Symbol]) -> tuple[dict[int, int], int, int]:
    """Return where each section is put; below 0, at ~k, each symbol that has none; and two ends.

    Up to the first one, that of a page, nothing is written any more; the second is that of all.
    """
    places: dict[int, int] = {}
    fixed = end = 0
    for writable in (False, True):
        for k, section in enumerate(sections):
            if section.is_loaded and bool(section.flags & _WRITE) == writable:
                places[k] = _aligned(end, section.alignment)
                end = places[k] + section.size
        if not writable:
            fixed = end = _aligned(end, mmap.PAGESIZE)
    for k, symbol in enumerate(symbols):
        if symbol.section == _COMMON:  # its value is its alignment
            places[~k] = _aligned(end, symbol.value)
            end = places[~k] + symbol.size
    return places, fixed, end


def _content(code: bytes, section: _Section) -> bytes:
    return code[section.offset : section.offset + section.size]


def _aligned(place: int, alignment: int) -> int:
    return -(-place // max(1, alignment)) * max(1, alignment)
