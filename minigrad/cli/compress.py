"""``minigrad prune`` and ``minigrad quantize``: a smaller run from a finished one."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from minigrad.cli import show
from minigrad.cli.guard import resumable, resume_alone
from minigrad.errors import ConfigError, DataError

if TYPE_CHECKING:
    from minigrad.train.build import Session
    from minigrad.train.tuning import Source

_Run = Annotated[
    Path, typer.Argument(help="The finished run's folder; it is left as it is.", show_default=False)
]
_Epochs = Annotated[
    int | None, typer.Option(help="Times through the data; those of the run.", show_default=False)
]
_Out = Annotated[Path | None, typer.Option(help="Folder of the new run.", show_default=False)]
_Plain = Annotated[bool, typer.Option("--plain", help="Print lines, as into a file.")]
_Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print the new run's folder alone.")]


def prune(
    ctx: typer.Context,
    run: Annotated[
        Path | None,
        typer.Argument(help="The finished run's folder; it is left as it is.", show_default=False),
    ] = None,
    sparsity: Annotated[
        float | None, typer.Option(help="Share of the weights to prune, such as 0.9.", show_default=False)
    ] = None,
    units: Annotated[
        float | None,
        typer.Option(help="Or: share of each hidden layer's units to remove.", show_default=False),
    ] = None,
    per_layer: Annotated[
        bool, typer.Option("--per-layer", help="That share of each layer, not of all layers together.")
    ] = False,
    epochs: _Epochs = None,
    lr: Annotated[
        float | None, typer.Option(help="Learning rate; that of the run.", show_default=False)
    ] = None,
    out: _Out = None,
    resume: Annotated[
        Path | None, typer.Option(help="Go on with the pruning in this folder.", show_default=False)
    ] = None,
    plain: _Plain = False,
    quiet: _Quiet = False,
) -> None:
    """Prune a finished run, train what is left, and write it as a new run.

    Weights go by magnitude and gradually, and leave zeros; units go at once, and leave a smaller network.

    The new run shows accuracy against the share that is pruned: pruning.png, pruning.csv.

    Ctrl-C leaves a folder that --resume goes on with.
    """
    from minigrad.train.compressed import BEGUN
    from minigrad.train.prune import PruneSettings, prune_run, resume_pruning
    from minigrad.train.run import is_finished

    to, progress = _screen(plain, quiet)

    def announce(source: Source, session: Session) -> None:
        _announce(to, "Pruning", source, session, folder)

    if resume is not None:
        begins = ("run", "sparsity", "units", "per_layer", "epochs", "lr", "out")
        resume_alone("pruning", [name for name in begins if ctx.params[name] not in (None, False)])
        folder = resume
        if is_finished(folder):
            if quiet:
                show.path(folder)
            to.print(f"The run {folder} is finished.", soft_wrap=True, markup=False)
            return
        with resumable("prune", folder / BEGUN):
            results = resume_pruning(folder, progress, announce)
    else:
        if run is None:
            raise ConfigError(
                "MG-803", "prune wants a finished RUN, or --resume with a folder to go on with."
            )
        settings = PruneSettings(sparsity, units, per_layer, epochs, lr)
        with _folder(run, out, "pruned") as folder, resumable("prune", folder / BEGUN):
            results = prune_run(run, folder, settings, progress, announce)
    left = f"{results['parameters']:,} of {results['parameters_before']:,} parameters"
    by_layer = ", ".join(f"{100 * share:.1f} %" for share in results["sparsity_by_layer"].values())
    facts = {"left": left} | ({"zeros": f"{by_layer} of the layers' weights"} if results["sparsity"] else {})
    _conclude(to, folder, results, facts, quiet)


def quantize(
    run: _Run,
    calibration: Annotated[
        str, typer.Option(help="How the layers' input ranges are found: minmax or percentile.")
    ] = "minmax",
    percentile: Annotated[
        float, typer.Option(help="Percentage of the numbers that a range shall hold (percentile).")
    ] = 99.9,
    aware: Annotated[int, typer.Option(help="Epochs of training with rounded numbers.")] = 0,
    lr: Annotated[
        float | None, typer.Option(help="Its learning rate; a tenth of the run's.", show_default=False)
    ] = None,
    out: _Out = None,
    plain: _Plain = False,
    quiet: _Quiet = False,
) -> None:
    """Turn a finished run's dense layers into 8-bit integers, and write them as a new run.

    Weights get a scale for each output channel, inputs a range that some of the training data show.
    """
    from minigrad.train.quantize import QuantizeSettings, quantize_run

    settings = QuantizeSettings(calibration, percentile, aware, lr)
    to, progress = _screen(plain, quiet)
    with _folder(run, out, "int8") as folder:
        results = quantize_run(
            run, folder, settings, progress,
            lambda source, session: _announce(to, "Quantising", source, session if aware else None, folder),
        )  # fmt: skip
    before, now = results["weights_bytes_before"], results["weights_bytes"]
    _conclude(
        to, folder, results, {"weights": f"{now:,} bytes, {100 * now / before:.1f} % of {before:,}"}, quiet
    )


def _screen(plain: bool, quiet: bool) -> tuple[Console, Any]:
    from minigrad.train.progress import ShowProgress

    to = Console(quiet=True) if quiet else show.console()
    return to, ShowProgress("quiet" if quiet else "plain" if plain else "auto", to)


@contextmanager
def _folder(run: Path, out: Path | None, kind: str) -> Iterator[Path]:
    """Yield where the new run goes: ``--out``, or the first free RUN-KIND-N; an empty one does not stay."""
    from minigrad.train.run import next_folder

    if not run.is_dir():
        raise DataError("MG-712", f"there is no run {run}. Check the name, or train one: minigrad train")
    named = run if run.name not in ("", "..") else run.resolve()
    folder = out or next_folder(named.name, kind, named.parent)
    try:
        yield folder
    except BaseException:
        with suppress(OSError):
            if out is None:
                folder.rmdir()
        raise


def _announce(to: Console, what: str, source: Source, session: Session | None, folder: Path) -> None:
    to.print(Text.assemble("\n", (what, "bold green"), f" {source.name}"), soft_wrap=True)
    network = str(source.model).split("\n")[0]
    facts = {"network": network}
    if session is not None:
        facts["training"] = show.settings_in_words(session.config.to_dict())
    show.facts(to, {**facts, "folder": folder})
    to.print()


def _conclude(to: Console, folder: Path, results: dict[str, Any], facts: dict[str, str], quiet: bool) -> None:
    if quiet:
        show.path(folder)
    to.print()
    if "test_accuracy" in results:
        show.accuracy(to, results["test_accuracy"])
        before = f"{100 * results['test_accuracy_before']:.2f} %"
    else:
        show.big(to, f"{results['test_loss']:.4f}", "test loss (mean squared error)")
        before = f"{results['test_loss_before']:.4f}"
    to.print()
    files = [name for name in ("summary.md", "pruning.png", "confusion.png") if (folder / name).exists()]
    show.facts(to, {"before": before, **facts, "folder": folder, "look at": ", ".join(files)})
    to.print()
    name = shlex.quote(str(folder))
    sample = "IMAGE.png" if (folder / "mistakes.png").exists() else '--row "…"'
    show.commands(to, f"minigrad evaluate {name}", f"minigrad predict {name} {sample}")
    to.print()
