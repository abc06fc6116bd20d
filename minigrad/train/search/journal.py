"""The memory of a search: what Optuna wants remembered, one line of JSON each, with a checksum over all before it.

Optuna's own ``JournalFileBackend`` reads the file too (and so does optuna-dashboard). It is not used here because it
neither notices a changed digit nor survives a line that a kill cut in two, and leaves a lock behind.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from optuna.storages.journal import BaseJournalBackend

from minigrad.claims import check_claims, refused, taken_away
from minigrad.errors import DataError

_CHECKSUM = "crc32"
_START = b'{"op_code":'  # of every line that Optuna has written


class Journal(BaseJournalBackend):
    """The journal in a file, for one process at a time.

    A last line that is cut off is dropped, since a kill may come in the middle of it; DataError MG-852 where anything
    else is not as it was written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.begun = path.exists()
        self.checksum = 0
        self.entries: list[dict[str, Any]] = []
        whole = 0
        for number, line in enumerate(path.read_bytes().splitlines(keepends=True) if path.exists() else ()):
            if not line.endswith(b"\n") and line.startswith(_START[: len(line)]):
                os.truncate(path, whole)
                break
            self.entries.append(self._checked(line, number + 1))
            whole += len(line)

    def _checked(self, line: bytes, number: int) -> dict[str, Any]:
        try:
            entry = json.loads(line)
            written = entry.pop(_CHECKSUM)
            if written != self._next(entry):
                raise ValueError("its checksum differs")
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            raise DataError(
                "MG-852",
                f"line {number} of {self.path} is not as it was written ({error}). It was damaged or edited: restore "
                "it from a copy, or delete that line and all after it to go on from there.",
            ) from error
        self.checksum = written
        return dict(entry)

    def _next(self, entry: dict[str, Any]) -> int:
        return zlib.crc32(json.dumps(entry, separators=(",", ":")).encode(), self.checksum)

    def read_logs(self, log_number_from: int) -> Iterator[dict[str, Any]]:
        """Yield the entries from this one on."""
        yield from self.entries[log_number_from:]

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Add entries, and see to it that they are on the disk."""
        lines = []
        for log in logs:
            entry = json.loads(json.dumps(log))
            self.checksum = self._next(entry)
            self.entries.append(entry)
            lines.append(json.dumps({**entry, _CHECKSUM: self.checksum}, separators=(",", ":")) + "\n")
        check_claims(self.path)
        if self.begun and not self.path.is_file():
            raise taken_away(self.path)
        try:
            with open(self.path, "a", encoding="utf-8") as file:
                file.writelines(lines)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise refused(self.path, error) from error
        self.begun = True
