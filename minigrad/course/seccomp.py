"""Seccomp: a Linux process gives up, for good, system calls that no solution needs. See seccomp(2), bpf(4).

What is given up answers "Operation not permitted" from then on: sockets, memory and messages that outlive a process,
signals to others and whatever else reaches into them, namespaces and mounts, and the ways around this list.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import struct
import sys
from typing import NamedTuple

# Numbers on x86-64 and on ARM64; where there is one alone, it is the same on both.
_NEVER: dict[str, tuple[int, ...]] = {
    "socket": (41, 198),
    "shmget": (29, 194),
    "shmat": (30, 196),
    "semget": (64, 190),
    "msgget": (68, 186),
    "mq_open": (240, 180),
    "mq_unlink": (241, 181),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "memfd_create": (319, 279),
    "memfd_secret": (447,),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440,),
    "process_mrelease": (448,),
    "pidfd_open": (434,),
    "pidfd_getfd": (438,),
    "pidfd_send_signal": (424,),
    "kcmp": (312, 272),
    "sched_setparam": (142, 118),
    "sched_setscheduler": (144, 119),
    "sched_setaffinity": (203, 122),
    "sched_setattr": (314, 274),
    "setpriority": (141, 140),
    "ioprio_set": (251, 30),
    "migrate_pages": (256, 238),
    "move_pages": (279, 239),
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428,),
    "move_mount": (429,),
    "fsopen": (430,),
    "fsconfig": (431,),
    "fsmount": (432,),
    "fspick": (433,),
    "mount_setattr": (442,),
    "open_by_handle_at": (304, 265),
    "fanotify_init": (300, 262),
    "io_uring_setup": (425,),
    "io_uring_enter": (426,),
    "io_uring_register": (427,),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "kexec_load": (246, 104),
}
_OF_ITSELF: dict[str, tuple[int, ...]] = {  # the first argument is the process that it is done to
    "kill": (62, 129),
    "tkill": (200, 130),
    "tgkill": (234, 131),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "prlimit64": (302, 261),
}
_NOT_WITH: dict[
    str, tuple[tuple[int, ...], tuple[int, ...]]
] = {  # the second argument; all of these send signals
    "fcntl": ((72, 25), (8, 10, 15)),
    "ioctl": ((16, 29), (0x8901, 0x8902, 0x5412)),
}


class _Processor(NamedTuple):
    column: int
    audit: int
    other_numbers: int  # from here on stand the calls of another interface, of the same names


_PROCESSORS = {
    "x86_64": _Processor(0, 0xC000003E, 0x40000000),
    "aarch64": _Processor(1, 0xC00000B7, 0xFFFFFFFF),
}
_NO_NEW_PRIVILEGES, _SET_SECCOMP, _BY_FILTER = 38, 22, 2  # of prctl(2)
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06  # of bpf(4)
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16  # where they stand in struct seccomp_data
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050001  # the latter with EPERM


def restrict() -> bool:
    """Give up the calls above; False where the kernel or the processor has no such filters."""
    processor = _PROCESSORS.get(os.uname().machine)
    if not sys.platform.startswith("linux") or processor is None or sys.maxsize < 1 << 32:
        return False
    program = _program(processor, os.getpid())
    code = ctypes.create_string_buffer(b"".join(program))
    described = struct.pack("HP", len(program), ctypes.addressof(code))
    with contextlib.suppress(OSError, AttributeError, TypeError):
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0):
            return False
        return not libc.prctl(_SET_SECCOMP, _BY_FILTER, described, 0, 0)
    return False


def available() -> bool:
    """Tell whether this process could give them up; it tries in a child."""
    trial = os.fork()
    if trial == 0:
        os._exit(0 if restrict() else 1)
    return os.waitpid(trial, 0)[1] == 0


def _program(processor: _Processor, own: int) -> list[bytes]:
    def number(numbers: tuple[int, ...]) -> int:
        return numbers[processor.column if len(numbers) > 1 else 0]

    program = [
        _instruction(_LOAD, _ARCHITECTURE),
        *_refuse_unless(processor.audit),
        _instruction(_LOAD, _NUMBER),
        _instruction(_AT_LEAST, processor.other_numbers, 0, 1),
        _instruction(_RETURN, _REFUSE),
    ]
    for numbers in _NEVER.values():
        program += _refuse_if(number(numbers))
    for numbers in _OF_ITSELF.values():
        allowed = [
            *_allow_if(own),
            *(_allow_if(0) if number(numbers) == number(_OF_ITSELF["prlimit64"]) else []),
        ]
        program += _where(number(numbers), 0, [*allowed, _instruction(_RETURN, _REFUSE)])
    for numbers, refused in _NOT_WITH.values():
        body = [one for value in refused for one in _refuse_if(value)]
        program += _where(number(numbers), 1, [*body, _instruction(_RETURN, _ALLOW)])
    return [*program, _instruction(_RETURN, _ALLOW)]


def _where(number: int, argument: int, body: list[bytes]) -> list[bytes]:
    """For one call, go on with an argument (its lower half, which is what the kernel takes of these)."""
    load = _instruction(_LOAD, _ARGUMENTS + 8 * argument)
    return [_instruction(_EQUAL, number, 0, len(body) + 1), load, *body]


def _refuse_if(value: int) -> list[bytes]:
    return [_instruction(_EQUAL, value, 0, 1), _instruction(_RETURN, _REFUSE)]


def _refuse_unless(value: int) -> list[bytes]:
    return [_instruction(_EQUAL, value, 1, 0), _instruction(_RETURN, _REFUSE)]


def _allow_if(value: int) -> list[bytes]:
    return [_instruction(_EQUAL, value, 0, 1), _instruction(_RETURN, _ALLOW)]


def _instruction(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)
