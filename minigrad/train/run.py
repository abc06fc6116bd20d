"""A run: a config goes in, a folder comes out; started anew, or resumed from wherever it was killed."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from minigrad import nn, optim
from minigrad.backend import to_device
from minigrad.data import Compose, DataLoader, Dataset, Noise, Rotate, Shift
from minigrad.errors import ConfigError, DataError, NonFiniteError
from minigrad.files import atomic_write, load_arrays, read_json, save_arrays, write_json
from minigrad.optim import penalties, schedules
from minigrad.train import report
from minigrad.train.callbacks import Callback, EarlyStopping, GradientStatistics, GrowBatch, SuspiciousStart
from minigrad.train.checkpoint import Checkpoint, load_checkpoint
from minigrad.train.config import Config
from minigrad.train.prepare import Prepared, prepare
from minigrad.train.progress import ShowProgress
from minigrad.train.recipes import recipe_named
from minigrad.train.trainer import Evaluation, Trainer, evaluate

CONFIG, CHECKPOINT, WEIGHTS, NETWORK = "config.json", "checkpoint.safetensors", "weights.safetensors", "network.json"
RESULTS = "results.json"


@dataclass
class Session:
    """Everything that a config stands for, built and ready."""

    config: Config
    data: Prepared
    model: nn.Module
    loss: Any
    loader: DataLoader
    trainer: Trainer


def start(config: Config, folder: Path, progress: ShowProgress) -> dict[str, Any]:
    """Train a new run in ``folder``, which must not hold one yet; return its results."""
    if (folder / CONFIG).exists():
        raise ConfigError(
            "MG-804",
            f"{folder} holds a run already. Continue it with --resume {folder}, or choose another --out.",
        )
    session = build(config)
    write_json(folder / CONFIG, config.to_dict())
    return _train(session, folder, progress)


def resume(folder: Path, progress: ShowProgress) -> dict[str, Any]:
    """Continue a run that was killed or interrupted; it ends as if it had never been. Return its results."""
    session = build(Config.load(folder / CONFIG))
    return _train(session, folder, progress)


def is_finished(folder: Path) -> bool:
    """Tell whether the run in ``folder`` has come to its end."""
    return (folder / RESULTS).exists()


def build(config: Config) -> Session:
    """Load the data and build network, loss, optimizer and trainer; all chance comes from the config's seed."""
    splits, weights, masks, batches = (
        np.random.default_rng(s) for s in np.random.SeedSequence(config.seed).spawn(4)
    )
    recipe = recipe_named(config.recipe)
    data = prepare(config.data, config.validation, splits)
    model = recipe.build(*_sizes(config, data.train), weights, masks)
    if config.device != "cpu":
        model.to(config.device)
    loss = nn.CrossEntropyLoss() if data.train.is_classification else nn.MSELoss()
    size = config.batch_size or len(data.train)
    loader = DataLoader(data.train, min(size, len(data.train)), rng=batches, transform=_augmentation(config, data.train))
    updates = -(-len(loader) // config.accumulate)
    trainer = Trainer(
        model,
        loss,
        _optimizer(config, model, recipe.optimizer_settings, updates),
        callbacks=_callbacks(config, data),
        penalty=_penalty(config, model, len(data.train)),
        accumulate=config.accumulate,
        clip_value=config.clip_value or None,
        generators={"masks": masks, "batches": batches},
        device=config.device,
    )
    return Session(config, data, model, loss, loader, trainer)


def _sizes(config: Config, train: Dataset) -> tuple[int, int]:
    if config.recipe == "line-gd" and train.is_classification:
        raise ConfigError(
            "MG-803",
            f"line-gd fits a line to numbers, but {config.data} has classes. Use --data line or a table of your own.",
        )
    outputs = train.class_count if train.is_classification else int(np.prod(train.y.shape[1:]))
    return int(np.prod(train.x.shape[1:])), outputs


def _augmentation(config: Config, train: Dataset) -> Compose | None:
    if not config.augment:
        return None
    if train.image_shape is None:
        raise ConfigError("MG-803", f"augment works on pictures, and {config.data} holds none.")
    reach = max(1, train.image_shape[0] // 14)
    return Compose((Shift(train.image_shape, reach), Rotate(train.image_shape, 10.0), Noise(0.02)))


def _optimizer(config: Config, model: nn.Module, extra: dict[str, Any], updates: int) -> optim.Optimizer:
    settings: dict[str, Any] = {"weight_decay": config.weight_decay, "max_norm": config.clip_norm or None}
    if config.optimizer == "sgd":
        settings |= {"momentum": config.momentum, "nesterov": config.nesterov}
    elif config.momentum or config.nesterov:
        raise ConfigError("MG-803", f"momentum and nesterov are settings of sgd, not of {config.optimizer}.")
    if config.optimizer in ("adam", "adamw"):
        settings |= extra
    classes: dict[str, Any] = {
        "gd": optim.GD,
        "sgd": optim.SGD,
        "adagrad": optim.AdaGrad,
        "rmsprop": optim.RMSprop,
        "adam": optim.Adam,
        "adamw": optim.AdamW,
        "adam-as-printed": optim.AdamAsPrinted,
    }
    optimizer: optim.Optimizer = classes[config.optimizer](model, lr=_schedule(config, updates), **settings)
    return optimizer


def _schedule(config: Config, updates: int) -> schedules.Schedule:
    """The schedule in epochs; the printed step schedule is as printed, every 10 epochs, whatever their number."""
    lr, epochs = config.lr, config.epochs
    third = max(1, epochs // 3)
    chosen: schedules.Schedule = {
        "constant": lambda: schedules.Constant(lr),
        "exponential": lambda: schedules.Exponential(lr, 0.1, epochs),
        "exponential-as-printed": lambda: schedules.ExponentialAsPrinted(lr, 0.9, epochs),
        "step": lambda: schedules.StepDecay(lr, third),
        "step-as-printed": lambda: schedules.StepAsPrinted(lr),
        "cosine": lambda: schedules.Cosine(lr, max(1, epochs - config.warmup)),
        "plateau": lambda: schedules.ReduceLROnPlateau(lr, patience=5),
    }[config.schedule]()
    if config.schedule == "plateau" and not config.validation:
        raise ConfigError("MG-803", "the plateau schedule watches the validation loss: give validation a share above 0.")
    if config.warmup:
        chosen = schedules.Warmup(chosen, config.warmup)
    return schedules.PerEpoch(chosen, updates)


def _penalty(config: Config, model: nn.Module, m: int) -> Any:
    """Penalties on the weights, not the biases (D1 3.1: w)."""
    weights = [p for name, p in model.named_parameters().items() if name.endswith("weight")]
    terms = []
    if config.l1:
        terms.append(lambda: penalties.l1(weights, config.l1, m))
    if config.l2:
        terms.append(lambda: penalties.l2(weights, config.l2, m))
    if config.elastic:
        terms.append(lambda: penalties.elastic_net(weights, config.elastic, config.rho))
    return (lambda: sum((term() for term in terms[1:]), terms[0]())) if terms else None


def _callbacks(config: Config, data: Prepared) -> list[Callback]:
    """The callbacks whose state belongs to the run; progress and saving come behind them."""
    chosen: list[Callback] = [GradientStatistics()]
    if data.train.is_classification:
        chosen.append(SuspiciousStart(data.train.class_count))
    if config.patience:
        if data.validation is None:
            raise ConfigError("MG-803", "patience watches the validation loss: give validation a share above 0.")
        chosen.append(EarlyStopping(config.patience))
    if config.grow_batch:
        chosen.append(GrowBatch(config.grow_batch, limit=len(data.train)))
    return chosen


def _train(session: Session, folder: Path, progress: ShowProgress) -> dict[str, Any]:
    trainer, checkpoint = session.trainer, folder / CHECKPOINT
    if checkpoint.exists():
        load_checkpoint(trainer, checkpoint, session.loader)
    trainer.callbacks += [Checkpoint(checkpoint), progress]
    began = time.monotonic()
    try:
        trainer.fit(session.loader, session.data.validation, session.config.epochs)
    except NonFiniteError:
        save_arrays(folder / WEIGHTS, session.model.state_dict())
        raise
    finally:
        progress.close()
    return _finish(session, folder, time.monotonic() - began)


def _finish(session: Session, folder: Path, seconds: float) -> dict[str, Any]:
    """Write the weights and everything that is read off them; ``results.json`` comes last and ends the run."""
    data, config = session.data, session.config
    save_arrays(folder / WEIGHTS, session.model.state_dict())
    write_json(folder / NETWORK, _network(data))
    tested = evaluate(session.model, data.test, session.loss, config.device)
    results = report.write(folder, config, session.trainer.history, data, tested, str(session.model), seconds)
    write_json(folder / RESULTS, results)
    (folder / CHECKPOINT).unlink(missing_ok=True)
    return results


def _network(data: Prepared) -> dict[str, Any]:
    """What has to be known, beside the weights, to use the network on new samples."""
    train = data.train
    inputs, outputs = int(np.prod(train.x.shape[1:])), None
    outputs = train.class_count if train.is_classification else int(np.prod(train.y.shape[1:]))
    classes = [train.class_name(k) for k in range(outputs)] if train.is_classification else None
    shape = None if train.image_shape is None else list(train.image_shape)
    return {"inputs": inputs, "outputs": outputs, "classes": classes, "image_shape": shape, "scaling": data.scaling}


def load_network(folder: Path) -> tuple[nn.Module, dict[str, Any]]:
    """Rebuild a finished run's network with its weights; and what ``network.json`` says of it.

    Raises DataError MG-71x where the run is unfinished or damaged.
    """
    config = Config.load(folder / CONFIG)
    if not (folder / NETWORK).exists():
        raise DataError("MG-715", f"the run {folder} is not finished. Continue it: minigrad train --resume {folder}")
    network = read_json(folder / NETWORK)
    try:
        inputs, outputs = int(network["inputs"]), int(network["outputs"])
        if not (0 < inputs < 10**7 and 0 < outputs < 10**6):
            raise ValueError(f"a network of {inputs} inputs and {outputs} outputs")
    except (KeyError, TypeError, ValueError) as error:
        raise DataError("MG-712", f"{folder / NETWORK} is damaged ({error!r}). Restore it, or train again.") from error
    unused = np.random.default_rng(0)
    model = recipe_named(config.recipe).build(inputs, outputs, unused, unused)
    model.load_state_dict(load_arrays(folder / WEIGHTS)[0])
    return model.eval(), network


def evaluate_run(folder: Path) -> tuple[Evaluation, Dataset]:
    """Evaluate a finished run on its test set again; return what was found and the test set."""
    config = Config.load(folder / CONFIG)
    model, _ = load_network(folder)
    session = build(config)
    session.model.load_state_dict(model.state_dict())
    return evaluate(session.model, session.data.test, session.loss, config.device), session.data.test


def next_folder(recipe: str, data: str, parent: Path = Path("runs")) -> Path:
    """Return the first free ``runs/RECIPE-DATA-N``."""
    stem = f"{recipe}-{Path(data).stem}"
    number = 1
    while (parent / f"{stem}-{number}").exists():
        number += 1
    return parent / f"{stem}-{number}"
