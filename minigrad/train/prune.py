"""``minigrad prune``: a finished run in, a run with fewer weights or fewer units out, trained on the way."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from minigrad import nn
from minigrad.claims import claimed
from minigrad.compress import GradualPruning, Masks, masks_of_zeros, remove_units
from minigrad.compress.magnitude import check_share
from minigrad.compress.surgery import copied, linears
from minigrad.compress.units import widths
from minigrad.errors import ConfigError, DataError, NonFiniteError
from minigrad.escape import markdown
from minigrad.files import atomic_write, read_json, write_json
from minigrad.train import tuning
from minigrad.train.build import Session
from minigrad.train.checkpoint import Checkpoint
from minigrad.train.compressed import BEGUN, check_free
from minigrad.train.progress import ShowProgress
from minigrad.train.run import CHECKPOINT
from minigrad.train.training import Arrays, Callback, Training
from minigrad.viz.compression import pruning as draw

LADDER = (0.0, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98, 0.99)
"""The shares at which a network is pruned without training, for comparison."""
PRUNINGS = 20
"""So many times a network is pruned on the way to its sparsity …"""
PRUNING_SHARE = 2 / 3
"""… in this share of its training; the rest makes up for the last of them."""


@dataclass(frozen=True)
class PruneSettings:
    """How a run is pruned.

    sparsity : the share of the dense layers' weights to prune, by magnitude and gradually; or
    units : the share of each hidden layer's units to remove.
    per_layer : prune that share of each layer, not of all together.
    epochs, lr : of the training; those of the run where None.

    Raises ConfigError MG-802 where a share is not from 0 to 1, MG-803 unless exactly one of the two is given.
    """

    sparsity: float | None = None
    units: float | None = None
    per_layer: bool = False
    epochs: int | None = None
    lr: float | None = None

    def __post_init__(self) -> None:
        if (self.sparsity is None) == (self.units is None):
            raise ConfigError(
                "MG-803", "prune wants one of the two: --sparsity for weights, --units for whole units."
            )
        if self.units is not None and self.per_layer:
            raise ConfigError(
                "MG-803", "units are removed from each layer anyway; --per-layer goes with --sparsity."
            )
        check_share("sparsity" if self.units is None else "units", self.share)

    @property
    def what(self) -> str:
        """What is pruned: weights or units."""
        return "weights" if self.units is None else "units"

    def change(self, model: nn.Module) -> nn.Module:
        """Return a copy of the network to train: without the units that go, or as it is."""
        return copied(model) if self.units is None else remove_units(model, self.units)

    @property
    def share(self) -> float:
        """The share of whatever is pruned."""
        share = self.sparsity if self.units is None else self.units
        assert share is not None
        return share


class Point(NamedTuple):
    """A point of the curve: the updates so far (None where it was not trained), the share pruned, the measure."""

    step: int | None
    share: float
    value: float


class Pruning(Callback):
    """Prunes a network gradually as it trains; inside ``with pruning.masks.held():`` around ``trainer.fit``.

    ``measure(model)``, where given, is taken before each pruning and at the end, when the weights that are left have
    made up for the one before: ``points``. A checkpoint holds them and the masks.
    """

    def __init__(self, pruning: GradualPruning, measure: Callable[[nn.Module], float] | None = None) -> None:
        self.pruning, self.measure = pruning, measure
        self.points: list[Point] = []

    def on_step_end(self, trainer: Training) -> None:
        """Prune where it is due."""
        if self.pruning.due(trainer.step):
            self._note(trainer)
            self.pruning.step(trainer.step)

    def needs_gradients(self, trainer: Training) -> bool:
        """Never."""
        return False

    def on_train_end(self, trainer: Training) -> None:
        """Take the last measure."""
        self._note(trainer)

    def _note(self, trainer: Training) -> None:
        if self.measure is not None:
            self.points.append(Point(trainer.step, self.pruning.masks.sparsity, self.measure(trainer.model)))

    def state(self) -> tuple[dict[str, Any], Arrays]:
        """The masks, the sparsity that pruning began with, and the points so far."""
        plain = {"initial": self.pruning.initial, "points": [list(point) for point in self.points]}
        return plain, dict(self.pruning.masks.kept)

    def load_state(self, plain: Mapping[str, Any], arrays: Arrays) -> None:
        """Take them up."""
        self.pruning.initial = float(plain["initial"])
        self.points = [Point(*point) for point in plain["points"]]
        self.pruning.masks.set(dict(arrays), self.pruning.optimizer)


Announce = Callable[[tuning.Source, Session], None]
"""Told of what is pruned and of the training, before it begins."""


def prune_run(
    run: Path, folder: Path, settings: PruneSettings, progress: ShowProgress, announce: Announce | None = None
) -> dict[str, Any]:
    """Prune the finished run in ``run``, train what is left, and write it as a new run; return its results.

    Beside what every run has, the folder gets ``pruning.csv`` and ``pruning.png``: accuracy against sparsity.
    Where it is interrupted or killed, ``resume_pruning`` goes on with the folder. Where the training diverges
    (NonFiniteError MG-403), nothing is left in it.

    Raises ConfigError MG-804 where ``folder`` is taken, MG-806 where another process has it, MG-821 or MG-822 where the
    network cannot be pruned so, and DataError MG-71x where the run is unfinished or damaged.
    """
    source = tuning.Source(run)
    with claimed(folder):
        check_free(folder)
        return _prune(source, folder, settings, progress, announce)


def resume_pruning(folder: Path, progress: ShowProgress, announce: Announce | None = None) -> dict[str, Any]:
    """Go on with a pruning that was interrupted or killed; it ends as if it had never been. Return its results.

    Raises DataError MG-712 where ``folder`` holds none, and MG-71x where the run that it began with is damaged or is
    another one by now.
    """
    begun = read_json(folder / BEGUN)
    with claimed(folder):
        return _resume(begun, folder, progress, announce)


def _resume(begun: Any, folder: Path, progress: ShowProgress, announce: Announce | None) -> dict[str, Any]:
    try:
        settings = PruneSettings(**begun["settings"])
        source = tuning.Source.of(begun["source"], folder)
    except (LookupError, TypeError, ConfigError) as error:
        raise DataError(
            "MG-712",
            f"{folder / BEGUN} does not say what is pruned ({error}). Restore it from a copy, or prune anew.",
        ) from error
    return _prune(source, folder, settings, progress, announce)


def _prune(
    source: tuning.Source,
    folder: Path,
    settings: PruneSettings,
    progress: ShowProgress,
    announce: Announce | None,
) -> dict[str, Any]:
    linears(source.model)
    session = source.session(settings.change, settings.epochs, settings.lr)
    measure, measured = tuning.measure_of(session)
    masks = masks_of_zeros(session.model) if source.compression.is_pruned else Masks(session.model)
    watch = None if settings.units is not None else _watch(session, masks, settings, measured)
    if announce is not None:
        announce(source, session)
    at_once = [Point(None, share, measured(pruned)) for share, pruned in _ladder(source.model, settings)]
    how = asdict(settings)
    write_json(folder / BEGUN, {"settings": how, "source": source.remembered()})
    checkpoint = Checkpoint(folder / CHECKPOINT, settings=session.config.to_dict() | how)
    try:
        seconds = tuning.tune(session, progress, [watch] if watch else [], masks.held(), checkpoint)
    except NonFiniteError:
        _end(folder)
        raise
    model = session.model.to("cpu").eval()
    trained = [Point(session.trainer.step, settings.share, measured(model))]
    if watch is not None:
        trained = [Point(0, at_once[0].share, at_once[0].value), *watch.points]
    _write_curve(folder, at_once, trained, measure, settings.what)
    figures = {"parameters": _count(model), "parameters_before": _count(source.model), **_zeros(model)}
    results = tuning.write(
        folder, source, session, model, source.compression.then(**_step(source, session, settings, model)),
        figures, seconds=seconds, title=f", without {100 * settings.share:.4g} % of its {settings.what}",
        section=_section(source, settings, figures),
    )  # fmt: skip
    _end(folder)
    return results


def _end(folder: Path) -> None:
    """Remove what a pruning goes on with."""
    for name in (CHECKPOINT, BEGUN):  # in this order: without the second it counts as finished
        (folder / name).unlink(missing_ok=True)


def _step(
    source: tuning.Source, session: Session, settings: PruneSettings, model: nn.Module
) -> dict[str, Any]:
    """What was done, for ``compression.json``."""
    how: dict[str, Any] = {"sparsity": settings.sparsity, "per_layer": settings.per_layer}
    if settings.units is not None:
        how = {"share_of_units": settings.units, "units": widths(model)}
    training = {"epochs": session.config.epochs, "lr": session.config.lr}
    return {"command": "prune", "run": source.name, **how, **training}


def _watch(
    session: Session, masks: Masks, settings: PruneSettings, measured: Callable[[nn.Module], float]
) -> Pruning:
    trainer = session.trainer
    updates = -(-len(session.loader) // trainer.accumulate) * session.config.epochs
    end = max(1, round(PRUNING_SHARE * updates))
    pruning = GradualPruning(
        session.model, trainer.optimizer, settings.share,
        end=end, every=max(1, end // PRUNINGS), per_layer=settings.per_layer, masks=masks,
    )  # fmt: skip
    return Pruning(pruning, measured)


def _ladder(model: nn.Module, settings: PruneSettings) -> Any:
    """Yield networks pruned at once: nothing, the ladder's shares that are more, and the one that is asked for."""
    held = 0.0 if settings.units is not None else masks_of_zeros(model).sparsity
    shares = sorted({held if held > 1e-3 else 0.0, *(s for s in LADDER if s > held), settings.share})
    for share in shares:
        if settings.units is not None:
            yield share, remove_units(model, share)
        elif share >= held:
            copy = copied(model)
            Masks(copy).prune(share, per_layer=settings.per_layer)
            yield share, copy


def _count(model: nn.Module) -> int:
    """How many numbers of the parameters are not 0."""
    return int(sum(np.count_nonzero(p.numpy()) for p in model.parameters()))


def _zeros(model: nn.Module) -> dict[str, Any]:
    weights = {name: layer.weight.numpy() for name, layer in linears(model).items()}
    zeros, size = sum(int(np.sum(w == 0)) for w in weights.values()), sum(w.size for w in weights.values())
    return {
        "sparsity": zeros / size,
        "sparsity_by_layer": {name: round(float(np.mean(w == 0)), 4) for name, w in weights.items()},
        "units": widths(model),
    }


def _write_curve(folder: Path, at_once: list[Point], trained: list[Point], measure: str, pruned: str) -> None:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["kind", "step", "share_pruned", measure.replace(" ", "_")])
    for kind, points in (("at once", at_once), ("trained", trained)):
        table.writerows([kind, "" if p.step is None else p.step, p.share, p.value] for p in points)
    atomic_write(folder / "pruning.csv", text.getvalue())
    before, after = ([(p.share, p.value) for p in points] for points in (at_once, trained))
    draw(before, after, folder / "pruning.png", pruned=pruned, measure=measure)


def _section(source: tuning.Source, settings: PruneSettings, figures: dict[str, Any]) -> str:
    where = "of each layer" if settings.per_layer else "of all layers together"
    how = f"the smallest weights {where} were set to 0 by and by (Zhu & Gupta 2017)"
    if settings.units is not None:
        how = "the least important units of each hidden layer were removed at once"
    left = f"{figures['parameters']:,} of {figures['parameters_before']:,} parameters are left"
    return (
        f"Made from {markdown(source.name)}: {how}, and what remained was trained; {left}.\n\n"
        "![accuracy against sparsity](pruning.png)"
    )
