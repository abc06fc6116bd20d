"""``minigrad evaluate`` and ``minigrad predict``: what a finished run is good for."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from minigrad.cli import show
from minigrad.errors import ConfigError, DataError
from minigrad.escape import cut, printable

_Run = Annotated[Path, typer.Argument(help="The run's folder.", show_default=False)]
_BARS = 40
_MOST_CLASSES = 12


def evaluate(run: _Run) -> None:
    """Test a finished run again: accuracy, and precision, recall and F1 of each class."""
    from math import exp

    from minigrad.data.text import Windows
    from minigrad.train.run import evaluate_run, read_results

    to = show.console()
    tested, data = evaluate_run(run)
    try:
        before = read_results(run)
    except DataError:
        before = {}
    to.print()
    if isinstance(data, Windows):
        perplexity = f"nats a character, perplexity {exp(tested.loss):.2f}"
        show.big(to, f"{tested.loss:.4f}", perplexity)
        _compare(to, "loss", before.get("test_loss"), tested.loss)
        return
    if tested.accuracy is None:
        show.big(to, f"{tested.loss:.4f}", "test loss (mean squared error)")
        _compare(to, "loss", before.get("test_loss"), tested.loss)
        return
    show.accuracy(to, tested.accuracy)
    _compare(to, "accuracy", before.get("test_accuracy"), tested.accuracy)
    to.print()
    to.print(Padding(_scores(data, tested.outputs.argmax(axis=1)), (0, 0, 0, 2)))
    to.print()


def _compare(to: Console, what: str, before: float | None, now: float) -> None:
    if before is not None and abs(before - now) <= 1e-6 * abs(before):
        to.print(Text(f"  The same {what} as when it was trained.", "dim"))
        return
    reason = "the data, the file or the libraries have changed since"
    state = "is damaged" if before is None else f"says {before}: {reason}"
    to.print(Text(f"  results.json {state}.", "yellow"), soft_wrap=True)


def _scores(data: Any, predicted: Any) -> Any:
    from minigrad.train import metrics

    truth, count = data.y, data.class_count
    support = metrics.confusion_matrix(truth, predicted, count).sum(axis=1)
    each: list[Any] = [
        score(truth, predicted, None, count) for score in (metrics.precision, metrics.recall, metrics.f1)
    ]
    mean: list[Any] = [
        score(truth, predicted, "macro", count) for score in (metrics.precision, metrics.recall, metrics.f1)
    ]
    table = show.table("class", "precision", "recall", "F1", "samples")
    for k in range(count):
        table.add_row(
            show.plain(data.class_name(k)), *(f"{100 * s[k]:.1f} %" for s in each), f"{support[k]:,}"
        )
    table.add_row("mean", *(f"{100 * s:.1f} %" for s in mean), f"{len(data):,}", style="bold")
    return table


def predict(
    run: _Run,
    image: Annotated[
        Path | None,
        typer.Argument(help="A picture file, for a network that reads pictures.", show_default=False),
    ] = None,
    row: Annotated[
        str | None, typer.Option(help='Numbers for any other network: --row "0.1, 2"', show_default=False)
    ] = None,
) -> None:
    """Show what a finished run makes of one picture, or of one row of numbers."""
    from minigrad.train.predict import predict_one, read_picture, read_row
    from minigrad.train.run import load_reader

    if (image is None) == (row is None):
        raise ConfigError("MG-803", 'predict wants one picture, or one row of numbers as --row "0.1, 2".')
    to = show.console()
    model, network = load_reader(run)
    if image is not None:
        x = read_picture(image, network)
        to.print()
        _draw(to, x if x.ndim == 2 else x[:, :, :3].mean(axis=2))
    else:
        x = read_row(str(row), network)
    to.print()
    outputs = predict_one(model, network, x)
    if network.classes is None:
        show.big(to, ", ".join(f"{number:.4f}" for number in outputs), "predicted")
    else:
        _bars(to, network.classes, outputs)
    to.print()


def _draw(to: Console, picture: Any) -> None:
    """Draw grey values from 0 to 1: two pixels per character in colours, or shades two characters wide."""
    if to.color_system in ("truecolor", "256"):
        from numpy import pad

        rows = (255 * pad(picture, ((0, len(picture) % 2), (0, 0)))).round().astype(int)
        for above, below in zip(rows[::2], rows[1::2], strict=True):
            pixels = [
                ("▀", f"rgb({a},{a},{a}) on rgb({b},{b},{b})") for a, b in zip(above, below, strict=True)
            ]
            to.print(Text.assemble("  ", *pixels))
    else:
        shades = " ░▒▓█"
        for line in (picture * (len(shades) - 1)).round().astype(int):
            to.print(Text("  " + "".join(2 * shades[level] for level in line)), soft_wrap=True)


def _bars(to: Console, classes: list[str], probabilities: Any) -> None:
    """One bar per class, in their order; of many classes the likeliest, the best one first."""
    order = list(range(len(classes)))
    if len(classes) > _MOST_CLASSES:
        order = sorted(order, key=lambda k: -probabilities[k])[:_MOST_CLASSES]
    best = max(order, key=lambda k: float(probabilities[k]))
    names = {k: cut(printable(classes[k]), 24) for k in order}
    width = max(map(len, names.values()))
    for k in order:
        share = float(probabilities[k])
        bar = "█" * round(share * _BARS)
        line = Text.assemble(
            f"  {names[k]:>{width}} ",
            (bar, "green" if k == best else "dim"),
            f" {100 * share:.1f} %".rstrip(),
        )
        line.stylize("bold" if k == best else "")
        to.print(line)
