"""Are all processes training the same? Asked before the first step, and of the parameters' bits ever and again."""

from __future__ import annotations

import json
import platform
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from minigrad import backend
from minigrad.errors import ParallelError
from minigrad.parallel.communicator import Communicator, of_all
from minigrad.tensor import Tensor
from minigrad.version import __version__

Manifest = dict[str, Any]


def manifest(params: Mapping[str, Tensor], **more: Any) -> Manifest:
    """Describe what is about to be trained: versions, every parameter's shape, dtype and bits, and ``more``."""
    return {
        "minigrad": __version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        **{f"parameter {name}": f"{t.dtype} of shape {t.shape}" for name, t in params.items()},
        "parameters' checksum": checksum(params),
        **more,
    }


def checksum(params: Mapping[str, Tensor]) -> int:
    """Return the CRC-32 of all parameters' bytes, in their order."""
    total = 0
    for tensor in params.values():
        total = zlib.crc32(np.ascontiguousarray(backend.to_numpy(tensor.data)).data, total)
    return total


def compare(communicator: Communicator, own: Manifest) -> None:
    """Exchange the manifests before any array is sent; ParallelError MG-872 on all processes where they differ."""
    texts = communicator.gather(json.dumps(own), "the others' manifests")
    try:
        check_equal([json.loads(text) for text in texts])
    except ParallelError as error:
        raise of_all(error) from None


def check_equal(manifests: Sequence[Manifest]) -> None:
    """Raise ParallelError MG-872 that names what differs, and on which ranks, unless all manifests are equal."""
    first = manifests[0]
    wrong = []
    for key in dict.fromkeys(key for each in manifests for key in each):
        others = [r for r, each in enumerate(manifests) if each.get(key) != first.get(key)]
        if others:
            there = manifests[others[0]].get(key)
            wrong.append(f"{key} is {first.get(key)!r} on rank 0 and {there!r} on rank {_ranks(others)}")
    if wrong:
        more = f"; and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        raise ParallelError(
            "MG-872",
            f"the processes are not training the same: {'; '.join(wrong[:5])}{more}. Gradients that do not belong "
            "together would be averaged. Start all of them with one command, one installation and one folder.",
        )


def check_same_parameters(communicator: Communicator, params: Mapping[str, Tensor], step: int) -> None:
    """Compare the parameters' checksums; ParallelError MG-874 on all processes where they have drifted apart."""
    texts = communicator.gather(str(checksum(params)), f"the others' checksums at step {step}")
    try:
        check_sums([int(text) for text in texts], step)
    except ParallelError as error:
        raise of_all(error) from None


def check_sums(sums: Sequence[int], step: int) -> None:
    """Raise ParallelError MG-874 unless the processes' checksums after ``step`` are all equal."""
    others = [rank for rank, each in enumerate(sums) if each != sums[0]]
    if others:
        raise ParallelError(
            "MG-874",
            f"after step {step} the parameters on rank {_ranks(others)} are not those on rank 0, though every step "
            "was the same. A process changed its parameters on its own (a callback that not all have?), or its "
            "memory or its arithmetic is not to be trusted. Resume from the last checkpoint.",
        )


def _ranks(ranks: Sequence[int]) -> str:
    return ", ".join(map(str, ranks))
