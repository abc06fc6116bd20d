"""A linker for one kind of object file: what LLVM writes for x86-64 on Linux, put where its functions can be called.

LLVM has a linker for code in memory; to load LLVM for it takes longer than to trace a step and make its program. In
the code model that Numba asks for, whatever is referred to may lie anywhere, so that a single kind of relocation does:
eight bytes that become a symbol's address plus a number. See "System V Application Binary Interface, AMD64 Architecture
Processor Supplement", chapter 4, for the numbers here.
"""

from __future__ import annotations

import ctypes
import mmap
import struct
from collections.abc import Callable, Sequence
from typing import NamedTuple

_HEAD = struct.Struct("<4sBB10xHH20xQ10xHHH")
_SECTION = struct.Struct("<IIQQQQIIQQ")
_SYMBOL = struct.Struct("<IBBHQQ")
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


_linked: list[mmap.mmap] = []  # for as long as the process runs, since nobody knows who holds an address


def link(code: bytes, name: str, address_of: Callable[[str], int]) -> int:
    """Put an object file into memory, and return the address of its function of this name.

    ``address_of`` tells where something lies that the file takes from outside. Raises ValueError where the file is of a
    kind that this linker does not know, and lets through what ``address_of`` raises.
    """
    sections, symbols, text = _parts(code)
    places, fixed, end = _places(sections, symbols)
    memory = mmap.mmap(-1, max(1, end), mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    start = ctypes.addressof(ctypes.c_char.from_buffer(memory))

    def address(k: int) -> int:
        symbol = symbols[k]
        if symbol.section == _UNDEFINED:
            return address_of(text(symbol))
        return start + (places[~k] if symbol.section == _COMMON else places[symbol.section] + symbol.value)

    for k, section in enumerate(sections):
        if k in places and section.kind != _ZEROS:
            memory[places[k] : places[k] + section.size] = _content(code, section)
    for section in sections:
        if section.kind == _RELOCATIONS and section.info in places:
            for offset, kind, symbol, added in _RELOCATION.iter_unpack(_content(code, section)):
                if kind != _ADDRESS:
                    raise ValueError(f"a relocation of kind {kind}")
                struct.pack_into("<Q", memory, places[section.info] + offset, address(symbol) + added)
    found = [k for k, each in enumerate(symbols) if each.section != _UNDEFINED and text(each) == name]
    if len(found) != 1:
        raise ValueError(f"no function {name}")
    _let_run(start, fixed)
    _linked.append(memory)
    return address(found[0])


def outside(code: bytes) -> list[str]:
    """Return the names that an object file takes from outside; ValueError as for ``link``."""
    _, symbols, text = _parts(code)
    return [text(each) for each in symbols[1:] if each.section == _UNDEFINED]


def _parts(code: bytes) -> tuple[list[_Section], list[_Symbol], Callable[[_Symbol], str]]:
    """Return a file's sections, its symbols, and what tells a symbol's name."""
    sections = _sections(code)
    tables = [each for each in sections if each.kind == _SYMBOLS]
    if len(tables) != 1:
        raise ValueError("not one table of symbols")
    names = code[sections[tables[0].link].offset :]
    symbols = [_Symbol(*each) for each in _SYMBOL.iter_unpack(_content(code, tables[0]))]
    return sections, symbols, lambda symbol: names[symbol.name : names.index(b"\0", symbol.name)].decode()


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


def _let_run(start: int, size: int) -> None:
    """Let so many bytes be run, and not be written any more."""
    protect = ctypes.CDLL(None, use_errno=True).mprotect
    protect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    if protect(start, size, mmap.PROT_READ | mmap.PROT_EXEC):
        raise OSError(ctypes.get_errno(), "memory cannot be made to run")
