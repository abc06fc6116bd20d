"""What stands for the packages of a notebook's surroundings, which a grader need not have: IPython, Colab, widgets.

A right answer must not fail because its first cell imports them, shows something or mounts a drive. Nothing is shown
and nothing is mounted; whatever they give is ``interactive.NOTHING``.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
from collections.abc import Iterable, Sequence
from types import ModuleType
from typing import Any

from minigrad.course.interactive import NOTHING

_SURROUNDINGS = ("IPython", "google.colab", "ipywidgets", "ipykernel", "jupyter_client", "nbgrader")
_USEFUL = ("google", "tqdm")  # others of these may be installed, and are better then


class _StandIn(ModuleType):
    """A module that has every name."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name == "get_ipython":
            return lambda: getattr(sys.modules.get("solution"), "get_ipython", NOTHING)()
        if name.removesuffix("_notebook") in ("tqdm", "trange"):
            return _passed_on if name.startswith("tqdm") else range
        return NOTHING


def _passed_on(iterable: Iterable[Any] = (), *_: Any, **__: Any) -> Iterable[Any]:
    return iterable


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def __init__(self, names: Sequence[str]) -> None:
        self._names = names

    def find_spec(self, name: str, *_: Any) -> importlib.machinery.ModuleSpec | None:
        if any(f"{name}.".startswith(f"{one}.") for one in self._names):
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        return _StandIn(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        pass


def put(*, instead: bool = False) -> None:
    """Have them stand in where a package is missing; ``instead``: also where the surroundings' packages are there.

    Those look for a notebook's kernel, and there is none where solutions are graded.
    """
    if any(isinstance(finder, _Finder) for finder in sys.meta_path):
        return
    if instead:
        for name in [
            name for name in sys.modules if f"{name}.".startswith(tuple(f"{one}." for one in _SURROUNDINGS))
        ]:
            del sys.modules[name]
        sys.meta_path.insert(0, _Finder(_SURROUNDINGS))
    sys.meta_path.append(_Finder((*_SURROUNDINGS, *_USEFUL)))
