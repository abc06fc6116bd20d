"""Running an ONNX file in onnxruntime and comparing what it gives with what the network gives."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from minigrad.errors import DataError
from minigrad.extras import extra

TOLERANCE = 1e-5

Array = np.ndarray[Any, Any]


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


def compare(content: bytes, ours: Callable[[Array], list[Array]], batches: list[Array]) -> float:
    """Return the largest difference between an ONNX model's outputs and ``ours`` over some batches.

    It is max |a - b| / max(1, max |b|) for each output, b ours. Raises DataError MG-862 where it is above 1e-5 or a
    shape differs.
    """
    largest = 0.0
    for batch, theirs in zip(batches, outputs(content, batches), strict=True):
        for number, (a, b) in enumerate(zip(theirs, ours(batch), strict=True)):
            if a.shape != b.shape:
                raise DataError(
                    "MG-862",
                    f"output {number} has the shape {a.shape} in onnxruntime and {b.shape} here. Nothing was written.",
                )
            difference = float(np.abs(a - b).max() / max(1.0, float(np.abs(b).max())))
            if not difference <= TOLERANCE:
                raise DataError(
                    "MG-862",
                    f"onnxruntime's output {number} differs from the network's by {difference:.2g} of the largest, and "
                    f"{TOLERANCE:g} is allowed. Nothing was written. Please report it, with the network.",
                )
            largest = max(largest, difference)
    return largest
