"""The look of every picture.

Matplotlib is imported when a picture is drawn, and only its object interface is used: no window, no global figure.
"""

from __future__ import annotations

import io
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

from minigrad.files import atomic_path
from minigrad.viz.palette import BLUE, GREEN, GREY, INK, ORANGE, PALE, PURPLE, SKY, WHITE, YELLOW

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "BLUE", "GREEN", "GREY", "INK", "ORANGE", "PALE", "PIXELS_PER_INCH", "PURPLE", "SKY", "STYLE", "WHITE", "YELLOW",
    "Path", "drawing", "plain_log_ticks", "plain_ticks",
]  # fmt: skip

Path: TypeAlias = str | os.PathLike[str]
PIXELS_PER_INCH = 160
STYLE: dict[Any, Any] = {
    "figure.dpi": PIXELS_PER_INCH,
    "savefig.bbox": "tight",
    "savefig.facecolor": WHITE,
    "savefig.pad_inches": 0.2,
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "text.color": INK,
    "text.parse_math": False,
    "axes.axisbelow": True,
    "axes.edgecolor": GREY,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.left": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.titlepad": 9,
    "axes.labelcolor": GREY,
    "grid.color": PALE,
    "grid.linewidth": 0.7,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "xtick.major.width": 0.6,
    "ytick.major.size": 0,
    "ytick.minor.size": 0,
    "lines.linewidth": 1.6,
    "lines.solid_capstyle": "round",
    "lines.markersize": 3.5,
}


def plain_log_ticks(axis: Any, name: str, most: int = 8, subs: tuple[float, ...] = (1.0,)) -> None:
    """Make the axis ``"x"`` or ``"y"`` logarithmic with ticks at powers of ten, times ``subs``, in plain numbers."""
    from matplotlib.ticker import LogLocator, NullLocator

    getattr(axis, f"set_{name}scale")("log")
    scale = getattr(axis, f"{name}axis")
    scale.set_major_locator(LogLocator(subs=subs, numticks=most))
    scale.set_minor_locator(NullLocator())
    plain_ticks(scale)


def plain_ticks(scale: Any) -> None:
    """Label an axis with all digits that a number has."""
    scale.set_major_formatter(lambda value, _: f"{value:g}".replace("-", "−"))


@contextmanager
def drawing(width: float, height: float, path: Path | None = None) -> Iterator[Figure]:
    """Yield an empty figure in the house style, sized in inches; once it is drawn, write it as PNG to ``path``."""
    import matplotlib

    with matplotlib.rc_context(STYLE):
        figure: Figure = _picture()(figsize=(width, height))
        yield figure
        if path is not None:
            with atomic_path(path) as temporary:
                figure.savefig(temporary, format="png")


@cache
def _picture() -> Any:
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    class Picture(Figure):
        """A figure that keeps its style when it is drawn later, and that notebooks show without pyplot."""

        def savefig(self, *args: Any, **options: Any) -> None:
            with rc_context(STYLE), warnings.catch_warnings():
                warnings.filterwarnings(
                    "ignore", "Glyph .* missing"
                )  # a box stands for it, which says enough
                super().savefig(*args, **options)

        def _repr_png_(self) -> bytes:
            content = io.BytesIO()
            self.savefig(content, format="png")
            return content.getvalue()

    return Picture


def _import_despite(backend: str) -> None:
    """Import Matplotlib, which fails where ``MPLBACKEND`` names no backend; a picture in a file needs none."""
    del os.environ["MPLBACKEND"]
    try:
        import matplotlib

        with suppress(ValueError):
            matplotlib.rcParams["backend"] = backend
    finally:
        os.environ["MPLBACKEND"] = backend


if os.environ.get("MPLBACKEND") and "matplotlib" not in sys.modules:
    _import_despite(os.environ["MPLBACKEND"])
