"""Where the numbers of a test come from: a secret of the instructor's, the student and the test.

Whoever knows a name, and even the numbers of a public test, can work out no other test's from them.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

import numpy as np

from minigrad.errors import DataError

_SHORTEST = 16  # bytes of a secret


def secret_in(path: Path) -> bytes:
    """Return the secret in a file; where there is none, one is drawn and written, for its owner alone to read.

    Raises DataError MG-954 where the file cannot be read or written, or holds fewer than 16 characters.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            secret = path.read_bytes().strip()
        else:
            secret = secrets.token_hex(32).encode()
            with open(handle, "wb") as file:
                file.write(secret + b"\n")
    except OSError as error:
        raise DataError(
            "MG-954",
            f"the secret {path} cannot be used: {error.strerror or error}. Give another: --secret FILE.",
        ) from error
    if len(secret) < _SHORTEST:
        raise DataError(
            "MG-954",
            f"the secret in {path} has {len(secret)} characters, and under {_SHORTEST} it can be guessed. "
            "Remove the file, and a secret is drawn.",
        )
    return secret


def seed_of(secret: bytes, assignment: str, student: str) -> int:
    """Return a student's seed, of 128 bits: HMAC-SHA256 of the assignment and the student under the secret."""
    message = f"{assignment}\0{student}".encode("utf-8", "surrogatepass")
    return int.from_bytes(hmac.digest(secret, message, "sha256")[:16], "big")


def generator(assignment: str, test: str, seed: int) -> np.random.Generator:
    """Return the numbers that a test draws from: a stream of its own for every test and every seed.

    They go through SHA-256, so that the numbers of one test tell nothing of another's.
    """
    text = f"{assignment}\0{test}\0{seed}".encode("utf-8", "replace")
    return np.random.default_rng(int.from_bytes(hashlib.sha256(text).digest(), "big"))
