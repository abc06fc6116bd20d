"""What a finished run leaves for a person: pictures, tables, and a page that sums it up."""

from __future__ import annotations

import csv
import io
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import minigrad
from minigrad.data.text import Windows
from minigrad.escape import fenced, markdown
from minigrad.files import atomic_write, write_json
from minigrad.ops import softmax
from minigrad.train import metrics
from minigrad.train.config import Config
from minigrad.train.evaluation import Evaluation
from minigrad.train.prepare import Prepared
from minigrad.viz import plots

History = dict[str, list[Any]]


def write(
    folder: Path,
    config: Config,
    history: History,
    data: Prepared,
    tested: Evaluation,
    network: str,
    seconds: float,
    *,
    ran: str = "",
    title: str = "",
    section: str = "",
    views: Sequence[tuple[str, str]] = (),
) -> dict[str, Any]:
    """Write history, pictures and summary into the run's folder; return the results as plain data.

    The summary may get another ``title``, and a ``section`` of its own; ``views`` are further pictures in the folder,
    each with what it shows. An empty history leaves no files. ``ran`` says how the training's step ran.
    """
    if history:
        write_json(folder / "history.json", history)
        atomic_write(folder / "history.csv", _csv(history))
        plots.curves(history, folder / "curves.png")
    results: dict[str, Any] = {"test_loss": tested.loss, "seconds": round(seconds, 2)}
    if ran:
        results["step"] = ran
    if isinstance(data.test, Windows):
        results |= {"test_perplexity": float(np.exp(tested.loss)), "characters": data.test.y.size}
    elif data.test.is_classification:
        results |= _classified(folder, data, tested)
    atomic_write(
        folder / "summary.md", _summary(config, history, data, results, network, title, section, views)
    )
    return results


def _csv(history: History) -> str:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(history)
    table.writerows(zip(*history.values(), strict=True))
    return text.getvalue()


def _classified(folder: Path, data: Prepared, tested: Evaluation) -> dict[str, Any]:
    test = data.test
    truth, predicted = test.y, tested.outputs.argmax(axis=1)
    names = [test.class_name(k) for k in range(data.train.class_count)]
    matrix = metrics.confusion_matrix(truth, predicted, len(names))
    plots.confusion(matrix, names, folder / "confusion.png")
    if test.image_shape is not None:
        confidence = np.asarray(softmax(tested.outputs)).max(axis=1)
        plots.mistakes(test.x, truth, predicted, confidence, test.image_shape, folder / "mistakes.png")
    scores: dict[str, Any] = {
        "precision": metrics.precision(truth, predicted, None, len(names)),
        "recall": metrics.recall(truth, predicted, None, len(names)),
        "f1": metrics.f1(truth, predicted, None, len(names)),
    }
    return {
        "test_accuracy": metrics.accuracy(truth, predicted),
        "test_samples": len(test),
        "mistakes": int(np.sum(truth != predicted)),
        "f1_macro": float(np.mean(scores["f1"])),
        "top_3_accuracy": metrics.top_k_accuracy(truth, tested.outputs, min(3, len(names))),
        "classes": {
            name: {k: round(float(v[i]), 4) for k, v in scores.items()} for i, name in enumerate(names)
        },
    }


def _summary(
    config: Config,
    history: History,
    data: Prepared,
    results: dict[str, Any],
    network: str,
    title: str,
    section: str,
    views: Sequence[tuple[str, str]],
) -> str:
    lines = [f"# {config.recipe} on {markdown(data.train.name)}{title}", ""]
    after = f" after {len(history['epoch'])} epochs in {results['seconds']:.1f} s" if history else ""
    if "test_accuracy" in results:
        lines.append(
            f"**{100 * results['test_accuracy']:.2f} % of {results['test_samples']} test samples right**, "
            f"{results['mistakes']} wrong{',' if after else ''}{after}."
        )
    elif "test_perplexity" in results:
        lines.append(
            f"**{results['test_loss']:.4f} nats a character, perplexity {results['test_perplexity']:.3f}**, on "
            f"{results['characters']} characters of the test part{after}. What it wrote is in `samples/`."
        )
    else:
        lines.append(f"**Test loss {results['test_loss']:.5g}**{after}.")
    lines += ["", *([section, ""] if section else [])]
    if history:
        lines += ["![loss and accuracy over the epochs](curves.png)", ""]
    if "classes" in results:
        lines += [
            "## Where it is right and wrong",
            "",
            "| class | precision | recall | F1 |",
            "|---|---|---|---|",
        ]
        lines += [
            f"| {markdown(name)} | {100 * s['precision']:.1f} % | {100 * s['recall']:.1f} % | {100 * s['f1']:.1f} % |"
            for name, s in results["classes"].items()
        ]
        lines += ["", "![confusion matrix](confusion.png)", ""]
        if data.test.image_shape is not None and results["mistakes"]:
            lines += ["The mistakes it was surest of:", "", "![worst mistakes](mistakes.png)", ""]
    if views:
        lines += ["## Inside the network", ""]
        for file, caption in views:
            lines += [f"{caption}:", "", f"![{caption}]({file})", ""]
    parts = {"training": data.train, "validation": data.validation, "test": data.test}
    sizes = ", ".join(f"{len(part)} {name}" for name, part in parts.items() if part is not None)
    lines += [
        "## What was done",
        "",
        f"Data: {markdown(data.train.name)}, {sizes} samples; {markdown('; '.join(data.notes))}.",
        "",
    ]
    if "step" in results:
        lines += [f"The training's step ran {markdown(results['step'])}.", ""]
    lines += [fenced(network), "", "| setting | value |", "|---|---|"]
    lines += [f"| {name} | {markdown(value)} |" for name, value in config.to_dict().items()]
    lines += [
        "",
        f"minigrad {minigrad.__version__}, NumPy {np.__version__}, Python {platform.python_version()}. "
        "The same config gives the same bits on the same machine and versions.",
        "",
    ]
    return "\n".join(lines)
