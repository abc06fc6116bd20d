"""From a config to everything that it stands for: data, network, loss, optimizer, callbacks, trainer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from minigrad import nn, optim
from minigrad.data import Compose, DataLoader, Dataset, Noise, Rotate, Shift
from minigrad.data.text import Windows
from minigrad.errors import ConfigError
from minigrad.optim import penalties, schedules
from minigrad.parallel import ALONE, Communicator, ShardedGenerator
from minigrad.parallel.mpi import MpiCommunicator
from minigrad.parallel.nccl import on_device
from minigrad.parallel.staleness import staleness
from minigrad.train.asynchronous import Asynchronous, Worker, check
from minigrad.train.callbacks import Callback, EarlyStopping, GradientStatistics, GrowBatch, SuspiciousStart
from minigrad.train.config import Config
from minigrad.train.prepare import Prepared, prepare
from minigrad.train.pretrained import freeze
from minigrad.train.recipes import network_of, recipe_named
from minigrad.train.strategy import SingleProcess, Strategy
from minigrad.train.synchronous import Synchronous
from minigrad.train.texts import STREAMS, Begin, NextCharacter, prepare_text
from minigrad.train.trainer import Trainer


@dataclass
class Session:
    """Everything that a config stands for, built and ready.

    staleness : the bound of an asynchronous training, None for any other.
    worker : what a process runs in the place of ``trainer.fit``, where it is a worker of an asynchronous training.
    """

    config: Config
    data: Prepared
    model: nn.Module
    loss: Any
    loader: DataLoader
    trainer: Trainer
    staleness: int | None = None
    worker: Worker | None = None


def build(
    config: Config,
    data: Prepared | None = None,
    *,
    change: Callable[[nn.Module], nn.Module] | None = None,
    communicator: Communicator = ALONE,
    compile: bool | None = None,
) -> Session:
    """Load the data and build network, loss, optimizer and trainer; all chance comes from the config's seed.

    ``data`` is what ``load_data`` returned for this config, or for one with the same data, validation and seed; it is
    loaded where it is not given. ``change`` gives the network to train in the place of the recipe's new one, which it
    is shown. Weights to start from are not read here (``minigrad.train.run.start`` does). Among several processes the
    session is this process's part of the training. ``compile`` as in ``Trainer``.
    """
    splits, weights, batches = (np.random.default_rng(_seeds(config)[k]) for k in (0, 1, 3))
    alone = communicator.size == 1
    masks = (np.random.default_rng if alone else ShardedGenerator)(_seeds(config)[2])
    reads = recipe_named(config.recipe).reads
    if reads:
        data = prepare_text(config, reads)  # whose windows are those of this batch size and context
    data = data or prepare(config.data, config.validation, splits)
    model = network_of(config, *_sizes(config, data.train), weights, masks, data.train.image_shape)
    if change is not None:
        model = change(model)
    freeze(model, config.freeze)
    communicator, device = on_device(communicator, config.device)
    if device != "cpu":
        model.to(device)
    kinds = {True: nn.CrossEntropyLoss, False: nn.MSELoss}
    loss: nn.Module = NextCharacter() if reads else kinds[data.train.is_classification]()
    size = config.batch_size or len(data.train)
    augment = _augmentation(config, data.train)
    loader = DataLoader(
        data.train, min(size, len(data.train)), rng=None if reads == STREAMS else batches, transform=augment
    )
    settings: dict[str, Any] = {
        "callbacks": _callbacks(config, data),
        "penalty": _penalty(config, model, len(data.train)),
        "accumulate": config.accumulate,
        "clip_value": config.clip_value or None,
        "generators": {"masks": masks, "batches": batches},
        "device": device,
    }
    optimizer = _optimizer(config, model, recipe_named(config.recipe).optimizer_settings, loader)
    bound, strategy, worker = _divided(communicator, masks, config.seed)

    trainer = Trainer(model, loss, optimizer, strategy=strategy, compile=compile, **settings)
    if isinstance(strategy, Asynchronous):
        check(trainer)  # before anything is written
    return Session(config, data, model, loss, loader, trainer, bound, worker)


def _divided(
    communicator: Communicator, masks: np.random.Generator, seed: int
) -> tuple[int | None, Strategy, Worker | None]:
    """Return the bound of an asynchronous training, how this process trains, and what it runs where it is a worker."""
    bound = staleness()
    if communicator.size == 1:
        return None, SingleProcess(), None
    if bound is None or not isinstance(communicator, MpiCommunicator):
        return None, Synchronous(communicator, masks), None
    if communicator.is_root:
        return bound, Asynchronous(communicator, bound), None
    return bound, SingleProcess(), Worker(communicator, seed)


def load_data(config: Config) -> Prepared:
    """Load the data of a config as ``build`` does."""
    if reads := recipe_named(config.recipe).reads:
        return prepare_text(config, reads)
    return prepare(config.data, config.validation, np.random.default_rng(_seeds(config)[0]))


def _seeds(config: Config) -> list[np.random.SeedSequence]:
    """Those of the validation part, the weights, the dropout masks and the batches."""
    return np.random.SeedSequence(config.seed).spawn(4)


def _sizes(config: Config, train: Dataset) -> tuple[int, int]:
    if config.recipe == "line-gd" and train.is_classification:
        raise ConfigError(
            "MG-803",
            f"line-gd fits a line to numbers, but {config.data} has classes. Use --data line or a table of your own.",
        )
    outputs = train.class_count if train.is_classification else prod(train.y.shape[1:])
    return prod(train.x.shape[1:]), outputs


def _augmentation(config: Config, train: Dataset) -> Compose | None:
    if not config.augment:
        return None
    if train.image_shape is None:
        raise ConfigError("MG-803", f"augment works on pictures, and {config.data} holds none.")
    reach = max(1, train.image_shape[0] // 14)
    return Compose((Shift(train.image_shape, reach), Rotate(train.image_shape, 10.0), Noise(0.02)))


def _optimizer(
    config: Config, model: nn.Module, extra: dict[str, Any], loader: DataLoader
) -> optim.Optimizer:
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
    optimizer: optim.Optimizer = classes[config.optimizer](model, lr=_schedule(config, loader), **settings)
    return optimizer


def _schedule(config: Config, loader: DataLoader) -> schedules.Schedule:
    """The schedule in epochs; the printed step schedule is as printed, every 10 epochs, whatever their number."""
    lr, epochs = config.lr, config.epochs
    third = max(1, epochs // 3)
    kinds: dict[str, Callable[[], schedules.Schedule]] = {
        "constant": lambda: schedules.Constant(lr),
        "exponential": lambda: schedules.Exponential(lr, 0.1, epochs),
        "exponential-as-printed": lambda: schedules.ExponentialAsPrinted(lr, 0.9, epochs),
        "step": lambda: schedules.StepDecay(lr, third),
        "step-as-printed": lambda: schedules.StepAsPrinted(lr),
        "cosine": lambda: schedules.Cosine(lr, max(1, epochs - config.warmup)),
        "plateau": lambda: schedules.ReduceLROnPlateau(lr, patience=5),
    }
    chosen = kinds[config.schedule]()
    if config.schedule == "plateau" and not config.validation:
        raise ConfigError(
            "MG-803", "the plateau schedule watches the validation loss: give validation a share above 0."
        )
    if config.warmup:
        chosen = schedules.Warmup(chosen, config.warmup)
    elif config.schedule == "constant":
        return chosen  # the same whatever is counted
    samples, size = len(loader.dataset), loader.batch_size
    if config.grow_batch:
        return _PerGrowingEpoch(chosen, samples, size, config.accumulate, config.grow_batch)
    return schedules.PerEpoch(chosen, _updates(samples, size, config.accumulate))


def _updates(samples: int, batch_size: int, accumulate: int) -> int:
    """Updates in an epoch."""
    batches = -(-samples // batch_size)
    return -(-batches // accumulate)


@dataclass(frozen=True)
class _PerGrowingEpoch(schedules.Schedule):
    """PerEpoch for epochs that have fewer and fewer updates, since ``GrowBatch`` doubles the batch."""

    schedule: schedules.Schedule
    samples: int
    batch_size: int
    accumulate: int
    every: int

    def __call__(self, step: int) -> float:
        epoch, size = 0, self.batch_size
        while size < self.samples:
            stretch = self.every * _updates(self.samples, size, self.accumulate)
            if step < stretch:
                break
            step, epoch, size = step - stretch, epoch + self.every, min(2 * size, self.samples)
        return self.schedule(epoch + step // _updates(self.samples, size, self.accumulate))

    def observe(self, metric: float) -> None:
        self.schedule.observe(metric)

    def state(self) -> dict[str, Any]:
        return self.schedule.state()

    def load_state(self, state: Mapping[str, Any]) -> None:
        self.schedule.load_state(state)


def _penalty(config: Config, model: nn.Module, m: int) -> Any:
    """Penalties on the weights, not the biases (D1 3.1: w)."""
    weights = [p for name, p in model.named_parameters().items() if "weight" in name.rpartition(".")[2]]
    terms: list[Callable[[], Any]] = []
    if config.l1:
        terms.append(lambda: penalties.l1(weights, config.l1, m))
    if config.l2:
        terms.append(lambda: penalties.l2(weights, config.l2, m))
    if config.elastic:
        terms.append(lambda: penalties.elastic_net(weights, config.elastic, config.rho))
    return (lambda: sum((term() for term in terms[1:]), terms[0]())) if terms else None


def _callbacks(config: Config, data: Prepared) -> list[Callback]:
    """The callbacks whose state belongs to the run; progress and saving come behind them."""
    chosen: list[Callback] = [GradientStatistics(), *([Begin()] if isinstance(data.train, Windows) else [])]
    if data.train.is_classification:
        chosen.append(SuspiciousStart(data.train.class_count))
    if config.patience:
        if data.validation is None:
            raise ConfigError(
                "MG-803", "patience watches the validation loss: give validation a share above 0."
            )
        chosen.append(EarlyStopping(config.patience))
    if config.grow_batch:
        chosen.append(GrowBatch(config.grow_batch, limit=len(data.train)))
    return chosen
