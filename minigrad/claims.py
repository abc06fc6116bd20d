"""Whose folder it is: one process writes a folder at a time, and nobody writes into one that was taken from under it.

The lock is the system's, on a file in the folder: it is dropped when its process dies, however that happens. Files are
written through ``minigrad.files``, which asks ``check_claims`` first: what a process believes to be there is not made
again once it is gone.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from minigrad.errors import ConfigError, FileError, warn

LOCK = ".in-use"
"""The file whose lock says that a folder is in use; it names the process, and goes when the process leaves."""

_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EBADF}
"""How a file system says that it has no locks."""

_FAR = 1 << 20
"""Where Windows locks a byte: not one of those that say who it is, since nobody could read them."""

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}
"""How the system says that nothing more can be written."""

_REASONS = {
    errno.ENOSPC: "the disk is full. Free some space, or write to another disk",
    errno.EDQUOT: "your share of the disk is used up. Free some space, or write to another disk",
    errno.EFBIG: "files may not grow so large here. See: ulimit -f",
    errno.EACCES: "you may not write there. Choose a folder of yours",
    errno.EPERM: "you may not write there. Choose a folder of yours",
    errno.EROFS: "that disk is read-only. Choose another one",
    errno.ENAMETOOLONG: "the name is longer than the system allows. Choose a shorter one",
    errno.ENOENT: "the folder that it belongs to is not there",
    errno.ENOTDIR: "a part of its path is a file, not a folder",
    errno.EISDIR: "there is a folder of that name",
    errno.ELOOP: "its path is a link that leads back to itself",
    errno.EIO: "the disk reports an error",
}

State = Literal["ours", "theirs", "unknown"]


def refused(path: str | os.PathLike[str], error: OSError) -> FileError:
    """Return the FileError MG-807 of a file that the system would not let be written."""
    number = error.errno or 0
    reason = _REASONS.get(number) or error.strerror or str(error)
    return FileError("MG-807", f"{os.fspath(path)} could not be written: {reason}.")


@dataclass
class Claim:
    """A folder that is this process's."""

    folder: Path
    handle: int

    def is_intact(self) -> bool:
        """Tell whether the folder is still there, and still the one that was claimed."""
        try:
            return os.path.samestat(os.stat(self.folder / LOCK), os.fstat(self.handle))
        except OSError:
            return False

    def release(self) -> None:
        """Take the lock's file away, if it is ours; the lock itself goes with the handle."""
        if self.is_intact():
            with suppress(OSError):
                (self.folder / LOCK).unlink()


_claims: dict[str, Claim] = {}
"""Those of this process, by the folders' absolute paths."""


@contextmanager
def claimed(folder: str | os.PathLike[str]) -> Iterator[Claim]:
    """Make a folder this process's own for the length of the block; it is made where it is not there.

    What processes that were killed had not finished in it is removed. After an exception no empty folder stays.

    Raises ConfigError MG-804 where ``folder`` cannot be a folder, MG-806 where another process has it, and FileError
    MG-807 where it cannot be written to. Where the file system has no locks, the warning MG-809 says so.
    """
    folder = Path(folder)
    make_folder(folder)
    handle = _locked(folder)
    claim = Claim(folder, handle)
    name = os.path.abspath(folder)
    _claims[name] = claim
    try:
        remove_half_written(folder)
        yield claim
    except BaseException:
        claim.release()
        with suppress(OSError):
            folder.rmdir()
        raise
    finally:
        claim.release()
        _claims.pop(name, None)
        os.close(handle)


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it, where they are not there; ConfigError MG-804 says what is in the way."""
    check_claims(folder)
    _check_is_no_file(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise refused(folder, error) from error


def check_folder(folder: Path) -> None:
    """See that ``folder`` is there or could be made, and written to, without doing it; raises as ``make_folder``."""
    _check_is_no_file(folder)
    there = next((each for each in (folder, *folder.parents) if os.path.exists(each)), Path())
    if not os.access(there, os.W_OK | os.X_OK):
        raise refused(folder, OSError(errno.EACCES, "not permitted"))


def _check_is_no_file(folder: Path) -> None:
    for each in (folder, *folder.parents):
        if os.path.islink(each) and not os.path.exists(each):
            raise ConfigError(
                "MG-804",
                f"{each} is a link to {os.readlink(each)}, which is not there. Make it, or choose another --out.",
            )
        if os.path.exists(each) and not os.path.isdir(each):
            raise ConfigError("MG-804", f"{each} is a file, not a folder. Choose another --out.")


def check_claims(path: str | os.PathLike[str]) -> None:
    """Raise FileError MG-808 where ``path`` is in a folder of this process's that is gone or is another one now."""
    if not _claims:
        return
    for name in {os.path.abspath(path), os.path.realpath(path)}:
        for each in (Path(name), *Path(name).parents):
            claim = _claims.get(str(each))
            if claim is not None and not claim.is_intact():
                raise taken_away(claim.folder)


def taken_away(path: Path) -> FileError:
    """Return the FileError MG-808 of something that this process had written, and that somebody removed."""
    return FileError(
        "MG-808",
        f"{path} was removed or replaced while this was running in it, so the rest is not written: it would be half of "
        "a run. Start again, and leave its folder alone until it is finished.",
    )


def _locked(folder: Path) -> int:
    """Return a handle that holds the folder's lock."""
    path = folder / LOCK
    while True:
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise refused(folder, error) from error
        try:
            state = lock(handle)
            if state == "theirs":
                raise ConfigError("MG-806", f"{folder} is in use by another process{_who(handle)}. {_WAIT}")
            if state == "unknown":
                warn(
                    "MG-809",
                    f"{folder} is on a file system without locks, so nothing keeps a second process out.",
                )
            if os.path.samestat(os.fstat(handle), os.stat(path)):  # else the last one took it away just now
                os.ftruncate(handle, 0)
                os.write(handle, f"{os.getpid()} on {socket.gethostname()}\n".encode())
                return handle
        except FileNotFoundError:
            pass
        except OSError as error:
            os.close(handle)
            with suppress(OSError):
                if not os.path.getsize(path):  # nobody could say in it who has the folder: the disk is full
                    os.unlink(path)
            raise refused(path, error) from error
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


_WAIT = "Wait until it is finished, or choose another folder."


def _who(handle: int) -> str:
    with suppress(OSError):
        os.lseek(handle, 0, os.SEEK_SET)
        text = os.read(handle, 200).decode(errors="replace").strip()
        return f" (number {text})" if text else ""
    return ""


def lock(handle: int) -> State:
    """Lock an open file without waiting: it is ours now, or another process's, or there are no locks here."""
    try:
        _lock(handle)
    except OSError as error:
        return "unknown" if error.errno in _NO_LOCKS else "theirs"
    return "ours"


def _lock_by_flock(handle: int) -> None:
    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _lock_on_windows(handle: int) -> None:
    os.lseek(handle, _FAR, os.SEEK_SET)
    msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
    os.lseek(handle, 0, os.SEEK_SET)


_lock: Callable[[int], None]
try:
    import fcntl

    _lock = _lock_by_flock
except ImportError:
    import msvcrt

    _lock = _lock_on_windows


def remove_half_written(folder: Path, begins: str = ".") -> None:
    """Remove what processes that died had not finished in ``folder``: files, and folders, named ``.*-partial-*``.

    What a living process is writing is locked, and stays.
    """
    import shutil

    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if not (entry.name.startswith(begins) and "-partial-" in entry.name):
                continue
            path = Path(entry.path)
            is_folder = entry.is_dir(follow_symlinks=False)
            if _is_abandoned(path / LOCK if is_folder else path):
                if is_folder:
                    shutil.rmtree(path, ignore_errors=True)
                    _remove_empty(folder / entry.name[1:].rpartition("-partial-")[0])
                else:
                    path.unlink(missing_ok=True)


def _remove_empty(folder: Path) -> None:
    """Remove the folder that a half-written one should have become, where its process died before."""
    with suppress(OSError):
        if os.listdir(folder) == [LOCK] and _is_abandoned(folder / LOCK):
            (folder / LOCK).unlink()
            folder.rmdir()


def _is_abandoned(path: Path) -> bool:
    """Tell whether nobody holds the lock of a file; of one that is not there, nobody can say."""
    try:
        handle = os.open(path, os.O_RDWR)
    except OSError:
        return False
    try:
        return lock(handle) == "ours"
    finally:
        os.close(handle)


def _forget() -> None:
    """In a forked child: let go of the handles, which would hold the parent's locks beyond its end."""
    for claim in _claims.values():
        with suppress(OSError):
            os.close(claim.handle)
    _claims.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
