"""Running an ONNX file in onnxruntime and comparing what it gives with what the network gives."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

from minigrad.errors import DataError
from minigrad.extras import extra

TOLERANCE, ROUNDING = 1e-5, 1e-2

Array = np.ndarray[Any, Any]


class Agreement(NamedTuple):
    """How many samples were compared, their largest difference, and the share of them that differ by 1e-5 at most."""

    samples: int
    largest: float
    share: float


def outputs(content: bytes, batches: Iterable[Array]) -> list[list[Array]]:
    """Return all outputs of an ONNX model for each batch, computed by onnxruntime on one thread of the CPU.

    Raises DataError MG-862 where onnxruntime refuses the file, ConfigError MG-805 where it is not installed.
    """
    runtime = extra("onnxruntime", "onnx", "exporting")
    options = runtime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    try:
        session = runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        name = session.get_inputs()[0].name
        return [session.run(None, {name: batch}) for batch in batches]
    except Exception as error:  # its exceptions have no common base but this
        raise DataError(
            "MG-862", f"onnxruntime cannot run the network: {error}. Nothing was written."
        ) from error


def compare(
    content: bytes, ours: Callable[[Array], list[Array]], batches: list[Array], rounds: bool = False
) -> Agreement:
    """Compare an ONNX model's outputs with ``ours`` over some batches.

    A sample's difference is max |a - b| / max(1, max |b|), b ours and the second maximum over its batch. All have to be
    at most 1e-5. Where the network ``rounds`` on its way, to 8-bit integers, that is asked of half of the samples: a
    number that lies between two integers up to the last bit may fall to either side, and of the others 1e-2 is asked.

    Raises DataError MG-862 where that does not hold or a shape differs.
    """
    found: list[Array] = []
    for batch, theirs in zip(batches, outputs(content, batches), strict=True):
        differences = np.zeros(len(batch))
        for number, (a, b) in enumerate(zip(theirs, ours(batch), strict=True)):
            if a.shape != b.shape:
                raise DataError(
                    "MG-862",
                    f"output {number} has the shape {a.shape} in onnxruntime and {b.shape} here. Nothing was written.",
                )
            off = np.abs(a - b).reshape(len(batch), -1).max(axis=1) / max(1.0, float(np.abs(b).max()))
            differences = np.maximum(differences, off)
        found.append(differences)
    joined = np.concatenate(found)
    agreement = Agreement(len(joined), float(joined.max()), float(np.mean(joined <= TOLERANCE)))
    allowed, share = (ROUNDING, 0.5) if rounds else (TOLERANCE, 1.0)
    if not agreement.largest <= allowed or agreement.share < share:
        raise DataError(
            "MG-862",
            f"onnxruntime's outputs differ from the network's by up to {agreement.largest:.2g} of the largest, and for "
            f"{100 * (1 - agreement.share):.3g} % of {len(joined)} samples by more than {TOLERANCE:g}. Nothing was "
            "written. Please report it, with the network.",
        )
    return agreement
