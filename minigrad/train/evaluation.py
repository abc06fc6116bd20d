"""What a model does on a dataset: mean loss, accuracy, outputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from minigrad_kernels import driver
from minigrad_kernels.loops import called_by

from minigrad import backend, modes
from minigrad.data import DataLoader, Dataset
from minigrad.data.text import Windows
from minigrad.errors import ConfigError
from minigrad.nn import Module
from minigrad.tensor import Tensor

Loss = Callable[[Tensor, Any], Tensor]
EVALUATION_BATCH = 1024


class Evaluation(NamedTuple):
    """What ``evaluate`` found on a dataset."""

    loss: float
    accuracy: float | None
    outputs: np.ndarray[Any, Any]


def evaluate(model: Module, dataset: Dataset, loss: Loss, device: str = "cpu") -> Evaluation:
    """Run the model over a dataset in eval mode, without recording and without changing anything.

    Returns the mean loss over all samples, the share of samples whose largest output is their class (None for
    a regression), and the outputs, one row per sample (none of text, where each character has its own). Of a model
    that returns several things the first is taken for its outputs; the loss gets all of them. ConfigError MG-802 where
    that is no Tensor.
    """
    training = [(module, module.training) for module in model.modules()]
    model.eval()
    is_text = isinstance(
        dataset, Windows
    )  # with outputs at each place: too many to be kept, and counted at once
    size = max(1, EVALUATION_BATCH * 8 // dataset.x.shape[1]) if is_text else EVALUATION_BATCH
    total, right, outputs = 0.0, 0, []
    # a process that finds the loops' entries compiled does without Numba
    with modes.no_grad(), called_by(driver.call):
        for x, y in DataLoader(dataset, min(size, len(dataset))):
            predicted = model(on_device(x, device))
            total += float(loss(predicted, backend.to_device(y, device))) * len(x)
            found = _first(predicted).numpy()
            if dataset.is_classification:
                right += int(np.sum(found.argmax(axis=1) == y.reshape(-1)))
            outputs.append(found[:0] if is_text else found)
    for module, mode in training:
        module.training = mode
    accuracy = right / dataset.y.size if dataset.is_classification else None
    return Evaluation(total / len(dataset), accuracy, np.concatenate(outputs))


def _first(predicted: Any) -> Tensor:
    parts = tuple(predicted.values()) if isinstance(predicted, Mapping) else predicted
    first = parts[0] if isinstance(parts, (tuple, list)) and parts else parts
    if not isinstance(first, Tensor):
        raise ConfigError(
            "MG-802",
            f"the model returned {type(predicted).__name__}, of which the first is to be its outputs, a Tensor with a "
            f"row for each sample, and is {type(first).__name__}. Let forward return (outputs, …).",
        )
    return first


def on_device(x: np.ndarray[Any, Any], device: str) -> Tensor:
    """Make a Tensor of a batch, where the model is."""
    return Tensor(x if device == "cpu" else backend.to_device(x, device))
