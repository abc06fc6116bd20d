"""``minigrad recipes``, ``explain`` and ``info``: what there is, what a message means, what it runs on."""

from __future__ import annotations

import os
import platform
import textwrap
from collections.abc import Iterator
from typing import Annotated, Any

import typer
from rich.text import Text

from minigrad.cli import show


def recipes() -> None:
    """List the recipes: the documents' own programs."""
    from minigrad.train.recipes import DEFAULT, RECIPES

    to = show.console()
    for recipe in RECIPES.values():
        default = " (the default)" if recipe.name == DEFAULT else ""
        to.print(Text.assemble("\n", (recipe.name, "bold green"), (f"  {recipe.document}{default}", "dim")))
        to.print(f"  {recipe.summary}", soft_wrap=True, markup=False)
        datasets = ("mnist", "digits") if recipe.data == "digits" else (recipe.data,)
        words = {data: show.settings_in_words(recipe.settings(data)) for data in datasets}
        show.facts(to, {data: textwrap.fill(text, 70) for data, text in words.items()})
    to.print()
    show.commands(to, "minigrad train RECIPE", "minigrad train RECIPE --data mnist")
    to.print()


def explain(
    code: Annotated[
        str | None,
        typer.Argument(help="A code, such as MG-101; without one all are listed.", show_default=False),
    ] = None,
) -> None:
    """Explain an error or a warning: what it means, an example, why, and the fix."""
    from rich.markdown import Markdown

    from minigrad import explain as pages

    to = show.console()
    if code is not None:
        to.print(Markdown(pages.page(code), code_theme="ansi_dark"))
        return
    for name, title in pages.codes().items():
        to.print(Text.assemble((name, "bold"), f"  {title}"), soft_wrap=True)


def info() -> None:
    """Show versions, the matrix library and its threads, the processors, and the GPU."""
    to = show.console()
    to.print()
    show.facts(to, dict(_facts()))
    if os.environ.get("OPENBLAS_CORETYPE"):
        to.print(
            "\n  OPENBLAS_CORETYPE chooses the matrix library's kernel by hand, which can halve its speed.\n"
            "  Unless that is meant: unset OPENBLAS_CORETYPE",
            style="yellow",
        )
    to.print()


def _facts() -> Iterator[tuple[str, object]]:
    import numpy

    from minigrad import __version__, default_dtype
    from minigrad.bench.machine import blas, package_version

    yield "minigrad", __version__
    yield "Python", f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    for package in ("numpy", "numba", "scipy"):
        yield _NAMES[package], package_version(package)
    yield "kernels", _kernels()
    yield "BLAS", blas()
    yield "processors", _processors()
    yield "threads", _threads()
    yield "GPU", _gpu(numpy)
    yield "dtype", f"{default_dtype()} by default"


_NAMES = {"numpy": "NumPy", "numba": "Numba", "scipy": "SciPy"}


def _kernels() -> str:
    from minigrad_kernels.launch import numba, reference_is_forced

    if reference_is_forced():
        return "NumPy references, since MINIGRAD_KERNELS=reference"
    return "compiled by Numba" if numba() else "NumPy references, since Numba cannot be imported"


def _threads() -> str:
    from minigrad import threads

    return ", ".join(f"{count} for {name}" for name, count in threads().items())


def _processors() -> str:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{usable} usable of {os.cpu_count()}"


def _gpu(numpy: Any) -> str:
    from minigrad.backend import to_device
    from minigrad.errors import DeviceError

    try:
        to_device(numpy.zeros(1), "cuda")
    except DeviceError as error:
        return "none: " + error.message.replace(". ", ".\n", 1)
    import cupy

    count = cupy.cuda.runtime.getDeviceCount()
    names = [cupy.cuda.runtime.getDeviceProperties(k)["name"].decode() for k in range(count)]
    return "\n".join(f"cuda:{k} {name}, CuPy {cupy.__version__}" for k, name in enumerate(names))
