"""A finished run as an ONNX file, which appears when onnxruntime has given the network's own outputs with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from minigrad import modes, nn
from minigrad.claims import check_folder
from minigrad.data import scaler_from_state
from minigrad.errors import ConfigError
from minigrad.export import graph
from minigrad.export.check import Agreement, compare
from minigrad.files import atomic_write
from minigrad.ops import softmax
from minigrad.tensor import Tensor
from minigrad.train.config import Config
from minigrad.train.network import Network
from minigrad.train.recipes import recipe_named
from minigrad.train.run import CONFIG, load_network

Array = np.ndarray[Any, Any]
_SAMPLES = 256


class Exported(NamedTuple):
    """What was written: the file, how many bytes, and how well it agrees."""

    path: Path
    size: int
    agreement: Agreement


def export(folder: Path, path: Path) -> Exported:
    """Write the network of a finished run to ``path`` as ONNX, whole or not at all.

    The file takes samples as the data hold them: rows are scaled in the graph, pixels go from 0 to 1; of a network that
    writes, the ids of characters (samples, times), and the logits of all times come one below the other. Before it
    is written, onnxruntime's outputs are compared with the network's own: on inputs drawn at random, on all zeros and
    on all ones, by the hundred and one at a time, or on texts of several lengths.

    Raises ConfigError MG-802 where ``path`` is no name for it, MG-804 where no folder can hold it, MG-805 without onnx
    and onnxruntime, MG-861 and MG-862 where the network cannot be written or the outputs differ, FileError MG-807 where
    the file cannot, and what loading a run raises.
    """
    if path.suffix != ".onnx" or path.is_dir():
        raise ConfigError("MG-802", f"the file is {str(path)[:80]!r}; its name must end in .onnx.")
    check_folder(path.parent)
    model, network = load_network(folder)
    config = Config.load(folder / CONFIG)
    writes = bool(recipe_named(config.recipe).reads)
    scaler = None if network.scaling is None else scaler_from_state(network.scaling)
    content = graph.model_of(
        model,
        ("times",) if writes else (network.inputs,),
        scaling=scaler,
        classes=network.classes is not None,
        integers=writes,
        metadata=_metadata(config, network, writes),
    )

    def ours(x: Array) -> list[Array]:
        scaled = x if scaler is None else scaler.apply(x).astype(np.float32)
        return _outputs(model, network, scaled)

    rounds = any(isinstance(part, graph.QuantizedDense) for part in model.modules())
    batches = _texts(network.outputs, config.context) if writes else _inputs(network)
    agreement = compare(content, ours, batches, rounds)
    atomic_write(path, content)
    return Exported(path, len(content), agreement)


def _outputs(model: nn.Module, network: Network, x: Array) -> list[Array]:
    with modes.no_grad():
        outputs = model(Tensor(x)).numpy()
    return [outputs] if network.classes is None else [outputs, np.asarray(softmax(outputs))]


def _inputs(network: Network) -> list[Array]:
    """Batches that the network could be given: pixels from 0 to 1, or numbers like those of the training data."""
    rng = np.random.default_rng(0)
    drawn, dtype = rng.random((_SAMPLES, network.inputs)), np.dtype(np.float32)
    if network.scaling is not None:
        scaler = scaler_from_state(network.scaling)
        drawn, dtype = scaler.offset + 3 * scaler.scale * (2 * drawn - 1), scaler.input_dtype
    whole = np.vstack([drawn, np.zeros(network.inputs), np.ones(network.inputs)]).astype(dtype)
    return [whole, *(row.reshape(1, -1) for row in whole[-3:])]


def _texts(characters: int, context: int) -> list[Array]:
    """Batches of ids that the network could read, of one time up to its context."""
    rng, half = np.random.default_rng(0), max(1, context // 2)
    return [rng.integers(0, characters, shape) for shape in ((16, context), (3, half), (1, 1))]


def _metadata(config: Config, network: Network, writes: bool) -> dict[str, str]:
    known: dict[str, Any] = {
        "recipe": config.recipe,
        "data": Path(config.data).stem,
        "classes": network.classes,
        "image_shape": network.image_shape,
        "context": config.context if writes else None,
    }
    return {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in known.items()
        if value is not None
    }
