"""Pruning as a callback: a resumed training prunes on where it was."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from minigrad import nn, optim
from minigrad.compress import GradualPruning
from minigrad.data import DataLoader, load_digits
from minigrad.train.checkpoint import load_checkpoint, save_checkpoint
from minigrad.train.prune import Pruning
from minigrad.train.trainer import Trainer


def training() -> tuple[Trainer, DataLoader, Pruning]:
    model = nn.Sequential(
        nn.Linear(64, 20, rng=np.random.default_rng(0)),
        nn.ReLU(),
        nn.Linear(20, 10, rng=np.random.default_rng(1)),
    )
    optimizer = optim.Adam(model, lr=0.01)
    watch = Pruning(GradualPruning(model, optimizer, 0.9, end=20, every=4))
    rng = np.random.default_rng(2)
    trainer = Trainer(model, nn.CrossEntropyLoss(), optimizer, callbacks=[watch], generators={"batches": rng})
    return trainer, DataLoader(load_digits(), 256, rng=rng), watch


def test_a_checkpoint_holds_the_masks(tmp_path: Path) -> None:
    whole, loader, watch = training()
    with watch.pruning.masks.held():
        whole.fit(loader, None, 4)
    assert watch.pruning.masks.sparsity > 0.89

    first, loader, watch = training()
    with watch.pruning.masks.held():
        first.fit(loader, None, 2)
    save_checkpoint(first, tmp_path / "checkpoint.safetensors")
    half = watch.pruning.masks.sparsity
    second, loader, watch = training()
    load_checkpoint(second, tmp_path / "checkpoint.safetensors", loader)
    assert watch.pruning.masks.sparsity == half > 0.5
    with watch.pruning.masks.held():
        second.fit(loader, None, 4)
    for name, array in whole.model.state_dict().items():
        np.testing.assert_array_equal(second.model.state_dict()[name], array)
