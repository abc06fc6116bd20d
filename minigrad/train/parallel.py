"""The trainers for several processes under their old names: each is a ``Trainer`` with a strategy now."""

from __future__ import annotations

import warnings
from typing import Any

from minigrad.parallel import Communicator, ShardedGenerator
from minigrad.train.synchronous import CHECK_EVERY, Synchronous
from minigrad.train.trainer import Trainer

__all__ = ["CHECK_EVERY", "ParallelTrainer"]


class ParallelTrainer(Trainer):
    """Deprecated: ``Trainer(…, strategy=Synchronous(communicator, masks, check_every))``."""

    def __init__(
        self,
        *arguments: Any,
        communicator: Communicator,
        masks: ShardedGenerator | None = None,
        check_every: int = CHECK_EVERY,
        **settings: Any,
    ) -> None:
        warnings.warn(
            "ParallelTrainer(…, communicator=…) is Trainer(…, strategy=Synchronous(…)) now",
            DeprecationWarning,
            stacklevel=2,
        )
        strategy = Synchronous(communicator, masks, check_every)
        super().__init__(*arguments, strategy=strategy, **settings)
