"""What pruning and quantising a run share: reading it, training it further, writing the new run."""

from __future__ import annotations

import dataclasses
import json
import zlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np

from minigrad import nn
from minigrad.data import Dataset
from minigrad.errors import DataError
from minigrad.files import save_arrays, write_json
from minigrad.train import report
from minigrad.train.build import Session, build
from minigrad.train.callbacks import Callback
from minigrad.train.checkpoint import Checkpoint, load_checkpoint
from minigrad.train.compressed import COMPRESSION, Compression
from minigrad.train.config import Config
from minigrad.train.evaluation import evaluate
from minigrad.train.progress import ShowProgress
from minigrad.train.run import CONFIG, NETWORK, RESULTS, WEIGHTS, load_reader

Change = Callable[[nn.Module], nn.Module]


class Source:
    """A finished run that something is made of, with what it is called and how it was compressed before.

    ``name`` is what it is called in the new run's files, its folder where None. Raises DataError MG-71x where it is
    unfinished or damaged.
    """

    def __init__(self, folder: Path, name: str | None = None) -> None:
        self.model, self.network = load_reader(folder)
        self.config = Config.load(folder / CONFIG)
        self.compression = Compression.of(folder)
        self.folder = folder
        self.name = name or str(folder)

    def remembered(self) -> dict[str, Any]:
        """Return as plain data what ``Source.of`` finds the run with again."""
        return {"run": self.name, "folder": str(self.folder.resolve()), "weights": self._checksum()}

    @classmethod
    def of(cls, remembered: dict[str, Any], begun: Path) -> Source:
        """Read the run that ``begun`` was begun from; DataError MG-717 where its weights are others now."""
        source = cls(Path(remembered["folder"]), remembered["run"])
        if source._checksum() != remembered["weights"]:
            raise DataError(
                "MG-717",
                f"{source.folder} is not the run any more that {begun} was begun from: it has other weights. "
                "Restore them from a copy, or start again from this run.",
            )
        return source

    def _checksum(self) -> int:
        return zlib.crc32((self.folder / WEIGHTS).read_bytes())

    def session(self, change: Change, epochs: int | None, lr: float | None) -> Session:
        """Build the training that goes on with ``change`` of the run's network.

        Its settings are those of the run, but for ``epochs`` and ``lr`` where they are given. Stopping early is off:
        it would bring back weights from before they were pruned.
        """
        config = dataclasses.replace(
            self.config,
            epochs=self.config.epochs if epochs is None else epochs,
            lr=self.config.lr if lr is None else lr,
            patience=0,
        )

        def changed(fresh: nn.Module) -> nn.Module:
            model = change(self.model)
            generators = [part.rng for part in fresh.modules() if isinstance(part, nn.Dropout)]
            nn.seed_dropout(model, next(filter(None, generators), np.random.default_rng(0)))
            return model.train()

        return build(config, change=changed)


def tune(
    session: Session,
    progress: ShowProgress,
    callbacks: Sequence[Callback] = (),
    inside: AbstractContextManager[None] | None = None,
    checkpoint: Checkpoint | None = None,
) -> float:
    """Train until the session's epochs are done and return the seconds that it took, those before it was resumed too.

    With ``checkpoint`` it goes on from the one that is there already, if any, and saves more of them.
    """
    trainer = session.trainer
    trainer.callbacks += callbacks
    if checkpoint is not None:
        if checkpoint.path.exists():
            load_checkpoint(trainer, checkpoint.path, session.loader, checkpoint.settings)
        trainer.callbacks.append(checkpoint)
    trainer.callbacks.append(progress)
    try:
        with inside or nullcontext():
            trainer.fit(session.loader, session.data.validation, session.config.epochs)
    finally:
        progress.close()
    return trainer.seconds()


def measure_of(session: Session) -> tuple[str, Callable[[nn.Module], float]]:
    """Return what a curve shows and how it is measured: on the validation data where the run has some.

    The test data are never chosen with: where there is no validation data a curve of them is a report, not a choice.
    """
    part, name = session.data.validation, "validation"
    if part is None:
        part, name = session.data.test, "test"
    data: Dataset = part
    kind = "accuracy" if data.is_classification else "loss"

    def measure(model: nn.Module) -> float:
        found = evaluate(model, data, session.loss, session.config.device)
        return found.loss if found.accuracy is None else found.accuracy

    return f"{name} {kind}", measure


def write(
    folder: Path,
    source: Source,
    session: Session,
    model: nn.Module,
    compression: Compression,
    figures: dict[str, Any],
    *,
    seconds: float,
    title: str,
    section: str,
) -> dict[str, Any]:
    """Write the compressed network as a run of its own and return its results, ``figures`` among them."""
    about = {
        CONFIG: source.config.to_dict(),
        NETWORK: source.network.to_dict(),
        COMPRESSION: compression.to_dict(),
    }
    for name, content in about.items():
        write_json(folder / name, content)
    texts = {name: json.dumps(content) for name, content in about.items()}
    save_arrays(folder / WEIGHTS, model.state_dict(), texts)
    data, history = session.data, session.trainer.history
    before = evaluate(source.model, data.test, session.loss)
    tested = evaluate(model, data.test, session.loss)
    results = report.write(
        folder,
        session.config,
        history,
        data,
        tested,
        str(model),
        seconds,
        ran=session.trainer.ran if history else "",
        title=title,
        section=section,
    )
    results |= {
        "test_accuracy_before": before.accuracy,
        "test_loss_before": before.loss,
        "weights_bytes": (folder / WEIGHTS).stat().st_size,
        **figures,
    }
    write_json(folder / RESULTS, results)
    return results
