"""Weights in files: safetensors, which PyTorch reads and writes too."""

from __future__ import annotations

import os
from collections.abc import Mapping

from minigrad.files import load_arrays, save_arrays
from minigrad.nn.module import Module


def save_weights(
    module: Module, path: str | os.PathLike[str], metadata: Mapping[str, str] | None = None
) -> None:
    """Write the parameters and buffers, by their dotted names, and a few words about them, whole or not at all.

    PyTorch reads the file with ``safetensors.torch.load_file``.
    """
    save_arrays(path, module.state_dict(), metadata)


def load_weights(module: Module, path: str | os.PathLike[str], strict: bool = True) -> dict[str, str]:
    """Read weights that ``save_weights``, or PyTorch's safetensors, wrote; return the file's metadata.

    Raises DataError MG-711 where the file is missing or damaged, and MG-713 where its weights do not fit the module;
    the module is unchanged then. ``strict`` as in ``Module.load_state_dict``.
    """
    arrays, metadata = load_arrays(path)
    module.load_state_dict(arrays, strict)
    return metadata
