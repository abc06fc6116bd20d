"""What a model does on a dataset: mean loss, accuracy, outputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from minigrad import backend, modes
from minigrad.data import DataLoader, Dataset
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
    a regression), and the outputs, one row per sample.
    """
    training = [(module, module.training) for module in model.modules()]
    model.eval()
    total, outputs = 0.0, []
    with modes.no_grad():
        for x, y in DataLoader(dataset, min(EVALUATION_BATCH, len(dataset))):
            predicted = model(on_device(x, device))
            total += float(loss(predicted, backend.to_device(y, device))) * len(x)
            outputs.append(predicted.numpy())
    for module, mode in training:
        module.training = mode
    stacked = np.concatenate(outputs)
    accuracy = None
    if dataset.is_classification:
        accuracy = float(np.mean(stacked.argmax(axis=1) == dataset.y))
    return Evaluation(total / len(dataset), accuracy, stacked)


def on_device(x: np.ndarray[Any, Any], device: str) -> Tensor:
    """Make a Tensor of a batch, where the model is."""
    return Tensor(x if device == "cpu" else backend.to_device(x, device))
