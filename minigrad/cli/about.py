"""``minigrad recipes``, ``explain`` and ``info``: what there is, what a message means, what it runs on."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
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
        to.print(f"  {recipe.summary}")
        datasets = ("mnist", "digits") if recipe.data == "digits" else (recipe.data,)
        show.facts(to, {data: show.settings_in_words(recipe.settings(data)) for data in datasets})
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

    yield "minigrad", __version__
    yield "Python", f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    for package in ("numpy", "numba", "scipy"):
        yield _NAMES[package], _version(package)
    yield "kernels", _kernels()
    yield "BLAS", _blas(numpy)
    yield "processors", _processors()
    yield "GPU", _gpu(numpy)
    yield "dtype", f"{default_dtype()} by default"


_NAMES = {"numpy": "NumPy", "numba": "Numba", "scipy": "SciPy"}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _kernels() -> str:
    from minigrad_kernels.launch import numba, reference_is_forced

    if reference_is_forced():
        return "NumPy references, since MINIGRAD_KERNELS=reference"
    return "compiled by Numba" if numba() else "NumPy references, since Numba cannot be imported"


def _blas(numpy: Any) -> str:
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        built = numpy.show_config(mode="dicts")["Build Dependencies"]["blas"]
        return f"{built['name']} {built['version']} (its kernel and threads: pip install threadpoolctl)"
    pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    found = [
        f"{pool['internal_api']} {pool['version']}, kernel {pool.get('architecture', 'unknown')}, "
        f"{pool['num_threads']} thread{'s' if pool['num_threads'] != 1 else ''}"
        for pool in pools
    ]
    return "\n".join(dict.fromkeys(found)) or "none that threadpoolctl knows"


def _processors() -> str:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{usable} usable of {os.cpu_count()}"


def _gpu(numpy: Any) -> str:
    from minigrad.backend import to_device
    from minigrad.errors import DeviceError

    try:
        to_device(numpy.zeros(1), "cuda")
    except DeviceError as error:
        return error.message.partition(": ")[2] or error.message
    import cupy

    count = cupy.cuda.runtime.getDeviceCount()
    names = [cupy.cuda.runtime.getDeviceProperties(k)["name"].decode() for k in range(count)]
    return "\n".join(f"cuda:{k} {name}, CuPy {cupy.__version__}" for k, name in enumerate(names))
