"""``minigrad train``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from minigrad.cli import show

if TYPE_CHECKING:
    from minigrad.train.build import Session

_WHAT, _HOW, _BRAKES, _RUN = "What is trained", "How it is trained", "What restrains it", "The run"


def _option(text: str, panel: str, *names: str) -> Any:
    return typer.Option(*names, help=text, rich_help_panel=panel, show_default=False)


def train(
    ctx: typer.Context,
    recipe: Annotated[
        str | None,
        typer.Argument(
            help="deep-adam, line-gd, mlp-sgd or mlp-dropout (the default); see minigrad recipes.",
            show_default=False,
        ),
    ] = None,
    data: Annotated[str | None, _option("digits, mnist, line, FILE.csv or FILE.npz", _WHAT)] = None,
    validation: Annotated[float | None, _option("share of it to validate on, 0 to 1", _WHAT)] = None,
    augment: Annotated[bool | None, _option("shift and rotate pictures", _WHAT)] = None,
    epochs: Annotated[int | None, _option("times through the data", _HOW)] = None,
    batch_size: Annotated[int | None, _option("samples per batch; 0 for all", _HOW)] = None,
    grow_batch: Annotated[int | None, _option("double the batch every N epochs", _HOW)] = None,
    accumulate: Annotated[int | None, _option("batches per update", _HOW)] = None,
    optimizer: Annotated[
        str | None, _option("gd, sgd, adagrad, rmsprop, adam, adamw, adam-as-printed", _HOW)
    ] = None,
    lr: Annotated[float | None, _option("learning rate", _HOW)] = None,
    momentum: Annotated[float | None, _option("of sgd, 0 to 1", _HOW)] = None,
    nesterov: Annotated[bool | None, _option("Nesterov's momentum", _HOW)] = None,
    schedule: Annotated[
        str | None,
        _option("constant, exponential, exponential-as-printed, step, step-as-printed, cosine, plateau", _HOW),
    ] = None,
    warmup: Annotated[int | None, _option("epochs in which the rate grows", _HOW)] = None,
    l1: Annotated[float | None, _option("L1 penalty", _BRAKES)] = None,
    l2: Annotated[float | None, _option("L2 penalty", _BRAKES)] = None,
    elastic: Annotated[float | None, _option("ElasticNet penalty", _BRAKES)] = None,
    rho: Annotated[float | None, _option("its share of L1, 0 to 1", _BRAKES)] = None,
    weight_decay: Annotated[float | None, _option("of the optimizer", _BRAKES)] = None,
    clip_norm: Annotated[float | None, _option("longest gradient", _BRAKES)] = None,
    clip_value: Annotated[float | None, _option("largest entry of a gradient", _BRAKES)] = None,
    patience: Annotated[int | None, _option("stop after N epochs without progress", _BRAKES)] = None,
    seed: Annotated[int | None, _option("where all chance comes from", _RUN)] = None,
    device: Annotated[str | None, _option("cpu, cuda, cuda:1 …", _RUN)] = None,
    out: Annotated[Path | None, _option("folder of the new run", _RUN)] = None,
    resume: Annotated[Path | None, _option("go on with the run in this folder", _RUN)] = None,
    plain: Annotated[bool, _option("print lines, as into a file", _RUN, "--plain")] = False,
    quiet: Annotated[bool, _option("print the run's folder alone", _RUN, "--quiet", "-q")] = False,
) -> None:
    """Train a network. With nothing else said: D4's network on the handwritten digits.

    What you leave out is as the recipe has it for this data. Ctrl-C leaves a run that --resume goes on with.
    """
    from minigrad.train import run
    from minigrad.train.config import Config
    from minigrad.train.progress import ShowProgress
    from minigrad.train.recipes import DEFAULT, recipe_named

    to = Console(quiet=True) if quiet else show.console()
    progress = ShowProgress("quiet" if quiet else "plain" if plain else "auto", to)
    given = {name: value for name, value in ctx.params.items() if value not in (None, False) or value is False}
    settings = {
        name: value for name, value in ctx.params.items() if name in Config.names() and value is not None
    }
    if resume is not None:
        folder = resume
        _refuse_others(settings if out is None else {**settings, "out": out})
        if run.is_finished(folder):
            to.print(f"The run {folder} is finished.", soft_wrap=True, markup=False)
            results = run.read_results(folder)
        else:
            with _resumable(folder):
                results = run.resume(folder, progress, lambda session: _announce(to, session, folder))
    else:
        chosen = recipe_named(settings.get("recipe", DEFAULT))
        wanted = _data_name(settings.get("data", chosen.data))
        config = Config.from_dict({**chosen.settings(wanted), **settings, "data": wanted})
        folder = out or run.next_folder(chosen.name, wanted)
        with _resumable(folder):
            results = run.start(config, folder, progress, lambda session: _announce(to, session, folder))
    if quiet:
        typer.echo(folder)
    else:
        _conclude(to, folder, results)
