"""``minigrad train``."""

from __future__ import annotations

import shlex
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from minigrad.cli import show
from minigrad.cli.guard import resumable, resume_alone
from minigrad.cli.show import option
from minigrad.errors import ConfigError, MinigradWarning
from minigrad.train.config import OPTIMIZERS, SCHEDULES

if TYPE_CHECKING:
    from minigrad.parallel import Communicator
    from minigrad.train.build import Session
    from minigrad.train.config import Config
    from minigrad.train.progress import Mode

_INSIDE = ("feature-maps.png", "attention.png", "gates.png")  # a network has one of them, or none
_WHAT, _HOW, _BRAKES, _RUN = "What is trained", "How it is trained", "What restrains it", "The run"


def train(
    ctx: typer.Context,
    recipe: Annotated[
        str | None,
        typer.Argument(
            help="deep-adam, line-gd, mlp-sgd, mlp-dropout (the default), lenet, resnet, rows-lstm, "
            "char-rnn, char-lstm or char-gpt; see minigrad recipes.",
            show_default=False,
        ),
    ] = None,
    data: Annotated[
        str | None,
        option(
            "digits, mnist, glyphs, line, FILE.csv or .npz; python, shakespeare, names or FILE.txt", _WHAT
        ),
    ] = None,
    hidden: Annotated[int | None, option("width of the hidden layers", _WHAT)] = None,
    dropout: Annotated[
        float | None, option("share of hidden units dropped, of mlp-dropout, lenet", _WHAT)
    ] = None,
    layers: Annotated[
        int | None, option("layers, of char-… and rows-lstm; blocks in a stage, of resnet", _WHAT)
    ] = None,
    context: Annotated[int | None, option("characters in a window, of char-…", _WHAT)] = None,
    validation: Annotated[float | None, option("share of it to validate on, 0 to 1", _WHAT)] = None,
    augment: Annotated[bool | None, option("shift and rotate pictures", _WHAT)] = None,
    start_from: Annotated[
        Path | None, option("begin with the weights of a RUN or a FILE.safetensors", _WHAT, "--from")
    ] = None,
    freeze: Annotated[
        list[str] | None, option("parameters that stay as they are, such as '1.*'; repeatable", _WHAT)
    ] = None,
    fresh: Annotated[
        list[str] | None, option("parameters that --from does not give, such as '4.*'", _WHAT)
    ] = None,
    epochs: Annotated[int | None, option("times through the data", _HOW)] = None,
    batch_size: Annotated[int | None, option("samples per batch; 0 for all", _HOW)] = None,
    grow_batch: Annotated[int | None, option("double the batch every N epochs", _HOW)] = None,
    accumulate: Annotated[int | None, option("batches per update", _HOW)] = None,
    optimizer: Annotated[str | None, option(", ".join(OPTIMIZERS), _HOW)] = None,
    lr: Annotated[float | None, option("learning rate", _HOW)] = None,
    momentum: Annotated[float | None, option("of sgd, 0 to 1", _HOW)] = None,
    nesterov: Annotated[bool | None, option("Nesterov's momentum", _HOW)] = None,
    schedule: Annotated[str | None, option(", ".join(SCHEDULES), _HOW)] = None,
    warmup: Annotated[int | None, option("epochs in which the rate grows", _HOW)] = None,
    l1: Annotated[float | None, option("L1 penalty", _BRAKES)] = None,
    l2: Annotated[float | None, option("L2 penalty", _BRAKES)] = None,
    elastic: Annotated[float | None, option("ElasticNet penalty", _BRAKES)] = None,
    rho: Annotated[float | None, option("its share of L1, 0 to 1", _BRAKES)] = None,
    weight_decay: Annotated[float | None, option("of the optimizer", _BRAKES)] = None,
    clip_norm: Annotated[float | None, option("longest gradient", _BRAKES)] = None,
    clip_value: Annotated[float | None, option("largest entry of a gradient", _BRAKES)] = None,
    patience: Annotated[int | None, option("stop after N epochs without progress", _BRAKES)] = None,
    seed: Annotated[int | None, option("where all chance comes from", _RUN)] = None,
    device: Annotated[str | None, option("cpu, cuda, cuda:1 …", _RUN)] = None,
    compile: Annotated[
        bool | None,
        option("run the step compiled; by default where it can be", _RUN, "--compile/--no-compile"),
    ] = None,
    out: Annotated[Path | None, option("folder of the new run", _RUN)] = None,
    resume: Annotated[Path | None, option("go on with the run in this folder", _RUN)] = None,
    plain: Annotated[bool, option("print lines, as into a file", _RUN, "--plain")] = False,
    quiet: Annotated[bool, option("print the run's folder alone", _RUN, "--quiet", "-q")] = False,
) -> None:
    """Train a network. With nothing else said: D4's network on the handwritten digits.

    What you leave out is as the recipe has it for this data. Ctrl-C leaves a run that --resume goes on with.
    """
    from minigrad.parallel import joined
    from minigrad.train.config import Config

    given = {
        name: ",".join(value) if isinstance(value, (list, tuple)) else value
        for name, value in ctx.params.items()
        if value not in (None, (), []) and name in Config.names()
    }
    with joined() as communicator:
        if not communicator.is_root:
            warnings.simplefilter("ignore", MinigradWarning)  # rank 0 has them too
        to = show.console() if communicator.is_root and not quiet else Console(quiet=True)
        mode: Mode = "quiet" if to.quiet else "plain" if plain else "auto"
        if resume is None:
            folder, results = _start(given, out, to, mode, communicator, compile)
        else:
            resume_alone("run", [*given, *(["out"] if out else [])])
            folder, results = resume, _resume(resume, to, mode, communicator, compile)
        if communicator.is_root:
            if quiet:
                show.path(folder)
            _conclude(to, folder, results)


def _start(
    given: dict[str, Any],
    out: Path | None,
    to: Console,
    mode: Mode,
    communicator: Communicator,
    compile: bool | None,
) -> tuple[Path, dict[str, Any]]:
    from minigrad.train import run
    from minigrad.train.progress import ShowProgress

    config = config_of(given)
    if communicator.is_root:
        out = out or run.next_folder(config.recipe, config.data)
    folder = Path(communicator.share(str(out), "the name of the run's folder"))
    with resumable("train", folder / run.CONFIG):
        return folder, run.start(
            config,
            folder,
            ShowProgress(mode, to),
            lambda session: _announce(to, session, folder),
            communicator,
            compile,
        )


def _resume(
    folder: Path, to: Console, mode: Mode, communicator: Communicator, compile: bool | None
) -> dict[str, Any]:
    from minigrad.train import run
    from minigrad.train.progress import ShowProgress

    if run.is_finished(folder):
        to.print(f"The run {folder} is finished.", soft_wrap=True, markup=False)
        return run.read_results(folder)
    with resumable("train", folder / run.CONFIG):
        return run.resume(
            folder,
            ShowProgress(mode, to),
            lambda session: _announce(to, session, folder),
            communicator,
            compile,
        )


def config_of(given: dict[str, Any]) -> Config:
    """The recipe's settings for this data, with what was given in their place."""
    from minigrad.train.config import Config
    from minigrad.train.recipes import DEFAULT, recipe_named

    recipe = recipe_named(given.get("recipe", DEFAULT))
    data = given.get("data", recipe.data)
    if Path(data).is_file():
        data = str(Path(data).resolve())  # so that the run can be resumed from anywhere
    if "start_from" in given:
        given = {**given, "start_from": str(Path(given["start_from"]).resolve())}
    elif "fresh" in given:
        raise ConfigError("MG-803", "--fresh says what --from does not give, and there is no --from here.")
    return Config.from_dict({**recipe.settings(data), **given, "data": data})


def _announce(to: Console, session: Session, folder: Path) -> None:
    """Print what is about to be trained."""
    from minigrad.nn import Sequential
    from minigrad.train.recipes import recipe_named

    config, data = session.config, session.data
    layers = [module.describe() for module in session.model.modules() if not isinstance(module, Sequential)]
    parts = {"training": data.train, "validation": data.validation, "test": data.test}
    sizes = ", ".join(f"{len(part):,} {name}" for name, part in parts.items() if part is not None)
    to.print(
        Text.assemble(
            "\n",
            (config.recipe, "bold green"),
            (f" on {data.train.name}", "bold"),
            (f", after {recipe_named(config.recipe).document}", "dim"),
            "\n",
        )
    )
    show.facts(
        to,
        {
            "network": f"{' · '.join(layers)}\n{session.model.count_parameters():,} parameters{_frozen(session)}",
            **({"begins as": Path(config.start_from)} if config.start_from else {}),
            "data": f"{sizes} samples\n" + "\n".join(data.notes),
            "training": f"{show.settings_in_words(config.to_dict())}, seed {config.seed}",
            "folder": folder,
        },
    )
    to.print()


def _frozen(session: Session) -> str:
    names = [name for name, p in session.model.named_parameters().items() if not p.requires_grad]
    return f", {', '.join(names)} frozen" if names else ""


def _conclude(to: Console, folder: Path, results: dict[str, Any]) -> None:
    """Print how well it went, and what to do next."""
    to.print()
    if "test_accuracy" in results:
        show.accuracy(to, results["test_accuracy"])
    elif "test_perplexity" in results:
        show.big(
            to,
            f"{results['test_loss']:.4f}",
            f"nats a character, perplexity {results['test_perplexity']:.2f}",
        )
    else:
        show.big(to, f"{results['test_loss']:.4f}", "test loss (mean squared error)")
    files = [
        name
        for name in ("summary.md", "curves.png", "confusion.png", "mistakes.png", *_INSIDE, "samples")
        if (folder / name).exists()
    ]
    to.print()
    ran = {"step": results["step"]} if "step" in results else {}
    show.facts(to, {**ran, "folder": folder, "look at": ", ".join(files)})
    to.print()
    name = shlex.quote(str(folder))
    sample = "IMAGE.png" if (folder / "mistakes.png").exists() else '--row "…"'
    use = f"sample {name}" if "test_perplexity" in results else f"predict {name} {sample}"
    show.commands(to, f"minigrad evaluate {name}", f"minigrad {use}")
    to.print()
