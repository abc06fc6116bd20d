"""``minigrad quantize``: a finished run in, a run whose dense layers are 8-bit integers out."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from minigrad.compress import aware, converted, input_ranges, masks_of_zeros
from minigrad.compress.aware import set_ranges
from minigrad.compress.quantized import quantize_with
from minigrad.compress.surgery import linears
from minigrad.errors import ConfigError
from minigrad.escape import markdown
from minigrad.train import tuning
from minigrad.train.build import Session
from minigrad.train.compressed import new_run
from minigrad.train.progress import ShowProgress
from minigrad.train.run import WEIGHTS

SAMPLES = 1024
"""So many of the training data, at most, are run through the network to find its ranges."""
RATE_SHARE = 0.1
"""The share of the run's rate that training with rounded numbers takes."""


@dataclass(frozen=True)
class QuantizeSettings:
    """How a run is quantised.

    calibration, percentile : as in ``compress.input_ranges``.
    aware : epochs of training with rounded numbers; 0 for none.
    lr : its rate; where None, a tenth of the run's.

    Raises ConfigError MG-802 where a number is out of its range, MG-803 for a rate without epochs.
    """

    calibration: str = "minmax"
    percentile: float = 99.9
    aware: int = 0
    lr: float | None = None

    def __post_init__(self) -> None:
        if self.aware < 0:
            raise ConfigError("MG-802", f"aware is {self.aware} epochs; it must be 0 or more.")
        if self.lr is not None and not self.aware:
            raise ConfigError(
                "MG-803", "a rate belongs to training with rounded numbers: give --aware some epochs."
            )


Announce = Callable[[tuning.Source, Session], None]


def quantize_run(
    run: Path,
    folder: Path,
    settings: QuantizeSettings,
    progress: ShowProgress,
    announce: Announce | None = None,
) -> dict[str, Any]:
    """Quantise the finished run in ``run`` and write it as a new run; return its results.

    Whatever goes wrong or interrupts it, ``folder`` holds the whole new run or is not there.

    Raises ConfigError MG-804 where ``folder`` is taken, MG-821 where the network is quantised already, and DataError
    MG-71x where the run is unfinished or damaged.
    """
    source = tuning.Source(run)
    names = linears(source.model)
    with new_run(folder) as temporary:
        lr = settings.lr if settings.lr is not None else RATE_SHARE * source.config.lr
        session = source.session(
            lambda model: aware(model, dict.fromkeys(names, (0.0, 1.0))),  # the ranges are set below
            settings.aware or None,
            lr if settings.aware else None,
        )
        if announce is not None:
            announce(source, session)
        samples = _samples(session, source.config.seed)
        ranges = input_ranges(source.model, samples, settings.calibration, settings.percentile)
        seconds, model = 0.0, quantize_with(source.model, ranges)
        if settings.aware:
            set_ranges(session.model, ranges)
            seconds = tuning.tune(session, progress, inside=_held(session, source))
            model = converted(session.model.to("cpu"))
        step = {
            "command": "quantize",
            "run": source.name,
            "int8": True,
            "calibration": settings.calibration,
            **({"percentile": settings.percentile} if settings.calibration == "percentile" else {}),
            "samples": len(samples),
            "aware_epochs": settings.aware,
            **({"lr": lr} if settings.aware else {}),
        }
        figures = {"weights_bytes_before": (run / WEIGHTS).stat().st_size}
        return tuning.write(
            temporary, source, session, model, source.compression.then(**step), figures, seconds=seconds,
            title=", in 8-bit integers", section=_section(source, settings, len(samples)),
        )  # fmt: skip


def _samples(session: Session, seed: int) -> Any:
    """Some of the training data, chosen at random."""
    x = session.data.train.x
    return x[np.sort(np.random.default_rng(seed).permutation(len(x))[:SAMPLES])]


def _held(session: Session, source: tuning.Source) -> AbstractContextManager[None] | None:
    return masks_of_zeros(session.model).held() if source.compression.is_pruned else None


def _section(source: tuning.Source, settings: QuantizeSettings, samples: int) -> str:
    calibration = settings.calibration
    if calibration == "percentile":
        calibration = f"the middle {settings.percentile:g} % of the numbers seen"
    else:
        calibration = "the smallest and the largest number seen"
    lines = [
        f"Made from {markdown(source.name)}: weights as 8-bit integers with a scale for each output channel, the input "
        f"of each dense layer as 8-bit integers for the range of {calibration} in {samples} training samples."
    ]
    if settings.aware:
        lines.append(f"Then it was trained for {settings.aware} epochs with rounded numbers.")
    return " ".join(lines)
