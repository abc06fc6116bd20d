"""A run: a config goes in, a folder comes out; started anew, or resumed from wherever it was killed."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np

from minigrad import nn
from minigrad.claims import claimed, make_folder, refused, remove_half_written, taken_away
from minigrad.data import Dataset
from minigrad.data.text import Vocabulary, Windows
from minigrad.errors import ConfigError, DataError, NonFiniteError
from minigrad.escape import file_name
from minigrad.files import load_arrays, read_json, save_arrays, write_json
from minigrad.parallel import ALONE, Communicator
from minigrad.parallel.manifest import compare, manifest
from minigrad.train import compressed, report, views
from minigrad.train.build import Session, build
from minigrad.train.checkpoint import Checkpoint, load_checkpoint
from minigrad.train.config import Config
from minigrad.train.evaluation import Evaluation, evaluate
from minigrad.train.network import Network
from minigrad.train.pretrained import transfer
from minigrad.train.progress import ShowProgress
from minigrad.train.recipes import network_of, recipe_named
from minigrad.train.texts import Samples

CONFIG, CHECKPOINT, WEIGHTS, NETWORK = (
    "config.json",
    "checkpoint.safetensors",
    "weights.safetensors",
    "network.json",
)
FIRST_WEIGHTS = "first-weights.safetensors"
"""What a run started from, where that was given: a copy, so that the run does not depend on where it came from."""
RESULTS = "results.json"

Announce = Callable[[Session], None]
"""Called with the session when it is built, before it trains."""


def start(
    config: Config,
    folder: Path,
    progress: ShowProgress,
    announce: Announce | None = None,
    communicator: Communicator = ALONE,
    compile: bool | None = None,
) -> dict[str, Any]:
    """Train a new run in ``folder``, which must not hold one yet; return its results.

    Of several processes, each calls it, and process 0 does what a person sees: it announces, shows progress, writes
    every file and has the results; the others return {}. ``compile`` as in ``Trainer``.

    Raises ConfigError MG-804 where the folder cannot take a run, MG-806 where another process has it, FileError MG-807
    or MG-808 where it cannot be written to any more, and what building and training raise.
    """
    with _owned(folder, communicator):
        if communicator.is_root and (folder / CONFIG).exists():
            raise ConfigError(
                "MG-804",
                f"{folder} holds a run already. Continue it with --resume {folder}, or choose another --out.",
            )
        session = build(config, communicator=communicator, compile=compile)
        if config.start_from:
            take_weights(config, session.model)
            if communicator.is_root:
                texts = {CONFIG: json.dumps(session.config.to_dict())}
                nn.save_weights(session.model, folder / FIRST_WEIGHTS, texts)
        if communicator.is_root:
            write_json(folder / CONFIG, config.to_dict())
        return _train(session, folder, progress, announce, communicator)


def _owned(folder: Path, communicator: Communicator) -> AbstractContextManager[object]:
    """Process 0 has the folder for all of them."""
    return claimed(folder) if communicator.is_root else nullcontext()


def resume(
    folder: Path,
    progress: ShowProgress,
    announce: Announce | None = None,
    communicator: Communicator = ALONE,
    compile: bool | None = None,
) -> dict[str, Any]:
    """Continue a run that was killed or interrupted; it ends as if it had never been. Return its results.

    Several processes may continue what one began, and the other way round; the end is the same to rounding then.

    Raises ConfigError MG-806 where the run is still running.
    """
    compressed.refuse_begun(folder)
    config = Config.load(folder / CONFIG)
    with _owned(folder, communicator):
        session = build(config, communicator=communicator, compile=compile)
        begun_from = config.start_from or (folder / FIRST_WEIGHTS).exists()
        if begun_from and not (folder / CHECKPOINT).exists():
            texts = nn.load_weights(session.model, folder / FIRST_WEIGHTS)
            _compare(folder / FIRST_WEIGHTS, texts, {CONFIG: config})
        return _train(session, folder, progress, announce, communicator)


def take_weights(config: Config, model: nn.Module) -> None:
    """Let a model begin with the weights of the run or safetensors file that its config names."""
    source = Path(config.start_from)
    arrays = load_network(source)[0].state_dict() if source.is_dir() else load_arrays(source)[0]
    transfer(model, arrays, source, config.fresh)


def is_finished(folder: Path) -> bool:
    """Tell whether the run in ``folder`` has come to its end."""
    return (folder / RESULTS).exists() and not (folder / compressed.BEGUN).exists()


def _train(
    session: Session,
    folder: Path,
    progress: ShowProgress,
    announce: Announce | None,
    communicator: Communicator,
) -> dict[str, Any]:
    is_root = communicator.is_root
    if announce is not None and is_root:
        announce(session)
    trainer, checkpoint, settings = session.trainer, folder / CHECKPOINT, session.config.to_dict()
    if checkpoint.exists():
        load_checkpoint(trainer, checkpoint, session.loader, settings)
    if communicator.size > 1:
        samples = len(session.data.train)
        ours = {
            "config": settings,
            "epoch": trainer.epoch,
            "training samples": samples,
            "staleness": session.staleness,
        }
        compare(communicator, manifest(session.model.named_parameters(), **ours))
    if session.worker is not None:
        session.worker.run(trainer, session.loader)
        communicator.barrier("rank 0 to write the results")
        return {}
    if is_root:
        if isinstance(train := session.data.train, Windows):
            trainer.callbacks.append(Samples(folder, Vocabulary(train.classes or ()), session.config.seed))
        trainer.callbacks += [Checkpoint(checkpoint, settings=settings), progress]
    try:
        trainer.fit(session.loader, session.data.validation, session.config.epochs)
    except NonFiniteError:
        if is_root:
            _save_weights(session, folder)
        raise
    finally:
        progress.close()
    results = _finish(session, folder, trainer.seconds()) if is_root else {}
    communicator.barrier("rank 0 to write the results")
    return results


def _finish(session: Session, folder: Path, seconds: float) -> dict[str, Any]:
    """Write the weights and everything that is read off them; ``results.json`` comes last and ends the run."""
    data, config = session.data, session.config
    if not (folder / CONFIG).is_file():
        raise taken_away(folder / CONFIG)
    _save_weights(session, folder)
    write_json(folder / NETWORK, Network.of(data).to_dict())
    tested = evaluate(session.model, data.test, session.loss, session.trainer.device)
    results = report.write(
        folder,
        config,
        session.trainer.history,
        data,
        tested,
        str(session.model),
        seconds,
        ran=session.trainer.ran,
        views=views.write(folder, session.model, data, session.loss),
    )
    write_json(folder / RESULTS, results)
    (folder / CHECKPOINT).unlink(missing_ok=True)
    return results


def _save_weights(session: Session, folder: Path) -> None:
    """With the config and the network's description in the file, under its checksum, so that they stay together."""
    about = {CONFIG: session.config.to_dict(), NETWORK: Network.of(session.data).to_dict()}
    texts = {name: json.dumps(content) for name, content in about.items()}
    save_arrays(folder / WEIGHTS, session.model.state_dict(), texts)


def read_results(folder: Path) -> dict[str, Any]:
    """Read a finished run's ``results.json``; DataError MG-712 where it is damaged."""
    path = folder / RESULTS
    results = read_json(path)
    fits = isinstance(results, dict) and all(
        isinstance(results.get(name, 0), (int, float)) for name in ("test_loss", "test_accuracy", "seconds")
    )
    if not fits or "test_loss" not in results:
        raise DataError(
            "MG-712", f"{path} does not hold a run's results. minigrad evaluate {folder} finds them anew."
        )
    return dict(results)


def load_network(folder: Path) -> tuple[nn.Module, Network]:
    """Rebuild a finished run's network, in eval mode, with its weights; and what is known of it.

    Raises DataError MG-71x where the run is unfinished or damaged, or its files do not belong together.
    """
    compressed.refuse_begun(folder)
    config = Config.load(folder / CONFIG)
    if not (folder / NETWORK).exists():
        raise DataError(
            "MG-715", f"the run {folder} is not finished. Continue it: minigrad train --resume {folder}"
        )
    network = Network.load(folder / NETWORK)
    arrays, texts = load_arrays(folder / WEIGHTS)
    _compare(folder / WEIGHTS, texts, {CONFIG: config, NETWORK: network})
    recipe = recipe_named(config.recipe)
    hidden = 0 if CONFIG in texts or "hidden" not in recipe.sizes else config.hidden
    if max(network.inputs if recipe.grows else 0, network.outputs, hidden) > sum(
        array.size for array in arrays.values()
    ):
        raise DataError(
            "MG-713",
            f"{folder / WEIGHTS} holds too few numbers for a network with {network.inputs} inputs and "
            f"{network.outputs} outputs, as {NETWORK} says. Restore both from a copy, or train again.",
        )
    unused = np.random.default_rng(0)
    model = network_of(config, network.inputs, network.outputs, unused, unused, network.image_shape)
    model = compressed.restored(model, folder, texts)
    model.load_state_dict(arrays)
    return model.eval(), network


def load_reader(folder: Path) -> tuple[nn.Module, Network]:
    """As ``load_network``; DataError MG-532 where the network reads text, which is no row of numbers."""
    loaded = load_network(folder)
    if recipe_named(Config.load(folder / CONFIG).recipe).reads:
        raise DataError(
            "MG-532",
            f"the network of {folder} writes text; predict, prune and quantize are for networks that read "
            f"pictures or rows of numbers. Let it write: minigrad sample {folder}",
        )
    return loaded


def _compare(weights: Path, texts: dict[str, str], now: dict[str, Config | Network]) -> None:
    """See that a weights file was written with what the files beside it say now."""
    for name, content in now.items():
        if name in texts and type(content)(**json.loads(texts[name])) != content:
            raise DataError(
                "MG-717",
                f"{weights.parent / name} is not what {weights} was trained with: one of the two was changed or "
                "comes from another run. Restore it from a copy, or train again.",
            )


def evaluate_run(folder: Path) -> tuple[Evaluation, Dataset]:
    """Evaluate a finished run on its test set again, on the CPU; return what was found and the test set."""
    model, _ = load_network(folder)
    session = build(dataclasses.replace(Config.load(folder / CONFIG), device="cpu"))
    return evaluate(model, session.data.test, session.loss), session.data.test


def next_folder(recipe: str, data: str, parent: Path = Path("runs")) -> Path:
    """Make the first free ``runs/RECIPE-DATA-N`` and return it; two runs at once never get the same one."""
    stem = f"{recipe}-{file_name(Path(data).stem)}"
    make_folder(parent)
    remove_half_written(parent)
    number = 1
    while True:
        folder = parent / f"{stem}-{number}"
        try:
            folder.mkdir()
        except FileExistsError:
            number += 1
        except OSError as error:
            raise refused(folder, error) from error
        else:
            return folder
