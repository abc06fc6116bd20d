"""What a search does: one flat record, checked when it is made, kept as ``search.json`` in the search's folder."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from minigrad.errors import ConfigError, DataError
from minigrad.files import read_json
from minigrad.train.config import Config, check_choice
from minigrad.train.search.space import Space, parse, points

SAMPLERS = ("grid", "random", "bayes")


@dataclass(frozen=True)
class Plan:
    """All that decides how a search goes.

    settings : the config that every trial shares, as plain data.
    space : what is searched, one text for each setting (``minigrad.train.search.space``).
    sampler : ``grid``, ``random``, or ``bayes``: Optuna's tree-structured Parzen estimator (Bergstra et al. 2011).
    trials : how many to train.
    prune : end trials that are hopeless, by Optuna's median rule: once five trials are complete, one whose best loss so
        far is worse than the median of theirs at the same epoch. A fifth of the epochs is always trained.
    """

    settings: dict[str, Any]
    space: list[str]
    sampler: str = "bayes"
    trials: int = 20
    prune: bool = True

    def __post_init__(self) -> None:
        kinds: dict[str, type] = {
            "settings": dict,
            "space": list,
            "sampler": str,
            "trials": int,
            "prune": bool,
        }
        for name, kind in kinds.items():
            value = getattr(self, name)
            if type(value) is not kind:
                raise ConfigError(
                    "MG-802", f"{name} must be of type {kind.__name__}; got {str(value)[:80]!r}."
                )
        if not all(isinstance(text, str) for text in self.space):
            raise ConfigError("MG-802", "space must be a list of texts.")
        check_choice("sampler", self.sampler, SAMPLERS)
        if not 1 <= self.trials <= 100_000:
            raise ConfigError("MG-802", f"trials is {self.trials}; it must be from 1 to 100000.")
        if not self.config.validation:
            raise ConfigError(
                "MG-803", "a search chooses on validation data: give validation a share above 0, such as 0.1."
            )
        self._check_momentum()
        if self.sampler == "grid":
            self.grid()

    @cached_property
    def config(self) -> Config:
        """The settings that every trial shares."""
        return Config.from_dict(self.settings)

    @cached_property
    def dimensions(self) -> Space:
        """What is searched, read."""
        return parse(self.space)

    def grid(self) -> list[dict[str, Any]]:
        """Return the points of the grid."""
        return points(self.dimensions, self.trials)

    def count(self) -> int:
        """Return how many trials there will be: a grid may have fewer points than were allowed."""
        return len(self.grid()) if self.sampler == "grid" else self.trials

    def config_of(self, point: dict[str, Any]) -> Config:
        """Return the config of a point in the space; momentum counts where the optimizer is the one that has it."""
        settings = {**self.settings, **point}
        if settings.get("optimizer", Config.optimizer) != "sgd":
            for name in ("momentum", "nesterov"):
                if name in point:
                    del settings[name]
        return Config.from_dict(settings)

    def _check_momentum(self) -> None:
        searched = self.dimensions.get("optimizer")
        optimizers = [self.config.optimizer] if searched is None else searched.ends()
        for name in {"momentum", "nesterov"} & set(self.dimensions):
            if "sgd" not in optimizers:
                raise ConfigError(
                    "MG-851",
                    f"--space {name}: it is a setting of sgd, and the optimizer is {' or '.join(optimizers)}. "
                    f"Leave {name} out, or search optimizer=sgd too.",
                )

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return dataclasses.asdict(self)

    @classmethod
    def load(cls, path: Path) -> Plan:
        """Read ``search.json``; DataError MG-712 where it is damaged."""
        content = read_json(path)
        try:
            return cls(**content)
        except (TypeError, ConfigError) as error:
            reason = error.message if isinstance(error, ConfigError) else f"{error}."
            raise DataError("MG-712", f"{path} does not describe a search: {reason}") from error
